//! The training loop.

mod backend;
mod cpu;
mod loss;
mod lstm;
mod optimizer;
mod sequence;

pub use backend::{Backend, BackendError, Gradients, State, StepOptions, StepReport};
pub use cpu::Cpu;
pub use loss::Loss;
pub use lstm::{Direction, Lstm, LstmGradients, LstmPass, LstmState};
pub use optimizer::{Optimizer, Rule};
pub use sequence::{SequenceBatch, SequenceClassifier, SequenceGradients, SequenceStep};
