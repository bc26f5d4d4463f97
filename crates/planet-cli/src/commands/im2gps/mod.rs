//! `planet im2gps`: photos located by similar photos.

mod index;
mod locate;
mod page;

use clap::{Args, Subcommand};
use planet_im2gps::IndexError;

use crate::failure::Failure;

/// `planet im2gps …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build an index of photos with positions
    // Its --version names the method, not the program's version.
    #[command(disable_version_flag = true)]
    Index(index::Arguments),
    /// Locate photos by the photos of an index
    Locate(Box<locate::Arguments>),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Index(arguments) => index::run(arguments),
        Command::Locate(arguments) => locate::run(arguments),
    }
}

/// Failures as the command tells them.
pub fn failure(error: IndexError) -> Failure {
    match error {
        IndexError::Compressed { .. } => Failure::usage(error),
        error => Failure::new(error),
    }
}
