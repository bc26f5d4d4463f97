use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{RetrievalError, eigen::eigen};

/// Principal component analysis with whitening: subtracts a mean, turns to the directions of
/// greatest variance, and scales each to variance 1 (Jégou and Chum 2012).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whitening {
    /// `[inputs]`
    mean: Vec<f32>,
    /// `[outputs, inputs]`
    matrix: Vec<f32>,
}

/// Components whose variance is a smaller share of the greatest are rounding, not data.
const LEAST_SHARE: f64 = 1e-9;

impl Whitening {
    /// Learned from vectors `[vectors, inputs]`. A component's sign is that which makes its
    /// greatest value, by size, positive.
    ///
    /// # Errors
    /// The vectors do not differ in so many dimensions.
    ///
    /// # Panics
    /// When there are no inputs, or not a whole number of vectors.
    pub fn learn(vectors: &[f32], inputs: usize, outputs: usize) -> Result<Self, RetrievalError> {
        Self::learn_in_part(vectors, inputs, outputs, 1.0)
    }

    /// The same, with variances raised to a power between 0, which only turns, and 1, which whitens:
    /// each component is divided by its standard deviation to this power. Of few vectors the small
    /// variances are uncertain, and a half is better than the whole.
    ///
    /// # Errors
    /// As [`Whitening::learn`].
    ///
    /// # Panics
    /// As [`Whitening::learn`].
    pub fn learn_in_part(
        vectors: &[f32],
        inputs: usize,
        outputs: usize,
        power: f64,
    ) -> Result<Self, RetrievalError> {
        assert!(inputs > 0 && vectors.len().is_multiple_of(inputs), "whole vectors");
        let count = vectors.len() / inputs;
        let mut mean = vec![0.0f64; inputs];
        for vector in vectors.chunks_exact(inputs) {
            mean.iter_mut().zip(vector).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        mean.iter_mut().for_each(|sum| *sum /= count.max(1) as f64);
        let centred: Vec<f64> = vectors
            .chunks_exact(inputs)
            .flat_map(|vector| vector.iter().zip(&mean).map(|(x, mean)| f64::from(*x) - mean))
            .collect();
        let (variances, components) = components(&centred, count, inputs);
        let least = variances.first().copied().unwrap_or(0.0) * LEAST_SHARE;
        let found = variances.iter().filter(|variance| **variance > least).count();
        if found < outputs {
            return Err(RetrievalError::Whitening { photos: count, wanted: outputs, found });
        }
        let row = |at: usize| {
            let component = &components[at * inputs..][..inputs];
            let greatest = component.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            let sign = greatest.map_or(1.0, f64::signum);
            let factor = sign / variances[at].powf(0.5 * power);
            component.iter().map(move |x| (x * factor) as f32)
        };
        let matrix = (0..outputs).flat_map(row).collect();
        Ok(Self { mean: mean.into_iter().map(|x| x as f32).collect(), matrix })
    }

    /// Length of the vectors that it takes.
    pub fn inputs(&self) -> usize {
        self.mean.len()
    }

    /// Length of the vectors that it gives.
    pub fn outputs(&self) -> usize {
        self.matrix.len() / self.mean.len()
    }

    /// One vector whitened, `[outputs]`.
    ///
    /// # Panics
    /// When the vector has another length than [`Whitening::inputs`].
    pub fn apply(&self, vector: &[f32]) -> Vec<f32> {
        assert_eq!(vector.len(), self.inputs(), "as long as the mean");
        let centred: Vec<f32> = vector.iter().zip(&self.mean).map(|(x, mean)| x - mean).collect();
        let product = |row: &[f32]| {
            row.iter().zip(&centred).map(|(a, x)| f64::from(*a) * f64::from(*x)).sum::<f64>() as f32
        };
        self.matrix.chunks_exact(self.inputs()).map(product).collect()
    }

    /// All numbers, little-endian: mean, then matrix.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.mean.iter().chain(&self.matrix).flat_map(|x| x.to_le_bytes()).collect()
    }

    /// From [`Whitening::to_bytes`]; `None` where the bytes are not so many.
    pub(super) fn from_bytes(bytes: &[u8], inputs: usize, outputs: usize) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        let mut values: Vec<f32> = numbers.iter().map(|four| f32::from_le_bytes(*four)).collect();
        let wanted = inputs.checked_mul(outputs.checked_add(1)?)?;
        if !rest.is_empty() || values.len() != wanted || inputs == 0 {
            return None;
        }
        let matrix = values.split_off(inputs);
        Some(Self { mean: values, matrix })
    }
}

/// Variances of centred vectors `[count, inputs]`, greatest first, and their directions, a row
/// each. The smaller of the two matrices of products is taken apart.
fn components(centred: &[f64], count: usize, inputs: usize) -> (Vec<f64>, Vec<f64>) {
    let degrees = count.saturating_sub(1).max(1) as f64;
    if count > inputs {
        let mut sums = vec![0.0; inputs * inputs];
        sums.par_chunks_exact_mut(inputs).enumerate().for_each(|(at, row)| {
            for vector in centred.chunks_exact(inputs) {
                let own = vector[at];
                row.iter_mut().zip(vector).for_each(|(sum, x)| *sum += own * x);
            }
            row.iter_mut().for_each(|sum| *sum /= degrees);
        });
        let found = eigen(sums, inputs);
        return (found.values, found.vectors);
    }
    let row = |at: usize| &centred[at * inputs..][..inputs];
    let products = (0..count * count).into_par_iter().map(|at| {
        let (a, b) = (row(at / count), row(at % count));
        a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / degrees
    });
    let found = eigen(products.collect(), count);
    let mut directions = vec![0.0; count * inputs];
    directions.par_chunks_exact_mut(inputs).enumerate().for_each(|(at, direction)| {
        for (weight, vector) in found.vectors[at * count..][..count].iter().zip(0..) {
            direction.iter_mut().zip(row(vector)).for_each(|(sum, x)| *sum += weight * x);
        }
        let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            direction.iter_mut().for_each(|x| *x /= length);
        }
    });
    (found.values, directions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(count: usize, inputs: usize) -> Vec<f32> {
        let value = |at: usize| {
            let (row, column) = (at / inputs, at % inputs);
            let value = ((31 * at * at + 17 * at) % 1009) as f32 / 1009.0 - 0.5;
            value * (1.0 + column as f32) + row as f32 * 0.01
        };
        (0..count * inputs).map(value).collect()
    }

    #[test]
    fn a_part_of_the_whitening_keeps_a_part_of_the_variances() {
        let (inputs, outputs) = (6, 4);
        let vectors = vectors(200, inputs);
        let variances = |power: f64| -> Vec<f64> {
            let whitening = Whitening::learn_in_part(&vectors, inputs, outputs, power);
            let whitening = whitening.expect("learned");
            let all: Vec<Vec<f32>> =
                vectors.chunks_exact(inputs).map(|it| whitening.apply(it)).collect();
            let variance =
                |at: usize| all.iter().map(|it| f64::from(it[at]).powi(2)).sum::<f64>() / 199.0;
            (0..outputs).map(variance).collect()
        };
        for (none, half) in variances(0.0).into_iter().zip(variances(0.5)) {
            assert!((half / none.sqrt() - 1.0).abs() < 1e-3, "{half} of {none}");
        }
    }

    #[test]
    fn whitened_vectors_have_mean_0_variance_1_and_no_correlation() {
        for (count, inputs, outputs) in [(200, 6, 4), (9, 20, 5)] {
            let vectors = vectors(count, inputs);
            let whitening = Whitening::learn(&vectors, inputs, outputs).expect("learned");
            let white: Vec<Vec<f32>> =
                vectors.chunks(inputs).map(|vector| whitening.apply(vector)).collect();
            for a in 0..outputs {
                let mean = white.iter().map(|it| it[a]).sum::<f32>() / count as f32;
                assert!(mean.abs() < 1e-4, "{mean}");
                for b in 0..outputs {
                    let sum: f32 = white.iter().map(|it| it[a] * it[b]).sum();
                    let wanted = f32::from(u8::from(a == b));
                    assert!((sum / (count - 1) as f32 - wanted).abs() < 1e-3, "{a} {b} {sum}");
                }
            }
        }
    }

    #[test]
    fn vectors_that_differ_in_too_few_dimensions_are_refused_with_the_number() {
        let error = Whitening::learn(&vectors(4, 20), 20, 8).expect_err("three at most");
        assert!(error.to_string().contains("have 3"), "{error}");
        assert!(Whitening::learn(&[1.0; 40], 20, 1).is_err());
        assert!(Whitening::learn(&[], 20, 1).is_err());
    }

    #[test]
    fn bytes_come_back_and_wrong_lengths_do_not() {
        let whitening = Whitening::learn(&vectors(30, 6), 6, 3).expect("learned");
        let bytes = whitening.to_bytes();
        assert_eq!(Whitening::from_bytes(&bytes, 6, 3), Some(whitening));
        assert_eq!(Whitening::from_bytes(&bytes, 6, 4), None);
        assert_eq!(Whitening::from_bytes(&bytes[1..], 6, 3), None);
        assert_eq!(Whitening::from_bytes(&[], 0, usize::MAX), None);
    }
}
