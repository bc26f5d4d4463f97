//! The LSTMs of a package.

use std::path::PathBuf;

use planet::{ModelPackage, album::Scheme};

use crate::failure::Failure;

/// The file of an LSTM in a package.
pub fn model(package: &ModelPackage, scheme: Scheme) -> Result<PathBuf, Failure> {
    let (_, model) = package.scheme(scheme.name()).map_err(|error| {
        let train = format!(
            "planet album train --scheme {scheme} trains it; planet export RUN --into MODEL"
        );
        Failure::new(error).hint(format!("{train} adds it to the package"))
    })?;
    Ok(model)
}
