use std::{error::Error, io, path::PathBuf};

/// What is wrong: a sentence, or the error of the library that found it.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why a dataset's file cannot be read or written: which file, which line, what, and the cure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be opened, read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// One row is wrong.
    #[error("{file}:{line}: {what}")]
    Row {
        /// The file, as the user named it.
        file: String,
        /// Line of a text file, counted from 1 with the header; row of a Parquet file, from 1.
        line: u64,
        /// What is wrong, and the cure.
        what: String,
    },
    /// One photo, folder or record of many is wrong; the others are sound.
    #[error("{item}: {source}")]
    Item {
        /// The photo's path, or the record's name.
        item: String,
        /// What is wrong, and the cure.
        source: Cause,
    },
    /// The table as a whole is wrong: a column is missing, the file is cut off.
    #[error("{file}: {source}")]
    Table {
        /// The file, as the user named it.
        file: String,
        /// What is wrong, and the cure.
        source: Cause,
    },
    /// The user ended the work.
    #[error("cancelled")]
    Cancelled,
}

impl DataError {
    /// For `map_err` on what the system answers about a file.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }

    /// A table that is wrong as a whole.
    pub fn table(file: impl Into<String>, what: impl Into<Cause>) -> Self {
        Self::Table { file: file.into(), source: what.into() }
    }

    /// One photo, folder or record of many that is wrong.
    pub fn item(item: impl Into<String>, what: impl Into<Cause>) -> Self {
        Self::Item { item: item.into(), source: what.into() }
    }

    /// Whether only one row or photo is wrong, so that the others can be gone on with.
    pub const fn is_of_one_item(&self) -> bool {
        matches!(self, Self::Row { .. } | Self::Item { .. })
    }

    /// A row that is wrong.
    pub fn row(file: impl Into<String>, line: u64, what: impl ToString) -> Self {
        Self::Row { file: file.into(), line, what: what.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_library_is_kept_behind_that_of_the_file() {
        let error = DataError::table("x.csv", io::Error::other("the disk is gone"));
        assert_eq!(error.to_string(), "x.csv: the disk is gone");
        let source = error.source().expect("what was found");
        assert!(source.downcast_ref::<io::Error>().is_some());
        let error = DataError::item("a.jpg", "no photo");
        assert_eq!(error.to_string(), "a.jpg: no photo");
    }
}
