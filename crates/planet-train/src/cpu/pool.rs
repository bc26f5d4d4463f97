use planet_net::{Pool as Geometry, PoolKind};
use rayon::prelude::*;

use super::{
    Layer, Mode,
    memory::{Memory, View},
};
use crate::vectorised::vectorised;

/// A pooling window that goes over an image.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) geometry: Geometry,
    pub(super) input: View,
    pub(super) output: View,
    /// Whether the gradient is accumulated instead of overwriting the buffer.
    pub(super) add: bool,
    /// Which place of its window each greatest value came from, `[photos, pixels, channels]`.
    pub(super) greatest: Vec<u8>,
}

impl Pool {
    /// Pixels of the input, in one photo, under the window of an output pixel; each with its
    /// place in the window.
    #[inline(always)]
    fn window(&self, pixel: usize) -> impl Iterator<Item = (u8, usize)> {
        let Geometry { kernel: [kh, kw], stride, padding, .. } = self.geometry;
        let View { height, width, .. } = self.input;
        let (y, x) = (pixel / self.output.width, pixel % self.output.width);
        let top = (y * stride[0]) as isize - padding[0] as isize;
        let left = (x * stride[1]) as isize - padding[1] as isize;
        (0..kh * kw).filter_map(move |place| {
            let y = usize::try_from(top + (place / kw) as isize).ok().filter(|y| *y < height)?;
            let x = usize::try_from(left + (place % kw) as isize).ok().filter(|x| *x < width)?;
            Some((place as u8, y * width + x))
        })
    }

    fn share(&self) -> f32 {
        1.0 / (self.geometry.kernel[0] * self.geometry.kernel[1]) as f32
    }

    /// One photo.
    fn average(&self, input: &[f32], output: &mut [f32]) {
        let share = self.share();
        for pixel in 0..self.output.pixels() {
            let to = self.output.pixel_mut(output, pixel);
            to.fill(0.0);
            for (_, from) in self.window(pixel) {
                for (to, from) in to.iter_mut().zip(self.input.pixel(input, from)) {
                    *to += from;
                }
            }
            to.iter_mut().for_each(|to| *to *= share);
        }
    }

    /// One photo.
    fn maximum(&self, input: &[f32], output: &mut [f32], greatest: &mut [u8]) {
        let channels = self.output.channels;
        let mut places = vec![0u32; channels];
        for (pixel, greatest) in greatest.chunks_exact_mut(channels).enumerate() {
            let to = self.output.pixel_mut(output, pixel);
            to.fill(f32::NEG_INFINITY);
            for (place, from) in self.window(pixel) {
                let from = self.input.pixel(input, from);
                for ((to, from), at) in to.iter_mut().zip(from).zip(&mut places) {
                    // NaN beats all and is not beaten.
                    let wins = *from > *to || from.is_nan();
                    *at = if wins { u32::from(place) } else { *at };
                    *to = if wins { *from } else { *to };
                }
            }
            for (greatest, place) in greatest.iter_mut().zip(&places) {
                *greatest = *place as u8;
            }
        }
    }

    /// One photo.
    fn spread(&self, of_output: &[f32], of_input: &mut [f32], greatest: &[u8]) {
        let channels = self.output.channels;
        let share = self.share();
        for pixel in 0..self.output.pixels() {
            let from = self.output.pixel(of_output, pixel);
            for (place, to) in self.window(pixel) {
                let to = self.input.pixel_mut(of_input, to);
                match self.geometry.kind {
                    PoolKind::Average => {
                        for (to, from) in to.iter_mut().zip(from) {
                            *to += from * share;
                        }
                    }
                    PoolKind::Max => {
                        let greatest = &greatest[pixel * channels..][..channels];
                        for ((to, from), at) in to.iter_mut().zip(from).zip(greatest) {
                            *to += if *at == place { *from } else { 0.0 };
                        }
                    }
                }
            }
        }
    }
}

impl Layer for Pool {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let (input, output) =
            (memory.slabs[self.input.slab].per_photo, memory.slabs[self.output.slab].per_photo);
        let marks = self.output.pixels() * self.output.channels;
        let maximum = self.geometry.kind == PoolKind::Max;
        let mut greatest = std::mem::take(&mut self.greatest);
        greatest.resize(if maximum { memory.photos * marks } else { memory.photos }, 0);
        let mut values = std::mem::take(&mut memory.slabs[self.output.slab].values);
        let inputs = memory.values(self.input, 0..memory.photos).par_chunks_exact(input);
        let outputs = values[..memory.photos * output].par_chunks_exact_mut(output);
        let marks = greatest.par_chunks_exact_mut(if maximum { marks } else { 1 });
        outputs.zip(inputs).zip(marks).for_each(|((output, input), greatest)| {
            vectorised(|| {
                if maximum {
                    self.maximum(input, output, greatest);
                } else {
                    self.average(input, output);
                }
            });
        });
        memory.slabs[self.output.slab].values = values;
        self.greatest = greatest;
    }

    fn backward(&mut self, memory: &mut Memory) {
        let marks = self.output.pixels() * self.output.channels;
        let this = &*self;
        memory.write_gradients(this.input, |memory, of_input, photos| {
            if !this.add {
                of_input.fill(0.0);
            }
            let size = memory.slabs[this.input.slab].per_photo;
            for (photo, of_input) in photos.zip(of_input.chunks_exact_mut(size)) {
                let of_output = memory.gradients(this.output, photo..photo + 1);
                let greatest = match this.geometry.kind {
                    PoolKind::Max => &this.greatest[photo * marks..][..marks],
                    PoolKind::Average => &[],
                };
                this.spread(of_output, of_input, greatest);
            }
        });
    }
}

/// Mean over height and width.
#[derive(Debug)]
pub(super) struct GlobalAverage {
    pub(super) input: View,
    pub(super) output: View,
    /// Whether the gradient is accumulated instead of overwriting the buffer.
    pub(super) add: bool,
}

impl Layer for GlobalAverage {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let (input, output) = (self.input, self.output);
        let share = 1.0 / input.pixels() as f32;
        memory.write(output, |memory, values, photos| {
            let from = memory.values(input, photos.clone());
            for photo in 0..photos.len() {
                let to = output.pixel_mut(values, photo);
                to.fill(0.0);
                for pixel in 0..input.pixels() {
                    let from = input.pixel(from, photo * input.pixels() + pixel);
                    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
                to.iter_mut().for_each(|to| *to *= share);
            }
        });
    }

    fn backward(&mut self, memory: &mut Memory) {
        let (input, output, add) = (self.input, self.output, self.add);
        let share = 1.0 / input.pixels() as f32;
        memory.write_gradients(input, |memory, values, photos| {
            let from = memory.gradients(output, photos.clone());
            for pixel in 0..photos.len() * input.pixels() {
                let from = output.pixel(from, pixel / input.pixels());
                let to = input.pixel_mut(values, pixel).iter_mut();
                to.zip(from)
                    .for_each(|(to, from)| *to = from * share + if add { *to } else { 0.0 });
            }
        });
    }
}
