//! `planet locate`: photos in, places out.

mod answers;
pub mod map;
pub mod output;
mod shard;
pub mod sources;
mod text;

use std::{collections::HashMap, io::IsTerminal, path::Path, sync::Arc, thread};

use clap::{Args, ValueEnum};
use planet::{
    BatchSize, Decision, LocateOptions, LocatorOptions, ModelDescription, PhotoViews, Prediction,
    PredictionFormat, PredictionReader, Within,
};
use planet_data::{Gazetteer, Monitor, Settings};
use planet_geo::Scale;

pub use self::answers::AnswerArguments;
use self::{
    map::{Maps, probability_of},
    shard::Shard,
    sources::{SourceArguments, Sources},
};
use super::{refine::RefineArguments, synthetic::Warnings};
use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// `planet locate PHOTO|DIR|MANIFEST|-... --model MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    answers: AnswerArguments,
    /// Also write the embedding of each photo (jsonl)
    #[arg(long)]
    embedding: bool,
    #[command(flatten)]
    refine: RefineArguments,
    /// Which candidate is the first: cell, the most probable one; score, that of the greatest expected
    /// GeoScore; within:KM, the one most probably within 1, 25, 200, 750 or 2500 km
    #[arg(long, value_name = "RULE", default_value = "cell", conflicts_with = "refine")]
    decide: Decision,
    /// Also state the cells that contain the place of this share of photos, 0.01 to 0.99; their outline is drawn
    /// on the map of one photo
    #[arg(long, value_name = "SHARE", value_parser = region_share, conflicts_with_all = ["within", "refine"])]
    region: Option<f64>,
    /// Average the probabilities of several views of each photo: whole, one view; flip, the photo and its
    /// mirror image; or crops, its corners and its middle, each 7/8 of either side
    #[arg(long, value_name = "VIEWS", default_value = "whole", conflicts_with_all = ["refine", "region"])]
    views: PhotoViews,
    /// Locate one of N parts of the photos, I = 1..=N: every N-th photo, from the I-th on. The N
    /// outputs together have the same rows for every N
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Photos per batch, 1 to 512; auto tries 8, 16 and 32 on the first photos and keeps the quickest
    #[arg(long, alias = "batch-size", value_name = "N", default_value = "auto")]
    batch: BatchSize,
    #[command(flatten)]
    engine: EngineChoice,
}

/// How predictions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// Readable text
    Text,
    /// One JSON object per photo
    Jsonl,
    /// One row per candidate
    Csv,
    /// CSV for exiftool -csv=FILE: answers up to --level, for photos without a position
    Exiftool,
    /// Points for GIS software
    Geojson,
    /// Placemarks for Google Earth
    Kml,
    /// One row per photo
    Parquet,
}

/// The levels at which an answer can be certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelName {
    /// 1 km
    Street,
    /// 25 km
    City,
    /// 200 km
    Region,
    /// 750 km
    Country,
    /// 2500 km
    Continent,
}

impl LevelName {
    pub const fn scale(self) -> Scale {
        match self {
            Self::Street => Scale::Street,
            Self::City => Scale::City,
            Self::Region => Scale::Region,
            Self::Country => Scale::Country,
            Self::Continent => Scale::Continent,
        }
    }
}

impl FormatName {
    /// The file format; `None` is text.
    fn format(self) -> Option<PredictionFormat> {
        Some(match self {
            Self::Text => return None,
            Self::Jsonl => PredictionFormat::Jsonl,
            Self::Csv => PredictionFormat::Csv,
            Self::Exiftool => PredictionFormat::ExiftoolCsv,
            Self::Geojson => PredictionFormat::GeoJson,
            Self::Kml => PredictionFormat::Kml,
            Self::Parquet => PredictionFormat::Parquet,
        })
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    // The place-name table loads beside the model.
    let gazetteer = Arc::new(Gazetteer::new());
    let answers = &arguments.answers;
    if !answers.no_names {
        let gazetteer = Arc::clone(&gazetteer);
        thread::spawn(move || gazetteer.load());
    }
    let format = answers.format()?;
    let (mut sources, package) = arguments.source.open()?;
    if let Some(shard) = arguments.shard {
        sources.take(shard);
    }
    let (decision, region) = (arguments.decide, arguments.region);
    let options = LocatorOptions { decision, region, ..answers.options()? };
    let model = arguments.engine.open_model(package, options, gazetteer)?;
    let mut model = model.with_views(arguments.views);
    let refiner = arguments.refine.open(&mut model)?;
    let locator = model.locator();
    let mut maps = Maps::new(answers.map.as_deref(), sources.len())?;

    let settings = arguments.settings(model.description());
    let mut tally = Tally { of_part: arguments.shard.is_some(), ..Tally::default() };
    let opened = answers.open(format, &mut sources, &settings, |prediction| {
        tally.earlier(&prediction);
        maps.add(&prediction, || probability_of(&locator, &[], &prediction));
    })?;
    let Some(mut output) = opened else { return maps.write() };
    leave_out(&mut sources, std::mem::take(&mut tally.done))?;
    let progress = Progress::new("photos");
    progress.expect(sources.len() as u64);
    let picture = answers.output.is_none()
        && format.is_none()
        && sources.len() == 1
        && std::io::stdout().is_terminal();

    let options = LocateOptions {
        batch: arguments.batch,
        embedding: arguments.embedding || refiner.is_some(),
        top: None,
        // A photo alone must not wait for itself.
        divided: arguments.shard.is_some() || sources.len() > 1,
    };
    let mut warnings = Warnings::of(&model.description().provenance);
    let ended = model.locate(
        sources.store(),
        sources.ids(),
        options,
        &progress,
        |row, mut prediction, logits| {
            prediction.truth = sources.truth(row);
            let path = sources.root().join(&prediction.photo);
            prediction.warning = warnings.about(&path).map(str::to_owned);
            if let Some(refiner) = &refiner {
                refiner.refine(&mut prediction, &locator);
                prediction.embedding = prediction.embedding.filter(|_| arguments.embedding);
            }
            tally.count(&prediction);
            maps.add(&prediction, || probability_of(&locator, logits, &prediction));
            output.write(&prediction)?;
            if picture && !logits.is_empty() {
                map::in_blocks(&locator, logits, prediction.truth)?;
            }
            Ok::<(), Failure>(())
        },
    );
    progress.finish();
    output.end(ended)?;
    maps.write()?;
    tally.conclude(answers.strict)
}

/// How many photos have an answer and how many have none.
#[derive(Default)]
pub struct Tally {
    located: u64,
    failed: u64,
    /// Whether these are a part of the photos, which may all have no answer.
    of_part: bool,
    /// How often each photo stands in the part of an earlier run.
    pub done: HashMap<String, u64>,
}

impl Tally {
    pub fn count(&mut self, prediction: &Prediction) {
        *(if prediction.error.is_some() { &mut self.failed } else { &mut self.located }) += 1;
    }

    pub fn earlier(&mut self, prediction: &Prediction) {
        self.count(prediction);
        *self.done.entry(prediction.photo.clone()).or_default() += 1;
    }

    /// Says how many photos have no answer; an error where none of all photos has, or with `strict` where one
    /// has none.
    pub fn conclude(&self, strict: bool) -> Result<(), Failure> {
        let (located, failed) = (self.located, self.failed);
        if failed == 0 {
            return Ok(());
        }
        let photos = located + failed;
        if (located == 0 && !self.of_part) || strict {
            return Err(Failure::new(format!("{failed} of {photos} photos have no answer")));
        }
        anstream::eprintln!(
            "{failed} of {photos} photos have no answer; the output states the reasons"
        );
        Ok(())
    }
}

/// Photos that an earlier run located are not located again; they must be among those asked for.
pub fn leave_out(sources: &mut Sources, done: HashMap<String, u64>) -> Result<(), Failure> {
    match sources.leave_out(done) {
        None => Ok(()),
        Some(photo) => {
            let what = format!(
                "the interrupted output contains {photo}, which is not among the photos of this command"
            );
            Err(Failure::usage(what).hint("resume it with the same photos"))
        }
    }
}

/// Says that a complete output has nothing to resume, unless photos are not in it.
fn complete(
    path: &Path,
    sources: &mut Sources,
    mut seen: impl FnMut(Prediction),
) -> Result<(), Failure> {
    let mut done: HashMap<String, u64> = HashMap::new();
    for prediction in PredictionReader::open(path, None).map_err(Failure::new)? {
        let prediction = prediction.map_err(Failure::new)?;
        *done.entry(prediction.photo.clone()).or_default() += 1;
        seen(prediction);
    }
    let photos = sources.len();
    leave_out(sources, done)?;
    if sources.len() > 0 {
        let missing = sources.len();
        let what = format!(
            "{} is complete, but does not contain {missing} of the {photos} photos",
            path.display()
        );
        return Err(Failure::usage(what).hint("name another output for these photos"));
    }
    anstream::eprintln!(
        "{} is complete: it contains all {photos} photos. Nothing was done. The file does not \
         state its model and settings; remove it to locate the photos again",
        path.display()
    );
    Ok(())
}

/// How to write: as was asked, else as the output's name says, else (`None`) as text.
pub fn format(
    asked: Option<FormatName>,
    output: Option<&Path>,
) -> Result<Option<PredictionFormat>, Failure> {
    let file = output.filter(|path| *path != Path::new("-"));
    if let Some(name) = asked {
        let format = name.format();
        let fits = |path: &Path| match format {
            Some(format) => format.fits(path),
            None => PredictionFormat::of(path).is_none(),
        };
        if let Some(path) = file.filter(|path| !fits(path)) {
            let name = name.to_possible_value().expect("none is hidden");
            let what = format!(
                "'{}' does not have the extension of the format {}",
                path.display(),
                name.get_name()
            );
            return Err(Failure::usage(what).hint("rename the output, or omit --format"));
        }
        return Ok(format);
    }
    let named = |path: &Path| {
        PredictionFormat::of(path).map(Some).ok_or_else(|| {
            Failure::usage(format!(
                "'{}' does not have the extension of an output format",
                path.display()
            ))
            .hint("use the extension .jsonl, .csv, .geojson, .kml or .parquet, or add --format")
        })
    };
    file.map_or(Ok(None), named)
}

impl Arguments {
    /// What the predictions depend on: a resumed output must have the same.
    fn settings(&self, model: &ModelDescription) -> Settings {
        let network = &model.network_hash()[..16];
        let preprocess = serde_json::to_string(&model.preprocess).expect("values become JSON");
        let fingerprint = &model.partition_fingerprint;
        let model = format!(
            "{} (network {network}, partition {fingerprint}, temperature {}, {preprocess})",
            model.name, model.temperature
        );
        let own = [
            ("--model", model),
            ("--embedding", self.embedding.to_string()),
            ("--refine", self.refine.setting()),
            ("--decide", self.decide.to_string()),
            ("--region", self.region.map_or_else(|| "none".to_owned(), |share| share.to_string())),
            ("--views", self.views.to_string()),
            ("--shard", self.shard.unwrap_or_default().to_string()),
        ];
        let all = own.into_iter().chain(self.answers.settings());
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A share of photos for which regions are stated.
pub fn region_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.01..=0.99).contains(share));
    share.ok_or_else(|| "not a number from 0.01 to 0.99".to_owned())
}

/// A country, a box, or a file of polygons. A country wins over a file of its name.
pub fn ground(text: &str) -> Result<Within, Failure> {
    let path = Path::new(text);
    match Within::parse(text) {
        Ok(ground) => return Ok(ground),
        Err(error) if !path.is_file() => return Err(Failure::usage(error)),
        Err(_) => {}
    }
    let json = std::fs::read_to_string(path).map_err(Failure::file(path))?;
    Within::from_geojson(&json).map_err(|error| Failure::new(format!("{text}: {error}")))
}
