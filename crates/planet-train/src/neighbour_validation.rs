//! Validation of embeddings without a classifier: every photo is located by the nearest others.

use planet::{Accuracy, GUESSES};
use planet_data::{Loader, LoaderOptions, Preprocess};
use planet_geo::Distance;
use planet_net::{Array, Weights};
use rayon::prelude::*;

use crate::{
    Backend, Samples, Scores, TrainError, TrainMonitor, Triplets, Validation,
    triplet::{normalise, squared_distance},
    validation::each_output,
};

/// Locates each validation photo by the others: the share whose nearest photo lies in the same
/// cell, and within each scale. The loss is that of the nearest photo of the same cell against the
/// nearest one that is a negative. `None` where it was told to end.
pub(crate) fn validate(
    backend: &mut dyn Backend,
    samples: &Samples,
    preprocess: &Preprocess,
    options: LoaderOptions,
    triplets: &Triplets,
    monitor: &dyn TrainMonitor,
) -> Result<Option<Validation>, TrainError> {
    let photos = samples.photos.clone();
    let loader = Loader::new(samples.store.clone(), photos, preprocess.clone(), options)?;
    let (mut embeddings, mut rows): (Vec<f32>, Vec<usize>) = Default::default();
    let all = each_output(backend, &loader, monitor, |found, outputs| {
        embeddings.extend(outputs);
        rows.extend(found);
    })?;
    if all.is_none() {
        return Ok(None);
    }
    normalise(&mut embeddings, triplets.outputs);
    let found: Vec<Found> = (0..rows.len())
        .into_par_iter()
        .map(|at| nearest(at, &embeddings, &rows, samples, triplets))
        .collect();
    let mut accuracy = Accuracy::default();
    let mut cell = [0usize; 2];
    for found in &found {
        accuracy.add(found.distances.iter().copied());
        cell[0] += usize::from(found.same_cell == Some(0));
        cell[1] += usize::from(found.same_cell.is_some());
    }
    let failed = samples.len() - rows.len();
    (0..failed).for_each(|_| accuracy.add([]));
    let losses: Vec<f64> = found.iter().filter_map(|it| it.loss).collect();
    let share = |count: usize| count as f64 / samples.len().max(1) as f64;
    let scores = Scores {
        photos: samples.len(),
        failed,
        loss: losses.iter().sum::<f64>() / losses.len().max(1) as f64,
        cell_1: share(cell[0]),
        cell_5: share(cell[1]),
        within_1: accuracy.shares(1),
        within_5: accuracy.shares(GUESSES),
    };
    // There are no scores that a temperature could be fitted on.
    let none = [("embeddings".to_owned(), Array::new(vec![0], Vec::new()))];
    Ok(Some(Validation { scores, logits: none.into_iter().collect::<Weights>() }))
}

/// What the photos nearest to one say of it.
struct Found {
    /// Distances on earth of the nearest five, nearest embedding first.
    distances: Vec<Distance>,
    /// The first of them in the photo's cell.
    same_cell: Option<usize>,
    loss: Option<f64>,
}

fn nearest(
    at: usize,
    embeddings: &[f32],
    rows: &[usize],
    samples: &Samples,
    triplets: &Triplets,
) -> Found {
    let row = |at: usize| &embeddings[at * triplets.outputs..][..triplets.outputs];
    let mut others: Vec<(f32, usize)> = (0..rows.len())
        .filter(|other| *other != at)
        .map(|other| (squared_distance(row(at), row(other)), rows[other]))
        .collect();
    others.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (position, class) = (samples.positions[rows[at]], samples.classes[rows[at]]);
    let is_same = |other: usize| class.is_some() && samples.classes[other] == class;
    let distance = |other: usize| samples.positions[other].distance_to(position);
    let first = &others[..others.len().min(GUESSES)];
    let far = Distance::from_km(triplets.negatives_from_km);
    let positive = others.iter().find(|it| is_same(it.1)).map(|it| it.0);
    let negative = others.iter().find(|it| distance(it.1) >= far).map(|it| it.0);
    let loss = |(near, far): (f32, f32)| f64::from((triplets.margin + near - far).max(0.0));
    Found {
        distances: first.iter().map(|it| distance(it.1)).collect(),
        same_cell: first.iter().position(|it| is_same(it.1)),
        loss: positive.zip(negative).map(loss),
    }
}
