//! `planet train --task near-duplicates`: a model whose codes are near for photos that show the same
//! picture.

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use planet_data::DiskStore;
use planet_train::{CodeRunParts, CodeSamples, RunFolder, StopReason, TrainConfig};

use super::{Counted, Start, TrainProgress, conclude, manifest, ranks};
use crate::failure::Failure;

/// Trains one model.
pub fn run(folder: RunFolder, config: TrainConfig, start: Start) -> Result<(), Failure> {
    if ranks::several()? {
        return Err(Failure::usage("--task near-duplicates trains in a single process"));
    }
    let dataset = config.dataset.as_deref().ok_or_else(|| {
        Failure::usage("no training photos were specified")
            .hint("name them with --dataset MANIFEST:train (planet dataset scan writes a manifest)")
    })?;
    let root = config.root.as_deref();
    let training = samples(dataset, root)?;
    let validation = config.validation.as_deref().map(|it| samples(it, root)).transpose()?;
    let progress = TrainProgress::of_codes();
    progress.codes("training", training.photos.len());
    if let Some(validation) = &validation {
        progress.codes("validation", validation.photos.len());
    }
    let parts = CodeRunParts { folder: folder.clone(), config, training, validation };
    let begun = if start == Start::New { parts.start() } else { parts.resume() };
    let mut run = begun.map_err(super::failure)?;
    progress.begin(&run);
    let ending = run.train(&progress);
    progress.finish();
    let ending: StopReason = ending.map_err(super::failure)?;
    let Some(best) = conclude(&run, ending, "planet train", Counted::Copies, &folder)? else {
        return Ok(());
    };
    let Some(scores) = &best.validation else { return Ok(()) };
    let mut out = io::stdout().lock();
    writeln!(out, "epoch        {:>7}", best.epoch)?;
    writeln!(
        out,
        "copies       {:>6.2}%  found at the distance for the export",
        100.0 * scores.cell_1
    )?;
    writeln!(out, "copies       {:>6.2}%  found against 10,000 photos", 100.0 * scores.cell_5)?;
    writeln!(out, "bits         {:>6.2}%  differ between photo and copy", 100.0 * scores.loss)?;
    Ok(())
}

/// The photos of a manifest, whether they have a position or not.
fn samples(source: &str, root: Option<&Path>) -> Result<CodeSamples, Failure> {
    let manifest = manifest(source, root)?;
    let photos = manifest.records.into_iter().map(|record| record.photo).collect();
    Ok(CodeSamples { store: Arc::new(DiskStore::new(manifest.root)), photos })
}
