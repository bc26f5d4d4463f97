use std::time::Duration;

use planet_data::FailedPhoto;
use planet_net::Network;

use crate::{BackendError, State, StepOptions, StepReport, TrainError, TrainMonitor, Validation};

/// What a run trains on: photos one by one, or albums. The loop, schedules, checkpoints and
/// summaries exist once, above this trait.
pub(crate) trait Task: Send {
    /// The network that is trained.
    fn network(&self) -> &Network;

    /// What trains it, for people.
    fn backend(&self) -> String;

    /// Photos that are learned from.
    fn photos(&self) -> usize;

    /// Batches of an epoch.
    fn batches(&self) -> usize;

    /// Photos that an epoch asks for.
    fn photos_an_epoch(&self) -> u64;

    /// Begins an epoch at one of its batches, both counted from 0.
    fn begin(&mut self, epoch: u64, batch: usize) -> Result<(), TrainError>;

    /// Learns from the epoch's next batch; `None` at the epoch's end.
    fn next(&mut self, options: &StepOptions) -> Result<Option<Learnt>, TrainError>;

    /// Ids of the photos of the batch that was learned from last, for an error.
    fn last_photos(&self) -> Vec<String>;

    /// Whether there are validation photos.
    fn validates(&self) -> bool;

    /// Locates all validation photos; `None` where there are none or the monitor ended it.
    fn validate(&mut self, monitor: &dyn TrainMonitor) -> Result<Option<Validation>, TrainError>;

    /// Everything that a checkpoint must hold.
    fn state(&self) -> State;

    /// Goes back to a state.
    fn load(&mut self, state: &State) -> Result<(), BackendError>;
}

/// What came of one batch.
pub(crate) struct Learnt {
    pub(crate) report: StepReport,
    /// Steps that were taken: long albums take several.
    pub(crate) steps: u64,
    /// Photos that could not be decoded.
    pub(crate) failed: Vec<FailedPhoto>,
    /// Time for which nothing was learned because photos were not there yet.
    pub(crate) waiting: Duration,
}
