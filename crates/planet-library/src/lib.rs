//! One person's photos, located together from what is known of them: positions, times, and a
//! model's output.
//!
//! | to … | use |
//! |---|---|
//! | locate a whole library | [`Library`] |
//! | find how far its answers can be trusted | [`Calibration`] |
//! | see how well masked positions are found again | [`masked_validation`] |
//! | read a person's positions from their tracks | [`Tracks`] |
//! | look the photos up in them | [`Tracked`] |
//! | locate photos without a time by what they look like | [`LookAlikes`] |
//! | find by how much cameras' clocks are wrong | [`clocks_by_tracks`], [`clocks_by_pixels`], [`with_offsets`] |
//! | write positions into sidecars, and take them back | [`writing`] |
//! | answer by a simple rule, for comparison | [`nearest_in_time`], [`photoprism`] |

mod answer;
mod calibration;
mod choice;
mod clocks;
mod clocks_by_pixels;
mod library;
mod look_alikes;
mod masking;
mod neighbours;
mod parts;
mod prepared;
mod similarity;
mod summary;
mod tracked;
mod tracks;
pub mod writing;

pub use calibration::Calibration;
pub use clocks::{ClockEstimate, ClockOffset, ClockUncertainty, clocks_by_tracks, with_offsets};
pub use clocks_by_pixels::{PixelClock, clocks_by_pixels};
pub use library::{Library, LibraryError, ModelOutput};
pub use look_alikes::LookAlikes;
pub use masking::{Masking, ValidationOptions, ValidationRow, masked_validation};
pub use neighbours::{Timed, nearest_in_time, photoprism};
pub use summary::Summary;
pub use tracked::Tracked;
pub use tracks::{TrackCounts, TrackError, TrackLimits, TrackPosition, Tracks};
