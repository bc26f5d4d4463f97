use burn_tensor::Tensor;

use crate::{Optimizer, Rule};

/// What an optimizer's step leaves of one parameter.
pub(super) struct Stepped {
    pub(super) values: Tensor<1>,
    pub(super) slots: Vec<Tensor<1>>,
}

impl Optimizer {
    /// [`Optimizer::step`] of one parameter on the device: its numbers, their gradient and the
    /// optimizer's numbers as rows. Weight decay only where it `decays`; `step` counts from 1.
    pub(super) fn stepped(
        &self,
        values: Tensor<1>,
        gradient: Tensor<1>,
        slots: &[Tensor<1>],
        decays: bool,
        step: u64,
        rate: f64,
    ) -> Stepped {
        let decay = if decays { self.weight_decay } else { 0.0 };
        let decayed = |gradient: Tensor<1>| match decay {
            0.0 => gradient,
            decay => gradient + values.clone() * decay,
        };
        match (self.rule, slots) {
            (Rule::Adagrad { eps, .. }, [sums]) => {
                let gradient = decayed(gradient);
                let sums = sums.clone() + gradient.clone() * gradient.clone();
                let move_by = gradient * rate / (sums.clone().sqrt() + eps);
                Stepped { values: values - move_by, slots: vec![sums] }
            }
            (Rule::Sgd { momentum }, [last]) => {
                let last = last.clone() * momentum + decayed(gradient);
                Stepped { values: values - last.clone() * rate, slots: vec![last] }
            }
            (Rule::Adamw { beta1, beta2, eps }, [first, second]) => {
                let step = i32::try_from(step).unwrap_or(i32::MAX);
                let rate_first = rate / (1.0 - beta1.powi(step));
                let root = (1.0 - beta2.powi(step)).sqrt();
                let values = if decay > 0.0 { values * (1.0 - rate * decay) } else { values };
                let squares = gradient.clone() * gradient.clone();
                let first = first.clone() + (gradient - first.clone()) * (1.0 - beta1);
                let second = second.clone() * beta2 + squares * (1.0 - beta2);
                let divisor = second.clone().sqrt() / root + eps;
                let move_by = first.clone() * rate_first / divisor;
                Stepped { values: values - move_by, slots: vec![first, second] }
            }
            _ => unreachable!("slots are as many as `slots` says"),
        }
    }

    /// What gradients are multiplied by so that they are no longer together than `clip_norm`,
    /// `[1]`; nothing where none is asked for.
    pub(super) fn clip<'a>(
        &self,
        gradients: impl Iterator<Item = &'a Tensor<1>>,
    ) -> Option<Tensor<1>> {
        let most = self.clip_norm?;
        let squares = gradients.map(|it| (it.clone() * it.clone()).sum()).collect();
        let norm = Tensor::cat(squares, 0).sum().sqrt();
        // PyTorch's `clip_grad_norm_` adds the same to the norm.
        Some(((norm + 1e-6).recip() * most).clamp_max(1.0))
    }

    /// The moving average of the weights after a step that left these `values`.
    pub(super) fn averaged(&self, average: Tensor<1>, values: Tensor<1>, step: u64) -> Tensor<1> {
        let Some(keep) = self.keep(step) else { return average };
        average.clone() + (values - average) * (1.0 - keep)
    }
}
