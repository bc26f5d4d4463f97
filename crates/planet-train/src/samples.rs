use std::sync::Arc;

use planet_data::{PhotoRecord, PhotoStore};
use planet_geo::{ClassId, LatLng, Partition};

use crate::TrainError;

/// Photos with known positions, and where they can be had.
#[derive(Clone)]
pub struct Samples {
    pub(crate) store: Arc<dyn PhotoStore>,
    pub(crate) photos: Vec<String>,
    pub(crate) positions: Vec<LatLng>,
    /// `None` outside every cell.
    pub(crate) classes: Vec<Option<ClassId>>,
    /// Photos of the manifest that nobody knows the place of.
    without_position: usize,
}

impl Samples {
    /// The photos of some records that have a position, each with its class.
    pub fn new(
        store: Arc<dyn PhotoStore>,
        records: impl IntoIterator<Item = PhotoRecord>,
        partition: &Partition,
    ) -> Self {
        let mut samples = Self {
            store,
            photos: Vec::new(),
            positions: Vec::new(),
            classes: Vec::new(),
            without_position: 0,
        };
        for record in records {
            // An estimate is nothing to learn from.
            let Some(position) = record.known_position() else {
                samples.without_position += 1;
                continue;
            };
            samples.photos.push(record.photo);
            samples.positions.push(position);
            samples.classes.push(partition.class_of(position));
        }
        samples
    }

    /// Photos with a position.
    pub fn len(&self) -> usize {
        self.photos.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// Photos that have no position.
    pub fn without_position(&self) -> usize {
        self.without_position
    }

    /// Photos outside every cell.
    pub fn outside(&self) -> usize {
        self.classes.iter().filter(|class| class.is_none()).count()
    }

    /// The first so many.
    #[must_use]
    pub fn first(mut self, count: usize) -> Self {
        self.photos.truncate(count);
        self.positions.truncate(count);
        self.classes.truncate(count);
        self
    }

    /// The photos inside a cell, and their classes. Those outside are left out, as in the paper:
    /// they have no class to learn.
    ///
    /// # Errors
    /// Nothing is left.
    pub(crate) fn inside(&self) -> Result<(Vec<String>, Vec<u32>), TrainError> {
        let pairs = self.photos.iter().zip(&self.classes);
        let (photos, targets): (Vec<_>, Vec<_>) =
            pairs.filter_map(|(photo, class)| Some((photo.clone(), (*class)?.0))).unzip();
        if photos.is_empty() {
            let (outside, without_position) = (self.outside(), self.without_position);
            let photos = self.len() + without_position;
            return Err(TrainError::NoPhotos { photos, without_position, outside });
        }
        Ok((photos, targets))
    }
}
