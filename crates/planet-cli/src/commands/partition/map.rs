use std::path::PathBuf;

use clap::Args;
use planet::map::Region;

use super::files::{self, Format};
use crate::failure::Failure;

/// `planet partition map P -o FILE [--region S,W,N,E]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// Partition file, in PlaNet's layout or one of three others; - is standard input
    partition: PathBuf,
    /// Output file: .svg, .png, .geojson, .kml or .csv
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Region to draw, in degrees: SOUTH,WEST,NORTH,EAST (.svg and .png only)
    #[arg(long, value_name = "S,W,N,E", allow_hyphen_values = true)]
    region: Option<Region>,
}

/// Draws a partition, or writes it for other programs.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let format = Format::of(&arguments.output)?;
    if arguments.region.is_some() && !matches!(format, Format::Svg | Format::Png) {
        return Err(Failure::usage("--region applies only to images")
            .hint("use the extension .svg or .png"));
    }
    let partition = files::read(&arguments.partition)?;
    format.write(&partition, &arguments.output, arguments.region.unwrap_or(Region::WORLD))
}
