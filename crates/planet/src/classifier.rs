use std::sync::Arc;

use planet_data::{Loader, LoaderError, LoaderOptions, Monitor, PhotoError, PhotoStore};
use thiserror::Error;

use crate::{
    Activations, Engine, EngineError, EngineErrorKind,
    package::{LabelDescription, LabelModel, UnscoredError},
};

/// Photos that the engine takes at once.
const BATCH: usize = 16;

/// A package for labels with the engine that runs its network: scores of photos from 0 to 1, one for
/// each label.
///
/// `planet_engine::EngineOptions::open_classifier` opens one.
pub struct Classifier {
    model: LabelModel,
    engine: Box<dyn Engine>,
}

/// Why a photo has no scores.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClassifyPhotoError {
    /// It cannot be decoded.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The network's output gives none.
    #[error(transparent)]
    Scores(#[from] UnscoredError),
}

/// Why classifying stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// The engine failed, or gives another number of scores than there are labels.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The photos cannot be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// The user ended it.
    #[error("cancelled")]
    Cancelled,
}

/// One photo's scores, `[labels]`, or why it has none.
pub type PhotoScores = Result<Vec<f32>, ClassifyPhotoError>;

impl Classifier {
    /// A package with an engine that has loaded its network.
    pub fn new(model: LabelModel, engine: Box<dyn Engine>) -> Self {
        Self { model, engine }
    }

    /// The package's description.
    pub fn description(&self) -> &LabelDescription {
        self.model.description()
    }

    /// Scores photos of a store, in their order, decoding ahead on other threads. Reports each photo to
    /// the monitor.
    ///
    /// # Errors
    /// The engine or the store fails, or the monitor ends it.
    pub fn classify(
        &mut self,
        store: Arc<dyn PhotoStore>,
        photos: &[String],
        monitor: &dyn Monitor,
    ) -> Result<Vec<PhotoScores>, ClassifyError> {
        let LabelDescription { preprocess, labels, activation, .. } = self.model.description();
        // One photo must not wait for others.
        let options = LoaderOptions::evaluation(BATCH.clamp(1, photos.len().max(1)));
        let loader = Loader::new(store, photos.to_vec(), preprocess.clone(), options)?;
        let mut scored: Vec<(usize, PhotoScores)> = Vec::with_capacity(photos.len());
        for batch in loader.epoch(0, 0) {
            if monitor.cancelled() {
                return Err(ClassifyError::Cancelled);
            }
            let batch = batch?;
            let done = (batch.rows.len() + batch.failed.len()) as u64;
            // An engine need not take a batch of no photos.
            if !batch.rows.is_empty() {
                let activations = self.engine.run_checked(&batch.pixels)?;
                check_count(&activations, labels.names().len(), self.engine.name())?;
                scored.extend(batch.rows.iter().enumerate().map(|(at, &row)| {
                    (row, activation.scores(activations.logits_of(at)).map_err(Into::into))
                }));
            }
            let failed = batch.failed.into_iter();
            scored.extend(failed.map(|photo| (photo.row, Err(photo.error.into()))));
            monitor.advance(done);
        }
        scored.sort_by_key(|(row, _)| *row);
        Ok(scored.into_iter().map(|(_, scores)| scores).collect())
    }
}

fn check_count(activations: &Activations, labels: usize, engine: &str) -> Result<(), EngineError> {
    if activations.classes == labels {
        return Ok(());
    }
    let what = format!("returned {} scores for {labels} labels", activations.classes);
    Err(EngineError::new(EngineErrorKind::Model, engine, what))
}
