//! `planet album`: photos located through their neighbours.

mod embeddings;
mod locate;
mod photos;
mod seek;
mod spool;
mod train;

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
    /// Train an LSTM on albums, on top of a model whose network stays as it is
    Train(Box<train::Arguments>),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Locate(arguments) => locate::run(arguments),
        Command::Seek(arguments) => seek::run(arguments),
        Command::Train(arguments) => train::run(arguments),
    }
}
