//! Prediction files: one format a file of source.

mod columns;
mod csv;
mod exiftool;
mod file;
mod geojson;
mod jsonl;
mod kml;
mod reader;

use std::{
    fmt,
    io::{self, Write},
    path::{Path, PathBuf},
};

use columns::ParquetRows;
pub use columns::{answer_columns, answer_fields};
pub use exiftool::Offered;
pub use file::{PredictionFile, PredictionFileError};
use planet_data::DataError;
use planet_geo::Scale;
pub use reader::PredictionReader;
use thiserror::Error;

use super::Prediction;

/// How predictions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PredictionFormat {
    /// One JSON object a photo, failed ones included: everything that is known.
    Jsonl,
    /// `img_id,p_key,pred_class,pred_lat,pred_lng,probability`, one row a candidate.
    Csv,
    /// What `exiftool -csv=FILE` takes; certain answers of a level that is fine enough, for photos
    /// without a position.
    ExiftoolCsv,
    /// A point a photo with its properties, RFC 7946.
    GeoJson,
    /// A placemark a photo.
    Kml,
    /// One row a photo, failed ones included, in Parquet.
    Parquet,
}

impl PredictionFormat {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Jsonl, Self::Csv, Self::ExiftoolCsv, Self::GeoJson, Self::Kml, Self::Parquet];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::ExiftoolCsv => "exiftool-csv",
            Self::GeoJson => "geojson",
            Self::Kml => "kml",
            Self::Parquet => "parquet",
        }
    }

    /// The format that a file's name stands for, also with `.gz` or `.zst`. `.csv` is
    /// [`Self::Csv`]; exiftool's is chosen by its own name only.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.to_string_lossy().to_ascii_lowercase();
        let (_, bare) = planet_data::table::Compression::of_name(&name);
        match bare.rsplit_once('.')?.1 {
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "csv" => Some(Self::Csv),
            "geojson" | "json" => Some(Self::GeoJson),
            "kml" => Some(Self::Kml),
            // It compresses itself.
            "parquet" if bare == name => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The format that a file's name must stand for: exiftool's is a CSV file too.
    pub fn fits(self, path: &Path) -> bool {
        let named = Self::of(path);
        named.is_none()
            || named == Some(self)
            || (self, named) == (Self::ExiftoolCsv, Some(Self::Csv))
    }

    /// Whether an interrupted file can be resumed: every line stands for itself.
    pub const fn resumable(self) -> bool {
        matches!(self, Self::Jsonl | Self::Csv)
    }
}

impl fmt::Display for PredictionFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why predictions cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PredictionError {
    /// The file, or a table's row, is wrong.
    #[error(transparent)]
    Data(#[from] DataError),
    /// One line of JSON is wrong.
    #[error("{file}:{line}: {what}")]
    Line {
        /// The file, as the user named it.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
}

impl PredictionError {
    /// Whether only one line is wrong, so that the others can be gone on with.
    pub const fn is_of_one_line(&self) -> bool {
        match self {
            Self::Line { .. } => true,
            Self::Data(error) => error.is_of_one_item(),
        }
    }
}

/// What some formats need to know beside the predictions.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// Folder that photo ids are relative to: exiftool finds files by their path.
    pub root: PathBuf,
    /// Whether the header of a table stands already, in a file that is resumed.
    pub resumed: bool,
    /// Coarsest level at which positions are offered for writing into photos (exiftool's format).
    pub coarsest: Scale,
}

impl Default for WriterOptions {
    /// Ids relative to the current folder, a new file, positions within 25 km.
    fn default() -> Self {
        Self { root: PathBuf::new(), resumed: false, coarsest: Scale::City }
    }
}

/// Rows in the making.
enum Rows<W: Write + Send> {
    Text(W),
    Parquet(Box<ParquetRows<W>>),
}

/// Writes predictions one by one.
pub struct PredictionWriter<W: Write + Send> {
    writer: Rows<W>,
    format: PredictionFormat,
    options: WriterOptions,
    written: u64,
}

impl<W: Write + Send> PredictionWriter<W> {
    /// Begins a file: what comes before the first photo is written at once.
    ///
    /// # Errors
    /// The writer fails.
    pub fn new(
        mut writer: W,
        format: PredictionFormat,
        options: WriterOptions,
    ) -> io::Result<Self> {
        if format == PredictionFormat::Parquet {
            let writer = Rows::Parquet(Box::new(ParquetRows::new(writer)?));
            return Ok(Self { writer, format, options, written: 0 });
        }
        if !options.resumed {
            let start = match format {
                PredictionFormat::Jsonl | PredictionFormat::Parquet => "",
                PredictionFormat::Csv => csv::HEADER,
                PredictionFormat::ExiftoolCsv => exiftool::HEADER,
                PredictionFormat::GeoJson => geojson::START,
                PredictionFormat::Kml => kml::START,
            };
            writer.write_all(start.as_bytes())?;
        }
        Ok(Self { writer: Rows::Text(writer), format, options, written: 0 })
    }

    /// Writes one photo's prediction. A photo without an answer has a line of its own in
    /// jsonl, geojson (a feature without geometry) and kml (a placemark without a point), and a row
    /// in Parquet.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write(&mut self, prediction: &Prediction) -> io::Result<()> {
        let writer = match &mut self.writer {
            Rows::Text(writer) => writer,
            Rows::Parquet(rows) => return rows.write(prediction),
        };
        let text = match self.format {
            PredictionFormat::Jsonl => jsonl::line(prediction),
            PredictionFormat::Csv => csv::rows(prediction),
            PredictionFormat::ExiftoolCsv => {
                exiftool::row(prediction, &self.options.root, self.options.coarsest)
            }
            PredictionFormat::GeoJson => geojson::feature(prediction, self.written == 0),
            PredictionFormat::Kml => kml::placemark(prediction),
            PredictionFormat::Parquet => String::new(),
        };
        self.written += 1;
        writer.write_all(text.as_bytes())
    }

    /// Hands on what is buffered, so that an interruption loses nothing.
    ///
    /// # Errors
    /// The writer fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.get_mut().flush()
    }

    /// What is written to, for what stands there already.
    pub(super) fn get_mut(&mut self) -> &mut W {
        match &mut self.writer {
            Rows::Text(writer) => writer,
            Rows::Parquet(rows) => rows.get_mut(),
        }
    }

    /// Writes what comes after the last photo and gives the writer back.
    ///
    /// # Errors
    /// The writer fails.
    pub fn finish(self) -> io::Result<W> {
        let mut writer = match self.writer {
            Rows::Text(writer) => writer,
            Rows::Parquet(rows) => {
                let mut writer = rows.finish()?;
                writer.flush()?;
                return Ok(writer);
            }
        };
        let end = match self.format {
            PredictionFormat::GeoJson => geojson::END,
            PredictionFormat::Kml => kml::END,
            _ => "",
        };
        writer.write_all(end.as_bytes())?;
        writer.flush()?;
        Ok(writer)
    }
}

/// A prediction as one JSON object, as jsonl writes it.
pub(super) fn json(prediction: &Prediction) -> String {
    let mut line = jsonl::line(prediction);
    line.truncate(line.trim_end().len());
    line
}

/// A field of a CSV row, quoted where it must be.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Degrees as files keep them: seven decimals, about a centimetre, without trailing zeros.
fn degrees(value: f64) -> f64 {
    (value * 1e7).round() / 1e7
}

/// Kilometres to the metre.
fn km(distance: planet_geo::Distance) -> f64 {
    (distance.km() * 1e3).round() / 1e3
}
