//! The LSTMs of a package.

use planet::PackageError;

use crate::failure::Failure;

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
