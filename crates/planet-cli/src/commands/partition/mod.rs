//! `planet partition`: divide the earth into classes, look at the result, judge it.

pub mod build;
mod ceiling;
mod compare;
pub mod files;
mod geotags;
mod map;
mod show;
mod uniform;

use clap::{Args, Subcommand, ValueEnum};
use planet_geo::Point;

use crate::failure::Failure;

/// `planet partition …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Divide the earth adaptively: split cells with many photos, drop those with few
    Build(build::Arguments),
    /// Divide the earth into the cells of one level that hold photos
    Uniform(uniform::Arguments),
    /// Describe a partition: its rules, classes, levels and photos
    Show(show::Arguments),
    /// Draw a partition (SVG, PNG) or write it for other programs (GeoJSON, KML, CSV)
    Map(map::Arguments),
    /// Compare two partitions: shared cells, finer and coarser ones, ground
    Compare(compare::Arguments),
    /// How accurate the best possible answers of a partition could be on some positions
    Ceiling(ceiling::Arguments),
}

/// Which position answers for a class
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PointChoice {
    /// Mean position of the class's photos
    Mean,
    /// Centre of the cell, as in the paper
    Centre,
}

impl From<PointChoice> for Point {
    fn from(choice: PointChoice) -> Self {
        match choice {
            PointChoice::Mean => Self::Mean,
            PointChoice::Centre => Self::Centre,
        }
    }
}

/// Runs one of the subcommands.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Build(arguments) => build::run(arguments),
        Command::Uniform(arguments) => uniform::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Map(arguments) => map::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Ceiling(arguments) => ceiling::run(arguments),
    }
}
