use std::ops::Range;

use planet_net::BatchNorm;
use pulp::Simd;
use rayon::prelude::*;

use super::{
    Layer, Mode,
    memory::{Memory, View},
    tiles::{self, Pass, load, store},
};

/// Batch norm, and the ReLU or ReLU6 behind it where there is one: between them they touch each
/// number once.
#[derive(Debug)]
pub(super) struct Normalise {
    pub(super) norm: BatchNorm,
    /// Values are brought within these limits.
    pub(super) limits: Limits,
    /// The running statistics are used and kept, in training too.
    pub(super) frozen: bool,
    pub(super) input: View,
    pub(super) output: View,
    /// Scale and shift that are learned.
    pub(super) scale: usize,
    pub(super) shift: usize,
    pub(super) mean: usize,
    pub(super) variance: usize,
    /// Of the batch at hand, for the gradients.
    pub(super) batch: Statistics,
}

/// What the function behind batch norm lets through.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    least: f32,
    greatest: f32,
}

impl Limits {
    /// No function.
    pub(super) const NONE: Self = Self { least: f32::NEG_INFINITY, greatest: f32::INFINITY };
    /// ReLU.
    pub(super) const RELU: Self = Self { least: 0.0, greatest: f32::INFINITY };
    /// ReLU6.
    pub(super) const RELU6: Self = Self { least: 0.0, greatest: 6.0 };

    /// Comparisons let NaN through, so that it is seen in the loss.
    #[inline(always)]
    fn values<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        let [least, greatest] = [self.least, self.greatest].map(|limit| simd.splat_f32s(limit));
        let x = simd.select_f32s(simd.less_than_f32s(x, least), least, x);
        simd.select_f32s(simd.greater_than_f32s(x, greatest), greatest, x)
    }

    /// The gradients `dy` of what became of `x`. The derivative is 0 on the limits, as PyTorch has it.
    #[inline(always)]
    fn gradients<S: Simd>(self, simd: S, x: S::f32s, dy: S::f32s) -> S::f32s {
        let [least, greatest] = [self.least, self.greatest].map(|limit| simd.splat_f32s(limit));
        let below = simd.less_than_or_equal_f32s(x, least);
        let above = simd.greater_than_or_equal_f32s(x, greatest);
        simd.select_f32s(simd.or_m32s(below, above), simd.splat_f32s(0.0), dy)
    }
}

/// What a batch's values are brought to zero and one by, `[channels]` each.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    mean: Vec<f32>,
    /// 1 / √(variance + eps).
    inverse: Vec<f32>,
}

/// Mean of so many values, and sum of squared differences from it, channel by channel.
struct Moments {
    count: usize,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn none(channels: usize) -> Self {
        Self { count: 0, mean: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    fn of(view: View, values: &[f32], pixels: usize) -> Self {
        let mut pass = Measure { view, values, moments: Self::none(view.channels) };
        tiles::run(pixels, view.channels, &mut pass);
        Self { count: pixels, ..pass.moments }
    }

    /// Takes other `count` values of some channels in, `before` being here (Chan et al. 1979).
    #[inline(always)]
    fn join<T: Copy + Into<f64>>(
        &mut self,
        channels: Range<usize>,
        [before, count]: [usize; 2],
        mean: &[T],
        squares: &[T],
    ) {
        let (before, count) = (before as f64, count as f64);
        let weight = count / (before + count);
        let cross = before * weight;
        let own = self.mean[channels.clone()].iter_mut().zip(&mut self.squares[channels]);
        for ((own_mean, own_squares), (mean, squares)) in own.zip(mean.iter().zip(squares)) {
            let difference = (*mean).into() - *own_mean;
            *own_mean += difference * weight;
            *own_squares += (*squares).into() + difference * difference * cross;
        }
    }
}

/// The pass that measures moments.
struct Measure<'a> {
    view: View,
    values: &'a [f32],
    moments: Moments,
}

impl Pass for Measure<'_> {
    #[inline(always)]
    fn tile<S: Simd, const WHOLE: bool>(
        &mut self,
        simd: S,
        pixels: Range<usize>,
        channels: Range<usize>,
    ) {
        let x = |pixel| load::<S, WHOLE>(simd, self.view.strip(self.values, pixel, &channels));
        let mut sum = simd.splat_f32s(0.0);
        for pixel in pixels.clone() {
            sum = simd.add_f32s(sum, x(pixel));
        }
        let mean = simd.mul_f32s(sum, simd.splat_f32s(1.0 / pixels.len() as f32));
        let mut squares = simd.splat_f32s(0.0);
        for pixel in pixels.clone() {
            let difference = simd.sub_f32s(x(pixel), mean);
            squares = simd.add_f32s(squares, simd.mul_f32s(difference, difference));
        }
        let counts = [pixels.start, pixels.len()];
        self.moments.join::<f32>(channels, counts, numbers(&mean), numbers(&squares));
    }
}

/// A vector as numbers.
#[inline(always)]
fn numbers<V: pulp::bytemuck::Pod>(vector: &V) -> &[f32] {
    pulp::bytemuck::cast_slice(std::slice::from_ref(vector))
}

impl Normalise {
    /// Mean and variance of the batch; the running ones move towards them.
    fn measure(&mut self, memory: &mut Memory) {
        let part = memory.photos_a_part();
        let shared: &Memory = memory;
        let parts: Vec<Moments> = (0..shared.photos.div_ceil(part))
            .into_par_iter()
            .map(|at| {
                let photos = at * part..(at * part + part).min(shared.photos);
                let pixels = photos.len() * self.input.pixels();
                Moments::of(self.input, shared.values(self.input, photos), pixels)
            })
            .collect();
        let mut whole = Moments::none(self.input.channels);
        for part in parts {
            let counts = [whole.count, part.count];
            whole.join(0..self.input.channels, counts, &part.mean, &part.squares);
            whole.count += part.count;
        }
        let count = whole.count as f64;
        self.batch.mean = whole.mean.iter().map(|mean| *mean as f32).collect();
        let eps = f64::from(self.norm.eps);
        let inverse = |squares: &f64| (squares / count + eps).sqrt().recip() as f32;
        self.batch.inverse = whole.squares.iter().map(inverse).collect();
        let momentum = f64::from(self.norm.momentum);
        let towards = |running: &mut f32, value: f64| {
            *running = (f64::from(*running) * (1.0 - momentum) + value * momentum) as f32;
        };
        let running = memory.parameters[self.mean].values.iter_mut();
        running.zip(&whole.mean).for_each(|(running, mean)| towards(running, *mean));
        // PyTorch keeps the unbiased variance; of a single value there is none.
        let degrees = (count - 1.0).max(1.0);
        let running = memory.parameters[self.variance].values.iter_mut();
        running.zip(&whole.squares).for_each(|(running, it)| towards(running, it / degrees));
    }

    /// What becomes of a number, channel by channel.
    fn line(&self, memory: &Memory) -> Line {
        let scale = &memory.parameters[self.scale].values;
        let shift = &memory.parameters[self.shift].values;
        let factor: Vec<f32> = scale.iter().zip(&self.batch.inverse).map(|(a, b)| a * b).collect();
        let constant = factor.iter().zip(&self.batch.mean).zip(shift);
        let constant = constant.map(|((factor, mean), shift)| shift - factor * mean).collect();
        Line { factor, constant, limits: self.limits }
    }
}

/// y = x · factor + constant, within limits.
struct Line {
    factor: Vec<f32>,
    constant: Vec<f32>,
    limits: Limits,
}

/// [`Line`] for some channels, in registers.
#[derive(Clone, Copy)]
struct Strip<S: Simd> {
    factor: S::f32s,
    constant: S::f32s,
}

impl Line {
    #[inline(always)]
    fn strip<S: Simd, const WHOLE: bool>(&self, simd: S, channels: &Range<usize>) -> Strip<S> {
        Strip {
            factor: load::<S, WHOLE>(simd, &self.factor[channels.clone()]),
            constant: load::<S, WHOLE>(simd, &self.constant[channels.clone()]),
        }
    }
}

impl<S: Simd> Strip<S> {
    /// Before the limits. One formula for all passes: which numbers were cut off is found again
    /// from it. Rounded after the multiplication too, as on a processor that fuses nothing, so that
    /// the same ReLUs are at their bend.
    #[inline(always)]
    fn of(self, simd: S, x: S::f32s) -> S::f32s {
        simd.add_f32s(simd.mul_f32s(x, self.factor), self.constant)
    }
}

/// The pass forward.
struct Forward<'a> {
    line: &'a Line,
    input: View,
    x: &'a [f32],
    output: View,
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
        let line = self.line.strip::<S, WHOLE>(simd, &channels);
        for pixel in pixels {
            let x = load::<S, WHOLE>(simd, self.input.strip(self.x, pixel, &channels));
            let y = self.line.limits.values(simd, line.of(simd, x));
            store::<S, WHOLE>(simd, self.output.strip_mut(self.y, pixel, &channels), y);
        }
    }
}

/// The pass that sums dy and dy · x̂ over all pixels: the gradients of shift and scale.
struct Sum<'a> {
    line: &'a Line,
    batch: &'a Statistics,
    input: View,
    x: &'a [f32],
    output: View,
    dy: &'a [f32],
    sums: Vec<f64>,
    products: Vec<f64>,
}

impl Pass for Sum<'_> {
    #[inline(always)]
    fn tile<S: Simd, const WHOLE: bool>(
        &mut self,
        simd: S,
        pixels: Range<usize>,
        channels: Range<usize>,
    ) {
        let line = self.line.strip::<S, WHOLE>(simd, &channels);
        let mean = load::<S, WHOLE>(simd, &self.batch.mean[channels.clone()]);
        let inverse = load::<S, WHOLE>(simd, &self.batch.inverse[channels.clone()]);
        let [mut sum, mut product] = [simd.splat_f32s(0.0); 2];
        for pixel in pixels {
            let x = load::<S, WHOLE>(simd, self.input.strip(self.x, pixel, &channels));
            let dy = load::<S, WHOLE>(simd, self.output.strip(self.dy, pixel, &channels));
            let dy = self.line.limits.gradients(simd, line.of(simd, x), dy);
            let normal = simd.mul_f32s(simd.sub_f32s(x, mean), inverse);
            sum = simd.add_f32s(sum, dy);
            product = simd.mul_add_e_f32s(dy, normal, product);
        }
        let add = |sums: &mut [f64], more: &[f32]| {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += f64::from(*more));
        };
        add(&mut self.sums[channels.clone()], numbers(&sum));
        add(&mut self.products[channels], numbers(&product));
    }
}

/// The pass backward, which puts the gradients of `x` in its place:
/// dx = factor · (dy − mean(dy) − x̂ · mean(dy · x̂)), as a line in dy and x.
struct Backward<'a> {
    line: &'a Line,
    slope: &'a [f32],
    level: &'a [f32],
    input: View,
    x: &'a mut [f32],
    output: View,
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
        let line = self.line.strip::<S, WHOLE>(simd, &channels);
        let slope = load::<S, WHOLE>(simd, &self.slope[channels.clone()]);
        let level = load::<S, WHOLE>(simd, &self.level[channels.clone()]);
        for pixel in pixels {
            let place = self.input.strip_mut(self.x, pixel, &channels);
            let x = load::<S, WHOLE>(simd, place);
            let dy = load::<S, WHOLE>(simd, self.output.strip(self.dy, pixel, &channels));
            let dy = self.line.limits.gradients(simd, line.of(simd, x), dy);
            let dx = simd.mul_add_e_f32s(x, slope, level);
            store::<S, WHOLE>(simd, place, simd.mul_add_e_f32s(dy, line.factor, dx));
        }
    }
}

impl Layer for Normalise {
    fn forward(&mut self, memory: &mut Memory, mode: Mode) {
        if self.frozen || mode == Mode::Evaluation {
            self.batch.mean.clone_from(&memory.parameters[self.mean].values);
            let variance = &memory.parameters[self.variance].values;
            let inverse = |variance: &f32| (variance + self.norm.eps).sqrt().recip();
            self.batch.inverse = variance.iter().map(inverse).collect();
        } else if mode != Mode::Again {
            self.measure(memory);
        }
        let line = &self.line(memory);
        let (input, output) = (self.input, self.output);
        memory.write(output, |memory, y, photos| {
            let x = memory.values(input, photos.clone());
            let pixels = photos.len() * output.pixels();
            tiles::run(pixels, output.channels, &mut Forward { line, input, x, output, y });
        });
    }

    fn backward(&mut self, memory: &mut Memory) {
        assert!(!self.frozen, "gradients end in front of frozen layers");
        let (input, output) = (self.input, self.output);
        let line = &self.line(memory);
        let (sums, products) = self.gradient_sums(memory, line);
        let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<_>>();
        memory.parameters[self.shift].gradient = narrow(&sums);
        memory.parameters[self.scale].gradient = narrow(&products);

        let count = (memory.photos * input.pixels()) as f64;
        let channels = 0..input.channels;
        let slope = |c: usize| {
            let inverse = f64::from(self.batch.inverse[c]);
            -(f64::from(line.factor[c]) * inverse * products[c] / count) as f32
        };
        let slope: &Vec<f32> = &channels.clone().map(slope).collect();
        let level = |c: usize| {
            let mean = f64::from(self.batch.mean[c]) * f64::from(slope[c]);
            (-mean - f64::from(line.factor[c]) * sums[c] / count) as f32
        };
        let level: &Vec<f32> = &channels.map(level).collect();
        assert!(memory.slabs[input.slab].in_place, "batch norm alone reads its input");
        memory.write(input, |memory, x, photos| {
            let dy = memory.gradients(output, photos.clone());
            let pixels = photos.len() * output.pixels();
            let mut pass = Backward { line, slope, level, input, x, output, dy };
            tiles::run(pixels, output.channels, &mut pass);
        });
    }
}

impl Normalise {
    /// Sums of dy and of dy · x̂ over all pixels.
    fn gradient_sums(&self, memory: &Memory, line: &Line) -> (Vec<f64>, Vec<f64>) {
        let Self { input, output, ref batch, .. } = *self;
        let part = memory.photos_a_part();
        let none = || vec![0.0f64; output.channels];
        let parts: Vec<_> = (0..memory.photos.div_ceil(part))
            .into_par_iter()
            .map(|at| {
                let photos = at * part..(at * part + part).min(memory.photos);
                let pixels = photos.len() * output.pixels();
                let x = memory.values(input, photos.clone());
                let dy = memory.gradients(output, photos);
                let (sums, products) = (none(), none());
                let mut pass = Sum { line, batch, input, x, output, dy, sums, products };
                tiles::run(pixels, output.channels, &mut pass);
                (pass.sums, pass.products)
            })
            .collect();
        let mut whole = (none(), none());
        for (sum, product) in parts {
            whole.0.iter_mut().zip(sum).for_each(|(whole, part)| *whole += part);
            whole.1.iter_mut().zip(product).for_each(|(whole, part)| *whole += part);
        }
        whole
    }
}

/// The gradient of a constant that was added to every pixel.
pub(super) fn sum_pixels(memory: &mut Memory, view: View, parameter: usize) {
    let gradients = memory.gradients(view, 0..memory.photos);
    let mut sums = vec![0.0f64; view.channels];
    for pixel in 0..memory.photos * view.pixels() {
        for (sum, value) in sums.iter_mut().zip(view.pixel(gradients, pixel)) {
            *sum += f64::from(*value);
        }
    }
    memory.parameters[parameter].gradient = sums.into_iter().map(|sum| sum as f32).collect();
}
