//! `planet locate`: photos in, places out.

pub mod map;
pub mod output;
pub mod sources;
mod text;

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use clap::{Args, ValueEnum};
use planet::{
    Engine, LocateError, LocateOptions, Locator, LocatorOptions, ModelPackage, PredictionFormat,
    Within, locate,
};
use planet_data::{Gazetteer, Loader, LoaderOptions, Monitor};
use planet_engine::Signature;
use planet_geo::Scale;

use self::{
    map::Maps,
    output::{Offer, Output},
    sources::Sources,
};
use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// `planet locate PHOTO|DIR|MANIFEST|-... --model MODEL`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Photos, folders, one manifest (M or M:SPLIT), or - for paths on standard input
    #[arg(required = true, value_name = "PHOTO|DIR|M|-")]
    photos: Vec<String>,
    /// Model package
    #[arg(long, value_name = "MODEL")]
    model: PathBuf,
    /// Folder that a manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Candidates a photo
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Minimum probability for reporting a level
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    certain: f64,
    /// Coarsest level at which a position is offered for writing (--format exiftool)
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LevelName::City)]
    level: LevelName,
    /// Ground that answers must lie in: a country's code, SOUTH,WEST,NORTH,EAST, or a GeoJSON file
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    within: Option<String>,
    /// How to write; by default what the output's name says, else text
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw a map (.svg, .png, .html): of one photo its probability, of several their places
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Write each photo's embedding too (jsonl)
    #[arg(long)]
    embedding: bool,
    /// Do not name places
    #[arg(long)]
    no_names: bool,
    /// Go on with an output that was interrupted
    #[arg(long, requires = "output")]
    resume: bool,
    /// Fail where any photo has no answer
    #[arg(long)]
    strict: bool,
    /// Photos that the engine takes at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=512))]
    batch: u16,
    #[command(flatten)]
    engine: EngineChoice,
}

/// How predictions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For people
    Text,
    /// One JSON object a photo
    Jsonl,
    /// One row a candidate
    Csv,
    /// For exiftool -csv=FILE: answers up to --level, of photos without a position
    Exiftool,
    /// For maps
    Geojson,
    /// For Google Earth
    Kml,
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
        })
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    // The place-name table loads beside the model.
    let gazetteer = Arc::new(Gazetteer::new());
    if !arguments.no_names {
        let gazetteer = Arc::clone(&gazetteer);
        thread::spawn(move || gazetteer.load());
    }
    let format = format(arguments.format, arguments.output.as_deref())?;
    let package = ModelPackage::open(&arguments.model).map_err(Failure::new)?;
    let signature = Signature::of(package.description());
    let mut engine = arguments.engine.open(&package.model(), &signature)?;
    let mut sources = Sources::gather(&arguments.photos, arguments.root.as_deref())?;
    let offer = Offer { certain: arguments.certain, coarsest: arguments.level.scale() };
    let (file, resume) = (arguments.output.as_deref(), arguments.resume);
    let mut output = Output::open(file, format, sources.root(), resume, offer)?;
    sources.leave_out(output.done());
    let mut maps = Maps::new(arguments.map.as_deref(), sources.len())?;

    let preprocess = package.description().preprocess.clone();
    let temperature = package.description().temperature;
    let partition = Arc::new(package.into_partition());
    let locator = Locator::new(partition, temperature, arguments.options()?, gazetteer)
        .map_err(Failure::new)?;
    // One photo is not to wait for seven others.
    let options = LoaderOptions::evaluation(usize::from(arguments.batch).min(sources.len().max(1)));
    let loader = Loader::new(sources.store(), sources.ids().to_vec(), preprocess, options)
        .map_err(Failure::new)?;
    let progress = Progress::new("photos");
    progress.expect(sources.len() as u64);
    let picture = arguments.output.is_none()
        && format.is_none()
        && sources.len() == 1
        && std::io::stdout().is_terminal();

    let (mut located, mut failed) = (0u64, 0u64);
    let wanted = LocateOptions { embedding: arguments.embedding };
    let ended = locate(
        &mut engine as &mut dyn Engine,
        &loader,
        sources.ids(),
        &locator,
        wanted,
        &progress,
        |row, mut prediction, logits| {
            prediction.truth = sources.truth(row);
            *(if prediction.error.is_some() { &mut failed } else { &mut located }) += 1;
            maps.add(&prediction, &locator, logits);
            output.write(&prediction)?;
            if picture && !logits.is_empty() {
                map::in_blocks(&locator, logits, prediction.truth)?;
            }
            Ok(())
        },
    );
    progress.finish();
    match ended {
        Ok(()) => output.finish()?,
        Err(LocateError::Taken(failure)) => return Err(failure),
        Err(LocateError::Cancelled) => return Err(output.interrupted()),
        Err(LocateError::Engine(error)) => return Err(Failure::new(error)),
        Err(LocateError::Loader(error)) => return Err(Failure::new(error)),
    }
    maps.write()?;
    conclude(located, failed, arguments.strict)
}

/// How to write: as was asked, else as the output's name says, else (`None`) as text.
pub fn format(
    asked: Option<FormatName>,
    output: Option<&Path>,
) -> Result<Option<PredictionFormat>, Failure> {
    if let Some(name) = asked {
        return Ok(name.format());
    }
    let named = |path: &Path| {
        PredictionFormat::of(path).map(Some).ok_or_else(|| {
            Failure::usage(format!("'{}' names no format", path.display()))
                .hint("end it in .jsonl, .csv, .geojson or .kml, or say --format")
        })
    };
    output.filter(|path| *path != Path::new("-")).map_or(Ok(None), named)
}

impl Arguments {
    fn options(&self) -> Result<LocatorOptions, Failure> {
        if !(self.certain > 0.0 && self.certain <= 1.0) {
            return Err(Failure::usage("--certain must lie above 0 and at most 1"));
        }
        let within = self.within.as_deref().map(ground).transpose()?;
        let (top, certain, names) = (self.top.into(), self.certain, !self.no_names);
        Ok(LocatorOptions { top, certain, within, names })
    }
}

/// A country, a box, or a file of polygons.
fn ground(text: &str) -> Result<Within, Failure> {
    let path = Path::new(text);
    if !path.exists() {
        return Within::parse(text).map_err(Failure::usage);
    }
    let failed = |error: &dyn std::fmt::Display| Failure::new(format!("{text}: {error}"));
    let json = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    Within::from_geojson(&json).map_err(|error| failed(&error))
}

fn conclude(located: u64, failed: u64, strict: bool) -> Result<(), Failure> {
    if failed == 0 {
        return Ok(());
    }
    let photos = located + failed;
    if located == 0 || strict {
        return Err(Failure::new(format!("{failed} of {photos} photos have no answer")));
    }
    anstream::eprintln!("{failed} of {photos} photos have no answer; their lines say why");
    Ok(())
}
