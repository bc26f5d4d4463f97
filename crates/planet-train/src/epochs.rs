use planet_data::{Batch, Loader, LoaderError};

use crate::{Backend, TrainConfig, ahead::Ahead};

/// The batches of a run's epochs, decoded ahead.
pub(crate) struct Epochs {
    loader: Loader,
    /// Batches of one of the run's epochs.
    batches: usize,
    /// What is left of the epoch.
    epoch: Option<Ahead>,
    /// The batch that comes next, where the backend looks ahead.
    ahead: Option<Result<Batch, LoaderError>>,
}

impl Epochs {
    /// `ranks` is the number of processes that train together.
    pub(crate) fn new(loader: Loader, config: &TrainConfig, ranks: usize) -> Self {
        let all = loader.batches_per_epoch();
        let batches = match config.epoch_photos {
            0 => all,
            photos => (photos / (config.batch * ranks)).clamp(1, all),
        };
        Self { loader, batches, epoch: None, ahead: None }
    }

    /// Batches of an epoch.
    pub(crate) fn batches(&self) -> usize {
        self.batches
    }

    /// Begins an epoch at one of its batches, both counted from 0.
    pub(crate) fn begin(&mut self, epoch: u64, batch: usize) {
        self.ahead = None;
        // The loader's epoch holds all photos, and may hold several of ours.
        let parts = (self.loader.batches_per_epoch() / self.batches) as u64;
        let first = (epoch % parts) as usize * self.batches + batch;
        let rest = self.batches.saturating_sub(batch);
        self.epoch = Some(Ahead::of(self.loader.epoch(epoch / parts, first).take(rest)));
    }

    /// Decodes no further.
    pub(crate) fn end(&mut self) {
        self.epoch = None;
    }

    /// The next batch. A backend that looks ahead is told of it and of the one behind it.
    pub(crate) fn next(&mut self, backend: &mut dyn Backend) -> Option<Result<Batch, LoaderError>> {
        let batch = self.pull(backend);
        if batch.is_none() {
            // Decoding threads end with it.
            self.end();
        }
        batch
    }

    fn pull(&mut self, backend: &mut dyn Backend) -> Option<Result<Batch, LoaderError>> {
        let epoch = self.epoch.as_mut()?;
        if !backend.looks_ahead() {
            return epoch.next();
        }
        let mut load = |backend: &mut dyn Backend| {
            let batch = epoch.next();
            if let Some(Ok(batch)) = &batch {
                backend.expect(&batch.pixels);
            }
            batch
        };
        let batch = self.ahead.take().or_else(|| load(backend));
        self.ahead = load(backend);
        batch
    }
}
