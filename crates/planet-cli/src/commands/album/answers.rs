//! The LSTMs of a package.

use std::path::PathBuf;

use planet::{ModelPackage, PackageError, album::Scheme};

use crate::failure::Failure;

/// The file of an LSTM in a package.
pub fn model(package: &ModelPackage, scheme: Scheme) -> Result<PathBuf, Failure> {
    let found = package.scheme(scheme.name());
    found.map(|(_, model)| model).map_err(|error| failure(&error))
}

/// Why a package has no such LSTM, and how it gets one.
pub fn failure(error: &PackageError) -> Failure {
    let scheme = match error {
        PackageError::NoScheme { name, .. } => name.as_str(),
        _ => "SCHEME",
    };
    let train = format!("planet album train --scheme {scheme} trains it");
    Failure::new(error)
        .hint(format!("{train}; planet export RUN --into MODEL adds it to the package"))
}
