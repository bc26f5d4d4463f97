use planet_net::Convolution as Geometry;
use rayon::prelude::*;

use super::{
    Layer, Mode,
    memory::{Memory, Scratch, View},
};
use crate::{
    product::{Matrix, Target},
    vectorised::vectorised,
};

/// Least and usual size of a tile of windows: it should stay in a core's cache, and be tall
/// enough that packing the weights for the product does not show.
const TILE: usize = 1 << 16;
const LEAST_ROWS: usize = 128;

/// A convolution over all channels, as products of windows with weights.
///
/// Weights are `[kernel height, kernel width, inputs, outputs]`.
#[derive(Debug)]
pub(super) struct Convolution {
    pub(super) geometry: Geometry,
    pub(super) input: View,
    pub(super) output: View,
    pub(super) weight: usize,
    pub(super) bias: Option<usize>,
    /// Whether the input wants a gradient, and whether it is added to the gradient that is stored.
    pub(super) input_gradient: Option<bool>,
}

impl Convolution {
    /// Numbers under one window.
    fn window(&self) -> usize {
        self.geometry.fan_in()
    }

    /// A window is a pixel, and its numbers stand together already.
    fn pointwise(&self) -> bool {
        let Geometry { kernel, stride, padding, .. } = self.geometry;
        (kernel, stride, padding) == ([1, 1], [1, 1], [0, 0])
    }

    fn tiles(&self, rows: usize) -> impl Iterator<Item = (usize, usize)> {
        let tile = if self.pointwise() { rows } else { (TILE / self.window()).max(LEAST_ROWS) };
        (0..rows).step_by(tile.max(1)).map(move |from| (from, tile.min(rows - from)))
    }

    /// Lays out the inputs under the windows of output pixels `from..from + count`, a row each.
    fn gather(&self, input: &[f32], from: usize, count: usize, windows: &mut [f32]) {
        let ([kh, kw], channels) = (self.geometry.kernel, self.input.channels);
        let strip = kw * channels;
        let together = self.input.step == channels;
        for (row, window) in
            (from..).zip(windows[..count * kh * strip].chunks_exact_mut(kh * strip))
        {
            let place = Place::of(self, row);
            for (down, strip) in window.chunks_exact_mut(strip).enumerate() {
                let Some(line) = place.line(self, down) else {
                    strip.fill(0.0);
                    continue;
                };
                if together && place.left >= 0 && place.left as usize + kw <= self.input.width {
                    let start = (line + place.left as usize) * channels;
                    strip.copy_from_slice(&input[start..][..strip.len()]);
                    continue;
                }
                for (right, pixel) in strip.chunks_exact_mut(channels).enumerate() {
                    match place.column(self, right) {
                        Some(x) => pixel.copy_from_slice(self.input.pixel(input, line + x)),
                        None => pixel.fill(0.0),
                    }
                }
            }
        }
    }

    /// Adds each row of windows to the inputs that it came from.
    fn scatter(&self, windows: &[f32], from: usize, count: usize, input: &mut [f32]) {
        let ([kh, kw], channels) = (self.geometry.kernel, self.input.channels);
        let strip = kw * channels;
        let together = self.input.step == channels;
        for (row, window) in (from..).zip(windows[..count * kh * strip].chunks_exact(kh * strip)) {
            let place = Place::of(self, row);
            for (down, strip) in window.chunks_exact(strip).enumerate() {
                let Some(line) = place.line(self, down) else { continue };
                if together && place.left >= 0 && place.left as usize + kw <= self.input.width {
                    let start = (line + place.left as usize) * channels;
                    add(&mut input[start..][..strip.len()], strip);
                    continue;
                }
                for (right, pixel) in strip.chunks_exact(channels).enumerate() {
                    if let Some(x) = place.column(self, right) {
                        add(self.input.pixel_mut(input, line + x), pixel);
                    }
                }
            }
        }
    }

    /// Windows `from..from + count` as a matrix: gathered, or the inputs themselves.
    fn windows<'a>(
        &self,
        input: &'a [f32],
        from: usize,
        count: usize,
        space: &'a mut Vec<f32>,
    ) -> Matrix<'a> {
        let window = self.window();
        if self.pointwise() {
            let start = from * self.input.step + self.input.channel;
            return Matrix::new(&input[start..], count, window, self.input.step);
        }
        space.resize(space.len().max(count * window), 0.0);
        self.gather(input, from, count, space);
        Matrix::new(space, count, window, window)
    }
}

/// Where a window lies.
struct Place {
    photo: usize,
    top: isize,
    left: isize,
}

impl Place {
    /// The window of one output pixel, counted through the photos.
    #[inline(always)]
    fn of(layer: &Convolution, row: usize) -> Self {
        let Geometry { stride, padding, .. } = layer.geometry;
        let (photo, pixel) = (row / layer.output.pixels(), row % layer.output.pixels());
        let (y, x) = (pixel / layer.output.width, pixel % layer.output.width);
        Self {
            photo,
            top: (y * stride[0]) as isize - padding[0] as isize,
            left: (x * stride[1]) as isize - padding[1] as isize,
        }
    }

    /// First pixel of the photo's line under the window's row, unless that is padding.
    #[inline(always)]
    fn line(&self, layer: &Convolution, down: usize) -> Option<usize> {
        let y = usize::try_from(self.top + down as isize).ok()?;
        let View { height, width, .. } = layer.input;
        (y < height).then(|| (self.photo * height + y) * width)
    }

    #[inline(always)]
    fn column(&self, layer: &Convolution, right: usize) -> Option<usize> {
        usize::try_from(self.left + right as isize).ok().filter(|x| *x < layer.input.width)
    }
}

#[inline(always)]
fn add(sum: &mut [f32], part: &[f32]) {
    for (sum, part) in sum.iter_mut().zip(part) {
        *sum += part;
    }
}

impl Layer for Convolution {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let (window, outputs) = (self.window(), self.output.channels);
        let mut scratch = std::mem::take(&mut memory.scratch);
        let mut values = memory.take_values(self.output);
        let (part, per_photo) = (memory.photos_a_part(), memory.slabs[self.output.slab].per_photo);
        let weights = Matrix::new(&memory.parameters[self.weight].values, window, outputs, outputs);
        let parts = values[..memory.photos * per_photo].par_chunks_mut(part * per_photo);
        parts.zip(&mut scratch).enumerate().for_each(|(at, (values, scratch))| {
            let photos = at * part..(at * part + part).min(memory.photos);
            let input = memory.values(self.input, photos.clone());
            for (from, count) in self.tiles(photos.len() * self.output.pixels()) {
                let windows = vectorised(|| self.windows(input, from, count, &mut scratch.windows));
                let values = &mut values[from * self.output.step + self.output.channel..];
                if let Some(bias) = self.bias {
                    let bias = &memory.parameters[bias].values;
                    for pixel in values.chunks_mut(self.output.step).take(count) {
                        pixel[..outputs].copy_from_slice(bias);
                    }
                }
                let target = Target::new(values, count, outputs, self.output.step);
                target.product(windows, weights, self.bias.is_some(), false);
            }
        });
        memory.return_values(self.output, values);
        memory.scratch = scratch;
    }

    fn backward(&mut self, memory: &mut Memory) {
        let mut scratch = std::mem::take(&mut memory.scratch);
        let mut gradients = match self.input_gradient {
            Some(_) => memory.take_gradients(self.input),
            None => Vec::new(),
        };
        let part = memory.photos_a_part();
        let shared: &Memory = memory;
        let pieces = self.input_gradient.map_or(0, |_| shared.slabs[self.input.slab].per_photo);
        let work = |at: usize, scratch: &mut Scratch, gradients: &mut [f32]| {
            self.backward_part(
                shared,
                at * part..(at * part + part).min(shared.photos),
                scratch,
                gradients,
            );
        };
        let used = shared.photos.div_ceil(part);
        if pieces == 0 {
            let parts = scratch[..used].par_iter_mut().enumerate();
            parts.for_each(|(at, scratch)| work(at, scratch, &mut []));
        } else {
            let parts = gradients[..shared.photos * pieces].par_chunks_mut(part * pieces);
            parts
                .zip(&mut scratch)
                .enumerate()
                .for_each(|(at, (gradients, scratch))| work(at, scratch, gradients));
        }
        if self.input_gradient.is_some() {
            memory.return_gradients(self.input, gradients);
        }
        memory.scratch = scratch;
        memory.sum_gradient(self.weight);
        if let Some(bias) = self.bias {
            super::normalise::sum_pixels(memory, self.output, bias);
        }
    }
}

impl Convolution {
    fn backward_part(
        &self,
        memory: &Memory,
        photos: std::ops::Range<usize>,
        scratch: &mut Scratch,
        input_gradients: &mut [f32],
    ) {
        let (window, outputs) = (self.window(), self.output.channels);
        let weights = Matrix::new(&memory.parameters[self.weight].values, window, outputs, outputs);
        let input = memory.values(self.input, photos.clone());
        let gradients = memory.gradients(self.output, photos.clone());
        let Scratch { windows: space, gradient } = scratch;
        gradient.resize(gradient.len().max(window * outputs), 0.0);
        if self.input_gradient == Some(false) && !self.pointwise() {
            input_gradients.fill(0.0);
        }
        for (from, count) in self.tiles(photos.len() * self.output.pixels()) {
            let of_output = &gradients[from * self.output.step + self.output.channel..];
            let of_output = Matrix::new(of_output, count, outputs, self.output.step);
            let windows = vectorised(|| self.windows(input, from, count, space));
            let share = Target::new(gradient, window, outputs, outputs);
            share.product(windows.transposed(), of_output, from > 0, false);
            let Some(add) = self.input_gradient else { continue };
            if self.pointwise() {
                let start = from * self.input.step + self.input.channel;
                let target = &mut input_gradients[start..];
                let target = Target::new(target, count, window, self.input.step);
                target.product(of_output, weights.transposed(), add, false);
            } else {
                let target = Target::new(space, count, window, window);
                target.product(of_output, weights.transposed(), false, false);
                vectorised(|| self.scatter(space, from, count, input_gradients));
            }
        }
    }
}
