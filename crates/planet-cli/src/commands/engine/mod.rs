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
    /// List inference engines and training backends, the default engine, and how to get a faster one
    List(list::Arguments),
    /// Measure the speed of a model in every available engine
    Bench(bench::Arguments),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        EngineCommand::List(arguments) => list::run(arguments),
        EngineCommand::Bench(arguments) => bench::run(arguments),
    }
}
