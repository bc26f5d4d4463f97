//! Why there: parts of a photo are hidden in turn, and the probability of a place is watched
//! (paper, section 3, after Zeiler and Fergus).
//!
//! [`explain`] runs the network on variations of photos and gives an [`Occlusion`] for each: what
//! was said with each box hidden. An [`OcclusionMap`] of it has a value for every pixel;
//! [`Occlusion::regions`] are the boxes that matter most, with the answer that takes the
//! place of the right one; [`Occlusion::to_png`] and its kin show it.
//!
//! ```
//! use std::sync::Arc;
//! use planet::{
//!     Activations, Engine, EngineError, Locator, LocatorOptions,
//!     occlusion::{Measure, OcclusionOptions, explain},
//! };
//! use planet_data::{Gazetteer, Photo, PhotoError, PhotoStore, PixelBatch, Preprocess, NoMonitor};
//! use planet_geo::{CellId, Class, ClassKind, Partition, PartitionInfo};
//!
//! /// Says class 0 the surer the brighter the photo is.
//! struct Bright;
//! impl Engine for Bright {
//!     fn name(&self) -> &str { "bright" }
//!     fn run(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError> {
//!         let mean = |photo: &[f32]| photo.iter().sum::<f32>() / photo.len() as f32;
//!         let photos = batch.values().chunks(3 * batch.height() * batch.width());
//!         let logits = photos.flat_map(|photo| [mean(photo), 0.0]).collect();
//!         Ok(Activations { logits, classes: 2, ..Activations::default() })
//!     }
//! }
//! struct White;
//! impl PhotoStore for White {
//!     fn photo(&self, _: &str) -> Result<Photo, PhotoError> {
//!         Photo::from_rgb(40, 30, vec![255; 3600])
//!     }
//! }
//!
//! let class = |cell: CellId| {
//!     let centre = Some(cell.centre());
//!     Class { kind: ClassKind::Cells(vec![cell]), photos: 1, mean: centre, centre, scatter: None }
//! };
//! let classes = vec![class("477eb1".parse()?), class("487604".parse()?)];
//! let partition = Arc::new(Partition::new(PartitionInfo::default(), classes)?);
//! let locator =
//!     Locator::new(partition, 1.0, LocatorOptions::default(), Arc::new(Gazetteer::new()))?;
//! let (photos, options) = ([("photo.jpg".to_owned(), None)], OcclusionOptions::default());
//! let mut drops = Vec::new();
//! explain(
//!     &mut Bright, &locator, &Preprocess::inception(32), &White, &photos, &options, &NoMonitor,
//!     |_row, found| drops.push(found.expect("it has an answer").map(Measure::Drop).at(20, 15)),
//! )?;
//! assert!(drops[0] > 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod explain;
mod grid;
mod json;
mod map;
mod options;
mod page;
mod picture;
mod plan;
mod regions;
mod result;
mod target;

pub use explain::explain;
pub use map::{Measure, OcclusionMap};
pub use options::{Fill, OcclusionError, OcclusionOptions, Search, passes};
pub use page::to_page;
pub use planet_data::PixelBox;
pub use regions::Region;
pub use result::{HiddenBox, Occlusion, PhotoFailure, Reading};
pub use target::{ResolvedTarget, Target, TargetError};
