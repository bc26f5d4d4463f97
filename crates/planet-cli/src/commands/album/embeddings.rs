use planet::{Engine, ModelPackage, album::Embeddings};
use planet_data::{DiskStore, Loader, LoaderOptions, Manifest};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// Photos that an engine takes at once.
const BATCH: usize = 16;

/// What a folder of caches holds of a manifest's photos, and the file that it is kept in.
pub fn cached(
    manifest: &Manifest,
    package: &ModelPackage,
    cache: &Path,
) -> Result<(Embeddings, PathBuf), Failure> {
    let key = Embeddings::key(package, &manifest.root);
    let path = Embeddings::file(cache, &key);
    let features = package.description().features;
    let embeddings = Embeddings::read(&path, key, features).map_err(Failure::new)?;
    Ok((embeddings, path))
}

/// The embeddings of a manifest's photos, from the cache in a folder where they are there, else
/// computed and put there. Photos that cannot be decoded are named and have none.
pub fn of(
    manifest: &Manifest,
    package: &ModelPackage,
    cache: &Path,
    engine: &EngineChoice,
) -> Result<Embeddings, Failure> {
    let (mut embeddings, path) = cached(manifest, package, cache)?;
    let photos: Vec<String> = manifest.records.iter().map(|it| it.photo.clone()).collect();
    let missing = embeddings.missing(&photos);
    if missing.is_empty() {
        return Ok(embeddings);
    }
    let mut engine = engine.open_package(package)?;
    let loader = Loader::new(
        Arc::new(DiskStore::new(&manifest.root)),
        missing.clone(),
        package.description().preprocess.clone(),
        LoaderOptions::evaluation(BATCH),
    );
    let loader = loader.map_err(Failure::new)?;
    let progress = Progress::new("photos");
    progress.say(&format!(
        "computing embeddings of {} photos with {}",
        missing.len(),
        engine.name()
    ));
    let before = embeddings.len();
    let mut failed = Vec::new();
    let whole = embeddings.compute(&mut engine, &loader, &missing, &progress, |photo| {
        failed.push(format!("{}: {}", photo.photo, photo.error));
    });
    progress.finish();
    failed.iter().for_each(|line| anstream::eprintln!("{line}"));
    if embeddings.len() > before {
        embeddings.write(&path).map_err(Failure::new)?;
    }
    match whole {
        Ok(true) => Ok(embeddings),
        Ok(false) => {
            let done = embeddings.len() - before;
            let what = format!("interrupted; {done} embeddings are saved in {}", path.display());
            Err(Failure::new(what).hint("run the same command again to continue"))
        }
        Err(error) => Err(Failure::new(error)),
    }
}
