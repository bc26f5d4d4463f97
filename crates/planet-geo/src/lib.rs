//! The sphere: positions, distances, S2 cells and partitions.
//!
//! Everything PlaNet says is said in cells: a [`Partition`] divides the earth into classes,
//! a photo's [`LatLng`] falls into one of them, and an answer is a probability over them.
//!
//! ```
//! use planet_geo::{CellId, LatLng, Level};
//!
//! let venice = LatLng::new(45.4408, 12.3155)?;
//! let cell = CellId::containing(venice, Level::new(10)?);
//! assert_eq!(cell.token(), "477eb1");
//! assert!(cell.centre().distance_to(venice).km() < 10.0);
//! # Ok::<(), planet_geo::GeoError>(())
//! ```

mod build;
mod ceiling;
mod cell;
mod distance;
mod error;
mod exchange;
mod lat_lng;
mod leaves;
mod outline;
mod overlap;
mod partition;
mod point_index;

pub use build::{Adaptive, BuildError, Keep, Uniform};
pub use ceiling::{Ceiling, CeilingCounter};
pub use cell::{CellId, Level};
pub use distance::{Distance, EARTH_RADIUS_KM, Scale};
pub use error::{GeoError, PartitionError};
pub use lat_lng::LatLng;
pub use leaves::{PhotoLeaves, PhotoLeavesBuilder};
pub use outline::Outline;
pub use overlap::Overlap;
pub use partition::{Class, ClassId, ClassKind, Partition, PartitionInfo, Point};
pub use point_index::PointIndex;
