use std::{collections::BTreeMap, ops::Range};

use rayon::prelude::*;

use super::{LONGEST_SIDE, LocalFeatureIndex, LocalFeatures, LocalMatch};
use crate::{
    Code, DataError, Decoding, FailedPhoto, Fit, Monitor, PhotoStore, Preprocess, near_pairs,
    perceptual_hash,
};

/// Photos that are worked on before the monitor is asked again.
const CHUNK: usize = 64;

/// Photos that are compared, by their ids in a store.
#[derive(Clone, Copy)]
pub struct PhotoList<'a> {
    /// Where the photos come from.
    pub store: &'a dyn PhotoStore,
    /// Their ids.
    pub photos: &'a [String],
}

/// Two photos that are near-duplicates: places in the two lists that were compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearPhotos {
    /// Place in the first list.
    pub a: usize,
    /// Place in the second list.
    pub b: usize,
    /// Bits in which their perceptual hashes differ.
    pub distance: u32,
    /// Share of the blocks in which they show the same, 0..=1; `None` where only their hashes are near.
    pub share: Option<f32>,
}

/// Every pair of a photo of `a` and one of `b` that are near-duplicates, by local features or by perceptual
/// hashes within `distance` bits, ordered by `b`, then `a`: of a photo that was blurred or compressed
/// heavily, little but the hash is left. Without `b`, pairs within `a`, with `a` before `b`.
///
/// Every photo is decoded once; those that cannot be go to `failed`. The features of the shorter list are
/// kept in memory, about 36 kB for each photo; the other list may be of any length.
///
/// # Errors
/// Cancelled.
///
/// # Panics
/// When `distance` is above [`crate::GREATEST_DISTANCE`].
pub fn near_photos(
    a: PhotoList<'_>,
    b: Option<PhotoList<'_>>,
    distance: u32,
    monitor: &dyn Monitor,
    failed: &mut Vec<FailedPhoto>,
) -> Result<Vec<NearPhotos>, DataError> {
    monitor.expect((a.photos.len() + b.map_or(a, |b| b).photos.len()) as u64);
    let is_swapped = b.is_some_and(|b| b.photos.len() < a.photos.len());
    let (kept, other) = match b {
        Some(b) if is_swapped => (b, Some(a)),
        _ => (a, b),
    };
    let (mut known, mut features) = (Hashes::default(), Vec::new());
    for chunk in chunks(kept.photos.len()) {
        for (place, of_photo) in kept.known(chunk, monitor, failed)? {
            known.places.push(place);
            known.hashes.push(of_photo.1);
            features.push(of_photo.0);
        }
    }
    let index = LocalFeatureIndex::new(features);
    // By the places in the list that is streamed, then in the one that is kept.
    let mut shares: BTreeMap<[usize; 2], Option<f32>> = BTreeMap::new();
    let mut add = |of: usize, found: Vec<LocalMatch>| {
        shares.extend(found.iter().map(|it| ([of, it.photo], Some(it.share()))));
    };
    let mut streamed = Hashes::default();
    match other {
        None => {
            for chunk in chunks(index.len()) {
                if monitor.cancelled() {
                    return Err(DataError::Cancelled);
                }
                let found: Vec<_> =
                    chunk.clone().into_par_iter().map(|at| index.duplicates_before(at)).collect();
                monitor.advance(chunk.len() as u64);
                chunk.zip(found).for_each(|(at, found)| add(at, found));
            }
        }
        Some(other) => {
            for chunk in chunks(other.photos.len()) {
                let of_photos = other.known(chunk, monitor, failed)?;
                let search = |(_, (features, _)): &(usize, Known)| index.search(features);
                let found: Vec<_> = of_photos.par_iter().map(search).collect();
                for ((place, (_, hash)), found) in of_photos.into_iter().zip(found) {
                    add(streamed.places.len(), found);
                    streamed.places.push(place);
                    streamed.hashes.push(hash);
                }
            }
        }
    }
    let streamed = if other.is_some() { &streamed } else { &known };
    for pair in near_pairs(&known.hashes, &streamed.hashes, distance, monitor)? {
        if other.is_some() || pair.a < pair.b {
            shares.entry([pair.b, pair.a]).or_insert(None);
        }
    }
    let pair = |([of, at], share): ([usize; 2], Option<f32>)| {
        let distance = known.hashes[at].distance(streamed.hashes[of]);
        let [a, b] = [known.places[at], streamed.places[of]];
        let [a, b] = if is_swapped { [b, a] } else { [a, b] };
        NearPhotos { a, b, distance, share }
    };
    let mut pairs: Vec<NearPhotos> = shares.into_iter().map(pair).collect();
    pairs.sort_by_key(|pair| (pair.b, pair.a));
    Ok(pairs)
}

/// The photos that can be decoded: their places in the list, and their perceptual hashes.
#[derive(Default)]
struct Hashes {
    places: Vec<usize>,
    hashes: Vec<Code>,
}

/// What is known of one photo.
type Known = (LocalFeatures, Code);

fn chunks(photos: usize) -> impl Iterator<Item = Range<usize>> {
    (0..photos).step_by(CHUNK).map(move |start| start..(start + CHUNK).min(photos))
}

impl PhotoList<'_> {
    /// What is known of some of the photos, with their places.
    fn known(
        &self,
        chunk: Range<usize>,
        monitor: &dyn Monitor,
        failed: &mut Vec<FailedPhoto>,
    ) -> Result<Vec<(usize, Known)>, DataError> {
        if monitor.cancelled() {
            return Err(DataError::Cancelled);
        }
        let steps = chunk.len() as u64;
        let side = LONGEST_SIDE as usize;
        // For a size that a photo may be reduced to before.
        let preprocess = Preprocess {
            fit: Fit::Squash,
            decoding: Decoding::Reduced,
            ..Preprocess::inception(side)
        };
        let known = |row: usize| {
            let photo = self.photos[row].clone();
            let decoded = self.store.photo_for(&photo, &preprocess);
            let of = |it| (row, (LocalFeatures::of(&it), perceptual_hash(&it)));
            decoded.map(of).map_err(|error| FailedPhoto { row, photo, error })
        };
        let known: Vec<_> = chunk.into_par_iter().map(known).collect();
        monitor.advance(steps);
        let sorted = known.into_iter().filter_map(|it| it.map_err(|it| failed.push(it)).ok());
        Ok(sorted.collect())
    }
}
