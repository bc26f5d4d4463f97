//! `planet world`: a synthetic earth on which the best possible accuracy is known.

mod ceiling;
mod draw;
mod scenes;
mod show;

use clap::{Args, Subcommand};
use planet_world::{World, WorldError, WorldParameters};

use crate::failure::Failure;

/// `planet world …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Draw photos or albums into a folder, with their truth
    Draw(draw::Arguments),
    /// Draw views of many scenes, to measure retrieval
    Scenes(scenes::Arguments),
    /// How well anybody could do on a synthetic library with a partition
    Ceiling(ceiling::Arguments),
    /// Paint a contact sheet of what a world looks like
    Show(show::Arguments),
}

/// Runs one of the subcommands.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Draw(arguments) => draw::run(arguments),
        Command::Scenes(arguments) => scenes::run(arguments),
        Command::Ceiling(arguments) => ceiling::run(arguments),
        Command::Show(arguments) => show::run(arguments),
    }
}

/// The usual world of a seed.
fn world(seed: u64) -> Result<World, Failure> {
    World::draw(WorldParameters::new(seed)).map_err(failure)
}

fn failure(error: WorldError) -> Failure {
    let hint = match &error {
        WorldError::Parameter { .. } => return Failure::usage(error),
        WorldError::Unknown { .. } => "give the manifest of a folder made by planet world draw",
        WorldError::Truth { .. } => "draw the folder anew: planet world draw",
        _ => return Failure::new(error),
    };
    Failure::new(error).hint(hint)
}
