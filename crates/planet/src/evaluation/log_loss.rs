use std::collections::BTreeMap;

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

/// The log loss of the photos of one category.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CategoryLogLoss {
    /// The category.
    pub name: String,
    /// The model's.
    pub log_loss: LogLoss,
    /// On a synthetic earth, that of the exact posterior on the same photos.
    pub ideal: Option<f64>,
}

/// The log loss of all photos, and of each category.
#[derive(Debug, Default)]
pub(super) struct LogLosses {
    all: LogLossSum,
    categories: BTreeMap<String, LogLossSum>,
}

impl LogLosses {
    /// Adds the probability of the right cell of a photo.
    pub(super) fn add(&mut self, probability: f32, category: Option<String>) {
        self.all.add(probability);
        if let Some(category) = category {
            self.categories.entry(category).or_default().add(probability);
        }
    }

    /// Of all photos, and of each category by name; `ideal` knows that of the exact posterior.
    pub(super) fn finish(
        self,
        ideal: &BTreeMap<String, f64>,
    ) -> (Option<LogLoss>, Vec<CategoryLogLoss>) {
        let category = |(name, sum): (String, LogLossSum)| {
            let (log_loss, ideal) = (sum.finish()?, ideal.get(&name).copied());
            Some(CategoryLogLoss { name, log_loss, ideal })
        };
        (self.all.finish(), self.categories.into_iter().filter_map(category).collect())
    }
}

/// Sums from which a [`LogLoss`] follows.
#[derive(Clone, Copy, Debug, Default)]
struct LogLossSum {
    photos: u64,
    sum: f64,
    squares: f64,
}

impl LogLossSum {
    /// Adds the probability of the right cell. One below 1.2e-38 counts as that: it would be infinite.
    fn add(&mut self, probability: f32) {
        let loss = -f64::from(probability.max(f32::MIN_POSITIVE)).ln();
        self.photos += 1;
        self.sum += loss;
        self.squares += loss * loss;
    }

    /// `None` where there was no photo.
    fn finish(self) -> Option<LogLoss> {
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

    #[test]
    fn categories_stand_by_name_with_what_is_possible() {
        let mut losses = LogLosses::default();
        let photos =
            [(0.5, Some("street")), (0.25, Some("indoor")), (1.0, Some("street")), (0.5, None)];
        for (probability, category) in photos {
            losses.add(probability, category.map(str::to_owned));
        }
        let ideal = BTreeMap::from([("street".to_owned(), 0.2), ("beach".to_owned(), 0.1)]);
        let (all, categories) = losses.finish(&ideal);
        let ln2 = 2_f64.ln();
        assert!(all.is_some_and(|it| it.photos == 4 && (it.mean - ln2).abs() < 1e-12));
        let found: Vec<_> = categories.iter().map(|it| (it.name.as_str(), it.ideal)).collect();
        assert_eq!(found, [("indoor", None), ("street", Some(0.2))]);
        assert_eq!(categories[1].log_loss.photos, 2);
        assert!((categories[0].log_loss.mean - 2.0 * ln2).abs() < 1e-12);
    }
}
