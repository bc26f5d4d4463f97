use std::path::PathBuf;

use clap::Args;
use planet::map::Region;
use planet_geo::Merge;

use super::{
    build::{refused, summarise},
    files::{self, Format},
};
use crate::failure::Failure;

/// `planet partition merge P --classes N -o Q`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Partition whose cells are merged
    partition: PathBuf,
    /// Number of classes to leave
    #[arg(long, value_name = "N")]
    classes: usize,
    /// Random seed: other seeds merge other cells
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Output file: .csv (also .gz, .zst), .geojson, .kml, .svg or .png; - is standard output
    #[arg(short, long, value_name = "Q")]
    output: PathBuf,
}

/// Merges the class with the fewest photos with its nearest until so many are left.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = Format::of(&arguments.output)?;
    let partition = files::read(&arguments.partition)?;
    let rules = Merge { classes: arguments.classes, seed: arguments.seed };
    let merged = rules.build(&partition).map_err(refused)?;
    format.write(&merged, &arguments.output, Region::WORLD)?;
    summarise(&merged, &arguments.output)
}
