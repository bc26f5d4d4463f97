use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use planet_data::{PhotoRecord, PhotoSketch, PhotoStore};
use planet_geo::{ClassId, LatLng, Partition};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::TrainError;

/// Photos with known positions, and where they can be had.
#[derive(Clone)]
pub struct Samples {
    pub(crate) store: Arc<dyn PhotoStore>,
    pub(crate) photos: Vec<String>,
    pub(crate) positions: Vec<LatLng>,
    /// `None` outside every cell.
    pub(crate) classes: Vec<Option<ClassId>>,
    /// A hash of each photo's album, where it has one.
    pub(crate) albums: Vec<Option<u64>>,
    /// Photos of the manifest without a position.
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
            albums: Vec::new(),
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
            samples.albums.push(record.album.as_deref().map(hash));
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

    /// So many of them at most: a random sample in which every class keeps its share. The same
    /// seed takes the same photos.
    #[must_use]
    pub fn sample(mut self, count: usize, seed: u64) -> Self {
        let rows = stratified(&self.classes, count, seed);
        self.photos = rows.iter().map(|row| std::mem::take(&mut self.photos[*row])).collect();
        self.positions = rows.iter().map(|row| self.positions[*row]).collect();
        self.classes = rows.iter().map(|row| self.classes[*row]).collect();
        self.albums = rows.iter().map(|row| self.albums[*row]).collect();
        self
    }

    /// Refuses validation photos that are among these, the training photos. Two photos are the same if their
    /// names and positions are.
    pub(crate) fn check_apart(&self, validation: &Self) -> Result<(), TrainError> {
        // A table of the validation photos, which are fewer.
        let theirs: HashSet<(&str, [u64; 2])> = validation.identities().collect();
        let found: HashSet<_> = self.identities().filter(|photo| theirs.contains(photo)).collect();
        let shared: Vec<_> =
            validation.identities().filter(|photo| found.contains(photo)).collect();
        match shared.first() {
            None => Ok(()),
            Some((photo, _)) => Err(TrainError::SharedPhotos {
                shared: shared.len(),
                photos: validation.len(),
                photo: (*photo).to_owned(),
            }),
        }
    }

    fn identities(&self) -> impl Iterator<Item = (&str, [u64; 2])> {
        let bits = |position: &LatLng| [position.lat().to_bits(), position.lng().to_bits()];
        self.photos.iter().map(String::as_str).zip(self.positions.iter().map(bits))
    }

    /// A sample of them by which they are recognised among others.
    pub(crate) fn sketch(&self) -> PhotoSketch {
        let names = self.photos.iter().map(String::as_str);
        PhotoSketch::of(names.zip(self.positions.iter().copied()))
    }

    /// Rows of the photos inside a cell. Those outside are left out, as in the paper: they have no
    /// class to learn.
    ///
    /// # Errors
    /// Nothing is left.
    pub(crate) fn inside(&self) -> Result<Vec<usize>, TrainError> {
        let rows: Vec<usize> = (0..self.len()).filter(|row| self.classes[*row].is_some()).collect();
        if rows.is_empty() {
            let (outside, without_position) = (self.outside(), self.without_position);
            let photos = self.len() + without_position;
            return Err(TrainError::NoPhotos { photos, without_position, outside });
        }
        Ok(rows)
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// At most `count` rows of these classes in ascending order: a random sample in which every class
/// has its share, to within one photo. All of them where there are no more.
pub(crate) fn stratified<C: Copy + Ord>(classes: &[C], count: usize, seed: u64) -> Vec<usize> {
    let all = classes.len();
    let mut rows: Vec<usize> = (0..all).collect();
    if count >= all {
        return rows;
    }
    rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    // Random within a class, and then at equal distances through all classes.
    rows.sort_by_key(|row| classes[*row]);
    let at = |k: usize| ((2 * k as u128 + 1) * all as u128 / (2 * count as u128)) as usize;
    let mut rows: Vec<usize> = (0..count).map(|k| rows[at(k)]).collect();
    rows.sort_unstable();
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_every_classs_share_whatever_the_order_of_the_photos() {
        // Sorted by class, as photos in folders by country are.
        let classes: Vec<u32> = (0..10_000).map(|row| row / 1000).collect();
        let rows = stratified(&classes, 200, 7);
        assert_eq!(rows.len(), 200);
        for class in 0..10 {
            let share = rows.iter().filter(|row| classes[**row] == class).count();
            assert_eq!(share, 20, "class {class}");
        }
        assert!(rows.is_sorted() && rows.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(rows, stratified(&classes, 200, 7));
        assert_ne!(rows, stratified(&classes, 200, 8));
        // Within a class no photo comes first because of its name.
        assert!(rows.iter().filter(|row| *row % 1000 >= 500).count() > 60);
        assert_eq!(stratified(&classes, 20_000, 7).len(), 10_000);
    }
}
