//! A photo: from bytes to upright pixels, and from its headers to what is known of it.

mod decode;
mod error;
mod format;
mod headers;
mod jpeg;
mod limits;
mod orientation;

pub use decode::{Photo, Rescue};
pub use error::PhotoError;
pub use format::PhotoFormat;
pub use limits::Limits;
