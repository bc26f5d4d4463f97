use std::{
    collections::VecDeque,
    io::{BufRead, Read},
    path::Path,
    sync::mpsc,
};

use csv::ByteRecord;
use planet_data::{
    DataError,
    table::{self, Columns, Format, Kind, TextTable, decimal},
};
use planet_geo::{ClassId, LatLng};

use super::{PredictionError, PredictionFormat, jsonl};
use crate::prediction::{Candidate, Prediction};

/// Longest line of jsonl that is read, in bytes: an embedding and a hundred candidates are a
/// tenth of it.
const LONGEST_LINE: usize = 1 << 22;
/// Predictions that are handed over between threads at once, and how often ahead.
const BATCH: usize = 512;
const BATCHES_AHEAD: usize = 4;
/// Wrong rows that are looked past for more rows of one photo.
const LOOKED_PAST: usize = 100;

/// Reads predictions photo by photo: jsonl, our CSV, and what other systems write.
///
/// | columns | whose |
/// |---|---|
/// | `img_id,p_key,pred_class,pred_lat,pred_lng,probability` | ours, `p_key` a rank from 0 |
/// | `img_id,p_key,pred_class,pred_lat,pred_lng` | rows of several partitionings, named by `p_key`, of which one is chosen |
/// | `img_id,gt_lat,predicted_lat,gt_long,predicted_long,…` | with its own truth |
/// | an id with `lat` and `lng` by their usual names | any answer sheet |
///
/// Rows of one photo stand one after the other. Ids are kept as they are. Rows that are no
/// prediction, such as a summary at the end, are errors by their line; empty lines are none.
pub struct PredictionReader {
    name: String,
    source: Source,
}

enum Source {
    Jsonl { reader: Box<dyn BufRead + Send>, line: u64, buffer: Vec<u8> },
    Table(Box<Rows>),
}

impl PredictionReader {
    /// Opens a file, plain or compressed; `-` is standard input. The kind of what has no ending in
    /// its name, such as a pipe, is told from its first line. `p_key` chooses among the
    /// partitionings of a file that names them.
    ///
    /// # Errors
    /// A file that cannot be opened, or whose columns are none of those above.
    pub fn open(path: &Path, p_key: Option<&str>) -> Result<Self, PredictionError> {
        let name = path.to_string_lossy().into_owned();
        let mut reader = table::open_text(path)?;
        let start = reader.fill_buf().map_err(DataError::file(path))?;
        let first = start.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
        let is_json =
            first == Some(b'{') || PredictionFormat::of(path) == Some(PredictionFormat::Jsonl);
        let source = if is_json {
            Source::Jsonl { reader, line: 0, buffer: Vec::new() }
        } else {
            Source::Table(Box::new(Rows::open(reader, path, &name, p_key)?))
        };
        Ok(Self { name, source })
    }

    /// Reads lines of our jsonl from memory; `name` stands in errors.
    pub fn of_jsonl(text: String, name: &str) -> Self {
        let reader = Box::new(std::io::Cursor::new(text.into_bytes()));
        Self {
            name: name.to_owned(),
            source: Source::Jsonl { reader, line: 0, buffer: Vec::new() },
        }
    }

    /// Reads our CSV from memory.
    pub(super) fn of_table(
        reader: Box<dyn BufRead + Send>,
        name: &str,
    ) -> Result<Self, PredictionError> {
        let rows = Rows::of(TextTable::new(reader, name, b',')?, name, None)?;
        Ok(Self { name: name.to_owned(), source: Source::Table(Box::new(rows)) })
    }

    /// The same on a thread of its own, some thousand predictions ahead of the caller.
    pub fn ahead(mut self) -> impl Iterator<Item = Result<Prediction, PredictionError>> {
        let (sender, receiver) = mpsc::sync_channel::<Vec<_>>(BATCHES_AHEAD);
        std::thread::spawn(move || {
            loop {
                let batch: Vec<_> = self.by_ref().take(BATCH).collect();
                // The caller may have gone.
                if batch.is_empty() || sender.send(batch).is_err() {
                    break;
                }
            }
        });
        receiver.into_iter().flatten()
    }

    fn read(&mut self) -> Result<Option<Prediction>, PredictionError> {
        match &mut self.source {
            Source::Jsonl { reader, line, buffer } => loop {
                buffer.clear();
                *line += 1;
                let wrong = |what: String| PredictionError::Line {
                    file: self.name.clone(),
                    line: *line,
                    what,
                };
                let read = reader.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', buffer);
                let broken = match read {
                    Ok(0) => return Ok(None),
                    Ok(LONGEST_LINE) => {
                        Some(format!("the line is longer than {} MiB", LONGEST_LINE >> 20))
                    }
                    Ok(_) => None,
                    Err(error) => Some(error.to_string()),
                };
                if let Some(what) = broken {
                    // Nothing behind it can be found again.
                    *reader = Box::new(std::io::empty());
                    return Err(DataError::table(format!("{}:{line}", self.name), what).into());
                }
                let text = std::str::from_utf8(buffer).map_err(|error| wrong(error.to_string()))?;
                if !text.trim().is_empty() {
                    return jsonl::parse(text).map(Some).map_err(wrong);
                }
            },
            Source::Table(rows) => rows.next_photo(),
        }
    }
}

impl Iterator for PredictionReader {
    type Item = Result<Prediction, PredictionError>;

    /// The next photo. After an error about one line the next call goes on behind it.
    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

/// A table's rows, gathered by photo.
struct Rows {
    name: String,
    table: TextTable,
    layout: Layout,
    p_key: Option<String>,
    row: ByteRecord,
    /// The first row of the next photo.
    next: Option<Parsed>,
    /// What was wrong with rows before it.
    errors: VecDeque<PredictionError>,
    /// Whether a row named its rank.
    ranked: bool,
}

/// Where the columns stand.
struct Layout {
    id: usize,
    lat: usize,
    lng: usize,
    key: Option<usize>,
    class: Option<usize>,
    probability: Option<usize>,
    truth: Option<[usize; 2]>,
}

struct Parsed {
    id: String,
    rank: Option<u64>,
    candidate: Option<Candidate>,
    truth: Option<LatLng>,
}

const IDS: [&str; 8] =
    ["img_id", "photo", "image_id", "img_file", "id", "image", "filename", "file"];
const LATITUDES: [&str; 5] = ["pred_lat", "predicted_lat", "predicted_latitude", "lat", "latitude"];
const LONGITUDES: [&str; 8] = [
    "pred_lng",
    "predicted_long",
    "predicted_lng",
    "predicted_longitude",
    "pred_lon",
    "lng",
    "lon",
    "longitude",
];
const TRUE_LATITUDES: [&str; 3] = ["gt_lat", "true_lat", "gt_latitude"];
const TRUE_LONGITUDES: [&str; 5] = ["gt_long", "gt_lng", "gt_lon", "true_lng", "gt_longitude"];

impl Layout {
    fn of(name: &str, columns: &Columns) -> Result<Self, PredictionError> {
        let find = |names: &[&str]| columns.find(name, names);
        let needed = |names: &[&str], what: &str| {
            find(names)?.ok_or_else(|| {
                let listed = columns.listed();
                let what =
                    format!("has no column with {what} (such as {}), only {listed}", names[0]);
                DataError::table(name, what)
            })
        };
        let truth = match (find(&TRUE_LATITUDES)?, find(&TRUE_LONGITUDES)?) {
            (Some(lat), Some(lng)) => Some([lat, lng]),
            _ => None,
        };
        Ok(Self {
            id: needed(&IDS, "the photo's id")?,
            lat: needed(&LATITUDES, "the answer's latitude")?,
            lng: needed(&LONGITUDES, "the answer's longitude")?,
            key: find(&["p_key"])?,
            class: find(&["pred_class"])?,
            probability: find(&["probability", "confidence", "score"])?,
            truth,
        })
    }
}

impl Rows {
    fn open(
        reader: Box<dyn BufRead + Send>,
        path: &Path,
        name: &str,
        p_key: Option<&str>,
    ) -> Result<Self, PredictionError> {
        let delimiter = match Format::of(path).map(|format| format.kind) {
            Ok(Kind::Parquet) => {
                let what = "the extension of a predictions file must be .jsonl, .csv or .tsv";
                return Err(DataError::table(name, what).into());
            }
            Ok(Kind::Csv) => b',',
            Ok(Kind::Tsv) => b'\t',
            // The table finds another one in its header.
            Err(_) => b',',
        };
        let table = TextTable::new(reader, name, delimiter)?;
        Self::of(table, name, p_key)
    }

    fn of(table: TextTable, name: &str, p_key: Option<&str>) -> Result<Self, PredictionError> {
        let layout = Layout::of(name, table.columns())?;
        Ok(Self {
            name: name.to_owned(),
            table,
            layout,
            p_key: p_key.map(str::to_owned),
            row: ByteRecord::new(),
            next: None,
            errors: VecDeque::new(),
            ranked: false,
        })
    }

    fn next_photo(&mut self) -> Result<Option<Prediction>, PredictionError> {
        if let Some(error) = self.errors.pop_front() {
            return Err(error);
        }
        let first = match self.next.take() {
            Some(first) => first,
            None => match self.next_row()? {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        let mut prediction =
            Prediction { photo: first.id, truth: first.truth, ..Default::default() };
        let mut ranked: Vec<(u64, Candidate)> = Vec::new();
        ranked.extend(first.candidate.map(|candidate| (first.rank.unwrap_or(0), candidate)));
        while self.errors.len() < LOOKED_PAST {
            match self.next_row() {
                // Rows without a rank do not continue a photo: the same id again is a duplicate.
                Ok(Some(row))
                    if row.id == prediction.photo && row.rank.is_some_and(|rank| rank > 0) =>
                {
                    ranked.extend(row.candidate.map(|it| (row.rank.unwrap_or(0), it)));
                }
                Ok(next) => {
                    self.next = next;
                    break;
                }
                // A wrong row takes nothing from the photo before it, and is told behind it.
                Err(error) => self.errors.push_back(error),
            }
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        prediction.candidates = ranked.into_iter().map(|(_, candidate)| candidate).collect();
        if prediction.candidates.is_empty() {
            prediction.error = Some("the file states no answer".to_owned());
        }
        Ok(Some(prediction))
    }

    /// The next row of the partitioning that was chosen.
    fn next_row(&mut self) -> Result<Option<Parsed>, PredictionError> {
        while let Some(line) = self.table.read(&mut self.row)? {
            if let Some(what) = self.unchosen() {
                return Err(DataError::table(format!("{}:{line}", self.name), what).into());
            }
            let parsed = self.parse().map_err(|what| DataError::row(&self.name, line, what))?;
            if let Some(parsed) = parsed {
                self.ranked |= parsed.rank.is_some();
                return Ok(Some(parsed));
            }
        }
        Ok(None)
    }

    /// Says how to choose, where the first rows name a partitioning and none was chosen.
    fn unchosen(&self) -> Option<String> {
        if self.ranked || self.p_key.is_some() {
            return None;
        }
        let key = std::str::from_utf8(self.row.get(self.layout.key?)?).ok()?.trim();
        let is_rank = key.is_empty() || key.parse::<u64>().is_ok();
        let what = "is not a rank but a partitioning; select one with --p-key";
        (!is_rank).then(|| format!("p_key '{key}' {what} {key}"))
    }

    /// A row; `None` for one of another partitioning.
    fn parse(&self) -> Result<Option<Parsed>, String> {
        let text = |column: usize| -> Result<&str, String> {
            let cell = self.row.get(column).unwrap_or_default();
            let text = std::str::from_utf8(cell).map(str::trim);
            text.map_err(|_| "the row is not UTF-8; save the file as UTF-8".to_owned())
        };
        let layout = &self.layout;
        let least = layout.id.max(layout.lat).max(layout.lng) + 1;
        if self.row.len() < least {
            return Err(format!(
                "the row has {} cells, but a prediction has {least}; remove the row from the file",
                self.row.len()
            ));
        }
        let key = layout.key.map(text).transpose()?.filter(|key| !key.is_empty());
        let rank = match (key, &self.p_key) {
            (Some(key), Some(wanted)) if key == wanted => None,
            (Some(_), Some(_)) => return Ok(None),
            (Some(key), None) => {
                Some(key.parse::<u64>().map_err(|_| format!("p_key '{key}' is not a rank"))?)
            }
            (None, _) => None,
        };
        let id = text(layout.id)?;
        if id.is_empty() {
            return Err("the photo's id is empty".to_owned());
        }
        let position = position(text(layout.lat)?, text(layout.lng)?)?;
        let class = match layout.class.map(text).transpose()? {
            Some(class) => class.parse().ok().map(ClassId),
            None => None,
        };
        let probability = match layout.probability.map(text).transpose()? {
            None | Some("") => None,
            Some(text) => {
                let p = text.parse().ok().filter(|p: &f32| (0.0..=1.0 + 1e-5).contains(p));
                Some(p.ok_or_else(|| format!("probability '{text}' is not within 0..=1"))?)
            }
        };
        let truth = match layout.truth {
            Some([lat, lng]) => self::position(text(lat)?, text(lng)?)?,
            None => None,
        };
        let candidate =
            position.map(|position| Candidate { class, probability, ..Candidate::at(position) });
        Ok(Some(Parsed { id: id.to_owned(), rank, candidate, truth }))
    }
}

/// A position; `None` where both cells are empty.
fn position(lat: &str, lng: &str) -> Result<Option<LatLng>, String> {
    if lat.is_empty() && lng.is_empty() {
        return Ok(None);
    }
    let degrees =
        |text: &str| decimal(text).ok_or_else(|| format!("'{text}' is not a number of degrees"));
    LatLng::new(degrees(lat)?, degrees(lng)?).map(Some).map_err(|error| error.to_string())
}
