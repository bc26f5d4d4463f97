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

    /// The photo of this id for one who needs no more than `[height, width]` pixels. A store
    /// that can save work by a smaller photo gives one at least that large.
    ///
    /// # Errors
    /// As [`PhotoStore::photo`].
    fn photo_covering(&self, id: &str, _needed: [u32; 2]) -> Result<Photo, PhotoError> {
        self.photo(id)
    }
}
