use planet_data::{Code, GREATEST_DISTANCE};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Distances that are counted: 0..=63 bits.
const DISTANCES: usize = GREATEST_DISTANCE as usize + 1;

/// Quantile of the normal distribution that 95 % lie below.
const NORMAL_95: f64 = 1.644_854;

/// How often codes of different photos are near: what a distance costs in photos that are removed
/// wrongly. Measured on photos of which none is a copy of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FalseMatches {
    /// Photos that were compared, each with each.
    pub photos: u64,
    /// Pairs whose codes differ in at most 0, 1, … bits, up to [`GREATEST_DISTANCE`].
    pub pairs_within: Vec<u64>,
}

impl FalseMatches {
    /// Compares the codes of different photos, each with each.
    pub fn of(codes: &[Code]) -> Self {
        let count = |at: usize| {
            let mut counts = vec![0_u64; DISTANCES];
            for other in &codes[..at] {
                if let Some(count) = counts.get_mut(codes[at].distance(*other) as usize) {
                    *count += 1;
                }
            }
            counts
        };
        let sum = |mut a: Vec<u64>, b: Vec<u64>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        let mut within =
            (0..codes.len()).into_par_iter().map(count).reduce(|| vec![0; DISTANCES], sum);
        for distance in 1..DISTANCES {
            within[distance] += within[distance - 1];
        }
        Self { photos: codes.len() as u64, pairs_within: within }
    }

    /// Pairs that were compared.
    pub fn pairs(&self) -> u64 {
        self.photos * self.photos.saturating_sub(1) / 2
    }

    /// Pairs of different photos within a distance.
    pub fn within(&self, distance: u32) -> u64 {
        self.pairs_within[(distance as usize).min(DISTANCES - 1)]
    }

    /// Share of test photos, 0..=1, that are expected to be removed wrongly against so many
    /// training photos: their number times the share of pairs within the distance, which is an
    /// upper bound where one photo has several such pairs.
    pub fn removed(&self, distance: u32, against: u64) -> f64 {
        let share = self.within(distance) as f64 / self.pairs().max(1) as f64;
        (share * against as f64).min(1.0)
    }

    /// Upper end of the 95 % confidence interval of [`FalseMatches::removed`]: few pairs say little
    /// about training sets of millions.
    pub fn removed_at_most(&self, distance: u32, against: u64) -> f64 {
        let count = self.within(distance) as f64 + 1.0;
        // Of a Poisson count (Wilson and Hilferty 1931): 3.0 pairs where none was found.
        let root = 1.0 - 1.0 / (9.0 * count) + NORMAL_95 / (3.0 * count.sqrt());
        let share = count * root.powi(3) / self.pairs().max(1) as f64;
        (share * against as f64).min(1.0)
    }

    /// Greatest distance at which at most this share of the test photos is expected to be removed
    /// wrongly against so many training photos; `None` where even equal codes are too many.
    pub fn distance(&self, removed: f64, against: u64) -> Option<u32> {
        (0..DISTANCES as u32).rev().find(|it| self.removed(*it, against) <= removed)
    }

    /// Checks values that were read from a file.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ascends = self.pairs_within.is_sorted();
        let fits = self.pairs_within.last().is_some_and(|most| *most <= self.pairs());
        if self.pairs_within.len() != DISTANCES || !ascends || !fits || self.photos > 1 << 32 {
            return Err(format!(
                "false_matches must state the pairs within 0 to {GREATEST_DISTANCE} bits, in \
                 ascending numbers"
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_by_distance_and_a_distance_is_chosen_for_a_training_set() {
        let words = [[0; 4], [1, 0, 0, 0], [0b111, 0, 0, 0], [u64::MAX; 4]];
        let matches = FalseMatches::of(&words.map(Code::from_words));
        assert_eq!((matches.pairs(), matches.within(0)), (6, 0));
        assert_eq!([1, 2, 3, 63].map(|it| matches.within(it)), [1, 2, 3, 3]);
        assert!((matches.removed(2, 1) - 1.0 / 3.0).abs() < 1e-12);
        // Bounds of a Poisson distribution: 3.00 for none, 6.30 for 2 (R: qgamma(0.95, c(1, 3))).
        let of = |pairs| {
            let matches = FalseMatches { photos: 1001, pairs_within: vec![pairs; 64] };
            500_500.0 * matches.removed_at_most(5, 1)
        };
        assert!((of(0) - 3.0).abs() < 0.05 && (of(2) - 6.30).abs() < 0.05);
        assert_eq!(matches.distance(0.2, 1), Some(1));
        assert_eq!(matches.distance(0.2, 2), Some(0));
        assert_eq!(matches.distance(1.0, 1000), Some(63));
        let equal = FalseMatches::of(&[Code::from_words([7; 4]); 3]);
        assert_eq!(equal.distance(0.5, 1), None);
        assert!(matches.check().is_ok());
        let damaged = FalseMatches { pairs_within: vec![9; 64], photos: 2 };
        assert!(damaged.check().is_err());
    }
}
