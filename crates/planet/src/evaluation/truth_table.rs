use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use planet_data::{DataError, PhotoRecord, TruthRow, read_truth, table::TableSource};
use planet_geo::LatLng;
use rayon::prelude::*;
use serde::Serialize;

/// What photos are drawn together with when a test set is imagined anew: those of one album, or
/// of one author, are not independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// Albums of an author.
    Album,
    /// Authors, where no albums are known.
    Author,
    /// Each photo alone.
    Photo,
}

impl Grouping {
    /// `albums`, `authors`, `photos`.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Album => "albums",
            Self::Author => "authors",
            Self::Photo => "photos",
        }
    }
}

/// A photo's group is its own.
const ALONE: u32 = u32::MAX;
/// A photo of no category.
const NONE: u16 = u16::MAX;
/// Degrees are kept to seven decimals, a centimetre.
const DEGREE: f64 = 1e7;

/// What is kept of a photo: 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Hash of its id. Two ids of ten million share one in three cases of a million.
    id: u64,
    lat: i32,
    lng: i32,
    group: u32,
    category: u16,
    /// km to the truth: NaN before there was an answer, infinite where the answer is that there
    /// is none.
    pub(super) error: f32,
    /// Probability of the best answer, negative where its cell is the wrong one; NaN if unsaid.
    pub(super) confidence: f32,
}

/// Where each photo of a test set was taken, found by id.
#[derive(Clone, Debug, Default)]
pub struct TruthTable {
    rows: Vec<Row>,
    /// Whether rows come with the predictions.
    grows: bool,
    /// First row of each value of the id's highest bits.
    starts: Vec<u32>,
    grouping: Option<Grouping>,
    groups: HashMap<u64, u32>,
    categories: Vec<String>,
    /// Rows that state no position: they cannot be scored.
    without_position: u64,
    /// Rows whose id stood there before.
    doubled: u64,
    /// Ids so far, while rows still come.
    seen: HashSet<u64>,
}

impl TruthTable {
    /// Reads a manifest or any table with ids and positions; `by` is the column of categories.
    ///
    /// # Errors
    /// The table cannot be read, or has no row with a position.
    pub fn read(source: &TableSource, by: &str) -> Result<Self, DataError> {
        let mut table = Self::default();
        let mut categories = HashMap::new();
        read_truth(source, by, |row| table.push(&row, &mut categories))?;
        if table.rows.is_empty() {
            return Err(DataError::table(source.to_string(), "has no photo with a position"));
        }
        table.arrange();
        Ok(table)
    }

    /// The photos of a manifest in memory that `keep` says yes to, by their place in it.
    pub fn of(records: &[PhotoRecord], by: &str, keep: impl Fn(usize) -> bool) -> Self {
        let mut table = Self::default();
        let mut categories = HashMap::new();
        for (_, record) in records.iter().enumerate().filter(|(place, _)| keep(*place)) {
            let category = match by {
                "category" => record.category.as_deref(),
                "country" => record.country.as_deref(),
                "camera" => record.camera.as_deref(),
                "author" => record.author.as_deref(),
                "album" => record.album.as_deref(),
                "split" => record.split.as_deref(),
                other => record.other.get(other).map(String::as_str),
            };
            let row = TruthRow {
                photo: &record.photo,
                position: record.position,
                author: record.author.as_deref().unwrap_or_default(),
                album: record.album.as_deref().unwrap_or_default(),
                category: category.unwrap_or_default(),
            };
            table.push(&row, &mut categories);
        }
        table.arrange();
        table
    }

    /// An empty table, for predictions that bring their own truth.
    pub fn growing() -> Self {
        Self { grows: true, ..Self::default() }
    }

    fn push(&mut self, row: &TruthRow<'_>, categories: &mut HashMap<String, u16>) {
        let Some(position) = row.position else {
            self.without_position += 1;
            return;
        };
        let group = self.group(row.author, row.album);
        let category = match (row.category, categories.get(row.category)) {
            ("", _) => NONE,
            (_, Some(known)) => *known,
            (name, None) if self.categories.len() < usize::from(NONE) => {
                let next = self.categories.len() as u16;
                categories.insert(name.to_owned(), next);
                self.categories.push(name.to_owned());
                next
            }
            _ => NONE,
        };
        let row = Row { group, category, ..Row::at(id_of(row.photo), position) };
        // Its turn, until the table is arranged.
        let turn = f32::from_bits(self.rows.len() as u32);
        self.rows.push(Row { error: turn, ..row });
    }

    /// Albums count where there are any, else authors.
    fn group(&mut self, author: &str, album: &str) -> u32 {
        let wanted = match (album, author) {
            ("", "") => None,
            ("", _) => Some(Grouping::Author),
            _ => Some(Grouping::Album),
        };
        if wanted == Some(Grouping::Album) && self.grouping != wanted {
            // The rows so far have no album.
            self.grouping = wanted;
            self.groups.clear();
            self.rows.iter_mut().for_each(|row| row.group = ALONE);
        }
        if wanted.is_none() || (wanted != self.grouping && self.grouping.is_some()) {
            return ALONE;
        }
        self.grouping = wanted;
        let album = if wanted == Some(Grouping::Album) { album } else { "" };
        let next = self.groups.len() as u32;
        *self.groups.entry(id_of(&(author, album))).or_insert(next)
    }

    /// Sorts the rows that were pushed by id, so that they can be found.
    fn arrange(&mut self) {
        self.groups = HashMap::new();
        // In place; the first of two rows with one id stays.
        self.sort_by_key(|row| (row.id, row.error.to_bits()));
        let before = self.rows.len();
        self.rows.dedup_by_key(|row| row.id);
        self.rows.iter_mut().for_each(|row| row.error = f32::NAN);
        self.doubled = (before - self.rows.len()) as u64;
        let bits = (self.rows.len() / 8).max(2).ilog2();
        self.starts = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for bucket in 0..1u64 << bits {
            while at < self.rows.len() && self.rows[at].id >> (64 - bits) < bucket {
                at += 1;
            }
            self.starts.push(at as u32);
        }
        self.starts.push(self.rows.len() as u32);
    }

    /// The row of an id, where a table was read.
    pub(super) fn find(&self, photo: &str) -> Option<usize> {
        let id = id_of(photo);
        let bits = (self.starts.len().max(2) - 1).ilog2();
        let bucket = (id >> (64 - bits)) as usize;
        let (first, last) = (*self.starts.get(bucket)?, *self.starts.get(bucket + 1)?);
        let rows = &self.rows[first as usize..last as usize];
        rows.iter().position(|row| row.id == id).map(|at| first as usize + at)
    }

    /// A row for a photo that brings its own truth; `None` if it came before.
    pub(super) fn grow(&mut self, photo: &str, position: LatLng) -> Option<usize> {
        let id = id_of(photo);
        self.seen.insert(id).then(|| {
            self.rows.push(Row::at(id, position));
            self.rows.len() - 1
        })
    }

    /// Puts the rows in another order, in place; none is found by id until they are sorted by id.
    /// A key that tells every two rows apart makes the order certain.
    pub(super) fn sort_by_key<K: Ord>(&mut self, key: impl Fn(&Row) -> K + Sync) {
        self.rows.par_sort_unstable_by_key(key);
    }

    /// Where every photo was taken.
    pub fn positions(&self) -> impl Iterator<Item = LatLng> + '_ {
        self.rows.iter().map(Row::position)
    }

    /// Number of photos with a position.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What photos stand in groups by.
    pub fn grouping(&self) -> Grouping {
        self.grouping.unwrap_or(Grouping::Photo)
    }

    pub(super) fn grows(&self) -> bool {
        self.grows
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn row_mut(&mut self, row: usize) -> &mut Row {
        &mut self.rows[row]
    }

    pub(super) fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Rows without a position, and rows whose id stood there before.
    pub(super) fn left_out(&self) -> (u64, u64) {
        (self.without_position, self.doubled)
    }
}

impl Row {
    fn at(id: u64, position: LatLng) -> Self {
        let degrees = |value: f64| (value * DEGREE).round() as i32;
        Self {
            id,
            lat: degrees(position.lat()),
            lng: degrees(position.lng()),
            group: ALONE,
            category: NONE,
            error: f32::NAN,
            confidence: f32::NAN,
        }
    }

    pub(super) fn position(&self) -> LatLng {
        let (lat, lng) = (f64::from(self.lat) / DEGREE, f64::from(self.lng) / DEGREE);
        LatLng::new(lat, lng).expect("it was a position before it was rounded")
    }

    /// The error of a photo that was located.
    pub(super) fn located(&self) -> Option<f64> {
        self.error.is_finite().then(|| f64::from(self.error))
    }

    pub(super) fn group(&self) -> Option<u32> {
        (self.group != ALONE).then_some(self.group)
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn category(&self) -> Option<u16> {
        (self.category != NONE).then_some(self.category)
    }
}

fn id_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<TruthTable, DataError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("truth.csv");
        std::fs::write(&path, text).expect("written");
        TruthTable::read(&TableSource { path, split: None }, "category")
    }

    #[test]
    fn photos_are_found_by_id_and_doubled_ones_keep_their_first_row() {
        let mut text = "photo,lat,lng\n".to_owned();
        for photo in 0..5000 {
            text.push_str(&format!("{photo}.jpg,{},{}\n", photo % 90, photo % 180));
        }
        text.push_str("17.jpg,1,1\nnowhere.jpg,,\n");
        let table = table(&text).expect("a table");
        assert_eq!((table.len(), table.left_out()), (5000, (1, 1)));
        for photo in 0..5000 {
            let row = table.find(&format!("{photo}.jpg")).expect("each is there");
            let position = table.rows()[row].position();
            assert_eq!(
                (position.lat(), position.lng()),
                (f64::from(photo % 90), f64::from(photo % 180))
            );
        }
        assert_eq!(table.find("5000.jpg"), None);
        assert_eq!(table.find("nowhere.jpg"), None);
    }

    #[test]
    fn albums_count_before_authors_and_authors_before_photos() {
        let groups = |text: &str| {
            let table = table(text).expect("a table");
            let groups: HashSet<_> = table.rows().iter().map(Row::group).collect();
            (table.grouping(), groups.len())
        };
        let header = "photo,lat,lng,author,album\n";
        let text = format!("{header}a,1,1,ann,\nb,1,1,ann,x\nc,1,1,bob,x\nd,1,1,bob,x\n");
        // a stands alone, b in ann's x, c and d in bob's x.
        assert_eq!(groups(&text), (Grouping::Album, 3));
        let text = format!("{header}a,1,1,ann,\nb,1,1,ann,\nc,1,1,,\n");
        assert_eq!(groups(&text), (Grouping::Author, 2));
        assert_eq!(groups("photo,lat,lng\na,1,1\nb,1,1\n"), (Grouping::Photo, 1));
    }

    #[test]
    fn a_photo_takes_32_bytes() {
        assert_eq!(size_of::<Row>(), 32);
    }
}
