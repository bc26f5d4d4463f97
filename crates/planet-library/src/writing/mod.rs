//! Positions written back to a library, and taken back.
//!
//! A [`Proposal`] is a position for a photo. A [`SidecarWriter`] plans what would be written where
//! ([`PlannedWrite`]) and writes it into XMP sidecars, a [`PhotoWriter`] into the photos themselves,
//! through [`ExifTool`]: both only where a photo has no position. Every change stands in a
//! [`Journal`] before it is made, and [`undo`] takes all changes of a journal back, byte for byte.

mod exiftool;
mod image_data;
mod journal;
mod lock;
mod only_position;
mod photo_writer;
mod proposal;
mod sidecar_writer;
mod undo;
mod xmp_edit;

pub use exiftool::ExifTool;
pub use journal::{Change, Journal, JournalError, Pair, Tags};
pub use lock::{LibraryLock, LockError};
pub use photo_writer::PhotoWriter;
pub use proposal::{NotProposed, Proposal, ProposalOptions, ProposalSource};
pub use sidecar_writer::{
    Action, PlannedWrite, SidecarName, SidecarWriter, SkipReason, WriteError,
};
pub use undo::{Undone, undo};
pub use xmp_edit::{SidecarError, SidecarValues, edit_sidecar};
