//! `planet album train`: an LSTM over albums, on top of a frozen model.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use planet::{
    ModelPackage,
    album::{HmmModel, Library, ModelOutput, People, Scheme, TransitionModel},
};
use planet_train::{AlbumConfig, AlbumSamples, Run, RunFolder};

use super::{embeddings, photos};
use crate::{
    commands::train::{self, TrainProgress, set},
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
        return learn_hmm(arguments);
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

/// How people move, and how much a network's word is worth along an album: a run of one file.
fn learn_hmm(arguments: &Arguments) -> Result<(), Failure> {
    let (Some(model), Some(dataset)) = (&arguments.model, &arguments.dataset) else {
        return Err(Failure::usage("--scheme hmm needs --model and --dataset"));
    };
    let package = ModelPackage::open(model).map_err(Failure::new)?;
    let mut manifest = train::manifest(dataset, arguments.root.as_deref())?;
    let transitions = TransitionModel::of_albums(&manifest.records, package.partition());
    if transitions.pairs() == 0 {
        let what = format!("{dataset} has no two photos in a row with a known position");
        return Err(Failure::new(what));
    }
    let folder = arguments.folder();
    let file = folder.join(HMM_FILE);
    RunFolder::at(folder).check_free(&[HMM_FILE]).map_err(train::failure)?;
    if file.exists() {
        return Err(Failure::new(format!("{} holds a run already", folder.display()))
            .hint("choose another -o"));
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
        library.weight(&[vec![None; known.len()]], &known, &progress).map_err(Failure::new)?;
    progress.finish();
    let model = HmmModel { transitions, weight };
    RunFolder::at(folder).claim(&[HMM_FILE]).map_err(train::failure)?;
    model.write(&file).map_err(Failure::file(&file))?;
    let pairs = model.transitions.pairs();
    writeln!(io::stdout(), "learned from {pairs} pairs of photos; the model's weight is {weight}")?;
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
