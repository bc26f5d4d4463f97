use planet::Candidate;
use planet_geo::{Distance, LatLng};

use crate::{Cluster, Index, Neighbour, Svm, mean_shift};

/// Neighbours of a cluster at least. Of 2, 3 and 4 the best on validation photos of the synthetic
/// earth (docs/im2gps.md).
const FEWEST: usize = 2;
/// C of the machines, chosen likewise of 1, 10 and 100.
const COST: f64 = 10.0;

/// Clusters of the neighbours' positions by how much a photo is like each of them more than like
/// the others: one support vector machine a cluster, trained with its members against all other
/// neighbours. The kernel is `exp(−d / m)` of the distance `d` of the index, which is a sum of χ²
/// and other distances of negative type, and its mean `m` among the neighbours.
pub struct Preferences<'a> {
    positions: &'a [LatLng],
    clusters: Vec<Cluster>,
    /// Decision of each cluster's machine; `None` for clusters that are too small for one.
    scores: Vec<Option<f64>>,
}

impl<'a> Preferences<'a> {
    pub fn of(
        index: &Index,
        neighbours: &[Neighbour],
        positions: &'a [LatLng],
        bandwidth: Distance,
    ) -> Self {
        let clusters = mean_shift(positions, bandwidth);
        let kernel = Kernel::of(index, neighbours);
        let score = |cluster: &Cluster| {
            // Where all neighbours are one cluster, there is nothing to tell it from.
            if clusters.len() == 1 {
                return Some(1.0);
            }
            (cluster.members.len() >= FEWEST).then(|| {
                let mut is_member = vec![false; neighbours.len()];
                cluster.members.iter().for_each(|at| is_member[*at] = true);
                Svm::train(&kernel.pairs, &is_member, COST).decision(&kernel.photo)
            })
        };
        let scores = clusters.iter().map(score).collect();
        Self { positions, clusters, scores }
    }

    /// The mean positions of the clusters, the one with the highest score first, also where no
    /// score is positive; `None` where no cluster is large enough for a machine. Probabilities are
    /// the softmax of the scores. With them, each neighbour's part of its cluster's probability.
    pub fn candidates(&self) -> Option<(Vec<Candidate>, Vec<f64>)> {
        let scored = self.clusters.iter().zip(&self.scores);
        let mut ranked: Vec<(&Cluster, f64)> =
            scored.filter_map(|(cluster, score)| Some((cluster, (*score)?))).collect();
        // The sort keeps the order of equal ones: the larger cluster first.
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let (_, highest) = *ranked.first()?;
        let share = |score: f64| (score - highest).exp();
        let sum: f64 = ranked.iter().map(|(_, score)| share(*score)).sum();
        let candidate = |(cluster, score): &(&Cluster, f64)| {
            let mean = cluster.mean(self.positions);
            Candidate {
                probability: Some((share(*score) / sum) as f32),
                radius: cluster.reach(mean, self.positions),
                ..Candidate::at(mean)
            }
        };
        let mut weights = vec![0.0; self.positions.len()];
        for (cluster, score) in &ranked {
            let part = share(*score) / sum / cluster.members.len() as f64;
            cluster.members.iter().for_each(|at| weights[*at] = part);
        }
        Some((ranked.iter().map(candidate).collect(), weights))
    }
}

/// A kernel between the neighbours, and between them and the photo.
struct Kernel {
    /// `[neighbours, neighbours]`
    pairs: Vec<f32>,
    /// `[neighbours]`
    photo: Vec<f32>,
}

impl Kernel {
    fn of(index: &Index, neighbours: &[Neighbour]) -> Self {
        let count = neighbours.len();
        let mut pairs = vec![0.0; count * count];
        let mut sum = 0.0;
        for (a, first) in neighbours.iter().enumerate() {
            for (b, second) in neighbours.iter().enumerate().skip(a + 1) {
                let distance = index.distance(index.row(first.row), index.row(second.row));
                pairs[a * count + b] = distance;
                pairs[b * count + a] = distance;
                sum += f64::from(distance);
            }
        }
        let mean = sum / (count * count.saturating_sub(1) / 2).max(1) as f64;
        // Neighbours that are all equal are told apart by nothing.
        let scale = if mean > 1e-9 { (1.0 / mean) as f32 } else { 0.0 };
        let value = |distance: f32| (-scale * distance).exp();
        Self {
            pairs: pairs.into_iter().map(value).collect(),
            photo: neighbours.iter().map(|neighbour| value(neighbour.distance)).collect(),
        }
    }
}
