use std::{
    io,
    path::{Path, PathBuf},
};

use planet_data::{PhotoError, ResumeError};
use thiserror::Error;

/// Why an index cannot be built or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// The file is no index.
    #[error("{}: not an index; planet im2gps index creates one", path.display())]
    NotAnIndex {
        /// The file.
        path: PathBuf,
    },
    /// The file is an index in another form.
    #[error(
        "{}: an index of format {found}, but this program reads format {known}; build it again with \
         planet im2gps index", path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The file is an index of a version of the method that is not known here.
    #[error(
        "{}: an index of the version {found} of the method, but this program knows 2008 and 2014; \
         build it again with planet im2gps index", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// The file is cut off or was changed.
    #[error("{}: damaged ({what}); build it again with planet im2gps index", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file's name asks for a compression, and a compressed file cannot be mapped.
    #[error("{}: an index cannot be compressed; use a name without .gz or .zst", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
    },
    /// An interrupted index cannot be resumed, or something else stands there.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// None of the photos can be read.
    #[error("none of the {photos} photos can be read; the first one, {first}: {source}")]
    NoPhotos {
        /// How many there are.
        photos: usize,
        /// The first photo's id.
        first: String,
        /// What is wrong with it.
        source: PhotoError,
    },
    /// There are no photos.
    #[error("there are no photos with a position to index")]
    Empty,
    /// No photo lies in the area that answers are limited to.
    #[error("none of the photos of the index lies in this area; choose a larger area")]
    Within,
    /// The monitor ended it.
    #[error("interrupted")]
    Cancelled,
}

impl IndexError {
    pub(super) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::File { path: path.to_owned(), source }
    }
}
