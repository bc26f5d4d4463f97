use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use planet_data::{DataError, table::OutputFile};

use crate::failure::Failure;

/// Rows and photos that are wrong, and notes on what photos say: the first few are named, all are
/// counted, and on request all are written into a table.
pub struct Problems {
    strict: bool,
    skipped: u64,
    noted: u64,
    list: Option<(PathBuf, csv::Writer<OutputFile>)>,
}

/// Skips that are named, and notes; the rest are only counted.
const NAMED: u64 = 20;

impl Problems {
    /// With `strict`, the first row or photo that is wrong is an error. `list` is a CSV to write
    /// all of them into: `file,what,cure`.
    pub fn new(strict: bool, list: Option<&Path>) -> Result<Self, Failure> {
        let begin = |path: &Path| -> Result<_, Failure> {
            let cannot = |error| Failure::new(format!("{}: {error}", path.display()));
            let mut writer = csv::Writer::from_writer(OutputFile::create(path).map_err(cannot)?);
            writer.write_record(["file", "what", "cure"]).map_err(io::Error::from)?;
            Ok((path.to_owned(), writer))
        };
        Ok(Self { strict, skipped: 0, noted: 0, list: list.map(begin).transpose()? })
    }

    /// Takes what a row became; `None` where it is wrong. What is wrong with a whole table is a
    /// failure: the rows behind it cannot be had.
    pub fn sift<T>(&mut self, result: Result<T, DataError>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.add(&error).map(|()| None),
        }
    }

    /// Counts and names one row or photo that is wrong.
    pub fn add(&mut self, error: &DataError) -> Result<(), Failure> {
        match error {
            DataError::Row { file, line, what } => {
                self.skip(&format!("{file}:{line}"), what, "correct or remove the line")
            }
            DataError::Item { item, source } => {
                let what = source.to_string();
                self.skip(item, &what, "restore the file from a backup, or remove it")
            }
            fatal => Err(Failure::new(fatal)),
        }
    }

    /// Counts and names one file, photo or row (`item`) that is left out. `cure` helps where
    /// `what` names none behind a semicolon.
    pub fn skip(&mut self, item: &str, what: &str, cure: &str) -> Result<(), Failure> {
        if self.strict {
            let hint = "without --strict, such photos are counted and skipped";
            return Err(Failure::new(format!("{item}: {what}")).hint(hint));
        }
        self.skipped += 1;
        if self.skipped <= NAMED {
            writeln!(io::stderr(), "skipped: {item}: {what}")?;
        }
        let (what, cure) = what.rsplit_once("; ").unwrap_or((what, cure));
        self.write(item, what, cure)
    }

    /// Counts a photo with invalid metadata, and names the first such value.
    /// Each is what is wrong, and the cure.
    pub fn note<'a>(
        &mut self,
        photo: &str,
        notes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Failure> {
        for (place, (what, cure)) in notes.into_iter().enumerate() {
            if place == 0 {
                self.noted += 1;
                if self.noted <= NAMED {
                    writeln!(io::stderr(), "note: {photo}: {what}")?;
                }
            }
            self.write(photo, what, cure)?;
        }
        Ok(())
    }

    fn write(&mut self, file: &str, what: &str, cure: &str) -> Result<(), Failure> {
        if let Some((_, writer)) = &mut self.list {
            writer.write_record([file, what, cure]).map_err(io::Error::from)?;
        }
        Ok(())
    }

    /// Files, photos and rows that were left out.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Photos with notes.
    pub fn noted(&self) -> u64 {
        self.noted
    }

    /// Says at the end how many there were, and puts the table in its place.
    pub fn report(&mut self) -> Result<(), Failure> {
        let list = self.list.take();
        let all = match &list {
            Some((path, _)) => format!("all are listed in {}", path.display()),
            None => "--problems FILE lists them all".to_owned(),
        };
        for (what, count) in [("skipped", self.skipped), ("note", self.noted)] {
            if count > NAMED {
                writeln!(io::stderr(), "{what}: {} more; {all}", count - NAMED)?;
            }
        }
        if let Some((_, writer)) = list {
            let file = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
            file.finish()?;
        }
        Ok(())
    }
}
