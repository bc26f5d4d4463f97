//! Four places and their partition, and somebody who watches a run.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use planet_data::{FailedPhoto, Monitor};
use planet_geo::{CellId, Class, ClassKind, LatLng, Partition, PartitionInfo};
use planet_train::{Epoch, Status, TrainMonitor};

/// Latitudes and longitudes.
pub const PLACES: [(f64, f64); 4] = [(48.0, 2.0), (35.0, 139.0), (-33.0, 151.0), (40.0, -74.0)];

pub fn at(place: usize) -> LatLng {
    LatLng::new(PLACES[place].0, PLACES[place].1).expect("a position")
}

pub fn partition() -> Partition {
    let class = |place: usize| {
        let cell = CellId::containing(at(place), planet_geo::Level::new(6).expect("a level"));
        let (mean, centre) = (Some(at(place)), Some(cell.centre()));
        Class { kind: ClassKind::Cells(vec![cell]), photos: 10, mean, centre, scatter: None }
    };
    Partition::new(PartitionInfo::default(), (0..PLACES.len()).map(class).collect())
        .expect("disjoint")
}

/// Ends the run after some steps, and keeps what it was told.
#[derive(Default)]
pub struct Watch {
    steps: AtomicUsize,
    most: Option<usize>,
    pub failed: Mutex<Vec<String>>,
}

impl Watch {
    pub fn until(steps: usize) -> Self {
        Self { most: Some(steps), ..Self::default() }
    }
}

impl Monitor for Watch {
    fn expect(&self, _: u64) {}

    fn advance(&self, _: u64) {}

    fn cancelled(&self) -> bool {
        self.most.is_some_and(|most| self.steps.load(Ordering::Relaxed) >= most)
    }
}

impl TrainMonitor for Watch {
    fn step(&self, _: &Status) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self, photo: &FailedPhoto) {
        self.failed.lock().expect("whole").push(photo.photo.clone());
    }

    fn epoch(&self, _: &Epoch) {}
}
