//! Which parts of a photo an answer rests on.

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use planet::occlusion::Measure;
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

use crate::failure::failed;

#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Occlusion(pub planet::occlusion::Occlusion);

#[pymethods]
impl Occlusion {
    #[getter]
    fn photo(&self) -> &str {
        &self.0.photo
    }

    #[getter]
    fn target(&self) -> &str {
        &self.0.target.name
    }

    #[getter]
    fn probability(&self) -> f64 {
        self.0.probability()
    }

    /// Height and width of the upright photo in pixels.
    #[getter]
    fn size(&self) -> (u32, u32) {
        let [height, width] = self.0.size;
        (height, width)
    }

    /// float64, `[rows, columns]`, at most `longest` on the longer side.
    fn values<'py>(
        &self,
        py: Python<'py>,
        measure: &str,
        longest: u32,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let measure = match measure {
            "probability" => Measure::Probability,
            "drop" => Measure::Drop,
            "log_odds" => Measure::LogOdds,
            _ => {
                let what = format!("measure '{measure}' is not one of probability, drop, log_odds");
                return Err(PyValueError::new_err(what));
            }
        };
        let map = self.0.map(measure);
        let size = map.raster_size(longest.max(1));
        PyArray1::from_vec(py, map.raster(size)).reshape(size)
    }

    /// The parts whose hiding costs the target most: left, top, width, height in pixels of the
    /// upright photo, and what hiding them does.
    fn regions(&self, most: usize) -> Vec<(u32, u32, u32, u32, String)> {
        let region = |it: planet::occlusion::Region| {
            let at = it.hidden;
            (at.left, at.top, at.width, at.height, it.sentence())
        };
        self.0.regions(most).into_iter().map(region).collect()
    }

    /// The command's JSON.
    fn to_json(&self) -> String {
        self.0.to_json().to_string()
    }

    fn to_svg(&self) -> PyResult<String> {
        self.0.to_svg().map_err(failed)
    }

    fn to_png<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let png = py.detach(|| self.0.to_png()).map_err(failed)?;
        Ok(PyBytes::new(py, &png))
    }

    fn _repr_png_<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.to_png(py)
    }

    fn __repr__(&self) -> String {
        let probability = self.0.probability();
        format!("<Occlusion of {:?}: {} at {probability:.3}>", self.0.photo, self.0.target.name)
    }
}
