use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use rayon::prelude::*;

use super::{LONGEST_SIDE, LocalFeatureIndex, LocalFeatures, LocalMatch};
use crate::{
    Code, DataError, Decoding, FailedPhoto, Fit, Monitor, PhotoStore, Preprocess, near_pairs,
    perceptual_hash,
};

/// Photos that are worked on before the monitor is asked again.
const CHUNK: usize = 64;
/// Photos whose features are kept at a time: 1.8 GB.
const BLOCK: usize = 50_000;

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
/// heavily, little but the hash is left. Without `b`, pairs within `a`, with `a` before `b`. Of photos of
/// `a` whose hashes are equal, the first one stands for all where only hashes are near.
///
/// The features of up to 50,000 photos of the shorter list are kept in memory, about 36 kB for each. If it is
/// longer, the photos of the other list (within one list: the later ones) are decoded once for each 50,000.
/// Photos that cannot be decoded go to `failed`.
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
    near_photos_by_blocks(a, b, distance, BLOCK, monitor, failed)
}

fn near_photos_by_blocks(
    a: PhotoList<'_>,
    b: Option<PhotoList<'_>>,
    distance: u32,
    block: usize,
    monitor: &dyn Monitor,
    failed: &mut Vec<FailedPhoto>,
) -> Result<Vec<NearPhotos>, DataError> {
    let is_swapped = b.is_some_and(|b| b.photos.len() < a.photos.len());
    let (kept, other) = match b {
        Some(b) if is_swapped => (b, Some(a)),
        _ => (a, b),
    };
    let all = kept.photos.len();
    let blocks: Vec<Range<usize>> = ranges(0..all, block).collect();
    let streamed = |of: &Range<usize>| other.map_or(of.end..all, |other| 0..other.photos.len());
    // Within one list, each photo is also looked for in its own block.
    let again = if other.is_none() { all } else { 0 };
    let steps = all + again + blocks.iter().map(|of| streamed(of).len()).sum::<usize>();
    monitor.expect(steps as u64);
    // The hashes of photos that can be decoded, by their places in the list.
    let [mut known, mut hashes] = [BTreeMap::new(), BTreeMap::new()];
    // By the places in the list that is streamed, then in the one that is kept.
    let mut shares: Vec<([usize; 2], f32)> = Vec::new();
    for of in blocks {
        let (mut places, mut features) = (Vec::new(), Vec::new());
        for chunk in ranges(of.clone(), CHUNK) {
            for (place, (of_photo, hash)) in kept.known(chunk, monitor, failed)? {
                known.insert(place, hash);
                places.push(place);
                features.push(of_photo);
            }
        }
        let index = LocalFeatureIndex::new(features);
        let mut add = |of: usize, found: Vec<LocalMatch>| {
            shares.extend(found.iter().map(|it| ([of, places[it.photo]], it.share())));
        };
        if other.is_none() {
            for chunk in ranges(0..index.len(), CHUNK) {
                if monitor.cancelled() {
                    return Err(DataError::Cancelled);
                }
                let found: Vec<_> =
                    chunk.clone().into_par_iter().map(|at| index.duplicates_before(at)).collect();
                monitor.advance(chunk.len() as u64);
                chunk.zip(found).for_each(|(at, found)| add(places[at], found));
            }
        }
        for chunk in ranges(streamed(&of), CHUNK) {
            // What cannot be decoded is told once: within one list when the photo's own block is read.
            let (list, failed) = match other {
                Some(other) if of.start == 0 => (other, &mut *failed),
                Some(other) => (other, &mut Vec::new()),
                None => (kept, &mut Vec::new()),
            };
            let of_photos = list.known(chunk, monitor, failed)?;
            let search = |(_, (features, _)): &(usize, Known)| index.search(features);
            let found: Vec<_> = of_photos.par_iter().map(search).collect();
            for ((place, (_, hash)), found) in of_photos.into_iter().zip(found) {
                hashes.insert(place, hash);
                add(place, found);
            }
        }
    }
    let hashes = if other.is_some() { &hashes } else { &known };
    let [of_a, of_b] = if is_swapped { [hashes, &known] } else { [&known, hashes] };
    let pair = |([of, at], share): ([usize; 2], f32)| {
        let [a, b] = if is_swapped { [of, at] } else { [at, of] };
        NearPhotos { a, b, distance: of_a[&a].distance(of_b[&b]), share: Some(share) }
    };
    let mut pairs: Vec<NearPhotos> = shares.into_iter().map(pair).collect();
    let by_features: HashSet<[usize; 2]> = pairs.iter().map(|it| [it.a, it.b]).collect();
    let [(places_a, hashes_a), (places_b, hashes_b)]: [(Vec<usize>, Vec<Code>); 2] =
        [of_a, of_b].map(|it| it.iter().map(|(place, hash)| (*place, *hash)).unzip());
    for pair in near_pairs(&hashes_a, &hashes_b, distance, monitor)? {
        let [a, b] = [places_a[pair.a], places_b[pair.b]];
        let is_pair = other.is_some() || a < b;
        if is_pair && !by_features.contains(&[a, b]) {
            pairs.push(NearPhotos { a, b, distance: pair.distance, share: None });
        }
    }
    pairs.sort_by_key(|pair| (pair.b, pair.a));
    Ok(pairs)
}

/// What is known of one photo.
type Known = (LocalFeatures, Code);

/// A range cut into pieces of this length; the last one may be shorter.
fn ranges(of: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    of.clone().step_by(length).map(move |start| start..(start + length).min(of.end))
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

#[cfg(test)]
mod tests {
    use super::{super::tests::drawn, *};
    use crate::{Edit, NoMonitor, Photo, PhotoError};

    /// Photos by name: "3" and "3 crop" show the same, and "damaged" is none.
    struct Drawn;

    impl PhotoStore for Drawn {
        fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
            let (seed, edit) = id.split_once(' ').unwrap_or((id, ""));
            let photo = drawn(seed.parse().map_err(|_| PhotoError::Empty)?, [240, 180]);
            let edits = [("crop", Edit::Crop, 0.3), ("blur", Edit::Blur, 0.02)];
            let edit = edits.iter().find(|(name, ..)| *name == edit);
            Ok(edit.map_or(photo.clone(), |(_, edit, much)| edit.apply(&photo, *much, 1)))
        }
    }

    fn ids(text: &str) -> Vec<String> {
        text.split(", ").map(str::to_owned).collect()
    }

    #[test]
    fn blocks_change_nothing() {
        let many = ids("0, 1, 2 blur, damaged, 3, 1 crop, 2, 4, 0 crop");
        let few = ids("2 blur, 5, damaged, 2 blur, 4 crop, 1");
        let [many, few] = [&many, &few].map(|photos| PhotoList { store: &Drawn, photos });
        for (a, b, pairs, damaged) in [
            (many, None, vec![[1, 5], [2, 6], [0, 8]], 1),
            (many, Some(few), vec![[2, 0], [6, 0], [2, 3], [6, 3], [7, 4], [1, 5], [5, 5]], 2),
            (few, Some(many), vec![[5, 1], [0, 2], [3, 2], [5, 5], [0, 6], [4, 7]], 2),
        ] {
            let near = |block| {
                let mut failed = Vec::new();
                let found = near_photos_by_blocks(a, b, 47, block, &NoMonitor, &mut failed);
                (found.expect("not cancelled"), failed.len())
            };
            let (found, failed) = near(100);
            assert_eq!(found.iter().map(|it| [it.a, it.b]).collect::<Vec<_>>(), pairs);
            assert_eq!(failed, damaged);
            for block in [1, 2, 4] {
                assert_eq!(near(block), (found.clone(), failed), "blocks of {block}");
            }
        }
    }
}
