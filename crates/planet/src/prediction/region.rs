use planet_geo::ClassId;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{CellProbabilities, ProbabilityError};

/// Shares for which thresholds are kept: 1 %, 2 %, …, 99 %.
const SHARES: usize = 99;

/// Rounding of sums of single-precision probabilities.
const ROUNDING: f64 = 1e-6;

/// Cells of which it is stated that they contain a photo's place with a probability.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictedRegion {
    /// The share of photos whose region contains their place, 0.01..=0.99, as it was asked for.
    pub share: f64,
    /// Its classes, the most probable first.
    pub classes: Vec<ClassId>,
    /// S2 tokens of their cells.
    pub cells: Vec<String>,
    /// Area of the cells in km².
    pub area_km2: f64,
}

/// How far down the ranking of cells one must go to find the true cell of a stated share of photos: split
/// conformal prediction (Papadopoulos et al. 2002). A photo's score is the probability of the cells before the
/// true one, in the order of their probability. (Adaptive prediction sets, Romano, Sesia and Candès 2020, count the
/// true cell too, and draw at random whether a region has its last cell; without drawing they are too large.)
///
/// For photos that are exchangeable with the validation photos and lie in a cell of the partition, a region for
/// the share `s` contains the true cell with probability at least `s`, whatever the network. Photos of another
/// kind, and photos outside every cell, have no such guarantee.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegionCalibration {
    /// Validation photos.
    photos: u64,
    /// For 1 %, 2 %, …, 99 %: the greatest probability of the cells before one of the region, 0..=1; 1 where
    /// there were too few photos for the share.
    thresholds: Vec<f32>,
}

impl RegionCalibration {
    /// From the scores `[photos, classes]` of validation photos, which are divided by `temperature` before the
    /// softmax, and their true classes `[photos]`.
    ///
    /// # Errors
    /// Scores that are no distribution, or a temperature that is not above 0.
    pub fn fit(
        logits: &[f32],
        classes: usize,
        targets: &[u32],
        temperature: f32,
    ) -> Result<Self, ProbabilityError> {
        let rows = logits.par_chunks_exact(classes.max(1)).zip(targets.par_iter());
        let score = |(row, target): (&[f32], &u32)| {
            let probabilities = CellProbabilities::from_logits(row, temperature)?;
            Ok(before(&probabilities, *target as usize) as f32)
        };
        let mut scores: Vec<f32> = rows.map(score).collect::<Result<_, _>>()?;
        if scores.is_empty() {
            return Ok(Self::default());
        }
        scores.sort_unstable_by(f32::total_cmp);
        // One more than the photos, for the photo that is located: of so many scores each is equally
        // likely to be its own.
        let threshold = |percent: usize| {
            let rank = (percent * (scores.len() + 1)).div_ceil(100);
            scores.get(rank - 1).copied().unwrap_or(1.0)
        };
        Ok(Self { photos: scores.len() as u64, thresholds: (1..=SHARES).map(threshold).collect() })
    }

    /// Validation photos that it rests on; 0 where there were none.
    pub fn photos(&self) -> u64 {
        self.photos
    }

    /// Whether there were no validation photos, so that no region can be stated.
    pub fn is_empty(&self) -> bool {
        self.thresholds.len() != SHARES
    }

    /// The classes of the region for a share of photos, the most probable first; none without validation
    /// photos. The share is rounded up to a whole percent, at most 99.
    pub fn classes(&self, probabilities: &CellProbabilities, share: f64) -> Vec<ClassId> {
        let percent = ((100.0 * share - ROUNDING).ceil().max(1.0) as usize).min(SHARES);
        let Some(threshold) = self.thresholds.get(percent - 1) else { return Vec::new() };
        let most = f64::from(*threshold) + ROUNDING;
        let mut before = 0.0;
        let ranked = probabilities.top(probabilities.values().len()).into_iter();
        let inside = ranked.take_while(|(_, probability)| {
            let is_inside = before <= most;
            before += f64::from(*probability);
            is_inside
        });
        inside.map(|(class, _)| class).collect()
    }
}

/// What the classes before `target` hold together, in the order of [`CellProbabilities::top`].
fn before(probabilities: &CellProbabilities, target: usize) -> f64 {
    let own = probabilities.values()[target];
    let before = probabilities.values().iter().enumerate().filter(|(class, probability)| {
        **probability > own || **probability == own && *class < target
    });
    before.map(|(_, probability)| f64::from(*probability)).sum()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const CLASSES: usize = 40;

    /// Photos of a model that is far too sure of itself: the truth is drawn from its probabilities at a
    /// third of the scores.
    fn photos(count: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (mut logits, mut targets) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let row: Vec<f32> = (0..CLASSES).map(|_| 9.0 * random.random::<f32>()).collect();
            let true_ones = CellProbabilities::from_logits(&row, 3.0).expect("scores");
            let mut left = random.random::<f32>();
            let target = true_ones.values().iter().position(|probability| {
                left -= probability;
                left < 0.0
            });
            targets.push(target.unwrap_or(CLASSES - 1) as u32);
            logits.extend(row);
        }
        (logits, targets)
    }

    #[test]
    fn regions_contain_the_true_class_as_often_as_stated_even_of_a_model_that_is_too_sure() {
        let (logits, targets) = photos(4000, 1);
        let calibration = RegionCalibration::fit(&logits, CLASSES, &targets, 1.0).expect("scores");
        let (logits, targets) = photos(4000, 2);
        for share in [0.5, 0.9, 0.99] {
            let (mut inside, mut held) = (0, 0.0);
            for (row, target) in logits.chunks_exact(CLASSES).zip(&targets) {
                let probabilities = CellProbabilities::from_logits(row, 1.0).expect("scores");
                let classes = calibration.classes(&probabilities, share);
                inside += usize::from(classes.contains(&ClassId(*target)));
                held +=
                    classes.iter().map(|class| f64::from(probabilities.of(*class))).sum::<f64>();
            }
            let inside = inside as f64 / targets.len() as f64;
            assert!((inside - share).abs() < 0.03, "{share}: {inside}");
            // By its own probabilities the model would state more.
            assert!(held / targets.len() as f64 > share + 0.005, "{share}");
        }
    }

    #[test]
    fn thresholds_are_those_of_the_ranks_by_hand() {
        // Three photos over two classes: the first class holds 3/4. Scores are 0, 0 and 0.75.
        let row = [3f32.ln(), 0.0];
        let logits = [row, row, row].concat();
        let calibration = RegionCalibration::fit(&logits, 2, &[0, 0, 1], 1.0).expect("scores");
        let probabilities = CellProbabilities::from_logits(&row, 1.0).expect("scores");
        let classes = |share: f64| calibration.classes(&probabilities, share).len();
        // Of four ranks, half is the second score, and three quarters are the third.
        assert_eq!([classes(0.25), classes(0.5)], [1, 1]);
        assert_eq!([classes(0.51), classes(0.75)], [2, 2]);
        // Three photos say nothing of more than three quarters: all classes.
        assert_eq!(classes(0.99), 2);
        assert_eq!(calibration.photos(), 3);
    }

    #[test]
    fn without_validation_photos_there_is_no_region() {
        let none = RegionCalibration::fit(&[], 2, &[], 1.0).expect("no scores");
        let probabilities = CellProbabilities::from_logits(&[1.0, 0.0], 1.0).expect("scores");
        assert!(none.is_empty());
        assert_eq!(none.classes(&probabilities, 0.9), []);
        assert!(RegionCalibration::fit(&[f32::NAN, 0.0], 2, &[0], 1.0).is_err());
    }
}
