use planet_geo::LatLng;
use thiserror::Error;

use crate::PositionSource;

/// Metadata of a photo that was not used. A wrong position is worse
/// than none, but nothing is dropped in silence.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{}: {problem}", .found_in.name())]
pub struct Note {
    /// Where it was found.
    pub found_in: PositionSource,
    /// What is wrong with it.
    pub problem: Problem,
}

/// Why a value was not used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Problem {
    /// Exactly (0, 0), which cameras without a fix write.
    #[error("position 0, 0 counts as missing")]
    NullIsland,
    /// The hemisphere is not stated, and to guess north and east would move half the world.
    #[error("a position without a hemisphere is ignored")]
    NoHemisphere,
    /// Beyond the poles or the date line.
    #[error("position {lat}, {lng} is outside the valid range")]
    OffEarth {
        /// Latitude in degrees.
        lat: f64,
        /// Longitude in degrees.
        lng: f64,
    },
    /// The value's sign or letter says one hemisphere and the reference beside it the other.
    #[error("the sign and the hemisphere of the position contradict each other")]
    Contradiction,
    /// Another source says another place, more than a kilometre away, and goes first.
    #[error("position {:.5}, {:.5} is ignored: that of {} is used, {km:.0} km away", .position.lat(), .position.lng(), .taken.name())]
    Elsewhere {
        /// The position that is not taken.
        position: LatLng,
        /// Whose position is taken.
        taken: PositionSource,
        /// Kilometres between the two.
        km: f64,
    },
    /// One of the two coordinates is missing or makes no sense.
    #[error("the position is incomplete or unreadable")]
    Coordinates,
    /// The capture time makes no sense.
    #[error("`{0}` is not a time")]
    Time(String),
    /// A capture time of which only the year, or year and month, are known.
    #[error("`{0}` has no day, and is ignored")]
    NoDay(String),
    /// The offset from UTC makes no sense; the time stands without one.
    #[error("`{0}` is not an offset from UTC; the time is read without a zone")]
    Offset(String),
    /// The file holds no XMP at all: it is something else.
    #[error("is not XMP")]
    NotXmp,
    /// The file or packet is empty.
    #[error("is empty")]
    NoXmp,
    /// The block is damaged; what could be read of it counts.
    #[error("damaged: {0}")]
    Damaged(String),
}

impl Problem {
    /// What a person can do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::NullIsland => "if the place is known, write it into the photo or a sidecar",
            Self::NoHemisphere => "write GPSLatitudeRef and GPSLongitudeRef (exiftool does)",
            Self::OffEarth { .. } | Self::Coordinates | Self::Contradiction => {
                "write the position again, or remove it from the file"
            }
            Self::Elsewhere { .. } => {
                "find out which position is correct, and correct the other file"
            }
            Self::Time(_) | Self::NoDay(_) => "if the time is known, write it into the photo",
            Self::Offset(_) => "write an offset between -12:00 and +14:00, such as +02:00",
            Self::NotXmp | Self::NoXmp => {
                "delete the file, or write it again with the program that created it"
            }
            Self::Damaged(_) => {
                "restore the file from a backup, or write it again with the program that created it"
            }
        }
    }
}
