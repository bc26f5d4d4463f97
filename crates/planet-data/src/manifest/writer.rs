use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Column, column::Cell, parquet::ParquetSink};
use crate::{
    DataError, PhotoRecord,
    table::{Format, Kind, OutputFile, STANDARD_STREAM},
};

/// A manifest in the making; it appears only when [`ManifestWriter::finish`] is called.
pub struct ManifestWriter {
    path: PathBuf,
    other: Vec<String>,
    sink: Sink,
}

enum Sink {
    Text(Box<csv::Writer<OutputFile>>),
    Parquet(Box<ParquetSink>),
}

impl ManifestWriter {
    /// Begins a manifest whose photos lie below `root` (beside the manifest without one).
    /// `other` names the columns beyond those that PlaNet knows. The format follows the name;
    /// standard output, `-`, is CSV.
    ///
    /// # Errors
    /// A name that says no format, or a place that cannot be written.
    pub fn create(path: &Path, root: Option<&Path>, other: &[String]) -> Result<Self, DataError> {
        let kind = match path.as_os_str() == STANDARD_STREAM {
            true => Kind::Csv,
            false => Format::of(path)?.kind,
        };
        let file = OutputFile::create(path).map_err(DataError::file(path))?;
        let root = root.map(|root| root.to_string_lossy().into_owned());
        let sink = match kind {
            Kind::Csv => text(file, b',', root.as_deref(), other),
            Kind::Tsv => text(file, b'\t', root.as_deref(), other),
            Kind::Parquet => ParquetSink::new(file, root.as_deref(), other)
                .map(|sink| Sink::Parquet(Box::new(sink)))
                .map_err(io::Error::other),
        };
        let sink = sink.map_err(DataError::file(path))?;
        Ok(Self { path: path.to_owned(), other: other.to_vec(), sink })
    }

    /// Appends one photo. Its unknown columns are written where they were named at the start.
    ///
    /// # Errors
    /// A full disk.
    pub fn write(&mut self, record: &PhotoRecord) -> Result<(), DataError> {
        let written = match &mut self.sink {
            Sink::Text(writer) => write_text(writer, record, &self.other),
            Sink::Parquet(sink) => sink.write(record).map_err(io::Error::other),
        };
        written.map_err(DataError::file(&self.path))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// A full disk, or a place that cannot be taken.
    pub fn finish(self) -> Result<(), DataError> {
        let file = match self.sink {
            Sink::Text(writer) => writer.into_inner().map_err(|error| {
                let kind = error.error().kind();
                io::Error::new(kind, error.to_string())
            }),
            Sink::Parquet(sink) => sink.finish().map_err(io::Error::other),
        };
        file.and_then(OutputFile::finish).map_err(DataError::file(self.path))
    }
}

fn text(
    mut file: OutputFile,
    delimiter: u8,
    root: Option<&str>,
    other: &[String],
) -> io::Result<Sink> {
    if let Some(root) = root {
        writeln!(file, "# root={}", root.replace(['\n', '\r'], " "))?;
    }
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(file);
    let known = Column::ALL.iter().map(|column| column.name());
    writer.write_record(known.chain(other.iter().map(String::as_str)))?;
    Ok(Sink::Text(Box::new(writer)))
}

fn write_text(
    writer: &mut csv::Writer<OutputFile>,
    record: &PhotoRecord,
    other: &[String],
) -> io::Result<()> {
    for column in Column::ALL {
        writer.write_field(column.take(record).map_or_else(String::new, Cell::into_text))?;
    }
    for name in other {
        writer.write_field(record.other.get(name).map_or("", String::as_str))?;
    }
    writer.write_record(None::<&[u8]>)?;
    Ok(())
}
