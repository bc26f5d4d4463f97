//! Partitions: built, read, written, looked up, compared.

use std::{path::PathBuf, sync::Arc};

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use planet::map::{Region, partition_map};
use planet_data::{AtomicFile, table};
use planet_geo::{
    Adaptive, BuildError, ClassId, GeoError, Keep, LatLng, Level, Overlap, PhotoLeaves,
    PhotoLeavesBuilder, Point, Uniform,
};
use pyo3::{exceptions::PyValueError, prelude::*};
use rayon::prelude::*;

use crate::{failure::failed, posterior::in_notebook, work};

/// Positions that a thread takes at once; fewer are not worth another thread.
const AT_ONCE: usize = 1 << 12;

#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Partition(pub Arc<planet_geo::Partition>);

/// A position within range.
pub fn position(lat: f64, lng: f64) -> Result<LatLng, GeoError> {
    LatLng::new(lat, lng)
}

fn wrong(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Latitudes and longitudes of as many positions. They are copied, as Python may change its arrays
/// while the interpreter's lock is released.
struct Degrees {
    lat: Vec<f64>,
    lng: Vec<f64>,
}

impl Degrees {
    fn new(lat: &PyReadonlyArray1<'_, f64>, lng: &PyReadonlyArray1<'_, f64>) -> PyResult<Self> {
        let (lat, lng) = (lat.as_slice()?, lng.as_slice()?);
        if lat.len() != lng.len() {
            let what = format!("lat has {} values, but lng has {}", lat.len(), lng.len());
            return Err(PyValueError::new_err(what));
        }
        Ok(Self { lat: lat.to_vec(), lng: lng.to_vec() })
    }

    /// What `of` says of each position, computed on all threads of the pool.
    fn map<T: Send>(&self, of: impl Fn(LatLng) -> T + Sync) -> PyResult<Vec<T>> {
        let pairs = self.lat.par_iter().zip(&self.lng).with_min_len(AT_ONCE);
        let values = pairs.map(|(lat, lng)| Some(of(position(*lat, *lng).ok()?)));
        values.collect::<Option<Vec<T>>>().ok_or_else(|| self.first_wrong())
    }

    /// The first position that is out of range, by its row.
    fn first_wrong(&self) -> PyErr {
        let mut pairs = self.lat.iter().zip(&self.lng).enumerate();
        let wrong = pairs.find_map(|(row, (lat, lng))| Some((row, position(*lat, *lng).err()?)));
        wrong.map_or_else(
            || failed("the positions cannot be read"),
            |(row, error)| PyValueError::new_err(format!("position {row}: {error}")),
        )
    }

    fn leaves(&self) -> PyResult<PhotoLeaves> {
        let mut builder = PhotoLeavesBuilder::new();
        builder.extend(&self.map(|it| it)?);
        Ok(builder.finish())
    }
}

fn keep(from: u64, more_than: Option<u64>) -> Keep {
    more_than.map_or(Keep::From(from), Keep::MoreThan)
}

fn point(name: &str) -> PyResult<Point> {
    match name {
        "mean" => Ok(Point::Mean),
        "centre" => Ok(Point::Centre),
        _ => Err(wrong(format!("point '{name}' is not one of mean, centre"))),
    }
}

fn refused(error: BuildError) -> PyErr {
    let cure = match &error {
        BuildError::KeepsLess { .. } => "\nhint: lower keep_from or raise split_above",
        BuildError::Levels { .. } => "\nhint: lower min_level or raise max_level",
        BuildError::NothingKept { .. } => "\nhint: lower keep_from",
        _ => "",
    };
    wrong(format!("{error}{cure}"))
}

#[pymethods]
impl Partition {
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "they have names in Python")]
    fn build(
        py: Python<'_>,
        lat: PyReadonlyArray1<'_, f64>,
        lng: PyReadonlyArray1<'_, f64>,
        split_above: u64,
        keep_from: u64,
        keep_more_than: Option<u64>,
        min_level: u8,
        max_level: u8,
        answer: &str,
        source: String,
    ) -> PyResult<Self> {
        let rules = Adaptive {
            split_above,
            keep: keep(keep_from, keep_more_than),
            min_level: Level::new(min_level).map_err(wrong)?,
            max_level: Level::new(max_level).map_err(wrong)?,
            point: point(answer)?,
            source,
        };
        rules.check().map_err(refused)?;
        let degrees = Degrees::new(&lat, &lng)?;
        let build = move |_: &_| rules.build(&degrees.leaves()?).map_err(refused);
        work::run(py, build).map(|it| Self(Arc::new(it)))
    }

    #[staticmethod]
    fn uniform(
        py: Python<'_>,
        lat: PyReadonlyArray1<'_, f64>,
        lng: PyReadonlyArray1<'_, f64>,
        level: u8,
        keep_from: u64,
        answer: &str,
        source: String,
    ) -> PyResult<Self> {
        let level = Level::new(level).map_err(wrong)?;
        let rules = Uniform { level, keep: Keep::From(keep_from), point: point(answer)?, source };
        let degrees = Degrees::new(&lat, &lng)?;
        let build = move |_: &_| rules.build(&degrees.leaves()?).map_err(refused);
        work::run(py, build).map(|it| Self(Arc::new(it)))
    }

    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        work::run(py, move |_| {
            let reader = table::open_text(&path).map_err(failed)?;
            let partition = planet_geo::Partition::read(reader, &path.to_string_lossy());
            Ok(Self(Arc::new(partition.map_err(failed)?)))
        })
    }

    /// Writes the command's CSV.
    fn write(&self, path: PathBuf) -> PyResult<()> {
        let mut bytes = Vec::new();
        self.0.write(&mut bytes).map_err(failed)?;
        AtomicFile::write_all_at(&path, &bytes)
            .map_err(|error| failed(format!("{}: {error}", path.display())))
    }

    /// int64, the class of each position; -1 is outside.
    fn lookup<'py>(
        &self,
        py: Python<'py>,
        lat: PyReadonlyArray1<'py, f64>,
        lng: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let (degrees, partition) = (Degrees::new(&lat, &lng)?, Arc::clone(&self.0));
        let class = move |it| partition.class_of(it).map_or(-1, |class| i64::from(class.0));
        let classes = work::run(py, move |_| degrees.map(class))?;
        Ok(PyArray1::from_vec(py, classes))
    }

    /// float64, `[classes, 2]`; NaN for the class that is no place.
    fn points<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let classes = (0..self.0.len() as u32).map(ClassId);
        let pair = |it: Option<LatLng>| it.map_or([f64::NAN; 2], |it| [it.lat(), it.lng()]);
        let values: Vec<f64> = classes.flat_map(|class| pair(self.0.point(class))).collect();
        PyArray1::from_vec(py, values).reshape([self.0.len(), 2])
    }

    /// uint64, `[classes]`.
    fn photos<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
        PyArray1::from_vec(py, self.0.classes().iter().map(|class| class.photos).collect())
    }

    /// Tokens of each class's cells, separated by spaces.
    fn cells(&self) -> Vec<String> {
        let tokens = |class: &planet_geo::Class| {
            class.cells().iter().map(|cell| cell.token()).collect::<Vec<_>>().join(" ")
        };
        self.0.classes().iter().map(tokens).collect()
    }

    /// Cells that are the same as, inside, around and outside those of another partition.
    fn overlap(&self, other: &Self) -> (u64, u64, u64, u64) {
        let overlap = Overlap::of(&self.0, &other.0);
        (overlap.same, overlap.finer, overlap.coarser, overlap.alone)
    }

    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint()
    }

    #[getter]
    fn scheme(&self) -> &str {
        &self.0.info().scheme
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn to_svg(&self) -> String {
        partition_map(&self.0, Region::WORLD).to_svg()
    }

    fn _repr_svg_(&self) -> String {
        in_notebook(&self.to_svg())
    }

    fn __repr__(&self) -> String {
        let photos: u64 = self.0.classes().iter().map(|class| class.photos).sum();
        format!("<Partition, {}: {} classes, {photos} photos>", self.scheme(), self.0.len())
    }
}
