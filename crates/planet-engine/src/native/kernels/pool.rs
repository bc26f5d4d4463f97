use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{
    Curve, Source, Target, Window, Workers, arch,
    strip::{Fold, Row, load},
};

/// A convolution of each channel with its own kernel.
#[derive(Debug)]
pub(in crate::native) struct Depthwise {
    pub(in crate::native) window: Window,
    /// `[taps, channels]`.
    pub(in crate::native) weights: Vec<f32>,
    /// One number a channel.
    pub(in crate::native) bias: Vec<f32>,
    pub(in crate::native) curve: Curve,
}

/// A window that is summed up channel by channel.
#[derive(Clone, Copy, Debug)]
pub(in crate::native) struct Pool {
    pub(in crate::native) window: Window,
    pub(in crate::native) kind: PoolKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::native) enum PoolKind {
    Max,
    /// The mean; `padded` counts padding as zeros.
    Average {
        padded: bool,
    },
}

impl Depthwise {
    /// Of weights `[channels, 1, kernel height, kernel width]`.
    pub(in crate::native) fn new(
        weights: &[f32],
        bias: Vec<f32>,
        window: Window,
        curve: Curve,
    ) -> Self {
        let taps = window.taps();
        let of_tap = |tap: usize| weights.iter().skip(tap).step_by(taps);
        let weights = (0..taps).flat_map(|tap| of_tap(tap).copied()).collect();
        Self { window, weights, bias, curve }
    }

    pub(in crate::native) fn run(&self, from: Source<'_>, to: Target<'_>, workers: &Workers) {
        let fold = Weighted { bias: &self.bias, curve: self.curve };
        slide(self.window, fold, &self.weights, from, to, workers);
    }
}

impl Pool {
    pub(in crate::native) fn run(&self, from: Source<'_>, to: Target<'_>, workers: &Workers) {
        match self.kind {
            PoolKind::Max => slide(self.window, Greatest, &[], from, to, workers),
            PoolKind::Average { padded } => {
                let all = padded.then_some(self.window.taps());
                slide(self.window, Mean { all }, &[], from, to, workers);
            }
        }
    }
}

/// All rows of an output.
fn slide<F: Fold + Sync>(
    window: Window,
    fold: F,
    weights: &[f32],
    from: Source<'_>,
    to: Target<'_>,
    workers: &Workers,
) {
    struct Rows<'a, F> {
        row: Row<'a, F>,
        to: &'a mut [f32],
    }
    impl<F: Fold> WithSimd for Rows<'_, F> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) {
            let view = self.row.view;
            for to in self.to.chunks_mut(view.width * view.step) {
                self.row.run(simd, to);
                self.row.y += 1;
                if self.row.y == view.height {
                    self.row.y = 0;
                    self.row.photo += 1;
                }
            }
        }
    }
    let view = to.view;
    let rows = to.photos * view.height;
    let values = &mut to.values[..to.photos * view.per_photo()];
    // A number that is loaded and folded takes as long as some four multiplications of a tile.
    let numbers = rows * view.width * view.channels;
    let tasks = workers.tasks(numbers.saturating_mul(4 * window.taps()));
    let together = rows.div_ceil(tasks);
    workers.chunks(values, together * view.width * view.step, |task, to| {
        let (photo, y) = (task * together / view.height, task * together % view.height);
        let row = Row { window, fold, from, photo, y, view, weights };
        arch().dispatch(Rows { row, to });
    });
}

/// The mean over height and width.
pub(in crate::native) fn global_average(from: Source<'_>, to: Target<'_>, workers: &Workers) {
    let (pixels, view) = (from.view.pixels(), to.view);
    let share = 1.0 / pixels as f32;
    let values = &mut to.values[..to.photos * view.step];
    workers.chunks(values, view.step, |photo, to| {
        let to = &mut to[view.first..][..view.channels];
        arch().dispatch(
            #[inline(always)]
            || {
                to.fill(0.0);
                for at in 0..pixels {
                    let pixel = from.pixel(photo * pixels + at);
                    to.iter_mut().zip(pixel).for_each(|(sum, x)| *sum += x);
                }
                to.iter_mut().for_each(|sum| *sum *= share);
            },
        );
    });
}

#[derive(Clone, Copy)]
struct Weighted<'a> {
    bias: &'a [f32],
    curve: Curve,
}

impl Fold for Weighted<'_> {
    const WEIGHS: bool = true;

    #[inline(always)]
    fn start<S: Simd>(&self, simd: S, channels: Range<usize>) -> S::f32s {
        load::<S, false>(simd, &self.bias[channels])
    }

    #[inline(always)]
    fn step<S: Simd>(simd: S, sum: S::f32s, x: S::f32s, weight: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(x, weight, sum)
    }

    #[inline(always)]
    fn end<S: Simd>(&self, simd: S, sum: S::f32s, _: usize) -> S::f32s {
        self.curve.of_vector(simd, sum)
    }
}

/// Padding never wins.
#[derive(Clone, Copy)]
struct Greatest;

impl Fold for Greatest {
    const WEIGHS: bool = false;

    #[inline(always)]
    fn start<S: Simd>(&self, simd: S, _: Range<usize>) -> S::f32s {
        simd.splat_f32s(f32::NEG_INFINITY)
    }

    #[inline(always)]
    fn step<S: Simd>(simd: S, sum: S::f32s, x: S::f32s, _: S::f32s) -> S::f32s {
        // NaN beats all and is not beaten.
        let keeps = simd.or_m32s(
            simd.greater_than_or_equal_f32s(sum, x),
            simd.not_m32s(simd.equal_f32s(sum, sum)),
        );
        simd.select_f32s(keeps, sum, x)
    }

    #[inline(always)]
    fn end<S: Simd>(&self, _: S, sum: S::f32s, _: usize) -> S::f32s {
        sum
    }
}

#[derive(Clone, Copy)]
struct Mean {
    /// What every sum is divided by; `None` divides by the pixels of the image under the window.
    all: Option<usize>,
}

impl Fold for Mean {
    const WEIGHS: bool = false;

    #[inline(always)]
    fn start<S: Simd>(&self, simd: S, _: Range<usize>) -> S::f32s {
        simd.splat_f32s(0.0)
    }

    #[inline(always)]
    fn step<S: Simd>(simd: S, sum: S::f32s, x: S::f32s, _: S::f32s) -> S::f32s {
        simd.add_f32s(sum, x)
    }

    #[inline(always)]
    fn end<S: Simd>(&self, simd: S, sum: S::f32s, pixels: usize) -> S::f32s {
        simd.mul_f32s(sum, simd.splat_f32s(1.0 / self.all.unwrap_or(pixels) as f32))
    }
}
