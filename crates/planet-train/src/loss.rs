/// What one photo cost, and how well its cell was told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Cross entropy in nats, label smoothing included.
    pub loss: f32,
    /// Classes that scored at least as high as the right one: 0 where it came first.
    pub rank: u32,
}

/// Cross entropy of one row of scores, `[classes]`; its derivative times `share` goes to
/// `gradient`. With label smoothing `s` the right class is asked for with probability
/// 1 − s + s/classes, each other with s/classes, as PyTorch's `CrossEntropyLoss` has it.
#[inline(always)]
pub(crate) fn cross_entropy(
    logits: &[f32],
    target: u32,
    smoothing: f32,
    share: f32,
    gradient: &mut [f32],
) -> Loss {
    let classes = logits.len() as f32;
    let of_target = logits[target as usize];
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0f64;
    for (gradient, logit) in gradient.iter_mut().zip(logits) {
        *gradient = (logit - greatest).exp();
        sum += f64::from(*gradient);
    }
    let logarithm = sum.ln() as f32 + greatest;
    let mean: f64 = logits.iter().map(|logit| f64::from(*logit)).sum::<f64>() / f64::from(classes);
    let (scale, each) = (share / sum as f32, share * smoothing / classes);
    gradient.iter_mut().for_each(|gradient| *gradient = *gradient * scale - each);
    gradient[target as usize] -= share * (1.0 - smoothing);
    let beaten = logits.iter().filter(|logit| **logit >= of_target).count() as u32;
    Loss {
        loss: logarithm - (1.0 - smoothing) * of_target - smoothing * mean as f32,
        // NaN beats nothing, not even itself.
        rank: beaten.saturating_sub(1),
    }
}

/// Mean of the photos' losses.
pub(crate) fn mean(losses: &[Loss]) -> f64 {
    losses.iter().map(|it| f64::from(it.loss)).sum::<f64>() / losses.len() as f64
}
