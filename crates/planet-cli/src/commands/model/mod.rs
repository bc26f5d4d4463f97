mod check;
mod import;
mod quantize;
mod show;
mod verify;

use clap::{Args, Subcommand};

pub use self::{import::three, quantize::Settings as QuantizeSettings};
use crate::failure::Failure;

/// `planet model …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Describe a package, or an architecture's layers, shapes, parameters and multiply-adds
    Show(show::Arguments),
    /// Check a package: hashes, classes and a forward pass in every available engine
    Verify(verify::Arguments),
    /// Import an ONNX classifier of another project as a model package
    Import(Box<import::Arguments>),
    /// Make a package in 8 bits (a quarter of the size, and faster with ONNX Runtime) or with weights in 16
    /// bits (half of the size)
    Quantize(quantize::Arguments),
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        ModelCommand::Show(arguments) => show::run(arguments),
        ModelCommand::Verify(arguments) => verify::run(arguments),
        ModelCommand::Import(arguments) => import::run(arguments),
        ModelCommand::Quantize(arguments) => quantize::run(arguments),
    }
}
