//! Locating photos: from pixels to a probability for every cell, and from there to an answer.
//!
//! An [`Engine`] turns [`planet_data::PixelBatch`]es into [`Activations`]; a
//! [`CellProbabilities`] is the softmax of one photo's logits; a [`Locator`] makes a [`Prediction`]
//! of it. [`evaluation`] scores predictions, [`report`] shows the score, [`album`] locates photos
//! through their neighbours. Nothing here knows which library runs the network.

mod accuracy;
pub mod album;
pub mod calibration;
mod engine;
pub mod evaluation;
mod locate;
pub mod map;
mod model;
pub mod occlusion;
pub mod package;
pub mod plot;
mod prediction;
mod probabilities;
pub mod report;
pub mod retrieval;

pub use accuracy::{Accuracy, GUESSES};
pub use engine::{Activations, Engine, EngineError, EngineErrorKind};
pub use locate::{LocateError, LocateOptions, locate};
pub use model::{LocatePhotoError, Model};
pub use package::{
    FeatureModel, ModelDescription, ModelDraft, ModelPackage, NewPackage, PackageError, ScoreKind,
};
pub use prediction::{
    Candidate, Certain, LevelCalibration, Locator, LocatorOptions, Offered, Place, Prediction,
    PredictionError, PredictionFile, PredictionFileError, PredictionFormat, PredictionReader,
    PredictionWriter, Within, WithinError, WriterOptions,
};
pub use probabilities::{CellProbabilities, ProbabilityError};
