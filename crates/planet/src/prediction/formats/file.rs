use std::{
    io::{self, BufRead, ErrorKind, Write},
    path::{Path, PathBuf},
};

use planet_data::{Before, DataError, OutputFile, ResumeError, Settings, table::STANDARD_STREAM};
use thiserror::Error;

use super::{
    PredictionError, PredictionFormat, PredictionReader, PredictionWriter, WriterOptions, csv,
    jsonl,
};
use crate::Prediction;

/// Predictions between two flushes to the disk: so many are lost at most where a process is killed.
const FLUSHED: u64 = 64;

/// A file of predictions in the making: whole or absent, compressed as its name says, resumable
/// where its format is ([`PredictionFormat::resumable`]). `-` is standard output.
#[must_use = "the file appears only when it is finished"]
pub struct PredictionFile {
    writer: PredictionWriter<OutputFile>,
    /// After how many predictions what is buffered is handed on.
    flushed: u64,
    written: u64,
}

/// Why a file of predictions cannot be begun or resumed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PredictionFileError {
    /// Nothing can be resumed, or something else stands there.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// What was written before cannot be read.
    #[error(transparent)]
    Before(#[from] PredictionError),
    /// The format has a beginning and an end, and nothing that could be resumed between them.
    #[error("output in the format {0} cannot be resumed; use jsonl or csv")]
    Format(PredictionFormat),
    /// The file cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
}

impl PredictionFile {
    /// Begins a file; `options` say what ids are relative to.
    ///
    /// # Errors
    /// The place cannot be written.
    pub fn create(
        path: &Path,
        format: PredictionFormat,
        options: WriterOptions,
    ) -> Result<Self, PredictionFileError> {
        let file = OutputFile::create(path)
            .map_err(|source| PredictionFileError::File { path: path.to_owned(), source })?;
        Self::over(file, path, format, options, false)
    }

    /// Begins a file that can be resumed, where its format can. `settings` say what the
    /// predictions depend on.
    ///
    /// # Errors
    /// The place cannot be written, or an interrupted run has left its part there.
    pub fn create_resumable(
        path: &Path,
        format: PredictionFormat,
        options: WriterOptions,
        settings: &Settings,
    ) -> Result<Self, PredictionFileError> {
        if !format.resumable() {
            return Self::create(path, format, options);
        }
        let file = OutputFile::create_resumable(path, settings)?;
        Self::over(file, path, format, options, false)
    }

    /// Resumes a file of an interrupted run with the same settings, or begins it. What was
    /// written before is kept and handed to `seen`, except what is cut off at its end.
    ///
    /// # Errors
    /// Another format or other settings, a complete file, or one that cannot be read.
    pub fn resume(
        path: &Path,
        format: PredictionFormat,
        options: WriterOptions,
        settings: &Settings,
        seen: &mut dyn FnMut(Prediction),
    ) -> Result<Self, PredictionFileError> {
        if !format.resumable() {
            return Err(PredictionFileError::Format(format));
        }
        let failed = |source| PredictionFileError::File { path: path.to_owned(), source };
        let (file, before) = OutputFile::resume(path, settings)?;
        let Some(before) = before else { return Self::over(file, path, format, options, false) };
        let mut file = Self::over(file, path, format, options, true)?;
        let name = path.to_string_lossy();
        match format {
            PredictionFormat::Csv => file.copy_rows(before, &name, seen)?,
            _ => file.copy_lines(before, &name, seen)?,
        }
        file.writer.flush().map_err(failed)?;
        file.writer.get_mut().replace_part().map_err(failed)?;
        Ok(file)
    }

    fn over(
        file: OutputFile,
        path: &Path,
        format: PredictionFormat,
        options: WriterOptions,
        resumed: bool,
    ) -> Result<Self, PredictionFileError> {
        let options = WriterOptions { resumed, ..options };
        let writer = PredictionWriter::new(file, format, options);
        let writer =
            writer.map_err(|source| PredictionFileError::File { path: path.to_owned(), source })?;
        // What streams to another program should not wait.
        let flushed = if path.as_os_str() == STANDARD_STREAM { 1 } else { FLUSHED };
        Ok(Self { writer, flushed, written: 0 })
    }

    /// Copies whole lines of JSON.
    fn copy_lines(
        &mut self,
        mut before: Before,
        name: &str,
        seen: &mut dyn FnMut(Prediction),
    ) -> Result<(), PredictionError> {
        let mut number = 0;
        let wrong =
            |line, what: String| PredictionError::Line { file: name.to_owned(), line, what };
        while let Some(line) = whole_line(&mut before, name)? {
            number += 1;
            let text =
                std::str::from_utf8(&line).map_err(|error| wrong(number, error.to_string()))?;
            let prediction = jsonl::parse(text).map_err(|what| wrong(number, what))?;
            self.copy(&line, name)?;
            seen(prediction);
        }
        Ok(())
    }

    /// Copies the rows of whole photos: the last photo's may be cut off.
    fn copy_rows(
        &mut self,
        mut before: Before,
        name: &str,
        seen: &mut dyn FnMut(Prediction),
    ) -> Result<(), PredictionError> {
        // Where not even the header is whole, it is written again.
        whole_line(&mut before, name)?;
        self.copy(csv::HEADER.as_bytes(), name)?;
        let (mut photo, mut record) = (Vec::new(), Vec::new());
        while let Some(line) = whole_line(&mut before, name)? {
            record.extend_from_slice(&line);
            // An id in quotes may hold line ends.
            if record.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
                continue;
            }
            if !photo.is_empty() && !csv::continues(&record) {
                self.copy_photo(&photo, name, seen)?;
                photo.clear();
            }
            photo.append(&mut record);
        }
        Ok(())
    }

    fn copy_photo(
        &mut self,
        rows: &[u8],
        name: &str,
        seen: &mut dyn FnMut(Prediction),
    ) -> Result<(), PredictionError> {
        let table = io::Cursor::new([csv::HEADER.as_bytes(), rows].concat());
        for prediction in PredictionReader::of_table(Box::new(table), name)? {
            seen(prediction?);
        }
        self.copy(rows, name)
    }

    fn copy(&mut self, bytes: &[u8], name: &str) -> Result<(), PredictionError> {
        let copied = self.writer.get_mut().write_all(bytes);
        copied.map_err(|error| DataError::file(name)(error).into())
    }

    /// Writes one photo's prediction.
    ///
    /// # Errors
    /// A full disk.
    pub fn write(&mut self, prediction: &Prediction) -> io::Result<()> {
        self.writer.write(prediction)?;
        self.written += 1;
        if self.written.is_multiple_of(self.flushed) { self.writer.flush() } else { Ok(()) }
    }

    /// Hands on what is buffered, so that an interruption loses nothing.
    ///
    /// # Errors
    /// A full disk.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// Writes the end and puts the file in its place.
    ///
    /// # Errors
    /// A full disk, or the place cannot be taken.
    pub fn finish(self) -> io::Result<()> {
        self.writer.finish()?.finish()
    }
}

/// The next line with its end; `None` behind the last whole one, also where the rest is cut off
/// in the middle of compressed data.
fn whole_line(before: &mut Before, name: &str) -> Result<Option<Vec<u8>>, PredictionError> {
    let mut line = Vec::new();
    match before.read_until(b'\n', &mut line) {
        Ok(_) => Ok((line.last() == Some(&b'\n')).then_some(line)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(DataError::file(name)(error).into()),
    }
}
