//! The photos of album and library commands, and a model's output for them.

use clap::Args;
use planet::{
    LocatorOptions, ModelPackage,
    album::{Embeddings, PhotoProbabilities},
};
use planet_data::{Found, Gazetteer, Manifest, common_root, scan, table::TableSource};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    commands::synthetic::Warnings, engine_choice::EngineChoice, failure::Failure,
    progress::Progress,
};

/// A library's photos, and the model that is run on them.
#[derive(Args, Debug)]
pub struct SourceArguments {
    /// A folder of photos, or a manifest (M or M:SPLIT)
    #[arg(value_name = "DIR|M")]
    pub photos: String,
    /// Folder that a manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Model package; without one, only times and known positions are used
    #[arg(long, value_name = "MODEL")]
    pub model: Option<PathBuf>,
}

impl SourceArguments {
    /// The photos' manifest.
    pub fn read(&self) -> Result<Manifest, Failure> {
        read(&self.photos, self.root.as_deref())
    }
}

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

/// Runs a model over the photos of a manifest that `wanted` chooses.
pub fn probabilities(
    package: &ModelPackage,
    engine: &EngineChoice,
    manifest: &Manifest,
    wanted: impl Fn(usize) -> bool,
    embeddings: Option<&mut Embeddings>,
) -> Result<PhotoProbabilities, Failure> {
    // Of each photo the distribution is wanted, not the names of places.
    let options = LocatorOptions { top: 1, names: false, ..LocatorOptions::default() };
    let mut model = engine.open_model(package.clone(), options, Arc::new(Gazetteer::new()))?;
    warn(package, manifest);
    let progress = Progress::new("photos");
    let computed = PhotoProbabilities::compute(&mut model, manifest, wanted, embeddings, &progress);
    progress.finish();
    Ok(computed?)
}

/// Says where a model's answers to these photos cannot be relied on.
pub fn warn(package: &ModelPackage, manifest: &Manifest) {
    let mut warnings = Warnings::of(&package.description().provenance);
    if let Some(warning) = warnings.about(&manifest.root.join("photo")) {
        anstream::eprintln!("warning: {warning}");
    }
}
