/// What long work tells its caller and asks of it. Libraries are quiet: the command behind
/// them draws the progress bar and hears Ctrl-C.
pub trait Monitor: Sync {
    /// How many steps there will be, where that is known.
    fn expect(&self, steps: u64);

    /// So many steps are done.
    fn advance(&self, steps: u64);

    /// Whether the user wants the work to end. Long loops ask often and then return
    /// their error for it, leaving nothing half-written behind.
    fn cancelled(&self) -> bool;
}

/// Nobody is watching.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMonitor;

impl Monitor for NoMonitor {
    fn expect(&self, _steps: u64) {}

    fn advance(&self, _steps: u64) {}

    fn cancelled(&self) -> bool {
        false
    }
}
