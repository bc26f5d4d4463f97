use std::{io, path::PathBuf};

use planet_data::OutputFolderError;
use planet_geo::PartitionError;
use thiserror::Error;

/// Why a model package cannot be opened or made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackageError {
    /// There is no such folder.
    #[error(
        "{}: is not a model package; a package is a folder with model.json, written by planet \
         export or planet model import. No model for real photos is included: train one with \
         planet train --photos, import an ONNX classifier, or run planet demo",
        path.display()
    )]
    NoFolder {
        /// What was asked for.
        path: PathBuf,
    },
    /// A package for features alone.
    #[error(
        "{}: the model has no classes, so it cannot locate photos; search for similar photos with \
         planet retrieve, or export a training run without --features-only",
        path.display()
    )]
    NoClasses {
        /// The package.
        path: PathBuf,
    },
    /// A package for labels alone.
    #[error(
        "{}: the model gives labels, not places, so it cannot locate photos; use it with planet \
         dataset filter or enrich --classifier",
        path.display()
    )]
    NoPlaces {
        /// The package.
        path: PathBuf,
    },
    /// A package that gives no labels.
    #[error(
        "{}: the model gives no labels; a classifier with labels becomes such a package by planet \
         model import --labels FILE",
        path.display()
    )]
    NoLabels {
        /// The package.
        path: PathBuf,
    },
    /// A list of labels is wrong: file, line and what.
    #[error("{0}")]
    Labels(String),
    /// A package for near-duplicates.
    #[error(
        "{}: the model gives codes for near-duplicates, so it can neither locate photos nor retrieve \
         similar ones; use it with planet dataset duplicates --model",
        path.display()
    )]
    OnlyCodes {
        /// The package.
        path: PathBuf,
    },
    /// A package that gives no codes.
    #[error(
        "{}: is not a model for near-duplicates; train one with planet train --task near-duplicates \
         and export it with planet export",
        path.display()
    )]
    NoCodes {
        /// The package.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// model.json is not what it should be.
    #[error("{}: {what}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file is not the one that the package was made with.
    #[error(
        "{}: its hash is {found}, but model.json states {stated}; the file was changed or is \
         damaged; get the package again",
        path.display()
    )]
    Hash {
        /// The file.
        path: PathBuf,
        /// blake3 in model.json.
        stated: String,
        /// blake3 of the file.
        found: String,
    },
    /// The partition has another number of classes than the network.
    #[error("{}: {found} classes, but the network has {stated}", path.display())]
    Classes {
        /// The partition's file.
        path: PathBuf,
        /// Classes of the network.
        stated: usize,
        /// Rows of the partition.
        found: usize,
    },
    /// The partition is not the one that the network was trained for.
    #[error("{}: fingerprint {found}, but model.json states {stated}", path.display())]
    Fingerprint {
        /// The partition's file.
        path: PathBuf,
        /// Fingerprint in model.json.
        stated: String,
        /// Fingerprint of the partition.
        found: String,
    },
    /// The partition cannot be read.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// The package has no album scheme of this name.
    #[error("{}: has no album scheme '{name}'; available: {known}", path.display())]
    NoScheme {
        /// model.json.
        path: PathBuf,
        /// The scheme that was asked for.
        name: String,
        /// The schemes that there are.
        known: String,
    },
    /// An album scheme belongs to other embeddings.
    #[error("{}: trained on the embeddings of another network; train it again", path.display())]
    OtherNetwork {
        /// The scheme's file.
        path: PathBuf,
    },
    /// The place of a new package holds something else, or files that were added or changed.
    #[error(transparent)]
    Taken(#[from] OutputFolderError),
}

impl PackageError {
    /// For `map_err` on what the system answers about a file.
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { path, source }
    }
}
