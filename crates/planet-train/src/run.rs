use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use planet::GUESSES;
use planet_data::{
    Batch, FailedPhoto, Loader, LoaderOptions, Monitor, NewFile, PhotoStore, Preprocess,
};
use planet_geo::Partition;
use planet_net::Network;

use crate::{
    Backend, BackendError, Checkpoint, Cpu, Epoch, Matched, Position, RunFolder, Running, Samples,
    StepOptions, StepReport, TrainConfig, TrainError, init, summary, tensorboard::EventWriter,
    validation,
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

/// Why a run stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Training, from beginning to end: steps, epochs, checkpoints.
pub struct Run {
    folder: RunFolder,
    config: TrainConfig,
    partition: Partition,
    preprocess: Preprocess,
    network: Network,
    matched: Option<Matched>,
    backend: Box<dyn Backend>,
    store: Arc<dyn PhotoStore>,
    photos: Vec<String>,
    targets: Vec<u32>,
    validation: Option<Samples>,
    position: Position,
}

impl Run {
    /// Begins a run in a folder that holds none yet.
    ///
    /// # Errors
    /// A run stands there already, a config that makes no sense, no photos, a device that this
    /// build does not know.
    pub fn start(
        folder: RunFolder,
        config: TrainConfig,
        partition: Partition,
        training: Samples,
        validation: Option<Samples>,
    ) -> Result<Self, TrainError> {
        if folder.config().exists() {
            return Err(TrainError::Taken { path: folder.path().to_owned() });
        }
        let run = Self::new(folder, config, partition, training, validation)?;
        let path = run.folder.path();
        std::fs::create_dir_all(path).map_err(TrainError::file(path))?;
        let mut text = Vec::new();
        let path = run.folder.partition();
        run.partition.write(&mut text).map_err(TrainError::file(&path))?;
        NewFile::write_all_at(&path, &text).map_err(TrainError::file(&path))?;
        let path = run.folder.config();
        let text = run.config.to_toml();
        NewFile::write_all_at(&path, text.as_bytes()).map_err(TrainError::file(&path))?;
        Ok(run)
    }

    /// Goes on with the run in a folder, from its last checkpoint, or from the beginning where
    /// it has not come to one. The steps that follow are those of a run that was never
    /// interrupted, bit for bit.
    ///
    /// # Errors
    /// As [`Run::start`]; a checkpoint that is damaged or of another partition.
    pub fn resume(
        folder: RunFolder,
        config: TrainConfig,
        partition: Partition,
        training: Samples,
        validation: Option<Samples>,
    ) -> Result<Self, TrainError> {
        let mut run = Self::new(folder, config, partition, training, validation)?;
        let path = run.folder.last();
        if !path.exists() {
            return Ok(run);
        }
        let checkpoint = Checkpoint::read(&path)?;
        if checkpoint.position.partition != run.position.partition {
            let what = "its classes are of another partition".to_owned();
            return Err(TrainError::Checkpoint { path, what });
        }
        run.backend.load(&checkpoint.state)?;
        run.position = checkpoint.position;
        Ok(run)
    }

    fn new(
        folder: RunFolder,
        config: TrainConfig,
        partition: Partition,
        training: Samples,
        validation: Option<Samples>,
    ) -> Result<Self, TrainError> {
        config.check()?;
        let (photos, targets) = training.inside()?;
        let store = training.store;
        if photos.len() < config.batch {
            let (photos, batch) = (photos.len(), config.batch);
            return Err(TrainError::FewPhotos { photos, batch });
        }
        let validation = validation.map(|samples| match config.validation_photos {
            0 => samples,
            most => samples.first(most),
        });
        let network = config.network(partition.len())?;
        let (weights, matched) =
            init::initial_weights(&network, config.seed, config.init.as_deref())?;
        let backend: Box<dyn Backend> = match config.device.as_str() {
            "auto" | "cpu" => Box::new(Cpu::new(&network, &weights, config.optimizer)?),
            other => {
                let what = format!("no device '{other}' in this build: cpu");
                return Err(BackendError::Device(what).into());
            }
        };
        let position = Position::start(partition.fingerprint());
        let preprocess = config.preprocess();
        Ok(Self {
            folder,
            config,
            partition,
            preprocess,
            network,
            matched,
            backend,
            store,
            photos,
            targets,
            validation: validation.filter(|samples| !samples.is_empty()),
            position,
        })
    }

    /// The network that is trained.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What trains it, for people.
    pub fn backend(&self) -> String {
        self.backend.name()
    }

    /// Photos that are learned from.
    pub fn photos(&self) -> usize {
        self.photos.len()
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
    pub fn train(&mut self, monitor: &dyn TrainMonitor) -> Result<Ending, TrainError> {
        let loader = self.loader()?;
        let batches = loader.batches_per_epoch();
        let mut events = EventWriter::create(&self.folder.tensorboard())?;
        loop {
            if let Some(ending) = self.ending() {
                return Ok(ending);
            }
            monitor.expect((batches * self.config.batch) as u64);
            monitor.advance((self.position.batch * self.config.batch) as u64);
            if !self.steps(&loader, batches, monitor)? {
                self.checkpoint(&self.folder.last())?;
                return Ok(Ending::Interrupted);
            }
            if !self.end_epoch(batches, &mut events, monitor)? {
                self.checkpoint(&self.folder.last())?;
                return Ok(Ending::Interrupted);
            }
        }
    }

    fn loader(&self) -> Result<Loader, TrainError> {
        let options = LoaderOptions {
            augment: self.config.augment,
            threads: self.loader_threads(),
            ..LoaderOptions::training(self.config.batch, self.config.seed)
        };
        let photos = self.photos.clone();
        Ok(Loader::new(self.store.clone(), photos, self.preprocess.clone(), options)?)
    }

    fn loader_threads(&self) -> Option<usize> {
        Some(self.config.loader_threads).filter(|threads| *threads > 0)
    }

    /// The epoch's remaining steps; `false` where the user ended them. The run's time may end
    /// them too.
    fn steps(
        &mut self,
        loader: &Loader,
        batches: usize,
        monitor: &dyn TrainMonitor,
    ) -> Result<bool, TrainError> {
        let mut saved = Instant::now();
        let mut before = Instant::now();
        for batch in loader.epoch(self.position.epoch, self.position.batch) {
            let waiting = before.elapsed();
            let batch = batch?;
            batch.failed.iter().for_each(|photo| monitor.failed(photo));
            let report = self.step(&batch, batches)?;
            self.position.batch += 1;
            self.position.steps += 1;
            self.position.running.add(&batch, &report, before.elapsed(), waiting);
            before = Instant::now();

            monitor.advance(batch.rows.len() as u64);
            monitor.step(&self.status(batches));
            if monitor.cancelled() {
                return Ok(false);
            }
            if self.out_of_time() {
                break;
            }
            if saved.elapsed().as_secs_f64() > self.config.checkpoint_minutes * 60.0 {
                self.checkpoint(&self.folder.last())?;
                saved = Instant::now();
                before = Instant::now();
            }
        }
        Ok(true)
    }

    fn step(&mut self, batch: &Batch, batches: usize) -> Result<StepReport, TrainError> {
        let targets: Vec<u32> = batch.rows.iter().map(|row| self.targets[*row]).collect();
        let options = StepOptions {
            learning_rate: self.learning_rate(batches),
            label_smoothing: self.config.label_smoothing,
            auxiliary_weight: self.config.auxiliary_weight,
            dropout: self
                .config
                .dropout
                .then(|| dropout_seed(self.config.seed, self.position.steps)),
        };
        let report = self.backend.step(&batch.pixels, &targets, &options)?;
        if !report.is_finite() {
            let photos = batch.rows.iter().map(|row| self.photos[*row].clone()).collect();
            let (loss, step) = (report.loss, self.position.steps);
            return Err(TrainError::Diverged { loss, step, photos });
        }
        Ok(report)
    }

    fn learning_rate(&self, batches: usize) -> f64 {
        let done = self.position.epoch as f64 + self.position.batch as f64 / batches as f64;
        self.config.learning_rate.at(done, self.config.epochs as f64)
    }

    fn status(&self, batches: usize) -> Status {
        let running = &self.position.running;
        Status {
            epoch: self.position.epoch + 1,
            epochs: self.config.epochs,
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
        events: &mut EventWriter,
        monitor: &dyn TrainMonitor,
    ) -> Result<bool, TrainError> {
        let before = Instant::now();
        let validated = match &self.validation {
            None => None,
            Some(samples) => {
                let options = LoaderOptions {
                    threads: self.loader_threads(),
                    ..LoaderOptions::evaluation(self.config.batch)
                };
                let validated = validation::validate(
                    self.backend.as_mut(),
                    samples,
                    &self.partition,
                    &self.preprocess,
                    options,
                    monitor,
                )?;
                if validated.is_none() {
                    return Ok(false);
                }
                validated
            }
        };
        let epoch = self.close_epoch(batches, before.elapsed(), validated.as_ref());
        if self.best_epoch() == Some(epoch.epoch) {
            self.checkpoint(&self.folder.best())?;
            if let Some(validated) = &validated {
                let path = self.folder.validation_logits();
                let bytes = validated.logits.to_safetensors(&[]);
                NewFile::write_all_at(&path, &bytes).map_err(TrainError::file(&path))?;
            }
        }
        self.checkpoint(&self.folder.last())?;
        summary::write(&self.folder.summary(), &self.position.history)?;
        let numbers = epoch.columns().into_iter();
        let numbers: Vec<_> = numbers.filter_map(|(name, value)| Some((name, value?))).collect();
        events.scalars(self.position.steps, &numbers)?;
        monitor.epoch(&epoch);
        Ok(true)
    }

    /// Turns the sums of the epoch's steps into its row.
    fn close_epoch(
        &mut self,
        batches: usize,
        validating: Duration,
        validated: Option<&validation::Validation>,
    ) -> Epoch {
        let running = std::mem::take(&mut self.position.running);
        let photos = running.photos.max(1) as f64;
        let auxiliary = self.network.output(planet_net::OutputName::Auxiliary);
        // The rate of the last step, which the batch counter has left behind.
        let done = self.position.epoch as f64
            + self.position.batch.saturating_sub(1) as f64 / batches as f64;
        let epoch = Epoch {
            epoch: self.position.epoch + 1,
            steps: self.position.steps,
            minutes: (running.seconds + validating.as_secs_f64()) / 60.0,
            learning_rate: self.config.learning_rate.at(done, self.config.epochs as f64),
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

    fn out_of_time(&self) -> bool {
        self.config.minutes > 0.0 && self.position.seconds() >= self.config.minutes * 60.0
    }

    fn ending(&self) -> Option<Ending> {
        let done = self.position.epoch;
        let best = self.best_epoch().unwrap_or(done);
        let patience = self.config.patience;
        if done >= self.config.epochs {
            Some(Ending::Epochs)
        } else if patience > 0 && self.validation.is_some() && done >= best + patience {
            Some(Ending::Converged)
        } else if self.position.batch == 0 && done > 0 && self.out_of_time() {
            Some(Ending::Time)
        } else {
            None
        }
    }

    fn checkpoint(&self, path: &std::path::Path) -> Result<(), TrainError> {
        Checkpoint { state: self.backend.state(), position: self.position.clone() }.write(path)
    }
}

impl Running {
    fn add(&mut self, batch: &Batch, report: &StepReport, whole: Duration, waiting: Duration) {
        let photos = batch.rows.len();
        self.photos += photos as u64;
        self.loss += report.loss * photos as f64;
        self.auxiliary += report.auxiliary.unwrap_or_default() * photos as f64;
        let within =
            |most: usize| report.photos.iter().filter(|it| (it.rank as usize) < most).count();
        self.first += within(1) as u64;
        self.among_five += within(GUESSES) as u64;
        self.failed += batch.failed.len() as u64;
        self.seconds += whole.as_secs_f64();
        self.waiting += waiting.as_secs_f64();
    }
}

/// Another seed for each step (splitmix64's mixing).
fn dropout_seed(seed: u64, step: u64) -> u64 {
    let mut z = seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
