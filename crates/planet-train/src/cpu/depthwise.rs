use planet_net::Convolution as Geometry;
use rayon::prelude::*;

use super::{
    Layer, Mode,
    memory::{Memory, View},
};
use crate::vectorised::vectorised;

/// A convolution of each channel with its own kernel; weights are
/// `[kernel height, kernel width, channels]`.
#[derive(Debug)]
pub(super) struct Depthwise {
    pub(super) geometry: Geometry,
    pub(super) input: View,
    pub(super) output: View,
    pub(super) weight: usize,
    /// Whether the gradient is added to the one that is stored.
    pub(super) add: bool,
}

impl Depthwise {
    /// Input pixels under an output pixel's window, counted through a part's photos, each with
    /// its place in the kernel.
    #[inline(always)]
    fn window(&self, pixel: usize) -> impl Iterator<Item = (usize, usize)> {
        let Geometry { kernel: [kh, kw], stride, padding, .. } = self.geometry;
        let View { height, width, .. } = self.input;
        let (photo, pixel) = (pixel / self.output.pixels(), pixel % self.output.pixels());
        let (y, x) = (pixel / self.output.width, pixel % self.output.width);
        let top = (y * stride[0]) as isize - padding[0] as isize;
        let left = (x * stride[1]) as isize - padding[1] as isize;
        (0..kh * kw).filter_map(move |place| {
            let y = usize::try_from(top + (place / kw) as isize).ok().filter(|y| *y < height)?;
            let x = usize::try_from(left + (place % kw) as isize).ok().filter(|x| *x < width)?;
            Some((place, (photo * height + y) * width + x))
        })
    }
}

impl Layer for Depthwise {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let (input, output) = (self.input, self.output);
        memory.write(output, |memory, values, photos| {
            let weights = &memory.parameters[self.weight].values;
            let from = memory.values(input, photos.clone());
            for pixel in 0..photos.len() * output.pixels() {
                let to = output.pixel_mut(values, pixel);
                to.fill(0.0);
                for (place, source) in self.window(pixel) {
                    let weights = &weights[place * output.channels..][..output.channels];
                    for ((to, from), weight) in
                        to.iter_mut().zip(input.pixel(from, source)).zip(weights)
                    {
                        *to += from * weight;
                    }
                }
            }
        });
    }

    fn backward(&mut self, memory: &mut Memory) {
        let (input, output) = (self.input, self.output);
        let part = memory.photos_a_part();
        let mut scratch = std::mem::take(&mut memory.scratch);
        let shared: &Memory = memory;
        scratch[..shared.photos.div_ceil(part)].par_iter_mut().enumerate().for_each(
            |(at, scratch)| {
                let photos = at * part..(at * part + part).min(shared.photos);
                let (x, dy) = (
                    shared.values(input, photos.clone()),
                    shared.gradients(output, photos.clone()),
                );
                let count = shared.parameters[self.weight].values.len();
                scratch.gradient.resize(scratch.gradient.len().max(count), 0.0);
                scratch.gradient[..count].fill(0.0);
                vectorised(|| {
                    for pixel in 0..photos.len() * output.pixels() {
                        let dy = output.pixel(dy, pixel);
                        for (place, source) in self.window(pixel) {
                            let share = scratch.gradient[place * output.channels..].iter_mut();
                            let pairs = dy.iter().zip(input.pixel(x, source));
                            share.zip(pairs).for_each(|(share, (dy, x))| *share += dy * x);
                        }
                    }
                });
            },
        );
        memory.scratch = scratch;
        memory.sum_gradient(self.weight);
        memory.write_gradients(input, |memory, values, photos| {
            if !self.add {
                values.fill(0.0);
            }
            let weights = &memory.parameters[self.weight].values;
            let dy = memory.gradients(output, photos.clone());
            for pixel in 0..photos.len() * output.pixels() {
                let dy = output.pixel(dy, pixel);
                for (place, source) in self.window(pixel) {
                    let weights = &weights[place * output.channels..][..output.channels];
                    let to = input.pixel_mut(values, source).iter_mut();
                    to.zip(dy.iter().zip(weights))
                        .for_each(|(to, (dy, weight))| *to += dy * weight);
                }
            }
        });
    }
}
