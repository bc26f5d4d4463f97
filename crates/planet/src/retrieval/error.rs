use std::{io, path::PathBuf};

use planet_data::PhotoError;
use thiserror::Error;

use crate::EngineError;

/// Why photos cannot be described or searched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// A recipe that makes no sense, or that the model cannot serve.
    #[error("{0}")]
    Recipe(String),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Too few photos, or too similar ones, to learn whitening from.
    #[error(
        "whitening to {wanted} dimensions needs photos that differ in as many; these {photos} \
         vectors have {found}: use more photos, or fewer dimensions"
    )]
    Whitening {
        /// Vectors that it was learned from.
        photos: usize,
        /// Dimensions asked for.
        wanted: usize,
        /// Dimensions in which the vectors differ.
        found: usize,
    },
    /// Not one photo of those to learn from can be decoded.
    #[error("{photo}: {source}; no photo could be decoded")]
    NoPhotos {
        /// The first photo.
        photo: String,
        /// Why it failed.
        source: PhotoError,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// A file that is no index, or not as it was written.
    #[error("{}: {what}; create it again with planet retrieve index", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// An index of another network.
    #[error(
        "{}: made with the model '{made_with}', whose network or preprocessing differs from those of \
         '{model}': name that model, or create the index again",
        path.display()
    )]
    OtherModel {
        /// The index.
        path: PathBuf,
        /// Name of the model that made it.
        made_with: String,
        /// Name of the model at hand.
        model: String,
    },
    /// A data set that the protocol cannot score.
    #[error("{0}")]
    DataSet(String),
    /// The user ended it.
    #[error("interrupted")]
    Cancelled,
}

impl RetrievalError {
    /// For `map_err` on what the system answers about a file.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}
