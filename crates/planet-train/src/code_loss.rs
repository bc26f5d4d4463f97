//! The loss for codes of near-duplicates: a photo and its edited copy come near, all others are
//! spread over the codes.

use planet_data::Edits;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    InvalidSetting, Loss,
    course::{check_all, positive},
    triplet::{normalise, squared_distance, unnormalise},
};

/// Distances below this count as this: equal embeddings have a finite loss.
const LEAST_DISTANCE: f32 = 1e-4;

/// How codes are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NearDuplicates {
    /// Similarities are divided by this before the softmax (Pizzi et al. 2022, SSCD: 0.05).
    pub temperature: f32,
    /// Weight of the entropy regulariser at the beginning; it grows evenly to `entropy`.
    pub entropy_begin: f32,
    /// Weight of the entropy regulariser at the end (SSCD: 30).
    pub entropy: f32,
    /// Weight at the end of the penalty for outputs that are far from −1 and 1; it grows evenly
    /// from 0.
    pub binary: f32,
    /// Greatest share of test photos that the exported threshold may remove wrongly.
    pub removed: f64,
    /// Training photos against which that share is meant.
    pub against: u64,
    /// How copies are edited.
    pub edits: Edits,
}

impl Default for NearDuplicates {
    fn default() -> Self {
        Self {
            temperature: 0.05,
            entropy_begin: 10.0,
            entropy: 30.0,
            binary: 1.0,
            removed: 0.01,
            against: 1_000_000,
            edits: Edits::default(),
        }
    }
}

impl NearDuplicates {
    /// Checks that the numbers make sense.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let weight = |value: f32| value.is_finite() && value >= 0.0;
        check_all([
            (
                positive(self.temperature.into()),
                "near_duplicates.temperature must be greater than 0",
            ),
            (
                weight(self.entropy_begin) && weight(self.entropy) && weight(self.binary),
                "near_duplicates.entropy_begin, entropy and binary must be at least 0",
            ),
            (
                self.removed > 0.0 && self.removed <= 1.0,
                "near_duplicates.removed must be above 0 and at most 1",
            ),
            (self.against > 0, "near_duplicates.against must be at least 1"),
        ])
    }

    /// The loss when this share of the training is done, 0..=1.
    pub(crate) fn at(&self, done: f64) -> CodeLoss {
        let done = done.clamp(0.0, 1.0) as f32;
        CodeLoss {
            temperature: self.temperature,
            entropy: self.entropy_begin + (self.entropy - self.entropy_begin) * done,
            binary: self.binary * done,
        }
    }
}

/// The loss at one moment of the training. Of outputs z, h = tanh(z) and u = h / |h|, it is the mean
/// over the photos of
///
/// - −ln(exp(u·p / T) / Σ exp(u·v / T)), where p is the photo's other view and the sum goes over p
///   and all photos of other units (InfoNCE);
/// - `entropy` times −ln(distance of u to the nearest photo of another unit);
/// - `binary` times the mean of 1 − |h|.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CodeLoss {
    temperature: f32,
    entropy: f32,
    binary: f32,
}

/// What one photo contributes.
struct Contribution {
    loss: Loss,
    /// Derivatives of the photo's loss by its similarity to each photo.
    by_similarity: Vec<f32>,
    /// The nearest photo of another unit, and the squared distance to it.
    nearest: Option<(usize, f32)>,
}

impl CodeLoss {
    /// The loss of raw outputs, `[photos, width]`, in whose place the derivatives of its mean come.
    /// Photos of one unit are views of one photo; one without a second view has no InfoNCE. The rank
    /// is the number of photos that are at least as similar as the other view.
    pub(crate) fn differentiate(
        &self,
        outputs: &mut [f32],
        width: usize,
        units: &[usize],
    ) -> Vec<Loss> {
        let share = 1.0 / units.len() as f32;
        outputs.iter_mut().for_each(|value| *value = value.tanh());
        let soft = outputs.to_vec();
        let lengths = normalise(outputs, width);
        let contributions: Vec<Contribution> = (0..units.len())
            .into_par_iter()
            .map(|photo| self.contribution(photo, outputs, width, units))
            .collect();
        let derivatives: Vec<Vec<f32>> = (0..units.len())
            .into_par_iter()
            .map(|photo| self.derivative(photo, &contributions, outputs, width))
            .collect();
        let rows = outputs.chunks_exact_mut(width).zip(soft.chunks_exact(width));
        for (((row, soft), derivative), length) in rows.zip(derivatives).zip(lengths) {
            unnormalise(row, &derivative, length, share);
            for (value, h) in row.iter_mut().zip(soft) {
                let binary = -self.binary * share * h.signum() / width as f32;
                *value = (*value + binary) * (1.0 - h * h);
            }
        }
        let penalty = |soft: &[f32]| {
            self.binary * soft.iter().map(|h| 1.0 - h.abs()).sum::<f32>() / width as f32
        };
        let losses = contributions.into_iter().zip(soft.chunks_exact(width));
        losses.map(|(it, soft)| Loss { loss: it.loss.loss + penalty(soft), ..it.loss }).collect()
    }

    fn contribution(
        &self,
        photo: usize,
        rows: &[f32],
        width: usize,
        units: &[usize],
    ) -> Contribution {
        let row = |at: usize| &rows[at * width..][..width];
        let is_other = |at: &usize| units[*at] != units[photo];
        let similarity = |at: usize| dot(row(photo), row(at)) / self.temperature;
        let positive = (0..units.len()).find(|at| *at != photo && !is_other(at));
        let others: Vec<usize> = (0..units.len()).filter(is_other).collect();
        let mut by_similarity = vec![0.0; units.len()];
        let mut loss = Loss { loss: 0.0, rank: 0 };
        if let Some(positive) = positive {
            let of_positive = similarity(positive);
            let similarities: Vec<f32> = others.iter().map(|at| similarity(*at)).collect();
            let greatest = similarities.iter().copied().fold(of_positive, f32::max);
            let weights = similarities.iter().map(|it| (it - greatest).exp());
            let sum: f32 = (of_positive - greatest).exp() + weights.clone().sum::<f32>();
            for (at, weight) in others.iter().zip(weights) {
                by_similarity[*at] = weight / sum / self.temperature;
            }
            by_similarity[positive] =
                ((of_positive - greatest).exp() / sum - 1.0) / self.temperature;
            loss.loss = sum.ln() + greatest - of_positive;
            loss.rank = similarities.iter().filter(|it| **it >= of_positive).count() as u32;
        }
        let distances = others.iter().map(|at| (*at, squared_distance(row(photo), row(*at))));
        let nearest = distances.min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((_, squared)) = nearest {
            loss.loss -= self.entropy * squared.sqrt().max(LEAST_DISTANCE).ln();
        }
        Contribution { loss, by_similarity, nearest }
    }

    /// The derivative of the sum of all losses by a photo's row of length 1.
    fn derivative(
        &self,
        photo: usize,
        contributions: &[Contribution],
        rows: &[f32],
        width: usize,
    ) -> Vec<f32> {
        let row = |at: usize| &rows[at * width..][..width];
        let own = &contributions[photo];
        let mut derivative = vec![0.0; width];
        for (at, other) in contributions.iter().enumerate() {
            let factor = own.by_similarity[at] + other.by_similarity[photo];
            derivative.iter_mut().zip(row(at)).for_each(|(sum, value)| *sum += factor * value);
            for (from, nearest) in [(photo, own), (at, other)] {
                // Its own nearest counts once, and each photo whose nearest it is.
                let Some((to, squared)) = nearest.nearest else { continue };
                let counts = if from == photo { to == at } else { to == photo };
                if counts && squared.sqrt() > LEAST_DISTANCE {
                    let factor = self.entropy / squared;
                    let pairs = row(photo).iter().zip(row(at));
                    let steps = derivative.iter_mut().zip(pairs);
                    steps.for_each(|(sum, (a, b))| *sum -= factor * (a - b));
                }
            }
        }
        derivative
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use planet_net::Weights;

    use super::*;

    const GOLDEN: &[u8] = include_bytes!("../tests/golden/codes.safetensors");
    /// The fifth photo has no second view.
    const UNITS: [usize; 7] = [0, 0, 1, 1, 2, 3, 3];

    #[test]
    fn losses_and_gradient_are_those_of_pytorch() {
        let (golden, _) = Weights::from_safetensors(GOLDEN).expect("a golden file");
        let values = |name: &str| golden.get(name).expect("an array").values();
        let mut rows = values("raw").to_vec();
        let loss = CodeLoss { temperature: 0.05, entropy: 7.0, binary: 3.0 };
        let losses = loss.differentiate(&mut rows, 6, &UNITS);
        let losses: Vec<f32> = losses.iter().map(|it| it.loss).collect();
        for (found, wanted) in [(&losses[..], values("losses")), (&rows, values("gradient"))] {
            assert_eq!(found.len(), wanted.len());
            for (found, wanted) in found.iter().zip(wanted) {
                let tolerance = 1e-5 * wanted.abs().max(1.0);
                assert!((found - wanted).abs() < tolerance, "{found} instead of {wanted}");
            }
        }
    }

    #[test]
    fn a_rank_counts_photos_that_are_at_least_as_similar_as_the_other_view() {
        let loss = NearDuplicates::default().at(0.0);
        let mut rows = [1.0, 0.0, 0.0, 1.0, 0.9, 0.1, 0.1, 0.9];
        let losses = loss.differentiate(&mut rows, 2, &[0, 0, 1, 1]);
        assert_eq!(losses.iter().map(|it| it.rank).collect::<Vec<_>>(), [2, 2, 1, 1]);
    }

    #[test]
    fn equal_photos_have_a_finite_loss_and_gradient() {
        let mut rows = [0.5; 8];
        let loss = NearDuplicates::default().at(1.0);
        let losses = loss.differentiate(&mut rows, 2, &[0, 0, 1, 1]);
        assert!(losses.iter().all(|it| it.loss.is_finite()));
        assert!(rows.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn weights_grow_from_beginning_to_end_and_senseless_ones_are_named() {
        let options = NearDuplicates::default();
        assert_eq!((options.at(0.0).entropy, options.at(0.0).binary), (10.0, 0.0));
        assert_eq!((options.at(0.5).entropy, options.at(2.0).entropy), (20.0, 30.0));
        let wrong = [
            NearDuplicates { temperature: 0.0, ..options.clone() },
            NearDuplicates { entropy: f32::NAN, ..options.clone() },
            NearDuplicates { removed: 0.0, ..options.clone() },
            NearDuplicates { against: 0, ..options.clone() },
        ];
        for wrong in wrong {
            let error = wrong.check().expect_err("it makes no sense").to_string();
            assert!(error.contains("near_duplicates."), "{error}");
        }
        assert!(options.check().is_ok());
    }
}
