mod duplicates;
mod filter;
mod import;
mod manifest;
mod problems;
mod split;
mod stats;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// `planet dataset …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a dataset of another layout into a manifest
    Import(import::Arguments),
    /// Count what a manifest holds, and draw it on a map
    Stats(stats::Arguments),
    /// Divide a manifest into training, validation and test by groups
    Split(split::Arguments),
    /// Find photos that look alike
    Duplicates(duplicates::Arguments),
    /// Take photos out of a manifest
    Filter(filter::Arguments),
}

/// Runs one of the commands.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Import(arguments) => import::run(arguments),
        Command::Stats(arguments) => stats::run(arguments),
        Command::Split(arguments) => split::run(arguments),
        Command::Duplicates(arguments) => duplicates::run(arguments),
        Command::Filter(arguments) => filter::run(arguments),
    }
}
