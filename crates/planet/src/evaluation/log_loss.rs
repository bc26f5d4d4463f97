use serde::Serialize;

use super::{Interval, bootstrap::Z};

/// Mean of −ln of the probability that a model gives to the cell that holds the photo: its cross entropy with
/// the truth, in nats. Unlike accuracy it tells how much better probabilities can become. On a synthetic
/// earth, the difference to the log loss of the exact posterior is the mean divergence (Kullback and Leibler
/// 1951) of the model's probabilities from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LogLoss {
    /// Photos of known position that a cell of the partition holds and that have an answer.
    pub photos: u64,
    /// The mean, at least 0.
    pub mean: f64,
    /// Its interval of 95 % for independent photos.
    pub interval: Interval,
}

/// Sums from which a [`LogLoss`] follows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogLossSum {
    photos: u64,
    sum: f64,
    squares: f64,
}

impl LogLossSum {
    /// Adds the probability of the right cell. One below 1.2e-38 counts as that: it would be infinite.
    pub(super) fn add(&mut self, probability: f32) {
        let loss = -f64::from(probability.max(f32::MIN_POSITIVE)).ln();
        self.photos += 1;
        self.sum += loss;
        self.squares += loss * loss;
    }

    /// `None` where there was no photo.
    pub(super) fn finish(self) -> Option<LogLoss> {
        let photos = self.photos as f64;
        let mean = self.sum / photos;
        let variance = (self.squares / photos - mean * mean).max(0.0);
        let half = Z * (variance / (photos - 1.0).max(1.0)).sqrt();
        let interval = Interval { low: (mean - half).max(0.0), high: mean + half };
        (self.photos > 0).then_some(LogLoss { photos: self.photos, mean, interval })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_and_its_interval_are_those_of_the_losses() {
        let mut sum = LogLossSum::default();
        [0.5, 0.25, 1.0, 0.125].into_iter().for_each(|it| sum.add(it));
        let loss = sum.finish().expect("photos");
        // Losses of 1, 2, 0 and 3 times ln 2; standard deviation of ln 2 times the root of 5 / 3.
        let ln2 = 2_f64.ln();
        assert!((loss.mean - 1.5 * ln2).abs() < 1e-12);
        let half = Z * ln2 * (5.0_f64 / 3.0 / 4.0).sqrt();
        assert!((loss.interval.high - loss.mean - half).abs() < 1e-9);
        assert_eq!(loss.photos, 4);
        let mut impossible = LogLossSum::default();
        impossible.add(0.0);
        assert!(impossible.finish().is_some_and(|it| it.mean > 87.0 && it.mean.is_finite()));
        assert_eq!(LogLossSum::default().finish(), None);
    }
}
