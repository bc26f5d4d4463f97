//! `planet album`: photos located through their neighbours.

mod answers;
pub mod clocks;
pub mod common;
mod embed;
mod embeddings;
mod evaluate;
pub mod features;
mod ideals;
mod locate;
pub mod photos;
pub mod tracks;
mod train;
pub mod validate;

use clap::{Args, Subcommand, ValueEnum};
use planet::{
    ModelPackage,
    album::{HmmModel, People, Scheme},
};

pub use self::train::HMM_FILE;

use crate::failure::Failure;

/// `planet album …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Locate the photos of albums together
    Locate(Box<locate::Arguments>),
    /// Evaluate album schemes on photos whose position is known
    Evaluate(Box<evaluate::Arguments>),
    /// Precompute embeddings for album models
    Embed(Box<embed::Arguments>),
    /// Train an album model (LSTM or hmm) on the embeddings of a model
    Train(Box<train::Arguments>),
}

/// Whose photos a library holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PeopleName {
    /// All photos belong to one person, whatever author the files name
    One,
    /// Photos of each author are located separately
    Author,
}

impl PeopleName {
    pub const fn people(self) -> People {
        match self {
            Self::One => People::One,
            Self::Author => People::ByAuthor,
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Locate(arguments) => locate::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
        Command::Embed(arguments) => embed::run(arguments),
        Command::Train(arguments) => train::run(arguments),
    }
}

/// What a package's hidden Markov model learned, else what we suppose.
pub fn hmm_model(package: &ModelPackage) -> Result<HmmModel, Failure> {
    let name = Scheme::Hmm.name();
    if package.description().schemes.iter().all(|scheme| scheme.name != name) {
        return Ok(HmmModel::default());
    }
    let (_, file) = package.scheme(name).map_err(Failure::new)?;
    HmmModel::read(&file).map_err(Failure::new)
}
