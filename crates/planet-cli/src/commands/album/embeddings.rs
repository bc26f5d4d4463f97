use std::path::Path;

use planet::{
    Engine, ModelPackage,
    album::{Embeddings, EmbeddingsError},
};
use planet_data::Manifest;

use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// The embeddings of a manifest's photos, from the cache in a folder where they are there, else
/// computed and put there. Photos that cannot be decoded are named and have none.
pub fn of(
    manifest: &Manifest,
    package: &ModelPackage,
    cache: &Path,
    engine: &EngineChoice,
) -> Result<Embeddings, Failure> {
    let (mut embeddings, path) =
        Embeddings::cached(cache, manifest, package).map_err(Failure::new)?;
    let missing = embeddings.missing(manifest).len();
    if missing == 0 {
        return Ok(embeddings);
    }
    let mut engine = engine.open_package(package)?;
    let progress = Progress::new("photos");
    progress.say(&format!("computing embeddings of {missing} photos with {}", engine.name()));
    let failed = embeddings.complete(&mut engine, package, manifest, &path, &progress);
    progress.finish();
    for photo in failed.map_err(|error| failure(&error))? {
        anstream::eprintln!("{}: {}", photo.photo, photo.error);
    }
    Ok(embeddings)
}

/// Why there are no embeddings, and how to go on.
pub fn failure(error: &EmbeddingsError) -> Failure {
    let failure = Failure::new(error);
    match error {
        EmbeddingsError::Cancelled { .. } => failure.hint("run the same command again to continue"),
        _ => failure,
    }
}
