//! `planet album`: photos located through their neighbours.

mod locate;
mod photos;
mod seek;
mod spool;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// `planet album …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Locate a library: by time, known positions, and a model if there is one
    Locate(Box<locate::Arguments>),
    /// Hide known positions, look for them, and say how well they are found again
    Seek(Box<seek::Arguments>),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Locate(arguments) => locate::run(arguments),
        Command::Seek(arguments) => seek::run(arguments),
    }
}
