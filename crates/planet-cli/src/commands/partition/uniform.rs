use std::path::PathBuf;

use clap::Args;
use planet::map::Region;
use planet_geo::{Keep, Level, Uniform};

use super::{
    PointChoice,
    build::{refused, summarise},
    files::Format,
    geotags::GeotagArguments,
};
use crate::failure::Failure;

/// `planet partition uniform GEOTAGS... --level N -o P`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    geotags: GeotagArguments,
    /// Level of the cells (4 in the paper's small model)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=30))]
    level: u8,
    /// Keep cells with at least this many photos
    #[arg(long, value_name = "N", default_value_t = 1)]
    keep_from: u64,
    /// Position that is the answer of a class
    #[arg(long, value_enum, default_value = "mean")]
    point: PointChoice,
    /// Output file: .csv (also .gz, .zst), .geojson, .kml, .svg or .png; - is standard output
    #[arg(short, long, value_name = "P")]
    output: PathBuf,
}

/// Builds the partition of one level.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = Format::of(&arguments.output)?;
    let rules = Uniform {
        level: Level::new(arguments.level).map_err(Failure::usage)?,
        keep: Keep::From(arguments.keep_from),
        point: arguments.point.into(),
        source: arguments.geotags.source(),
    };
    let photos = arguments.geotags.leaves()?;
    let partition = rules.build(&photos).map_err(refused)?;
    format.write(&partition, &arguments.output, Region::WORLD)?;
    summarise(&partition, &arguments.output)
}
