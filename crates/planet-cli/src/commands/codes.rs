//! Learned codes of photos: what `planet dataset duplicates --model` and `planet evaluate
//! --duplicates-model` compare.

use std::{path::Path, sync::Arc};

use planet::{CodeModel, near_duplicates::Coder, package::CodeDescription};
use planet_data::{Code, DiskStore, FailedPhoto};

use crate::{engine_choice::EngineChoice, failure::Failure, progress::Progress};

/// Opens a package for near-duplicates with the engine that was chosen.
pub fn open(model: &Path, engine: &EngineChoice) -> Result<Coder, Failure> {
    let model = CodeModel::open(model).map_err(Failure::new)?;
    let engine = Box::new(engine.open_codes(&model)?);
    Ok(Coder::new(model, engine))
}

/// The codes of photos.
pub struct Coded {
    /// In the photos' order; `None` for those that cannot be decoded.
    pub codes: Vec<Option<Code>>,
    /// Photos that cannot be decoded, each with the reason.
    pub failed: Vec<(String, String)>,
}

/// The codes of photos below a folder.
pub fn of(coder: &mut Coder, root: &Path, photos: Vec<String>) -> Result<Coded, Failure> {
    let store = Arc::new(DiskStore::new(root));
    let progress = Progress::new("photos");
    let mut failed = Vec::new();
    let mut note = |it: &FailedPhoto| failed.push((it.photo.clone(), it.error.to_string()));
    let codes = coder.codes(store, photos, &progress, &mut note);
    progress.finish();
    Ok(Coded { codes: codes.map_err(Failure::new)?, failed })
}

/// What a distance costs, against so many photos.
pub fn statement(description: &CodeDescription, distance: u32, against: usize) -> String {
    let matches = &description.false_matches;
    let [removed, most] = [
        matches.removed(distance, against as u64),
        matches.removed_at_most(distance, against as u64),
    ]
    .map(|share| 100.0 * share);
    format!(
        "distance {distance}: of {} pairs of different validation photos, {} are as near; against \
         {against} photos, {removed:.3} % of photos like these are expected to be removed wrongly (95 % \
         interval up to {most:.3} %)",
        matches.pairs(),
        matches.within(distance),
    )
}
