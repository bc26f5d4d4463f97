//! The exceptions: the libraries' own words, with the cure on a line of its own.

use std::fmt::Display;

use planet::{EngineErrorKind, LocateError, LocatorError};
use planet_engine::OpenModelError;
use pyo3::{create_exception, exceptions::PyException, prelude::*};

create_exception!(
    planet_geolocation,
    PlanetError,
    PyException,
    "Something failed; the base class of this package's exceptions."
);
create_exception!(
    planet_geolocation,
    ModelError,
    PlanetError,
    "A model package is missing, incomplete or damaged."
);
create_exception!(
    planet_geolocation,
    EngineError,
    PlanetError,
    "An inference engine is missing or failed."
);
create_exception!(planet_geolocation, PhotoError, PlanetError, "A photo cannot be used.");

const INSTALL: &str =
    "install ONNX Runtime with pip install onnxruntime, or choose engine=\"rten\"";

/// Any failure that has no class of its own.
pub fn failed(error: impl Display) -> PyErr {
    PlanetError::new_err(error.to_string())
}

/// A model that cannot be opened.
pub fn open_failed(error: OpenModelError) -> PyErr {
    match error {
        OpenModelError::Engine(error) => engine_failed(&error),
        OpenModelError::Locator(error) => locator_failed(&error),
        error => ModelError::new_err(error.to_string()),
    }
}

/// An engine that failed.
pub fn engine_failed(error: &planet::EngineError) -> PyErr {
    EngineError::new_err(match error.kind {
        EngineErrorKind::Library => format!("{error}\nhint: {INSTALL}"),
        _ => error.to_string(),
    })
}

/// An area without a class, or regions of a model that states none.
fn locator_failed(error: &LocatorError) -> PyErr {
    pyo3::exceptions::PyValueError::new_err(error.to_string())
}

/// Photos that could not be gone on with.
pub fn locate_failed<E: Display>(error: LocateError<E>) -> PyErr {
    match error {
        LocateError::Engine(error) => engine_failed(&error),
        error => failed(error),
    }
}
