use std::collections::HashMap;

use rayon::prelude::*;

use crate::{Code, DataError, Monitor, PhotoRecord};

/// Two photos that look alike: places in the two lists that were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NearPair {
    /// Place in the first list.
    pub a: usize,
    /// Place in the second list.
    pub b: usize,
    /// Bits in which their hashes differ.
    pub distance: u32,
}

/// Greatest distance that can be asked for. Beyond, unrelated photos would be taken for alike,
/// and the search would grow slow.
pub const GREATEST_DISTANCE: u32 = 63;

/// A distance that finds copies and little else: of 400 photos every copy that was recompressed,
/// resized or toned lies within it and 95 % of those cropped by 4 %, while different photos lie at
/// least 90 bits apart (BENCHMARKS.md, "Photos and datasets"). It is the greatest distance that
/// is searched with chunks that differ in at most two bits.
pub const DEFAULT_DISTANCE: u32 = 47;

/// Bits of a hash by which candidates are found.
const CHUNK_BITS: u32 = 16;
const CHUNKS: usize = (Code::BITS / CHUNK_BITS) as usize;

/// Every pair of one hash in `a` and one in `b` that differ in at most `distance` bits, ordered
/// by `b`, then `a`. Of equal hashes in `a` the first one stands for all.
///
/// Multi-index hashing (Norouzi, Punjani, Fleet 2012): each hash is cut into 16 chunks. Two
/// hashes within a distance of d have at least one chunk within d / 16, rounded down, so that
/// the hashes with such a chunk are all that must be compared: none is missed, and few are
/// compared. Both lists are laid out by the chunk's value, so that what is compared lies side by
/// side in memory.
///
/// # Errors
/// Cancelled.
///
/// # Panics
/// When `distance` is above [`GREATEST_DISTANCE`].
pub fn near_pairs(
    a: &[Code],
    b: &[Code],
    distance: u32,
    monitor: &dyn Monitor,
) -> Result<Vec<NearPair>, DataError> {
    assert!(distance <= GREATEST_DISTANCE, "a distance of at most {GREATEST_DISTANCE}");
    let numbered = |hashes: &[Code]| -> Vec<(Code, u32)> {
        (0..).zip(hashes).map(|(place, &hash)| (hash, place)).collect()
    };
    let (mut a, b) = (numbered(a), numbered(b));
    a.par_sort_unstable();
    a.dedup_by_key(|(hash, _)| *hash);
    let masks = masks_within(distance / CHUNKS as u32);
    monitor.expect(b.len() as u64);
    let mut pairs = Vec::new();
    for number in 0..CHUNKS {
        let (of_a, of_b) = rayon::join(|| Buckets::new(&a, number), || Buckets::new(&b, number));
        let found: Vec<Vec<NearPair>> = (0..1_u16 << 8)
            .into_par_iter()
            .map(|high| {
                if monitor.cancelled() {
                    return Err(DataError::Cancelled);
                }
                let values = (0..1_u16 << 8).map(|low| high << 8 | low);
                Ok(values.flat_map(|value| of_a.near(value, &of_b, &masks, distance)).collect())
            })
            .collect::<Result<_, _>>()?;
        pairs.extend(found.into_iter().flatten());
        monitor.advance((b.len() * (number + 1) / CHUNKS - b.len() * number / CHUNKS) as u64);
    }
    pairs.par_sort_unstable_by_key(|pair| (pair.b, pair.a));
    Ok(pairs)
}

/// What one list holds more than once: photos joined by pairs of places, directly or through
/// others, are a group, of which the largest photo (then the largest file, then the first) is
/// kept. For each other photo, the place of the one to keep and its own.
pub fn redundant(
    records: &[PhotoRecord],
    pairs: impl IntoIterator<Item = [usize; 2]>,
) -> Vec<[usize; 2]> {
    let mut groups = Groups::new(records.len());
    for [a, b] in pairs {
        groups.join(a, b);
    }
    let size = |place: usize| {
        let record = &records[place];
        let pixels = u64::from(record.width.unwrap_or(0)) * u64::from(record.height.unwrap_or(0));
        (pixels, record.bytes.unwrap_or(0), std::cmp::Reverse(place))
    };
    let mut best: HashMap<usize, usize> = HashMap::new();
    for place in 0..records.len() {
        let kept = best.entry(groups.root(place)).or_insert(place);
        if size(place) > size(*kept) {
            *kept = place;
        }
    }
    let pair = |place: usize| [best[&groups.root(place)], place];
    (0..records.len()).map(pair).filter(|[kept, place]| kept != place).collect()
}

/// Hashes with their places in the original list, ordered by the value of one chunk.
struct Buckets {
    /// Which chunk.
    number: usize,
    hashes: Vec<(Code, u32)>,
    /// Where the hashes of each value begin; one more at the end.
    starts: Vec<u32>,
}

impl Buckets {
    fn new(hashes: &[(Code, u32)], number: usize) -> Self {
        let mut starts = vec![0_u32; (1 << CHUNK_BITS) + 1];
        for (hash, _) in hashes {
            starts[usize::from(chunk(*hash, number)) + 1] += 1;
        }
        for value in 0..1 << CHUNK_BITS {
            starts[value + 1] += starts[value];
        }
        let mut next = starts.clone();
        let mut ordered = vec![(Code::from_words([0; 4]), 0); hashes.len()];
        for entry in hashes {
            let at = &mut next[usize::from(chunk(entry.0, number))];
            ordered[*at as usize] = *entry;
            *at += 1;
        }
        Self { number, hashes: ordered, starts }
    }

    fn of(&self, value: u16) -> &[(Code, u32)] {
        let value = usize::from(value);
        &self.hashes[self.starts[value] as usize..self.starts[value + 1] as usize]
    }

    /// The pairs of a hash here with this value and one of the others with a value that one of
    /// the masks turns into it, but for those that an earlier chunk has led to.
    fn near(&self, value: u16, others: &Self, masks: &[u16], distance: u32) -> Vec<NearPair> {
        let own = self.of(value);
        let mut pairs = Vec::new();
        if own.is_empty() {
            return pairs;
        }
        let radius = distance / CHUNKS as u32;
        let is_new = |a: Code, b: Code| {
            (0..self.number).all(|n| (chunk(a, n) ^ chunk(b, n)).count_ones() > radius)
        };
        for mask in masks {
            for &(other, b) in others.of(value ^ mask) {
                for &(hash, a) in own {
                    let apart = hash.distance(other);
                    if apart <= distance && is_new(hash, other) {
                        pairs.push(NearPair { a: a as usize, b: b as usize, distance: apart });
                    }
                }
            }
        }
        pairs
    }
}

fn chunk(hash: Code, number: usize) -> u16 {
    (hash.words()[number / 4] >> (CHUNK_BITS as usize * (number % 4))) as u16
}

/// Every value of at most `radius` bits.
fn masks_within(radius: u32) -> Vec<u16> {
    (0..=u16::MAX).filter(|mask| mask.count_ones() <= radius).collect()
}

/// Which places belong together (union–find with halved paths).
struct Groups(Vec<usize>);

impl Groups {
    fn new(places: usize) -> Self {
        Self((0..places).collect())
    }

    fn root(&self, mut place: usize) -> usize {
        while self.0[place] != place {
            place = self.0[place];
        }
        place
    }

    fn join(&mut self, a: usize, b: usize) {
        for mut place in [a, b] {
            while self.0[place] != place {
                self.0[place] = self.0[self.0[place]];
                place = self.0[place];
            }
        }
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
