mod check;
mod import;
mod show;
mod verify;

use clap::{Args, Subcommand};

use crate::failure::Failure;

/// `planet model …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Describe an architecture: layers, shapes, parameters, work
    Show(show::Arguments),
    /// Check a package: hashes, classes, a forward pass in every engine at hand
    Verify(verify::Arguments),
    /// Make a package of somebody else's classifier
    Import(Box<import::Arguments>),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        ModelCommand::Show(arguments) => show::run(arguments),
        ModelCommand::Verify(arguments) => verify::run(arguments),
        ModelCommand::Import(arguments) => import::run(arguments),
    }
}
