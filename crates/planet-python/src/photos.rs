//! Photos as Python gives them.

use std::{
    io::{self, Cursor},
    path::Path,
};

use numpy::{PyReadonlyArray3, PyUntypedArrayMethods};
use planet_data::{Limits, PathStore, Photo, PhotoError, PhotoFacts, PhotoStore, Preprocess};
use planet_geo::LatLng;
use pyo3::{exceptions::PyTypeError, prelude::*, pybacked::PyBackedBytes};

/// A photo, or why there is none.
pub enum GivenPhoto {
    /// A file.
    Path(String),
    /// The bytes of a file.
    Bytes(PyBackedBytes),
    /// The bytes of a file, from an Arrow column.
    Column(Vec<u8>),
    /// Upright pixels.
    Pixels(Photo),
    /// What was given is no photo.
    Wrong(String),
}

impl FromPyObject<'_, '_> for GivenPhoto {
    type Error = PyErr;

    /// `str`, `bytes`, a contiguous array `[height, width, 3]` of uint8, or `(reason,)`.
    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(path) = object.extract::<String>() {
            return Ok(Self::Path(path));
        }
        if let Ok(bytes) = object.extract::<PyBackedBytes>() {
            return Ok(Self::Bytes(bytes));
        }
        if let Ok((reason,)) = object.extract::<(String,)>() {
            return Ok(Self::Wrong(reason));
        }
        let Ok(pixels) = object.extract::<PyReadonlyArray3<'_, u8>>() else {
            return Err(PyTypeError::new_err("a photo must be a str, bytes or an array of uint8"));
        };
        let [height, width, channels] = [0, 1, 2].map(|axis| pixels.shape()[axis]);
        let (Ok(width), Ok(height), 3) = (u32::try_from(width), u32::try_from(height), channels)
        else {
            return Ok(Self::Wrong(format!("the array has shape {:?}", pixels.shape())));
        };
        Ok(match Photo::from_rgb(width, height, pixels.as_slice()?.to_vec()) {
            Ok(photo) => Self::Pixels(photo),
            Err(error) => Self::Wrong(error.to_string()),
        })
    }
}

impl GivenPhoto {
    /// Where the photo's own metadata says that it was taken, unless it is an estimate.
    pub fn truth(&self) -> Option<LatLng> {
        let in_memory =
            |bytes: &[u8]| PhotoFacts::from_reader(Cursor::new(bytes), bytes.len() as u64);
        let facts = match self {
            Self::Path(path) => PhotoFacts::read(Path::new(path)),
            Self::Bytes(bytes) => in_memory(bytes),
            Self::Column(bytes) => in_memory(bytes),
            Self::Pixels(_) | Self::Wrong(_) => return None,
        };
        // A photo that cannot be read has said so already.
        facts.ok()?.into_record(String::new()).known_position()
    }
}

/// Photos that were given, by their place among them: `0`, `1` and so on.
pub struct GivenStore(pub Vec<GivenPhoto>);

impl GivenStore {
    /// The ids, in order.
    pub fn ids(&self) -> Vec<String> {
        (0..self.0.len()).map(|row| row.to_string()).collect()
    }

    fn given(&self, id: &str) -> Result<&GivenPhoto, PhotoError> {
        let found = id.parse().ok().and_then(|row: usize| self.0.get(row));
        found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound).into())
    }
}

impl PhotoStore for GivenStore {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        match self.given(id)? {
            GivenPhoto::Path(path) => PathStore.photo(path),
            GivenPhoto::Bytes(bytes) => Photo::decode(bytes, &Limits::default()),
            GivenPhoto::Column(bytes) => Photo::decode(bytes, &Limits::default()),
            GivenPhoto::Pixels(photo) => Ok(photo.clone()),
            GivenPhoto::Wrong(reason) => Err(io::Error::other(reason.clone()).into()),
        }
    }

    fn photo_for(&self, id: &str, preprocess: &Preprocess) -> Result<Photo, PhotoError> {
        let decode = |bytes: &[u8]| Photo::decode_for(bytes, &Limits::default(), preprocess);
        match self.given(id)? {
            GivenPhoto::Path(path) => PathStore.photo_for(path, preprocess),
            GivenPhoto::Bytes(bytes) => decode(bytes),
            GivenPhoto::Column(bytes) => decode(bytes),
            _ => self.photo(id),
        }
    }
}
