//! The sphere: positions, distances, S2 cells and partitions.
//!
//! Everything PlaNet says is said in cells: a [`Partition`] divides the earth into classes,
//! a photo's [`LatLng`] falls into one of them, and an answer is a probability over them.
//!
//! | to | use |
//! |---|---|
//! | hold a position, measure between two | [`LatLng`], [`Distance`] |
//! | name a piece of the earth | [`CellId`], [`Level`], [`Outline`] |
//! | divide the earth by where photos are | [`PhotoLeaves`], then [`Adaptive`] (paper, section 3) or [`Uniform`] |
//! | merge cells into fewer classes | [`Merge`] |
//! | read, write, look up, draw elsewhere | [`Partition`] |
//! | know how far from its point a class's photos lie | [`Scatter`], [`Partition::shares_within`] |
//! | know how good an answer can be at best | [`CeilingCounter`], at every [`Scale`] |
//!
//! ```
//! use planet_geo::{Adaptive, CellId, Keep, LatLng, Level, Partition, PhotoLeaves};
//!
//! let venice = LatLng::new(45.4408, 12.3155)?;
//! let cell = CellId::containing(venice, Level::new(10)?);
//! assert_eq!(cell.token(), "477eb1");
//!
//! // Forty photos in Venice, two in Oslo; cells with more than 20 are split, those with fewer
//! // than 10 dropped.
//! let oslo = LatLng::new(59.9139, 10.7522)?;
//! let photos: PhotoLeaves = (0..40)
//!     .map(|i| LatLng::new(45.43 + f64::from(i) / 2000.0, 12.32))
//!     .chain([Ok(oslo), Ok(oslo)])
//!     .collect::<Result<Vec<_>, _>>()?
//!     .into_iter()
//!     .collect();
//! let rules = Adaptive { split_above: 20, keep: Keep::From(10), ..Adaptive::default() };
//! let partition = rules.build(&photos)?;
//! assert!(partition.class_of(venice).is_some());
//! assert_eq!(partition.class_of(oslo), None);
//! // Oslo's two, and seven of Venice's that stand alone in their cells.
//! assert_eq!(partition.info().photos_outside, Some(9));
//!
//! let mut file = Vec::new();
//! partition.write(&mut file)?;
//! let same = Partition::read(&file[..], "partition.csv")?;
//! assert_eq!(same.fingerprint(), partition.fingerprint());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod build;
mod ceiling;
mod cell;
mod distance;
mod error;
mod exchange;
mod lat_lng;
mod leaves;
mod merge;
mod outline;
mod overlap;
mod partition;
mod point_index;
mod scatter;

pub use build::{Adaptive, BuildError, Keep, Uniform};
pub use ceiling::{Ceiling, CeilingCounter};
pub use cell::{CellId, Level};
pub use distance::{Distance, EARTH_RADIUS_KM, Scale};
pub use error::{GeoError, PartitionError};
pub use lat_lng::LatLng;
pub use leaves::{PhotoLeaves, PhotoLeavesBuilder};
pub use merge::Merge;
pub use outline::Outline;
pub use overlap::Overlap;
pub use partition::{Class, ClassId, ClassKind, Partition, PartitionInfo, Point};
pub use point_index::PointIndex;
pub use scatter::Scatter;
