use std::io;

use thiserror::Error;

/// Why a position, a cell or a partition is refused. Every variant carries the bad value.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum GeoError {
    /// A latitude outside ±90 degrees, or not a number.
    #[error("latitude {0} is not within -90..=90")]
    Latitude(f64),
    /// A longitude that is not finite, or beyond ±360 degrees, which no wrapping explains.
    #[error("longitude {0} is not within -360..=360")]
    Longitude(f64),
    /// A level above 30.
    #[error("level {0} is not within 0..=30")]
    Level(u8),
    /// A 64-bit number that is no S2 cell.
    #[error("{0:016x} is not an S2 cell id")]
    CellId(u64),
    /// A text that is no S2 token.
    #[error("'{0}' is not an S2 cell token")]
    Token(String),
    /// Two classes of a partition own the same ground.
    #[error("class {second} owns cell {cell}, which overlaps a cell of class {first}")]
    Overlap {
        /// The class that was first to own the ground.
        first: usize,
        /// The class that owns it too.
        second: usize,
        /// Token of the second class's cell.
        cell: String,
    },
    /// A partition without any class, or with more than 2³² − 1.
    #[error("a partition must have between 1 and 4294967295 classes, not {0}")]
    ClassCount(usize),
}

/// Why a partition's file cannot be read: which file, which line, what, and the cure.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PartitionError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Read {
        /// The file, as the caller named it.
        file: String,
        /// The system's own reason.
        source: io::Error,
    },
    /// One line is wrong.
    #[error("{file}:{line}: {what}")]
    Row {
        /// The file, as the caller named it.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// What is wrong, and the cure.
        what: String,
    },
    /// The file as a whole is wrong.
    #[error("{file}: {what}")]
    File {
        /// The file, as the caller named it.
        file: String,
        /// What is wrong, and the cure.
        what: String,
    },
}

impl PartitionError {
    pub(crate) fn row(file: &str, line: u64, what: impl Into<String>) -> Self {
        Self::Row { file: file.to_owned(), line, what: what.into() }
    }

    pub(crate) fn file(file: &str, what: impl Into<String>) -> Self {
        Self::File { file: file.to_owned(), what: what.into() }
    }
}
