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
    #[error("a partition has between 1 and 4294967295 classes, not {0}")]
    ClassCount(usize),
}
