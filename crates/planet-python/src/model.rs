//! A model: locates, explains and describes photos.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use planet::{
    BatchSize, LocateOptions, Locator, LocatorOptions, Within,
    occlusion::{OcclusionOptions, Target},
    package::Warnings,
};
use planet_engine::{EngineKind, EngineOptions, Threads};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    arrow::{self, ArrowTable},
    failure::{PhotoError, engine_failed, failed, locate_failed, open_failed},
    occlusion::Occlusion,
    partition::Partition,
    photos::{GivenPhoto, GivenStore},
    posterior::Posterior,
    prediction::Prediction,
    table::Columns,
    work::{self, Results},
};

/// A model that one call at a time uses; others wait.
#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Model {
    model: Arc<Mutex<planet::Model>>,
    locator: Arc<Locator>,
    /// model.json.
    description: String,
    provenance: planet::package::Provenance,
    partition: Arc<planet_geo::Partition>,
}

/// Predictions in the order of their photos, as they are made.
#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Stream(Results<planet::Prediction>);

#[pymethods]
impl Stream {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Prediction>> {
        Ok(self.0.next(py)?.map(Prediction))
    }
}

#[pymethods]
impl Model {
    #[staticmethod]
    #[pyo3(signature = (folder, *, engine, device, threads, onnxruntime, certain, within, names, decide, region))]
    #[expect(clippy::too_many_arguments, reason = "they have names in Python")]
    fn open(
        py: Python<'_>,
        folder: PathBuf,
        engine: &str,
        device: Option<&str>,
        threads: NonZero<usize>,
        onnxruntime: Option<PathBuf>,
        certain: f64,
        within: Option<&str>,
        names: bool,
        decide: &str,
        region: Option<f64>,
    ) -> PyResult<Self> {
        let kind = match engine {
            "auto" => EngineKind::Auto,
            "native" => EngineKind::Native,
            "rten" => EngineKind::Rten,
            "onnxruntime" => EngineKind::OnnxRuntime,
            _ => {
                let what =
                    format!("engine '{engine}' is not one of auto, native, rten, onnxruntime");
                return Err(PyValueError::new_err(what));
            }
        };
        if !(certain > 0.0 && certain <= 1.0) {
            return Err(PyValueError::new_err("certain must be above 0 and at most 1"));
        }
        if region.is_some_and(|share| !(0.01..=0.99).contains(&share)) {
            return Err(PyValueError::new_err("region must be from 0.01 to 0.99"));
        }
        let wrong = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
        let device = device.map(str::parse).transpose().map_err(|error| wrong(&error))?;
        let within = within.map(Within::parse).transpose().map_err(|error| wrong(&error))?;
        let engine = EngineOptions { kind, onnxruntime, device, threads: Threads(Some(threads)) };
        let decision = decide.parse().map_err(|error: String| wrong(&error))?;
        let options = LocatorOptions {
            certain,
            within,
            names,
            decision,
            region,
            ..LocatorOptions::default()
        };
        let model =
            work::run(py, move |_| engine.open_model(&folder, options).map_err(open_failed))?;
        let description = serde_json::to_string(model.description()).map_err(failed)?;
        Ok(Self {
            locator: model.locator(),
            description,
            provenance: model.description().provenance.clone(),
            partition: model.package().shared_partition(),
            model: Arc::new(Mutex::new(model)),
        })
    }

    fn description(&self) -> &str {
        &self.description
    }

    fn partition(&self) -> Partition {
        Partition(Arc::clone(&self.partition))
    }

    /// `first` is the place of the first photo among all that the caller has.
    fn locate(
        &self,
        photos: Vec<GivenPhoto>,
        first: usize,
        batch: Option<usize>,
        top: usize,
        embedding: bool,
    ) -> PyResult<Stream> {
        // As the command: one photo alone is computed once.
        let divided = first > 0 || photos.len() > 1;
        let batch = batch_size(batch);
        let options = LocateOptions { batch, embedding, top: Some(top), divided };
        let mut finish = self.finisher(first);
        Results::start(Arc::clone(&self.model), move |model, flag, results| {
            let store = Arc::new(GivenStore(photos));
            let ended =
                model.locate(Arc::clone(&store) as _, &store.ids(), options, flag, |row, it, _| {
                    let mut prediction = finish(&store, row, it);
                    prediction.truth = store.0[row].truth();
                    // Nobody waits after Ctrl-C.
                    results.send(Ok(prediction)).map_err(|_| "the results are not wanted")
                });
            if let Err(error) = ended {
                let _ = results.send(Err(locate_failed(error)));
            }
        })
        .map(Stream)
    }

    #[pyo3(signature = (value, *, column, keep, batch, top))]
    fn locate_arrow(
        &self,
        py: Python<'_>,
        value: &Bound<'_, PyAny>,
        column: Option<String>,
        keep: Option<Vec<String>>,
        batch: Option<usize>,
        top: usize,
    ) -> PyResult<ArrowTable> {
        let (schema, batches) = arrow::import(value)?;
        let columns = Columns::choose(&schema, column.as_deref(), keep.as_deref())?;
        let mut finish = self.finisher(0);
        let batch = batch_size(batch);
        let options = LocateOptions { batch, embedding: false, top: Some(top), divided: true };
        let table = work::run_on(py, &self.model, move |model, flag| {
            let mut located = Vec::with_capacity(batches.len());
            for record_batch in &batches {
                let store = Arc::new(GivenStore(columns.photos(record_batch)?));
                let mut predictions = Vec::with_capacity(record_batch.num_rows());
                let take = |row, it, _: &[f32]| {
                    predictions.push(finish(&store, row, it));
                    Ok::<(), String>(())
                };
                model
                    .locate(Arc::clone(&store) as _, &store.ids(), options, flag, take)
                    .map_err(locate_failed)?;
                located.push(columns.answered(record_batch, &predictions)?);
            }
            Ok((columns.schema(), located))
        })?;
        Ok(ArrowTable::new(table.0, table.1))
    }

    fn posterior(&self, py: Python<'_>, photo: GivenPhoto) -> PyResult<Posterior> {
        let (locator, truth) = (Arc::clone(&self.locator), photo.truth());
        let probabilities = work::run_on(py, &self.model, move |model, flag| {
            let mut found = None;
            let store = Arc::new(GivenStore(vec![photo]));
            let options = LocateOptions::default();
            let take = |_, it: planet::Prediction, logits: &[f32]| {
                found = Some(match it.error {
                    Some(error) => Err(PhotoError::new_err(error)),
                    None => locator.probabilities(logits).map_err(failed),
                });
                Ok::<(), String>(())
            };
            model
                .locate(Arc::clone(&store) as _, &store.ids(), options, flag, take)
                .map_err(locate_failed)?;
            found.unwrap_or_else(|| Err(failed("the model gave no answer")))
        })?;
        Ok(Posterior { probabilities, partition: Arc::clone(&self.partition), truth })
    }

    #[pyo3(signature = (photo, *, target, side, stride, batch))]
    fn explain(
        &self,
        py: Python<'_>,
        photo: GivenPhoto,
        target: &str,
        side: f64,
        stride: f64,
        batch: usize,
    ) -> PyResult<Occlusion> {
        let wrong = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
        let target: Target = target.parse().map_err(|error| wrong(&error))?;
        let options =
            OcclusionOptions { target, side, stride, batch, ..OcclusionOptions::default() };
        options.check().map_err(|error| wrong(&error))?;
        let name = match &photo {
            GivenPhoto::Path(path) => path.clone(),
            _ => "0".to_owned(),
        };
        work::run_on(py, &self.model, move |model, flag| {
            let photos = [("0".to_owned(), photo.truth())];
            let store = GivenStore(vec![photo]);
            let mut found = None;
            model
                .explain(&store, &photos, &options, flag, |_, it| found = Some(it))
                .map_err(explain_failed)?;
            let result = found.ok_or_else(|| failed("the model gave no answer"))?;
            let mut occlusion =
                result.map_err(|it| PhotoError::new_err(format!("{name}: {it}")))?;
            occlusion.photo = name;
            Ok(Occlusion(occlusion))
        })
    }
}

/// A stated number of photos, or what proves quickest.
fn batch_size(photos: Option<usize>) -> BatchSize {
    photos.map_or(BatchSize::Auto, BatchSize::Photos)
}

fn explain_failed(error: planet::occlusion::OcclusionError) -> PyErr {
    match error {
        planet::occlusion::OcclusionError::Engine(error) => engine_failed(&error),
        error => failed(error),
    }
}

impl Model {
    /// Completes predictions as the command does: the photo's name, and the warning of a model that
    /// was made for other photos.
    fn finisher(
        &self,
        first: usize,
    ) -> impl FnMut(&GivenStore, usize, planet::Prediction) -> planet::Prediction + Send + use<>
    {
        let general = self.provenance.warning();
        let mut warnings = Warnings::of(&self.provenance);
        move |store, row, mut prediction| {
            let photo = &store.0[row];
            let warning = match photo {
                GivenPhoto::Path(path) => warnings.about(Path::new(path)),
                _ => general,
            };
            prediction.photo = match photo {
                GivenPhoto::Path(path) => path.clone(),
                _ => (first + row).to_string(),
            };
            prediction.warning = warning.map(str::to_owned);
            prediction
        }
    }
}
