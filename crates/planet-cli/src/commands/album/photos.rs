//! The photos that album commands look at, and what a model says of them.

use planet::{
    Engine, LocateError, LocateOptions, Locator, LocatorOptions, ModelPackage, album::Embeddings,
    locate,
};
use planet_data::{
    DiskStore, Found, Gazetteer, Loader, LoaderOptions, Manifest, Monitor, common_root, scan,
    table::TableSource,
};
use planet_geo::Partition;
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::spool::Spool;
use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// Photos that the engine takes at once.
const BATCH: usize = 8;

/// A folder, whose photos' headers are read, or a manifest.
pub fn read(photos: &str, root: Option<&Path>) -> Result<Manifest, Failure> {
    if !Path::new(photos).is_dir() {
        let source = TableSource::parse(photos);
        if !source.is_standard_input() && !source.path.exists() {
            let what = format!("no such file or folder: {photos}");
            return Err(Failure::new(what).hint(
                "name a folder of photos or a manifest; to create a manifest, run planet dataset \
                 scan FOLDER -o photos.csv",
            ));
        }
        let manifest = Manifest::load(&source, root).map_err(Failure::new)?;
        if manifest.records.is_empty() {
            return Err(Failure::new(format!("{source} has no photos")));
        }
        return Ok(manifest);
    }
    let folders = [PathBuf::from(photos)];
    let root = common_root(&folders).map_err(Failure::new)?;
    let mut records = Vec::new();
    let (mut unread, mut noted) = (0u64, 0u64);
    let progress = Progress::new("photos");
    scan(&folders, &root, &HashSet::new(), &progress, |photo| {
        match photo {
            Ok(Found::New(scanned)) => {
                noted += u64::from(!scanned.notes.is_empty());
                records.push(scanned.record);
            }
            Ok(Found::Known(_)) => {}
            Err(error) => {
                unread += 1;
                progress.say(&error.to_string());
            }
        }
        Ok(())
    })
    .map_err(Failure::new)?;
    progress.finish();
    if unread > 0 {
        anstream::eprintln!("{unread} files cannot be read; planet dataset scan lists them");
    }
    if noted > 0 {
        anstream::eprintln!(
            "{noted} photos have invalid or contradictory metadata, which is ignored; planet dataset scan lists it"
        );
    }
    match records.is_empty() {
        true => Err(Failure::new(format!("no photos in {photos}"))),
        false => Ok(Manifest { root, records }),
    }
}

/// A model's word on photos: class probabilities, kept on the disk.
pub struct Said {
    pub partition: Arc<Partition>,
    pub spool: Spool,
    /// Why a photo has none, by row.
    pub failed: Vec<(usize, String)>,
}

impl Said {
    /// Runs the model over the photos that `wanted` says yes to; their embeddings are put in
    /// where there is something to put them in.
    pub fn of(
        package: &ModelPackage,
        engine: &EngineChoice,
        manifest: &Manifest,
        wanted: impl Fn(usize) -> bool,
        mut embeddings: Option<&mut Embeddings>,
    ) -> Result<Self, Failure> {
        let description = package.description();
        let mut engine = engine.open_package(package)?;
        let partition = Arc::new(package.partition().clone());
        // Of each photo the distribution is wanted, not the names of places.
        let options = LocatorOptions { top: 1, names: false, ..LocatorOptions::default() };
        let gazetteer = Arc::new(Gazetteer::new());
        let locator = Locator::for_model(description, Arc::clone(&partition), options, gazetteer)
            .map_err(Failure::new)?;
        let rows: Vec<usize> = (0..manifest.records.len()).filter(|row| wanted(*row)).collect();
        let ids: Vec<String> =
            rows.iter().map(|row| manifest.records[*row].photo.clone()).collect();
        let loader = Loader::new(
            Arc::new(DiskStore::new(&manifest.root)),
            ids.clone(),
            description.preprocess.clone(),
            LoaderOptions::evaluation(BATCH),
        )
        .map_err(Failure::new)?;
        let mut spool =
            Spool::new(manifest.records.len(), partition.len()).map_err(Failure::new)?;
        let mut failed = Vec::new();
        let progress = Progress::new("photos");
        progress.expect(ids.len() as u64);
        let engine: &mut dyn Engine = &mut engine;
        let options = LocateOptions { embedding: embeddings.is_some() };
        let ended =
            locate(engine, &loader, &ids, &locator, options, &progress, |at, said, logits| {
                if let (Some(embeddings), Some(embedding)) = (&mut embeddings, &said.embedding) {
                    embeddings.add(&said.photo, embedding);
                }
                match (said.error, locator.probabilities(logits)) {
                    (None, Ok(probabilities)) => {
                        spool.put(rows[at], probabilities.values()).map_err(Failure::new)?;
                    }
                    (error, _) => failed.push((rows[at], error.unwrap_or_default())),
                }
                Ok(())
            });
        progress.finish();
        ended.map_err(|error| match error {
            LocateError::Taken(failure) => failure,
            LocateError::Engine(error) => Failure::new(error),
            LocateError::Loader(error) => Failure::new(error),
            LocateError::Cancelled => Failure::new("interrupted"),
        })?;
        Ok(Self { partition, spool, failed })
    }
}
