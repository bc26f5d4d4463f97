use std::path::Path;

use crate::{
    Column, DataError, PhotoRecord, PositionSource, TimeSource,
    geotags::{LAT_NAMES, LNG_NAMES},
    manifest::{Draft, Rows},
    time,
};

/// How a table's columns become the manifest's: for each of ours, the names that it may have.
pub(super) struct Layout {
    columns: &'static [(Column, &'static [&'static str])],
    /// Makes a photo's id from its cell.
    photo: fn(&str) -> String,
}

pub(crate) const PHOTO_NAMES: &[&str] =
    &["photo", "img_id", "img_file", "image", "file", "filename", "file_name", "path", "key", "id"];
const TIME_NAMES: &[&str] = &["time", "datetime", "date_taken", "captured_at", "timestamp", "date"];
pub(crate) const AUTHOR_NAMES: &[&str] =
    &["author", "user", "user_id", "uid", "owner", "creator", "player"];
pub(crate) const ALBUM_NAMES: &[&str] = &["album", "sequence", "sequence_id", "album_id"];
const COUNTRY_NAMES: &[&str] = &["country", "country_code", "cc"];

/// Whatever has columns of usual names.
pub(super) const TABLE: Layout = Layout {
    columns: &[
        (Column::Photo, PHOTO_NAMES),
        (Column::Lat, LAT_NAMES),
        (Column::Lng, LNG_NAMES),
        (Column::Time, TIME_NAMES),
        (Column::Author, AUTHOR_NAMES),
        (Column::Album, ALBUM_NAMES),
        (Column::Category, &["category", "scene", "s3_label"]),
        (Column::Camera, &["camera"]),
        (Column::Split, &["split"]),
        (Column::Country, COUNTRY_NAMES),
        (Column::Width, &["width"]),
        (Column::Height, &["height"]),
    ],
    photo: str::to_owned,
};

/// `IMG_ID,LAT,LON` and `IMG_FILE,LAT,LON`; MP-16 has an author in the id's folders.
pub(super) const IM2GPS: Layout = Layout {
    columns: &[
        (Column::Photo, &["img_id", "img_file", "image_id"]),
        (Column::Lat, &["lat", "latitude"]),
        (Column::Lng, &["lon", "lng", "longitude"]),
        (Column::Author, &["author"]),
    ],
    photo: str::to_owned,
};

/// OSV-5M: `id` without an ending, `sequence` as album, `creator_username` as author.
pub(super) const OSV5M: Layout = Layout {
    columns: &[
        (Column::Photo, &["id"]),
        (Column::Lat, &["latitude"]),
        (Column::Lng, &["longitude"]),
        (Column::Time, &["captured_at"]),
        (Column::Author, &["creator_username", "creator_id"]),
        (Column::Album, &["sequence"]),
        (Column::Country, &["country"]),
    ],
    photo: |id| if id.contains('.') { id.to_owned() } else { format!("{id}.jpg") },
};

/// A table being read by a layout.
pub(super) struct Imported {
    name: String,
    rows: Rows,
    /// For each of the file's columns: ours, or its own name to keep it under.
    meanings: Vec<Result<Column, String>>,
    photo: fn(&str) -> String,
}

pub(super) fn read(path: &Path, layout: &Layout) -> Result<Imported, DataError> {
    let name = path.to_string_lossy().into_owned();
    let rows = Rows::open(path, &name)?;
    let mut meanings: Vec<_> = rows.columns().names().iter().map(|own| Err(own.clone())).collect();
    for (column, names) in layout.columns {
        if let Some(found) = rows.columns().find(&name, names)? {
            meanings[found] = Ok(*column);
        }
    }
    let has = |column| meanings.contains(&Ok(column));
    if !has(Column::Photo) {
        let listed = rows.columns().listed();
        let what = format!(
            "has no column with the id of the photo, only {listed}; rename that column to photo"
        );
        return Err(DataError::table(name, what));
    }
    if has(Column::Lat) != has(Column::Lng) {
        let listed = rows.columns().listed();
        let what = format!("has only one coordinate among {listed}; name the columns lat and lng");
        return Err(DataError::table(name, what));
    }
    Ok(Imported { name, rows, meanings, photo: layout.photo })
}

impl Iterator for Imported {
    type Item = Result<PhotoRecord, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut draft = Draft::default();
        let mut wrong = None;
        let line = self.rows.next(&mut |column, text| {
            let done = match self.meanings.get(column) {
                Some(Ok(Column::Photo)) => draft.put(Column::Photo, &(self.photo)(text)),
                // A time that cannot be read is unknown; the row is not wrong for it.
                Some(Ok(Column::Time)) => {
                    draft.put(Column::Time, &capture_time(text).unwrap_or_default())
                }
                Some(Ok(column)) => draft.put(*column, text),
                Some(Err(name)) => {
                    draft.keep(name, text);
                    Ok(())
                }
                None => Err("the row has more cells than the table has columns".to_owned()),
            };
            if let Err(what) = done {
                wrong.get_or_insert(what);
            }
        });
        let line = match line {
            Ok(line) => line?,
            Err(error) => return Some(Err(error)),
        };
        let record = match wrong {
            Some(what) => Err(what),
            None => draft.finish().map(with_sources),
        };
        Some(record.map_err(|what| DataError::row(&self.name, line, what)))
    }
}

/// ISO 8601, EXIF's form, or seconds or milliseconds since 1970 (as Mapillary has them).
fn capture_time(text: &str) -> Option<String> {
    if let Ok(number) = text.trim().parse::<i64>() {
        let seconds = if number.abs() > 100_000_000_000 { number / 1000 } else { number };
        let plausible = seconds > 100_000_000;
        return plausible
            .then(|| jiff::Timestamp::from_second(seconds).ok())
            .flatten()
            .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    }
    time::from_iso(text)
}

pub(super) fn with_sources(record: PhotoRecord) -> PhotoRecord {
    PhotoRecord {
        position_source: record.position.map(|_| PositionSource::Table),
        time_source: record.time.as_ref().map(|_| TimeSource::Table),
        ..record
    }
}
