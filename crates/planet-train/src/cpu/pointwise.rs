use rayon::prelude::*;

use super::{
    Layer, Mode,
    memory::{Memory, View},
};
use crate::dropout;

/// A function of one number, applied to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    /// Nothing changes: a value that moves into its place in a concatenation.
    Identity,
    Relu,
    Relu6,
    HardSwish,
    HardSigmoid,
}

impl Curve {
    #[inline(always)]
    fn value(self, x: f32) -> f32 {
        match self {
            Self::Identity => x,
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Relu6 => x.clamp(0.0, 6.0),
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
        }
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        match self {
            Self::Identity => 1.0,
            Self::Relu => {
                if x > 0.0 {
                    1.0
                } else {
                    0.0
                }
            }
            Self::Relu6 => {
                if x > 0.0 && x < 6.0 {
                    1.0
                } else {
                    0.0
                }
            }
            // PyTorch's choice at the corners.
            Self::HardSwish if x < -3.0 => 0.0,
            Self::HardSwish if x <= 3.0 => x / 3.0 + 0.5,
            Self::HardSwish => 1.0,
            Self::HardSigmoid if x > -3.0 && x < 3.0 => 1.0 / 6.0,
            Self::HardSigmoid => 0.0,
        }
    }
}

/// One [`Curve`] over a whole value.
#[derive(Debug)]
pub(super) struct Bend {
    pub(super) curve: Curve,
    pub(super) input: View,
    pub(super) output: View,
    /// Whether the gradient is accumulated instead of overwriting the buffer.
    pub(super) add: bool,
}

impl Layer for Bend {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let Self { curve, input, output, .. } = *self;
        memory.write(output, |memory, values, photos| {
            let from = memory.values(input, photos.clone());
            for pixel in 0..photos.len() * output.pixels() {
                let pairs =
                    output.pixel_mut(values, pixel).iter_mut().zip(input.pixel(from, pixel));
                pairs.for_each(|(to, from)| *to = curve.value(*from));
            }
        });
    }

    fn backward(&mut self, memory: &mut Memory) {
        let Self { curve, input, output, add } = *self;
        memory.write_gradients(input, |memory, values, photos| {
            let (x, dy) =
                (memory.values(input, photos.clone()), memory.gradients(output, photos.clone()));
            for pixel in 0..photos.len() * output.pixels() {
                let from = input.pixel(x, pixel).iter().zip(output.pixel(dy, pixel));
                let to = input.pixel_mut(values, pixel).iter_mut();
                to.zip(from).for_each(|(to, (x, dy))| {
                    *to = dy * curve.slope(*x) + if add { *to } else { 0.0 };
                });
            }
        });
    }
}

/// Sum of two values.
#[derive(Debug)]
pub(super) struct Add {
    pub(super) inputs: [View; 2],
    pub(super) output: View,
    /// For each input, whether the gradient is accumulated instead of overwriting the buffer.
    pub(super) add: [bool; 2],
}

impl Layer for Add {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let ([a, b], output) = (self.inputs, self.output);
        memory.write(output, |memory, values, photos| {
            let (x, y) = (memory.values(a, photos.clone()), memory.values(b, photos.clone()));
            for pixel in 0..photos.len() * output.pixels() {
                let pairs = a.pixel(x, pixel).iter().zip(b.pixel(y, pixel));
                let to = output.pixel_mut(values, pixel).iter_mut();
                to.zip(pairs).for_each(|(to, (x, y))| *to = x + y);
            }
        });
    }

    fn backward(&mut self, memory: &mut Memory) {
        let output = self.output;
        for (input, add) in self.inputs.into_iter().zip(self.add) {
            memory.write_gradients(input, |memory, values, photos| {
                let from = memory.gradients(output, photos.clone());
                for pixel in 0..photos.len() * output.pixels() {
                    let to = input.pixel_mut(values, pixel).iter_mut();
                    to.zip(output.pixel(from, pixel))
                        .for_each(|(to, from)| *to = from + if add { *to } else { 0.0 });
                }
            });
        }
    }
}

/// Product of an image with another, or with one factor a channel.
#[derive(Debug)]
pub(super) struct Multiply {
    /// The image, and what it is multiplied by.
    pub(super) inputs: [View; 2],
    pub(super) output: View,
    /// For each input, whether the gradient is accumulated instead of overwriting the buffer.
    pub(super) add: [bool; 2],
}

impl Multiply {
    /// The factor's pixel for one of the image.
    #[inline(always)]
    fn factor(&self, pixel: usize) -> usize {
        if self.inputs[1].pixels() == 1 { pixel / self.inputs[0].pixels() } else { pixel }
    }
}

impl Layer for Multiply {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let ([a, b], output) = (self.inputs, self.output);
        memory.write(output, |memory, values, photos| {
            let (x, y) = (memory.values(a, photos.clone()), memory.values(b, photos.clone()));
            for pixel in 0..photos.len() * output.pixels() {
                let pairs = a.pixel(x, pixel).iter().zip(b.pixel(y, self.factor(pixel)));
                let to = output.pixel_mut(values, pixel).iter_mut();
                to.zip(pairs).for_each(|(to, (x, y))| *to = x * y);
            }
        });
    }

    fn backward(&mut self, memory: &mut Memory) {
        let ([a, b], output) = (self.inputs, self.output);
        let [add_a, add_b] = self.add;
        memory.write_gradients(a, |memory, values, photos| {
            let (y, dy) =
                (memory.values(b, photos.clone()), memory.gradients(output, photos.clone()));
            for pixel in 0..photos.len() * output.pixels() {
                let from = b.pixel(y, self.factor(pixel)).iter().zip(output.pixel(dy, pixel));
                let to = a.pixel_mut(values, pixel).iter_mut();
                to.zip(from).for_each(|(to, (y, dy))| *to = dy * y + if add_a { *to } else { 0.0 });
            }
        });
        memory.write_gradients(b, |memory, values, photos| {
            if !add_b {
                values.fill(0.0);
            }
            let (x, dy) =
                (memory.values(a, photos.clone()), memory.gradients(output, photos.clone()));
            for pixel in 0..photos.len() * output.pixels() {
                let from = a.pixel(x, pixel).iter().zip(output.pixel(dy, pixel));
                let to = b.pixel_mut(values, self.factor(pixel)).iter_mut();
                to.zip(from).for_each(|(to, (x, dy))| *to += dy * x);
            }
        });
    }
}

/// In training, zeroes numbers at random and scales the others up.
#[derive(Debug)]
pub(super) struct Dropout {
    pub(super) probability: f32,
    pub(super) input: View,
    pub(super) output: View,
    /// Whether the gradient is accumulated instead of overwriting the buffer.
    pub(super) add: bool,
    /// Its place in the network.
    pub(super) node: usize,
    /// What each number is multiplied by, `[photos, numbers]`; empty where nothing is dropped.
    pub(super) factors: Vec<f32>,
}

impl Layer for Dropout {
    fn forward(&mut self, memory: &mut Memory, mode: Mode) {
        let per_photo = self.output.pixels() * self.output.channels;
        self.factors.clear();
        if let Mode::Training { dropout: Some(seed) } = mode {
            self.factors.resize(memory.photos * per_photo, 0.0);
            self.factors.par_chunks_mut(per_photo).enumerate().for_each(|(photo, factors)| {
                dropout::draw(factors, self.probability, seed, self.node, photo);
            });
        }
        self.apply(memory);
    }

    fn backward(&mut self, memory: &mut Memory) {
        let Self { input, output, add, .. } = *self;
        let factors = &self.factors;
        memory.write_gradients(input, |memory, values, photos| {
            let from = memory.gradients(output, photos.clone());
            let first = photos.start * output.pixels() * output.channels;
            for pixel in 0..photos.len() * output.pixels() {
                let to = input.pixel_mut(values, pixel).iter_mut();
                for (at, (to, from)) in to.zip(output.pixel(from, pixel)).enumerate() {
                    let place = first + pixel * output.channels + at;
                    let value = factors.get(place).map_or(*from, |factor| from * factor);
                    *to = value + if add { *to } else { 0.0 };
                }
            }
        });
    }
}

impl Dropout {
    fn apply(&self, memory: &mut Memory) {
        let (input, output) = (self.input, self.output);
        memory.write(output, |memory, values, photos| {
            let from = memory.values(input, photos.clone());
            let first = photos.start * output.pixels() * output.channels;
            for pixel in 0..photos.len() * output.pixels() {
                let to = output.pixel_mut(values, pixel).iter_mut();
                for (at, (to, from)) in to.zip(input.pixel(from, pixel)).enumerate() {
                    let place = first + pixel * output.channels + at;
                    *to = self.factors.get(place).map_or(*from, |factor| from * factor);
                }
            }
        });
    }
}
