use std::collections::HashMap;

use rayon::prelude::*;

use crate::{DataError, Monitor, PerceptualHash, PhotoRecord};

/// Two photos that look alike: places in the two lists that were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NearPair {
    /// Place in the first list, or of the photo to keep.
    pub a: usize,
    /// Place in the second list, or of the photo that is superfluous beside `a`.
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
const CHUNKS: usize = (PerceptualHash::BITS / CHUNK_BITS) as usize;

/// Every pair of one hash in `a` and one in `b` that differ in at most `distance` bits, ordered
/// by `b`, then `a`. Of equal hashes in `a` the first one stands for all.
///
/// Multi-index hashing (Norouzi, Punjani, Fleet 2012): each hash is cut into 16 chunks. Two
/// hashes within a distance of d have at least one chunk within d / 16, rounded down, so that
/// the hashes with such a chunk are all that must be compared: none is missed, and few are
/// compared.
///
/// # Errors
/// Cancelled.
///
/// # Panics
/// When `distance` is above [`GREATEST_DISTANCE`].
pub fn near_pairs(
    a: &[PerceptualHash],
    b: &[PerceptualHash],
    distance: u32,
    monitor: &dyn Monitor,
) -> Result<Vec<NearPair>, DataError> {
    assert!(distance <= GREATEST_DISTANCE, "a distance of at most {GREATEST_DISTANCE}");
    let index = Index::new(a);
    monitor.expect(b.len() as u64);
    let found: Vec<Vec<NearPair>> = b
        .par_chunks(256)
        .enumerate()
        .map(|(chunk, hashes)| {
            if monitor.cancelled() {
                return Err(DataError::Cancelled);
            }
            let mut pairs = Vec::new();
            let mut seen = Vec::new();
            for (at, &hash) in hashes.iter().enumerate() {
                index.near(hash, distance, &mut seen);
                let pair = |&(a, distance): &(u32, u32)| NearPair {
                    a: a as usize,
                    b: 256 * chunk + at,
                    distance,
                };
                pairs.extend(seen.iter().map(pair));
            }
            monitor.advance(hashes.len() as u64);
            Ok(pairs)
        })
        .collect::<Result<_, _>>()?;
    Ok(found.concat())
}

/// What one list holds more than once: photos joined by [`near_pairs`], directly or through
/// others, are a group, of which the largest photo (then the largest file, then the first) is
/// kept. One pair for each other photo, with the one to keep as `a`.
///
/// # Errors
/// Cancelled.
pub fn superfluous(
    records: &[PhotoRecord],
    hashes: &[PerceptualHash],
    distance: u32,
    monitor: &dyn Monitor,
) -> Result<Vec<NearPair>, DataError> {
    let mut groups = Groups::new(hashes.len());
    for pair in near_pairs(hashes, hashes, distance, monitor)? {
        groups.join(pair.a, pair.b);
    }
    let size = |place: usize| {
        let record = &records[place];
        let pixels = u64::from(record.width.unwrap_or(0)) * u64::from(record.height.unwrap_or(0));
        (pixels, record.bytes.unwrap_or(0), std::cmp::Reverse(place))
    };
    let mut best: HashMap<usize, usize> = HashMap::new();
    for place in 0..hashes.len() {
        let kept = best.entry(groups.root(place)).or_insert(place);
        if size(place) > size(*kept) {
            *kept = place;
        }
    }
    let pair = |b: usize| {
        let a = best[&groups.root(b)];
        NearPair { a, b, distance: hashes[a].distance(hashes[b]) }
    };
    Ok((0..hashes.len()).map(pair).filter(|pair| pair.a != pair.b).collect())
}

/// For each chunk, the places of the distinct hashes by the chunk's value.
struct Index {
    hashes: Vec<(PerceptualHash, u32)>,
    /// For each chunk and value, where its places begin in `places`; one more at the end.
    starts: Vec<Vec<u32>>,
    places: Vec<Vec<u32>>,
}

impl Index {
    fn new(all: &[PerceptualHash]) -> Self {
        let mut hashes: Vec<(PerceptualHash, u32)> =
            all.iter().enumerate().map(|(place, &hash)| (hash, place as u32)).collect();
        hashes.par_sort_unstable();
        hashes.dedup_by_key(|(hash, _)| *hash);
        let (starts, places) = (0..CHUNKS)
            .into_par_iter()
            .map(|number| {
                let mut starts = vec![0_u32; (1 << CHUNK_BITS) + 1];
                for (hash, _) in &hashes {
                    starts[chunk(*hash, number) as usize + 1] += 1;
                }
                for value in 0..1 << CHUNK_BITS {
                    starts[value + 1] += starts[value];
                }
                let mut next = starts.clone();
                let mut places = vec![0; hashes.len()];
                for (place, (hash, _)) in hashes.iter().enumerate() {
                    let at = &mut next[chunk(*hash, number) as usize];
                    places[*at as usize] = place as u32;
                    *at += 1;
                }
                (starts, places)
            })
            .unzip();
        Self { hashes, starts, places }
    }

    /// The places in the original list, with their distances, of all hashes within `distance`.
    fn near(&self, hash: PerceptualHash, distance: u32, found: &mut Vec<(u32, u32)>) {
        found.clear();
        for number in 0..CHUNKS {
            let value = chunk(hash, number);
            for_each_within(value, distance / CHUNKS as u32, |value| {
                let (from, to) =
                    (self.starts[number][value as usize], self.starts[number][value as usize + 1]);
                for &place in &self.places[number][from as usize..to as usize] {
                    let (other, original) = self.hashes[place as usize];
                    let apart = hash.distance(other);
                    if apart <= distance {
                        found.push((original, apart));
                    }
                }
            });
        }
        found.sort_unstable();
        found.dedup();
    }
}

fn chunk(hash: PerceptualHash, number: usize) -> u16 {
    (hash.words()[number / 4] >> (CHUNK_BITS as usize * (number % 4))) as u16
}

/// Every value that differs from `value` in at most `radius` bits, 0..=3.
fn for_each_within(value: u16, radius: u32, mut take: impl FnMut(u16)) {
    take(value);
    for first in 0..CHUNK_BITS {
        if radius < 1 {
            return;
        }
        let one = value ^ (1 << first);
        take(one);
        for second in 0..if radius < 2 { 0 } else { first } {
            let two = one ^ (1 << second);
            take(two);
            for third in 0..if radius < 3 { 0 } else { second } {
                take(two ^ (1 << third));
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::Unwatched;

    fn random_hashes(count: usize, seed: u64) -> Vec<PerceptualHash> {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| PerceptualHash::from_words(random.random())).collect()
    }

    fn with_bits_turned(hash: PerceptualHash, bits: usize, seed: u64) -> PerceptualHash {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut words = hash.words();
        let mut turned = 0;
        while turned < bits {
            let bit = random.random_range(0..256);
            if (words[bit / 64] ^ hash.words()[bit / 64]) >> (bit % 64) & 1 == 0 {
                words[bit / 64] ^= 1 << (bit % 64);
                turned += 1;
            }
        }
        PerceptualHash::from_words(words)
    }

    #[test]
    fn the_search_finds_exactly_what_comparing_all_pairs_finds() {
        let a = random_hashes(400, 1);
        for distance in [0, 7, 16, 24, 40, GREATEST_DISTANCE] {
            let near = |n: usize| with_bits_turned(a[n], n % 70, n as u64);
            let b: Vec<PerceptualHash> = (0..300).map(near).collect();
            let mut wanted = Vec::new();
            for (at_b, &hash) in b.iter().enumerate() {
                for (at_a, &other) in a.iter().enumerate() {
                    if hash.distance(other) <= distance {
                        let distance = hash.distance(other);
                        wanted.push(NearPair { a: at_a, b: at_b, distance });
                    }
                }
            }
            assert!(wanted.len() >= 4);
            assert_eq!(near_pairs(&a, &b, distance, &Unwatched).expect("found"), wanted);
        }
    }

    #[test]
    fn of_a_group_the_largest_photo_is_kept() {
        let base = random_hashes(2, 3);
        let far = with_bits_turned(with_bits_turned(base[0], 8, 1), 8, 2);
        let hashes = [base[0], with_bits_turned(base[0], 8, 1), far, base[1], base[1]];
        let record =
            |width| PhotoRecord { width: Some(width), height: Some(10), ..PhotoRecord::default() };
        let records = [record(10), record(30), record(20), record(5), record(5)];
        let pairs = superfluous(&records, &hashes, 10, &Unwatched).expect("found");
        let kept: Vec<(usize, usize)> = pairs.iter().map(|pair| (pair.a, pair.b)).collect();
        assert_eq!(kept, [(1, 0), (1, 2), (3, 4)]);
    }

    #[test]
    fn thousands_of_equal_photos_are_one_group_and_not_millions_of_pairs() {
        let hashes = vec![random_hashes(1, 5)[0]; 20_000];
        let records = vec![PhotoRecord::default(); hashes.len()];
        let pairs = superfluous(&records, &hashes, 16, &Unwatched).expect("found");
        assert_eq!(pairs.len(), 19_999);
        assert!(pairs.iter().all(|pair| pair.a == 0));
    }

    #[test]
    fn a_hash_and_its_text_are_each_others_name() {
        let hash = random_hashes(1, 7)[0];
        assert_eq!(hash.to_string().parse::<PerceptualHash>(), Ok(hash));
        for text in ["", "00", &"g".repeat(64), &"ü".repeat(32)] {
            assert!(text.parse::<PerceptualHash>().is_err(), "{text}");
        }
    }
}
