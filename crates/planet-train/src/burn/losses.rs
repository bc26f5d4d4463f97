use std::collections::HashMap;

use burn_tensor::{Device, ExecutionError, Int, Tensor, TensorData, activation};
use planet_net::OutputName;

use super::parameters::numbers;
use crate::{StepOptions, StepReport, backend::OutputLoss, loss};

/// Losses of a batch, still on the device.
pub(super) struct Losses {
    /// Mean loss with the weighted auxiliary one, `[1]`: what is differentiated.
    pub(super) whole: Tensor<1>,
    /// Each photo's loss, then each photo's rank, then the mean auxiliary loss where there is
    /// one.
    report: Tensor<1>,
    auxiliary: bool,
}

impl Losses {
    /// Losses of the heads, as `loss::cross_entropy` has them.
    pub(super) fn new(
        outputs: &HashMap<OutputName, Tensor<2>>,
        targets: &[u32],
        options: &StepOptions,
        device: &Device,
    ) -> Self {
        let classes: Vec<i32> = targets.iter().map(|class| class.cast_signed()).collect();
        let classes = TensorData::new(classes, [targets.len(), 1]);
        let targets = Tensor::<2, Int>::from_data(classes, device);
        let smoothing = options.label_smoothing;
        let scores = &outputs[&OutputName::Logits];
        let photos = cross_entropies(scores.clone(), targets.clone(), smoothing);
        let ranks = ranks(scores.clone().inner(), targets.clone());
        let mut whole = photos.clone().mean();
        let mut report = vec![photos.inner(), ranks];
        if let Some(scores) = outputs.get(&OutputName::Auxiliary) {
            let mean = cross_entropies(scores.clone(), targets, smoothing).mean();
            report.push(mean.clone().inner());
            whole = whole + mean * options.auxiliary_weight;
        }
        let auxiliary = report.len() > 2;
        Self { whole, report: Tensor::cat(report, 0), auxiliary }
    }

    /// Losses of the heads that are computed outside, from the scores. What is differentiated is a
    /// sum whose derivative by each score is the one that `loss` gives.
    pub(super) fn outside(
        outputs: &HashMap<OutputName, Tensor<2>>,
        loss: OutputLoss<'_>,
        options: &StepOptions,
        device: &Device,
    ) -> Result<Self, ExecutionError> {
        let mut of = |scores: &Tensor<2>| {
            let mut values = numbers(scores.clone().inner().try_to_data()?);
            let photos = loss(&mut values);
            let derivatives = TensorData::new(values, scores.dims());
            let derivatives = Tensor::<2>::from_data(derivatives, device).autodiff();
            Ok::<_, ExecutionError>((photos, (scores.clone() * derivatives).sum()))
        };
        let (photos, mut whole) = of(&outputs[&OutputName::Logits])?;
        let mut row = StepReport::row_of(&photos);
        let auxiliary = outputs.get(&OutputName::Auxiliary);
        if let Some(scores) = auxiliary {
            let (photos, sum) = of(scores)?;
            row.push(loss::mean(&photos) as f32);
            whole = whole + sum * options.auxiliary_weight;
        }
        let count = row.len();
        let report = Tensor::<1>::from_data(TensorData::new(row, [count]), device);
        Ok(Self { whole, report, auxiliary: auxiliary.is_some() })
    }

    /// Waits for the device.
    pub(super) fn read(&self) -> Result<StepReport, ExecutionError> {
        Ok(StepReport::of_row(numbers(self.report.try_to_data()?), self.auxiliary))
    }
}

/// Each photo's cross entropy, `[photos]`, of scores `[photos, classes]`.
fn cross_entropies(scores: Tensor<2>, targets: Tensor<2, Int>, smoothing: f32) -> Tensor<1> {
    let logarithms = activation::log_softmax(scores, 1);
    let right = logarithms.clone().gather(1, targets);
    let asked = match smoothing {
        0.0 => right,
        _ => right * (1.0 - smoothing) + logarithms.mean_dim(1) * smoothing,
    };
    asked.neg().squeeze_dim(1)
}

/// How many classes scored at least as high as the right one, itself not counted, `[photos]`.
fn ranks(scores: Tensor<2>, targets: Tensor<2, Int>) -> Tensor<1> {
    let of_target = scores.clone().gather(1, targets);
    let beaten = scores.greater_equal(of_target).float().sum_dim(1);
    // NaN beats nothing, not even itself.
    (beaten - 1.0).clamp_min(0.0).squeeze_dim(1)
}
