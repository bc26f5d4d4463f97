use std::{path::PathBuf, sync::Arc, thread};

use clap::{Args, ValueEnum};
use planet::{
    LocatorOptions, Prediction,
    map::{Colour, Region, WorldMap},
};
use planet_data::{Gazetteer, Monitor, Settings};
use planet_geo::Distance;
use planet_im2gps::{AnswerOptions, AnswerRule, Im2Gps, Index, Neighbour, Version};

use super::{failure, page::Page};
use crate::{
    commands::locate::{AnswerArguments, Tally, leave_out, map::Maps, sources::PhotoArguments},
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
    /// What is made of the similar photos; by default clusters for an index of 2008, svm for one of 2014
    #[arg(long, value_enum)]
    answer: Option<Answer>,
    /// Similar photos that an answer is made of
    #[arg(long, value_name = "K", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    neighbours: u32,
    /// Bandwidth of the clustering in km
    #[arg(long, value_name = "KM", default_value_t = 200.0)]
    bandwidth: f64,
    /// Also write a page (HTML) with each photo, the ten most similar ones, their positions on a map,
    /// and all answers
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    page: Option<PathBuf>,
    #[command(flatten)]
    answers: AnswerArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Answer {
    /// The clusters of their positions (mean shift), the largest first
    Clusters,
    /// The position of the most similar one
    Nearest,
    /// The clusters, the one first that a support vector machine tells best from the others
    Svm,
}

impl Answer {
    /// That of the method's authors.
    const fn of_version(version: Version) -> Self {
        match version {
            Version::Im2Gps2008 => Self::Clusters,
            Version::Im2Gps2014 => Self::Svm,
        }
    }

    const fn rule(self) -> AnswerRule {
        match self {
            Self::Clusters => AnswerRule::MeanShift,
            Self::Nearest => AnswerRule::Nearest,
            Self::Svm => AnswerRule::SupportVectors,
        }
    }
}

const NEIGHBOUR: Colour = Colour::new(40, 110, 190);
const CANDIDATE: Colour = Colour::new(20, 130, 70);
const TRUTH: Colour = Colour::new(214, 65, 70);

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let gazetteer = Arc::new(Gazetteer::new());
    let answers = &arguments.answers;
    if !answers.no_names {
        let gazetteer = Arc::clone(&gazetteer);
        thread::spawn(move || gazetteer.load());
    }
    let format = answers.format()?;
    let mut sources = arguments.photos.gather()?;
    let index = Index::open(&arguments.index).map_err(failure)?;
    let answer = arguments.answer.unwrap_or_else(|| Answer::of_version(index.version()));
    let im2gps = Im2Gps::new(index, arguments.options(answer)?, gazetteer).map_err(failure)?;
    let mut maps = Maps::new(answers.map.as_deref(), sources.len())?;

    let settings = arguments.settings(&im2gps, answer);
    let mut tally = Tally::default();
    let opened = answers.open(format, &mut sources, &settings, |prediction| {
        tally.earlier(&prediction);
        maps.add(&prediction, || None);
    })?;
    let Some(mut output) = opened else { return maps.write() };
    leave_out(&mut sources, std::mem::take(&mut tally.done))?;
    let progress = Progress::new("photos");
    progress.expect(sources.len() as u64);
    let store = sources.store();
    let mut page = arguments.page.as_ref().map(|_| Page::new(&im2gps, Arc::clone(&store)));
    let ended = im2gps.locate_all(
        store.as_ref(),
        sources.ids(),
        &progress,
        |row, mut prediction, neighbours| {
            prediction.truth = sources.truth(row);
            tally.count(&prediction);
            page.iter_mut().for_each(|page| page.add(&prediction, neighbours));
            maps.add(&prediction, || Some(similar(&im2gps, &prediction, neighbours)));
            output.write(&prediction)
        },
    );
    progress.finish();
    output.end(ended)?;
    maps.write()?;
    if let (Some(page), Some(path)) = (page, &arguments.page) {
        page.write(path, &arguments.index)?;
    }
    tally.conclude(answers.strict)
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
    fn options(&self, answer: Answer) -> Result<AnswerOptions, Failure> {
        let LocatorOptions { top, certain, within, names, .. } = self.answers.options()?;
        if !(self.bandwidth > 0.0 && self.bandwidth.is_finite()) {
            return Err(Failure::usage("--bandwidth must be above 0"));
        }
        Ok(AnswerOptions {
            rule: answer.rule(),
            neighbours: self.neighbours as usize,
            bandwidth: Distance::from_km(self.bandwidth),
            top,
            certain,
            within,
            names,
        })
    }

    /// What the predictions depend on: a resumed output must have the same.
    fn settings(&self, im2gps: &Im2Gps, answer: Answer) -> Settings {
        let answer = answer.to_possible_value().expect("none is hidden");
        let own = [
            ("--index", im2gps.index().fingerprint()),
            ("--answer", answer.get_name().to_owned()),
            ("--neighbours", self.neighbours.to_string()),
            ("--bandwidth", self.bandwidth.to_string()),
        ];
        let all = own.into_iter().chain(self.answers.settings());
        all.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
