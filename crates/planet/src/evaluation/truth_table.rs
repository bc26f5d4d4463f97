use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use planet_data::{DataError, PhotoRecord, TruthRow, read_truth, table::TableSource};
use planet_geo::{LatLng, Scale};
use rayon::prelude::*;
use serde::Serialize;

/// What photos are drawn together with when a test set is imagined anew: those of one album, or
/// of one author, are not independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// Albums of an author; an author's photos without an album are one more.
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
    /// Whether the best answer's class is the right one.
    pub(super) right: bool,
    /// What was stated as certain.
    pub(super) stated: Stated,
    /// km to the truth: NaN before there was an answer, infinite where the answer is that there
    /// is none.
    pub(super) error: f32,
    /// Probability of the best answer; NaN if unsaid.
    pub(super) confidence: f32,
}

/// The level that was stated as certain, whether the truth lay within its radius, and the stated
/// probability in 1 of [`Stated::STEPS`] steps; a byte a photo. For intervals only: means are taken
/// from the probabilities as they were stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stated(u8);

impl Stated {
    /// Steps of the probability.
    pub(super) const STEPS: usize = 25;
    /// Different values, 0 among them for nothing stated.
    pub(super) const KINDS: usize = 1 + 2 * Scale::ALL.len() * Self::STEPS;

    /// Of a level, by its place in [`Scale::ALL`].
    pub(super) fn new(level: usize, correct: bool, probability: f32) -> Self {
        let step = (probability * Self::STEPS as f32) as usize;
        let step = step.min(Self::STEPS - 1);
        Self((1 + (2 * level + usize::from(correct)) * Self::STEPS + step) as u8)
    }

    /// Its number, below [`Self::KINDS`].
    pub(super) fn kind(self) -> u16 {
        self.0.into()
    }

    /// Level, whether it was correct, and the middle of the step of probability of a number;
    /// `None` for nothing stated.
    pub(super) fn of_kind(kind: usize) -> Option<(usize, bool, f64)> {
        let kind = kind.checked_sub(1)?;
        let (rest, step) = (kind / Self::STEPS, kind % Self::STEPS);
        Some((rest / 2, rest % 2 == 1, (step as f64 + 0.5) / Self::STEPS as f64))
    }
}

/// Where each photo of a test set was taken, found by id.
#[derive(Clone, Debug)]
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
        let mut table = Self::empty(false);
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
        let mut table = Self::empty(false);
        let mut categories = HashMap::new();
        for (_, record) in records.iter().enumerate().filter(|(place, _)| keep(*place)) {
            let category = record.value(by);
            let row = TruthRow {
                photo: &record.photo,
                // An estimate is no truth to score by.
                position: record.known_position(),
                author: record.author.as_deref().unwrap_or_default(),
                album: record.album.as_deref().unwrap_or_default(),
                category: category.as_deref().unwrap_or_default(),
            };
            table.push(&row, &mut categories);
        }
        table.arrange();
        table
    }

    /// An empty table, for predictions that bring their own truth.
    pub fn growing() -> Self {
        Self::empty(true)
    }

    /// No rows yet; rows that are pushed are found once the table is arranged.
    fn empty(grows: bool) -> Self {
        Self {
            rows: Vec::new(),
            grows,
            starts: Vec::new(),
            grouping: None,
            groups: HashMap::new(),
            categories: Vec::new(),
            without_position: 0,
            doubled: 0,
            seen: HashSet::new(),
        }
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

    /// An author's album is a group, and so are the photos of an author that stand in none. Only a
    /// photo of which neither is known stands alone.
    fn group(&mut self, author: &str, album: &str) -> u32 {
        if album.is_empty() && author.is_empty() {
            return ALONE;
        }
        let found = if album.is_empty() { Grouping::Author } else { Grouping::Album };
        if self.grouping != Some(Grouping::Album) {
            self.grouping = Some(found);
        }
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
        if self.starts.is_empty() {
            return None;
        }
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
            right: false,
            stated: Stated::default(),
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
    fn photos_of_one_author_without_an_album_are_one_group_beside_the_albums() {
        let header = "photo,lat,lng,author,album\n";
        for rows in
            ["a,1,1,ann,\nb,1,1,ann,\nc,1,1,bob,x\n", "c,1,1,bob,x\na,1,1,ann,\nb,1,1,ann,\n"]
        {
            let table = table(&format!("{header}{rows}")).expect("a table");
            let group = |photo| table.rows()[table.find(photo).expect("there")].group();
            assert_eq!(table.grouping(), Grouping::Album);
            assert!(group("a").is_some() && group("a") == group("b"), "{rows}");
            assert_ne!(group("a"), group("c"), "{rows}");
        }
    }

    #[test]
    fn a_table_that_was_not_read_knows_no_photo() {
        assert_eq!(TruthTable::growing().find("a.jpg"), None);
    }

    #[test]
    fn what_was_stated_comes_back_from_its_byte() {
        const { assert!(Stated::KINDS <= 256) };
        assert_eq!(Stated::of_kind(Stated::default().kind().into()), None);
        for (level, correct, probability) in [(0, true, 0.5), (4, false, 1.0), (4, true, 0.0)] {
            let kind = usize::from(Stated::new(level, correct, probability).kind());
            assert!(kind < Stated::KINDS);
            let (level_back, correct_back, step) = Stated::of_kind(kind).expect("stated");
            assert_eq!((level_back, correct_back), (level, correct));
            assert!((step - f64::from(probability)).abs() <= 0.021, "{step}");
        }
    }

    #[test]
    fn a_photo_takes_32_bytes() {
        assert_eq!(size_of::<Row>(), 32);
    }
}
