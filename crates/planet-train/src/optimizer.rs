use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    InvalidSetting,
    course::{check_all, not_negative, positive},
};

/// How gradients change weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Optimizer {
    /// The rule.
    pub rule: Rule,
    /// Decay of weights with each step; see the rule for what it means there. Biases and batch
    /// norm's parameters do not decay.
    pub weight_decay: f64,
    /// Gradients whose Euclidean norm, over all parameters, is greater are scaled down to it.
    pub clip_norm: Option<f64>,
    /// Share that the moving average of the weights keeps at each step: 0.999, say. The average
    /// is what is evaluated and exported.
    pub average: Option<f64>,
}

/// An optimizer's rule; `g` is the gradient, `r` the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Rule {
    /// AdaGrad (Duchi et al. 2011), the paper's: `a += g²`, `w −= r · g / (√a + eps)`. Weight
    /// decay is added to the gradient.
    Adagrad {
        /// What `a` begins with. The paper does not say; TensorFlow's default is 0.1.
        initial: f64,
        /// Keeps the quotient finite.
        eps: f64,
    },
    /// Stochastic gradient descent with momentum, PyTorch's: `m = momentum · m + g`,
    /// `w −= r · m`. Weight decay is added to the gradient.
    Sgd {
        /// Share of the last direction that is kept, from 0 to below 1.
        momentum: f64,
    },
    /// AdamW (Loshchilov and Hutter 2019): weight decay shrinks the weights beside the step.
    Adamw {
        /// Share of the mean gradient that is kept.
        beta1: f64,
        /// Share of the mean squared gradient that is kept.
        beta2: f64,
        /// Keeps the quotient finite.
        eps: f64,
    },
}

impl Rule {
    /// Checks that the numbers lie within their ranges, also when rounded to f32.
    fn check(&self) -> Result<(), InvalidSetting> {
        let above = |value: f64| value.is_finite() && value as f32 > 0.0;
        match *self {
            Self::Adagrad { initial, eps } => check_all([
                (not_negative(initial), "optimizer.rule.adagrad.initial must be at least 0"),
                (above(eps), "optimizer.rule.adagrad.eps must be above 0"),
            ]),
            Self::Sgd { momentum } => check_all([(
                is_share(momentum),
                "optimizer.rule.sgd.momentum must be at least 0 and below 1",
            )]),
            Self::Adamw { beta1, beta2, eps } => check_all([
                (is_share(beta1), "optimizer.rule.adamw.beta1 must be at least 0 and below 1"),
                (is_share(beta2), "optimizer.rule.adamw.beta2 must be at least 0 and below 1"),
                (above(eps), "optimizer.rule.adamw.eps must be above 0"),
            ]),
        }
    }

    /// AdaGrad with its usual numbers.
    pub const ADAGRAD: Self = Self::Adagrad { initial: 0.1, eps: 1e-10 };
    /// SGD with momentum 0.9.
    pub const SGD: Self = Self::Sgd { momentum: 0.9 };
    /// AdamW with its authors' numbers.
    pub const ADAMW: Self = Self::Adamw { beta1: 0.9, beta2: 0.999, eps: 1e-8 };
}

impl Default for Optimizer {
    /// The paper's AdaGrad, nothing else.
    fn default() -> Self {
        Self { rule: Rule::ADAGRAD, weight_decay: 0.0, clip_norm: None, average: None }
    }
}

/// From 0 to below 1, also when rounded to f32.
fn is_share(value: f64) -> bool {
    value >= 0.0 && (value as f32) < 1.0
}

/// One parameter, as an optimizer's step needs it.
pub(crate) struct Learned<'a> {
    pub(crate) shape: &'a [usize],
    pub(crate) values: &'a mut [f32],
    /// `None` for running statistics, which have an average but no gradient.
    pub(crate) gradient: Option<&'a [f32]>,
    /// The optimizer's numbers.
    pub(crate) slots: Vec<&'a mut [f32]>,
    /// The moving average, where one is kept.
    pub(crate) average: Option<&'a mut [f32]>,
}

/// Weights that are updated as one piece of work.
const PIECE: usize = 1 << 16;

impl Optimizer {
    /// How many numbers it keeps for each weight.
    pub fn slots(&self) -> usize {
        match self.rule {
            Rule::Adagrad { .. } | Rule::Sgd { .. } => 1,
            Rule::Adamw { .. } => 2,
        }
    }

    /// Checks that the values lie within their ranges. Every backend does so before it begins.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        check_all([
            (not_negative(self.weight_decay), "optimizer.weight_decay must be at least 0"),
            (self.average.is_none_or(is_share), "optimizer.average must be at least 0 and below 1"),
            (self.clip_norm.is_none_or(positive), "optimizer.clip_norm must be above 0"),
        ])?;
        self.rule.check()
    }

    /// What they begin with, for a parameter of `count` weights.
    pub fn begin(&self, count: usize) -> Vec<Vec<f32>> {
        match self.rule {
            Rule::Adagrad { initial, .. } => vec![vec![initial as f32; count]],
            Rule::Sgd { .. } => vec![vec![0.0; count]],
            Rule::Adamw { .. } => vec![vec![0.0; count]; 2],
        }
    }

    /// One step of all parameters at this learning rate; `step` counts from 1.
    pub(crate) fn step(&self, parameters: &mut [Learned<'_>], step: u64, rate: f64) {
        let squares = parameters.iter().filter_map(|it| it.gradient).map(square);
        let norm = squares.sum::<f64>().sqrt();
        // PyTorch's `clip_grad_norm_` adds the same to the norm.
        let scale = self.clip_norm.map_or(1.0, |most| (most / (norm + 1e-6)).min(1.0));
        for Learned { shape, values, gradient, slots, average } in parameters {
            if let Some(gradient) = gradient {
                // Biases and batch norm's parameters do not decay.
                let decay = if shape.len() > 1 { self.weight_decay } else { 0.0 };
                self.update(values, gradient, slots, step, rate, scale, decay);
            }
            if let (Some(average), Some(keep)) = (average, self.keep(step)) {
                move_average(average, values, keep);
            }
        }
    }

    /// Share that the moving average keeps at this step, where there is one. Less is kept at the
    /// beginning, so that the first weights are soon forgotten.
    pub(crate) fn keep(&self, step: u64) -> Option<f64> {
        self.average.map(|keep| keep.min((1.0 + step as f64) / (10.0 + step as f64)))
    }

    /// One step of one parameter; `step` counts from 1, gradients are taken times `scale`.
    #[allow(clippy::too_many_arguments, reason = "one row of numbers that belong together")]
    fn update(
        &self,
        weights: &mut [f32],
        gradient: &[f32],
        slots: &mut [&mut [f32]],
        step: u64,
        rate: f64,
        scale: f64,
        decay: f64,
    ) {
        let (rate, scale, decay) = (rate as f32, scale as f32, decay as f32);
        let pieces = weights.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE));
        match (self.rule, slots) {
            (Rule::Adagrad { eps, .. }, [sums]) => {
                let eps = eps as f32;
                pieces.zip(sums.par_chunks_mut(PIECE)).for_each(|((weights, gradient), sums)| {
                    for ((w, g), sum) in weights.iter_mut().zip(gradient).zip(sums) {
                        let g = g * scale + decay * *w;
                        *sum += g * g;
                        *w -= rate * g / (sum.sqrt() + eps);
                    }
                });
            }
            (Rule::Sgd { momentum }, [last]) => {
                let momentum = momentum as f32;
                pieces.zip(last.par_chunks_mut(PIECE)).for_each(|((weights, gradient), last)| {
                    for ((w, g), last) in weights.iter_mut().zip(gradient).zip(last) {
                        *last = *last * momentum + (g * scale + decay * *w);
                        *w -= rate * *last;
                    }
                });
            }
            (Rule::Adamw { beta1, beta2, eps }, [first, second]) => {
                let step = i32::try_from(step).unwrap_or(i32::MAX);
                let rate_first = (f64::from(rate) / (1.0 - beta1.powi(step))) as f32;
                let root = (1.0 - beta2.powi(step)).sqrt() as f32;
                let (beta1, beta2, eps) = (beta1 as f32, beta2 as f32, eps as f32);
                let slots = first.par_chunks_mut(PIECE).zip(second.par_chunks_mut(PIECE));
                pieces.zip(slots).for_each(|((weights, gradient), (first, second))| {
                    let slots = first.iter_mut().zip(second);
                    for ((w, g), (first, second)) in weights.iter_mut().zip(gradient).zip(slots) {
                        let g = g * scale;
                        *w -= rate * decay * *w;
                        *first += (g - *first) * (1.0 - beta1);
                        *second = *second * beta2 + g * g * (1.0 - beta2);
                        *w -= rate_first * *first / (second.sqrt() / root + eps);
                    }
                });
            }
            _ => unreachable!("slots are as many as `slots` says"),
        }
    }
}

/// Sum of squares.
fn square(values: &[f32]) -> f64 {
    let pieces: Vec<f64> = values
        .par_chunks(PIECE)
        .map(|piece| piece.iter().map(|value| f64::from(*value) * f64::from(*value)).sum())
        .collect();
    pieces.into_iter().sum()
}

/// Moves an average towards values, keeping this share of it.
fn move_average(average: &mut [f32], values: &[f32], keep: f64) {
    let move_by = (1.0 - keep) as f32;
    average.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE)).for_each(|(average, values)| {
        for (average, value) in average.iter_mut().zip(values) {
            *average += (value - *average) * move_by;
        }
    });
}

#[cfg(test)]
mod tests {
    use planet_net::{AlbumNetwork, Architecture, NetworkOptions, Weights};

    use super::*;
    use crate::{Cpu, SequenceClassifier};

    fn wrong() -> Vec<(Optimizer, &'static str)> {
        let rule = |rule| Optimizer { rule, ..Optimizer::default() };
        let eps = 1e-8;
        vec![
            (rule(Rule::Adagrad { initial: -0.1, eps }), "adagrad.initial"),
            (rule(Rule::Adagrad { initial: 0.0, eps: 0.0 }), "adagrad.eps"),
            (rule(Rule::Sgd { momentum: 1.0 }), "sgd.momentum"),
            (rule(Rule::Sgd { momentum: f64::NAN }), "sgd.momentum"),
            (rule(Rule::Adamw { beta1: 1.0, beta2: 0.9, eps }), "adamw.beta1"),
            (rule(Rule::Adamw { beta1: 0.9, beta2: 1.0 - 1e-12, eps }), "adamw.beta2"),
            (rule(Rule::Adamw { beta1: 0.9, beta2: 0.9, eps: 1e-300 }), "adamw.eps"),
            (Optimizer { average: Some(1.0), ..Optimizer::default() }, "average"),
            (Optimizer { clip_norm: Some(0.0), ..Optimizer::default() }, "clip_norm"),
            (Optimizer { weight_decay: -1.0, ..Optimizer::default() }, "weight_decay"),
        ]
    }

    #[test]
    fn backends_refuse_optimizers_outside_their_ranges_by_name() {
        let options = NetworkOptions { size: [32; 2], classes: 3, auxiliary: false };
        let network = Architecture::InceptionMini.network(options).expect("a network");
        let weights = Weights::initial(&network, 0);
        let sizes = AlbumNetwork { features: 2, hidden: 2, classes: 3, bidirectional: false };
        let album = Weights::initial(&sizes.network().expect("a network"), 0);
        for (optimizer, named) in wrong() {
            let error = Cpu::new(&network, &weights, optimizer).expect_err(named).to_string();
            assert!(error.contains(named), "{error}");
            let error = SequenceClassifier::new(sizes, &album, optimizer).err().expect(named);
            assert!(error.to_string().contains(named), "{error}");
        }
        for rule in [Rule::ADAGRAD, Rule::SGD, Rule::ADAMW] {
            Optimizer { rule, ..Optimizer::default() }.check().expect("usual numbers");
        }
    }
}
