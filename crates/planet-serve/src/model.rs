//! The model that a server runs, and what all requests share of it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, OnceLock, atomic::Ordering::Relaxed},
};

use axum::body::Bytes;
use planet::{
    Locator, LocatorOptions, Model, ModelPackage, Prediction,
    album::{Scheme, SequenceModel},
};
use planet_data::{Limits, PhotoRecord};
use planet_engine::EngineOptions;
use tokio::sync::Mutex;

use crate::{
    error::ApiError,
    inference::{Inference, Output, Place},
    metrics::Metrics,
    outlines,
};

/// Candidates that an answer may have.
pub(crate) const MOST_CANDIDATES: usize = 20;

/// A loaded model.
pub(crate) struct Served {
    /// Its name in addresses.
    pub name: String,
    pub package: ModelPackage,
    pub inference: Inference,
    pub locator: Arc<Locator>,
    /// For distributions that have their temperature already.
    plain: OnceLock<Arc<Locator>>,
    engine: EngineOptions,
    sequences: Mutex<HashMap<Scheme, Box<dyn SequenceModel>>>,
    cells: OnceLock<Bytes>,
    metrics: Arc<Metrics>,
}

impl Served {
    pub(crate) fn new(
        model: Model,
        engine: EngineOptions,
        limits: Limits,
        queue: usize,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (package, locator) = (model.package().clone(), model.locator());
        let name = package.description().name.clone();
        let inference = Inference::new(model, limits, queue, Arc::clone(&metrics));
        Self {
            name,
            package,
            inference,
            locator,
            plain: OnceLock::new(),
            engine,
            sequences: Mutex::default(),
            cells: OnceLock::new(),
            metrics,
        }
    }

    /// Locates a photo from its bytes.
    ///
    /// # Errors
    /// It cannot be decoded, or the engine fails.
    pub(crate) async fn locate(
        &self,
        record: &PhotoRecord,
        bytes: Bytes,
        place: Place,
    ) -> Result<(Prediction, Output), ApiError> {
        let output = self.inference.run_bytes(bytes, place).await;
        let counter = if output.is_ok() { &self.metrics.located } else { &self.metrics.failed };
        counter.fetch_add(1, Relaxed);
        let output = output?;
        Ok((self.predict(record, &output.logits)?, output))
    }

    /// The answer from a network's scores.
    ///
    /// # Errors
    /// They are no distribution.
    pub(crate) fn predict(
        &self,
        record: &PhotoRecord,
        logits: &[f32],
    ) -> Result<Prediction, ApiError> {
        let mut prediction =
            self.locator.predict(&record.photo, logits).map_err(ApiError::internal)?;
        prediction.truth = record.known_position();
        prediction.warning = self.warning();
        Ok(prediction)
    }

    /// Why no answer to a real photo may be relied on.
    pub(crate) fn warning(&self) -> Option<String> {
        self.package.description().provenance.warning().map(str::to_owned)
    }

    /// A locator for distributions that have their temperature already.
    pub(crate) fn plain_locator(&self) -> Arc<Locator> {
        let make = || {
            let gazetteer = self.locator.shared_gazetteer();
            let options = LocatorOptions { top: MOST_CANDIDATES, ..LocatorOptions::default() };
            let locator = Locator::new(self.package.shared_partition(), 1.0, options, gazetteer);
            Arc::new(locator.expect("answers are not limited to an area"))
        };
        Arc::clone(self.plain.get_or_init(make))
    }

    /// The schemes by which albums can be located.
    pub(crate) fn schemes(&self) -> Vec<Scheme> {
        Scheme::of_package(&self.package, None).unwrap_or_else(|_| vec![Scheme::Average])
    }

    /// Runs something with the network of a sequence scheme, which is loaded once.
    ///
    /// # Errors
    /// The package has no such network, or it cannot be loaded.
    pub(crate) async fn with_sequence<T>(
        &self,
        scheme: Scheme,
        work: impl FnOnce(&mut dyn SequenceModel) -> T,
    ) -> Result<T, ApiError> {
        let mut sequences = self.sequences.lock().await;
        let network = match sequences.entry(scheme) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let (_, file) =
                    self.package.scheme(scheme.name()).map_err(ApiError::bad_request)?;
                free.insert(Box::new(self.engine.open_sequence(&file)?))
            }
        };
        Ok(work(&mut **network))
    }

    /// The outlines of the classes in binary form, made once.
    pub(crate) fn cells(&self) -> Bytes {
        let make = || Bytes::from(outlines::of_partition(self.package.partition()));
        self.cells.get_or_init(make).clone()
    }
}
