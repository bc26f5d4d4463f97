//! The training loop.

mod lstm;

pub use lstm::{Direction, Lstm, LstmGradients, LstmPass, LstmState};
