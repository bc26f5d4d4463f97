use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::PhotoRecord;

/// What a manifest holds, counted in one pass.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// Photos.
    pub photos: u64,
    /// Photos with a position.
    pub with_position: u64,
    /// Photos with a capture time.
    pub with_time: u64,
    /// Bytes of all photos whose size is known.
    pub bytes: u64,
    /// Photos by split; unknown ones under an empty name, here and below.
    pub splits: BTreeMap<String, u64>,
    /// Photos by country.
    pub countries: BTreeMap<String, u64>,
    /// Photos by the year of their capture.
    pub years: BTreeMap<String, u64>,
    /// Photos by camera.
    pub cameras: BTreeMap<String, u64>,
    /// Photos by longest side in pixels: up to 512, 1024, 2048, 4096, and above.
    pub sides: BTreeMap<String, u64>,
    /// Different authors.
    pub authors: u64,
    /// Different albums; one name of two authors is two albums.
    pub albums: u64,
    /// The authors with the most photos, at most ten, most first.
    pub greatest_authors: Vec<(String, u64)>,
    /// Photos that are probably none (score under a half).
    pub non_photos: u64,
    /// Photos without a score.
    pub unscored: u64,
    #[serde(skip)]
    by_author: HashMap<String, u64>,
    #[serde(skip)]
    by_album: HashMap<(String, String), u64>,
}

/// Names of the size classes, in order; [`Statistics::sides`] has these keys.
pub const SIDES: [&str; 5] = ["<= 512", "<= 1024", "<= 2048", "<= 4096", "> 4096"];

impl Statistics {
    /// Counts one photo.
    pub fn add(&mut self, record: &PhotoRecord) {
        self.photos += 1;
        self.with_position += u64::from(record.position.is_some());
        self.with_time += u64::from(record.time.is_some());
        self.bytes += record.bytes.unwrap_or(0);
        let year = record.time.as_ref().and_then(|time| time.get(..4)).map(str::to_owned);
        for (counts, key) in [
            (&mut self.splits, &record.split),
            (&mut self.countries, &record.country),
            (&mut self.years, &year),
            (&mut self.cameras, &record.camera),
        ] {
            *counts.entry(key.clone().unwrap_or_default()).or_default() += 1;
        }
        let side = record.width.zip(record.height).map(|(width, height)| width.max(height));
        let side = side.map_or("", |side| {
            SIDES[[512, 1024, 2048, 4096].iter().filter(|&&limit| side > limit).count()]
        });
        *self.sides.entry(side.to_owned()).or_default() += 1;
        let author = record.author.clone().unwrap_or_default();
        if let Some(album) = &record.album {
            *self.by_album.entry((author.clone(), album.clone())).or_default() += 1;
        }
        if !author.is_empty() {
            *self.by_author.entry(author).or_default() += 1;
        }
        match record.photo_score {
            Some(score) => self.non_photos += u64::from(score < 0.5),
            None => self.unscored += 1,
        }
    }

    /// Closes the counting: authors and albums are summed up.
    pub fn finish(mut self) -> Self {
        self.authors = self.by_author.len() as u64;
        self.albums = self.by_album.len() as u64;
        let mut authors: Vec<(String, u64)> = self.by_author.drain().collect();
        authors.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        authors.truncate(10);
        self.greatest_authors = authors;
        self.by_album.clear();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_photo_is_counted_once_in_each_table() {
        let mut statistics = Statistics::default();
        for n in 0..10_u32 {
            statistics.add(&PhotoRecord {
                photo: n.to_string(),
                author: (n < 6).then(|| format!("author {}", n % 2)),
                album: Some("same".into()),
                time: (n < 4).then(|| format!("{}-05-06", 2000 + n)),
                width: Some(500 * (n + 1)),
                height: Some(10),
                photo_score: (n < 3).then_some(0.4),
                ..PhotoRecord::default()
            });
        }
        let statistics = statistics.finish();
        assert_eq!((statistics.photos, statistics.with_time), (10, 4));
        assert_eq!((statistics.authors, statistics.albums), (2, 3));
        assert_eq!((statistics.non_photos, statistics.unscored), (3, 7));
        assert_eq!(statistics.years[""], 6);
        assert_eq!(statistics.sides["<= 512"], 1);
        assert_eq!(statistics.sides["> 4096"], 2);
        assert_eq!(statistics.sides.values().sum::<u64>(), 10);
        assert_eq!(statistics.greatest_authors[0], ("author 0".to_owned(), 3));
    }
}
