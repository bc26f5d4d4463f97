//! The probability of every class for one photo.

use std::sync::Arc;

use numpy::PyArray1;
use planet::{
    CellProbabilities,
    map::{Region, WorldMap, probability_map},
};
use planet_geo::{LatLng, Partition};
use pyo3::{prelude::*, types::PyBytes};

use crate::failure::failed;

/// A picture that shrinks to the width of a notebook's cell, which would cut it off otherwise.
pub fn in_notebook(svg: &str) -> String {
    svg.replacen("<svg ", "<svg style=\"max-width:100%;height:auto\" ", 1)
}

#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Posterior {
    pub probabilities: CellProbabilities,
    pub partition: Arc<Partition>,
    pub truth: Option<LatLng>,
}

impl Posterior {
    fn map(&self) -> WorldMap {
        probability_map(&self.partition, &self.probabilities, self.truth, Region::WORLD)
    }
}

#[pymethods]
impl Posterior {
    /// float32, `[classes]`.
    #[getter]
    fn probabilities<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        PyArray1::from_slice(py, self.probabilities.values())
    }

    fn to_svg(&self) -> String {
        self.map().to_svg()
    }

    fn to_png<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let png = py.detach(|| self.map().to_png()).map_err(failed)?;
        Ok(PyBytes::new(py, &png))
    }

    fn _repr_svg_(&self) -> String {
        in_notebook(&self.to_svg())
    }

    fn __repr__(&self) -> String {
        format!("<Posterior over {} classes>", self.partition.len())
    }
}
