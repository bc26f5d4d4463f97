use std::{path::PathBuf, sync::Arc, thread};

use clap::{Args, ValueEnum};
use planet::{
    LocateError, Prediction,
    map::{Colour, Region, WorldMap},
};
use planet_data::{Gazetteer, Monitor, Settings};
use planet_geo::Distance;
use planet_im2gps::{AnswerOptions, AnswerRule, Im2Gps, Neighbour};

use super::failure;
use crate::{
    commands::locate::{
        FormatName, LevelName, Tally, complete, format, ground, leave_out,
        map::{self, Maps},
        output::{Offer, OpenError, Output, Resume},
        sources::PhotoArguments,
    },
    failure::Failure,
    progress::Progress,
};

/// `planet im2gps locate PHOTO|DIR|MANIFEST|-... --index INDEX`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    photos: PhotoArguments,
    /// Index of photos with positions (planet im2gps index)
    #[arg(long, value_name = "INDEX")]
    index: PathBuf,
    /// What is made of the similar photos
    #[arg(long, value_enum, default_value_t = Answer::Clusters)]
    answer: Answer,
    /// Similar photos that an answer is made of
    #[arg(long, value_name = "K", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    neighbours: u32,
    /// Bandwidth of the clustering in km
    #[arg(long, value_name = "KM", default_value_t = 200.0)]
    bandwidth: f64,
    /// Candidates per photo
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Minimum probability for reporting a level
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    certain: f64,
    /// Coarsest level at which a position is written (--format exiftool)
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LevelName::City)]
    level: LevelName,
    /// Limit answers to this area: a country code, SOUTH,WEST,NORTH,EAST, or a GeoJSON file
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    within: Option<String>,
    /// Output format; by default inferred from the output's name, otherwise text
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// Output file; the extensions .gz and .zst compress it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw a map (.svg, .png, .html) of one photo's similar photos, or of several photos' places
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Do not look up place names
    #[arg(long)]
    no_names: bool,
    /// Resume an interrupted output with the same settings
    #[arg(long, requires = "output")]
    resume: bool,
    /// Exit with an error if any photo has no answer
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Answer {
    /// The clusters of their positions (mean shift), the largest first
    Clusters,
    /// The position of the most similar one
    Nearest,
}

impl Answer {
    const fn rule(self) -> AnswerRule {
        match self {
            Self::Clusters => AnswerRule::MeanShift,
            Self::Nearest => AnswerRule::Nearest,
        }
    }
}

const NEIGHBOUR: Colour = Colour::new(40, 110, 190);
const CANDIDATE: Colour = Colour::new(20, 130, 70);
const TRUTH: Colour = Colour::new(214, 65, 70);

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let gazetteer = Arc::new(Gazetteer::new());
    if !arguments.no_names {
        let gazetteer = Arc::clone(&gazetteer);
        thread::spawn(move || gazetteer.load());
    }
    let format = format(arguments.format, arguments.output.as_deref())?;
    map::check(arguments.map.as_deref())?;
    let mut sources = arguments.photos.gather()?;
    let im2gps =
        Im2Gps::open(&arguments.index, arguments.options()?, gazetteer).map_err(failure)?;
    let offer = Offer { certain: arguments.certain, coarsest: arguments.level.scale() };
    let mut maps = Maps::new(arguments.map.as_deref(), sources.len())?;

    let settings = arguments.settings(&im2gps);
    let mut tally = Tally::default();
    let mut output = {
        let mut seen = |prediction: Prediction| {
            tally.earlier(&prediction);
            maps.add(&prediction, || None);
        };
        let resume = Resume { settings: &settings, wanted: arguments.resume, seen: &mut seen };
        let file = arguments.output.as_deref();
        match Output::open(file, format, sources.root(), offer, Some(resume)) {
            Ok(output) => output,
            Err(OpenError::Complete(path)) => {
                complete(&path, &mut sources, seen)?;
                return maps.write();
            }
            Err(error) => return Err(error.into()),
        }
    };
    leave_out(&mut sources, std::mem::take(&mut tally.done))?;
    let progress = Progress::new("photos");
    progress.expect(sources.len() as u64);
    let store = sources.store();
    let ended = im2gps.locate_all(
        store.as_ref(),
        sources.ids(),
        &progress,
        |row, mut prediction, neighbours| {
            prediction.truth = sources.truth(row);
            tally.count(&prediction);
            maps.add(&prediction, || Some(similar(&im2gps, &prediction, neighbours)));
            output.write(&prediction)
        },
    );
    progress.finish();
    match ended {
        Ok(()) => output.finish()?,
        Err(LocateError::Cancelled) => return Err(output.interrupted()),
        Err(error) => return Err(error.into()),
    }
    maps.write()?;
    tally.conclude(arguments.strict)
}

/// The map of one photo: the photos that are like it, the answers, the truth.
fn similar(im2gps: &Im2Gps, prediction: &Prediction, neighbours: &[Neighbour]) -> WorldMap {
    let mut map = WorldMap::new(Region::WORLD);
    map.key("similar photo", NEIGHBOUR);
    map.key("answer", CANDIDATE);
    for neighbour in neighbours {
        map.point(im2gps.index().position(neighbour.row), 3.0, NEIGHBOUR);
    }
    for candidate in prediction.candidates.iter().rev() {
        let share = candidate.probability.unwrap_or_default();
        map.point(candidate.position, 4.0 + 6.0 * f64::from(share), CANDIDATE);
    }
    if let Some(truth) = prediction.truth {
        map.key("position in file", TRUTH);
        map.point(truth, 4.0, TRUTH);
    }
    map
}

impl Arguments {
    fn options(&self) -> Result<AnswerOptions, Failure> {
        if !(self.certain > 0.0 && self.certain <= 1.0) {
            return Err(Failure::usage("--certain must be above 0 and at most 1"));
        }
        if !(self.bandwidth > 0.0 && self.bandwidth.is_finite()) {
            return Err(Failure::usage("--bandwidth must be above 0"));
        }
        Ok(AnswerOptions {
            rule: self.answer.rule(),
            neighbours: self.neighbours as usize,
            bandwidth: Distance::from_km(self.bandwidth),
            top: self.top.into(),
            certain: self.certain,
            within: self.within.as_deref().map(ground).transpose()?,
            names: !self.no_names,
        })
    }

    /// What the predictions depend on: a resumed output must have the same.
    fn settings(&self, im2gps: &Im2Gps) -> Settings {
        let answer = self.answer.to_possible_value().expect("none is hidden");
        let within = self.within.clone().unwrap_or_else(|| "the whole earth".to_owned());
        [
            ("--index", im2gps.index().fingerprint()),
            ("--answer", answer.get_name().to_owned()),
            ("--neighbours", self.neighbours.to_string()),
            ("--bandwidth", self.bandwidth.to_string()),
            ("--top", self.top.to_string()),
            ("--certain", self.certain.to_string()),
            ("--within", within),
            ("--no-names", self.no_names.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
