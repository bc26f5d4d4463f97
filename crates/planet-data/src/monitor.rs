/// How long work reports its progress and asks whether it was cancelled. Libraries print nothing:
/// the caller draws the progress bar and handles Ctrl-C.
pub trait Monitor: Sync {
    /// How many steps there will be, where that is known.
    fn expect(&self, steps: u64);

    /// So many steps are done.
    fn advance(&self, steps: u64);

    /// Whether the user wants the work to end. Long loops ask often and then return
    /// their error for it, leaving nothing half-written behind.
    fn cancelled(&self) -> bool;
}

/// A monitor that reports to no one and never cancels.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMonitor;

impl Monitor for NoMonitor {
    fn expect(&self, _steps: u64) {}

    fn advance(&self, _steps: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
