mod duplicates;
mod enrich;
mod filter;
mod import;
mod manifest;
mod scan;
mod show;
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
    /// Read the headers of every photo in some folders into a manifest
    Scan(scan::Arguments),
    /// Read a dataset of another layout into a manifest
    Import(import::Arguments),
    /// Add hashes, the photo score and countries
    Enrich(enrich::Arguments),
    /// Count what a manifest holds, and draw it on a map
    Stats(stats::Arguments),
    /// Divide a manifest into training, validation and test by groups
    Split(split::Arguments),
    /// Find photos that look alike
    Duplicates(duplicates::Arguments),
    /// Take photos out of a manifest
    Filter(filter::Arguments),
    /// Draw a contact sheet
    Show(show::Arguments),
}

/// Runs one of the commands.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Scan(arguments) => scan::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Enrich(arguments) => enrich::run(arguments),
        Command::Stats(arguments) => stats::run(arguments),
        Command::Split(arguments) => split::run(arguments),
        Command::Duplicates(arguments) => duplicates::run(arguments),
        Command::Filter(arguments) => filter::run(arguments),
        Command::Show(arguments) => show::run(arguments),
    }
}
