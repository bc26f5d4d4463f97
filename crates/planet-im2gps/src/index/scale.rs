use rayon::prelude::*;

use super::format::DescriptorInfo;
use crate::{Descriptor, Version};

/// Rows between all pairs of which distances are measured.
pub const SAMPLE: usize = 400;

/// Standard deviation of each descriptor's distances between all pairs of some rows; zero where
/// there are no two photos, or all are alike.
pub fn deviations(version: Version, rows: &[Vec<f32>]) -> Vec<DescriptorInfo> {
    let descriptors = version.descriptors();
    let pairs = |first: usize| {
        let mut sums = vec![[0.0f64; 2]; descriptors.len()];
        for second in &rows[first + 1..] {
            let both = version.parts(&rows[first]).zip(version.parts(second));
            for (sums, ((descriptor, a), (_, b))) in sums.iter_mut().zip(both) {
                let distance = f64::from(descriptor.distance(a, b));
                sums[0] += distance;
                sums[1] += distance * distance;
            }
        }
        sums
    };
    let sums: Vec<_> = (0..rows.len()).into_par_iter().map(pairs).collect();
    let count = (rows.len() * rows.len().saturating_sub(1) / 2).max(1) as f64;
    let info = |(at, &name): (usize, &Descriptor)| {
        let sum = |power: usize| sums.iter().map(|it| it[at][power]).sum::<f64>() / count;
        let (mean, square) = (sum(0), sum(1));
        let deviation = (square - mean * mean).max(0.0).sqrt() as f32;
        DescriptorInfo { name, values: name.values(), deviation }
    };
    descriptors.iter().enumerate().map(info).collect()
}

/// What distances are multiplied by so that those of all descriptors deviate equally. A
/// descriptor that tells no photos apart does not count, unless none does: then all count as
/// they are.
pub fn weights(infos: &[DescriptorInfo]) -> Vec<f32> {
    let tells = |deviation: f32| deviation.is_finite() && deviation > 1e-12;
    if infos.iter().all(|info| !tells(info.deviation)) {
        return vec![1.0; infos.len()];
    }
    let weight = |deviation: f32| if tells(deviation) { 1.0 / deviation } else { 0.0 };
    infos.iter().map(|info| weight(info.deviation)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version::Im2Gps2014;

    #[test]
    fn scaled_distances_deviate_equally_and_a_descriptor_that_is_always_the_same_does_not_count() {
        let row = |at: usize| {
            let mut row = vec![0.0; VERSION.values()];
            // Another number for each photo in every descriptor but the lines.
            let mut begin = 0;
            for descriptor in VERSION.descriptors() {
                let value = (at * at % 11) as f32 * (begin + 1) as f32;
                match descriptor {
                    Descriptor::Lines => (),
                    // A pair of a place and a number.
                    Descriptor::FineWords => {
                        row[begin..begin + 2].copy_from_slice(&[(1 + at % 7) as f32, value]);
                    }
                    _ => row[begin + at % 7] = value,
                }
                begin += descriptor.values();
            }
            row
        };
        let rows: Vec<_> = (0..20).map(row).collect();
        let infos = deviations(VERSION, &rows);
        let weights = weights(&infos);
        assert_eq!(weights[3], 0.0);
        for (at, (info, weight)) in infos.iter().zip(weights).enumerate().filter(|it| it.0 != 3) {
            assert!((info.deviation * weight - 1.0).abs() < 1e-5, "{at}: {info:?}");
        }
        // By hand: one descriptor's deviation.
        let mut distances = Vec::new();
        for (first, a) in rows.iter().enumerate() {
            distances.extend(
                rows[first + 1..]
                    .iter()
                    .map(|b| f64::from(Descriptor::TinyImage.distance(&a[..768], &b[..768]))),
            );
        }
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        let squares: f64 = distances.iter().map(|it| (it - mean) * (it - mean)).sum();
        let deviation = (squares / distances.len() as f64).sqrt();
        assert!((f64::from(infos[0].deviation) - deviation).abs() < 1e-4 * deviation);
    }

    #[test]
    fn one_photo_or_equal_ones_leave_the_distances_as_they_are() {
        let one = deviations(VERSION, &[vec![1.0; VERSION.values()]]);
        assert_eq!(weights(&one), [1.0; 10]);
        assert_eq!(weights(&deviations(Version::Im2Gps2008, &[])), [1.0; 6]);
    }
}
