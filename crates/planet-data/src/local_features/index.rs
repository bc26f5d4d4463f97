use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{
    Keypoint, LocalFeatures,
    alignment::{Correspondence, Similarity},
    comparison::{Agreement, compare},
    descriptor::Descriptor,
    orientation::Orientation,
};

/// Tables in which descriptors are looked up.
const TABLES: usize = 8;
/// Bits of a key: at least and at most.
const KEY_BITS: [u32; 2] = [14, 24];
/// Entries of one key that are compared; more are of a pattern that is everywhere.
const MOST_ENTRIES: usize = 64;
/// Greatest number of bits in which descriptors differ that make a photo a candidate.
const MOST_BITS: u32 = 24;
/// Candidates that are compared: those that share most descriptors. Photos that are much alike, as
/// drawn ones are, have thousands.
const MOST_CANDIDATES: usize = 64;
/// Least number of descriptors of a candidate that agree on an alignment: of those that made it one,
/// and of all.
const LEAST: usize = 3;
const LEAST_OF_CANDIDATE: usize = 5;
/// Greatest number of bits in which descriptors of one place of a candidate differ.
const MOST_BITS_OF_CANDIDATE: u32 = 44;

/// Photos in which near-duplicates are looked for, by their [`LocalFeatures`].
///
/// Descriptors are found by locality-sensitive hashing (Indyk and Motwani 1998): eight tables by
/// random bits. A copy shares many descriptors with its photo, so that those that are missed
/// matter little.
pub struct LocalFeatureIndex {
    photos: Vec<LocalFeatures>,
    /// All descriptors, and the photo and keypoint of each.
    descriptors: Vec<Descriptor>,
    places: Vec<(u32, u16)>,
    tables: Vec<Table>,
}

/// A photo that shows the same picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LocalMatch {
    /// Its place in the list that the index was made of.
    pub photo: usize,
    /// Blocks of 12 × 12 pixels, of its picture of 160 pixels, that were compared: those that show
    /// something and lie in both photos.
    pub compared: usize,
    /// Those that show the same.
    pub alike: usize,
}

impl LocalMatch {
    /// Share of the compared blocks that show the same, 0..=1.
    pub fn share(&self) -> f32 {
        self.alike as f32 / self.compared.max(1) as f32
    }
}

impl LocalFeatureIndex {
    /// An index of photos.
    pub fn new(photos: Vec<LocalFeatures>) -> Self {
        let places: Vec<(u32, u16)> = (0..)
            .zip(&photos)
            .flat_map(|(photo, it)| (0..it.keypoints.len() as u16).map(move |at| (photo, at)))
            .collect();
        let descriptors: Vec<Descriptor> =
            photos.iter().flat_map(|it| it.keypoints.iter().map(|it| it.descriptor)).collect();
        let bits = (places.len().max(1).ilog2() + 4).clamp(KEY_BITS[0], KEY_BITS[1]);
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let chosen = std::array::from_fn::<Vec<u8>, TABLES, _>(|_| {
            let mut all: Vec<u8> = (0..=u8::MAX).collect();
            all.shuffle(&mut random);
            all.truncate(bits as usize);
            all
        });
        let tables = chosen.into_par_iter().map(|bits| Table::new(&descriptors, bits));
        let tables = tables.collect();
        Self { photos, descriptors, places, tables }
    }

    /// Number of photos.
    pub fn len(&self) -> usize {
        self.photos.len()
    }

    /// Whether it holds no photo.
    pub fn is_empty(&self) -> bool {
        self.photos.is_empty()
    }

    /// The photos that are near-duplicates of a photo, in their order.
    pub fn search(&self, asked: &LocalFeatures) -> Vec<LocalMatch> {
        self.search_first(asked, self.len())
    }

    /// The photos before this one that are near-duplicates of it.
    pub(super) fn duplicates_before(&self, at: usize) -> Vec<LocalMatch> {
        self.search_first(&self.photos[at], at)
    }

    /// The near-duplicates among the first `count` photos.
    fn search_first(&self, asked: &LocalFeatures, count: usize) -> Vec<LocalMatch> {
        let views = Orientation::ALL
            .map(|orientation| View { orientation, keypoints: asked.keypoints_in(orientation) });
        let mut candidates: Vec<Candidate<'_>> =
            views.iter().flat_map(|view| self.candidates(view, count)).collect();
        candidates.sort_by_key(|it| std::cmp::Reverse(it.matches.len()));
        candidates.truncate(MOST_CANDIDATES);
        let mut found: Vec<LocalMatch> =
            candidates.iter().filter_map(|it| self.compared(asked, it)).collect();
        // A symmetric photo lies on its mirror image too.
        found.sort_by_key(|it| (it.photo, std::cmp::Reverse(it.alike)));
        found.dedup_by_key(|it| it.photo);
        found
    }

    /// Which of the first `count` photos share descriptors with the photo in one orientation.
    fn candidates<'a>(&self, view: &'a View, count: usize) -> Vec<Candidate<'a>> {
        let mut found: Vec<Match> = Vec::new();
        for (asked, keypoint) in (0..).zip(&view.keypoints) {
            for table in &self.tables {
                let entries = table.of(keypoint.descriptor.key(&table.bits));
                if entries.len() > MOST_ENTRIES {
                    continue;
                }
                for entry in entries {
                    let bits = keypoint.descriptor.distance(&self.descriptors[*entry as usize]);
                    let (photo, known) = self.places[*entry as usize];
                    if bits <= MOST_BITS && (photo as usize) < count {
                        found.push(Match { photo, asked, known, bits });
                    }
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        let of_photos = found.chunk_by(|a, b| a.photo == b.photo);
        let enough = of_photos.filter(|it| it.len() >= LEAST);
        enough.map(|it| Candidate { view, matches: it.to_vec() }).collect()
    }

    /// Aligns the photo with a candidate, and compares both.
    fn compared(&self, asked: &LocalFeatures, candidate: &Candidate<'_>) -> Option<LocalMatch> {
        let Candidate { view, matches } = candidate;
        let photo = matches[0].photo as usize;
        let known = &self.photos[photo];
        let correspondence = |it: &Match| {
            let from = &view.keypoints[usize::from(it.asked)];
            Correspondence::of(from, &known.keypoints[usize::from(it.known)], it.bits)
        };
        let mut shared: Vec<Correspondence> = matches.iter().map(correspondence).collect();
        // The first alignment is of few keypoints.
        let first = Similarity::of(&mut shared, LEAST)?;
        let mut all = correspondences(&view.keypoints, &known.keypoints, &first);
        let similarity = Similarity::of(&mut all, LEAST_OF_CANDIDATE)?;
        let Agreement { compared, alike } = compare(asked, view.orientation, known, &similarity)?;
        Some(LocalMatch { photo, compared, alike })
    }
}

/// The photo that is asked about, mirrored or turned.
struct View {
    orientation: Orientation,
    keypoints: Vec<Keypoint>,
}

/// Two descriptors that are alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    /// The known photo, then the keypoints in the view and in that photo.
    photo: u32,
    asked: u16,
    known: u16,
    /// Bits in which they differ.
    bits: u32,
}

/// A photo that shares descriptors with a view; all of its matches.
struct Candidate<'a> {
    view: &'a View,
    matches: Vec<Match>,
}

/// Keypoints of two photos that look alike and lie about where an alignment puts them.
fn correspondences(
    asked: &[Keypoint],
    known: &[Keypoint],
    similarity: &Similarity,
) -> Vec<Correspondence> {
    let most_off = 3.0 * similarity.tolerance();
    let mut found = Vec::new();
    for from in asked {
        let there = similarity.apply(from.at);
        let is_near = |to: [f32; 2]| (0..2).all(|axis| (there[axis] - to[axis]).abs() <= most_off);
        for to in known.iter().filter(|it| is_near(it.at)) {
            let bits = from.descriptor.distance(&to.descriptor);
            if bits <= MOST_BITS_OF_CANDIDATE {
                found.push(Correspondence::of(from, to, bits));
            }
        }
    }
    found
}

/// Descriptors ordered by some of their bits.
struct Table {
    bits: Vec<u8>,
    /// Where the entries of each key begin; one more at the end.
    starts: Vec<u32>,
    /// Places in [`LocalFeatureIndex::places`].
    entries: Vec<u32>,
}

impl Table {
    fn new(descriptors: &[Descriptor], bits: Vec<u8>) -> Self {
        let keys: Vec<usize> = descriptors.iter().map(|it| it.key(&bits)).collect();
        let mut starts = vec![0_u32; (1 << bits.len()) + 1];
        keys.iter().for_each(|key| starts[key + 1] += 1);
        for key in 1..starts.len() {
            starts[key] += starts[key - 1];
        }
        let mut next = starts.clone();
        let mut entries = vec![0; descriptors.len()];
        for (place, key) in (0..).zip(keys) {
            entries[next[key] as usize] = place;
            next[key] += 1;
        }
        Self { bits, starts, entries }
    }

    fn of(&self, key: usize) -> &[u32] {
        &self.entries[self.starts[key] as usize..self.starts[key + 1] as usize]
    }
}
