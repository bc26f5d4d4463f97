//! Photos of the synthetic earth.

use std::{path::PathBuf, sync::Arc};

use planet_world::{
    Corruption, Devices, Library, LibrarySize, PictureSize, WorldError, WorldParameters,
};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};

use crate::{failure::failed, work};

#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct World(Arc<planet_world::World>);

fn wrong(error: WorldError) -> PyErr {
    match error {
        WorldError::Parameter { .. } => PyValueError::new_err(error.to_string()),
        error => failed(error),
    }
}

#[pymethods]
impl World {
    #[new]
    fn new(py: Python<'_>, seed: u64) -> PyResult<Self> {
        work::run(py, move |_| {
            let world = planet_world::World::draw(WorldParameters::new(seed)).map_err(wrong)?;
            Ok(Self(Arc::new(world)))
        })
    }

    /// One photo of a series: its id, the bytes of its JPEG, its latitude and its longitude.
    fn photo<'py>(
        &self,
        py: Python<'py>,
        seed: u64,
        number: u64,
        size: u32,
    ) -> PyResult<(String, Bound<'py, PyBytes>, f64, f64)> {
        let size = PictureSize::new(size).map_err(wrong)?;
        let (photo, jpeg) = py.detach(|| {
            let photo = self.0.photo(seed, number);
            let jpeg = photo.jpeg(size);
            (photo, jpeg)
        });
        let jpeg = PyBytes::new(py, &jpeg.map_err(wrong)?);
        Ok((photo.id, jpeg, photo.position.lat(), photo.position.lng()))
    }

    /// Draws a library into a new folder.
    fn draw(
        &self,
        py: Python<'_>,
        photos: Option<u64>,
        albums: Option<u64>,
        seed: u64,
        size: u32,
        folder: PathBuf,
    ) -> PyResult<u64> {
        let amount = match (photos, albums) {
            (Some(photos), None) => LibrarySize::Photos(photos),
            (None, Some(albums)) => LibrarySize::Albums(albums),
            _ => return Err(PyValueError::new_err("give either photos or albums")),
        };
        let size = PictureSize::new(size).map_err(wrong)?;
        let (corruption, devices) = (Corruption::default(), Devices::default());
        let library =
            Library { amount, seed, size, corruption, shards: false, layers: false, devices };
        let world = Arc::clone(&self.0);
        let drawn = work::run(py, move |flag| library.draw(&world, &folder, flag).map_err(wrong))?;
        Ok(drawn.photos)
    }
}
