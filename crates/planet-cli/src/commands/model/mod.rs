mod show;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// `planet model show`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Describe an architecture: layers, shapes, parameters, work
    Show(show::Arguments),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        ModelCommand::Show(arguments) => show::run(arguments),
    }
}
