use std::collections::BTreeMap;

use planet_geo::{CellId, Level};

use crate::PhotoRecord;

/// What photos must share to stay in one part of a split. Photos that hang together must not
/// stand on both sides: neighbours in an album are metres apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SplitBy {
    /// Everything of one photographer.
    Author,
    /// One author's album.
    Album,
    /// One author's day, by the date of the capture time as written.
    Day,
    /// One S2 cell of level 10, about 10 km across: tests on places never seen in training.
    Place,
    /// Nothing: each photo on its own. Flatters every score where albums or authors exist.
    Photo,
}

/// Which share goes where; the rest is for training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// What photos must share to stay together.
    pub by: SplitBy,
    /// Share for validation, 0..=1 (paper: 34 M of 125 M, 0.27).
    pub validation: f64,
    /// Share for testing, 0..=1.
    pub test: f64,
    /// Another seed, another split.
    pub seed: u64,
}

/// The parts, in the order in which a group's hash meets them.
const PARTS: [&str; 3] = ["test", "validation", "train"];

/// A part's share of the photos may be so far from what was asked for.
const TOLERANCE: f64 = 0.02;

/// From so many groups on, their hashes alone decide: chance keeps the shares of the groups, and
/// photos that are added later move no others.
const MANY_GROUPS: usize = 1000;

/// Groups of a set of photos, and how many photos each has.
#[derive(Clone, Debug)]
pub struct SplitGroups {
    split: Split,
    /// Photos of each group, by the upper 53 bits of its hash.
    photos: BTreeMap<u64, u64>,
}

/// Which part each group is in.
#[derive(Clone, Debug)]
pub struct SplitParts {
    split: Split,
    /// The part of each group by its hash, where the hash alone does not decide.
    given: Option<BTreeMap<u64, usize>>,
    shares: Vec<PartShare>,
}

/// What one part came to.
#[derive(Clone, Debug, PartialEq)]
pub struct PartShare {
    /// `train`, `validation` or `test`.
    pub part: &'static str,
    /// Groups in it.
    pub groups: u64,
    /// Photos in it.
    pub photos: u64,
    /// Its share of all photos, 0..=1.
    pub share: f64,
    /// The share that was asked for, 0..=1.
    pub asked: f64,
}

impl PartShare {
    /// Whether the share lies further from what was asked for than two percentage points.
    #[must_use]
    pub fn is_off(&self) -> bool {
        (self.share - self.asked).abs() > TOLERANCE
    }
}

impl SplitBy {
    /// The group that a photo belongs to. A photo without the key is a group of its own.
    pub fn group(self, record: &PhotoRecord) -> String {
        let author = record.author.as_deref().unwrap_or_default();
        let key = match self {
            Self::Author => record.author.clone(),
            Self::Album => record.album.as_ref().map(|album| format!("{author}\n{album}")),
            Self::Day => record
                .time
                .as_ref()
                .and_then(|time| time.get(..10))
                .map(|day| format!("{author}\n{day}")),
            Self::Place => record.position.map(|position| {
                let level = Level::new(10).expect("10 is a level");
                CellId::containing(position, level).token()
            }),
            Self::Photo => None,
        };
        key.map_or_else(|| format!("photo\n{}", record.photo), |key| format!("group\n{key}"))
    }
}

impl Split {
    /// Groups to count before they are divided.
    #[must_use]
    pub fn groups(self) -> SplitGroups {
        SplitGroups { split: self, photos: BTreeMap::new() }
    }

    /// The shares that are asked for, in the order of [`PARTS`].
    fn asked(&self) -> [f64; 3] {
        [self.test, self.validation, (1.0 - self.test - self.validation).max(0.0)]
    }

    /// The upper 53 bits of the hash of a photo's group under this seed.
    fn hash(&self, record: &PhotoRecord) -> u64 {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(self.by.group(record).as_bytes());
        let bytes = hasher.finalize();
        let start: [u8; 8] = bytes.as_bytes()[..8].try_into().expect("a hash has 32 bytes");
        u64::from_le_bytes(start) >> 11
    }

    /// The part that a group's hash alone gives, by its number in [`PARTS`].
    fn by_hash(&self, hash: u64) -> usize {
        // As a number in 0..1, each exactly representable.
        let place = hash as f64 / (1_u64 << 53) as f64;
        if place < self.test {
            0
        } else if place < self.test + self.validation {
            1
        } else {
            2
        }
    }
}

impl SplitGroups {
    /// Counts a photo.
    pub fn add(&mut self, record: &PhotoRecord) {
        *self.photos.entry(self.split.hash(record)).or_insert(0) += 1;
    }

    /// Divides the groups. Their hashes decide where that gives every part its share of the photos
    /// to within two percentage points, and from a thousand groups on; the part of a group then
    /// depends on its name and the seed alone. Of fewer groups each goes, in the order of the
    /// hashes, to the part that is furthest below its share, and no part that was asked for stays
    /// empty where there are enough groups.
    #[must_use]
    pub fn divide(self) -> SplitParts {
        let split = self.split;
        let by_hash: BTreeMap<u64, usize> =
            self.photos.keys().map(|hash| (*hash, split.by_hash(*hash))).collect();
        let shares = self.shares(&by_hash);
        if self.photos.len() >= MANY_GROUPS || !shares.iter().any(PartShare::is_off) {
            return SplitParts { split, given: None, shares };
        }
        let given = self.by_share();
        let shares = self.shares(&given);
        SplitParts { split, given: Some(given), shares }
    }

    /// Each group, in the order of the hashes, to the part that is furthest below its share.
    fn by_share(&self) -> BTreeMap<u64, usize> {
        let asked = self.split.asked();
        let all = self.photos.values().sum::<u64>() as f64;
        let mut missing = asked.map(|share| share * all);
        let mut is_empty = asked.map(|share| share > 0.0);
        let mut given = BTreeMap::new();
        for (at, (hash, photos)) in self.photos.iter().enumerate() {
            let left = self.photos.len() - at;
            let empty = is_empty.iter().filter(|it| **it).count();
            // The last groups go where there is none yet.
            let may = |part: usize| asked[part] > 0.0 && (left > empty || is_empty[part]);
            let parts = (0..PARTS.len()).filter(|part| may(*part));
            let part = parts.max_by(|a, b| missing[*a].total_cmp(&missing[*b])).unwrap_or(2);
            missing[part] -= *photos as f64;
            is_empty[part] = false;
            given.insert(*hash, part);
        }
        given
    }

    /// What each part comes to, those that were asked for or have photos.
    fn shares(&self, parts: &BTreeMap<u64, usize>) -> Vec<PartShare> {
        let all = self.photos.values().sum::<u64>().max(1) as f64;
        let asked = self.split.asked();
        let shares = (0..PARTS.len()).rev().map(|part| {
            let of = || self.photos.iter().filter(|(hash, _)| parts[hash] == part);
            let photos: u64 = of().map(|(_, photos)| photos).sum();
            PartShare {
                part: PARTS[part],
                groups: of().count() as u64,
                photos,
                share: photos as f64 / all,
                asked: asked[part],
            }
        });
        shares.filter(|it| it.photos > 0 || it.asked > 0.0).collect()
    }
}

impl SplitParts {
    /// Where a photo goes: `train`, `validation` or `test`.
    pub fn part(&self, record: &PhotoRecord) -> &'static str {
        let hash = self.split.hash(record);
        let given = self.given.as_ref().and_then(|given| given.get(&hash).copied());
        PARTS[given.unwrap_or_else(|| self.split.by_hash(hash))]
    }

    /// What each part came to: training, validation, testing.
    pub fn shares(&self) -> &[PartShare] {
        &self.shares
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::LatLng;

    use super::*;

    fn photo(n: usize) -> PhotoRecord {
        PhotoRecord {
            photo: format!("{n}.jpg"),
            author: Some(format!("author {}", n % 500)),
            album: Some(format!("album {}", n % 3)),
            time: Some(format!("2019-07-{:02}T18:03:22", n % 30 + 1)),
            position: LatLng::new((n % 50) as f64, 10.0).ok(),
            ..PhotoRecord::default()
        }
    }

    fn divided(split: Split, photos: impl Iterator<Item = PhotoRecord>) -> SplitParts {
        let mut groups = split.groups();
        photos.for_each(|photo| groups.add(&photo));
        groups.divide()
    }

    #[test]
    fn a_group_is_never_on_both_sides_and_shares_are_kept() {
        for by in [SplitBy::Author, SplitBy::Album, SplitBy::Day, SplitBy::Place, SplitBy::Photo] {
            let split = Split { by, validation: 0.27, test: 0.1, seed: 0 };
            let split_parts = divided(split, (0..20_000).map(photo));
            let mut parts = std::collections::HashMap::new();
            for n in 0..20_000 {
                let photo = photo(n);
                let part = *parts.entry(by.group(&photo)).or_insert(split_parts.part(&photo));
                assert_eq!(part, split_parts.part(&photo), "{by:?}");
            }
            for share in split_parts.shares() {
                assert!(!share.is_off(), "{by:?} {share:?}");
            }
        }
    }

    /// As every version has split: by the place of the hash between the shares.
    fn as_ever(split: Split, record: &PhotoRecord) -> &'static str {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&split.seed.to_le_bytes());
        hasher.update(split.by.group(record).as_bytes());
        let start = hasher.finalize().as_bytes()[..8].try_into().expect("eight bytes");
        let place = (u64::from_le_bytes(start) >> 11) as f64 / (1_u64 << 53) as f64;
        match place {
            _ if place < split.test => "test",
            _ if place < split.test + split.validation => "validation",
            _ => "train",
        }
    }

    #[test]
    fn splits_of_large_sets_stay_as_they_ever_were() {
        // Authors of very different numbers of photos, so that shares of photos are off.
        let photo = |n: usize| PhotoRecord {
            photo: n.to_string(),
            author: Some(if n < 12_000 { "one".to_owned() } else { (n % 3000).to_string() }),
            ..PhotoRecord::default()
        };
        for by in [SplitBy::Author, SplitBy::Photo] {
            let split = Split { by, validation: 0.27, test: 0.1, seed: 0 };
            let parts = divided(split, (0..20_000).map(photo));
            for n in 0..20_000 {
                assert_eq!(parts.part(&photo(n)), as_ever(split, &photo(n)), "{by:?} {n}");
            }
        }
    }

    #[test]
    fn few_folders_are_divided_by_their_photos() {
        let album = |sizes: &'static [usize]| {
            let photos = sizes.iter().enumerate().flat_map(|(album, size)| {
                (0..*size).map(move |n| PhotoRecord {
                    photo: format!("{album}/{n}.jpg"),
                    album: Some(format!("album {album}")),
                    ..PhotoRecord::default()
                })
            });
            photos.collect::<Vec<_>>()
        };
        for seed in 0..50 {
            let split = Split { by: SplitBy::Album, validation: 0.27, test: 0.0, seed };
            let parts = divided(split, album(&[100, 100, 100, 100]).into_iter());
            let [train, validation] = parts.shares() else { panic!("{parts:?}") };
            assert_eq!((train.groups, validation.groups), (3, 1), "seed {seed}");
            assert_eq!((train.photos, validation.share), (300, 0.25));
            // The same again, and what the table says is what the photos get.
            let again = divided(split, album(&[100, 100, 100, 100]).into_iter());
            let of = |part: &str| {
                let photos = album(&[100, 100, 100, 100]);
                photos.iter().filter(|photo| again.part(photo) == part).count() as u64
            };
            assert_eq!((of("train"), of("validation")), (300, 100));
            // As many groups as parts: none stays empty, however large the first is.
            let split = Split { test: 0.1, ..split };
            let parts = divided(split, album(&[1000, 1, 1]).into_iter());
            assert!(parts.shares().iter().all(|it| it.groups == 1), "{parts:?}");
        }
        let split = Split { by: SplitBy::Album, validation: 0.27, test: 0.0, seed: 0 };
        let one = divided(split, album(&[10]).into_iter());
        assert!(one.shares().iter().all(PartShare::is_off), "{one:?}");
    }

    #[test]
    fn the_seed_makes_another_split() {
        let split = Split { by: SplitBy::Photo, validation: 0.5, test: 0.0, seed: 0 };
        let [one, other] =
            [0, 1].map(|seed| divided(Split { seed, ..split }, (0..2000).map(photo)));
        assert!((0..100).any(|n| one.part(&photo(n)) != other.part(&photo(n))));
    }

    #[test]
    fn photos_without_the_key_are_groups_of_one() {
        let nameless = |n: usize| PhotoRecord { photo: n.to_string(), ..PhotoRecord::default() };
        assert_ne!(SplitBy::Author.group(&nameless(1)), SplitBy::Author.group(&nameless(2)));
        assert_ne!(SplitBy::Place.group(&nameless(1)), SplitBy::Place.group(&nameless(2)));
    }
}
