use std::io::{self, Write};

use planet_data::DataError;

use crate::failure::Failure;

/// Rows and photos that are wrong: the first few are named, all are counted.
#[derive(Debug)]
pub struct Problems {
    strict: bool,
    /// How many there were.
    count: u64,
}

/// Problems that are named; the rest are only counted.
const NAMED: u64 = 20;

impl Problems {
    /// With `strict`, the first problem is an error.
    pub fn new(strict: bool) -> Self {
        Self { strict, count: 0 }
    }

    /// Takes what a row became; `None` where it is wrong.
    pub fn sift<T>(&mut self, result: Result<T, DataError>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(DataError::Cancelled) => Err(Failure::new(DataError::Cancelled)),
            Err(error) => self.add(&error.to_string()).map(|()| None),
        }
    }

    /// Counts and names one problem.
    pub fn add(&mut self, what: &str) -> Result<(), Failure> {
        if self.strict {
            let hint = "without --strict such photos are counted and left out";
            return Err(Failure::new(what).hint(hint));
        }
        self.count += 1;
        if self.count <= NAMED {
            writeln!(io::stderr(), "skipped: {what}")?;
        }
        Ok(())
    }

    /// Says at the end how many there were.
    pub fn report(&self) -> io::Result<()> {
        if self.count > NAMED {
            writeln!(io::stderr(), "skipped: {} more like these", self.count - NAMED)?;
        }
        Ok(())
    }
}
