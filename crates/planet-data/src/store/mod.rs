mod disk;
mod shard;

pub use disk::DiskStore;
pub(crate) use disk::split_member;

use crate::{Photo, PhotoError};

/// Where photos come from: a disk, or a world that draws them. Asked from many threads at once.
pub trait PhotoStore: Send + Sync {
    /// The photo of this id, upright.
    ///
    /// # Errors
    /// There is no such photo, or it cannot be decoded.
    fn photo(&self, id: &str) -> Result<Photo, PhotoError>;
}
