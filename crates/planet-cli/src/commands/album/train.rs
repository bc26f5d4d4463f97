//! `planet album train`: an LSTM over albums, on top of a frozen model.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet::{
    ModelPackage,
    album::{Motion, Scheme},
};
use planet_train::{AlbumConfig, AlbumSamples, Run, RunFolder};

use super::embeddings;
use crate::{
    commands::train::{self, TrainProgress, set},
    engine_choice::EngineChoice,
    failure::Failure,
};

/// How people move, in a run's folder and in a package.
pub const MOTION_FILE: &str = "album-hmm.json";

/// `planet album train --model MODEL --dataset M:train --scheme S … -o RUN`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration (TOML); flags change it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Model package; its network stays as it is
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Manifest of the albums to learn from
    #[arg(long, value_name = "M[:SPLIT]")]
    dataset: Option<String>,
    /// Manifest of the albums that say when to stop
    #[arg(long, value_name = "M[:SPLIT]")]
    validation: Option<String>,
    /// Folder that photo ids are relative to, where the manifests say nothing or something else
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// lstm, lstm-offset-1, lstm-offset-2, lstm-repeat, lstm-repeat-25, blstm-25 or blstm; of hmm it
    /// is learned how people move, which takes a moment
    #[arg(long, value_name = "S")]
    scheme: Option<Scheme>,
    /// Folder where embeddings are kept; by default `embeddings` beside the run
    #[arg(long, value_name = "DIR")]
    embeddings: Option<PathBuf>,
    /// Size of the LSTM's state
    #[arg(long, value_name = "N")]
    hidden: Option<usize>,
    /// Photos through which gradients flow back
    #[arg(long, value_name = "N")]
    chunk: Option<usize>,
    /// Greatest number of epochs
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// End after so many minutes
    #[arg(long, value_name = "MIN")]
    minutes: Option<f64>,
    /// Epochs without a better validation accuracy before it ends; 0 never ends
    #[arg(long, value_name = "N")]
    patience: Option<u64>,
    /// Albums in a batch
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Greatest learning rate
    #[arg(long, value_name = "R")]
    learning_rate: Option<f64>,
    /// Seed of initial weights and order
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Go on with the run in this folder
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "dataset", "validation", "scheme", "hidden", "chunk", "batch", "learning_rate", "seed", "output"])]
    resume: Option<PathBuf>,
    /// Folder of the run
    #[arg(short, long, value_name = "RUN", required_unless_present = "resume")]
    output: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.scheme == Some(Scheme::Hmm) {
        return learn_motion(arguments);
    }
    let folder = RunFolder::at(arguments.folder());
    let mut config = arguments.config(&folder)?;
    let model = config.model.as_ref().ok_or_else(|| {
        Failure::usage("no model is given").hint("--model MODEL: planet export makes packages")
    })?;
    let package = ModelPackage::open(model).map_err(Failure::new)?;
    config.check_model(&package).map_err(train::failure)?;
    config.network = Some(package.description().network_hash());
    let dataset = config.dataset.as_deref().ok_or_else(|| {
        Failure::usage("no albums to learn from are given").hint("--dataset MANIFEST:train")
    })?;
    let beside = || folder.path().parent().unwrap_or(Path::new("")).join("embeddings");
    let cache = config.embeddings.clone().unwrap_or_else(beside);

    let progress = TrainProgress::new();
    let samples = |name: &str, source: &str| -> Result<AlbumSamples, Failure> {
        let manifest = train::manifest(source, config.root.as_deref())?;
        let embeddings = embeddings::of(&manifest, &package, &cache, &arguments.engine)?;
        let samples =
            AlbumSamples::new(Arc::new(embeddings), &manifest.records, package.partition());
        progress.albums(name, &samples);
        Ok(samples)
    };
    let training = samples("training", dataset)?;
    let validation = config.validation.as_deref();
    let validation = validation.map(|source| samples("validation", source)).transpose()?;

    let begin = if arguments.resume.is_some() { Run::resume_albums } else { Run::start_albums };
    let partition = package.partition().clone();
    let mut run =
        begin(folder.clone(), config, partition, training, validation).map_err(train::failure)?;
    progress.begin(&run);
    let ending = run.train(&progress);
    progress.finish();
    let ending = ending.map_err(train::failure)?;
    match train::conclude(&run, ending, "planet album train", &folder)? {
        Some(best) => Ok(train::scores(&best, &mut io::stdout().lock())?),
        None => Ok(()),
    }
}

/// How people move, for the hidden Markov model: a run of one file.
fn learn_motion(arguments: &Arguments) -> Result<(), Failure> {
    let (Some(model), Some(dataset)) = (&arguments.model, &arguments.dataset) else {
        return Err(Failure::usage("--scheme hmm needs --model and --dataset"));
    };
    let package = ModelPackage::open(model).map_err(Failure::new)?;
    let manifest = train::manifest(dataset, arguments.root.as_deref())?;
    let motion = Motion::of_albums(&manifest.records, package.partition());
    if motion.pairs() == 0 {
        let what = format!("{dataset} has no two photos in a row with a known position");
        return Err(Failure::new(what));
    }
    let folder = arguments.folder();
    let file = folder.join(MOTION_FILE);
    if folder.join("config.toml").exists() || file.exists() {
        return Err(Failure::new(format!("{} holds a run already", folder.display()))
            .hint("choose another -o"));
    }
    std::fs::create_dir_all(folder)
        .and_then(|()| motion.write(&file))
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
    writeln!(io::stdout(), "learned from {} pairs of photos", motion.pairs())?;
    Ok(())
}

impl Arguments {
    fn folder(&self) -> &Path {
        let folder = self.resume.as_ref().or(self.output.as_ref());
        folder.expect("the parser asks for one of the two")
    }

    fn config(&self, folder: &RunFolder) -> Result<AlbumConfig, Failure> {
        let path = if self.resume.is_some() { Some(folder.config()) } else { self.config.clone() };
        let mut config = match path {
            Some(path) => AlbumConfig::read(&path).map_err(train::failure)?,
            None => AlbumConfig::default(),
        };
        set(&mut config.model, &self.model);
        set(&mut config.dataset, &self.dataset);
        set(&mut config.validation, &self.validation);
        set(&mut config.root, &self.root);
        set(&mut config.embeddings, &self.embeddings);
        config.scheme = self.scheme.unwrap_or(config.scheme);
        config.hidden = self.hidden.unwrap_or(config.hidden);
        config.chunk = self.chunk.unwrap_or(config.chunk);
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.minutes = self.minutes.unwrap_or(config.minutes);
        config.patience = self.patience.unwrap_or(config.patience);
        config.batch = self.batch.unwrap_or(config.batch);
        config.learning_rate.start = self.learning_rate.unwrap_or(config.learning_rate.start);
        config.seed = self.seed.unwrap_or(config.seed);
        config.check().map_err(Failure::usage)?;
        Ok(config)
    }
}
