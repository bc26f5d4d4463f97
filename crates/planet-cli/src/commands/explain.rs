//! `planet explain`: which parts of a photo an answer rests on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use planet::{
    LocatorOptions,
    occlusion::{Fill, Occlusion, OcclusionOptions, Search, Target, passes, to_page},
};
use planet_data::{AtomicFile, Gazetteer};
use planet_geo::Scale;

use super::{locate::sources::SourceArguments, synthetic::Warnings};
use crate::{engine_choice::EngineChoice, failure::Failure, overwrite, progress::Progress};

/// `planet explain PHOTO... --model MODEL -o FILE`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: SourceArguments,
    /// Whose probability is watched: truth, best, LAT,LNG, the token of an S2 cell, or a country's
    /// code; by default the truth where the photo states it, else the best answer
    #[arg(long, value_name = "TARGET", allow_hyphen_values = true)]
    target: Option<Target>,
    /// Side of the hidden squares, as a share of the photo's longer side
    #[arg(long = "box", value_name = "SHARE", default_value_t = 0.2)]
    side: f64,
    /// From one square to the next, as a share of the longer side
    #[arg(long, value_name = "SHARE", default_value_t = 0.07)]
    stride: f64,
    /// What stands in the place of a hidden part
    #[arg(long, value_enum, default_value = "grey")]
    fill: FillName,
    /// Watch the target's cell, or everything within a scale's radius of the target
    #[arg(long, value_enum, default_value = "cell")]
    scale: ScaleName,
    /// Large squares first, then small ones where it matters: half the passes
    #[arg(long)]
    coarse_to_fine: bool,
    /// File to write: .png, .svg, .html or .json; several photos have numbered pictures, and
    /// one page or one list
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Variations that the engine takes at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=512))]
    batch: u16,
    #[command(flatten)]
    engine: EngineChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FillName {
    /// 127.5 of 255
    Grey,
    /// The photo itself, blurred
    Blur,
    /// The photo's mean colour
    Mean,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScaleName {
    /// The target's cell
    Cell,
    /// 1 km
    Street,
    /// 25 km
    City,
    /// 200 km
    Region,
    /// 750 km
    Country,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Svg,
    Html,
    Json,
}

impl Kind {
    fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            Some("html" | "htm") => Ok(Self::Html),
            Some("json") => Ok(Self::Json),
            _ => Err(Failure::usage(format!("'{}' names no kind of picture", path.display()))
                .hint("end it in .png, .svg, .html or .json")),
        }
    }
}

/// A photo and its map, or what is wrong with it.
type Outcome = (String, Result<Occlusion, String>);

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let kind = Kind::of(&arguments.output)?;
    let options = arguments.options();
    options.check().map_err(Failure::usage)?;
    let (sources, package) = arguments.source.open()?;
    let photos: Vec<_> = sources
        .ids()
        .iter()
        .enumerate()
        .map(|(row, id)| (id.clone(), sources.truth(row)))
        .collect();
    if matches!(kind, Kind::Png | Kind::Svg) {
        let names = (1..=photos.len()).map(|it| numbered(&arguments.output, it, photos.len()));
        names.into_iter().try_for_each(|name| overwrite::file(&name))?;
    }
    let gazetteer = Arc::new(Gazetteer::new());
    let mut model = arguments.engine.open_model(package, LocatorOptions::default(), gazetteer)?;

    let mut warnings = Warnings::of(&model.description().provenance);
    let warned = |(photo, _): &(String, _)| warnings.about(&sources.root().join(photo));
    if let Some(warning) = photos.iter().find_map(warned) {
        anstream::eprintln!("warning: {warning}");
    }
    let each = passes(&options, [1 << 16; 2]);
    anstream::eprintln!("{} photos, at most {each} passes each", photos.len());
    let progress = Progress::new("passes");
    let store = sources.store();
    let mut outcomes: Vec<Option<Outcome>> = photos.iter().map(|_| None).collect();
    let ended = model.explain(&*store, &photos, &options, &progress, |row, result| {
        let result = result.map_err(|error| error.to_string());
        outcomes[row] = Some((photos[row].0.clone(), result));
    });
    progress.finish();
    ended.map_err(Failure::new)?;
    let outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
    write(kind, &arguments.output, &outcomes)?;
    conclude(&outcomes)
}

impl Arguments {
    fn options(&self) -> OcclusionOptions {
        OcclusionOptions {
            target: self.target.clone().unwrap_or_default(),
            scale: match self.scale {
                ScaleName::Cell => None,
                ScaleName::Street => Some(Scale::Street),
                ScaleName::City => Some(Scale::City),
                ScaleName::Region => Some(Scale::Region),
                ScaleName::Country => Some(Scale::Country),
            },
            side: self.side,
            stride: self.stride,
            fill: match self.fill {
                FillName::Grey => Fill::Grey,
                FillName::Blur => Fill::Blur,
                FillName::Mean => Fill::Mean,
            },
            search: if self.coarse_to_fine { Search::CoarseToFine } else { Search::Every },
            batch: self.batch.into(),
        }
    }
}

/// One page, one list, or a picture a photo.
fn write(kind: Kind, output: &Path, outcomes: &[Outcome]) -> Result<(), Failure> {
    let failed =
        |path: &Path, error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    let save = |path: &Path, bytes: &[u8]| {
        AtomicFile::write_all_at(path, bytes).map_err(|error| failed(path, error))
    };
    match kind {
        Kind::Html => save(output, to_page(outcomes).map_err(Failure::new)?.as_bytes()),
        Kind::Json => {
            let one = |(photo, result): &Outcome| match result {
                Ok(found) => found.to_json(),
                Err(error) => serde_json::json!({ "photo": photo, "error": error }),
            };
            let text = match outcomes {
                [only] => one(only).to_string(),
                _ => serde_json::Value::from_iter(outcomes.iter().map(one)).to_string(),
            };
            save(output, format!("{text}\n").as_bytes())
        }
        Kind::Png | Kind::Svg => {
            for (number, (_, result)) in (1..).zip(outcomes) {
                let Ok(found) = result else { continue };
                let bytes = match kind {
                    Kind::Png => found.to_png().map_err(Failure::new)?,
                    _ => found.to_svg().map_err(Failure::new)?.into_bytes(),
                };
                save(&numbered(output, number, outcomes.len()), &bytes)?;
            }
            Ok(())
        }
    }
}

/// `maps.png` of several photos is `maps-1.png`, `maps-2.png` and so on, in the photos' order.
fn numbered(output: &Path, number: usize, photos: usize) -> PathBuf {
    if photos == 1 {
        return output.to_owned();
    }
    let part =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let name = format!("{}-{number}.{}", part(output.file_stem()), part(output.extension()));
    output.with_file_name(name)
}

fn conclude(outcomes: &[Outcome]) -> Result<(), Failure> {
    let failed = outcomes.iter().filter(|(_, result)| result.is_err()).count();
    for (photo, result) in outcomes {
        match result {
            Err(error) => anstream::eprintln!("{photo}: {error}"),
            Ok(found) => {
                for region in found.regions(3) {
                    let at = region.hidden;
                    anstream::eprintln!(
                        "{photo}: {}×{} pixels at {},{}: {}",
                        at.width,
                        at.height,
                        at.left,
                        at.top,
                        region.sentence()
                    );
                }
            }
        }
    }
    if failed == outcomes.len() {
        return Err(Failure::new(format!("{failed} of {failed} photos have no map")));
    }
    Ok(())
}
