//! `planet score`: anybody's predictions against the truth, by rules that are named.

mod compare;
mod contest;
pub mod references;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use planet::{
    Prediction, PredictionError, PredictionReader,
    evaluation::{
        Bound, KnownSet, Measure, Rules, Score, Scorer, ScorerOptions, TruthTable, nearest_id,
    },
    report::{Report, Table},
};
use planet_data::{Gazetteer, Manifest, Monitor, read_truth, table::TableSource};
use planet_geo::{LatLng, Partition};

use self::references::References;
use super::{partition::files, problems::Problems};
use crate::{failure::Failure, progress::Progress};

/// Photos on the map of errors.
pub const PLACES: usize = 20_000;

/// `planet score --predictions F [--truth F]`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    score: ScoreArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set two systems against each other on the same photos
    Compare(compare::Arguments),
    /// People against PlaNet, round by round
    Match(contest::Arguments),
}

#[derive(Args, Debug)]
struct ScoreArguments {
    /// Predictions: our jsonl or csv, or another system's table; - is standard input
    #[arg(long, value_name = "FILE", required = true)]
    predictions: Option<PathBuf>,
    /// Among the classes of the predictions, to score cells and calibration
    #[arg(long, value_name = "P")]
    partition: Option<PathBuf>,
    /// Training photos: counts what test photos share with them
    #[arg(long, value_name = "M", requires = "truth")]
    train: Option<String>,
    /// Whether country and continent are right, by boundary
    #[arg(long)]
    countries: bool,
    /// Set published results beside: im2gps, im2gps3k, yfcc4k
    #[arg(long, value_name = "SET")]
    set: Option<KnownSet>,
    /// Every figure as JSON
    #[arg(long)]
    json: bool,
    /// Folder of a report to write
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    truth: TruthArguments,
    #[command(flatten)]
    rules: RuleArguments,
}

/// What predictions are held against.
#[derive(Args, Clone, Debug)]
pub struct TruthArguments {
    /// Where the photos were taken: a manifest (M or M:SPLIT), or a table with ids and positions;
    /// not needed where predictions bring their own truth
    #[arg(long, value_name = "FILE")]
    truth: Option<String>,
    /// Column of the truth that tells kinds of photos apart
    #[arg(long, value_name = "COLUMN", default_value = "category")]
    by: String,
    /// Which partitioning counts, in files that name several in p_key
    #[arg(long, value_name = "NAME")]
    p_key: Option<String>,
    /// End with an error at the first line that is no prediction, instead of counting it
    #[arg(long)]
    strict: bool,
    /// Write every line that is no prediction into a table: file, what, cure
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

/// How scores are made; what scorers differ in.
#[derive(Args, Clone, Copy, Debug)]
pub struct RuleArguments {
    /// haversine on 6371 km, or geodesic on the ellipsoid
    #[arg(long, value_name = "RULE", default_value = "haversine")]
    distance: Measure,
    /// Whether an answer exactly at a scale's radius counts: at-most, or below
    #[arg(long, value_name = "RULE", default_value = "at-most")]
    bound: Bound,
    /// Test sets that the bootstrap draws for the confidence intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Seed of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

impl RuleArguments {
    pub fn rules(self) -> Rules {
        Rules { measure: self.distance, bound: self.bound }
    }

    pub fn options<'a>(self) -> ScorerOptions<'a> {
        let (resamples, seed) = (self.resamples, self.seed);
        ScorerOptions { rules: self.rules(), resamples, seed, ..ScorerOptions::default() }
    }
}

impl TruthArguments {
    pub fn source(&self) -> Option<TableSource> {
        self.truth.as_deref().map(TableSource::parse)
    }

    pub fn table(&self) -> Result<TruthTable, Failure> {
        match self.source() {
            Some(source) => TruthTable::read(&source, &self.by).map_err(Failure::new),
            None => Ok(TruthTable::growing()),
        }
    }

    /// Where lines that are no predictions go.
    pub fn problems(&self) -> Result<Problems, Failure> {
        Problems::new(self.strict, self.problems.as_deref())
    }

    pub fn reader(&self, predictions: &Path) -> Result<PredictionReader, Failure> {
        PredictionReader::open(predictions, self.p_key.as_deref()).map_err(Failure::new)
    }

    /// Feeds a scorer with a file; `seen` gets every photo's truth and error in km. Lines that
    /// are no predictions, such as a summary behind them, are named and counted.
    pub fn feed<'a>(
        &self,
        predictions: &Path,
        mut scorer: Scorer<'a>,
        problems: &mut Problems,
        mut seen: impl FnMut(&str, Option<(LatLng, f64)>),
    ) -> Result<Scorer<'a>, Failure> {
        let progress = Progress::new("photos");
        for prediction in self.reader(predictions)?.ahead() {
            let Some(prediction) = sift(prediction, problems)? else { continue };
            let outcome = scorer.add(&prediction);
            seen(&prediction.photo, outcome.map(|(error, truth)| (truth, error.km())));
            progress.advance(1);
            if progress.cancelled() {
                return Err(Failure::new("interrupted"));
            }
        }
        progress.finish();
        self.check_join(predictions, &scorer)?;
        Ok(scorer)
    }

    /// An empty join is a mistake and no score of zero.
    fn check_join(&self, predictions: &Path, scorer: &Scorer<'_>) -> Result<(), Failure> {
        let predictions = predictions.display();
        if scorer.met() > 0 {
            if let Some(id) = scorer.unknown().first() {
                anstream::eprintln!("some photos of {predictions} are unknown, such as {id}");
            }
            return Ok(());
        }
        let Some(source) = self.source() else {
            return Err(Failure::new(format!("{predictions} has no photo with a true position"))
                .hint("say where the photos were taken with --truth FILE"));
        };
        let Some(id) = scorer.unknown().first() else {
            return Err(Failure::new(format!("{predictions} has no predictions")));
        };
        let mut known = Vec::new();
        read_truth(&source, &self.by, |row| known.push(row.photo.to_owned()))
            .map_err(Failure::new)?;
        let what = format!("no photo of {predictions} stands in {source}: {id} does not");
        Err(match nearest_id(id, known.iter().map(String::as_str)) {
            Some(nearest) => Failure::new(what).hint(format!("the nearest id there is {nearest}")),
            None => Failure::new(what),
        })
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Some(Command::Compare(arguments)) => compare::run(arguments),
        Some(Command::Match(arguments)) => contest::run(arguments),
        None => score(&arguments.score),
    }
}

fn score(arguments: &ScoreArguments) -> Result<(), Failure> {
    let predictions = arguments.predictions.as_deref().expect("clap asks for it");
    let partition = arguments.partition.as_deref().map(files::read).transpose()?;
    let gazetteer = Gazetteer::new();
    let options = ScorerOptions {
        partition: partition.as_ref(),
        gazetteer: arguments.countries.then_some(&gazetteer),
        ..arguments.rules.options()
    };
    let truth = &arguments.truth;
    let mut references = References::default();
    let (mut leakage, mut clean) = (None, None);
    let test = arguments.test(partition.as_ref(), &mut references)?;
    if let (Some(train), Some(test)) = (&arguments.train, &test) {
        let train = Manifest::load(&TableSource::parse(train), None).map_err(Failure::new)?;
        let found = references::leakage(&train, test, partition.as_ref(), &mut references)?;
        let table = TruthTable::of(&test.records, &truth.by, |place| found.is_clean(place));
        clean = Some(Scorer::new(table, options));
        leakage = Some(found);
    }
    let mut places = Vec::new();
    let mut problems = truth.problems()?;
    let scorer = Scorer::new(truth.table()?, options);
    let scorer = truth.feed(predictions, scorer, &mut problems, |_, place| {
        places.extend(place.filter(|_| places.len() < PLACES));
    })?;
    problems.report()?;
    if let Some(partition) = &partition {
        references.own_cells(partition, scorer.table().positions());
    }
    let clean = match clean {
        Some(scorer) if !scorer.table().is_empty() => {
            Some(second_pass(truth, predictions, scorer)?)
        }
        _ => None,
    };
    let report = Report {
        title: format!("Score of {}", predictions.display()),
        subject: subject(predictions, truth.truth.as_deref()),
        score: scorer.finish(),
        clean,
        leakage,
        references: references.scales,
        cell_references: references.cells,
        known_set: arguments.set,
        by: truth.by.clone(),
        places,
        galleries: Vec::new(),
    };
    publish(&report, arguments.json, arguments.output.as_deref())
}

impl ScoreArguments {
    /// The test set as a manifest, where something needs more of it than positions: training
    /// photos to compare with, or a drawn earth whose ideals are known.
    fn test(
        &self,
        partition: Option<&Partition>,
        references: &mut References,
    ) -> Result<Option<Manifest>, Failure> {
        let Some(source) = self.truth.source() else { return Ok(None) };
        let drawn = references::is_drawn(&source);
        if self.train.is_none() && !drawn {
            return Ok(None);
        }
        let manifest = Manifest::load(&source, None).map_err(Failure::new)?;
        if let (true, Some(partition)) = (drawn, partition) {
            references.ideals(&manifest, partition)?;
        }
        Ok(Some(manifest))
    }
}

/// The photos that share nothing, from the same file again.
fn second_pass(
    truth: &TruthArguments,
    predictions: &Path,
    mut scorer: Scorer<'_>,
) -> Result<Score, Failure> {
    if !predictions.is_file() {
        return Err(Failure::usage(format!("{}: a pipe is read once", predictions.display()))
            .hint("write the predictions to a file to score with --train"));
    }
    for prediction in truth.reader(predictions)?.ahead() {
        match prediction {
            Ok(prediction) => {
                scorer.add(&prediction);
            }
            // Named in the first pass.
            Err(error) if error.is_of_one_line() => {}
            Err(error) => return Err(Failure::new(error)),
        }
    }
    Ok(scorer.finish())
}

/// Takes what a line became; `None` where it is no prediction.
pub fn sift(
    prediction: Result<Prediction, PredictionError>,
    problems: &mut Problems,
) -> Result<Option<Prediction>, Failure> {
    match prediction {
        Ok(prediction) => Ok(Some(prediction)),
        Err(PredictionError::Data(error)) => problems.add(&error).map(|()| None),
        Err(PredictionError::Line { file, line, what }) => {
            let cure = "take the line out of the file";
            problems.skip(&format!("{file}:{line}"), &what, cure).map(|()| None)
        }
        Err(error) => Err(Failure::new(error)),
    }
}

fn subject(predictions: &Path, truth: Option<&str>) -> String {
    let predictions = predictions.display();
    match truth {
        Some(truth) => format!("Predictions {predictions} against {truth}."),
        None => format!("Predictions {predictions}, which bring their own truth."),
    }
}

/// Tells what came of it: a report's folder, JSON, or tables for people.
pub fn publish(report: &Report, json: bool, folder: Option<&Path>) -> Result<(), Failure> {
    if let Some(folder) = folder {
        report.save(folder).map_err(Failure::new)?;
    }
    print(&report.to_json(), &report.tables(), json, folder)
}

/// The same for reports of any kind that are saved already.
pub fn print(
    figures: &serde_json::Value,
    tables: &[Table],
    json: bool,
    folder: Option<&Path>,
) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{figures:#}")?;
        return Ok(());
    }
    for table in tables {
        writeln!(out, "{}\n\n{}", table.title, table.to_text())?;
        if !table.note.is_empty() {
            writeln!(out, "{}\n", table.note)?;
        }
    }
    if let Some(folder) = folder {
        writeln!(out, "open {}", folder.join(planet::report::PAGE_FILE).display())?;
    }
    Ok(())
}
