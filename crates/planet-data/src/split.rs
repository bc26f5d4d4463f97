use planet_geo::{CellId, Level};

use crate::PhotoRecord;

/// What photos must share to stay in one part of a split. Photos that hang together must not
/// stand on both sides: neighbours in an album are metres apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Which share of the groups goes where; the rest is for training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// What photos must share to stay together.
    pub by: SplitBy,
    /// Share of the groups for validation, 0..=1 (paper: 34 M of 125 M, 0.27).
    pub validation: f64,
    /// Share of the groups for testing, 0..=1.
    pub test: f64,
    /// Another seed, another split.
    pub seed: u64,
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
    /// Where a photo goes: `train`, `validation` or `test`.
    ///
    /// It depends on the group's name and the seed alone, so that photos that are added later
    /// never move the others.
    pub fn part(&self, record: &PhotoRecord) -> &'static str {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(self.by.group(record).as_bytes());
        let bytes = hasher.finalize();
        let start: [u8; 8] = bytes.as_bytes()[..8].try_into().expect("a hash has 32 bytes");
        // The upper 53 bits as a number in 0..1, each exactly representable.
        let place = (u64::from_le_bytes(start) >> 11) as f64 / (1_u64 << 53) as f64;
        if place < self.test {
            "test"
        } else if place < self.test + self.validation {
            "validation"
        } else {
            "train"
        }
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

    #[test]
    fn a_group_is_never_on_both_sides_and_shares_are_kept() {
        for by in [SplitBy::Author, SplitBy::Album, SplitBy::Day, SplitBy::Place] {
            let split = Split { by, validation: 0.27, test: 0.1, seed: 0 };
            let mut parts = std::collections::HashMap::new();
            for n in 0..20_000 {
                let photo = photo(n);
                let part = *parts.entry(by.group(&photo)).or_insert(split.part(&photo));
                assert_eq!(part, split.part(&photo), "{by:?}");
            }
        }
        let split = Split { by: SplitBy::Photo, validation: 0.27, test: 0.1, seed: 0 };
        let parts: Vec<_> = (0..20_000).map(|n| split.part(&photo(n))).collect();
        let share = |part| parts.iter().filter(|&&p| p == part).count() as f64 / 20_000.0;
        assert!((share("test") - 0.1).abs() < 0.01 && (share("validation") - 0.27).abs() < 0.015);
    }

    #[test]
    fn the_seed_makes_another_split_and_other_photos_do_not() {
        let split = Split { by: SplitBy::Photo, validation: 0.5, test: 0.0, seed: 0 };
        let other = Split { seed: 1, ..split };
        assert!((0..100).any(|n| split.part(&photo(n)) != other.part(&photo(n))));
    }

    #[test]
    fn photos_without_the_key_are_groups_of_one() {
        let nameless = |n: usize| PhotoRecord { photo: n.to_string(), ..PhotoRecord::default() };
        assert_ne!(SplitBy::Author.group(&nameless(1)), SplitBy::Author.group(&nameless(2)));
        assert_ne!(SplitBy::Place.group(&nameless(1)), SplitBy::Place.group(&nameless(2)));
    }
}
