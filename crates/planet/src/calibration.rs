//! Whether probabilities mean what they say.

/// Bins of confidence that [`expected_calibration_error`] compares within.
const BINS: usize = 15;

/// Photos that say nothing of a temperature by themselves: of fewer it stays 1.
const FEWEST: usize = 20;

/// What the expectation that a temperature is 1 weighs, in photos. A few photos that happen to be
/// all right would otherwise make a model certain of everything.
const PRIOR: f64 = 10.0;

/// Temperatures beyond this, or below its inverse, are no model's.
const MOST: f64 = 100.0;

/// A temperature, and what it does for the photos that it was fitted on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// The temperature under which the logits explain the classes best, held to 1 by a prior.
    pub temperature: f32,
    /// The expected calibration error before, with temperature 1; `None` without photos.
    pub error_before: Option<f64>,
    /// The expected calibration error with the temperature.
    pub error_after: Option<f64>,
}

impl Calibration {
    /// Fits a temperature on logits `[photos, classes]` of photos with known classes
    /// `[photos]`.
    pub fn fit(logits: &[f32], classes: usize, targets: &[u32]) -> Self {
        let temperature = fit_temperature(logits, classes, targets);
        let error = |temperature: f32| {
            let rows = logits.chunks_exact(classes.max(1)).zip(targets);
            expected_calibration_error(rows.map(|(row, target)| answer(row, *target, temperature)))
        };
        Self { temperature, error_before: error(1.0), error_after: error(temperature) }
    }
}

/// How sure a row of logits is of its best class, and whether that is the right one.
fn answer(row: &[f32], target: u32, temperature: f32) -> (f64, bool) {
    let best = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
    let inverse = 1.0 / f64::from(temperature);
    let sum: f64 = row.iter().map(|logit| (f64::from(logit - row[best]) * inverse).exp()).sum();
    (1.0 / sum, best == target as usize)
}

/// The temperature that makes a model's probabilities most likely on photos whose class is
/// known (Guo et al. 2017): logits are divided by it before the softmax. The order of the
/// classes does not change. It is held to 1 with the weight of ten photos (a gamma prior on the
/// inverse temperature with its mode at 1).
///
/// `logits` is `[photos, classes]`, `targets` `[photos]`. 1 where there are fewer than twenty photos.
fn fit_temperature(logits: &[f32], classes: usize, targets: &[u32]) -> f32 {
    if targets.len() < FEWEST || classes < 2 {
        return 1.0;
    }
    // The loss is convex in the inverse temperature: Newton's steps, kept within bounds.
    let mut inverse = 1.0f64;
    for _ in 0..50 {
        // Of PRIOR · (inverse − ln inverse), which is least at 1.
        let (mut slope, mut curvature) = (PRIOR * (1.0 - 1.0 / inverse), PRIOR / inverse.powi(2));
        for (row, target) in logits.chunks_exact(classes).zip(targets) {
            let (mean, variance) = moments(row, inverse);
            slope += mean - f64::from(row[*target as usize]);
            curvature += variance;
        }
        if curvature <= 0.0 {
            break;
        }
        let step = (slope / curvature).clamp(-0.5 * inverse, inverse);
        inverse = (inverse - step).clamp(1.0 / MOST, MOST);
        if step.abs() < 1e-7 * inverse {
            break;
        }
    }
    (1.0 / inverse) as f32
}

/// Mean and variance of a row's logits under its own softmax.
fn moments(row: &[f32], inverse: f64) -> (f64, f64) {
    let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
    for logit in row {
        let below = f64::from(logit - greatest);
        let weight = (below * inverse).exp();
        if weight > 0.0 {
            sum += weight;
            first += weight * below;
            second += weight * below * below;
        }
    }
    let mean = first / sum;
    (mean + f64::from(greatest), (second / sum - mean * mean).max(0.0))
}

/// Mean distance between how sure a model is of its best class and how often that is right,
/// within fifteen equal bins of confidence (Naeini et al. 2015): 0 is perfect. `None` without
/// answers.
///
/// Each answer is its confidence, 0..=1, and whether it was right.
pub(crate) fn expected_calibration_error(
    answers: impl IntoIterator<Item = (f64, bool)>,
) -> Option<f64> {
    let mut bins = [(0.0, 0.0); BINS];
    let mut count = 0.0;
    for (confidence, right) in answers {
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        bins[bin].0 += confidence;
        bins[bin].1 += f64::from(u8::from(right));
        count += 1.0;
    }
    let off: f64 = bins.iter().map(|(confidence, right)| (confidence - right).abs()).sum();
    (count > 0.0).then(|| off / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Photos of two classes, the first one above by 6, and right three times in four.
    fn three_in_four(photos: usize) -> (Vec<f32>, Vec<u32>) {
        let targets = (0..photos).map(|photo| u32::from(photo % 4 == 2)).collect();
        ([6.0, 0.0].repeat(photos), targets)
    }

    #[test]
    fn the_fitted_temperature_gives_back_the_share_of_right_answers() {
        // The probability becomes 3/4, so that the difference of the logits, 6, is divided by
        // 6 / ln 3; the prior moves that by less than a hundredth.
        let (logits, targets) = three_in_four(4000);
        let temperature = fit_temperature(&logits, 2, &targets);
        let wanted = 6.0 / 3f32.ln();
        assert!((temperature / wanted - 1.0).abs() < 0.01, "{temperature}, not {wanted}");
    }

    #[test]
    fn a_fitted_temperature_takes_the_gap_between_confidence_and_truth_away() {
        // Sure by 1 / (1 + e⁻⁶), right three times in four.
        let (logits, targets) = three_in_four(4000);
        let found = Calibration::fit(&logits, 2, &targets);
        let vain = 1.0 / (1.0 + (-6f64).exp()) - 0.75;
        assert!((found.error_before.expect("photos") - vain).abs() < 1e-9, "{found:?}");
        assert!(found.error_after.expect("photos") < 2e-3, "{found:?}");
        assert_eq!(found.temperature, fit_temperature(&logits, 2, &targets));
        assert_eq!(Calibration::fit(&[], 2, &[]).error_after, None);
    }

    #[test]
    fn few_photos_that_are_all_right_make_no_model_certain() {
        for (photos, above) in [(20, 3.0), (20, 8.0), (60, 5.0), (1000, 12.0)] {
            let temperature =
                fit_temperature(&[above, 0.0, 0.0].repeat(photos), 3, &vec![0; photos]);
            assert!((0.7..=1.01).contains(&temperature), "{photos} photos: {temperature}");
        }
        // Nor do few that are all wrong make it uncertain of everything.
        let wrong = fit_temperature(&[3.0, 0.0].repeat(20), 2, &[1; 20]);
        assert!((1.0..10.0).contains(&wrong), "{wrong}");
        // Fewer say nothing.
        assert_eq!(fit_temperature(&[5.0, 0.0].repeat(19), 2, &[0; 19]), 1.0);
        assert_eq!(fit_temperature(&[], 2, &[]), 1.0);
    }

    #[test]
    fn calibration_error_is_the_gap_between_confidence_and_truth() {
        let perfect = [(0.5, true), (0.5, false)];
        assert_eq!(expected_calibration_error(perfect), Some(0.0));
        let vain = [(1.0, true), (1.0, false), (0.2, false), (0.2, false)];
        // Bin of 1.0: two answers sure 1, right 0.5; bin of 0.2: sure 0.2, right 0.
        let error = expected_calibration_error(vain).expect("answers");
        assert!((error - (2.0 * 0.5 + 2.0 * 0.2) / 4.0).abs() < 1e-12, "{error}");
        assert_eq!(expected_calibration_error([]), None);
    }
}
