//! `planet demo`: the whole method on a fresh machine, in minutes, and a page that explains it.
//!
//! Generates synthetic photos, builds a partition, trains a small network, compares it with the best
//! possible accuracy, locates photos, and writes `index.html`. Files of an earlier run are used
//! again.

mod page;

use std::{
    collections::HashSet,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use planet::{
    CellProbabilities, LocatorOptions, ModelPackage, Prediction,
    evaluation::{Evaluation, EvaluationOptions, Score, ScorerOptions},
    package::CALIBRATION_ERROR_BEFORE,
    report::{References, Report},
};
use planet_data::{DiskStore, Manifest, OwnedFolder, table::TableSource};
use planet_engine::{EngineKind, EngineOptions};
use planet_geo::{Adaptive, Keep, Partition, PhotoLeaves, Scale};
use planet_net::Architecture;
use planet_train::{
    ArchitectureName, Epoch, Hierarchy, LearningRate, Optimizer, RunFolder, RunParts, Samples,
    Schedule, StopReason, TrainConfig,
};
use planet_world::{
    Ceiling, Corruption, Devices, GivenPhotos, Library, LibrarySize, PictureSize, World,
    WorldParameters,
};

use super::{partition::files, train::TrainProgress};
use crate::{failure::Failure, progress::Progress};

/// Photos for training, for validation (choice of checkpoint, calibration), and for testing.
const TRAINING: u64 = 16_000;
const VALIDATION: u64 = 8_000;
const TEST: u64 = 2_000;
/// Longer side of the synthetic photos and side of the network's input, in pixels.
const SIDE: u32 = 64;
/// Cells with more photos are split, with fewer dropped: a good hundred remain.
const SPLIT_ABOVE: u64 = 300;
const KEEP_FROM: u64 = 20;

/// The page.
const PAGE_FILE: &str = "index.html";
/// What the demo writes in its folder.
const OURS: [&str; 7] =
    ["photos-train", "photos-validation", "photos-test", "cells.csv", "run", "model", PAGE_FILE];

/// `planet demo [-o demo/]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Folder for all files of the demo; existing files of an earlier run are used again
    #[arg(short, long, value_name = "DIR", default_value = "demo")]
    output: PathBuf,
    /// Number of training epochs, 7 unless given; a run that is there keeps its own number
    #[arg(long, value_name = "N")]
    epochs: Option<u64>,
}

/// What the page shows.
struct Shown {
    world: World,
    history: Vec<Epoch>,
    package: ModelPackage,
    score: Score,
    ceiling: Ceiling,
    /// Share within the scales by always guessing the most frequent training cell.
    frequent: [f64; 5],
    examples: Vec<Example>,
    timings: Vec<(&'static str, Duration)>,
}

impl Shown {
    /// The calibration error without the temperature, as the export measured it.
    fn error_before(&self) -> Option<f64> {
        let scores = &self.package.description().provenance.scores;
        scores.get(CALIBRATION_ERROR_BEFORE).copied()
    }
}

/// A located photo.
struct Example {
    prediction: Prediction,
    probabilities: CellProbabilities,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut steps = Steps { folder: &arguments.output, timings: Vec::new() };
    let folder = steps.folder;
    let owned = OwnedFolder::claim(folder, "demo", &OURS).map_err(Failure::new)?;
    let world = World::draw(WorldParameters::new(0)).map_err(Failure::new)?;
    let [train, validation, test] =
        ["train", "validation", "test"].map(|set| folder.join(format!("photos-{set}")));

    steps.step("generating training photos", || draw(&world, TRAINING, 1, &train))?;
    steps.step("generating validation photos", || draw(&world, VALIDATION, 3, &validation))?;
    steps.step("generating test photos", || draw(&world, TEST, 2, &test))?;
    let partition =
        steps.step("building the partition", || divide(&train, &folder.join("cells.csv")))?;
    let history = steps.step("training", || learn(arguments, &partition, &train, &validation))?;
    let package = steps.step("exporting the model package", || package(folder))?;
    let mut shown =
        steps.step("locating the test photos", || evaluate(world, history, package, &test))?;
    shown.timings = steps.timings;
    let html = page::write(&shown, &test)?;
    owned.write(PAGE_FILE, html.as_bytes()).map_err(Failure::new)?;
    report(&shown, &folder.join(PAGE_FILE))?;
    Ok(())
}

/// Reports each step and how long it took.
struct Steps<'a> {
    folder: &'a Path,
    timings: Vec<(&'static str, Duration)>,
}

impl Steps<'_> {
    fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        anstream::eprintln!("{name} …");
        let start = Instant::now();
        let value = work()?;
        self.timings.push((name, start.elapsed()));
        Ok(value)
    }
}

fn draw(world: &World, photos: u64, seed: u64, folder: &Path) -> Result<(), Failure> {
    if folder.join("manifest.parquet").exists() {
        return Ok(());
    }
    let library = Library {
        amount: LibrarySize::Photos(photos),
        seed,
        size: PictureSize::new(SIDE).map_err(Failure::new)?,
        corruption: Corruption::default(),
        shards: false,
        layers: false,
        devices: Devices::default(),
    };
    let progress = Progress::new("photos");
    let drawn = library.draw(world, folder, &progress);
    progress.finish();
    drawn.map(|_| ()).map_err(Failure::new)
}

fn manifest(folder: &Path) -> Result<Manifest, Failure> {
    let source = TableSource { path: folder.join("manifest.parquet"), split: None };
    Manifest::load(&source, None).map_err(Failure::new)
}

fn divide(train: &Path, path: &Path) -> Result<Partition, Failure> {
    if !path.exists() {
        let records = manifest(train)?.records;
        let photos: PhotoLeaves = records.iter().filter_map(|record| record.position).collect();
        let rules = Adaptive {
            split_above: SPLIT_ABOVE,
            keep: Keep::From(KEEP_FROM),
            source: "the demo's synthetic photos".to_owned(),
            ..Adaptive::default()
        };
        let partition = rules.build(&photos).map_err(Failure::new)?;
        files::Format::Csv.write(&partition, path, planet::map::Region::WORLD)?;
    }
    files::read(path)
}

fn samples(folder: &Path, partition: &Partition) -> Result<Samples, Failure> {
    let manifest = manifest(folder)?;
    let store = Arc::new(DiskStore::new(manifest.root));
    Ok(Samples::new(store, manifest.records, partition))
}

/// How the network is trained.
fn settings() -> TrainConfig {
    TrainConfig {
        architecture: ArchitectureName(Architecture::InceptionMini),
        size: SIDE as usize,
        synthetic: true,
        batch: 32,
        epochs: 7,
        patience: 0,
        learning_rate: LearningRate { start: 0.1, schedule: Schedule::Cosine, warm_up: 0.0 },
        optimizer: Optimizer { average: Some(0.999), ..Optimizer::default() },
        dropout: false,
        hierarchy: Some(Hierarchy { weight: 1.0 }),
        ..TrainConfig::default()
    }
}

fn learn(
    arguments: &Arguments,
    partition: &Partition,
    train: &Path,
    validation: &Path,
) -> Result<Vec<Epoch>, Failure> {
    let folder = RunFolder::at(arguments.output.join("run"));
    let begun = folder.config().exists();
    // What an earlier version began goes on with the settings that it began with.
    let mut config =
        if begun { TrainConfig::read(&folder.config()).map_err(Failure::new)? } else { settings() };
    config.epochs = arguments.epochs.unwrap_or(config.epochs);
    let (training, validation) = (samples(train, partition)?, samples(validation, partition)?);
    let (partition, validation) = (partition.clone(), Some(validation));
    let parts = RunParts { folder, config, partition, training, validation };
    let run = if begun { parts.resume() } else { parts.start() };
    let mut run = run.map_err(Failure::new)?;
    let progress = TrainProgress::new(true);
    let ending = run.train(&progress);
    progress.finish();
    match ending.map_err(Failure::new)? {
        StopReason::Interrupted => {
            Err(Failure::new("interrupted").hint("run the same command again to continue"))
        }
        _ => Ok(run.position().history.clone()),
    }
}

fn package(folder: &Path) -> Result<ModelPackage, Failure> {
    let place = folder.join("model");
    planet_train::export(&RunFolder::at(folder.join("run")), "demo", &place).map_err(Failure::new)
}

/// Scores the model on the test photos, beside the best possible accuracy.
fn evaluate(
    world: World,
    history: Vec<Epoch>,
    package: ModelPackage,
    test: &Path,
) -> Result<Shown, Failure> {
    let manifest = manifest(test)?;
    let partition = package.shared_partition();
    let given = GivenPhotos::of(&manifest).map_err(Failure::new)?;
    let progress = Progress::new("photos");
    let ceiling = Ceiling::of(&world, &partition, &given, &progress).map_err(Failure::new)?;
    progress.finish();

    let engine = EngineOptions { kind: EngineKind::Rten, ..EngineOptions::default() };
    let model = engine.open_model(package.folder(), LocatorOptions::default());
    let mut model = model.map_err(Failure::new)?;
    let scorer = ScorerOptions { partition: Some(&partition), ..ScorerOptions::default() };
    let options = EvaluationOptions { scorer, photos: false, ..EvaluationOptions::default() };
    let progress = Progress::new("photos");
    let mut evaluation = Evaluation::new(&manifest, options, &progress).map_err(Failure::new)?;
    let (locator, mut examples) = (model.locator(), Vec::new());
    evaluation.run(&mut model, &progress, |prediction, logits| {
        let probabilities = locator.probabilities(logits).map_err(Failure::new)?;
        examples.push(Example { prediction: prediction.clone(), probabilities });
        Ok::<(), Failure>(())
    })?;
    progress.finish();
    let Report { score, references, .. } = evaluation.finish("Demo", "The demo's test photos.");
    Ok(Shown {
        world,
        history,
        package,
        score,
        ceiling,
        frequent: references.within(References::MOST_FREQUENT).unwrap_or_default(),
        examples: choose(examples),
        timings: Vec::new(),
    })
}

/// Some photos for which a fine level is reported and some for which it is not, with different
/// answers: the first of each kind.
fn choose(examples: Vec<Example>) -> Vec<Example> {
    let sure = |example: &Example| {
        example.prediction.certain.as_ref().is_some_and(|certain| certain.level <= Scale::City)
    };
    let mut places = HashSet::new();
    let new =
        |example: &Example| example.prediction.best().is_some_and(|best| places.insert(best.class));
    let different: Vec<Example> = examples.into_iter().filter(new).collect();
    let (certain, other): (Vec<_>, Vec<_>) = different.into_iter().partition(sure);
    let vague = |example: &Example| example.prediction.certain.is_none();
    let (unknown, middling): (Vec<_>, Vec<_>) = other.into_iter().partition(vague);
    let mut chosen: Vec<Example> = certain.into_iter().take(4).collect();
    chosen.extend(middling.into_iter().take(4));
    chosen.extend(unknown.into_iter().take(2));
    chosen
}

/// The table on standard output.
fn report(shown: &Shown, page: &Path) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "photos located within     street    city  region country continent")?;
    let mut row = |name: &str, shares: [f64; 5]| {
        let shares: Vec<String> =
            shares.iter().map(|share| format!("{:6.1}%", 100.0 * share)).collect();
        writeln!(out, "{name:<24} {}", shares.join(" "))
    };
    row("most frequent cell", shown.frequent)?;
    row("this model, top 1", shown.score.within[0])?;
    row("this model, top 5", shown.score.within[4])?;
    row("ideal classifier, top 1", shown.ceiling.scales.each_ref().map(|it| it.ideal[0].mean))?;
    row("upper bound", shown.ceiling.scales.each_ref().map(|it| it.bound.mean))?;
    for (name, took) in &shown.timings {
        writeln!(out, "{:>7.1} s  {name}", took.as_secs_f64())?;
    }
    writeln!(out, "open {}", page.display())
}
