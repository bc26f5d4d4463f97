//! The training loop.

mod lstm;
mod sequence;

pub use lstm::{Direction, Lstm, LstmGradients, LstmPass, LstmState};
pub use sequence::{SequenceBatch, SequenceClassifier, SequenceGradients, SequenceStep};
