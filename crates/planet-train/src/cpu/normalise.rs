use planet_net::BatchNorm;
use rayon::prelude::*;

use super::{
    Layer, Mode,
    memory::{Memory, View},
};
use crate::vectorised::vectorised;

/// Pixels that are summed in f32 before the sum goes on in f64.
const BLOCK: usize = 64;

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
    fn value(self, x: f32) -> f32 {
        let x = if x < self.least { self.least } else { x };
        if x > self.greatest { self.greatest } else { x }
    }

    /// The derivative is 0 on the limits, as PyTorch has it.
    #[inline(always)]
    fn is_cut(self, x: f32) -> bool {
        x <= self.least || x >= self.greatest
    }
}

/// What a batch's values are brought to zero and one by, `[channels]` each.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    mean: Vec<f32>,
    /// 1 / √(variance + eps).
    inverse: Vec<f32>,
}

/// Mean and sum of squared differences from it, channel by channel.
#[derive(Clone)]
struct Moments {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    fn none(channels: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    /// Takes in another group of values (Chan et al. 1979).
    fn join(
        &mut self,
        count: f64,
        mean: impl Iterator<Item = f64>,
        squares: impl Iterator<Item = f64>,
    ) {
        let whole = self.count + count;
        let weight = count / whole;
        let cross = self.count * weight;
        let own = self.mean.iter_mut().zip(&mut self.squares);
        for ((own_mean, own_squares), (mean, squares)) in own.zip(mean.zip(squares)) {
            let difference = mean - *own_mean;
            *own_mean += difference * weight;
            *own_squares += squares + difference * difference * cross;
        }
        self.count = whole;
    }

    fn of(view: View, values: &[f32], pixels: usize) -> Self {
        let mut whole = Self::none(view.channels);
        let (mut mean, mut squares) = (vec![0.0f32; view.channels], vec![0.0f32; view.channels]);
        for from in (0..pixels).step_by(BLOCK) {
            let block = from..(from + BLOCK).min(pixels);
            mean.fill(0.0);
            squares.fill(0.0);
            for pixel in block.clone() {
                for (mean, value) in mean.iter_mut().zip(view.pixel(values, pixel)) {
                    *mean += value;
                }
            }
            let share = 1.0 / block.len() as f32;
            mean.iter_mut().for_each(|mean| *mean *= share);
            for pixel in block.clone() {
                let pairs = squares.iter_mut().zip(&mean);
                for ((square, mean), value) in pairs.zip(view.pixel(values, pixel)) {
                    *square += (value - mean) * (value - mean);
                }
            }
            let means = mean.iter().copied().map(f64::from);
            let sums = squares.iter().copied().map(f64::from);
            whole.join(block.len() as f64, means, sums);
        }
        whole
    }
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
                vectorised(|| Moments::of(self.input, shared.values(self.input, photos), pixels))
            })
            .collect();
        let mut whole = Moments::none(self.input.channels);
        for part in parts {
            whole.join(part.count, part.mean.into_iter(), part.squares.into_iter());
        }
        self.batch.mean = whole.mean.iter().map(|mean| *mean as f32).collect();
        let eps = f64::from(self.norm.eps);
        let inverse = |squares: &f64| (squares / whole.count + eps).sqrt().recip() as f32;
        self.batch.inverse = whole.squares.iter().map(inverse).collect();
        let momentum = f64::from(self.norm.momentum);
        let towards = |running: &mut f32, value: f64| {
            *running = (f64::from(*running) * (1.0 - momentum) + value * momentum) as f32;
        };
        let running = memory.parameters[self.mean].values.iter_mut();
        running.zip(&whole.mean).for_each(|(running, mean)| towards(running, *mean));
        // PyTorch keeps the unbiased variance; of a single value there is none.
        let degrees = (whole.count - 1.0).max(1.0);
        let running = memory.parameters[self.variance].values.iter_mut();
        running.zip(&whole.squares).for_each(|(running, it)| towards(running, it / degrees));
    }

    /// y = x · factor + constant, channel by channel.
    fn line(&self, memory: &Memory) -> (Vec<f32>, Vec<f32>) {
        let scale = &memory.parameters[self.scale].values;
        let shift = &memory.parameters[self.shift].values;
        let factor: Vec<f32> = scale.iter().zip(&self.batch.inverse).map(|(a, b)| a * b).collect();
        let constant = factor.iter().zip(&self.batch.mean).zip(shift);
        let constant = constant.map(|((factor, mean), shift)| shift - factor * mean).collect();
        (factor, constant)
    }
}

impl Layer for Normalise {
    fn forward(&mut self, memory: &mut Memory, mode: Mode) {
        if matches!(mode, Mode::Training { .. }) && !self.frozen {
            self.measure(memory);
        } else {
            self.batch.mean.clone_from(&memory.parameters[self.mean].values);
            let variance = &memory.parameters[self.variance].values;
            let inverse = |variance: &f32| (variance + self.norm.eps).sqrt().recip();
            self.batch.inverse = variance.iter().map(inverse).collect();
        }
        let (factor, constant) = self.line(memory);
        let (input, output, limits) = (self.input, self.output, self.limits);
        memory.write(output, |memory, values, photos| {
            let from = memory.values(input, photos.clone());
            for pixel in 0..photos.len() * output.pixels() {
                let to = output.pixel_mut(values, pixel);
                let line = factor.iter().zip(&constant);
                for ((to, from), (factor, constant)) in
                    to.iter_mut().zip(input.pixel(from, pixel)).zip(line)
                {
                    *to = limits.value(from * factor + constant);
                }
            }
        });
    }

    fn backward(&mut self, memory: &mut Memory) {
        assert!(!self.frozen, "gradients end in front of frozen layers");
        let (input, output, limits) = (self.input, self.output, self.limits);
        let (factor, constant) = self.line(memory);
        let (sums, products) = self.gradient_sums(memory, &factor, &constant);
        let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<_>>();
        memory.parameters[self.shift].gradient = narrow(&sums);
        memory.parameters[self.scale].gradient = narrow(&products);

        // dx = factor · (dy − mean(dy) − x̂ · mean(dy · x̂)), as a line in dy and x.
        let count = (memory.photos * input.pixels()) as f64;
        let channels = 0..input.channels;
        let slope: Vec<f32> = channels
            .clone()
            .map(|c| {
                let inverse = f64::from(self.batch.inverse[c]);
                -(f64::from(factor[c]) * inverse * products[c] / count) as f32
            })
            .collect();
        let level: Vec<f32> = channels
            .map(|c| {
                let mean = f64::from(self.batch.mean[c]) * f64::from(slope[c]);
                (-mean - f64::from(factor[c]) * sums[c] / count) as f32
            })
            .collect();
        assert!(memory.slabs[input.slab].in_place, "batch norm alone reads its input");
        memory.write(input, |memory, values, photos| {
            let from = memory.gradients(output, photos.clone());
            for pixel in 0..photos.len() * output.pixels() {
                let to = input.pixel_mut(values, pixel);
                let from = output.pixel(from, pixel);
                let line = factor.iter().zip(&constant).zip(slope.iter().zip(&level));
                for ((to, from), ((factor, constant), (slope, level))) in
                    to.iter_mut().zip(from).zip(line)
                {
                    let value = *to * factor + constant;
                    let of_output = if limits.is_cut(value) { 0.0 } else { *from };
                    *to = of_output * factor + *to * slope + level;
                }
            }
        });
    }
}

impl Normalise {
    /// Sums of dy and of dy · x̂ over all pixels: the gradients of shift and scale.
    fn gradient_sums(
        &self,
        memory: &Memory,
        factor: &[f32],
        constant: &[f32],
    ) -> (Vec<f64>, Vec<f64>) {
        let (input, output, limits) = (self.input, self.output, self.limits);
        let Statistics { mean, inverse } = &self.batch;
        let part = memory.photos_a_part();
        let add = |sums: &mut [f64], more: &[f32]| {
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += f64::from(*more));
        };
        let parts: Vec<_> = (0..memory.photos.div_ceil(part))
            .into_par_iter()
            .map(|at| {
                let photos = at * part..(at * part + part).min(memory.photos);
                let (x, dy) = (
                    memory.values(input, photos.clone()),
                    memory.gradients(output, photos.clone()),
                );
                let pixels = photos.len() * output.pixels();
                let channels = output.channels;
                let mut whole = (vec![0.0f64; channels], vec![0.0f64; channels]);
                let mut block = (vec![0.0f32; channels], vec![0.0f32; channels]);
                vectorised(|| {
                    for from in (0..pixels).step_by(BLOCK) {
                        block.0.fill(0.0);
                        block.1.fill(0.0);
                        for pixel in from..(from + BLOCK).min(pixels) {
                            let pairs = input.pixel(x, pixel).iter().zip(output.pixel(dy, pixel));
                            let line = factor.iter().zip(constant).zip(mean.iter().zip(inverse));
                            let sums = block.0.iter_mut().zip(&mut block.1);
                            for (
                                ((x, dy), ((factor, constant), (mean, inverse))),
                                (sum, product),
                            ) in pairs.zip(line).zip(sums)
                            {
                                let cut = limits.is_cut(x * factor + constant);
                                let dy = if cut { 0.0 } else { *dy };
                                *sum += dy;
                                *product += dy * ((x - mean) * inverse);
                            }
                        }
                        add(&mut whole.0, &block.0);
                        add(&mut whole.1, &block.1);
                    }
                });
                whole
            })
            .collect();
        let mut sums = (vec![0.0; output.channels], vec![0.0; output.channels]);
        for (sum, product) in parts {
            sums.0.iter_mut().zip(sum).for_each(|(whole, part)| *whole += part);
            sums.1.iter_mut().zip(product).for_each(|(whole, part)| *whole += part);
        }
        sums
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
