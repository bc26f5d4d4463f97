//! `planet train`: a model from photos with positions.

mod library;
mod monitor;
mod near_duplicates;
mod ranks;
mod seeds;

use std::{
    fmt::Write as _,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet_data::{DiskStore, Manifest, table::TableSource};
use planet_geo::{Partition, Scale};
use planet_net::Architecture;
use planet_train::{
    ArchitectureName, BackendError, BackendName, Epoch, Hierarchy, Objective, Precision,
    ProcessGroup, Run, RunFolder, RunParts, Samples, Smoothing, SmoothingKind, StopReason,
    TrainConfig, TrainError, TrainTask,
};

pub use self::monitor::{Counted, TrainProgress};
use crate::{
    commands::{partition::files, synthetic},
    failure::Failure,
};

/// `planet train [--config C] --dataset M:train --partition P … -o RUN`,
/// `planet train --task near-duplicates --dataset M:train --validation M:validation … -o RUN`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration file (TOML); flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What the model is for: location; or near-duplicates, for planet dataset duplicates --model,
    /// which needs neither positions nor a partition
    #[arg(long, value_name = "TASK")]
    task: Option<TrainTask>,
    /// Manifest of the training photos (FILE or FILE:SPLIT)
    #[arg(long, value_name = "M[:SPLIT]")]
    dataset: Option<String>,
    /// Folder of your own photos, instead of manifests and a partition. Days are split into training
    /// and validation, the cells are chosen from the number of photos, and the default architecture
    /// is inception-mini
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dataset", "validation", "root", "partition"])]
    photos: Option<PathBuf>,
    /// Manifest of the validation photos (FILE or FILE:SPLIT)
    #[arg(long, value_name = "M[:SPLIT]")]
    validation: Option<String>,
    /// Folder that photo ids are relative to; overrides the manifests' own
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Partition file that defines the classes
    #[arg(long, value_name = "FILE")]
    partition: Option<PathBuf>,
    /// Architecture: inception-v3, inception-bn, inception-mini, mobilenet-v3-large,
    /// efficientnet-lite0, efficientnet-lite1 or efficientnet-lite2
    #[arg(long, value_name = "A")]
    architecture: Option<Architecture>,
    /// Side of the network's input in pixels
    #[arg(long, alias = "imgsz", value_name = "PX")]
    size: Option<usize>,
    /// Maximum number of epochs
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// Number of photos per epoch, to end an epoch before all photos have been used
    #[arg(long, value_name = "N")]
    epoch_photos: Option<usize>,
    /// Stop after this many minutes
    #[arg(long, value_name = "MIN")]
    minutes: Option<f64>,
    /// Stop after this many epochs without a better validation accuracy; 0 never stops early
    #[arg(long, value_name = "N")]
    patience: Option<u64>,
    /// Photos per step (batch size)
    #[arg(long, alias = "batch-size", value_name = "N")]
    batch: Option<usize>,
    /// Loss: cross-entropy; triplet, for embeddings that are near for photos of one place; or
    /// cross-entropy+triplet. The configuration's table [triplets] says how photos are compared
    #[arg(long, value_name = "L")]
    loss: Option<Objective>,
    /// Take another photo of the same album at most this far away as a photo's positive in the
    /// triplet loss, instead of a variation of the photo itself
    #[arg(long, value_name = "KM")]
    positives_within: Option<f64>,
    /// Targets by distance instead of one cell each: haversine, as published for PIGEON;
    /// haversine-nearest, as its authors implemented it; or haversine-normalised, which sum to 1.
    /// The configuration's table [smoothing] sets tau_km, by default 75
    #[arg(long, value_name = "KIND")]
    smoothing: Option<SmoothingKind>,
    /// Add the loss over the coarser S2 cells that contain a photo's cell, with this weight
    #[arg(long, value_name = "WEIGHT")]
    hierarchy: Option<f64>,
    /// Train one classifier over each of these partitions instead of one over --partition. Each class
    /// of --partition must be inside one class of each; its score is the sum of theirs. Coarser
    /// partitions and --partition itself, or several made by planet partition merge
    #[arg(long, value_name = "P", value_delimiter = ',')]
    heads: Vec<PathBuf>,
    /// Peak learning rate
    #[arg(long, alias = "lr", value_name = "R")]
    learning_rate: Option<f64>,
    /// Random seed. With several seeds, as in 0,1,2, one model is trained per seed, and mean and
    /// standard deviation are reported
    #[arg(long, value_name = "S", value_delimiter = ',')]
    seed: Vec<u64>,
    /// Initial weights (safetensors; parameter names as in torchvision or timm)
    #[arg(long, value_name = "FILE")]
    init: Option<PathBuf>,
    /// Train only this layer and those behind it; the layers in front keep their initial weights.
    /// A name from planet model show, for example _blocks.12 or fc
    #[arg(long, value_name = "NAME")]
    freeze_until: Option<String>,
    /// Training backend: cpu; if the build includes them, burn (GPUs of any maker) or torch
    #[arg(long, value_name = "B")]
    backend: Option<BackendName>,
    /// Device: auto or cpu; with burn also vulkan, metal, wgpu, cuda or rocm (the second GPU is
    /// vulkan:1); with torch also cuda:0, cuda:1
    #[arg(long, value_name = "D")]
    device: Option<String>,
    /// Precision: f32; with torch also bf16
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,
    /// Resume the run in this folder
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "task", "dataset", "photos", "validation", "partition", "architecture", "size", "batch", "epoch_photos", "loss", "positives_within", "smoothing", "hierarchy", "heads", "learning_rate", "seed", "init", "freeze_until", "output"])]
    resume: Option<PathBuf>,
    /// Folder for the run
    #[arg(short, long, value_name = "RUN", required_unless_present = "resume")]
    output: Option<PathBuf>,
}

/// Trains one model, or one a seed.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(folder) = &arguments.resume {
        let folder = RunFolder::at(folder);
        let mut config = TrainConfig::read(&folder.config())
            .map_err(|error| failure(error).hint("a run is a folder written by planet train -o"))?;
        arguments.lengthen(&mut config);
        if config.task == TrainTask::NearDuplicates {
            return near_duplicates::run(folder, config, Start::Resume);
        }
        let partition = files::read(&folder.partition())?;
        return train(folder, config, partition, Start::Resume);
    }
    let output = arguments.output.as_ref().expect("asked for where nothing is resumed");
    if arguments.photos.is_some() && ranks::several()? {
        return Err(Failure::usage("--photos works only in a single process").hint(
            "run it once without torchrun, then train here with the --config that it writes",
        ));
    }
    if arguments.photos.is_some() && arguments.task == Some(TrainTask::NearDuplicates) {
        let hint = "write a manifest with planet dataset scan DIR -o M, and name it with --dataset";
        return Err(Failure::usage("--photos trains a model that locates").hint(hint));
    }
    let config = arguments.config(output)?;
    if config.task == TrainTask::NearDuplicates {
        if arguments.seed.len() > 1 {
            return Err(Failure::usage("--task near-duplicates takes one seed"));
        }
        return near_duplicates::run(RunFolder::at(output), config, Start::New);
    }
    let path = config.partition.as_ref().ok_or_else(|| {
        Failure::usage("no partition was specified")
            .hint("build one with planet partition build, and name it with --partition FILE")
    })?;
    let partition = files::read(path)?;
    match &arguments.seed[..] {
        [] | [_] => train(RunFolder::at(output), config, partition, Start::New),
        several => seeds::run(several, output, &config, &partition),
    }
}

impl Arguments {
    fn config(&self, output: &Path) -> Result<TrainConfig, Failure> {
        let mut config = match &self.config {
            Some(path) => TrainConfig::read(path).map_err(failure)?,
            None => TrainConfig::default(),
        };
        set(&mut config.dataset, &self.dataset);
        set(&mut config.validation, &self.validation);
        set(&mut config.root, &self.root);
        set(&mut config.partition, &self.partition);
        set(&mut config.init, &self.init);
        let named = config.dataset.as_deref().map(|it| TableSource::parse(it).path);
        let folder = self.photos.as_deref().or(named.as_deref().and_then(Path::parent));
        config.synthetic |= folder.is_some_and(synthetic::is_world);
        set(&mut config.freeze_until, &self.freeze_until);
        config.seed = self.seed.first().copied().unwrap_or(config.seed);
        if let Some(photos) = &self.photos {
            let choose = self.config.is_none() && self.architecture.is_none();
            library::prepare(photos, output, &mut config, choose)?;
        }
        if let Some(architecture) = self.architecture {
            config.architecture = ArchitectureName(architecture);
        }
        config.size = self.size.unwrap_or(config.size);
        config.batch = self.batch.unwrap_or(config.batch);
        config.epoch_photos = self.epoch_photos.unwrap_or(config.epoch_photos);
        config.task = self.task.unwrap_or(config.task);
        config.loss = self.loss.unwrap_or(config.loss);
        set(&mut config.triplets.positives_within_km, &self.positives_within);
        if let Some(kind) = self.smoothing {
            let given = config.smoothing.unwrap_or_else(|| Smoothing::of_kind(kind));
            config.smoothing = Some(Smoothing { kind, ..given });
        }
        set(&mut config.hierarchy, &self.hierarchy.map(|weight| Hierarchy { weight }));
        if !self.heads.is_empty() {
            config.heads.clone_from(&self.heads);
        }
        config.learning_rate.start = self.learning_rate.unwrap_or(config.learning_rate.start);
        self.lengthen(&mut config);
        config.check().map_err(Failure::usage)?;
        Ok(config)
    }

    /// What may also change when a run goes on.
    fn lengthen(&self, config: &mut TrainConfig) {
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.minutes = self.minutes.unwrap_or(config.minutes);
        config.patience = self.patience.unwrap_or(config.patience);
        config.backend = self.backend.unwrap_or(config.backend);
        config.precision = self.precision.unwrap_or(config.precision);
        if let Some(device) = &self.device {
            config.device.clone_from(device);
        }
        set(&mut config.root, &self.root);
    }
}

pub fn set<T: Clone>(value: &mut Option<T>, given: &Option<T>) {
    if given.is_some() {
        value.clone_from(given);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    New,
    Resume,
}

fn train(
    folder: RunFolder,
    config: TrainConfig,
    partition: Partition,
    start: Start,
) -> Result<(), Failure> {
    let group = ranks::group()?;
    let best = train_once(&group, folder, config, partition, start)?;
    if let Some(best) = best.filter(|_| group.is_first()) {
        scores(&best, &mut io::stdout().lock())?;
    }
    group.leave().map_err(ranks::failure)
}

/// Trains one model; the epoch with the best scores, where the run came to one.
fn train_once(
    group: &ProcessGroup,
    folder: RunFolder,
    config: TrainConfig,
    partition: Partition,
    start: Start,
) -> Result<Option<Epoch>, Failure> {
    let dataset = config.dataset.as_deref().ok_or_else(|| {
        Failure::usage("no training photos were specified")
            .hint("name them with --dataset MANIFEST:train, or name a folder with --photos DIR")
    })?;
    let training = samples(dataset, config.root.as_deref(), &partition)?;
    let validation = config.validation.as_deref();
    let validation =
        validation.map(|source| samples(source, config.root.as_deref(), &partition)).transpose()?;

    let progress = TrainProgress::new(group.is_first());
    progress.samples("training", &training);
    if let Some(validation) = &validation {
        progress.samples("validation", validation);
    }
    let begin = if start == Start::New { RunParts::start_in } else { RunParts::resume_in };
    let parts = RunParts { folder: folder.clone(), config, partition, training, validation };
    let mut run = begin(parts, group).map_err(failure)?;
    progress.begin(&run);
    let ending = run.train(&progress);
    progress.finish();
    let ending = ending.map_err(failure)?;
    if ending == StopReason::Interrupted {
        // All ranks end here alike, once rank 0 has written.
        group.leave().map_err(ranks::failure)?;
    }
    conclude(&run, ending, "planet train", Counted::Cells, &folder)
}

/// The epoch with the best scores, where the run came to one; `command` goes on with a run that
/// was interrupted.
pub fn conclude(
    run: &Run,
    ending: StopReason,
    command: &str,
    counted: Counted,
    folder: &RunFolder,
) -> Result<Option<Epoch>, Failure> {
    if ending == StopReason::Interrupted {
        return Err(Failure::new("interrupted; the run is saved")
            .hint(format!("resume with: {command} --resume {}", folder.path().display())));
    }
    let history = &run.position().history;
    let best = run.best_epoch();
    if run.is_first() {
        anstream::eprintln!(
            "{}training ended: {}",
            epochs(history, best, counted.name()),
            run.reason(ending)
        );
    }
    Ok(history.iter().find(|epoch| Some(epoch.epoch) == best).cloned())
}

/// The epochs, a line each; the one that is exported is marked.
fn epochs(history: &[Epoch], best: Option<u64>, counted: &str) -> String {
    let mut text = format!(
        "{:>5} {:>8} {:>10} {:>7} {:>16} {:>16}\n",
        "epoch",
        "minutes",
        "loss",
        counted,
        "validation loss",
        format!("validation {counted}")
    );
    for epoch in history {
        let percent = |share: f64| format!("{:.1}%", 100.0 * share);
        let scores = epoch.validation.as_ref();
        let _ = writeln!(
            text,
            "{:>5} {:>8.1} {:>10.3} {:>7} {:>16} {:>16}{}",
            epoch.epoch,
            epoch.minutes,
            epoch.loss,
            percent(epoch.cell_1),
            scores.map_or_else(String::new, |it| format!("{:.3}", it.loss)),
            scores.map_or_else(String::new, |it| percent(it.cell_1)),
            if Some(epoch.epoch) == best { "  best, used for export" } else { "" },
        );
    }
    text
}

/// The records of `FILE` or `FILE:SPLIT`, at least one.
pub fn manifest(source: &str, root: Option<&Path>) -> Result<Manifest, Failure> {
    let source = TableSource::parse(source);
    let manifest = Manifest::load(&source, root).map_err(Failure::new)?;
    if manifest.records.is_empty() {
        let hint =
            "planet dataset split writes the column split; planet dataset stats shows its values";
        return Err(Failure::new(format!("{source} has no photos")).hint(hint));
    }
    Ok(manifest)
}

fn samples(source: &str, root: Option<&Path>, partition: &Partition) -> Result<Samples, Failure> {
    let manifest = manifest(source, root)?;
    let store = Arc::new(DiskStore::new(manifest.root));
    Ok(Samples::new(store, manifest.records, partition))
}

/// The scores of the best epoch, for people.
pub fn scores(epoch: &Epoch, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "epoch        {:>7}", epoch.epoch)?;
    writeln!(out, "loss         {:>7.3}", epoch.loss)?;
    let Some(scores) = &epoch.validation else { return Ok(()) };
    writeln!(
        out,
        "validation   {:>7.3}  ({} photos, {} failed)",
        scores.loss, scores.photos, scores.failed
    )?;
    writeln!(out, "{:<12} {:>7} {:>7}", "", "top 1", "top 5")?;
    writeln!(
        out,
        "{:<12} {:>6.2}% {:>6.2}%",
        "cell",
        100.0 * scores.cell_1,
        100.0 * scores.cell_5
    )?;
    for (at, scale) in Scale::ALL.into_iter().enumerate() {
        let (first, five) = (100.0 * scores.within_1[at], 100.0 * scores.within_5[at]);
        writeln!(out, "{:<12} {first:>6.2}% {five:>6.2}%", scale.name())?;
    }
    Ok(())
}

pub fn failure(error: TrainError) -> Failure {
    let hint = match &error {
        TrainError::Group(error) | TrainError::Backend(BackendError::Group(error)) => {
            return ranks::failure(error.clone());
        }
        TrainError::Taken { path } => {
            format!("resume it with --resume {}, or name another folder with -o", path.display())
        }
        TrainError::OtherSettings { .. } => {
            "--resume reads the settings from the run's folder; only epochs, minutes, patience, \
             root, backend, device and precision may change"
                .to_owned()
        }
        TrainError::Diverged { .. } => {
            "try a lower --learning-rate, or set clip_norm under [optimizer]; the last checkpoint is intact"
                .to_owned()
        }
        TrainError::Head { .. } => {
            "build it from the same photos with a greater --split-above and the same --keep-from, or merge \
             the partition's own cells with planet partition merge"
                .to_owned()
        }
        TrainError::FewPhotos { photos, .. } => format!("use --batch {}", (photos / 2).max(2)),
        TrainError::NoPhotos { .. } => {
            "build the partition from these photos with planet partition build".to_owned()
        }
        _ => return Failure::new(error),
    };
    Failure::new(error).hint(hint)
}
