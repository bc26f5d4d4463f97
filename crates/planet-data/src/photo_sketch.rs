use std::collections::HashSet;

use planet_geo::LatLng;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::PhotoRecord;

/// Photos that a sketch keeps.
const KEPT: usize = 256;
/// Hexadecimal digits of a hash.
const DIGITS: usize = 16;

/// A small sample of a set of photos, by which other photos are recognised as members of the set: the 256
/// smallest hashes of file name and position (a bottom-k sketch, Broder 1997). Which photos it keeps depends
/// on nothing but the set. Photos of unknown position are not part of it.
///
/// Positions count in steps of 10⁻⁶ degrees, and folders do not count, so that a photo is the same in
/// manifests of other formats and other roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhotoSketch(Vec<u64>);

impl PhotoSketch {
    /// The sketch of photos, each with its name and its position.
    pub fn of<'a>(photos: impl IntoIterator<Item = (&'a str, LatLng)>) -> Self {
        let mut hashes: Vec<u64> =
            photos.into_iter().map(|(name, position)| hash(name, position)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.truncate(KEPT);
        Self(hashes)
    }

    /// Photos that it keeps: 256, or all of a smaller set.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it keeps none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of the photos that it keeps are among `records`.
    pub fn shared_with(&self, records: &[PhotoRecord]) -> usize {
        let kept: HashSet<u64> = self.0.iter().copied().collect();
        let hash = |record: &PhotoRecord| Some(hash(&record.photo, record.position?));
        let found = records.iter().filter_map(hash).filter(|hash| kept.contains(hash));
        found.collect::<HashSet<u64>>().len()
    }
}

fn hash(name: &str, position: LatLng) -> u64 {
    let name = name.rsplit('/').next().unwrap_or(name);
    let millionths = |degrees: f64| ((degrees * 1e6).round() as i64).to_le_bytes();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&millionths(position.lat()));
    hasher.update(&millionths(position.lng()));
    hasher.update(name.as_bytes());
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// One string of 16 hexadecimal digits a photo.
impl Serialize for PhotoSketch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|hash| format!("{hash:016x}")).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for PhotoSketch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong =
            || D::Error::custom("a sketch of photos is a row of numbers of 16 hexadecimal digits");
        let hash = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok().filter(|it| it.len() == DIGITS)?;
            u64::from_str_radix(digits, 16).ok()
        };
        let hashes = text.as_bytes().chunks(DIGITS).map(hash);
        Ok(Self(hashes.collect::<Option<_>>().ok_or_else(wrong)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(numbers: std::ops::Range<u32>) -> Vec<PhotoRecord> {
        let record = |number: u32| PhotoRecord {
            position: LatLng::new(f64::from(number % 90) + 0.123_456_7, 7.0).ok(),
            photo: format!("folder/{number}.jpg"),
            ..PhotoRecord::default()
        };
        numbers.map(record).collect()
    }

    fn sketch(records: &[PhotoRecord]) -> PhotoSketch {
        let photo = |record: &PhotoRecord| (record.photo.clone(), record.position.expect("known"));
        let photos: Vec<_> = records.iter().map(photo).collect();
        PhotoSketch::of(photos.iter().map(|(name, position)| (name.as_str(), *position)))
    }

    #[test]
    fn photos_of_the_set_are_recognised_and_others_are_not() {
        let sketch = sketch(&records(0..10_000));
        assert_eq!(sketch.len(), 256);
        assert_eq!(sketch.shared_with(&records(0..10_000)), 256);
        assert_eq!(sketch.shared_with(&records(10_000..20_000)), 0);
        // A half of the set holds about half of what the sketch keeps.
        let half = sketch.shared_with(&records(5_000..20_000));
        assert!((90..166).contains(&half), "{half}");
    }

    #[test]
    fn folders_and_digits_that_formats_lose_do_not_count_and_positions_do() {
        let photos = records(0..100);
        let sketch = sketch(&photos);
        let moved = |record: &PhotoRecord, by: f64| {
            let position = record.position.expect("known");
            PhotoRecord {
                position: LatLng::new(position.lat() + by, position.lng()).ok(),
                photo: record.photo.replace("folder/", "other/root/"),
                ..record.clone()
            }
        };
        let all = |by: f64| photos.iter().map(|it| moved(it, by)).collect::<Vec<_>>();
        assert_eq!(sketch.shared_with(&all(1e-9)), 100);
        assert_eq!(sketch.shared_with(&all(1e-3)), 0);
    }

    #[test]
    fn it_comes_back_from_its_text_and_other_text_is_refused() {
        let sketch = sketch(&records(0..3));
        let text = serde_json::to_string(&sketch).expect("text");
        assert_eq!(text.len(), 2 + 3 * 16);
        assert_eq!(serde_json::from_str::<PhotoSketch>(&text).expect("read"), sketch);
        for wrong in ["\"0123\"", "\"zzzzzzzzzzzzzzzz\"", "\"ééééééééé\"", "7"] {
            assert!(serde_json::from_str::<PhotoSketch>(wrong).is_err(), "{wrong}");
        }
    }
}
