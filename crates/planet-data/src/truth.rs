use planet_geo::LatLng;

use crate::{
    DataError,
    geotags::{LAT_NAMES, LNG_NAMES},
    import::{ALBUM_NAMES, AUTHOR_NAMES, PHOTO_NAMES},
    manifest::Rows,
    table::{TableSource, decimal},
};

/// A row of a truth table: where a photo was taken, and what it counts with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruthRow<'a> {
    /// The photo's id, as the table has it.
    pub photo: &'a str,
    /// Where it was taken; `None` where both cells are empty.
    pub position: Option<LatLng>,
    /// Who took it; empty where unknown.
    pub author: &'a str,
    /// The album it stands in; empty where unknown.
    pub album: &'a str,
    /// The cell of the column that was asked for; empty where there is none.
    pub category: &'a str,
}

/// Whether a truth table knows authors, albums and categories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TruthColumns {
    /// It has a column of authors.
    pub author: bool,
    /// It has a column of albums.
    pub album: bool,
    /// It has the column that was asked for.
    pub category: bool,
}

/// Reads where photos were taken, row by row: a manifest, or any table with an id, a latitude and
/// a longitude by their usual names (`IMG_ID,LAT,LON`, `id,latitude,longitude`, …). Memory does
/// not grow with the table. `by` is the column that tells kinds of photos apart.
///
/// # Errors
/// A file that cannot be opened or lacks the columns; a row whose position is none, by its line.
pub fn read_truth(
    source: &TableSource,
    by: &str,
    mut take: impl FnMut(TruthRow<'_>),
) -> Result<TruthColumns, DataError> {
    let name = source.to_string();
    let mut rows = Rows::open(&source.path, &name)?;
    let columns = rows.columns();
    let find = |names: &[&str]| columns.find(&name, names);
    let needed = |names: &[&str], what: &str| {
        find(names)?.ok_or_else(|| {
            let listed = columns.listed();
            let what = format!("has no column with {what} (such as {}), only {listed}", names[0]);
            DataError::table(&name, what)
        })
    };
    let wanted = [
        Some(needed(PHOTO_NAMES, "the photo's id")?),
        Some(needed(LAT_NAMES, "the latitude")?),
        Some(needed(LNG_NAMES, "the longitude")?),
        find(AUTHOR_NAMES)?,
        find(ALBUM_NAMES)?,
        find(&[by])?,
        match source.split {
            Some(_) => Some(needed(&["split"], "the split")?),
            None => None,
        },
    ];
    let mut cells: [String; 7] = Default::default();
    loop {
        cells.iter_mut().for_each(String::clear);
        let line = rows.next(&mut |column, text| {
            for (cell, wanted) in cells.iter_mut().zip(wanted) {
                if wanted == Some(column) {
                    cell.push_str(text.trim());
                }
            }
        })?;
        let Some(line) = line else { break };
        let [photo, lat, lng, author, album, category, split] = &cells;
        if source.split.as_ref().is_some_and(|wanted| wanted != split) {
            continue;
        }
        let position = position(photo, lat, lng);
        let position = position.map_err(|what| DataError::row(&name, line, what))?;
        take(TruthRow { photo, position, author, album, category });
    }
    let [.., author, album, category, _] = wanted.map(|column| column.is_some());
    Ok(TruthColumns { author, album, category })
}

fn position(photo: &str, lat: &str, lng: &str) -> Result<Option<LatLng>, String> {
    if photo.is_empty() {
        return Err("the photo's id is empty".to_owned());
    }
    if lat.is_empty() && lng.is_empty() {
        return Ok(None);
    }
    let degrees =
        |text: &str| decimal(text).ok_or_else(|| format!("'{text}' is not a number of degrees"));
    LatLng::new(degrees(lat)?, degrees(lng)?).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, Option<LatLng>, String)>, DataError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("truth.csv");
        std::fs::write(&path, text).expect("written");
        let mut rows = Vec::new();
        read_truth(&TableSource { path, split: Some("test".to_owned()) }, "scene", |row| {
            rows.push((row.photo.to_owned(), row.position, row.category.to_owned()));
        })?;
        Ok(rows)
    }

    #[test]
    fn columns_are_found_by_their_usual_names_and_splits_are_kept_apart() {
        let rows = read("IMG_ID,LAT,LON,scene,split\na,1,2,beach,test\nb,3,4,,train\nc,,,,test\n");
        let rows = rows.expect("a table");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0], ("a".into(), LatLng::new(1.0, 2.0).ok(), "beach".into()));
        assert_eq!(rows[1].1, None);
    }

    #[test]
    fn a_position_that_is_none_is_named_by_its_line() {
        let error = read("id,lat,lng,split\na,1,2,test\nb,91,2,test\n").expect_err("latitude 91");
        assert!(error.to_string().contains("truth.csv:test:3: "), "{error}");
        let error = read("id,lat,lng,split\n,1,2,test\n").expect_err("no id").to_string();
        assert!(error.contains(":2: the photo's id is empty"), "{error}");
        assert!(read("id,lat\na,1\n").is_err());
    }
}
