use std::{io::BufRead, path::Path};

use planet_geo::LatLng;

use super::{ImportOptions, columns::with_sources};
use crate::{DataError, PhotoRecord, table, time};

/// Places of the columns in `yfcc100m_dataset`, which has no header (Thomee et al. 2016).
mod column {
    pub(super) const ID: usize = 0;
    pub(super) const USER: usize = 1;
    pub(super) const TAKEN: usize = 3;
    pub(super) const CAMERA: usize = 5;
    pub(super) const USER_TAGS: usize = 8;
    pub(super) const LNG: usize = 10;
    pub(super) const LAT: usize = 11;
    pub(super) const ACCURACY: usize = 12;
    pub(super) const VIDEO: usize = 22;
    /// Columns in all; the 2016 release has a line number before them.
    pub(super) const COUNT: usize = 23;
}

/// YFCC100M's table being read. Videos and photos with too few or too many tags are passed over.
pub(super) struct Imported {
    name: String,
    lines: Box<dyn BufRead + Send>,
    line: u64,
    tags: Option<(usize, usize)>,
}

pub(super) fn read(path: &Path, options: &ImportOptions) -> Result<Imported, DataError> {
    let name = path.to_string_lossy().into_owned();
    Ok(Imported { name, lines: table::open_text(path)?, line: 0, tags: options.tags })
}

impl Iterator for Imported {
    type Item = Result<PhotoRecord, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match table::read_line(&mut self.lines, &self.name, self.line + 1) {
                Ok(line) => line?,
                Err(error) => {
                    // Nothing behind an endless line can be found again.
                    self.lines = Box::new(std::io::empty());
                    return Some(Err(error));
                }
            };
            self.line += 1;
            let record = record(&line, self.tags);
            match record.map_err(|what| DataError::row(&self.name, self.line, what)) {
                Ok(None) => {}
                Ok(Some(record)) => return Some(Ok(record)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn record(line: &str, tags: Option<(usize, usize)>) -> Result<Option<PhotoRecord>, String> {
    let mut cells: Vec<&str> = line.split('\t').collect();
    if cells.len() == column::COUNT + 1 {
        cells.remove(0);
    }
    if cells.len() != column::COUNT {
        return Err(format!("has {} tab-separated columns, not {}", cells.len(), column::COUNT));
    }
    let count = cells[column::USER_TAGS].split(',').filter(|tag| !tag.is_empty()).count();
    if cells[column::VIDEO] == "1"
        || tags.is_some_and(|(least, most)| count < least || count > most)
    {
        return Ok(None);
    }
    let text = |at: usize| (!cells[at].is_empty()).then(|| cells[at].replace('+', " "));
    let record = PhotoRecord {
        photo: format!("{}.jpg", cells[column::ID]),
        position: position(cells[column::LAT], cells[column::LNG])?,
        time: time::from_iso(cells[column::TAKEN]),
        author: (!cells[column::USER].is_empty()).then(|| cells[column::USER].to_owned()),
        camera: text(column::CAMERA),
        other: [
            ("tags".to_owned(), cells[column::USER_TAGS].to_owned()),
            ("flickr_accuracy".to_owned(), cells[column::ACCURACY].to_owned()),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect(),
        ..PhotoRecord::default()
    };
    Ok(Some(with_sources(record)))
}

fn position(lat: &str, lng: &str) -> Result<Option<LatLng>, String> {
    if lat.is_empty() && lng.is_empty() {
        return Ok(None);
    }
    let number = |text: &str| {
        text.parse::<f64>().map_err(|_| format!("a coordinate is not a number: '{text:.40}'"))
    };
    LatLng::new(number(lat)?, number(lng)?).map(Some).map_err(|error| error.to_string())
}
