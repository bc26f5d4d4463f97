use std::path::PathBuf;

use clap::Args;
use planet::{LocatorOptions, Prediction, PredictionFormat, Within};
use planet_data::Settings;

use super::{
    FormatName, LevelName, complete, format, ground, map,
    output::{Offer, OpenError, Output, Resume},
    sources::Sources,
};
use crate::failure::Failure;

/// What is answered for each photo, and where the answers go: the same for every way to locate.
#[derive(Args, Debug)]
pub struct AnswerArguments {
    /// Candidates per photo
    #[arg(long, alias = "topk", value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Minimum probability for reporting a level
    #[arg(long, alias = "min-confidence", value_name = "SHARE", default_value_t = 0.5)]
    certain: f64,
    /// Coarsest level at which a position is written (--format exiftool)
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LevelName::City)]
    level: LevelName,
    /// Limit answers to this area: a country code, SOUTH,WEST,NORTH,EAST, or a GeoJSON file
    /// (write ./IT for a file that is named like a country code)
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true)]
    within: Option<String>,
    /// Do not look up place names
    #[arg(long)]
    pub no_names: bool,
    /// Output format; by default inferred from the output's name, otherwise text
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// Output file; the extensions .gz and .zst compress it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Draw a map (.svg, .png, .html) of what one photo's answer rests on, or of several photos'
    /// places
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Resume an interrupted output with the same settings
    #[arg(long, requires = "output")]
    resume: bool,
    /// Exit with an error if any photo has no answer
    #[arg(long)]
    pub strict: bool,
}

impl AnswerArguments {
    /// How to write; checked, with the map's name, before any work.
    pub fn format(&self) -> Result<Option<PredictionFormat>, Failure> {
        map::check(self.map.as_deref())?;
        format(self.format, self.output.as_deref())
    }

    /// What is answered.
    pub fn options(&self) -> Result<LocatorOptions, Failure> {
        if !(self.certain > 0.0 && self.certain <= 1.0) {
            return Err(Failure::usage("--certain must be above 0 and at most 1"));
        }
        let within: Option<Within> = self.within.as_deref().map(ground).transpose()?;
        let (top, certain, names) = (self.top.into(), self.certain, !self.no_names);
        Ok(LocatorOptions { top, certain, within, names, ..LocatorOptions::default() })
    }

    /// What is offered for writing into photos.
    fn offer(&self) -> Offer {
        Offer { certain: self.certain, coarsest: self.level.scale() }
    }

    /// Opens the output, and passes over the photos that an interrupted one has: `seen` gets their
    /// predictions. `None` where the output is complete and nothing is left to do.
    pub fn open(
        &self,
        format: Option<PredictionFormat>,
        sources: &mut Sources,
        settings: &Settings,
        mut seen: impl FnMut(Prediction),
    ) -> Result<Option<Output>, Failure> {
        let resume = Resume { settings, wanted: self.resume, seen: &mut seen };
        let file = self.output.as_deref();
        match Output::open(file, format, sources.root(), self.offer(), Some(resume)) {
            Ok(output) => Ok(Some(output)),
            Err(OpenError::Complete(path)) => complete(&path, sources, seen).map(|()| None),
            Err(error) => Err(error.into()),
        }
    }

    /// What the answers depend on: a resumed output must have the same.
    pub fn settings(&self) -> [(&'static str, String); 4] {
        let within = self.within.clone().unwrap_or_else(|| "the whole earth".to_owned());
        [
            ("--top", self.top.to_string()),
            ("--certain", self.certain.to_string()),
            ("--within", within),
            ("--no-names", self.no_names.to_string()),
        ]
    }
}
