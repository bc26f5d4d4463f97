use planet_data::Monitor;
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{BLOCK, Centres, least};
use crate::retrieval::RetrievalError;

/// Rounds of Lloyd's algorithm. Lists need no optimum: recall is measured on what comes out.
pub(super) const ROUNDS: u64 = 10;

/// Centres of `count` groups of vectors `[n, dimensions]`, n ≥ count, by k-means. Depends on the
/// vectors and the seed alone.
///
/// # Errors
/// The monitor ends it.
pub(super) fn learn(
    vectors: &[f32],
    dimensions: usize,
    count: usize,
    seed: u64,
    monitor: &dyn Monitor,
) -> Result<Vec<f32>, RetrievalError> {
    let vector = |at: usize| &vectors[at * dimensions..][..dimensions];
    let mut order: Vec<usize> = (0..vectors.len() / dimensions).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut centres: Vec<f32> = order[..count].iter().flat_map(|at| vector(*at)).copied().collect();
    for _ in 0..ROUNDS {
        if monitor.cancelled() {
            return Err(RetrievalError::Cancelled);
        }
        let nearest = nearest(vectors, dimensions, &Centres::new(&centres, dimensions));
        let mut members = vec![0_u32; count];
        let mut sums = vec![0.0_f32; centres.len()];
        for (at, (group, _)) in nearest.iter().enumerate() {
            members[*group] += 1;
            let sum = &mut sums[group * dimensions..][..dimensions];
            sum.iter_mut().zip(vector(at)).for_each(|(sum, x)| *sum += x);
        }
        // A group without members begins anew at the vector that is farthest from its own centre.
        let mut farthest: Vec<usize> = (0..nearest.len()).collect();
        farthest.sort_unstable_by(|a, b| nearest[*b].1.total_cmp(&nearest[*a].1).then(a.cmp(b)));
        let mut farthest = farthest.into_iter();
        for (group, members) in members.into_iter().enumerate() {
            let centre = &mut centres[group * dimensions..][..dimensions];
            let sum = &sums[group * dimensions..][..dimensions];
            match (members, farthest.len()) {
                (0, 1..) => centre.copy_from_slice(vector(farthest.next().unwrap_or_default())),
                (0, 0) => {}
                _ => centre.iter_mut().zip(sum).for_each(|(it, sum)| *it = sum / members as f32),
            }
        }
        monitor.advance(1);
    }
    Ok(centres)
}

/// The nearest centre of each vector, and its squared distance.
fn nearest(vectors: &[f32], dimensions: usize, centres: &Centres) -> Vec<(usize, f32)> {
    let blocks = vectors.par_chunks(BLOCK * dimensions).map(|rows| {
        let mut found = Vec::with_capacity(BLOCK);
        centres.compare(rows, dimensions, |at, distances| {
            let square: f32 = rows[at * dimensions..][..dimensions].iter().map(|x| x * x).sum();
            let group = least(distances);
            found.push((group, distances[group] + square));
        });
        found
    });
    blocks.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use planet_data::NoMonitor;

    use super::*;

    #[test]
    fn groups_far_apart_get_a_centre_each() {
        let at = |group: usize, member: usize| {
            [10.0 * group as f32 + 0.1 * member as f32, -5.0 * group as f32]
        };
        let vectors: Vec<f32> = (0..40)
            .flat_map(|member| (0..4).flat_map(move |group| at(group, member % 3)))
            .collect();
        for seed in 0..5 {
            let centres = learn(&vectors, 2, 4, seed, &NoMonitor).expect("learned");
            let mut first: Vec<f32> = centres.chunks(2).map(|centre| centre[0]).collect();
            first.sort_by(f32::total_cmp);
            for (group, found) in first.into_iter().enumerate() {
                assert!((found - 10.0 * group as f32 - 0.1).abs() < 0.01, "{seed}: {centres:?}");
            }
        }
    }

    #[test]
    fn as_many_centres_as_vectors_and_equal_vectors_are_no_trouble() {
        let centres = learn(&[1.0, 2.0, 3.0], 1, 3, 0, &NoMonitor).expect("learned");
        let mut sorted = centres.clone();
        sorted.sort_by(f32::total_cmp);
        assert_eq!(sorted, [1.0, 2.0, 3.0]);
        let centres = learn(&[1.0; 8], 2, 3, 0, &NoMonitor).expect("learned");
        assert_eq!(centres, [1.0; 6]);
    }
}
