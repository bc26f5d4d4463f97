//! Near-duplicates by learned codes: which photos show the same picture, whatever was done to it.

mod coder;
mod false_matches;

pub use coder::{CodeError, Coder};
pub use false_matches::FalseMatches;
