use planet_geo::ClassId;
use thiserror::Error;

/// A probability for every class of a partition: non-negative, summing to one.
#[derive(Clone, Debug, PartialEq)]
pub struct CellProbabilities(Vec<f32>);

/// Scores that are no distribution.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ProbabilityError {
    /// A score that is not a number, or plus infinity.
    #[error("the score of class {class} is {score}")]
    Score {
        /// The class.
        class: usize,
        /// Its score.
        score: f32,
    },
    /// No class has a finite score, or there are no classes.
    #[error("no class has a finite score")]
    Empty,
    /// Another number of scores than the partition has classes.
    #[error("{found} scores for {stated} classes; the model belongs to another partition")]
    Classes {
        /// Classes of the partition.
        stated: usize,
        /// Scores.
        found: usize,
    },
    /// A temperature that is not above zero.
    #[error("temperature {0} is not above 0")]
    Temperature(f32),
}

impl CellProbabilities {
    /// Softmax of `logits / temperature`. A logit of −∞ is a class that is ruled out.
    ///
    /// # Errors
    /// NaN or +∞ among the logits, all of them −∞, or a temperature that is not above zero.
    pub fn from_logits(logits: &[f32], temperature: f32) -> Result<Self, ProbabilityError> {
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(ProbabilityError::Temperature(temperature));
        }
        if let Some(class) = logits.iter().position(|x| x.is_nan() || *x == f32::INFINITY) {
            return Err(ProbabilityError::Score { class, score: logits[class] });
        }
        let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if greatest == f32::NEG_INFINITY {
            return Err(ProbabilityError::Empty);
        }
        let mut values: Vec<f32> =
            logits.iter().map(|x| ((x - greatest) / temperature).exp()).collect();
        let sum: f64 = values.iter().map(|&x| f64::from(x)).sum();
        let scale = (1.0 / sum) as f32;
        values.iter_mut().for_each(|x| *x *= scale);
        Ok(Self(values))
    }

    /// Weights that need not sum to one.
    ///
    /// # Errors
    /// A weight that is negative or not a number, or none above zero.
    pub fn from_weights(weights: &[f64]) -> Result<Self, ProbabilityError> {
        let wrong = |weight: &f64| !(*weight >= 0.0 && weight.is_finite());
        if let Some(class) = weights.iter().position(wrong) {
            return Err(ProbabilityError::Score { class, score: weights[class] as f32 });
        }
        let sum: f64 = weights.iter().sum();
        if sum <= 0.0 {
            return Err(ProbabilityError::Empty);
        }
        Ok(Self(weights.iter().map(|weight| (weight / sum) as f32).collect()))
    }

    /// Of one class.
    pub fn of(&self, class: ClassId) -> f32 {
        self.0[class.index()]
    }

    /// All of them, in class order.
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The `k` most probable classes, best first; equal ones in class order.
    pub fn top(&self, k: usize) -> Vec<(ClassId, f32)> {
        let better = |a: &u32, b: &u32| {
            self.0[*b as usize].total_cmp(&self.0[*a as usize]).then_with(|| a.cmp(b))
        };
        let k = k.min(self.0.len());
        if k == 0 {
            return Vec::new();
        }
        let mut rows: Vec<u32> = (0..self.0.len() as u32).collect();
        rows.select_nth_unstable_by(k - 1, better);
        rows.truncate(k);
        rows.sort_unstable_by(better);
        rows.into_iter().map(|row| (ClassId(row), self.0[row as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_softmax_sums_to_one_even_for_huge_scores() {
        let p = CellProbabilities::from_logits(&[1e30, 1e30, f32::NEG_INFINITY], 1.0).expect("ok");
        assert_eq!(p.values(), &[0.5, 0.5, 0.0]);
    }

    #[test]
    fn scores_that_are_no_distribution_are_refused_by_class() {
        assert_eq!(
            CellProbabilities::from_logits(&[0.0, f32::INFINITY], 1.0),
            Err(ProbabilityError::Score { class: 1, score: f32::INFINITY })
        );
        assert!(CellProbabilities::from_logits(&[f32::NAN], 1.0).is_err());
        assert!(CellProbabilities::from_logits(&[], 1.0).is_err());
        assert!(CellProbabilities::from_logits(&[1.0], 0.0).is_err());
    }

    #[test]
    fn weights_become_probabilities_unless_they_are_none() {
        let p = CellProbabilities::from_weights(&[1.0, 3.0, 0.0]).expect("ok");
        assert_eq!(p.values(), &[0.25, 0.75, 0.0]);
        assert!(CellProbabilities::from_weights(&[1.0, -1.0]).is_err());
        assert_eq!(CellProbabilities::from_weights(&[0.0]), Err(ProbabilityError::Empty));
    }

    #[test]
    fn the_best_classes_come_first_and_ties_in_class_order() {
        let p = CellProbabilities::from_logits(&[1.0, 3.0, 2.0, 3.0], 1.0).expect("ok");
        let order: Vec<u32> = p.top(9).into_iter().map(|(class, _)| class.0).collect();
        assert_eq!(order, [1, 3, 2, 0]);
        assert_eq!(p.top(0), []);
    }
}
