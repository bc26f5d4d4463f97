use std::{
    path::Path,
    time::{Duration, Instant},
};

use planet_data::{AtomicFile, FailedPhoto, Monitor};
use planet_net::{Network, OutputName};

use crate::{
    Checkpoint, Epoch, Matched, Position, ProcessGroup, RunFolder, Running, StepOptions,
    StopReason, TrainError, Validation,
    course::Course,
    dropout, summary,
    task::{Learnt, Task},
    tensorboard::EventWriter,
};

/// What training tells its caller.
pub trait TrainMonitor: Monitor {
    /// A step is done.
    fn step(&self, status: &Status);

    /// A photo could not be decoded; another took its place, or it counts as missed.
    fn failed(&self, photo: &FailedPhoto);

    /// An epoch is done.
    fn epoch(&self, epoch: &Epoch);
}

/// Where a run stands after a step.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// Greatest number of epochs.
    pub epochs: u64,
    /// Batches of the epoch that are done.
    pub batch: usize,
    /// Batches of an epoch.
    pub batches: usize,
    /// Mean loss of the epoch's photos so far, in nats.
    pub loss: f64,
    /// Photos a second, of this epoch so far.
    pub photos_per_second: f64,
}

/// Training, from beginning to end: steps, epochs, checkpoints. [`crate::RunParts`] begin or resume it.
pub struct Run {
    pub(crate) folder: RunFolder,
    pub(crate) course: Course,
    pub(crate) task: Box<dyn Task>,
    pub(crate) matched: Option<Matched>,
    pub(crate) position: Position,
    pub(crate) group: ProcessGroup,
}

impl Run {
    /// The network that is trained.
    pub fn network(&self) -> &Network {
        self.task.network()
    }

    /// What trains it, for people.
    pub fn backend(&self) -> String {
        self.task.backend()
    }

    /// Whether this process speaks for the run: it is alone, or rank 0.
    pub fn is_first(&self) -> bool {
        self.group.is_first()
    }

    /// Photos that are learned from.
    pub fn photos(&self) -> usize {
        self.task.photos()
    }

    /// What a file of initial weights gave, where there was one.
    pub fn matched(&self) -> Option<&Matched> {
        self.matched.as_ref()
    }

    /// Where the run stands.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Trains until the run ends or the monitor says to stop. What was learned is then in the
    /// run's folder.
    ///
    /// # Errors
    /// A loss that is no number, photos that cannot be loaded, a checkpoint that cannot be
    /// written, a device that fails.
    pub fn train(&mut self, monitor: &dyn TrainMonitor) -> Result<StopReason, TrainError> {
        let batches = self.task.batches();
        let mut events = match self.group.is_first() {
            true => Some(EventWriter::create(&self.folder.tensorboard())?),
            false => None,
        };
        loop {
            if let Some(ending) = self.ending() {
                return Ok(ending);
            }
            monitor.expect(self.task.photos_an_epoch());
            monitor.advance(self.position.running.photos);
            let ended = !self.steps(batches, monitor)?
                || !self.end_epoch(batches, events.as_mut(), monitor)?;
            if ended {
                if self.group.is_first() {
                    self.checkpoint(&self.folder.last())?;
                }
                return Ok(StopReason::Interrupted);
            }
        }
    }

    /// The epoch's remaining steps; `false` where the user ended them. The run's time may end
    /// them too.
    fn steps(&mut self, batches: usize, monitor: &dyn TrainMonitor) -> Result<bool, TrainError> {
        let mut saved = Instant::now();
        self.task.begin(self.position.epoch, self.position.batch)?;
        loop {
            let before = Instant::now();
            let options = self.options(batches);
            let Some(learnt) = self.task.next(&options)? else { return Ok(true) };
            learnt.failed.iter().for_each(|photo| monitor.failed(photo));
            let running = Running::of(&learnt, before.elapsed());
            let all = self.over_ranks(running, &learnt, monitor.cancelled())?;
            self.position.batch += 1;
            self.position.steps += learnt.steps;
            self.position.seen += all.running.photos;
            self.position.running.add(&all.running);

            monitor.advance(all.running.photos);
            monitor.step(&self.status(batches));
            // Alone, one need not wait for the next exchange to hear of it.
            if all.cancelled || self.group.size() == 1 && monitor.cancelled() {
                return Ok(false);
            }
            if self.out_of_time() {
                return Ok(true);
            }
            let minutes = saved.elapsed().as_secs_f64() / 60.0;
            if self.group.is_first() && minutes > self.course.checkpoint_minutes {
                self.checkpoint(&self.folder.last())?;
                saved = Instant::now();
            }
        }
    }

    /// What a step came to on all ranks: they see the same numbers, and so all end in the same
    /// step, whichever of them met a loss that is no number or was told to end.
    fn over_ranks(
        &self,
        running: Running,
        learnt: &Learnt,
        cancelled: bool,
    ) -> Result<Together, TrainError> {
        let finite = learnt.report.is_finite();
        let mut flags = [!finite, cancelled].map(|flag| f64::from(u8::from(flag)));
        let running = running.over_ranks(&self.group, &mut flags)?;
        let step = self.position.steps;
        if !finite {
            let (loss, photos) = (learnt.report.loss, self.task.last_photos());
            return Err(TrainError::Diverged { loss, step, photos });
        }
        if flags[0] > 0.0 {
            return Err(TrainError::DivergedElsewhere { step });
        }
        Ok(Together { running, cancelled: flags[1] > 0.0 })
    }

    fn options(&self, batches: usize) -> StepOptions {
        let Course { seed, label_smoothing, auxiliary_weight, dropout: drops, .. } = self.course;
        StepOptions {
            learning_rate: self.learning_rate(batches),
            label_smoothing,
            auxiliary_weight,
            // Every rank drops other values.
            dropout: drops.then(|| {
                let (rank, ranks) = (self.group.rank() as u64, self.group.size() as u64);
                dropout::seed_of(seed, self.position.steps * ranks + rank)
            }),
        }
    }

    fn learning_rate(&self, batches: usize) -> f64 {
        let done = self.position.epoch as f64 + self.position.batch as f64 / batches as f64;
        self.course.learning_rate.at(done, self.course.epochs as f64)
    }

    fn status(&self, batches: usize) -> Status {
        let running = &self.position.running;
        Status {
            epoch: self.position.epoch + 1,
            epochs: self.course.epochs,
            batch: self.position.batch,
            batches,
            loss: running.loss / running.photos.max(1) as f64,
            photos_per_second: running.photos as f64 / running.seconds.max(1e-9),
        }
    }

    /// Validates, and writes down what the epoch came to; `false` where the user ended it.
    fn end_epoch(
        &mut self,
        batches: usize,
        events: Option<&mut EventWriter>,
        monitor: &dyn TrainMonitor,
    ) -> Result<bool, TrainError> {
        let before = Instant::now();
        let validated = self.task.validate(monitor)?;
        if validated.is_none() && self.task.validates() {
            return Ok(false);
        }
        let mut minutes = [before.elapsed().as_secs_f64() / self.group.size() as f64];
        self.group.sum(&mut minutes)?;
        let validating = Duration::from_secs_f64(minutes[0]);
        let epoch = self.close_epoch(batches, validating, validated.as_ref());
        if let Some(events) = events {
            self.write_epoch(&epoch, validated.as_ref(), events)?;
        }
        monitor.epoch(&epoch);
        Ok(true)
    }

    fn write_epoch(
        &self,
        epoch: &Epoch,
        validated: Option<&Validation>,
        events: &mut EventWriter,
    ) -> Result<(), TrainError> {
        if self.best_epoch() == Some(epoch.epoch) {
            self.checkpoint(&self.folder.best())?;
            if let Some(validated) = validated {
                let path = self.folder.validation_logits();
                let bytes = validated.logits.to_safetensors(&[]);
                AtomicFile::write_all_at(&path, &bytes).map_err(TrainError::file(&path))?;
            }
        }
        self.checkpoint(&self.folder.last())?;
        summary::write(&self.folder.summary(), &self.position.history, self.best_epoch())?;
        let numbers = epoch.columns().into_iter();
        let numbers: Vec<_> = numbers.filter_map(|(name, value)| Some((name, value?))).collect();
        events.scalars(self.position.steps, &numbers)
    }

    /// Turns the sums of the epoch's steps into its row.
    fn close_epoch(
        &mut self,
        batches: usize,
        validating: Duration,
        validated: Option<&Validation>,
    ) -> Epoch {
        let running = std::mem::take(&mut self.position.running);
        let photos = running.photos.max(1) as f64;
        let auxiliary = self.task.network().output(OutputName::Auxiliary);
        // The rate of the last step, which the batch counter has left behind.
        let done = self.position.epoch as f64
            + self.position.batch.saturating_sub(1) as f64 / batches as f64;
        let epoch = Epoch {
            epoch: self.position.epoch + 1,
            steps: self.position.steps,
            minutes: (running.seconds + validating.as_secs_f64()) / 60.0,
            learning_rate: self.course.learning_rate.at(done, self.course.epochs as f64),
            loss: running.loss / photos,
            auxiliary: auxiliary.map(|_| running.auxiliary / photos),
            cell_1: running.first as f64 / photos,
            cell_5: running.among_five as f64 / photos,
            failed: running.failed,
            photos_per_second: running.photos as f64 / running.seconds.max(1e-9),
            waiting: running.waiting / running.seconds.max(1e-9),
            validation: validated.map(|it| it.scores.clone()),
        };
        self.position.epoch += 1;
        self.position.batch = 0;
        self.position.history.push(epoch.clone());
        epoch
    }

    /// The epoch with the best validation accuracy, the first of equal ones; the last where
    /// nothing is validated.
    pub fn best_epoch(&self) -> Option<u64> {
        let history = &self.position.history;
        let mut best: Option<(&Epoch, f64)> = None;
        for epoch in history {
            match &epoch.validation {
                Some(scores) if best.is_none_or(|(_, most)| scores.cell_1 > most) => {
                    best = Some((epoch, scores.cell_1));
                }
                Some(_) => {}
                None => best = Some((epoch, f64::NEG_INFINITY)),
            }
        }
        best.map(|(epoch, _)| epoch.epoch)
    }

    /// Why a run came to an ending, with the number that decided it: `the validation
    /// accuracy has not improved in 3 epochs`.
    pub fn reason(&self, ending: StopReason) -> String {
        match ending {
            StopReason::Converged => format!("{ending} in {} epochs", self.course.patience),
            StopReason::Epochs => format!("{ending}: {}", self.course.epochs),
            StopReason::Time => format!("{ending}: {} minutes", self.course.minutes),
            StopReason::Interrupted => ending.to_string(),
        }
    }

    fn out_of_time(&self) -> bool {
        self.course.minutes > 0.0 && self.position.seconds() >= self.course.minutes * 60.0
    }

    fn ending(&self) -> Option<StopReason> {
        let done = self.position.epoch;
        let best = self.best_epoch().unwrap_or(done);
        let patience = self.course.patience;
        if done >= self.course.epochs {
            Some(StopReason::Epochs)
        } else if patience > 0 && self.task.validates() && done >= best + patience {
            Some(StopReason::Converged)
        } else if self.position.batch == 0 && done > 0 && self.out_of_time() {
            Some(StopReason::Time)
        } else {
            None
        }
    }

    fn checkpoint(&self, path: &Path) -> Result<(), TrainError> {
        self.moment().write(path)
    }

    pub(crate) fn moment(&self) -> Checkpoint {
        Checkpoint { state: self.task.state(), position: self.position.clone() }
    }
}

/// A step of all ranks.
struct Together {
    running: Running,
    /// Whether one was told to end.
    cancelled: bool,
}
