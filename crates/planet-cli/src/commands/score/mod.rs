//! `planet score`: scores the predictions of any system against the true positions, by stated rules.

mod compare;
pub mod references;
mod rounds;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use planet::{
    Prediction, PredictionError, PredictionReader,
    evaluation::{
        Bound, KnownSet, Measure, NearDuplicates, Rules, Score, Scorer, ScorerOptions, TruthTable,
        nearest_id,
    },
    report::{MAPPED_PHOTOS, References, Report, Table},
};
use planet_data::{Gazetteer, Manifest, Monitor, read_truth, table::TableSource};
use planet_geo::{LatLng, Partition};

use super::{partition::files, problems::Problems, synthetic};
use crate::{failure::Failure, progress::Progress};

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
    /// Compare two systems on the same photos
    Compare(compare::Arguments),
    /// Compare people with a model, photo by photo
    Match(rounds::Arguments),
}

#[derive(Args, Debug)]
struct ScoreArguments {
    /// Predictions: PlaNet's jsonl or csv, or a table of another system; - is standard input
    #[arg(long, value_name = "FILE", required = true)]
    predictions: Option<PathBuf>,
    /// Partition of the predictions, to score cells and calibration
    #[arg(long, value_name = "P")]
    partition: Option<PathBuf>,
    /// Manifest of the training photos, to report the overlap of test and training photos
    #[arg(long, value_name = "M", requires = "truth")]
    train: Option<String>,
    /// Also score country and continent, by boundaries
    #[arg(long)]
    countries: bool,
    /// Add published results for comparison: im2gps, im2gps3k or yfcc4k
    #[arg(long, value_name = "SET")]
    set: Option<KnownSet>,
    /// Print all results as JSON
    #[arg(long)]
    json: bool,
    /// Folder for a report
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
    /// True positions: a manifest (FILE or FILE:SPLIT), or a table with ids and positions; not
    /// needed if the predictions contain them
    #[arg(long, value_name = "FILE")]
    truth: Option<String>,
    /// Column of the truth with a category of photos; each category is also scored separately
    #[arg(long, value_name = "COLUMN", default_value = "category")]
    by: String,
    /// Partition to score, in files whose column p_key names several
    #[arg(long, value_name = "NAME")]
    p_key: Option<String>,
    /// Stop at the first line that is not a prediction, instead of counting it
    #[arg(long)]
    strict: bool,
    /// Write a table of all lines that are not predictions (columns file, what, cure)
    #[arg(long, value_name = "FILE")]
    problems: Option<PathBuf>,
}

/// How scores are made; what scorers differ in.
#[derive(Args, Clone, Copy, Debug)]
pub struct RuleArguments {
    /// haversine (sphere of 6371 km) or geodesic (WGS 84 ellipsoid)
    #[arg(long, value_name = "RULE", default_value = "haversine")]
    distance: Measure,
    /// Whether an answer exactly at a scale's radius counts (at-most) or not (below)
    #[arg(long, value_name = "RULE", default_value = "at-most")]
    bound: Bound,
    /// Bootstrap resamples for the confidence intervals; 0 omits the intervals
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
                anstream::eprintln!(
                    "{predictions} has photos without a true position, such as {id}"
                );
            }
            return Ok(());
        }
        let Some(source) = self.source() else {
            return Err(Failure::new(format!("{predictions} has no photo with a true position"))
                .hint("name a file of true positions with --truth FILE"));
        };
        let Some(id) = scorer.unknown().first() else {
            return Err(Failure::new(format!("{predictions} has no predictions")));
        };
        let mut known = Vec::new();
        read_truth(&source, &self.by, |row| known.push(row.photo.to_owned()))
            .map_err(Failure::new)?;
        let what =
            format!("{source} contains no photo of {predictions}; missing, for example: {id}");
        Err(match nearest_id(id, known.iter().map(String::as_str)) {
            Some(nearest) => Failure::new(what).hint(format!("the most similar id is {nearest}")),
            None => Failure::new(what),
        })
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Some(Command::Compare(arguments)) => compare::run(arguments),
        Some(Command::Match(arguments)) => rounds::run(arguments),
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
        let progress = Progress::new("photos");
        let (train, test) = (&train.records, &test.records);
        let by = NearDuplicates::by_hashes(train, test);
        let found = references.push_training(partition.as_ref(), train, test, &by, &progress);
        progress.finish();
        let found = found.map_err(Failure::new)?;
        let table = TruthTable::of(test, &truth.by, |place| found.is_clean(place));
        clean = Some(Scorer::new(table, options));
        leakage = Some(found);
    }
    let mut places = Vec::new();
    let mut problems = truth.problems()?;
    let scorer = Scorer::new(truth.table()?, options);
    let scorer = truth.feed(predictions, scorer, &mut problems, |_, place| {
        places.extend(place.filter(|_| places.len() < MAPPED_PHOTOS));
    })?;
    problems.report()?;
    if let Some(partition) = &partition {
        references.push_bounds(partition, scorer.table().positions());
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
        references,
        known_set: arguments.set,
        by: truth.by.clone(),
        places,
        galleries: Vec::new(),
        regions: None,
        log_loss: None,
        category_log_losses: Vec::new(),
    };
    publish(&report, arguments.json, arguments.output.as_deref())
}

impl ScoreArguments {
    /// The test set as a manifest, where something needs more of it than positions: training
    /// photos to compare with, or a synthetic earth whose ideals are known.
    fn test(
        &self,
        partition: Option<&Partition>,
        references: &mut References,
    ) -> Result<Option<Manifest>, Failure> {
        let Some(source) = self.truth.source() else { return Ok(None) };
        let drawn = synthetic::is_manifest_of_world(&source);
        if self.train.is_none() && !drawn {
            return Ok(None);
        }
        let manifest = Manifest::load(&source, None).map_err(Failure::new)?;
        if let (true, Some(partition)) = (drawn, partition) {
            references::push_ideals(references, &manifest, partition, &self.truth.by)?;
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
        return Err(Failure::usage(format!(
            "{}: a pipe can be read only once",
            predictions.display()
        ))
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
            let cure = "remove the line from the file";
            problems.skip(&format!("{file}:{line}"), &what, cure).map(|()| None)
        }
        Err(error) => Err(Failure::new(error)),
    }
}

fn subject(predictions: &Path, truth: Option<&str>) -> String {
    let predictions = predictions.display();
    match truth {
        Some(truth) => format!("Predictions {predictions}, scored with {truth}."),
        None => format!("Predictions {predictions}, which contain the true positions."),
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
