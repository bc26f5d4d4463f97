//! The drawn earth.

pub mod cue;

mod climate;
mod country;
mod cues;
mod error;
mod facts;
mod likelihood;
mod place;
mod random;
mod scatter;
mod seed;
mod world;

pub use cues::{CueKind, Cues};
pub use error::WorldError;
pub use place::{Place, PlaceId};
pub use world::{VERSION, World, WorldParameters, entropy_bits};
