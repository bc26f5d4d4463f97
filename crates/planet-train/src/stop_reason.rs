use std::fmt;

/// Why a run stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The validation accuracy no longer grows.
    Converged,
    /// All epochs are done.
    Epochs,
    /// Its time is used up.
    Time,
    /// The user ended it; it can go on.
    Interrupted,
}

impl fmt::Display for StopReason {
    /// In words: `the validation accuracy has not improved`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Converged => "the validation accuracy has not improved",
            Self::Epochs => "all epochs are completed",
            Self::Time => "the time limit is reached",
            Self::Interrupted => "interrupted",
        })
    }
}
