use std::borrow::Cow;

use planet::{Accuracy, GUESSES};
use planet_data::{Batch, Loader, LoaderOptions, Preprocess};
use planet_geo::{ClassId, LatLng, Partition};
use planet_net::{Array, Weights};
use serde::{Deserialize, Serialize};

use crate::{
    Backend, GroupError, ProcessGroup, Samples, TrainError, TrainMonitor, heads::Heads, loss,
    samples::stratified,
};

/// Numbers of scores that are kept for fitting a temperature: at most 50,000 photos, at most
/// half a gigabyte.
const MOST_LOGITS: usize = 1 << 27;
const MOST_PHOTOS: usize = 50_000;

/// How well the validation photos were located. Photos that could not be decoded stay in every
/// denominator but the loss's. For near-duplicates, `loss` is the mean share of bits in which edited
/// copies differ from their photos, `cell_1` the share of copies found at the threshold of the
/// configuration, and `cell_5` the same at that against 10,000 training photos.
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
    /// `logits` `[photos, classes]`, `targets` `[photos]` and `positions` `[photos, 2]` (degrees of
    /// latitude and longitude) of a sample of the photos inside a cell, which is the same after
    /// every epoch.
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
    positions: Vec<f32>,
}

/// Locates all validation photos, each rank its share of them; `None` where one was told to end.
#[allow(clippy::too_many_arguments, reason = "what is located, by what, how, and for whom")]
pub(crate) fn validate(
    backend: &mut dyn Backend,
    samples: &Samples,
    partition: &Partition,
    heads: Option<&Heads>,
    preprocess: &Preprocess,
    options: LoaderOptions,
    seed: u64,
    group: &ProcessGroup,
    monitor: &dyn TrainMonitor,
) -> Result<Option<Validation>, TrainError> {
    let loader =
        Loader::new(samples.store.clone(), samples.photos.clone(), preprocess.clone(), options)?;
    let mut counts = Counts::default();
    let kept = kept_rows(&samples.classes, partition.len(), seed);
    let mut cancelled = false;
    for batch in loader.epoch(0, 0) {
        if monitor.cancelled() {
            cancelled = true;
            break;
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
            let keep = kept.binary_search(&row).is_ok();
            let outputs = activations.logits_of(at);
            let logits = match heads {
                Some(heads) => Cow::Owned(heads.scores(outputs)),
                // Behind the scores there may be an embedding.
                None => Cow::Borrowed(&outputs[..partition.len()]),
            };
            counts.photo(&logits, class, samples.positions[row], partition, keep);
        }
    }
    let mut ended = [f64::from(u8::from(cancelled))];
    group.sum(&mut ended)?;
    if ended[0] > 0.0 {
        return Ok(None);
    }
    Ok(Some(counts.finish(partition.len(), group)?))
}

/// Runs the network over a loader's photos: `on_batch` gets the rows of those that can be decoded and the outputs,
/// `[rows, outputs]`. `None` where it was told to end.
pub(crate) fn each_output(
    backend: &mut dyn Backend,
    loader: &Loader,
    monitor: &dyn TrainMonitor,
    mut on_batch: impl FnMut(&[usize], &[f32]),
) -> Result<Option<()>, TrainError> {
    for batch in loader.epoch(0, 0) {
        if monitor.cancelled() {
            return Ok(None);
        }
        let batch: Batch = batch?;
        batch.failed.iter().for_each(|photo| monitor.failed(photo));
        if !batch.rows.is_empty() {
            on_batch(&batch.rows, &backend.forward(&batch.pixels)?.logits);
        }
    }
    Ok(Some(()))
}

/// Rows, in order, of the photos whose scores are kept: as many as a temperature needs and
/// memory holds, with each class's share. Photos outside every cell have no class to fit on.
pub(crate) fn kept_rows(photos: &[Option<ClassId>], classes: usize, seed: u64) -> Vec<usize> {
    let inside: Vec<usize> = (0..photos.len()).filter(|row| photos[*row].is_some()).collect();
    let of: Vec<Option<ClassId>> = inside.iter().map(|row| photos[*row]).collect();
    let most = MOST_PHOTOS.min(MOST_LOGITS / classes.max(1));
    stratified(&of, most, seed).into_iter().map(|at| inside[at]).collect()
}

impl Counts {
    /// A photo that could not be decoded.
    pub(crate) fn failed(&mut self) {
        self.photos += 1;
        self.failed += 1;
        self.accuracy.add([]);
    }

    /// A photo with its scores, which are kept for fitting a temperature where `keep` says so.
    pub(crate) fn photo(
        &mut self,
        logits: &[f32],
        class: Option<u32>,
        truth: LatLng,
        partition: &Partition,
        keep: bool,
    ) {
        self.photos += 1;
        if let Some(class) = class {
            let it = loss::cross_entropy(&mut logits.to_vec(), class, 0.0, 0.0);
            self.inside += 1;
            self.loss += f64::from(it.loss);
            self.cell[0] += usize::from(it.rank == 0);
            self.cell[1] += usize::from((it.rank as usize) < GUESSES);
            if keep {
                self.logits.extend_from_slice(logits);
                self.targets.push(class as f32);
                self.positions.extend([truth.lat(), truth.lng()].map(|degrees| degrees as f32));
            }
        }
        let guesses = best(logits).into_iter();
        let points = guesses.filter_map(|class| partition.point(planet_geo::ClassId(class)));
        self.accuracy.add(points.map(|point| point.distance_to(truth)));
    }

    /// The shares of all ranks' photos, over a partition of so many classes.
    pub(crate) fn finish(
        self,
        classes: usize,
        group: &ProcessGroup,
    ) -> Result<Validation, GroupError> {
        let scores = self.scores(group)?;
        let kept = self.targets.len();
        let logits = [
            ("logits".to_owned(), Array::new(vec![kept, classes], self.logits)),
            ("targets".to_owned(), Array::new(vec![kept], self.targets)),
            ("positions".to_owned(), Array::new(vec![kept, 2], self.positions)),
        ];
        Ok(Validation { scores, logits: logits.into_iter().collect() })
    }

    fn scores(&self, group: &ProcessGroup) -> Result<Scores, GroupError> {
        let photos = self.photos as f64;
        let counts = [self.photos, self.failed, self.inside, self.cell[0], self.cell[1]];
        let mut counts = counts.map(|count| count as f64);
        let mut loss = [self.loss];
        // Counts again, so that ranks can be added.
        let mut within =
            [1, GUESSES].map(|k| self.accuracy.shares(k).map(|share| (share * photos).round()));
        let [first, five] = &mut within;
        for sums in [&mut counts[..], &mut loss, first, five] {
            group.sum(sums)?;
        }
        let [photos, failed, inside, first, among_five] = counts;
        let share = |count: f64| count / photos.max(1.0);
        let [within_1, within_5] = within.map(|counts| counts.map(share));
        Ok(Scores {
            photos: photos as usize,
            failed: failed as usize,
            loss: loss[0] / inside.max(1.0),
            cell_1: share(first),
            cell_5: share(among_five),
            within_1,
            within_5,
        })
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
    fn scores_are_kept_of_all_classes_and_not_of_the_first_photos() {
        let photos: Vec<Option<ClassId>> =
            (0..120_000).map(|row| (row % 3 > 0).then_some(ClassId(row / 12_000))).collect();
        let rows = kept_rows(&photos, 10, 0);
        assert_eq!(rows.len(), MOST_PHOTOS);
        assert!(rows.iter().all(|row| photos[*row].is_some()));
        for class in 0..10 {
            let of = rows.iter().filter(|row| photos[**row] == Some(ClassId(class))).count();
            assert_eq!(of, MOST_PHOTOS / 10, "class {class}");
        }
        assert_eq!(kept_rows(&photos, MOST_LOGITS / 100, 0).len(), 100);
    }

    #[test]
    fn the_best_five_come_in_order_and_ties_in_class_order() {
        assert_eq!(best(&[1.0, 5.0, 3.0, 5.0, 0.0, 4.0, 3.0]), [1, 3, 5, 2, 6]);
        assert_eq!(best(&[1.0, 2.0]), [1, 0]);
    }
}
