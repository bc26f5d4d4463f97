//! The synthetic earth.

pub mod cue;

mod album;
mod camera;
mod ceiling;
mod climate;
mod corruption;
mod country;
mod coverage;
mod cues;
mod disc;
mod error;
mod exif;
mod facts;
mod filter;
mod given;
mod ideal;
mod journeys;
mod jpeg;
mod layer;
mod library;
mod likelihood;
mod paint;
mod place;
mod random;
mod scatter;
mod seed;
mod shard;
mod share;
mod sheet;
mod store;
mod synthetic_photo;
mod truth;
mod world;

pub use album::minutes_between;
pub use camera::Camera;
pub use ceiling::{AlbumCeiling, Ceiling, ScaleCeiling};
pub use corruption::Corruption;
pub use coverage::Coverage;
pub use cues::{CueKind, Cues};
pub use error::WorldError;
pub use filter::{PIECE, Posteriors, View};
pub use given::{GivenPhoto, GivenPhotos};
pub use ideal::{ANSWERS, Ideal, IdealOutcome, ScaleOutcome};
pub use journeys::Journeys;
pub use layer::{Layer, LayerMap, Surface};
pub use library::{Library, LibraryCounts, LibrarySize};
pub use paint::{
    Format, NonPhoto, Nuisance, Picture, PictureSize, paint, paint_layers, paint_non_photo,
};
pub use place::{Place, PlaceId};
pub use share::Share;
pub use sheet::contact_sheet;
pub use store::SyntheticStore;
pub use synthetic_photo::SyntheticPhoto;
pub use truth::{Kind, SyntheticTruth, Truth};
pub use world::{VERSION, World, WorldParameters, entropy_bits};
