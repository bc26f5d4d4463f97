//! The triplet loss: embeddings of photos of one place come near, those of photos of far places
//! move apart. The paper names it as the next step for its features (section 5).

use std::collections::VecDeque;

use planet_geo::{EARTH_RADIUS_KM, LatLng};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{InvalidSetting, Loss, course::check_all};

/// Distances of embeddings beyond which a photo is no negative: its loss is 0 at any usual margin
/// (Wu et al. 2017).
const FARTHEST: f32 = 1.4;

/// How photos are compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Triplets {
    /// Numbers of an embedding: outputs of a head of its own on the layer below the classifier.
    pub outputs: usize,
    /// How much farther, as a squared distance of embeddings of length 1, a negative must be than
    /// the positive.
    pub margin: f32,
    /// Weight of the loss beside the cross entropy.
    pub weight: f32,
    /// A positive is another photo of the same album at most so many kilometres away; a variation
    /// of the photo itself where there is none, and always where this is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positives_within_km: Option<f64>,
    /// A negative is at least so many kilometres away; photos between are not compared.
    pub negatives_from_km: f64,
    /// Distance of embeddings below which negatives are drawn as if they were so far away. From
    /// there on all distances are equally likely (Wu et al. 2017: distance-weighted sampling).
    pub cutoff: f32,
    /// Embeddings of earlier photos that negatives are drawn from too. They are not part of a
    /// checkpoint: a resumed run collects them again.
    pub memory: usize,
}

impl Default for Triplets {
    fn default() -> Self {
        Self {
            outputs: 128,
            margin: 0.1,
            weight: 0.5,
            positives_within_km: None,
            negatives_from_km: 50.0,
            cutoff: 0.5,
            memory: 20_000,
        }
    }
}

impl Triplets {
    /// Checks that the numbers make sense.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        let within = self.positives_within_km.unwrap_or(0.0);
        check_all([
            (self.outputs >= 2, "triplets.outputs must be at least 2"),
            (self.margin > 0.0 && self.margin < 4.0, "triplets.margin must be between 0 and 4"),
            (
                self.weight > 0.0 && self.weight.is_finite(),
                "triplets.weight must be greater than 0",
            ),
            (within >= 0.0, "triplets.positives_within_km must be at least 0"),
            (
                self.negatives_from_km > within && self.negatives_from_km.is_finite(),
                "triplets.negatives_from_km must be greater than positives_within_km",
            ),
            (
                self.cutoff > 0.0 && self.cutoff < FARTHEST,
                "triplets.cutoff must be between 0 and 1.4",
            ),
        ])
    }
}

/// Three photos by their place in a batch: the positive is to be nearer than the negative.
#[derive(Clone, Debug, PartialEq)]
struct Triplet {
    anchor: usize,
    positive: usize,
    negative: Negative,
}

#[derive(Clone, Debug, PartialEq)]
enum Negative {
    /// A photo of the batch, which learns too.
    Photo(usize),
    /// An embedding of an earlier photo.
    Kept(Vec<f32>),
}

/// Computes the loss batch by batch, with a memory of earlier embeddings.
pub(crate) struct TripletLoss {
    options: Triplets,
    memory: VecDeque<Kept>,
    random: ChaCha8Rng,
}

struct Kept {
    embedding: Vec<f32>,
    position: [f64; 3],
}

/// A photo of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// What it is a view of: the other item of the batch with the same number is its positive.
    pub(crate) unit: usize,
    /// Where it was taken.
    pub(crate) position: LatLng,
}

impl TripletLoss {
    pub(crate) fn new(options: Triplets, seed: u64) -> Self {
        Self { options, memory: VecDeque::new(), random: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// The loss of a batch of raw embeddings, `[photos, outputs]`, in whose place the derivatives
    /// of its mean come, times `weight`. The rank is the number of photos of the batch that are
    /// nearer to a photo than its positive.
    pub(crate) fn differentiate(
        &mut self,
        embeddings: &mut [f32],
        items: &[Item],
        weight: f32,
    ) -> Vec<Loss> {
        let outputs = self.options.outputs;
        let lengths = normalise(embeddings, outputs);
        let triplets = self.triplets(embeddings, items);
        let (losses, derivatives) =
            triplet_loss(embeddings, outputs, &triplets, self.options.margin);
        let ranks = ranks(embeddings, outputs, &triplets, items.len());
        self.keep(embeddings, items);
        let share = weight / items.len() as f32;
        let rows = embeddings.chunks_exact_mut(outputs).zip(derivatives.chunks_exact(outputs));
        for ((row, derivative), length) in rows.zip(lengths) {
            unnormalise(row, derivative, length, share);
        }
        losses.into_iter().zip(ranks).map(|(loss, rank)| Loss { loss, rank }).collect()
    }

    /// A triplet for each photo that has a positive and a negative.
    fn triplets(&mut self, embeddings: &[f32], items: &[Item]) -> Vec<Triplet> {
        let outputs = self.options.outputs;
        let positions: Vec<[f64; 3]> = items.iter().map(|item| item.position.to_vector()).collect();
        let draws: Vec<f64> = items.iter().map(|_| self.random.random_range(0.0..1.0)).collect();
        let this = &*self;
        let triplet = |anchor: usize| {
            let is_positive =
                |other: &usize| *other != anchor && items[*other].unit == items[anchor].unit;
            let positive = (0..items.len()).find(is_positive)?;
            let embedding = &embeddings[anchor * outputs..][..outputs];
            let batch = embeddings.chunks_exact(outputs).zip(&positions);
            let kept = this.memory.iter().map(|kept| (kept.embedding.as_slice(), &kept.position));
            let weights: Vec<f64> = batch
                .chain(kept)
                .map(|(other, position)| {
                    this.logarithm(embedding, &positions[anchor], other, position)
                })
                .collect();
            let chosen = draw(&weights, draws[anchor])?;
            let negative = match chosen.checked_sub(items.len()) {
                None => Negative::Photo(chosen),
                Some(kept) => Negative::Kept(this.memory[kept].embedding.clone()),
            };
            Some(Triplet { anchor, positive, negative })
        };
        (0..items.len()).into_par_iter().filter_map(triplet).collect()
    }

    /// Logarithm of the weight with which a photo is drawn as the negative of another: the inverse
    /// of the density of its distance between points of a sphere,
    /// d^(n−2) · (1 − d²/4)^((n−3)/2) in n dimensions. Negative infinity for photos that are near
    /// on earth, or farther in embeddings than can cost anything.
    fn logarithm(&self, a: &[f32], at: &[f64; 3], b: &[f32], there: &[f64; 3]) -> f64 {
        let cosine: f64 = at.iter().zip(there).map(|(a, b)| a * b).sum();
        if cosine > (self.options.negatives_from_km / EARTH_RADIUS_KM).cos() {
            return f64::NEG_INFINITY;
        }
        let distance = squared_distance(a, b).sqrt();
        if distance > FARTHEST {
            return f64::NEG_INFINITY;
        }
        let distance = f64::from(distance.max(self.options.cutoff));
        let dimensions = self.options.outputs as f64;
        (2.0 - dimensions) * distance.ln()
            - (dimensions - 3.0) / 2.0 * (1.0 - distance * distance / 4.0).ln()
    }

    fn keep(&mut self, embeddings: &[f32], items: &[Item]) {
        for (embedding, item) in embeddings.chunks_exact(self.options.outputs).zip(items) {
            let position = item.position.to_vector();
            self.memory.push_back(Kept { embedding: embedding.to_vec(), position });
        }
        let too_many = self.memory.len().saturating_sub(self.options.memory);
        self.memory.drain(..too_many);
    }
}

/// The index whose weight holds this share, from 0 to below 1, of all; `None` where none has any.
fn draw(logarithms: &[f64], share: f64) -> Option<usize> {
    let greatest = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if greatest == f64::NEG_INFINITY {
        return None;
    }
    let weights = || logarithms.iter().map(|it| (it - greatest).exp());
    let mut left = share * weights().sum::<f64>();
    let mut last = None;
    for (at, weight) in weights().enumerate().filter(|it| it.1 > 0.0) {
        last = Some(at);
        left -= weight;
        if left < 0.0 {
            break;
        }
    }
    last
}

/// Loss of each photo as an anchor, 0 where it is none, and the derivatives of their sum by each
/// embedding, which has length 1: max(0, margin + |a − p|² − |a − n|²).
fn triplet_loss(
    embeddings: &[f32],
    outputs: usize,
    triplets: &[Triplet],
    margin: f32,
) -> (Vec<f32>, Vec<f32>) {
    let row = |at: usize| &embeddings[at * outputs..][..outputs];
    let mut losses = vec![0.0; embeddings.len() / outputs];
    let mut derivatives = vec![0.0; embeddings.len()];
    for Triplet { anchor, positive, negative } in triplets {
        let (a, p) = (row(*anchor), row(*positive));
        let n = match negative {
            Negative::Photo(at) => row(*at),
            Negative::Kept(embedding) => embedding,
        };
        let loss = margin + squared_distance(a, p) - squared_distance(a, n);
        // NaN is passed on.
        if loss <= 0.0 {
            continue;
        }
        losses[*anchor] = loss;
        for at in 0..outputs {
            derivatives[anchor * outputs + at] += 2.0 * (n[at] - p[at]);
            derivatives[positive * outputs + at] += 2.0 * (p[at] - a[at]);
            if let Negative::Photo(photo) = negative {
                derivatives[photo * outputs + at] += 2.0 * (a[at] - n[at]);
            }
        }
    }
    (losses, derivatives)
}

/// Photos of the batch that are nearer to each photo than its positive; 0 where it has none.
fn ranks(embeddings: &[f32], outputs: usize, triplets: &[Triplet], photos: usize) -> Vec<u32> {
    let row = |at: usize| &embeddings[at * outputs..][..outputs];
    let mut ranks = vec![0; photos];
    for Triplet { anchor, positive, .. } in triplets {
        let least = squared_distance(row(*anchor), row(*positive));
        let others = (0..photos).filter(|other| other != anchor && other != positive);
        let nearer = others.filter(|other| squared_distance(row(*anchor), row(*other)) <= least);
        ranks[*anchor] = nearer.count() as u32;
    }
    ranks
}

/// Gives every row length 1; gives the lengths that they had.
pub(crate) fn normalise(rows: &mut [f32], outputs: usize) -> Vec<f32> {
    let length = |row: &mut [f32]| {
        let length = row.iter().map(|it| it * it).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        row.iter_mut().for_each(|value| *value /= length);
        length
    };
    rows.chunks_exact_mut(outputs).map(length).collect()
}

/// Puts the derivative by a row before it was given length 1 in its place, times `share`.
pub(crate) fn unnormalise(row: &mut [f32], derivative: &[f32], length: f32, share: f32) {
    let along: f32 = row.iter().zip(derivative).map(|(a, b)| a * b).sum();
    for (value, derivative) in row.iter_mut().zip(derivative) {
        *value = share * (derivative - along * *value) / length;
    }
}

pub(crate) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use planet_net::Weights;

    use super::*;

    const GOLDEN: &[u8] = include_bytes!("../tests/golden/triplet.safetensors");

    #[test]
    fn losses_and_gradient_are_those_of_pytorch() {
        let (golden, _) = Weights::from_safetensors(GOLDEN).expect("a golden file");
        let values = |name: &str| golden.get(name).expect("an array").values();
        let mut rows = values("raw").to_vec();
        let kept = |at: usize| Negative::Kept(values("kept")[at * 5..][..5].to_vec());
        let triplet = |anchor, positive, negative| Triplet { anchor, positive, negative };
        let triplets = [
            triplet(0, 1, Negative::Photo(2)),
            triplet(1, 0, kept(0)),
            triplet(2, 3, Negative::Photo(5)),
            triplet(3, 2, Negative::Photo(0)),
            triplet(4, 5, kept(1)),
            triplet(5, 4, Negative::Photo(1)),
        ];
        let lengths = normalise(&mut rows, 5);
        let (losses, derivatives) = triplet_loss(&rows, 5, &triplets, 0.4);
        for ((row, derivative), length) in
            rows.chunks_exact_mut(5).zip(derivatives.chunks_exact(5)).zip(lengths)
        {
            unnormalise(row, derivative, length, 1.0 / 6.0);
        }
        let near = |found: &[f32], wanted: &[f32]| {
            assert_eq!(found.len(), wanted.len());
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-6, "{found} instead of {wanted}");
            }
        };
        near(&losses, values("losses"));
        near(&rows, values("gradient"));
    }

    fn item(unit: usize, lng: f64) -> Item {
        Item { unit, position: LatLng::new(0.0, lng).expect("a position") }
    }

    #[test]
    fn negatives_are_far_away_on_earth_and_come_from_the_memory_too() {
        let options = Triplets { outputs: 3, ..Triplets::default() };
        let mut loss = TripletLoss::new(options, 1);
        // 0.1° are 11 km, and so no negative; 10° are.
        let items = [item(0, 0.0), item(0, 0.0), item(1, 0.1), item(1, 0.1)];
        let rows = [1.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.8, 0.6, 0.0, 0.6, 0.8, 0.0];
        assert!(loss.triplets(&rows, &items).is_empty());
        loss.keep(&rows, &[item(9, 10.0), item(9, 10.0), item(9, 10.0), item(9, 10.0)]);
        let triplets = loss.triplets(&rows, &items);
        assert_eq!(triplets.len(), 4);
        for Triplet { anchor, positive, negative } in triplets {
            assert_eq!(positive, anchor ^ 1);
            assert!(matches!(negative, Negative::Kept(_)));
        }
        // A photo that replaced another one has no positive.
        let items = [item(0, 0.0), item(5, 0.0), item(1, 0.1), item(1, 0.1)];
        let anchors: Vec<usize> = loss.triplets(&rows, &items).iter().map(|it| it.anchor).collect();
        assert_eq!(anchors, [2, 3]);
    }

    #[test]
    fn the_memory_forgets_the_oldest() {
        let options = Triplets { outputs: 2, memory: 3, ..Triplets::default() };
        let mut loss = TripletLoss::new(options, 1);
        for step in 0..4 {
            loss.keep(&[step as f32, 0.0], &[item(0, 0.0)]);
        }
        let kept: Vec<f32> = loss.memory.iter().map(|kept| kept.embedding[0]).collect();
        assert_eq!(kept, [1.0, 2.0, 3.0]);
    }

    #[test]
    fn distances_are_drawn_evenly_and_not_as_they_are_frequent() {
        let options = Triplets { outputs: 3, ..Triplets::default() };
        let mut loss = TripletLoss::new(options, 3);
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let mut point = |_| {
            let (angle, z) = (
                random.random_range(0.0..std::f32::consts::TAU),
                random.random_range(-1.0..1.0f32),
            );
            let radius = (1.0 - z * z).sqrt();
            [radius * angle.cos(), radius * angle.sin(), z]
        };
        let rows: Vec<f32> = (0..4000).flat_map(&mut point).collect();
        let far: Vec<Item> = (0..4000).map(|_| item(9, 90.0)).collect();
        loss.keep(&rows, &far);
        let anchor = [1.0, 0.0, 0.0];
        let drawn: Vec<f32> = (0..500)
            .flat_map(|_| loss.triplets(&[anchor, anchor].concat(), &[item(0, 0.0), item(0, 0.0)]))
            .map(|triplet| match triplet.negative {
                Negative::Kept(row) => squared_distance(&anchor, &row).sqrt(),
                Negative::Photo(_) => panic!("the batch has no negative"),
            })
            .collect();
        assert!(drawn.iter().all(|distance| *distance <= FARTHEST));
        let share = |range: std::ops::Range<f32>| {
            drawn.iter().filter(|it| range.contains(*it)).count() as f64 / drawn.len() as f64
        };
        // Points of a sphere have distances with the density d: without weights the last range
        // would have 54 % of the draws.
        for (range, wanted) in [(0.0..0.5, 0.217), (0.5..0.95, 0.391), (0.95..1.4, 0.391)] {
            let found = share(range.clone());
            assert!((found - wanted).abs() < 0.06, "{found} of the draws in {range:?}");
        }
    }

    #[test]
    fn numbers_that_make_no_sense_are_named() {
        let wrong = [
            Triplets { outputs: 1, ..Triplets::default() },
            Triplets { margin: f32::NAN, ..Triplets::default() },
            Triplets { weight: 0.0, ..Triplets::default() },
            Triplets { positives_within_km: Some(60.0), ..Triplets::default() },
            Triplets { positives_within_km: Some(f64::NAN), ..Triplets::default() },
            Triplets { cutoff: 1.5, ..Triplets::default() },
        ];
        for wrong in wrong {
            let error = wrong.check().expect_err("it makes no sense").to_string();
            assert!(error.contains("triplets."), "{error}");
        }
        assert!(Triplets::default().check().is_ok());
    }
}
