#![allow(
    unused_must_use,
    reason = "operations in place give back another handle; errors are asked for"
)]

use tch::{Device, Kind, TchError, Tensor};

use super::{Flat, Torch};
use crate::{Rule, optimizer::Learned};

impl Torch {
    /// One step of the optimizer, with gradients of matrices and vectors.
    pub(super) fn update(&mut self, gradients: [Tensor; 2], rate: f64) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        self.steps += 1;
        if self.device == Device::Cpu {
            self.update_here(&gradients, rate);
            return Ok(());
        }
        let keep = self.optimizer.keep(self.steps);
        let gradients = self.clipped(gradients)?;
        let [matrices, vectors] = gradients;
        let decay = self.optimizer.weight_decay;
        self.rule(|it| &mut it.matrices, matrices, rate, decay)?;
        self.rule(|it| &mut it.vectors, vectors, rate, 0.0)?;
        if let Some(keep) = keep {
            for flat in [&mut self.matrices, &mut self.vectors, &mut self.statistics] {
                let average = flat.average.as_mut().expect("kept from the beginning");
                average.f_lerp_(&flat.values, 1.0 - keep)?;
            }
        }
        Ok(())
    }

    /// Gradients scaled down to the greatest norm, where there is one, without asking the device.
    fn clipped(&self, gradients: [Tensor; 2]) -> Result<[Tensor; 2], TchError> {
        let Some(most) = self.optimizer.clip_norm else { return Ok(gradients) };
        let [a, b] = &gradients;
        let squares = a.f_dot(a)? + b.f_dot(b)?;
        let scale = (squares.f_sqrt()? + 1e-6).f_reciprocal()? * most;
        let scale = scale.f_clamp_max(1.0)?;
        Ok([a.f_mul(&scale)?, b.f_mul(&scale)?])
    }

    /// The rule on one flat tensor: what [`crate::Optimizer`] does on the processor.
    fn rule(
        &mut self,
        flat: impl Fn(&mut Self) -> &mut Flat,
        gradient: Tensor,
        rate: f64,
        decay: f64,
    ) -> Result<(), TchError> {
        let (rule, step) = (self.optimizer.rule, self.steps);
        let flat = flat(self);
        let values = &mut flat.values;
        let gradient = match rule {
            Rule::Adamw { .. } => {
                values.f_mul_scalar_(1.0 - rate * decay)?;
                gradient
            }
            _ if decay > 0.0 => gradient + &*values * decay,
            _ => gradient,
        };
        match (rule, &mut flat.slots[..]) {
            (Rule::Adagrad { eps, .. }, [sums]) => {
                sums.f_addcmul_(&gradient, &gradient)?;
                let change = (gradient * -rate).f_div(&(sums.f_sqrt()? + eps))?;
                values.f_add_(&change)?;
            }
            (Rule::Sgd { momentum }, [last]) => {
                last.f_mul_scalar_(momentum)?.f_add_(&gradient)?;
                values.f_add_(&(&*last * -rate))?;
            }
            (Rule::Adamw { beta1, beta2, eps }, [first, second]) => {
                let step = i32::try_from(step).unwrap_or(i32::MAX);
                first.f_lerp_(&gradient, 1.0 - beta1)?;
                second.f_mul_scalar_(beta2)?.f_add_(&(gradient.f_square()? * (1.0 - beta2)))?;
                let root = (1.0 - beta2.powi(step)).sqrt();
                let below = second.f_sqrt()? * (1.0 / root) + eps;
                let rate = rate / (1.0 - beta1.powi(step));
                values.f_add_(&(&*first * -rate).f_div(&below)?)?;
            }
            _ => unreachable!("slots are as many as the rule keeps"),
        }
        Ok(())
    }

    /// On the processor the optimizer's one pass over memory beats a pass for each operation.
    fn update_here(&mut self, gradients: &[Tensor; 2], rate: f64) {
        let [matrices, vectors] = gradients;
        // Only shapes of two axes decay.
        let groups = [
            (&mut self.matrices, Some(matrices), &[0, 0][..]),
            (&mut self.vectors, Some(vectors), &[0]),
            (&mut self.statistics, None, &[0]),
        ];
        let parameters = groups.into_iter().map(|(flat, gradient, shape)| Learned {
            shape,
            values: numbers(&flat.values),
            gradient: gradient.map(|it| &*numbers(it)),
            slots: flat.slots.iter().map(numbers).collect(),
            average: flat.average.as_ref().map(numbers),
        });
        let mut parameters: Vec<Learned<'_>> = parameters.collect();
        self.optimizer.step(&mut parameters, self.steps, rate);
    }
}

/// The numbers of a tensor on the processor, in place.
#[allow(unsafe_code, clippy::mut_from_ref, reason = "libtorch's tensors are handles")]
fn numbers(tensor: &Tensor) -> &mut [f32] {
    assert!(
        tensor.is_contiguous() && tensor.kind() == Kind::Float && tensor.device() == Device::Cpu
    );
    // SAFETY: the memory holds so many f32 as long as the tensor lives, and the backend, which is
    // borrowed as a whole, takes each tensor once.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) }
}
