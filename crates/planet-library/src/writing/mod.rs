//! Positions written back to a library, and taken back.
//!
//! A [`Proposal`] is a position for a photo. A [`SidecarWriter`] plans what would be written where
//! ([`PlannedWrite`]) and writes it into XMP sidecars: only where a photo has no position, never
//! into a photo itself. Every change stands in a [`Journal`] before it is made, and [`undo`]
//! takes all changes of a journal back, byte for byte.

mod journal;
mod lock;
mod proposal;
mod sidecar_writer;
mod undo;
mod xmp_edit;

pub use journal::{Change, Journal, JournalError, Pair, Tags};
pub use lock::{LibraryLock, LockError};
pub use proposal::{NotProposed, Proposal, ProposalOptions};
pub use sidecar_writer::{
    Action, PlannedWrite, SidecarName, SidecarWriter, SkipReason, WriteError,
};
pub use undo::{Undone, undo};
pub use xmp_edit::{SidecarError, SidecarValues, edit_sidecar};
