use std::ops::Range;

use planet_net::{Pool as Geometry, PoolKind};
use pulp::Simd;

use super::{
    Layer, Mode,
    memory::{Memory, View},
    tiles::{self, Pass, load, store},
};

/// A pooling window that goes over an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    pub(super) geometry: Geometry,
    pub(super) input: View,
    pub(super) output: View,
    /// Whether the gradient is accumulated instead of overwriting the buffer.
    pub(super) add: bool,
}

impl Pool {
    /// For each of some output pixels, the input's lines and columns under its window. Lines and
    /// pixels are counted through the photos.
    #[inline(always)]
    fn windows(
        self,
        pixels: Range<usize>,
    ) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
        let Geometry { kernel: [kh, kw], stride: [down, right], padding, .. } = self.geometry;
        let View { height, width, .. } = self.input;
        let within = |first: usize, kernel: usize, padding: usize, size: usize| {
            first.saturating_sub(padding)..(first + kernel - padding).min(size)
        };
        let (photo, rest) =
            (pixels.start / self.output.pixels(), pixels.start % self.output.pixels());
        let (mut y, mut x) = (rest / self.output.width, rest % self.output.width);
        let mut top = photo * height;
        pixels.map(move |pixel| {
            let columns = within(x * right, kw, padding[1], width);
            let lines = within(y * down, kh, padding[0], height);
            let lines = top + lines.start..top + lines.end;
            x += 1;
            if x == self.output.width {
                (x, y) = (0, y + 1);
            }
            if y == self.output.height {
                (y, top) = (0, top + height);
            }
            (pixel, lines, columns)
        })
    }

    fn share(self) -> f32 {
        1.0 / (self.geometry.kernel[0] * self.geometry.kernel[1]) as f32
    }
}

struct Forward<'a> {
    pool: Pool,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Pass for Forward<'_> {
    #[inline(always)]
    fn tile<S: Simd, const WHOLE: bool>(
        &mut self,
        simd: S,
        pixels: Range<usize>,
        channels: Range<usize>,
    ) {
        let Pool { input, output, geometry, .. } = self.pool;
        let share = simd.splat_f32s(self.pool.share());
        for (pixel, lines, columns) in self.pool.windows(pixels) {
            let mut value = simd.splat_f32s(match geometry.kind {
                PoolKind::Average => 0.0,
                PoolKind::Max => f32::NEG_INFINITY,
            });
            for line in lines {
                for column in columns.clone() {
                    let at = line * input.width + column;
                    let x = load::<S, WHOLE>(simd, input.strip(self.x, at, &channels));
                    value = match geometry.kind {
                        PoolKind::Average => simd.add_f32s(value, x),
                        PoolKind::Max => greater(simd, value, x),
                    };
                }
            }
            if geometry.kind == PoolKind::Average {
                value = simd.mul_f32s(value, share);
            }
            store::<S, WHOLE>(simd, output.strip_mut(self.y, pixel, &channels), value);
        }
    }
}

/// The greater of two numbers, the first if they are equal, NaN if either is NaN.
#[inline(always)]
fn greater<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
    let stays = simd.less_than_or_equal_f32s(b, a);
    let stays = simd.or_m32s(stays, simd.not_m32s(simd.equal_f32s(a, a)));
    simd.select_f32s(stays, a, b)
}

struct Backward<'a> {
    pool: Pool,
    x: &'a [f32],
    y: &'a [f32],
    dx: &'a mut [f32],
    dy: &'a [f32],
}

impl Pass for Backward<'_> {
    #[inline(always)]
    fn tile<S: Simd, const WHOLE: bool>(
        &mut self,
        simd: S,
        pixels: Range<usize>,
        channels: Range<usize>,
    ) {
        let Pool { input, output, geometry, .. } = self.pool;
        let (zero, share) = (simd.splat_f32s(0.0), simd.splat_f32s(self.pool.share()));
        for (pixel, lines, columns) in self.pool.windows(pixels) {
            let mut dy = load::<S, WHOLE>(simd, output.strip(self.dy, pixel, &channels));
            let y = match geometry.kind {
                PoolKind::Average => {
                    dy = simd.mul_f32s(dy, share);
                    zero
                }
                PoolKind::Max => load::<S, WHOLE>(simd, output.strip(self.y, pixel, &channels)),
            };
            for line in lines {
                for column in columns.clone() {
                    let at = line * input.width + column;
                    let place = input.strip_mut(self.dx, at, &channels);
                    let part = match geometry.kind {
                        PoolKind::Average => dy,
                        PoolKind::Max => {
                            // The first of the greatest numbers gets it, as in PyTorch.
                            let x = load::<S, WHOLE>(simd, input.strip(self.x, at, &channels));
                            let here = simd.equal_f32s(x, y);
                            let part = simd.select_f32s(here, dy, zero);
                            dy = simd.select_f32s(here, zero, dy);
                            part
                        }
                    };
                    let sum = simd.add_f32s(load::<S, WHOLE>(simd, place), part);
                    store::<S, WHOLE>(simd, place, sum);
                }
            }
        }
    }
}

impl Layer for Pool {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let pool = *self;
        memory.write(pool.output, |memory, y, photos| {
            let x = memory.values(pool.input, photos.clone());
            let pixels = photos.len() * pool.output.pixels();
            tiles::run(pixels, pool.output.channels, &mut Forward { pool, x, y });
        });
    }

    fn backward(&mut self, memory: &mut Memory) {
        let pool = *self;
        memory.write_gradients(pool.input, |memory, dx, photos| {
            if !pool.add {
                dx.fill(0.0);
            }
            let pixels = photos.len() * pool.output.pixels();
            // Those of an average are not kept, as nothing needs them.
            let (x, y): (&[f32], &[f32]) = match pool.geometry.kind {
                PoolKind::Average => (&[], &[]),
                PoolKind::Max => (
                    memory.values(pool.input, photos.clone()),
                    memory.values(pool.output, photos.clone()),
                ),
            };
            let dy = memory.gradients(pool.output, photos);
            let mut pass = Backward { pool, x, y, dx, dy };
            tiles::run(pixels, pool.output.channels, &mut pass);
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
