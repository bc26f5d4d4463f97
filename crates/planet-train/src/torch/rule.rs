use tch::{TchError, Tensor};

use crate::{Optimizer, Rule};

/// The optimizer's numbers on the device, each a flat tensor over all trained parameters.
pub(super) struct Slots(pub(super) Vec<Tensor>);

impl Optimizer {
    /// [`Optimizer::step`] on flat tensors: `values` are the trained parameters, of which the
    /// first `decaying` numbers decay; `gradient` is used up. `step` counts from 1.
    pub(super) fn step_flat(
        &self,
        values: &mut Tensor,
        mut gradient: Tensor,
        slots: &mut Slots,
        decaying: i64,
        step: u64,
        rate: f64,
    ) -> Result<(), TchError> {
        if let Some(most) = self.clip_norm {
            // PyTorch's `clip_grad_norm_` adds the same to the norm.
            let norm = gradient.f_norm()?.f_add_scalar(1e-6)?;
            let scale = norm.f_reciprocal()?.f_mul_scalar(most)?.f_clamp_max(1.0)?;
            let _ = gradient.f_mul_(&scale)?;
        }
        let decay = self.weight_decay;
        if decay > 0.0 {
            let mut weights = values.f_narrow(0, 0, decaying)?;
            if let Rule::Adamw { .. } = self.rule {
                let _ = weights.f_mul_scalar_(1.0 - rate * decay)?;
            } else {
                let decay = weights.f_mul_scalar(decay)?;
                let _ = gradient.f_narrow(0, 0, decaying)?.f_add_(&decay)?;
            }
        }
        match (self.rule, &mut slots.0[..]) {
            (Rule::Adagrad { eps, .. }, [sums]) => {
                let _ = sums.f_addcmul_(&gradient, &gradient)?;
                let divisor = sums.f_sqrt()?.f_add_scalar_(eps)?;
                let _ = gradient.f_mul_scalar_(-rate)?;
                let _ = values.f_addcdiv_(&gradient, &divisor)?;
            }
            (Rule::Sgd { momentum }, [last]) => {
                let _ = last.f_mul_scalar_(momentum)?.f_add_(&gradient)?;
                let _ = values.f_add_(&last.f_mul_scalar(-rate)?)?;
            }
            (Rule::Adamw { beta1, beta2, eps }, [first, second]) => {
                let step = i32::try_from(step).unwrap_or(i32::MAX);
                let rate_first = rate / (1.0 - beta1.powi(step));
                let root = (1.0 - beta2.powi(step)).sqrt();
                let _ = first.f_lerp_(&gradient, 1.0 - beta1)?;
                let squares = gradient.f_square_()?.f_mul_scalar_(1.0 - beta2)?;
                let _ = second.f_mul_scalar_(beta2)?.f_add_(&squares)?;
                let divisor = second.f_sqrt()?.f_mul_scalar_(1.0 / root)?.f_add_scalar_(eps)?;
                let _ = values.f_addcdiv_(&first.f_mul_scalar(-rate_first)?, &divisor)?;
            }
            _ => unreachable!("slots are as many as `slots` says"),
        }
        Ok(())
    }

    /// Moves the average of the weights, running statistics too, towards `values`.
    pub(super) fn average_flat(
        &self,
        average: &mut Tensor,
        values: &Tensor,
        step: u64,
    ) -> Result<(), TchError> {
        let Some(keep) = self.average else { return Ok(()) };
        let _ = average.f_lerp_(values, 1.0 - early(keep, step))?;
        Ok(())
    }
}

/// Less is kept at the beginning, so that the first weights are soon forgotten.
fn early(keep: f64, step: u64) -> f64 {
    keep.min((1.0 + step as f64) / (10.0 + step as f64))
}
