mod disk;
mod path;
mod shard;

pub use disk::DiskStore;
pub(crate) use disk::split_member;
pub use path::PathStore;

use crate::{Photo, PhotoError, Preprocess};

/// Where photos come from: a disk, or a world that draws them. Asked from many threads at once.
pub trait PhotoStore: Send + Sync {
    /// The photo of this id, upright.
    ///
    /// # Errors
    /// There is no such photo, or it cannot be decoded.
    fn photo(&self, id: &str) -> Result<Photo, PhotoError>;

    /// The photo of this id, upright, for this preprocessing alone: it may be smaller than it is
    /// stored, as [`Photo::decode_for`] makes it.
    ///
    /// # Errors
    /// As [`PhotoStore::photo`].
    fn photo_for(&self, id: &str, _preprocess: &Preprocess) -> Result<Photo, PhotoError> {
        self.photo(id)
    }
}
