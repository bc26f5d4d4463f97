mod bench;
mod list;
mod maps;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// `planet engine list | bench`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: EngineCommand,
}

#[derive(Debug, Subcommand)]
enum EngineCommand {
    /// Say which engines are here, which would be used, and how to get a faster one
    List(list::Arguments),
    /// Time a model in every engine that is here
    Bench(bench::Arguments),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        EngineCommand::List(arguments) => list::run(arguments),
        EngineCommand::Bench(arguments) => bench::run(arguments),
    }
}
