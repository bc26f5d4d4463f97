//! The extension module `planet_geolocation._native`: what Python calls of PlaNet, and the command
//! `planet`. The package around it, `python/planet_geolocation`, gives it the types of Python; what
//! Python sees is documented in `_native.pyi` and there.

mod arrow;
mod failure;
mod model;
mod occlusion;
mod partition;
mod photos;
mod posterior;
mod prediction;
mod score;
mod table;
mod work;
mod world;

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command `planet` and returns its exit code.
#[pyfunction]
fn main(py: Python<'_>, start: Vec<OsString>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| planet_cli::main(start, arguments))
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("PlanetError", py.get_type::<failure::PlanetError>())?;
    module.add("ModelError", py.get_type::<failure::ModelError>())?;
    module.add("EngineError", py.get_type::<failure::EngineError>())?;
    module.add("PhotoError", py.get_type::<failure::PhotoError>())?;
    module.add_class::<model::Model>()?;
    module.add_class::<model::Stream>()?;
    module.add_class::<prediction::Prediction>()?;
    module.add_class::<prediction::Candidate>()?;
    module.add_class::<prediction::Certain>()?;
    module.add_class::<prediction::Region>()?;
    module.add_class::<posterior::Posterior>()?;
    module.add_class::<occlusion::Occlusion>()?;
    module.add_class::<partition::Partition>()?;
    module.add_class::<score::Score>()?;
    module.add_class::<arrow::ArrowTable>()?;
    module.add_class::<world::World>()?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(prediction::read_predictions, module)?)?;
    module.add_function(wrap_pyfunction!(table::predictions_to_arrow, module)?)?;
    module.add_function(wrap_pyfunction!(score::score, module)?)?;
    Ok(())
}
