//! `planet retrieve`: photos that show what another one shows.

mod cluster;
mod evaluate;
mod index;
mod recipe;
mod search;

use std::{path::Path, sync::Arc};

use clap::{Args, Subcommand};
use planet::{
    FeatureModel,
    retrieval::{Extractor, Recipe, RetrievalError},
};
use planet_data::{DiskStore, PathStore, PhotoError, PhotoStore};

use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// `planet retrieve …`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compute the features of photos and write them into an index
    Index(Box<index::Arguments>),
    /// Divide an index into lists of similar photos, so that searches read only some of it
    Cluster(cluster::Arguments),
    /// Find the photos of an index that are most similar to other photos
    Search(Box<search::Arguments>),
    /// Score a model by the protocol of INRIA Holidays
    Evaluate(Box<evaluate::Arguments>),
}

/// Runs one of the commands.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Index(arguments) => index::run(arguments),
        Command::Cluster(arguments) => cluster::run(arguments),
        Command::Search(arguments) => search::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments),
    }
}

impl From<RetrievalError> for Failure {
    fn from(error: RetrievalError) -> Self {
        match error {
            RetrievalError::Recipe(what) => Self::usage(what),
            error => Self::new(error),
        }
    }
}

/// A model and its engine, ready to describe photos.
pub fn extractor(
    model: &Path,
    engine: &EngineChoice,
    recipe: Recipe,
) -> Result<Extractor, Failure> {
    let model = FeatureModel::open(model).map_err(Failure::new)?;
    recipe.check(&model)?;
    let engine = Box::new(engine.open_features(&model)?);
    Ok(Extractor::new(model, engine, recipe)?)
}

/// Learns the whitening that the recipe asks for.
fn whiten(
    extractor: &mut Extractor,
    store: &Arc<dyn PhotoStore>,
    photos: &[String],
) -> Result<(), Failure> {
    if extractor.recipe().whitening == 0 {
        return Ok(());
    }
    let progress = Progress::new("photos");
    progress.say(&format!("learning the whitening from {} photos", photos.len()));
    let failed =
        |row: usize, error: &PhotoError| progress.say(&format!("{}: {error}", photos[row]));
    let learned = extractor.learn_whitening(&**store, photos, &progress, failed);
    progress.finish();
    Ok(learned?)
}

/// Where the photos of an index lie.
fn store_at(root: &str) -> Arc<dyn PhotoStore> {
    match root {
        "" => Arc::new(PathStore),
        root => Arc::new(DiskStore::new(Path::new(root))),
    }
}
