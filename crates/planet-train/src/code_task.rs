use std::time::Instant;

use planet_data::{Loader, LoaderOptions, Preprocess};
use planet_net::Network;

use crate::{
    Backend, BackendError, CodeSamples, Matched, ProcessGroup, State, StepOptions, TrainConfig,
    TrainError, TrainMonitor, Validation,
    code_validation::CodeValidation,
    epochs::Epochs,
    init,
    pairs::PAIR,
    photo_task::loader_threads,
    task::{Learnt, Task},
};

/// Training codes on photos and their edited copies.
pub(crate) struct CodeTask {
    config: TrainConfig,
    preprocess: Preprocess,
    network: Network,
    backend: Box<dyn Backend>,
    /// Ids as the loader takes them: each twice, for the photo and its copy.
    photos: Vec<String>,
    validation: Option<CodeSamples>,
    epochs: Epochs,
    /// Batches since the beginning.
    done: u64,
    /// Rows of the last batch.
    last: Vec<usize>,
}

impl CodeTask {
    pub(crate) fn new(
        config: TrainConfig,
        training: CodeSamples,
        validation: Option<CodeSamples>,
    ) -> Result<(Self, Option<Matched>), TrainError> {
        let photos: Vec<String> =
            training.photos.into_iter().flat_map(|photo| [photo.clone(), photo]).collect();
        if photos.len() < config.batch {
            let (photos, batch) = (photos.len() / PAIR, config.batch / PAIR);
            return Err(TrainError::FewPhotos { photos, batch });
        }
        let network = config.network(config.outputs(0))?;
        let (weights, matched) =
            init::initial_weights(&network, config.seed, config.init.as_deref())?;
        let group = ProcessGroup::alone();
        let backend = config.open_backend(&network, &weights, &group)?;
        let preprocess = config.preprocess();
        let options = LoaderOptions {
            augment: config.augment,
            edits: Some(config.near_duplicates.edits.clone()),
            together: PAIR,
            threads: loader_threads(&config, &group),
            ..LoaderOptions::training(config.batch, config.seed)
        };
        let loader = Loader::new(training.store, photos.clone(), preprocess.clone(), options)?;
        let epochs = Epochs::new(loader, &config, group.size());
        let validation = validation.filter(|samples| !samples.photos.is_empty());
        let (done, last) = (0, Vec::new());
        let task =
            Self { config, preprocess, network, backend, photos, validation, epochs, done, last };
        Ok((task, matched))
    }
}

impl Task for CodeTask {
    fn network(&self) -> &Network {
        &self.network
    }

    fn backend(&self) -> String {
        self.backend.name()
    }

    fn photos(&self) -> usize {
        self.photos.len() / PAIR
    }

    fn batches(&self) -> usize {
        self.epochs.batches()
    }

    fn photos_an_epoch(&self) -> u64 {
        (self.batches() * self.config.batch) as u64
    }

    fn begin(&mut self, epoch: u64, batch: usize) -> Result<(), TrainError> {
        self.epochs.begin(epoch, batch);
        self.done = epoch * self.batches() as u64 + batch as u64;
        Ok(())
    }

    fn next(&mut self, options: &StepOptions) -> Result<Option<Learnt>, TrainError> {
        let before = Instant::now();
        let Some(batch) = self.epochs.next(self.backend.as_mut()) else { return Ok(None) };
        let waiting = before.elapsed();
        let batch = batch?;
        let all = self.config.epochs * self.batches() as u64;
        let loss = self.config.near_duplicates.at(self.done as f64 / all as f64);
        // The two rows of a photo are one unit, wherever the photo of a failed one came from.
        let units: Vec<usize> = batch.rows.iter().map(|row| row / PAIR).collect();
        let width = self.network.classes();
        let mut of_outputs = |outputs: &mut [f32]| loss.differentiate(outputs, width, &units);
        let report = self.backend.step_by(&batch.pixels, &mut of_outputs, options)?;
        self.done += 1;
        self.last = batch.rows;
        Ok(Some(Learnt { report, steps: 1, failed: batch.failed, waiting }))
    }

    fn last_photos(&self) -> Vec<String> {
        self.last.iter().map(|row| self.photos[*row].clone()).collect()
    }

    fn validates(&self) -> bool {
        self.validation.is_some()
    }

    fn validate(&mut self, monitor: &dyn TrainMonitor) -> Result<Option<Validation>, TrainError> {
        self.epochs.end();
        let Some(samples) = &self.validation else { return Ok(None) };
        let threads = loader_threads(&self.config, &ProcessGroup::alone());
        let validation = CodeValidation {
            samples,
            preprocess: &self.preprocess,
            options: LoaderOptions { threads, ..LoaderOptions::evaluation(self.config.batch) },
            near_duplicates: &self.config.near_duplicates,
        };
        validation.run(self.backend.as_mut(), monitor)
    }

    fn state(&self) -> State {
        self.backend.state()
    }

    fn load(&mut self, state: &State) -> Result<(), BackendError> {
        self.backend.load(state)
    }
}
