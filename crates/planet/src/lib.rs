//! Locating photos: from pixels to a probability for every cell, and from there to an answer.
//!
//! | to | use |
//! |---|---|
//! | locate photos with a model | [`Model`], which `planet_engine::EngineOptions::open_model` opens |
//! | see which parts of a photo an answer rests on | [`Model::explain`], [`occlusion`] |
//! | turn a network's scores into an answer | [`Locator`], which makes a [`Prediction`] |
//! | read and write predictions | [`PredictionReader`], [`PredictionWriter`] |
//! | score photos for labels, to filter and describe datasets | [`Classifier`] |
//! | evaluate a model on photos of known position | [`evaluation::Evaluation`], which makes a [`report::Report`] |
//! | score the predictions of any system | [`evaluation::Scorer`] |
//! | locate albums and libraries | [`album`] |
//! | run networks with another library | an implementation of [`Engine`] |
//!
//! Nothing here knows which library runs the network. From scores to a scored answer:
//!
//! ```
//! use std::sync::Arc;
//! use planet::{
//!     Locator, LocatorOptions,
//!     evaluation::{Scorer, ScorerOptions, TruthTable},
//! };
//! use planet_data::Gazetteer;
//! use planet_geo::{Keep, LatLng, Level, PhotoLeaves, Point, Uniform};
//!
//! let (venice, oslo) = (LatLng::new(45.44, 12.33)?, LatLng::new(59.91, 10.75)?);
//! let photos: PhotoLeaves = [venice, venice, oslo].into_iter().collect();
//! let (keep, point, source) = (Keep::From(1), Point::Mean, String::new());
//! let uniform = Uniform { level: Level::new(8)?, keep, point, source };
//! let partition = Arc::new(uniform.build(&photos)?);
//! let (options, gazetteer) = (LocatorOptions::default(), Arc::new(Gazetteer::new()));
//! let locator = Locator::new(Arc::clone(&partition), 1.0, options, gazetteer)?;
//!
//! // What a network might give for a photo: a score for each class, here the share of photos.
//! let scores: Vec<f32> = partition.classes().iter().map(|it| (it.photos as f32).ln()).collect();
//! let mut prediction = locator.predict("photo.jpg", &scores)?;
//! let best = prediction.best().expect("two classes");
//! assert_eq!(best.place.as_ref().expect("a place").country_code, "IT");
//! assert!((best.probability.expect("a probability") - 2.0 / 3.0).abs() < 1e-6);
//!
//! prediction.truth = Some(venice);
//! let mut scorer = Scorer::new(TruthTable::growing(), ScorerOptions::default());
//! scorer.add(&prediction);
//! // Within 1, 25, 200, 750 and 2500 km.
//! assert_eq!(scorer.finish().within[0], [1.0; 5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod accuracy;
pub mod album;
pub mod calibration;
mod classifier;
mod contact_sheet;
mod engine;
pub mod evaluation;
mod inference;
mod locate;
pub mod map;
mod model;
pub mod near_duplicates;
pub mod occlusion;
pub mod package;
pub mod plot;
mod prediction;
mod probabilities;
pub mod report;
pub mod retrieval;
mod review_page;
mod views;

pub use accuracy::{Accuracy, GUESSES};
pub use classifier::{Classifier, ClassifyError, ClassifyPhotoError, PhotoScores};
pub use contact_sheet::contact_sheet;
pub use engine::{Activations, Engine, EngineError, EngineErrorKind, GraphEngine};
pub use inference::BatchSize;
pub use locate::{LocateError, LocateOptions, locate};
pub use model::{LocatePhotoError, Model};
pub use package::{
    CodeModel, FeatureModel, LabelModel, ModelDescription, ModelDraft, ModelPackage, NewPackage,
    PackageError, ScoreKind,
};
pub use prediction::{
    Candidate, Certain, ClassFacts, Decision, Evidence, EvidenceKind, LevelCalibration, Locator,
    LocatorError, LocatorOptions, Offered, Place, PredictedRegion, Prediction, PredictionError,
    PredictionFile, PredictionFileError, PredictionFormat, PredictionReader, PredictionWriter,
    RegionCalibration, Within, WithinError, WriterOptions, answer_columns, answer_fields,
};
pub use probabilities::{CellProbabilities, ProbabilityError};
pub use review_page::{ReviewGroup, ReviewPhoto, review_page};
pub use views::PhotoViews;
