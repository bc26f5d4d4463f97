//! `planet partition`: build, inspect and evaluate partitions.

pub mod build;
mod ceiling;
mod compare;
pub mod files;
mod geotags;
mod map;
mod merge;
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
    /// Build an adaptive partition: split cells with many photos, drop cells with few
    Build(build::Arguments),
    /// Build a uniform partition of the cells of one level that contain photos
    Uniform(uniform::Arguments),
    /// Describe a partition: its rules, classes, levels and photos
    Show(show::Arguments),
    /// Draw a partition (SVG, PNG), or convert it to GeoJSON, KML or CSV
    Map(map::Arguments),
    /// Merge the cells of a partition into fewer classes, at random, for planet train --heads
    Merge(merge::Arguments),
    /// Compare two partitions: shared, finer and coarser cells, and covered area
    Compare(compare::Arguments),
    /// Compute the best accuracy that a partition allows on a set of positions
    Ceiling(ceiling::Arguments),
}

/// Position that is the answer of a class
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
        Command::Merge(arguments) => merge::run(arguments),
        Command::Compare(arguments) => compare::run(arguments),
        Command::Ceiling(arguments) => ceiling::run(arguments),
    }
}
