use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Centres of clusters, kept so that the nearest one is found fast.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Centres {
    dimensions: usize,
    len: usize,
    /// `[dimensions, centres]`
    values: Vec<f32>,
    /// Half the squared length of each.
    halves: Vec<f32>,
}

impl Centres {
    /// From `[centres, dimensions]`.
    pub fn new(rows: &[f32], dimensions: usize) -> Self {
        let len = rows.len() / dimensions;
        let column = |at: usize| rows.iter().skip(at).step_by(dimensions).copied();
        let values = (0..dimensions).flat_map(column);
        let half = |row: &[f32]| 0.5 * row.iter().map(|value| value * value).sum::<f32>();
        let halves = rows.chunks_exact(dimensions).map(half).collect();
        Self { dimensions, len, values: values.collect(), halves }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// `[centres, dimensions]`
    pub fn values(&self) -> Vec<f32> {
        let row =
            |centre: usize| (0..self.dimensions).map(move |at| self.values[at * self.len + centre]);
        (0..self.len).flat_map(row).collect()
    }

    /// The centre nearest to a point `[dimensions]`, the first one of several; there must be one.
    /// `memory` is used again from call to call.
    pub fn nearest(&self, point: &[f32], memory: &mut Vec<f32>) -> usize {
        // Half the squared distance, without the point's own square, which all have in common.
        memory.clone_from(&self.halves);
        let (fours, rest) = point.as_chunks::<4>();
        for (at, four) in fours.iter().enumerate() {
            let rows = &self.values[4 * at * self.len..][..4 * self.len];
            let (first, rows) = rows.split_at(self.len);
            let (second, rows) = rows.split_at(self.len);
            let (third, fourth) = rows.split_at(self.len);
            for centre in 0..self.len {
                memory[centre] -= four[0] * first[centre]
                    + four[1] * second[centre]
                    + four[2] * third[centre]
                    + four[3] * fourth[centre];
            }
        }
        for (at, value) in rest.iter().enumerate() {
            let row = &self.values[(4 * fours.len() + at) * self.len..][..self.len];
            memory.iter_mut().zip(row).for_each(|(sum, it)| *sum -= value * it);
        }
        let least = memory.iter().copied().fold(f32::INFINITY, f32::min);
        memory.iter().position(|sum| *sum == least).unwrap_or_default()
    }
}

/// Samples whose sums one thread adds up: sums are joined in order, so that they do not depend
/// on the number of threads.
const PIECE: usize = 1024;

/// Samples that are no farther apart, squared, differ by rounding alone: none of ours is much
/// greater than one.
const ROUNDING: f32 = 1e-11;

/// Clusters of samples `[samples, dimensions]` by k-means: begun as k-means++ does, improved for
/// at most `rounds` rounds. With fewer than `k` distinct samples each becomes a centre.
pub fn k_means(samples: &[f32], dimensions: usize, k: usize, rounds: usize, seed: u64) -> Centres {
    improve(samples, begin(samples, dimensions, k, seed), rounds)
}

/// Centres among the samples, each drawn with a probability that grows with the square of its
/// distance from those drawn before (Arthur and Vassilvitskii 2007).
fn begin(samples: &[f32], dimensions: usize, k: usize, seed: u64) -> Centres {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let rows: Vec<&[f32]> = samples.chunks_exact(dimensions).collect();
    let mut chosen = Vec::new();
    let mut distances = vec![1.0f32; rows.len()];
    for _ in 0..k {
        let sum: f64 = distances.iter().map(|it| f64::from(*it)).sum();
        if sum <= 0.0 {
            break;
        }
        let mut left = random.random::<f64>() * sum;
        let reaches = |distance: &f32| {
            left -= f64::from(*distance);
            left < 0.0 && *distance > 0.0
        };
        // Rounding may leave a last step beyond the end.
        let place = distances.iter().position(reaches);
        let last = || distances.iter().rposition(|distance| *distance > 0.0);
        let Some(place) = place.or_else(last) else { break };
        let new = rows[place];
        chosen.extend_from_slice(new);
        let begun = chosen.len() > dimensions;
        distances.par_iter_mut().zip(&rows).for_each(|(least, row)| {
            let distance: f32 = row.iter().zip(new).map(|(a, b)| (a - b) * (a - b)).sum();
            let distance = if distance > ROUNDING { distance } else { 0.0 };
            *least = if begun { least.min(distance) } else { distance };
        });
    }
    Centres::new(&chosen, dimensions)
}

/// Lloyd's rounds: every centre becomes the mean of the samples that are nearest to it, until
/// nothing changes. A centre without samples stays where it is.
fn improve(samples: &[f32], mut centres: Centres, rounds: usize) -> Centres {
    let dimensions = centres.dimensions;
    for _ in 0..rounds {
        if centres.len == 0 {
            break;
        }
        let pieces: Vec<Sums> =
            samples.par_chunks(PIECE * dimensions).map(|piece| Sums::of(piece, &centres)).collect();
        let mut rows = centres.values();
        for (centre, row) in rows.chunks_exact_mut(dimensions).enumerate() {
            let count: f64 = pieces.iter().map(|piece| piece.counts[centre]).sum();
            for (at, value) in row.iter_mut().enumerate().filter(|_| count > 0.0) {
                let place = centre * dimensions + at;
                let sum: f64 = pieces.iter().map(|piece| piece.values[place]).sum();
                *value = (sum / count) as f32;
            }
        }
        let better = Centres::new(&rows, dimensions);
        if better == centres {
            break;
        }
        centres = better;
    }
    centres
}

/// Sums of the samples that are nearest to each centre.
struct Sums {
    /// `[centres]`
    counts: Vec<f64>,
    /// `[centres, dimensions]`
    values: Vec<f64>,
}

impl Sums {
    fn of(samples: &[f32], centres: &Centres) -> Self {
        let dimensions = centres.dimensions;
        let mut counts = vec![0.0; centres.len];
        let mut values = vec![0.0; centres.len * dimensions];
        let mut memory = Vec::new();
        for sample in samples.chunks_exact(dimensions) {
            let centre = centres.nearest(sample, &mut memory);
            counts[centre] += 1.0;
            let sums = &mut values[centre * dimensions..][..dimensions];
            sums.iter_mut().zip(sample).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        Self { counts, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two-dimensional samples around four corners, and the first sample of each corner.
    fn corners() -> Vec<f32> {
        let sample = |at: usize| {
            let (corner, step) = (at % 4, (at / 4) as f32 / 100.0);
            [10.0 * (corner % 2) as f32 + step, 10.0 * (corner / 2) as f32 - step]
        };
        (0..40).flat_map(sample).collect()
    }

    #[test]
    fn separate_clusters_are_found_whatever_the_seed() {
        for seed in 0..5 {
            let mut rows = k_means(&corners(), 2, 4, 20, seed).values().as_chunks::<2>().0.to_vec();
            rows.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
            let want = [[0.045, -0.045], [0.045, 9.955], [10.045, -0.045], [10.045, 9.955]];
            let near = rows.as_flattened().iter().zip(want.as_flattened());
            assert!(near.clone().all(|(is, want)| (is - want).abs() < 1e-4), "{rows:?}");
        }
    }

    #[test]
    fn fewer_distinct_samples_than_centres_become_the_centres() {
        let centres = k_means(&[1.0, 2.0, 1.0, 2.0, 5.0, 6.0], 2, 10, 20, 0);
        assert_eq!(centres.len(), 2);
        assert_eq!(k_means(&[], 2, 10, 20, 0).len(), 0);
    }
}
