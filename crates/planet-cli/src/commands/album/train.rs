//! `planet album train`: an LSTM over albums, on top of a frozen model.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet::{
    ModelPackage,
    album::{HmmModel, People, Scheme, TransitionModel},
};
use planet_library::{Library, ModelOutput};
use planet_train::{AlbumConfig, AlbumSamples, RunFolder, RunParts};

use super::{embeddings, photos};
use crate::{
    commands::train::{self, Counted, TrainProgress, set},
    engine_choice::EngineChoice,
    failure::Failure,
};

/// Photos after which no more are looked at to find the weight of a network's word.
const WEIGHED: usize = 3000;

/// What the hidden Markov model learned, in a run's folder and in a package.
pub const HMM_FILE: &str = "album-hmm.json";

/// `planet album train --model MODEL --dataset M:train --scheme S … -o RUN`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration file (TOML); flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Model package; its network is not changed
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Manifest of the training albums (FILE or FILE:SPLIT)
    #[arg(long, value_name = "M[:SPLIT]")]
    dataset: Option<String>,
    /// Manifest of the validation albums (FILE or FILE:SPLIT)
    #[arg(long, value_name = "M[:SPLIT]")]
    validation: Option<String>,
    /// Folder that photo ids are relative to; overrides the manifests' own
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// lstm, lstm-offset-1, lstm-offset-2, lstm-repeat, lstm-repeat-25, blstm-25, blstm, or hmm
    /// (learns the transition model, in a few seconds)
    #[arg(long, value_name = "S")]
    scheme: Option<Scheme>,
    /// Folder for the embeddings; by default `embeddings` next to the run
    #[arg(long, value_name = "DIR")]
    embeddings: Option<PathBuf>,
    /// Size of the LSTM's hidden state
    #[arg(long, value_name = "N")]
    hidden: Option<usize>,
    /// Photos per truncated backpropagation step
    #[arg(long, value_name = "N")]
    chunk: Option<usize>,
    /// Maximum number of epochs
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
    /// Stop after this many minutes
    #[arg(long, value_name = "MIN")]
    minutes: Option<f64>,
    /// Stop after this many epochs without a better validation accuracy; 0 never stops early
    #[arg(long, value_name = "N")]
    patience: Option<u64>,
    /// Albums per batch
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Peak learning rate
    #[arg(long, value_name = "R")]
    learning_rate: Option<f64>,
    /// Seed of the initial weights and of the order of albums
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Resume the run in this folder
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "dataset", "validation", "scheme", "hidden", "chunk", "batch", "learning_rate", "seed", "output"])]
    resume: Option<PathBuf>,
    /// Folder for the run
    #[arg(short, long, value_name = "RUN", required_unless_present = "resume")]
    output: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.scheme == Some(Scheme::Hmm) {
        return learn_hmm(arguments);
    }
    let folder = RunFolder::at(arguments.folder());
    let mut config = arguments.config(&folder)?;
    let model = config.model.as_ref().ok_or_else(|| {
        Failure::usage("no model was specified")
            .hint("name a model package with --model; planet export writes one")
    })?;
    let package = ModelPackage::open(model).map_err(Failure::new)?;
    config.check_model(&package).map_err(train::failure)?;
    config.network = Some(package.description().network_hash());
    let dataset = config.dataset.as_deref().ok_or_else(|| {
        Failure::usage("no training albums were specified")
            .hint("name them with --dataset MANIFEST:train")
    })?;
    let beside = || folder.path().parent().unwrap_or(Path::new("")).join("embeddings");
    let cache = config.embeddings.clone().unwrap_or_else(beside);

    let progress = TrainProgress::new(true);
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

    let (partition, folder) = (package.partition().clone(), folder.clone());
    let parts = RunParts { folder: folder.clone(), config, partition, training, validation };
    let run = if arguments.resume.is_some() { parts.resume() } else { parts.start() };
    let mut run = run.map_err(train::failure)?;
    progress.begin(&run);
    let ending = run.train(&progress);
    progress.finish();
    let ending = ending.map_err(train::failure)?;
    match train::conclude(&run, ending, "planet album train", Counted::Cells, &folder)? {
        Some(best) => Ok(train::scores(&best, &mut io::stdout().lock())?),
        None => Ok(()),
    }
}

/// How people move, and how much a network's word is worth along an album: a run of one file.
fn learn_hmm(arguments: &Arguments) -> Result<(), Failure> {
    let (Some(model), Some(dataset)) = (&arguments.model, &arguments.dataset) else {
        return Err(Failure::usage("--scheme hmm needs --model and --dataset"));
    };
    let package = ModelPackage::open(model).map_err(Failure::new)?;
    let mut manifest = train::manifest(dataset, arguments.root.as_deref())?;
    let transitions = TransitionModel::of_albums(&manifest.records, package.partition());
    if transitions.pairs() == 0 {
        let what = format!("{dataset} has no two consecutive photos with a known position");
        return Err(Failure::new(what));
    }
    let folder = arguments.folder();
    let file = folder.join(HMM_FILE);
    RunFolder::at(folder).check_free(&[HMM_FILE]).map_err(train::failure)?;
    if file.exists() {
        return Err(Failure::new(format!("{} already contains a run", folder.display()))
            .hint("name another folder with -o"));
    }
    // Whole sequences, of the first authors.
    let library = Library::new(&manifest.records, None).with_people(People::ByAuthor);
    let mut rows: Vec<usize> = Vec::new();
    for sequence in library.timeline().sequences() {
        if rows.len() < WEIGHED {
            rows.extend(&sequence.rows);
        }
    }
    manifest.records = rows.iter().map(|row| manifest.records[*row].clone()).collect();
    let output = photos::probabilities(&package, &arguments.engine, &manifest, |_| true, None)?;
    let probabilities = |row: usize| output.get(row);
    let output =
        ModelOutput { partition: package.partition(), probabilities: &probabilities, prior: None };
    let model = HmmModel { transitions: transitions.clone(), weight: 1.0 };
    let library = Library::new(&manifest.records, Some(output))
        .with_people(People::ByAuthor)
        .with_model(model);
    let known = library.known_positions();
    let progress = crate::progress::Progress::new("photos");
    let weight =
        library.weight(vec![vec![None; known.len()]], &known, &progress).map_err(Failure::new)?;
    progress.finish();
    let model = HmmModel { transitions, weight };
    RunFolder::at(folder).claim(&[HMM_FILE]).map_err(train::failure)?;
    model.write(&file).map_err(Failure::file(&file))?;
    let pairs = model.transitions.pairs();
    writeln!(
        io::stdout(),
        "learned from {pairs} pairs of photos; the weight of the model's output is {weight}"
    )?;
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
