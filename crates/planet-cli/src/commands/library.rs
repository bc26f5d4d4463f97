//! `planet library`: locates a user's own photos from known positions, times and, if given, a model.

use clap::{Args, Subcommand};

use super::album::{clocks, locate, validate};
use crate::failure::Failure;

/// `planet library …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Locate the photos of a library from times, known positions and, optionally, a model
    Locate(Box<locate::LibraryArguments>),
    /// Estimate by how much the clocks of cameras are wrong; no file is changed
    Clocks(Box<clocks::Arguments>),
    /// Mask known positions, locate their photos, and report the accuracy
    Validate(Box<validate::Arguments>),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Locate(arguments) => locate::run(arguments),
        Command::Clocks(arguments) => clocks::run(arguments),
        Command::Validate(arguments) => validate::run(arguments),
    }
}
