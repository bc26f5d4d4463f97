mod classifier;
mod duplicates;
mod enrich;
mod filter;
mod import;
mod manifest;
mod rejection;
mod review;
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
    /// Write a manifest of the photos in folders, from their headers
    Scan(scan::Arguments),
    /// Convert a dataset of another layout into a manifest
    Import(import::Arguments),
    /// Add hashes, photo scores, countries and a classifier's labels to a manifest
    Enrich(enrich::Arguments),
    /// Summarise a manifest and draw a map of its photos
    Stats(stats::Arguments),
    /// Split a manifest by groups into training, validation and test
    Split(split::Arguments),
    /// Find duplicate photos
    Duplicates(duplicates::Arguments),
    /// Remove photos from a manifest
    Filter(filter::Arguments),
    /// Draw a contact sheet of some photos
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
