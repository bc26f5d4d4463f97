//! `--features`: photos of a library are located by the known photos that look like them.

use std::path::PathBuf;

use clap::Args;
use planet::{
    FeatureModel,
    retrieval::{Extractor, Recipe, Views},
};
use planet_data::{DiskStore, Manifest};
use planet_library::LookAlikes;

use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// Options about look-alikes.
#[derive(Args, Debug)]
pub struct FeatureArguments {
    /// Model package whose features tell which photos look alike: photos without a time are located
    /// by the known photos that look like them, and clocks are compared by photos of the same moment
    #[arg(long, value_name = "MODEL")]
    features: Option<PathBuf>,
}

impl FeatureArguments {
    /// What the photos look like; `None` without `--features`.
    pub fn compute(
        &self,
        manifest: &Manifest,
        engine: &EngineChoice,
    ) -> Result<Option<LookAlikes>, Failure> {
        let Some(model) = &self.features else { return Ok(None) };
        let model = FeatureModel::open(model).map_err(Failure::new)?;
        let recipe = Recipe { views: Views::Mirrored, ..Recipe::default() };
        let engine = Box::new(engine.open_features(&model)?);
        let mut extractor = Extractor::new(model, engine, recipe)?;
        let store = DiskStore::new(&manifest.root);
        let progress = Progress::new("photos");
        progress.say(&format!("comparing what {} photos look like", manifest.records.len()));
        let computed = LookAlikes::compute(
            &mut extractor,
            &store,
            &manifest.records,
            &progress,
            |photo, error| {
                progress.say(&format!("{photo}: {error}"));
            },
        );
        progress.finish();
        Ok(Some(computed?))
    }
}
