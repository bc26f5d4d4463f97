//! The drawn earth.

pub mod cue;

mod album;
mod ceiling;
mod climate;
mod country;
mod coverage;
mod cues;
mod disc;
mod disorder;
mod drawn;
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
mod new_folder;
mod paint;
mod place;
mod random;
mod scatter;
mod scenes;
mod seed;
mod shard;
mod share;
mod sheet;
mod store;
mod truth;
mod world;

pub use album::minutes_between;
pub use ceiling::{AlbumCeiling, Ceiling, ScaleCeiling};
pub use coverage::Coverage;
pub use cues::{CueKind, Cues};
pub use disorder::Disorder;
pub use drawn::{Camera, DrawnPhoto};
pub use error::WorldError;
pub use filter::{PIECE, Posteriors, View};
pub use given::{GivenPhoto, GivenPhotos};
pub use ideal::{ANSWERS, Ideal, Judgement, ScaleJudgement};
pub use journeys::Journeys;
pub use layer::{Layer, LayerMap, Surface};
pub use library::{Amount, Drawn, Library};
pub use paint::{
    Format, Graphic, Nuisance, Picture, PictureSize, paint, paint_graphic, paint_layers,
};
pub use place::{Place, PlaceId};
pub use scenes::Scenes;
pub use share::Share;
pub use sheet::contact_sheet;
pub use store::DrawnStore;
pub use truth::{DrawnTruth, Kind, Truth};
pub use world::{VERSION, World, WorldParameters, entropy_bits};
