use planet_net::{AlbumNetwork, Array, Weights};

use crate::BackendError;

/// Mean and scale of each feature of the embeddings that an album run learns from. LSTMs are
/// trained on features with mean 0 and deviation 1: embeddings behind a ReLU and a mean all lie
/// above zero, where one step moves every gate the same way and little else is learned (on a
/// synthetic earth one epoch then comes to 5 % of right cells instead of 31).
///
/// Checkpoints hold it beside the weights; [`FeatureScaling::fold`] puts it into them at export.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FeatureScaling {
    /// `[features]`
    mean: Vec<f32>,
    /// `[features]`, above 0.
    variance: Vec<f32>,
}

/// A feature that hardly varies is not blown up: at least this share of the mean variance.
const LEAST: f64 = 1e-3;
/// Keeps the scale finite where nothing varies.
const EPS: f64 = 1e-12;

impl FeatureScaling {
    const MEAN: &'static str = "inputs.running_mean";
    const VARIANCE: &'static str = "inputs.running_var";

    /// Of some embeddings, each `[features]`.
    pub(crate) fn of<'a>(features: usize, embeddings: impl Iterator<Item = &'a [f32]>) -> Self {
        let (mut mean, mut squares) = (vec![0.0; features], vec![0.0; features]);
        let mut count = 0.0;
        for embedding in embeddings {
            count += 1.0;
            for ((mean, squares), value) in mean.iter_mut().zip(&mut squares).zip(embedding) {
                // Welford's: sums of squares alone would cancel.
                let away = f64::from(*value) - *mean;
                *mean += away / count;
                *squares += away * (f64::from(*value) - *mean);
            }
        }
        let count = f64::max(count, 1.0);
        let usual = squares.iter().sum::<f64>() / count / features.max(1) as f64;
        let least = f64::max(LEAST * usual, EPS);
        Self {
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
            variance: squares.into_iter().map(|sum| f64::max(sum / count, least) as f32).collect(),
        }
    }

    /// Standardises rows of features in their place.
    pub(crate) fn apply(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.mean.len()) {
            for ((value, mean), variance) in row.iter_mut().zip(&self.mean).zip(&self.variance) {
                *value = (*value - mean) / variance.sqrt();
            }
        }
    }

    /// Puts it beside weights, as running statistics are.
    pub(crate) fn insert_into(&self, weights: &mut Weights) {
        for (name, values) in [(Self::MEAN, &self.mean), (Self::VARIANCE, &self.variance)] {
            weights.insert(name, Array::new(vec![values.len()], values.clone()));
        }
    }

    /// The one that stands beside weights.
    pub(crate) fn beside(weights: &Weights) -> Result<Self, BackendError> {
        let values = |name: &str| match weights.get(name) {
            Some(array) => Ok(array.values().to_vec()),
            None => Err(BackendError::OtherState(format!("'{name}' is missing"))),
        };
        let (mean, variance) = (values(Self::MEAN)?, values(Self::VARIANCE)?);
        if mean.len() != variance.len() || !variance.iter().all(|it| *it > 0.0) {
            let what = format!("'{}' is not a variance of '{}'", Self::VARIANCE, Self::MEAN);
            return Err(BackendError::OtherState(what));
        }
        Ok(Self { mean, variance })
    }

    /// Weights that say of embeddings as they are what `weights` say of standardised ones: of
    /// empty steps, which are zeros as embeddings, too.
    pub(crate) fn fold(weights: &Weights) -> Result<Weights, BackendError> {
        let scaling = Self::beside(weights)?;
        let mut folded = weights.clone();
        folded.remove(Self::MEAN);
        folded.remove(Self::VARIANCE);
        for way in ["", "_reverse"] {
            let name = |part: &str| format!("{}.{part}_ih_l0{way}", AlbumNetwork::LSTM);
            let Some(inputs) = folded.get_mut(&name("weight")) else { continue };
            let features = scaling.mean.len();
            let mut shifts = Vec::new();
            for row in inputs.values_mut().chunks_exact_mut(features) {
                let mut shift = 0.0;
                let statistics = scaling.mean.iter().zip(&scaling.variance);
                for (weight, (mean, variance)) in row.iter_mut().zip(statistics) {
                    *weight /= variance.sqrt();
                    shift += f64::from(*weight) * f64::from(*mean);
                }
                shifts.push(shift as f32);
            }
            if let Some(bias) = folded.get_mut(&name("bias")) {
                bias.values_mut().iter_mut().zip(shifts).for_each(|(bias, it)| *bias -= it);
            }
        }
        Ok(folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Asked, LstmState, Optimizer, Packed, SequenceBatch, SequenceClassifier};

    const ROWS: [f32; 12] = [0.4, 9.0, 0.0, 0.8, 7.0, 0.0, 0.0, 8.0, 0.0, 1.2, 4.0, 0.0];

    #[test]
    fn features_come_to_mean_zero_and_deviation_one_and_dead_ones_stay_finite() {
        let scaling = FeatureScaling::of(3, ROWS.chunks_exact(3));
        let mut rows = ROWS;
        scaling.apply(&mut rows);
        for feature in 0..2 {
            let column: Vec<f32> = rows.iter().skip(feature).step_by(3).copied().collect();
            let squares: f32 = column.iter().map(|it| it * it).sum();
            assert!(column.iter().sum::<f32>().abs() < 1e-5, "{column:?}");
            assert!((squares / 4.0 - 1.0).abs() < 1e-5, "{column:?}");
        }
        assert!(rows.iter().skip(2).step_by(3).all(|dead| *dead == 0.0));
        let mut none = [1.0, 2.0];
        FeatureScaling::of(2, std::iter::empty()).apply(&mut none);
        assert!(none.iter().all(|it| it.is_finite()));
    }

    #[test]
    fn folded_weights_say_of_embeddings_what_they_said_of_standardised_ones() {
        let sizes = AlbumNetwork { features: 3, hidden: 4, classes: 5, bidirectional: true };
        let network = sizes.network().expect("built");
        let mut weights = Weights::initial(&network, 3);
        let scaling = FeatureScaling::of(3, ROWS.chunks_exact(3));
        // An empty step among them.
        let inputs = [&ROWS[..], &[0.0; 3]].concat();
        let scores = |weights: &Weights, inputs: Vec<f32>| {
            let mut classifier =
                SequenceClassifier::new(sizes, weights, Optimizer::default()).expect("they fit");
            let asked = (0..5).map(|row| Asked { row, class: 0, weight: 1.0 }).collect();
            let batch = SequenceBatch { packed: Packed::new(&[5]), inputs, asked };
            let mut all = Vec::new();
            let mut state = LstmState::zero(1, 4);
            classifier
                .forward(&batch, &mut state, |_, scores| all.extend_from_slice(scores))
                .expect("read");
            all
        };
        let mut standardised = inputs.clone();
        scaling.apply(&mut standardised);
        let wanted = scores(&weights, standardised);
        scaling.insert_into(&mut weights);
        let found = scores(&FeatureScaling::fold(&weights).expect("it is there"), inputs);
        for (found, wanted) in found.iter().zip(&wanted) {
            assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
        }
        assert!(wanted.iter().any(|it| it.abs() > 1e-4), "the weights say something");
        assert!(matches!(
            FeatureScaling::fold(&Weights::default()),
            Err(BackendError::OtherState(_))
        ));
    }
}
