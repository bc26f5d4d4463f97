use pulp::{Simd, WithSimd};

use super::{Curve, Source, Target, Workers, arch};
use crate::native::floats::Floats;

/// A layer in which every feature counts for every output. Its weights stay where they lie: for one
/// photo each is used once, so that reading them is the work.
#[derive(Debug)]
pub(in crate::native) struct Dense {
    /// `[outputs, inputs]`.
    pub(in crate::native) weights: Floats,
    pub(in crate::native) bias: Vec<f32>,
    pub(in crate::native) inputs: usize,
    pub(in crate::native) curve: Curve,
}

/// Outputs whose weights are read side by side.
const OUTPUTS: usize = 4;

/// Photos that share what was read.
const PHOTOS: usize = 4;

impl Dense {
    /// The outputs of all photos.
    pub(in crate::native) fn run(&self, from: Source<'_>, to: Target<'_>, workers: &Workers) {
        let (photos, view, outputs) = (to.photos, to.view, self.bias.len());
        assert_eq!((from.view.channels, view.channels), (self.inputs, outputs));
        let tasks = workers.tasks(photos * outputs * self.inputs).min(outputs.div_ceil(OUTPUTS));
        let step = outputs.div_ceil(tasks).next_multiple_of(OUTPUTS);
        // Each task has outputs of its own of every photo.
        let mut parts: Vec<Vec<&mut [f32]>> = (0..outputs.div_ceil(step)).map(|_| vec![]).collect();
        for photo in to.values.chunks_mut(view.step).take(photos) {
            let photo = photo[view.first..][..outputs].chunks_mut(step);
            parts.iter_mut().zip(photo).for_each(|(part, outputs)| part.push(outputs));
        }
        let parts: Vec<_> = parts.into_iter().map(std::sync::Mutex::new).collect();
        workers.each(parts.len(), |task| {
            let mut to = parts[task].lock().expect("no task panics while it holds its part");
            arch().dispatch(Task { layer: self, from, to: &mut to, first: task * step });
        });
    }
}

/// Some outputs of all photos.
struct Task<'a, 'b> {
    layer: &'a Dense,
    from: Source<'a>,
    /// Outputs of each photo.
    to: &'a mut [&'b mut [f32]],
    first: usize,
}

impl WithSimd for Task<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { layer, from, to, first } = self;
        let weights = layer.weights.values();
        let count = to.first().map_or(0, |outputs| outputs.len());
        for done in (0..count).step_by(OUTPUTS) {
            let here = OUTPUTS.min(count - done);
            let row = |at: usize| {
                let at = first + done + at.min(here - 1);
                &weights[at * layer.inputs..][..layer.inputs]
            };
            let rows: [&[f32]; OUTPUTS] = std::array::from_fn(row);
            let bias = &layer.bias[first + done..][..here];
            let mut photo = 0;
            while photo < to.len() {
                let together = if to.len() - photo >= PHOTOS { PHOTOS } else { 1 };
                let photos = &mut to[photo..photo + together];
                let mut write = |at: usize, sums: [f32; OUTPUTS]| {
                    let to = photos[at][done..][..here].iter_mut();
                    for ((to, sum), bias) in to.zip(sums).zip(bias) {
                        *to = layer.curve.of(sum + bias);
                    }
                };
                if together == PHOTOS {
                    let pixels: [&[f32]; PHOTOS] = std::array::from_fn(|at| from.pixel(photo + at));
                    let sums = products::<S, PHOTOS>(simd, rows, pixels);
                    sums.into_iter().enumerate().for_each(|(at, sums)| write(at, sums));
                } else {
                    write(0, products::<S, 1>(simd, rows, [from.pixel(photo)])[0]);
                }
                photo += together;
            }
        }
    }
}

/// Scalar products of photos and rows of weights, which are of one length. Each is summed in one
/// order, whatever stands beside it.
#[inline(always)]
fn products<S: Simd, const COUNT: usize>(
    simd: S,
    rows: [&[f32]; OUTPUTS],
    photos: [&[f32]; COUNT],
) -> [[f32; OUTPUTS]; COUNT] {
    let rows = rows.map(S::as_simd_f32s);
    let photos = photos.map(S::as_simd_f32s);
    let mut sums = [[simd.splat_f32s(0.0); OUTPUTS]; COUNT];
    let length = rows[0].0.len();
    let heads = rows.map(|(head, _)| &head[..length]);
    let inputs = photos.map(|(head, _)| &head[..length]);
    for at in 0..length {
        let weights: [S::f32s; OUTPUTS] = std::array::from_fn(|row| heads[row][at]);
        for (sums, input) in sums.iter_mut().zip(inputs) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = simd.mul_add_e_f32s(input[at], weight, *sum);
            }
        }
    }
    let mut totals = [[0.0; OUTPUTS]; COUNT];
    for (photo, totals) in totals.iter_mut().enumerate() {
        for (row, total) in totals.iter_mut().enumerate() {
            let rest = photos[photo].1.iter().zip(rows[row].1).map(|(x, weight)| x * weight);
            *total = simd.reduce_sum_f32s(sums[photo][row]) + rest.sum::<f32>();
        }
    }
    totals
}
