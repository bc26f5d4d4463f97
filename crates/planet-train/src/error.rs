use std::{
    io,
    path::{Path, PathBuf},
};

use planet_data::{DataError, LoaderError, OutputFolderError};
use planet_geo::PartitionError;
use planet_net::{NetworkError, WeightsError};
use thiserror::Error;

use crate::{BackendError, GroupError};

/// A setting outside its range: which one, and the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidSetting(pub(crate) &'static str);

/// Why training cannot begin or go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// A config that cannot be understood.
    #[error("{}: {what}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
    /// A setting outside its range.
    #[error(transparent)]
    Value(#[from] InvalidSetting),
    /// A partition that cannot be read.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// A head's partition that does not contain all cells that are answered with.
    #[error(
        "{}: class {class} of the partition is not inside one of its classes; every class must be \
         inside one class of each head",
        path.display()
    )]
    Head {
        /// The head's file.
        path: PathBuf,
        /// The class, from 0.
        class: usize,
    },
    /// A checkpoint that is damaged or another run's.
    #[error("{}: {what}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A run that was made with settings other than those with which it is to be resumed.
    #[error(
        "{}: was made with {name} {then}, not {now}; use the same settings, or name another folder",
        path.display()
    )]
    OtherSettings {
        /// The run's folder, or its checkpoint.
        path: PathBuf,
        /// The setting, as in the configuration.
        name: String,
        /// What it was; `nothing` where it was not set.
        then: String,
        /// What it is; `nothing` where it is not set.
        now: String,
    },
    /// A run stands there already.
    #[error("{} already contains a run", path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// The folder for a run holds files that no run wrote.
    #[error(transparent)]
    Folder(#[from] OutputFolderError),
    /// Photos that would choose the checkpoint are learned from.
    #[error(
        "{shared} of the {photos} validation photos are also training photos, such as {photo}; \
         divide the photos, for example by planet dataset split"
    )]
    SharedPhotos {
        /// Validation photos that are training photos.
        shared: usize,
        /// All validation photos.
        photos: usize,
        /// One of those that are shared.
        photo: String,
    },
    /// No photo to learn from.
    #[error(
        "no photo can be used for training: of {photos} photos, {without_position} have no position \
         and {outside} are outside every cell of the partition"
    )]
    NoPhotos {
        /// Photos in the manifest.
        photos: usize,
        /// Those without a position.
        without_position: usize,
        /// Those in dropped cells.
        outside: usize,
    },
    /// Fewer photos than a batch holds.
    #[error("{photos} photos are fewer than a batch of {batch}")]
    FewPhotos {
        /// Photos to learn from.
        photos: usize,
        /// The batch.
        batch: usize,
    },
    /// The loss is no number any more.
    #[error(
        "the loss is {loss} at step {step}; the batch's photos: {}", photos.join(", ")
    )]
    Diverged {
        /// NaN or infinite.
        loss: f64,
        /// The step, counted from 0.
        step: u64,
        /// The photos of the batch.
        photos: Vec<String>,
    },
    /// The same, on another rank.
    #[error(
        "the loss is not a number at step {step} on another rank; its error message names the photos"
    )]
    DivergedElsewhere {
        /// The step, counted from 0.
        step: u64,
    },
    /// The ranks cannot go on together.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// A package whose network gives no embedding.
    #[error("{}: its network has no embedding output, which album schemes require", path.display())]
    NoEmbedding {
        /// The package.
        path: PathBuf,
    },
    /// A package of another network than the run's.
    #[error(
        "{}: contains another network than the one whose embeddings this run uses",
        path.display()
    )]
    OtherNetwork {
        /// The package.
        path: PathBuf,
    },
    /// A network that cannot be built.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// Weights that do not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The backend cannot go on.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The photos cannot be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// A manifest cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl TrainError {
    /// For `map_err` on what the system answers about a file.
    pub(crate) fn file(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { path, source }
    }
}
