use std::sync::Arc;

use planet_data::{
    Code, FailedPhoto, Loader, LoaderError, LoaderOptions, Monitor, PhotoStore, PixelBatch,
};
use thiserror::Error;

use crate::{Activations, BatchSize, CodeModel, Engine, EngineError, inference::Inference};

/// Computes the codes of photos with a model for near-duplicates and its engine.
pub struct Coder {
    model: CodeModel,
    engine: Box<dyn Engine>,
}

/// Why codes cannot be computed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CodeError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The photos cannot be gone through.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// The network gives another number of outputs than a code has bits.
    #[error("the model gives {found} outputs for each photo, but a code has {} bits", Code::BITS)]
    Bits {
        /// Outputs for each photo.
        found: usize,
    },
    /// The user ended it.
    #[error("interrupted")]
    Cancelled,
}

impl Coder {
    /// A model with the engine that runs it.
    pub fn new(model: CodeModel, engine: Box<dyn Engine>) -> Self {
        Self { model, engine }
    }

    /// The model.
    pub fn model(&self) -> &CodeModel {
        &self.model
    }

    /// The codes of photos, in their order; `None` for those that cannot be decoded, which go to
    /// `failed`. Photos are decoded on all cores while the network runs.
    ///
    /// # Errors
    /// The engine fails, the model gives no code, or the monitor ends it.
    pub fn codes(
        &mut self,
        store: Arc<dyn PhotoStore>,
        photos: Vec<String>,
        monitor: &dyn Monitor,
        mut failed: impl FnMut(&FailedPhoto),
    ) -> Result<Vec<Option<Code>>, CodeError> {
        let mut codes = vec![None; photos.len()];
        monitor.expect(photos.len() as u64);
        let preprocess = self.model.description().preprocess.clone();
        let loader = Loader::new(store, photos, preprocess, LoaderOptions::evaluation(1))?;
        let mut inference = Inference::new(self.engine.as_mut(), &loader, BatchSize::Auto);
        while let Some(batch) = inference.next_batch()? {
            if monitor.cancelled() {
                return Err(CodeError::Cancelled);
            }
            let activations = inference.run(&batch)?;
            batch.failed.iter().for_each(&mut failed);
            if !batch.rows.is_empty() {
                for (row, code) in batch.rows.iter().zip(codes_of(&activations)?) {
                    codes[*row] = Some(code);
                }
            }
            monitor.advance((batch.rows.len() + batch.failed.len()) as u64);
        }
        Ok(codes)
    }

    /// The codes of a batch that the model's preprocessing made.
    ///
    /// # Errors
    /// The engine fails, or the model gives no code.
    pub fn run(&mut self, batch: &PixelBatch) -> Result<Vec<Code>, CodeError> {
        codes_of(&self.engine.run_checked(batch)?)
    }
}

/// One code for each photo.
fn codes_of(activations: &Activations) -> Result<Vec<Code>, CodeError> {
    let (codes, rest) = activations.logits.as_chunks();
    if activations.classes != Code::BITS as usize || !rest.is_empty() {
        return Err(CodeError::Bits { found: activations.classes });
    }
    Ok(codes.iter().map(Code::from_signs).collect())
}
