//! The drawn earth.

pub mod cue;

mod climate;
mod country;
mod cues;
mod drawn;
mod error;
mod exif;
mod facts;
mod jpeg;
mod likelihood;
mod paint;
mod place;
mod random;
mod scatter;
mod seed;
mod sheet;
mod world;

pub use cues::{CueKind, Cues};
pub use drawn::{Camera, DrawnPhoto};
pub use error::WorldError;
pub use paint::{Format, Nuisance, Picture, PictureSize, paint};
pub use place::{Place, PlaceId};
pub use sheet::contact_sheet;
pub use world::{VERSION, World, WorldParameters, entropy_bits};
