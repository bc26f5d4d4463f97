use thiserror::Error;

use crate::PositionSource;

/// Something that a photo says of itself and that was not believed. A wrong position is worse
/// than none, but nothing is dropped in silence.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{}: {problem}", .found_in.name())]
pub struct Note {
    /// Where it was found.
    pub found_in: PositionSource,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Why a value was not believed.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Problem {
    /// Exactly (0, 0), which cameras without a fix write.
    #[error("position 0, 0 counts as missing")]
    NullIsland,
    /// The hemisphere is not stated, and to guess north and east would move half the world.
    #[error("a position without its hemisphere is not guessed")]
    NoHemisphere,
    /// Beyond the poles or the date line.
    #[error("position {lat}, {lng} is not on the earth")]
    OffEarth {
        /// Latitude in degrees.
        lat: f64,
        /// Longitude in degrees.
        lng: f64,
    },
    /// One of the two coordinates is missing or makes no sense.
    #[error("the position is incomplete or unreadable")]
    Coordinates,
    /// The capture time makes no sense.
    #[error("`{0}` is no time")]
    Time(String),
    /// The block is damaged; what could be read of it counts.
    #[error("damaged: {0}")]
    Damaged(String),
}
