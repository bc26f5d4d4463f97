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

/// A map as wide as a notebook's cell, in pixels, which would cut it off otherwise; its height
/// follows from the view box.
pub fn in_notebook(svg: &str) -> String {
    let header = svg.split_once(" width=\"");
    let parts = header.and_then(|(start, rest)| Some((start, rest.split_once(" viewBox=")?.1)));
    parts.map_or_else(
        || svg.to_owned(),
        |(start, rest)| format!("{start} width=\"900\" viewBox={rest}"),
    )
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
