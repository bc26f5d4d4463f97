//! What is said of a photo. Numbers are those of the command's files.

use std::path::PathBuf;

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use planet::{PredictionFormat, PredictionReader, PredictionWriter, WriterOptions};
use planet_geo::{Distance, LatLng};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{failure::failed, partition::position, work};

#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Prediction(pub planet::Prediction);

#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Candidate(planet::Candidate);

#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Certain(planet::Certain);

/// Cells that contain the place of a stated share of photos.
#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Region(planet::PredictedRegion);

/// Kilometres to the metre, as in files.
pub fn km(distance: Distance) -> f64 {
    (distance.km() * 1e3).round() / 1e3
}

fn pair(position: LatLng) -> (f64, f64) {
    let position = position.rounded();
    (position.lat(), position.lng())
}

#[pymethods]
impl Candidate {
    #[getter]
    fn class_id(&self) -> Option<u32> {
        self.0.class.map(|class| class.0)
    }

    #[getter]
    fn cell(&self) -> &str {
        &self.0.cell
    }

    #[getter]
    fn probability(&self) -> Option<f32> {
        self.0.probability
    }

    #[getter]
    fn lat(&self) -> f64 {
        self.0.position.rounded().lat()
    }

    #[getter]
    fn lng(&self) -> f64 {
        self.0.position.rounded().lng()
    }

    #[getter]
    fn radius_km(&self) -> f64 {
        km(self.0.radius)
    }

    /// `Venice, Veneto, Italy`.
    #[getter]
    fn place(&self) -> Option<String> {
        self.0.place.as_ref().map(ToString::to_string)
    }

    #[getter]
    fn country_code(&self) -> Option<&str> {
        let code = self.0.place.as_ref().map(|place| place.country_code.as_str());
        code.filter(|code| !code.is_empty())
    }

    fn __repr__(&self) -> String {
        let ((lat, lng), place) = (pair(self.0.position), self.place().unwrap_or_default());
        let share = self.0.probability.map(|it| format!("{it:.3} ")).unwrap_or_default();
        format!("<Candidate {share}at {lat},{lng} {place}>")
    }
}

#[pymethods]
impl Certain {
    /// street, city, region, country or continent.
    #[getter]
    fn level(&self) -> &str {
        self.0.level.name()
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn lat(&self) -> f64 {
        self.0.position.rounded().lat()
    }

    #[getter]
    fn lng(&self) -> f64 {
        self.0.position.rounded().lng()
    }

    #[getter]
    fn radius_km(&self) -> f64 {
        self.0.level.radius().km()
    }

    #[getter]
    fn probability(&self) -> f32 {
        self.0.probability
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Certain {}>", self.0)
    }
}

#[pymethods]
impl Region {
    #[getter]
    fn share(&self) -> f64 {
        self.0.share
    }

    #[getter]
    fn classes(&self) -> Vec<u32> {
        self.0.classes.iter().map(|class| class.0).collect()
    }

    #[getter]
    fn cells(&self) -> Vec<String> {
        self.0.cells.clone()
    }

    #[getter]
    fn area_km2(&self) -> f64 {
        self.0.area_km2
    }

    fn __repr__(&self) -> String {
        let planet::PredictedRegion { share, classes, area_km2, .. } = &self.0;
        format!("<Region for {share} of photos: {} classes, {area_km2:.0} km²>", classes.len())
    }
}

#[pymethods]
impl Prediction {
    /// A prediction of another system: positions `(lat, lng)` or `(lat, lng, probability)`, best
    /// first.
    #[staticmethod]
    fn at(photo: String, answers: Vec<(f64, f64, Option<f32>)>) -> PyResult<Self> {
        let candidate = |(lat, lng, probability): (f64, f64, Option<f32>)| {
            let place = position(lat, lng)
                .map_err(|error| PyValueError::new_err(format!("{photo}: {error}")))?;
            Ok(planet::Candidate { probability, ..planet::Candidate::at(place) })
        };
        let candidates = answers.into_iter().map(candidate).collect::<PyResult<_>>()?;
        Ok(Self(planet::Prediction { photo, candidates, ..planet::Prediction::default() }))
    }

    #[getter]
    fn photo(&self) -> &str {
        &self.0.photo
    }

    #[getter]
    fn candidates(&self) -> Vec<Candidate> {
        self.0.candidates.iter().cloned().map(Candidate).collect()
    }

    #[getter]
    fn best(&self) -> Option<Candidate> {
        self.0.best().cloned().map(Candidate)
    }

    #[getter]
    fn certain(&self) -> Option<Certain> {
        self.0.certain.clone().map(Certain)
    }

    #[getter]
    fn region(&self) -> Option<Region> {
        self.0.region.clone().map(Region)
    }

    #[getter]
    fn truth(&self) -> Option<(f64, f64)> {
        self.0.truth.map(pair)
    }

    #[getter]
    fn distance_km(&self) -> Option<f64> {
        self.0.distance().map(km)
    }

    #[getter]
    fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    #[getter]
    fn warning(&self) -> Option<&str> {
        self.0.warning.as_deref()
    }

    /// float64, `[candidates, 2]`: latitude and longitude.
    #[getter]
    fn coords<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let pairs = self.0.candidates.iter().map(|it| pair(it.position));
        let values: Vec<f64> = pairs.flat_map(|(lat, lng)| [lat, lng]).collect();
        PyArray1::from_vec(py, values).reshape([self.0.candidates.len(), 2])
    }

    /// float32, `[candidates]`.
    #[getter]
    fn probabilities<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        let values = self.0.candidates.iter().map(|it| it.probability.unwrap_or(f32::NAN));
        PyArray1::from_vec(py, values.collect())
    }

    /// float32, `[features]`.
    #[getter]
    fn embedding<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<f32>>> {
        self.0.embedding.as_ref().map(|values| PyArray1::from_slice(py, values))
    }

    /// The command's line of JSON, without its end.
    fn to_json(&self) -> PyResult<String> {
        let mut line = Vec::new();
        let (format, options) = (PredictionFormat::Jsonl, WriterOptions::default());
        let written = PredictionWriter::new(&mut line, format, options)
            .and_then(|mut writer| writer.write(&self.0));
        written.map_err(failed)?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    /// Through pickle, by the line of JSON.
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        let mut reader = PredictionReader::of_jsonl(text.to_owned(), "JSON");
        match reader.next() {
            Some(Ok(prediction)) => Ok(Self(prediction)),
            Some(Err(error)) => Err(PyValueError::new_err(error.to_string())),
            None => Err(PyValueError::new_err("the text is empty")),
        }
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<(Py<PyAny>, (String,))> {
        let make = slf.get_type().getattr("from_json")?.unbind();
        Ok((make, (slf.get().to_json()?,)))
    }

    fn __repr__(&self) -> String {
        let photo = &self.0.photo;
        match (&self.0.error, self.0.best()) {
            (Some(error), _) => format!("<Prediction of {photo:?}: error: {error}>"),
            (None, Some(best)) => {
                let (lat, lng) = pair(best.position);
                format!("<Prediction of {photo:?}: {lat},{lng}>")
            }
            (None, None) => format!("<Prediction of {photo:?}: no answer>"),
        }
    }
}

/// The predictions of a file: PlaNet's jsonl or csv, or a table of another system.
#[pyfunction]
pub fn read_predictions(py: Python<'_>, path: PathBuf) -> PyResult<Vec<Prediction>> {
    work::run(py, move |_| {
        let reader = PredictionReader::open(&path, None).map_err(failed)?;
        reader.map(|it| it.map(Prediction).map_err(failed)).collect()
    })
}
