//! The index: the descriptors of many photos with their positions, in one mapped file.

mod build;
mod error;
mod format;
mod learn;
mod rows;
mod scale;

use std::{cmp::Ordering, fs::File, path::Path};

use memmap2::Mmap;
use planet_geo::LatLng;
use rayon::prelude::*;

use self::format::{Description, FORMAT, HEAD, Head, TAIL, Tail};
pub use self::{
    build::{IndexBuild, IndexSummary, IndexedPhoto},
    error::IndexError,
    format::UnreadPhoto,
};
use crate::{Dictionaries, Extractor, TextonDictionary, Version, Vocabulary};

/// An index that was built before. Its rows stay on disk until they are looked at.
pub struct Index {
    map: Mmap,
    version: Version,
    dictionaries: Dictionaries,
    /// What each descriptor's distance is multiplied by.
    weights: Vec<f32>,
    root: String,
    photos: Vec<String>,
    positions: Vec<LatLng>,
    /// Where the rows begin, in numbers of four bytes.
    begin: usize,
}

/// A photo of an index that is like a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Its row in the index.
    pub row: usize,
    /// Sum of the scaled distances of all descriptors.
    pub distance: f32,
}

impl Index {
    /// Opens an index, and reads all of it once to see whether it is whole.
    ///
    /// # Errors
    /// No index, one of another format or of an unknown version of the method, or one that is cut
    /// off or was changed.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let file = File::open(path).map_err(IndexError::file(path))?;
        let map = map(&file).map_err(IndexError::file(path))?;
        let Some(head) = Head::of(&map) else {
            return Err(IndexError::NotAnIndex { path: path.to_owned() });
        };
        if head.format != FORMAT {
            let (found, known) = (head.format, FORMAT);
            return Err(IndexError::Format { path: path.to_owned(), found, known });
        }
        let Some(version) = Version::of_year(head.version) else {
            return Err(IndexError::Version { path: path.to_owned(), found: head.version });
        };
        Self::of(map, head, version)
            .map_err(|what| IndexError::Damaged { path: path.to_owned(), what: what.to_owned() })
    }

    fn of(map: Mmap, head: Head, version: Version) -> Result<Self, &'static str> {
        const CUT: &str = "it is cut off";
        const CHANGED: &str = "its content does not match its hash";
        const ODD: &str = "its description does not match its rows";
        let (before, tail) = map.split_last_chunk::<TAIL>().ok_or(CUT)?;
        let tail = Tail::of(tail).ok_or(CUT)?;
        if *blake3::hash(&map[..map.len() - 32]).as_bytes() != tail.hash {
            return Err(CHANGED);
        }
        // What follows holds in every file that we wrote; the hash proves no author.
        let [at, length] = tail.description.map(|number| number as usize);
        let begin = head.begin();
        let rows = (tail.rows as usize).checked_mul(4 * (1 + version.values()));
        let sound = head.values as usize == version.values()
            && begin.is_multiple_of(4)
            && rows.and_then(|rows| rows.checked_add(begin)) == Some(at)
            && at.checked_add(length) == Some(before.len());
        if !sound {
            return Err(ODD);
        }
        let about: Description = serde_json::from_slice(&before[at..]).map_err(|_| ODD)?;
        let names = about.descriptors.iter().map(|it| (it.name, it.values));
        let photos = about.photos;
        let alike = names.eq(version.descriptors().iter().map(|it| (*it, it.values())))
            && [photos.len(), about.positions.len()].iter().all(|it| *it as u64 == tail.rows);
        if !alike || photos.is_empty() {
            return Err(ODD);
        }
        let position = |[lat, lng]: &[f64; 2]| LatLng::new(*lat, *lng).map_err(|_| ODD);
        let positions = about.positions.iter().map(position).collect::<Result<_, _>>()?;
        let weights = scale::weights(&about.descriptors);
        let (textons, words) = before[HEAD..begin].split_at(4 * 32 * head.textons as usize);
        let textons = TextonDictionary::from_centres(bytemuck::cast_slice(textons)).ok_or(ODD)?;
        let words = match words {
            [] => Vocabulary::default(),
            words => Vocabulary::from_bytes(words).ok_or(ODD)?,
        };
        let dictionaries = Dictionaries { textons, words };
        let (root, begin) = (about.root, begin / 4);
        Ok(Self { map, version, dictionaries, weights, root, photos, positions, begin })
    }

    /// The version of the method that it was built for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Folder that the photos' ids are relative to.
    pub fn root(&self) -> &Path {
        Path::new(&self.root)
    }

    /// Photos.
    pub fn len(&self) -> usize {
        self.photos.len()
    }

    /// Whether there are none; an index has at least one.
    pub fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// Id of a row's photo.
    pub fn photo(&self, row: usize) -> &str {
        &self.photos[row]
    }

    /// Where a row's photo was taken.
    pub fn position(&self, row: usize) -> LatLng {
        self.positions[row]
    }

    /// Descriptors of a row's photo, `[Version::values]`.
    pub fn row(&self, row: usize) -> &[f32] {
        let numbers: &[f32] = bytemuck::cast_slice(&self.map[..self.map.len() / 4 * 4]);
        let values = self.version.values();
        &numbers[self.begin + row * (1 + values) + 1..][..values]
    }

    /// What computes the descriptors of other photos as those of the index were.
    pub fn extractor(&self) -> Extractor {
        Extractor::new(self.version, self.dictionaries.clone())
    }

    /// Length of the file in bytes.
    pub fn bytes(&self) -> usize {
        self.map.len()
    }

    /// Bytes of the file for each photo; the dictionaries, which do not grow, excepted.
    pub fn bytes_per_photo(&self) -> f64 {
        (self.map.len() - 4 * self.begin) as f64 / self.len() as f64
    }

    /// What names the index: a hash of its content.
    pub fn fingerprint(&self) -> String {
        let hash = &self.map[self.map.len() - 32..];
        hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// How far two rows are apart: the sum of their descriptors' distances, each in standard
    /// deviations of that distance within the index.
    pub fn distance(&self, a: &[f32], b: &[f32]) -> f32 {
        let parts = self.version.parts(a).zip(self.version.parts(b)).zip(&self.weights);
        parts.map(|(((it, a), (_, b)), weight)| weight * it.distance(a, b)).sum()
    }

    /// The `k` photos nearest to descriptors `[Version::values]`, nearest first, among those
    /// that `allowed` names; equal ones in the index's order.
    pub fn neighbours(&self, query: &[f32], k: usize, allowed: Option<&[bool]>) -> Vec<Neighbour> {
        let mut all: Vec<Neighbour> = (0..self.len())
            .into_par_iter()
            .with_min_len(256)
            .filter(|row| allowed.is_none_or(|allowed| allowed[*row]))
            .map(|row| Neighbour { row, distance: self.distance(query, self.row(row)) })
            .collect();
        let nearer = |a: &Neighbour, b: &Neighbour| -> Ordering {
            a.distance.total_cmp(&b.distance).then(a.row.cmp(&b.row))
        };
        if k < all.len() {
            all.select_nth_unstable_by(k, nearer);
            all.truncate(k);
        }
        all.sort_unstable_by(nearer);
        all
    }
}

#[allow(
    unsafe_code,
    reason = "an index is larger than memory may be; it is replaced by renaming, never changed in \
              place, so the mapped bytes stay"
)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: see the reason above.
    unsafe { Mmap::map(file) }
}
