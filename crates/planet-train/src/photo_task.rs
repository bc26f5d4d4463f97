use std::{num::NonZero, sync::Arc, time::Instant};

use planet_data::{Batch, Loader, LoaderOptions, PhotoSketch, PhotoStore, Preprocess};
use planet_geo::{LatLng, Partition};
use planet_net::Network;

use crate::{
    Backend, BackendError, InvalidSetting, Matched, ProcessGroup, Samples, State, StepOptions,
    StepReport, TrainConfig, TrainError, TrainMonitor, Validation,
    class_loss::{ClassLoss, Label},
    epochs::Epochs,
    heads::Heads,
    init, neighbour_validation,
    pairs::{PAIR, PairLoss, pairs},
    settings,
    task::{Learnt, Task},
    triplet::Item,
    validation,
};

/// Training on photos one by one.
pub(crate) struct PhotoTask {
    config: TrainConfig,
    group: ProcessGroup,
    partition: Partition,
    heads: Option<Arc<Heads>>,
    preprocess: Preprocess,
    network: Network,
    backend: Box<dyn Backend>,
    /// Photos that are learned from.
    learned_photos: usize,
    /// Their ids as the loader takes them: where photos are compared, two for each.
    photos: Vec<String>,
    /// The class of each of `photos`.
    targets: Vec<u32>,
    loss: PhotoLoss,
    validation: Option<Samples>,
    epochs: Epochs,
    /// Rows of the last batch.
    last: Vec<usize>,
}

/// What is learned from a batch, and what each of the photos must have for it.
enum PhotoLoss {
    /// The cross entropy with one class each, which the backend computes.
    CrossEntropy,
    /// The loss of the classes with options, by where each photo was taken.
    Classes { loss: ClassLoss, positions: Vec<LatLng> },
    /// The triplet loss of pairs, with or without the loss of the classes.
    Pairs { loss: Box<PairLoss>, items: Vec<Item> },
}

impl PhotoLoss {
    /// `rows` are those of `training` that are learned from, in the loader's order.
    fn new(
        config: &TrainConfig,
        partition: &Partition,
        heads: Option<Arc<Heads>>,
        training: &Samples,
        rows: &[usize],
    ) -> Result<Self, TrainError> {
        let loss = ClassLoss::new(config, partition, heads)?;
        let positions = rows.iter().map(|row| training.positions[*row]);
        if config.loss.has_triplets() {
            let items = positions.enumerate();
            let items = items.map(|(at, position)| Item { unit: at / PAIR, position }).collect();
            let classes = if config.loss.has_classes() { partition.len() } else { 0 };
            let loss = PairLoss::new(config.triplets, classes, loss, config.seed);
            return Ok(Self::Pairs { loss: Box::new(loss), items });
        }
        Ok(match loss.is_plain() {
            true => Self::CrossEntropy,
            false => Self::Classes { loss, positions: positions.collect() },
        })
    }

    /// Learns from a batch of photos of these classes.
    fn step(
        &mut self,
        backend: &mut dyn Backend,
        batch: &Batch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        match self {
            Self::CrossEntropy => backend.step(&batch.pixels, targets, options),
            Self::Classes { loss, positions } => {
                let labels = batch.rows.iter().zip(targets);
                let label = |(row, class): (&usize, &u32)| Label {
                    class: *class,
                    position: positions[*row],
                };
                let labels: Vec<Label> = labels.map(label).collect();
                loss.step(backend, &batch.pixels, &labels, options)
            }
            Self::Pairs { loss, items } => {
                let items: Vec<Item> = batch.rows.iter().map(|row| items[*row]).collect();
                loss.step(backend, batch, &items, targets, options)
            }
        }
    }
}

impl PhotoTask {
    pub(crate) fn new(
        group: &ProcessGroup,
        config: TrainConfig,
        partition: Partition,
        heads: Option<Heads>,
        training: Samples,
        validation: Option<Samples>,
    ) -> Result<(Self, Option<Matched>), TrainError> {
        if config.loss.has_triplets() && group.size() > 1 {
            return Err(InvalidSetting("the triplet loss trains in a single process").into());
        }
        let inside = training.inside()?;
        if let Some(validation) = &validation {
            training.check_apart(validation)?;
        }
        let learned_photos = inside.len();
        let rows = match config.loss.has_triplets() {
            true => pairs(&training, &inside, &config.triplets, config.seed),
            false => inside,
        };
        let photos: Vec<String> = rows.iter().map(|row| training.photos[*row].clone()).collect();
        let class = |row: &usize| training.classes[*row].expect("it is inside a cell").0;
        let targets = rows.iter().map(class).collect();
        let heads = heads.map(Arc::new);
        let loss = PhotoLoss::new(&config, &partition, heads.clone(), &training, &rows)?;
        let store: Arc<dyn PhotoStore> = training.store;
        group.same(
            "settings, partition or photos",
            &alike(&config, &partition, heads.as_deref(), &photos),
        )?;
        if photos.len() < config.batch * group.size() {
            let (photos, batch) = (photos.len(), config.batch * group.size());
            return Err(TrainError::FewPhotos { photos, batch });
        }
        let validation = validation.map(|samples| match config.validation_photos {
            0 => samples,
            most => samples.sample(most, config.seed),
        });
        let scores = heads.as_ref().map_or(partition.len(), |heads| heads.outputs());
        let network = config.network(config.outputs(scores))?;
        let (weights, matched) =
            init::initial_weights(&network, config.seed, config.init.as_deref())?;
        let backend = config.open_backend(&network, &weights, group)?;
        let preprocess = config.preprocess();
        let options = LoaderOptions {
            augment: config.augment,
            together: if config.loss.has_triplets() { PAIR } else { 1 },
            rank: group.rank(),
            world_size: group.size(),
            threads: loader_threads(&config, group),
            ..LoaderOptions::training(config.batch, config.seed)
        };
        let loader = Loader::new(store, photos.clone(), preprocess.clone(), options)?;
        let epochs = Epochs::new(loader, &config, group.size());
        let task = Self {
            loss,
            learned_photos,
            config,
            group: group.clone(),
            partition,
            heads,
            preprocess,
            network,
            backend,
            photos,
            targets,
            validation: validation.filter(|samples| !samples.is_empty()),
            epochs,
            last: Vec::new(),
        };
        Ok((task, matched))
    }
}

impl PhotoTask {
    /// A sample of the photos that say which checkpoint is best.
    pub(crate) fn validation_sketch(&self) -> PhotoSketch {
        self.validation.as_ref().map(Samples::sketch).unwrap_or_default()
    }
}

impl Task for PhotoTask {
    fn network(&self) -> &Network {
        &self.network
    }

    fn backend(&self) -> String {
        self.backend.name()
    }

    fn photos(&self) -> usize {
        self.learned_photos
    }

    fn batches(&self) -> usize {
        self.epochs.batches()
    }

    fn photos_an_epoch(&self) -> u64 {
        (self.batches() * self.config.batch * self.group.size()) as u64
    }

    fn begin(&mut self, epoch: u64, batch: usize) -> Result<(), TrainError> {
        self.epochs.begin(epoch, batch);
        Ok(())
    }

    fn next(&mut self, options: &StepOptions) -> Result<Option<Learnt>, TrainError> {
        let before = Instant::now();
        let Some(batch) = self.epochs.next(self.backend.as_mut()) else { return Ok(None) };
        let waiting = before.elapsed();
        let batch: Batch = batch?;
        let targets: Vec<u32> = batch.rows.iter().map(|row| self.targets[*row]).collect();
        let report = self.loss.step(self.backend.as_mut(), &batch, &targets, options)?;
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
        // An epoch that was cut short decodes no further.
        self.epochs.end();
        let Some(samples) = &self.validation else { return Ok(None) };
        self.backend.agree()?;
        let options = LoaderOptions {
            rank: self.group.rank(),
            world_size: self.group.size(),
            threads: loader_threads(&self.config, &self.group),
            ..LoaderOptions::evaluation(self.config.batch)
        };
        if !self.config.loss.has_classes() {
            return neighbour_validation::validate(
                self.backend.as_mut(),
                samples,
                &self.preprocess,
                options,
                &self.config.triplets,
                monitor,
            );
        }
        validation::validate(
            self.backend.as_mut(),
            samples,
            &self.partition,
            self.heads.as_deref(),
            &self.preprocess,
            options,
            self.config.seed,
            &self.group,
            monitor,
        )
    }

    fn state(&self) -> State {
        self.backend.state()
    }

    fn load(&mut self, state: &State) -> Result<(), BackendError> {
        self.backend.load(state)
    }
}

/// Threads that decode: the cores of a machine are shared by its ranks.
pub(crate) fn loader_threads(config: &TrainConfig, group: &ProcessGroup) -> Option<usize> {
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    match config.loader_threads {
        0 if group.size() > 1 => Some((cores() / group.local_size()).max(1)),
        0 => None,
        threads => Some(threads),
    }
}

/// What must be the same on every rank, as text. Where files lie and how much a machine can do
/// may differ.
fn alike(
    config: &TrainConfig,
    partition: &Partition,
    heads: Option<&Heads>,
    photos: &[String],
) -> String {
    let settings = settings::of_ranks(&config.to_toml());
    let heads = heads.map_or(&[][..], Heads::partitions).iter().map(Partition::fingerprint);
    let heads: Vec<_> = heads.collect();
    let ends = [photos.first(), photos.last()];
    format!("{settings}{} {heads:?} {} {ends:?}", partition.fingerprint(), photos.len())
}
