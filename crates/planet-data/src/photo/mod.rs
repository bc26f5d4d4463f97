//! A photo: from bytes to upright pixels, and from its headers to what is known of it.

mod decode;
mod directory;
mod error;
mod estimate;
mod exif;
mod facts;
mod format;
mod headers;
#[cfg(feature = "heif")]
mod heif;
mod jpeg;
mod limits;
mod memory;
mod note;
mod on_white;
mod orientation;
mod tags;
pub(crate) mod takeout;
mod tiff;
mod xmp;

pub use decode::{Photo, Rescue};
pub use error::PhotoError;
pub use facts::{PhotoFacts, sidecar_paths};
pub use format::PhotoFormat;
pub use limits::Limits;
pub use note::{Note, Problem};
