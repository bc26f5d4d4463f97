use planet_geo::LatLng;

use crate::{
    PhotoRecord, PositionSource,
    geotags::{LAT_NAMES, LNG_NAMES},
    table::decimal,
};

/// A column of the manifest: its name, its kind, and how it is taken from and put into a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// `photo`, the id.
    Photo,
    /// `lat`, degrees.
    Lat,
    /// `lng`, degrees.
    Lng,
    /// `time`, ISO 8601.
    Time,
    /// `author`.
    Author,
    /// `album`.
    Album,
    /// `category`.
    Category,
    /// `camera`.
    Camera,
    /// `split`.
    Split,
    /// `width`, pixels.
    Width,
    /// `height`, pixels.
    Height,
    /// `bytes`.
    Bytes,
    /// `accuracy_m`, metres.
    Accuracy,
    /// `position_source`.
    PositionSource,
    /// `time_source`.
    TimeSource,
    /// `country`, ISO code.
    Country,
    /// `content_hash`.
    ContentHash,
    /// `perceptual_hash`.
    PerceptualHash,
    /// `photo_score`, 0..=1.
    PhotoScore,
}

/// What a column's cells are in Parquet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellKind {
    Text,
    Integer,
    Number,
}

/// A cell's value on its way into Parquet or text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Integer(u64),
    Number(f64),
}

impl Column {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 19] = [
        Self::Photo,
        Self::Lat,
        Self::Lng,
        Self::Time,
        Self::Author,
        Self::Album,
        Self::Category,
        Self::Camera,
        Self::Split,
        Self::Width,
        Self::Height,
        Self::Bytes,
        Self::Accuracy,
        Self::PositionSource,
        Self::TimeSource,
        Self::Country,
        Self::ContentHash,
        Self::PerceptualHash,
        Self::PhotoScore,
    ];

    /// As in the file's header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Lat => "lat",
            Self::Lng => "lng",
            Self::Time => "time",
            Self::Author => "author",
            Self::Album => "album",
            Self::Category => "category",
            Self::Camera => "camera",
            Self::Split => "split",
            Self::Width => "width",
            Self::Height => "height",
            Self::Bytes => "bytes",
            Self::Accuracy => "accuracy_m",
            Self::PositionSource => "position_source",
            Self::TimeSource => "time_source",
            Self::Country => "country",
            Self::ContentHash => "content_hash",
            Self::PerceptualHash => "perceptual_hash",
            Self::PhotoScore => "photo_score",
        }
    }

    /// The column of exactly that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }

    /// Its name, and others that programs give it.
    pub(super) fn names(self) -> Vec<&'static str> {
        let others: &[&str] = match self {
            Self::Lat => LAT_NAMES,
            Self::Lng => LNG_NAMES,
            _ => &[],
        };
        [self.name()].into_iter().chain(others.iter().copied()).collect()
    }

    pub(super) const fn kind(self) -> CellKind {
        match self {
            Self::Lat | Self::Lng | Self::Accuracy | Self::PhotoScore => CellKind::Number,
            Self::Width | Self::Height | Self::Bytes => CellKind::Integer,
            _ => CellKind::Text,
        }
    }

    /// The record's value; `None` where it is unknown.
    pub(super) fn take(self, record: &PhotoRecord) -> Option<Cell> {
        let text = |text: &Option<String>| text.clone().map(Cell::Text);
        match self {
            Self::Photo => Some(Cell::Text(record.photo.clone())),
            Self::Lat => record.position.map(|position| Cell::Number(position.lat())),
            Self::Lng => record.position.map(|position| Cell::Number(position.lng())),
            Self::Time => text(&record.time),
            Self::Author => text(&record.author),
            Self::Album => text(&record.album),
            Self::Category => text(&record.category),
            Self::Camera => text(&record.camera),
            Self::Split => text(&record.split),
            Self::Width => record.width.map(|width| Cell::Integer(width.into())),
            Self::Height => record.height.map(|height| Cell::Integer(height.into())),
            Self::Bytes => record.bytes.map(Cell::Integer),
            Self::Accuracy => record.accuracy_m.map(Cell::Number),
            Self::PositionSource => record.position_source.map(|s| Cell::Text(s.name().into())),
            Self::TimeSource => record.time_source.map(|s| Cell::Text(s.name().into())),
            Self::Country => text(&record.country),
            Self::ContentHash => text(&record.content_hash),
            Self::PerceptualHash => text(&record.perceptual_hash),
            // The shortest decimal that names the same f32.
            Self::PhotoScore => record
                .photo_score
                .map(|score| Cell::Number(score.to_string().parse().unwrap_or(f64::from(score)))),
        }
    }
}

impl PhotoRecord {
    /// What a column of this name says of the photo, as manifests write it; `None` where it is
    /// unknown.
    pub fn value(&self, column: &str) -> Option<String> {
        let Some(known) = Column::named(column) else { return self.other.get(column).cloned() };
        known.take(self).map(Cell::into_text)
    }
}

impl Cell {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Integer(integer) => integer.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// A row on its way to a record: a position is two cells.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    record: PhotoRecord,
    lat: Option<f64>,
    lng: Option<f64>,
}

impl Draft {
    /// Takes one known cell; empty means unknown.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn put(&mut self, column: Column, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        let record = &mut self.record;
        let own = || Some(text.to_owned());
        match column {
            Column::Photo => record.photo = text.to_owned(),
            Column::Lat => self.lat = Some(degrees(column, text)?),
            Column::Lng => self.lng = Some(degrees(column, text)?),
            Column::Time => record.time = own(),
            Column::Author => record.author = own(),
            Column::Album => record.album = own(),
            Column::Category => record.category = own(),
            Column::Camera => record.camera = own(),
            Column::Split => record.split = own(),
            Column::Width => record.width = Some(integer(column, text)?),
            Column::Height => record.height = Some(integer(column, text)?),
            Column::Bytes => record.bytes = Some(integer(column, text)?),
            Column::Accuracy => record.accuracy_m = Some(number(column, text)?),
            Column::PositionSource => record.position_source = Some(source(column, text)?),
            Column::TimeSource => record.time_source = Some(source(column, text)?),
            Column::Country => record.country = own(),
            Column::ContentHash => record.content_hash = own(),
            Column::PerceptualHash => record.perceptual_hash = own(),
            Column::PhotoScore => record.photo_score = Some(number(column, text)? as f32),
        }
        Ok(())
    }

    /// Keeps a cell of a column that PlaNet does not know.
    pub(crate) fn keep(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        // A foreign column must not be taken for the manifest's own of that name.
        let name = match Column::named(&name.to_ascii_lowercase()) {
            Some(column) => format!("original_{}", column.name()),
            None => name.to_owned(),
        };
        self.record.other.insert(name, text.to_owned());
    }

    /// The record.
    ///
    /// # Errors
    /// No photo, half a position, or one that is not on the earth.
    pub(crate) fn finish(mut self) -> Result<PhotoRecord, String> {
        if self.record.photo.is_empty() {
            return Err("the photo's id is empty".into());
        }
        self.record.position = match (self.lat, self.lng) {
            (Some(lat), Some(lng)) => Some(LatLng::new(lat, lng).map_err(|e| e.to_string())?),
            (None, None) => None,
            _ => {
                return Err(
                    "a position needs both lat and lng; fill both or leave both empty".into()
                );
            }
        };
        Ok(self.record)
    }
}

/// A coordinate, in which a comma can only be a decimal one.
fn degrees(column: Column, text: &str) -> Result<f64, String> {
    let degrees = decimal(text).filter(|degrees| degrees.is_finite());
    degrees.ok_or_else(|| {
        let what = "is not a number";
        format!("{} {what}: '{}'; write decimal degrees", column.name(), short(text))
    })
}

fn number(column: Column, text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("{} is not a number: '{}'", column.name(), short(text)))
}

fn integer<T: std::str::FromStr>(column: Column, text: &str) -> Result<T, String> {
    let what = || format!("{} is not a whole number in range: '{}'", column.name(), short(text));
    text.trim().parse().map_err(|_| what())
}

fn source(column: Column, text: &str) -> Result<PositionSource, String> {
    PositionSource::from_name(text).ok_or_else(|| {
        let what = "is not one of exif, xmp, sidecar, table and estimate";
        format!("{} {what}: '{}'", column.name(), short(text))
    })
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
