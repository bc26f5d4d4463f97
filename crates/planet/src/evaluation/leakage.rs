use std::{borrow::Cow, collections::HashSet};

use planet_data::{Code, DEFAULT_DISTANCE, DataError, Monitor, PhotoRecord, near_pairs};
use planet_geo::{Distance, LatLng, PointIndex, Scale};
use rayon::prelude::*;
use serde::Serialize;

/// What a test photo may share with the training photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeakageKind {
    /// It looks like one of them, by perceptual hash, learned code or local features.
    NearDuplicate,
    /// Its author took one of them.
    Author,
    /// Its album holds one of them.
    Album,
    /// One of them was taken within 1 km.
    Place,
}

impl LeakageKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NearDuplicate, Self::Author, Self::Album, Self::Place];

    /// For tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NearDuplicate => "near-duplicate of a training photo",
            Self::Author => "author of a training photo",
            Self::Album => "album of a training photo",
            Self::Place => "within 1 km of a training photo",
        }
    }
}

/// The codes by which test photos are compared with training photos, in the order of the records;
/// `None` where a photo has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedCodes {
    /// Codes of the training photos.
    pub training: Vec<Option<Code>>,
    /// Codes of the test photos.
    pub test: Vec<Option<Code>>,
    /// Greatest number of bits in which near-duplicates differ.
    pub distance: u32,
}

impl ComparedCodes {
    /// The perceptual hashes of manifests (`planet dataset enrich --hash`).
    fn perceptual(training: &[PhotoRecord], test: &[PhotoRecord]) -> Self {
        let hashes = |records: &[PhotoRecord]| {
            let hash = |record: &PhotoRecord| record.perceptual_hash.as_ref()?.parse().ok();
            records.iter().map(hash).collect()
        };
        Self { training: hashes(training), test: hashes(test), distance: DEFAULT_DISTANCE }
    }

    /// Places of the test photos that look like a training photo; `None` where there are no codes to
    /// tell by.
    fn near_duplicates(&self, monitor: &dyn Monitor) -> Result<Option<HashSet<usize>>, DataError> {
        let known = |codes: &[Option<Code>]| -> (Vec<usize>, Vec<Code>) {
            codes.iter().enumerate().filter_map(|(at, code)| Some((at, (*code)?))).unzip()
        };
        let ((_, training), (places, test)) = (known(&self.training), known(&self.test));
        if training.is_empty() || test.is_empty() {
            return Ok(None);
        }
        let pairs = near_pairs(&training, &test, self.distance, monitor)?;
        Ok(Some(pairs.into_iter().map(|pair| places[pair.b]).collect()))
    }
}

/// By what it is known which test photos look like a training photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NearDuplicates {
    /// Codes that are compared.
    Codes(ComparedCodes),
    /// These test photos, by their places in the records, were found to look like one.
    Found(HashSet<usize>),
}

impl NearDuplicates {
    /// The perceptual hashes of manifests (`planet dataset enrich --hash`).
    pub fn by_hashes(training: &[PhotoRecord], test: &[PhotoRecord]) -> Self {
        Self::Codes(ComparedCodes::perceptual(training, test))
    }

    /// Places of the test photos that look like a training photo; `None` where nothing tells.
    fn places(&self, monitor: &dyn Monitor) -> Result<Option<Cow<'_, HashSet<usize>>>, DataError> {
        match self {
            Self::Codes(codes) => Ok(codes.near_duplicates(monitor)?.map(Cow::Owned)),
            Self::Found(places) => Ok(Some(Cow::Borrowed(places))),
        }
    }
}

/// What test photos share with training photos: what a model may remember instead of tell.
#[derive(Clone, Debug)]
pub struct Leakage {
    /// For each test photo, whether it shares this, by [`LeakageKind::ALL`].
    shared: Vec<[bool; 4]>,
    /// Which kinds could be searched for: hashes, authors and albums may be unknown.
    known: [bool; 4],
    /// Share of the test photos with a position whose nearest training photo lies within the
    /// five scales.
    nearest: [f64; 5],
}

impl Leakage {
    /// Looks for what test photos share with training photos.
    ///
    /// # Errors
    /// Cancelled.
    pub fn of(
        train: &[PhotoRecord],
        test: &[PhotoRecord],
        near_duplicates: &NearDuplicates,
        monitor: &dyn Monitor,
    ) -> Result<Self, DataError> {
        let authors = names(train, |record| record.author.clone());
        // An album's name alone ("2014") says nothing: it counts with its author.
        let album = |record: &PhotoRecord| Some((record.author.clone(), record.album.clone()?));
        let albums = names(train, album);
        let alike = near_duplicates.places(monitor)?;
        let places = PointIndex::new(train.iter().filter_map(|record| record.position));
        let positions: Vec<LatLng> = train.iter().filter_map(|record| record.position).collect();
        let distances: Vec<Option<Distance>> = test
            .par_iter()
            .map(|record| {
                let position = record.position?;
                let nearest = places.nearest(position)?;
                Some(position.distance_to(positions[nearest as usize]))
            })
            .collect();
        let shared = test
            .iter()
            .zip(&distances)
            .enumerate()
            .map(|(place, (record, distance))| {
                [
                    alike.as_ref().is_some_and(|alike| alike.contains(&place)),
                    record.author.as_ref().is_some_and(|author| authors.contains(author)),
                    album(record).is_some_and(|album| albums.contains(&album)),
                    distance.is_some_and(|distance| distance <= Scale::Street.radius()),
                ]
            })
            .collect();
        let with_position = test.iter().filter(|record| record.position.is_some()).count();
        let nearest = Scale::ALL.map(|scale| {
            let near = distances.iter().flatten().filter(|it| **it <= scale.radius()).count();
            near as f64 / with_position.max(1) as f64
        });
        let known = [
            alike.is_some(),
            !authors.is_empty() && test.iter().any(|record| record.author.is_some()),
            !albums.is_empty() && test.iter().any(|record| record.album.is_some()),
            !positions.is_empty(),
        ];
        Ok(Self { shared, known, nearest })
    }

    /// Test photos that share this with training photos; `None` where that cannot be known.
    pub fn count(&self, kind: LeakageKind) -> Option<u64> {
        let at = kind as usize;
        self.known[at].then(|| self.shared.iter().filter(|shared| shared[at]).count() as u64)
    }

    /// Whether a test photo shares nothing, by its place in the list.
    pub fn is_clean(&self, place: usize) -> bool {
        self.shared[place] == [false; 4]
    }

    /// Share of the test photos whose nearest training photo lies within the five scales: what
    /// a search for it would reach.
    pub fn nearest(&self) -> [f64; 5] {
        self.nearest
    }
}

fn names<T: Eq + std::hash::Hash>(
    records: &[PhotoRecord],
    name: impl Fn(&PhotoRecord) -> Option<T>,
) -> HashSet<T> {
    records.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use planet_data::NoMonitor;

    use super::*;

    fn of(train: &[PhotoRecord], test: &[PhotoRecord]) -> Result<Leakage, DataError> {
        Leakage::of(train, test, &NearDuplicates::by_hashes(train, test), &NoMonitor)
    }

    fn photo(author: &str, album: &str, lat: f64, hash: &str) -> PhotoRecord {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        PhotoRecord {
            position: LatLng::new(lat, 0.0).ok(),
            author: some(author),
            album: some(album),
            perceptual_hash: some(hash),
            ..PhotoRecord::default()
        }
    }

    #[test]
    fn what_is_shared_is_counted_and_what_cannot_be_known_is_not() {
        let hash = "0f".repeat(32);
        let train = [photo("ann", "2014", 10.0, &hash), photo("bob", "", 20.0, "")];
        let test = [
            photo("ann", "2015", 40.0, ""),
            photo("cat", "2014", 10.001, ""),
            photo("dan", "", 60.0, &hash),
            photo("eve", "", 11.0, ""),
        ];
        let leakage = of(&train, &test).expect("not cancelled");
        let counts = LeakageKind::ALL.map(|kind| leakage.count(kind));
        assert_eq!(counts, [Some(1), Some(1), Some(0), Some(1)]);
        let clean: Vec<bool> = (0..4).map(|place| leakage.is_clean(place)).collect();
        assert_eq!(clean, [false, false, false, true]);
        assert_eq!(leakage.nearest(), [0.25, 0.25, 0.5, 0.5, 0.75]);
        let found = NearDuplicates::Found(HashSet::from([1, 3]));
        let known = Leakage::of(&train, &test, &found, &NoMonitor).expect("not cancelled");
        assert_eq!(known.count(LeakageKind::NearDuplicate), Some(2));
        assert!(!known.is_clean(3));
        let bare = [photo("", "", 1.0, "")];
        let leakage = of(&bare, &bare).expect("not cancelled");
        let counts = LeakageKind::ALL.map(|kind| leakage.count(kind));
        assert_eq!(counts, [None, None, None, Some(1)]);
    }
}
