//! The synthetic earth: photos and albums that are painted from their place, with the exact best
//! possible accuracy.
//!
//! A [`World`] says for each of its places how probable everything is that a photo may show (its
//! [`Cues`]), so that the probability of every place given a photo is known exactly: no model
//! can do better, and one that learns well comes near.
//!
//! | to | use |
//! |---|---|
//! | make photos without a disk | [`SyntheticStore`], a [`planet_data::PhotoStore`] |
//! | draw a library of files, with albums, copies and non-photos | [`Library`] |
//! | with tracks and wrong clocks | [`Devices`] |
//! | know the probability of every place given what a photo shows | [`World::posterior`] |
//! | know the best possible accuracy over a partition | [`Ceiling`], of albums [`AlbumCeiling`] |
//! | know which pixels show which cue | [`LayerMap`] |
//!
//! ```
//! use planet_world::{PictureSize, World, WorldParameters};
//!
//! let world = World::draw(WorldParameters::new(0))?;
//! // The third photo of the series with seed 7.
//! let photo = world.photo(7, 3);
//! let jpeg = photo.jpeg(PictureSize::new(64)?)?;
//! assert_eq!(jpeg[..2], [0xff, 0xd8]);
//!
//! let posterior = world.posterior(&photo.cues);
//! assert_eq!(posterior.len(), world.places().len());
//! assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
//! # Ok::<(), planet_world::WorldError>(())
//! ```

pub mod cue;

mod album;
mod camera;
mod ceiling;
mod climate;
mod corruption;
mod country;
mod coverage;
mod cues;
mod devices;
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
mod new_folder;
mod paint;
mod place;
mod random;
mod scatter;
mod scenes;
mod seed;
mod shard;
mod share;
mod store;
mod synthetic_photo;
mod truth;
mod way;
mod world;

pub use camera::Camera;
pub use ceiling::{AlbumCeiling, Ceiling, ScaleCeiling};
pub use corruption::Corruption;
pub use coverage::Coverage;
pub use cues::{CueKind, Cues};
pub use devices::Devices;
pub use error::WorldError;
pub use filter::View;
pub use given::{GivenPhoto, GivenPhotos};
pub use ideal::ANSWERS;
pub(crate) use ideal::{Ideal, IdealOutcome};
pub use journeys::Journeys;
pub use layer::{Layer, LayerMap, Surface};
pub use library::{Library, LibraryCounts, LibrarySize};
pub use paint::{Format, NonPhoto, Nuisance, Picture, PictureSize, paint, paint_layers};
pub use place::{Place, PlaceId};
pub use scenes::Scenes;
pub use share::Share;
pub use store::SyntheticStore;
pub use synthetic_photo::SyntheticPhoto;
pub use truth::{Kind, SyntheticTruth, Truth};
pub use world::{World, WorldParameters};
