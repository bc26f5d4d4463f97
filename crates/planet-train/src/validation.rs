use planet::{Accuracy, GUESSES};
use planet_data::{Batch, Loader, LoaderOptions, Preprocess};
use planet_geo::{LatLng, Partition};
use planet_net::{Array, Weights};
use serde::{Deserialize, Serialize};

use crate::{Backend, Samples, TrainError, TrainMonitor, loss};

/// Numbers of scores that are kept for fitting a temperature: at most 50,000 photos, at most
/// half a gigabyte.
const MOST_LOGITS: usize = 1 << 27;
const MOST_PHOTOS: usize = 50_000;

/// How well the validation photos were located. Photos that could not be decoded stay in every
/// denominator but the loss's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Photos.
    pub photos: usize,
    /// Photos that could not be decoded.
    pub failed: usize,
    /// Mean cross entropy in nats over the photos inside a cell.
    pub loss: f64,
    /// Share whose cell came first.
    pub cell_1: f64,
    /// Share whose cell came among the first five.
    pub cell_5: f64,
    /// Share located within street, city, region, country, continent scale by the first guess.
    pub within_1: [f64; 5],
    /// The same by the best of the first five.
    pub within_5: [f64; 5],
}

/// What validation gives.
pub(crate) struct Validation {
    pub(crate) scores: Scores,
    /// `logits` `[photos, classes]` and `targets` `[photos]` of the first photos inside a cell.
    pub(crate) logits: Weights,
}

/// Counts what becomes of validation photos.
#[derive(Default)]
pub(crate) struct Counts {
    photos: usize,
    failed: usize,
    inside: usize,
    loss: f64,
    cell: [usize; 2],
    accuracy: Accuracy,
    logits: Vec<f32>,
    targets: Vec<f32>,
}

/// Locates all validation photos.
pub(crate) fn validate(
    backend: &mut dyn Backend,
    samples: &Samples,
    partition: &Partition,
    preprocess: &Preprocess,
    options: LoaderOptions,
    monitor: &dyn TrainMonitor,
) -> Result<Option<Validation>, TrainError> {
    let loader =
        Loader::new(samples.store.clone(), samples.photos.clone(), preprocess.clone(), options)?;
    let mut counts = Counts::default();
    for batch in loader.epoch(0, 0) {
        if monitor.cancelled() {
            return Ok(None);
        }
        let batch: Batch = batch?;
        for photo in &batch.failed {
            monitor.failed(photo);
            counts.failed();
        }
        if batch.rows.is_empty() {
            continue;
        }
        let activations = backend.forward(&batch.pixels)?;
        for (at, &row) in batch.rows.iter().enumerate() {
            let class = samples.classes[row].map(|class| class.0);
            counts.photo(activations.logits_of(at), class, samples.positions[row], partition);
        }
    }
    Ok(Some(counts.finish(partition.len())))
}

impl Counts {
    /// A photo that could not be decoded.
    pub(crate) fn failed(&mut self) {
        self.photos += 1;
        self.failed += 1;
        self.accuracy.add([]);
    }

    /// A photo with its scores.
    pub(crate) fn photo(
        &mut self,
        logits: &[f32],
        class: Option<u32>,
        truth: LatLng,
        partition: &Partition,
    ) {
        self.photos += 1;
        if let Some(class) = class {
            let it = loss::cross_entropy(&mut logits.to_vec(), class, 0.0, 0.0);
            self.inside += 1;
            self.loss += f64::from(it.loss);
            self.cell[0] += usize::from(it.rank == 0);
            self.cell[1] += usize::from((it.rank as usize) < GUESSES);
            if self.targets.len() < MOST_PHOTOS && self.logits.len() + logits.len() <= MOST_LOGITS {
                self.logits.extend_from_slice(logits);
                self.targets.push(class as f32);
            }
        }
        let guesses = best(logits).into_iter();
        let points = guesses.filter_map(|class| partition.point(planet_geo::ClassId(class)));
        self.accuracy.add(points.map(|point| point.distance_to(truth)));
    }

    /// The shares, over a partition of so many classes.
    pub(crate) fn finish(self, classes: usize) -> Validation {
        let share = |count: usize| count as f64 / self.photos.max(1) as f64;
        let scores = Scores {
            photos: self.photos,
            failed: self.failed,
            loss: self.loss / self.inside.max(1) as f64,
            cell_1: share(self.cell[0]),
            cell_5: share(self.cell[1]),
            within_1: self.accuracy.shares(1),
            within_5: self.accuracy.shares(GUESSES),
        };
        let kept = self.targets.len();
        let logits = [
            ("logits".to_owned(), Array::new(vec![kept, classes], self.logits)),
            ("targets".to_owned(), Array::new(vec![kept], self.targets)),
        ];
        Validation { scores, logits: logits.into_iter().collect() }
    }
}

/// The classes with the highest scores, best first; equal ones in class order.
fn best(logits: &[f32]) -> Vec<u32> {
    let mut best: Vec<u32> = Vec::with_capacity(GUESSES + 1);
    for (class, score) in (0..).zip(logits) {
        if best.len() == GUESSES && logits[best[GUESSES - 1] as usize] >= *score {
            continue;
        }
        let place = best.partition_point(|other| logits[*other as usize] >= *score);
        best.insert(place, class);
        best.truncate(GUESSES);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_five_come_in_order_and_ties_in_class_order() {
        assert_eq!(best(&[1.0, 5.0, 3.0, 5.0, 0.0, 4.0, 3.0]), [1, 3, 5, 2, 6]);
        assert_eq!(best(&[1.0, 2.0]), [1, 0]);
    }
}
