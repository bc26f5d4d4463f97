use std::fmt;

/// Why a run stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The validation accuracy no longer grows.
    Converged,
    /// All epochs are done.
    Epochs,
    /// Its time is used up.
    Time,
    /// The user ended it; it can go on.
    Interrupted,
}

impl fmt::Display for Ending {
    /// In words: `no better validation accuracy`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Converged => "no better validation accuracy",
            Self::Epochs => "all epochs are done",
            Self::Time => "the time is used up",
            Self::Interrupted => "interrupted",
        })
    }
}
