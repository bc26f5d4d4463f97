//! The drawn earth.

pub mod cue;

mod album;
mod climate;
mod country;
mod coverage;
mod cues;
mod disc;
mod drawn;
mod error;
mod exif;
mod facts;
mod filter;
mod ideal;
mod journeys;
mod jpeg;
mod likelihood;
mod paint;
mod place;
mod random;
mod scatter;
mod seed;
mod sheet;
mod world;

pub use album::minutes_between;
pub use coverage::Coverage;
pub use cues::{CueKind, Cues};
pub use drawn::{Camera, DrawnPhoto};
pub use error::WorldError;
pub use filter::{PIECE, Posteriors, View};
pub use ideal::{ANSWERS, Ideal, Judgement, ScaleJudgement};
pub use journeys::Journeys;
pub use paint::{Format, Nuisance, Picture, PictureSize, paint};
pub use place::{Place, PlaceId};
pub use sheet::contact_sheet;
pub use world::{VERSION, World, WorldParameters, entropy_bits};
