use planet::Activations;
use planet_data::PixelBatch;
use planet_net::{Weights, WeightsError};
use thiserror::Error;

use crate::{GroupError, InvalidSetting, Loss, Optimizer, loss};

/// Something that trains a network: an interpreter of [`planet_net::Network`] with gradients
/// and an optimizer. The loop, schedules, checkpoints and metrics exist once, above this trait.
pub trait Backend: Send {
    /// What trains, for people: `cpu, 2 threads`.
    fn name(&self) -> String;

    /// One step: forward, loss, backward, update. `targets` holds each photo's class. Where
    /// the loss is not finite, nothing is updated.
    ///
    /// # Errors
    /// A batch or targets that do not fit the network; a failure of the device.
    fn step(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError>;

    /// One step on a loss that is computed outside, from the output of the network. Where there is
    /// an auxiliary classifier, its loss is computed in the same way from its own output, and
    /// weighted. Where the loss is not finite, nothing is updated.
    ///
    /// # Errors
    /// A batch that does not fit the network; a failure of the device.
    fn step_by(
        &mut self,
        batch: &PixelBatch,
        loss: OutputLoss<'_>,
        options: &StepOptions,
    ) -> Result<StepReport, BackendError>;

    /// The gradients that a step would use, by parameter; running statistics move as in a step.
    ///
    /// # Errors
    /// As [`Backend::step`].
    fn gradients(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<Gradients, BackendError>;

    /// The network as it is used: running statistics, no dropout, averaged weights where an
    /// average is kept.
    ///
    /// # Errors
    /// A batch that does not fit the network; a failure of the device.
    fn forward(&mut self, batch: &PixelBatch) -> Result<Activations, BackendError>;

    /// Makes what differs from rank to rank, batch norm's running statistics, rank 0's
    /// everywhere. All ranks come here together.
    ///
    /// # Errors
    /// Another rank is gone.
    fn agree(&mut self) -> Result<(), BackendError> {
        Ok(())
    }

    /// Whether it wants to be told of batches before their steps.
    fn looks_ahead(&self) -> bool {
        false
    }

    /// Announces the batch of a coming step, in the steps' order, so that it is on the device when
    /// its step begins.
    fn expect(&mut self, _batch: &PixelBatch) {}

    /// Everything that a checkpoint must hold.
    fn state(&self) -> State;

    /// Goes back to a state.
    ///
    /// # Errors
    /// A state of another network or optimizer.
    fn load(&mut self, state: &State) -> Result<(), BackendError>;
}

/// A loss of a batch's output, `[photos, outputs]`: it puts the derivative by each output in its
/// place, and gives each photo's loss.
pub type OutputLoss<'a> = &'a mut dyn FnMut(&mut [f32]) -> Vec<Loss>;

/// What may differ from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOptions {
    /// Length of the step.
    pub learning_rate: f64,
    /// Share of each target that is spread evenly over all classes, from 0 to below 1.
    pub label_smoothing: f32,
    /// Weight of the auxiliary classifier's loss, where the network has one.
    pub auxiliary_weight: f32,
    /// Seed of dropout in this step; `None` drops nothing.
    pub dropout: Option<u64>,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Mean loss of the batch, before the step; cross entropy is in nats.
    pub loss: f64,
    /// The same of the auxiliary classifier, not weighted.
    pub auxiliary: Option<f64>,
    /// Each photo's own.
    pub photos: Vec<Loss>,
}

impl StepReport {
    /// Of each photo's loss, and the auxiliary classifier's mean.
    pub(crate) fn of(photos: Vec<Loss>, auxiliary: Option<f64>) -> Self {
        Self { loss: loss::mean(&photos), auxiliary, photos }
    }

    /// Of one row of numbers, as it is read from a device: the photos' losses, as many ranks, and
    /// the auxiliary classifier's mean where there is one.
    #[cfg(any(feature = "burn", feature = "torch"))]
    pub(crate) fn of_row(mut row: Vec<f32>, has_auxiliary: bool) -> Self {
        let auxiliary = if has_auxiliary { row.pop().map(f64::from) } else { None };
        let (losses, ranks) = row.split_at(row.len() / 2);
        let photos = losses.iter().zip(ranks);
        let photos = photos.map(|(loss, rank)| Loss { loss: *loss, rank: *rank as u32 });
        Self::of(photos.collect(), auxiliary)
    }

    /// As the row that [`Self::of_row`] reads.
    #[cfg(any(feature = "burn", feature = "torch"))]
    pub(crate) fn row_of(photos: &[Loss]) -> Vec<f32> {
        let losses = photos.iter().map(|it| it.loss);
        losses.chain(photos.iter().map(|it| it.rank as f32)).collect()
    }

    /// Whether training can go on.
    pub fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.auxiliary.is_none_or(f64::is_finite)
    }
}

/// Checks that there is a class for every photo of a batch, each one of the network's.
pub(crate) fn check_targets(
    photos: usize,
    targets: &[u32],
    classes: usize,
) -> Result<(), BackendError> {
    if let Some(class) = targets.iter().find(|it| **it as usize >= classes) {
        return Err(BackendError::Class { class: *class, classes });
    }
    if targets.len() != photos {
        return Err(BackendError::Targets { photos, targets: targets.len() });
    }
    Ok(())
}

/// Gradients of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// The losses.
    pub report: StepReport,
    /// Derivatives of loss + weighted auxiliary loss by each trained parameter.
    pub gradients: Weights,
}

/// A backend's memory, in PyTorch's names and shapes: the same for every backend, so that a
/// run begun on one goes on with another.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Steps taken.
    pub steps: u64,
    /// Parameters and running statistics.
    pub weights: Weights,
    /// The optimizer's numbers of each trained parameter, as many sets as it keeps.
    pub slots: Vec<Weights>,
    /// The moving average of the weights, where one is kept.
    pub average: Option<Weights>,
}

impl State {
    /// The weights that are evaluated and exported.
    pub fn best_weights(&self) -> &Weights {
        self.average.as_ref().unwrap_or(&self.weights)
    }

    /// Checks that this state fits an optimizer and a network whose state is `like`.
    pub(crate) fn check(&self, optimizer: &Optimizer, like: &Self) -> Result<(), BackendError> {
        let other = |what: String| Err(BackendError::OtherState(what));
        if self.slots.len() != optimizer.slots() {
            let (found, wanted) = (self.slots.len(), optimizer.slots());
            return other(format!(
                "it has {found} numbers per weight, but the optimizer needs {wanted}"
            ));
        }
        if self.average.is_some() != optimizer.average.is_some() {
            return other("only one of the two has a moving average of the weights".into());
        }
        let sets = [&self.weights].into_iter().chain(&self.slots).chain(&self.average);
        for (at, set) in sets.enumerate() {
            // Running statistics and frozen weights have no numbers of the optimizer's.
            let slot = at.checked_sub(1).and_then(|slot| like.slots.get(slot));
            for (name, array) in slot.unwrap_or(&like.weights).iter() {
                match set.get(name) {
                    Some(found) if found.shape() == array.shape() => {}
                    Some(found) => {
                        let (found, wanted) = (found.shape(), array.shape());
                        return other(format!(
                            "'{name}' is {found:?} in the checkpoint and {wanted:?} in this run"
                        ));
                    }
                    None => return other(format!("'{name}' is missing")),
                }
            }
        }
        Ok(())
    }
}

/// Why a backend cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackendError {
    /// A network with something that the backend does not know.
    #[error("{backend} cannot train '{node}': it {what}")]
    Unsupported {
        /// The backend.
        backend: String,
        /// The node.
        node: String,
        /// What it can do instead.
        what: String,
    },
    /// Weights that are not the network's.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// An optimizer with a number outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// Pixels of another size, or none.
    #[error(
        "a batch of {photos} photos has {} x {} px, but the network requires {} x {}",
        found[0], found[1], wanted[0], wanted[1]
    )]
    Batch {
        /// Photos in the batch.
        photos: usize,
        /// Its height and width.
        found: [usize; 2],
        /// The network's.
        wanted: [usize; 2],
    },
    /// Values that are no whole rows of a sequence.
    #[error("{found} values for {rows} rows of {features}")]
    Inputs {
        /// Values that came.
        found: usize,
        /// Rows that they should be.
        rows: usize,
        /// Values a row.
        features: usize,
    },
    /// A target beyond the classes.
    #[error("class {class} of a network with {classes} classes")]
    Class {
        /// The target.
        class: u32,
        /// The network's classes.
        classes: usize,
    },
    /// Not one target a photo.
    #[error("{targets} targets for {photos} photos")]
    Targets {
        /// Photos in the batch.
        photos: usize,
        /// Targets that came with it.
        targets: usize,
    },
    /// The ranks cannot go on together.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// A state of another run.
    #[error("the checkpoint belongs to another run: {0}")]
    OtherState(String),
    /// There is no such device, or it cannot do what is asked of it.
    #[error("{0}")]
    Device(String),
    /// The library underneath failed at the work itself.
    #[error("{what}")]
    Run {
        /// What happened, and the cure where one is known.
        what: String,
        /// The library's own error.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
