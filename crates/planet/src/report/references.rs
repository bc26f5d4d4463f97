use std::collections::BTreeMap;

use planet_data::{DataError, Monitor, PhotoRecord};
use planet_geo::{CeilingCounter, LatLng, Partition, Scale};
use serde::Serialize;

use crate::evaluation::{Interval, Leakage, NearDuplicates, Score};

/// Positions that a ceiling is counted for at a time.
const BATCH: usize = 1 << 16;

/// Shares within the five scales that are no score of these predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Whose they are.
    pub name: String,
    /// The shares, 0..=1.
    pub within: [f64; 5],
    /// Their 95 % intervals, where they were measured.
    pub interval: Option<[Interval; 5]>,
    /// Median error in km of each category, where categories were scored.
    pub medians: Vec<(String, Option<f64>)>,
}

/// What it takes to locate photos by one method.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The method.
    pub name: String,
    /// Photos of its index; `None` for a model, which does not grow with the photos it has seen.
    pub photos: Option<u64>,
    /// Bytes of its index, or of its weights.
    pub bytes: u64,
    /// Bytes that each photo adds to the index.
    pub bytes_per_photo: Option<f64>,
    /// Seconds per photo that is located, on this machine.
    pub seconds: f64,
    /// Seconds of these that the search in the index takes.
    pub search_seconds: Option<f64>,
}

impl Cost {
    /// Seconds that a search takes for each photo of the index.
    pub fn search_per_photo(&self) -> Option<f64> {
        Some(self.search_seconds? / self.photos?.max(1) as f64)
    }
}

/// What a score is compared with: bounds, ideals and baselines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct References {
    /// Shares within the scales.
    pub scales: Vec<Reference>,
    /// Names and shares of correct cells, 0..=1.
    pub cells: Vec<(String, f64)>,
    /// Log loss of the exact posterior of a synthetic earth, in nats: the least that a model can reach.
    pub log_loss: Option<f64>,
    /// The same of the photos of each category.
    pub category_log_losses: BTreeMap<String, f64>,
    /// Memory and time of the methods, where they were measured.
    pub costs: Vec<Cost>,
}

impl References {
    /// The name of the baseline that always answers with the cell of most training photos.
    pub const MOST_FREQUENT: &str = "always the most frequent cell";

    /// Adds shares within the scales.
    pub fn push(&mut self, name: &str, within: [f64; 5]) {
        let name = name.to_owned();
        self.scales.push(Reference { name, within, interval: None, medians: Vec::new() });
    }

    /// Adds the score of another system on the same photos.
    pub fn push_score(&mut self, name: &str, score: &Score) {
        let medians = score.categories.iter().map(|it| (it.name.clone(), it.median_km));
        self.scales.push(Reference {
            name: name.to_owned(),
            within: score.within[0],
            interval: score.within_interval,
            medians: medians.collect(),
        });
    }

    /// The shares within the scales of this name.
    pub fn within(&self, name: &str) -> Option<[f64; 5]> {
        self.scales.iter().find(|it| it.name == name).map(|it| it.within)
    }

    /// Adds what the partition allows on photos taken at these positions: the point of each
    /// photo's own cell, and the nearest point of any cell.
    pub fn push_bounds(&mut self, partition: &Partition, positions: impl Iterator<Item = LatLng>) {
        let mut counter = CeilingCounter::new(partition);
        let mut batch = Vec::with_capacity(BATCH);
        for position in positions {
            batch.push(position);
            if batch.len() == BATCH {
                counter.extend(&batch);
                batch.clear();
            }
        }
        counter.extend(&batch);
        let ceiling = counter.finish();
        self.push("always the right cell", ceiling.own_shares());
        self.push("ceiling: any cell's point", ceiling.any_shares());
    }

    /// Adds the baseline that always answers with the cell of most training photos; `photos` gives
    /// the number of a class's training photos.
    pub fn push_most_frequent(
        &mut self,
        partition: &Partition,
        photos: impl Fn(usize) -> u64,
        positions: impl Iterator<Item = LatLng>,
    ) {
        let classes = (0..partition.len() as u32).map(planet_geo::ClassId);
        let counted = classes.filter_map(|class| {
            let point = partition.point(class)?;
            Some((photos(class.index()), std::cmp::Reverse(class), point))
        });
        let most = counted.max_by_key(|(count, class, _)| (*count, *class));
        let Some((_, _, point)) = most else { return };
        let (mut photos, mut within) = (0u64, [0u64; 5]);
        for position in positions {
            photos += 1;
            let distance = point.distance_to(position);
            for (count, scale) in within.iter_mut().zip(Scale::ALL) {
                *count += u64::from(distance <= scale.radius());
            }
        }
        let share = |count: u64| count as f64 / photos.max(1) as f64;
        self.push(Self::MOST_FREQUENT, within.map(share));
    }

    /// Adds the baselines that know the training photos' positions: their most frequent cell,
    /// where there is a partition, and the nearest of them. Returns what the test photos share
    /// with them.
    ///
    /// # Errors
    /// The monitor ended it.
    pub fn push_training(
        &mut self,
        partition: Option<&Partition>,
        training: &[PhotoRecord],
        test: &[PhotoRecord],
        near_duplicates: &NearDuplicates,
        monitor: &dyn Monitor,
    ) -> Result<Leakage, DataError> {
        let leakage = Leakage::of(training, test, near_duplicates, monitor)?;
        let positions = |records: &[PhotoRecord]| -> Vec<LatLng> {
            records.iter().filter_map(|record| record.position).collect()
        };
        if let Some(partition) = partition {
            let mut counts = vec![0; partition.len()];
            for class in positions(training).into_iter().filter_map(|at| partition.class_of(at)) {
                counts[class.index()] += 1;
            }
            let positions = positions(test).into_iter();
            self.push_most_frequent(partition, |class| counts[class], positions);
        }
        self.push("nearest training photo", leakage.nearest());
        Ok(leakage)
    }
}
