use planet_data::{FailedPhoto, Loader, LoaderError, Monitor};
use rayon::prelude::*;
use thiserror::Error;

use crate::{BatchSize, Engine, EngineError, Locator, Prediction, inference::Inference};

/// How photos are run through a network, and what is wanted of each beside its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocateOptions {
    /// Photos that the engine takes at once.
    pub batch: BatchSize,
    /// The layer below the classifier too.
    pub embedding: bool,
    /// Candidates per photo; `None` is as many as [`crate::LocatorOptions::top`].
    pub top: Option<usize>,
    /// Whether a last batch of one photo is computed as a batch of two. Engines compute a single
    /// photo in another order, which rounds otherwise; with this, a photo's scores do not depend on
    /// how photos are divided among calls. Without effect where `batch` is one photo.
    pub divided: bool,
}

impl Default for LocateOptions {
    /// As many at once as proves quickest, without embeddings, with the locator's number of candidates.
    fn default() -> Self {
        Self { batch: BatchSize::Auto, embedding: false, top: None, divided: false }
    }
}

/// Why locating stopped.
#[derive(Debug, Error)]
pub enum LocateError<E> {
    /// The engine gave no answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The photos cannot be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// The receiver of the predictions failed.
    #[error("{0}")]
    Taken(E),
    /// The user ended it.
    #[error("cancelled")]
    Cancelled,
}

/// Locates the photos of a loader, in their order; `take` gets each photo's row, its prediction
/// and its scores `[classes]`, empty where there is no answer. Photos are decoded ahead on other
/// threads while the engine works.
///
/// The loader should be one for evaluation ([`planet_data::LoaderOptions::evaluation`]): then a
/// photo that cannot be decoded has a prediction with an error, in its place.
///
/// # Errors
/// The engine or the loader fails, `take` does, or the monitor says to stop.
pub fn locate<E>(
    engine: &mut dyn Engine,
    loader: &Loader,
    photos: &[String],
    locator: &Locator,
    options: LocateOptions,
    monitor: &dyn Monitor,
    mut take: impl FnMut(usize, Prediction, &[f32]) -> Result<(), E>,
) -> Result<(), LocateError<E>> {
    let mut inference = Inference::new(engine, loader, options.batch).divided(options.divided);
    while let Some(batch) = inference.next_batch()? {
        if monitor.cancelled() {
            return Err(LocateError::Cancelled);
        }
        let activations = inference.run(&batch)?;
        let predict = |(at, &row): (usize, &usize)| {
            let logits = activations.logits_of(at);
            let mut prediction = match locator.predict_top(&photos[row], logits, options.top) {
                Ok(prediction) => prediction,
                Err(error) => Prediction::failed(&photos[row], error),
            };
            if options.embedding && activations.features > 0 {
                prediction.embedding = Some(activations.embedding_of(at).to_vec());
            }
            (row, prediction, logits)
        };
        let predictions: Vec<_> = batch.rows.par_iter().enumerate().map(predict).collect();
        let mut failed = batch.failed.iter().peekable();
        for (row, prediction, logits) in predictions {
            while let Some(photo) = failed.next_if(|photo| photo.row < row) {
                give_failed(photo, &mut take)?;
            }
            take(row, prediction, logits).map_err(LocateError::Taken)?;
        }
        for photo in failed {
            give_failed(photo, &mut take)?;
        }
        monitor.advance((batch.rows.len() + batch.failed.len()) as u64);
    }
    Ok(())
}

fn give_failed<E>(
    failed: &FailedPhoto,
    take: &mut impl FnMut(usize, Prediction, &[f32]) -> Result<(), E>,
) -> Result<(), LocateError<E>> {
    let FailedPhoto { row, photo, error } = failed;
    take(*row, Prediction::failed(photo, error), &[]).map_err(LocateError::Taken)
}
