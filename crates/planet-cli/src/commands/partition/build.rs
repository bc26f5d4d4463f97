use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use planet::map::Region;
use planet_geo::{Adaptive, BuildError, Keep, Level, Partition};

use super::{
    PointChoice,
    files::{Format, talk},
    geotags::GeotagArguments,
};
use crate::failure::Failure;

/// `planet partition build GEOTAGS... -o P`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    geotags: GeotagArguments,
    /// Output file: .csv (also .gz, .zst), .geojson, .kml, .svg or .png; - is standard output
    #[arg(short, long, value_name = "P")]
    output: PathBuf,
    /// Split cells with more photos than this (t1 in the paper)
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    split_above: u64,
    /// Keep cells with at least this many photos (t2 in the paper)
    #[arg(long, value_name = "N", default_value_t = 50)]
    keep_from: u64,
    /// Keep cells with more photos than this (the rule of other authors)
    #[arg(long, value_name = "N", conflicts_with = "keep_from")]
    keep_more_than: Option<u64>,
    /// Always split cells that are coarser than this level
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=30))]
    min_level: u8,
    /// Never split cells of this level, even if many photos share one coordinate
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u8).range(0..=30))]
    max_level: u8,
    /// Position that is the answer of a class
    #[arg(long, value_enum, default_value = "mean")]
    point: PointChoice,
}

/// Builds the adaptive partition of the paper.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = Format::of(&arguments.output)?;
    let rules = Adaptive {
        split_above: arguments.split_above,
        keep: arguments.keep_more_than.map_or(Keep::From(arguments.keep_from), Keep::MoreThan),
        min_level: Level::new(arguments.min_level).map_err(Failure::usage)?,
        max_level: Level::new(arguments.max_level).map_err(Failure::usage)?,
        point: arguments.point.into(),
        source: arguments.geotags.source(),
    };
    rules.check().map_err(refused)?;
    let photos = arguments.geotags.leaves()?;
    let partition = rules.build(&photos).map_err(refused)?;
    format.write(&partition, &arguments.output, Region::WORLD)?;
    summarise(&partition, &arguments.output)
}

/// A partition that cannot be built, with the cure.
pub fn refused(error: BuildError) -> Failure {
    match error {
        BuildError::KeepsLess { .. } => {
            Failure::usage(error).hint("lower --keep-from or raise --split-above")
        }
        BuildError::Levels { .. } => {
            Failure::usage(error).hint("lower --min-level or raise --max-level")
        }
        BuildError::NothingKept { .. } => Failure::new(error).hint("lower --keep-from"),
        error => Failure::new(error),
    }
}

/// Says how many classes there are and how many photos they hold.
pub fn summarise(partition: &Partition, path: &Path) -> Result<(), Failure> {
    let kept: u64 = partition.classes().iter().map(|class| class.photos).sum();
    let outside = partition.info().photos_outside.unwrap_or(0);
    let share = 100.0 * kept as f64 / (kept + outside).max(1) as f64;
    let mut out = talk(path);
    writeln!(out, "classes         {}", partition.len())?;
    writeln!(out, "photos inside   {kept} ({share:.2} %)")?;
    writeln!(out, "photos outside  {outside}")?;
    writeln!(out, "fingerprint     {}", partition.fingerprint())?;
    Ok(())
}
