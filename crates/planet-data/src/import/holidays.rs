use std::{io::BufRead, path::Path};

use crate::{DataError, PhotoRecord, table};

/// INRIA Holidays: one file name a line, `100000.jpg`, perhaps with more words behind it. The
/// number divided by 100 is the group of photos that show the same place (here `album`); the
/// first of a group is the query, the others are what must be found (here `category`).
pub(super) struct Imported {
    name: String,
    lines: Box<dyn BufRead + Send>,
    line: u64,
}

pub(super) fn read(path: &Path) -> Result<Imported, DataError> {
    let name = path.to_string_lossy().into_owned();
    Ok(Imported { name, lines: table::open_text(path)?, line: 0 })
}

impl Iterator for Imported {
    type Item = Result<PhotoRecord, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match table::read_line(&mut self.lines, &self.name, self.line + 1) {
                Ok(line) => line?,
                Err(error) => {
                    self.lines = Box::new(std::io::empty());
                    return Some(Err(error));
                }
            };
            self.line += 1;
            if let Some(photo) = line.split_whitespace().next() {
                let record = record(photo);
                return Some(record.map_err(|what| DataError::row(&self.name, self.line, what)));
            }
        }
    }
}

fn record(photo: &str) -> Result<PhotoRecord, String> {
    let stem = Path::new(photo).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let number: u32 = stem.parse().map_err(|_| {
        format!("the name '{photo:.40}' is not a number, as in 100000.jpg; is this the Holidays dataset?")
    })?;
    let category = if number.is_multiple_of(100) { "query" } else { "database" };
    Ok(PhotoRecord {
        photo: photo.to_owned(),
        album: Some((number / 100).to_string()),
        category: Some(category.to_owned()),
        ..PhotoRecord::default()
    })
}
