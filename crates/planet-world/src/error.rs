use std::{io, path::PathBuf};

use thiserror::Error;

/// Why a world cannot be drawn, written or used to score.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorldError {
    /// A text in the form of [`crate::Cues`] that no photo of the synthetic earth has.
    #[error("'{0}' is no cue of a photo, or missing among them")]
    Cues(String),
    /// A parameter outside its range.
    #[error("{name} = {value} is not within {range}")]
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// What was asked for.
        value: String,
        /// What there is.
        range: &'static str,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A picture cannot be encoded.
    #[error("{photo}: {why}")]
    Encode {
        /// Id of the photo.
        photo: String,
        /// The encoder's words.
        why: String,
    },
    /// A row of truth.csv is not what this project writes.
    #[error("{path}:{line}: {what}")]
    Truth {
        /// The file.
        path: PathBuf,
        /// Line of the file, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A manifest names a photo that the truth of its folder does not know.
    #[error("{photo}: not in the world folder's truth.csv, so that nothing is known of its cues")]
    Unknown {
        /// Id of the photo.
        photo: String,
    },
    /// A manifest cannot be read or written.
    #[error(transparent)]
    Data(#[from] planet_data::DataError),
    /// The caller's monitor asked for an end.
    #[error("cancelled")]
    Cancelled,
}
