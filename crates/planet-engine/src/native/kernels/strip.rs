use std::ops::Range;

use pulp::Simd;

use super::{Source, View, Window};

/// How the numbers under a window become one, channel by channel.
pub(super) trait Fold: Copy {
    /// Whether each place of the window has a weight for each channel.
    const WEIGHS: bool;

    /// What the fold of channels from this one on begins with.
    fn start<S: Simd>(&self, simd: S, channels: Range<usize>) -> S::f32s;

    /// With one more number.
    fn step<S: Simd>(simd: S, sum: S::f32s, x: S::f32s, weight: S::f32s) -> S::f32s;

    /// The result, where so many pixels of the image lay under the window.
    fn end<S: Simd>(&self, simd: S, sum: S::f32s, pixels: usize) -> S::f32s;
}

/// One row of an output: a window that slides over each channel by itself.
pub(super) struct Row<'a, F> {
    pub(super) window: Window,
    pub(super) fold: F,
    pub(super) from: Source<'a>,
    pub(super) photo: usize,
    /// Of the output.
    pub(super) y: usize,
    pub(super) view: View,
    /// `[taps, channels]`, for folds that weigh.
    pub(super) weights: &'a [f32],
}

/// Pixels that are computed side by side.
const PIXELS: usize = 4;

/// Channels that fit one vector, or the last ones, which may be fewer.
#[derive(Clone)]
struct Strip {
    channels: Range<usize>,
    /// Rows of the window that lie in the image.
    rows: Range<usize>,
    top: isize,
}

impl<F: Fold> Row<'_, F> {
    /// Computes the row into its place, `[width, step]`.
    #[inline(always)]
    pub(super) fn run<S: Simd>(&self, simd: S, to: &mut [f32]) {
        let (rows, top) = self.window.inside(0, self.y, self.from.view.height);
        let all = self.view.channels;
        for first in (0..all).step_by(S::F32_LANES) {
            let channels = first..(first + S::F32_LANES).min(all);
            let strip = Strip { channels, rows: rows.clone(), top };
            if strip.channels.len() == S::F32_LANES {
                self.strip::<S, true>(simd, &strip, to);
            } else {
                self.strip::<S, false>(simd, &strip, to);
            }
        }
    }

    #[inline(always)]
    fn strip<S: Simd, const WHOLE: bool>(&self, simd: S, strip: &Strip, to: &mut [f32]) {
        let Window { kernel, stride, before, .. } = self.window;
        let width = self.from.view.width;
        // Places at which the whole of the window's columns lies in the image.
        let inner = before[1].div_ceil(stride[1]);
        let end = (width + before[1]).checked_sub(kernel[1]).map_or(0, |last| last / stride[1] + 1);
        let mut x = 0;
        while x < self.view.width {
            if x >= inner && x + PIXELS <= end.min(self.view.width) {
                self.pixels::<S, WHOLE, PIXELS>(simd, strip, x, 0..kernel[1], to);
                x += PIXELS;
            } else {
                let (columns, _) = self.window.inside(1, x, width);
                self.pixels::<S, WHOLE, 1>(simd, strip, x, columns, to);
                x += 1;
            }
        }
    }

    /// `COUNT` pixels from `x` on, all of which see these columns of the window.
    #[inline(always)]
    fn pixels<S: Simd, const WHOLE: bool, const COUNT: usize>(
        &self,
        simd: S,
        strip: &Strip,
        x: usize,
        columns: Range<usize>,
        to: &mut [f32],
    ) {
        let Window { kernel, stride, before, .. } = self.window;
        let View { first, step, height, width, .. } = self.from.view;
        let Strip { channels, rows, top } = strip.clone();
        let count = channels.len();
        let zero = simd.splat_f32s(0.0);
        let mut sums = [self.fold.start(simd, channels.clone()); COUNT];
        for down in rows.clone() {
            let y = (top + down as isize) as usize;
            let line = (self.photo * height + y) * width;
            for across in columns.clone() {
                let tap = (down * kernel[1] + across) * self.view.channels + channels.start;
                let weight = if F::WEIGHS {
                    load::<S, WHOLE>(simd, &self.weights[tap..][..count])
                } else {
                    zero
                };
                let pixel = line + x * stride[1] + across - before[1];
                let at = pixel * step + first + channels.start;
                for (place, sum) in sums.iter_mut().enumerate() {
                    let from = &self.from.values[at + place * stride[1] * step..][..count];
                    *sum = F::step(simd, *sum, load::<S, WHOLE>(simd, from), weight);
                }
            }
        }
        for (place, sum) in sums.into_iter().enumerate() {
            let value = self.fold.end(simd, sum, rows.len() * columns.len());
            let at = (x + place) * self.view.step + self.view.first + channels.start;
            store::<S, WHOLE>(simd, &mut to[at..][..count], value);
        }
    }
}

#[inline(always)]
pub(super) fn load<S: Simd, const WHOLE: bool>(simd: S, from: &[f32]) -> S::f32s {
    if WHOLE { S::as_simd_f32s(from).0[0] } else { simd.partial_load_f32s(from) }
}

#[inline(always)]
fn store<S: Simd, const WHOLE: bool>(simd: S, to: &mut [f32], value: S::f32s) {
    if WHOLE {
        S::as_mut_simd_f32s(to).0[0] = value;
    } else {
        simd.partial_store_f32s(to, value);
    }
}
