//! `--features`: photos of a library are located by the known photos that look like them.

use std::path::PathBuf;

use clap::Args;
use planet::{
    FeatureModel,
    retrieval::{Extractor, Pooling, Recipe},
};
use planet_data::{DiskStore, Manifest};
use planet_library::LookAlikes;

use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// Options about look-alikes.
#[derive(Args, Debug)]
pub struct FeatureArguments {
    /// Model package whose features tell which photos look alike: photos without a time, or days
    /// from all known ones, are located by the known photos that look like them
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
        // The map of the last convolution where the package has one, otherwise the embedding.
        let pooling = if model.map().is_some() { POOLING } else { Pooling::Embedding };
        let recipe = Recipe { pooling, ..Recipe::default() };
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

/// Generalised mean of the map (Radenović et al. 2018).
const POOLING: Pooling = Pooling::Gem { power: 3.0 };
