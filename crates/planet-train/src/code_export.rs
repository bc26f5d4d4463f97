use std::{fs::File, io::BufWriter, path::Path};

use planet::{
    CodeModel,
    package::{CodeDraft, MODEL_FILE, NewCodes, Provenance, WEIGHTS_FILE},
};
use planet_net::OnnxInfo;

use crate::{
    Checkpoint, ExportError, RunFolder, TrainConfig, TrainError, TrainTask,
    code_validation::Measured, export::best_checkpoint,
};

/// Makes a package for near-duplicates of a run's best checkpoint: the network as ONNX, and the
/// distance that the run's settings and its validation photos ask for.
///
/// # Errors
/// A run for something else, without a whole epoch or without validation photos; codes of which even
/// equal ones are too often those of different photos; a file that is damaged or cannot be written.
pub fn export_codes(run: &RunFolder, name: &str, place: &Path) -> Result<CodeModel, ExportError> {
    let config = TrainConfig::read(&run.config())?;
    let shown = || run.path().display().to_string();
    if config.task != TrainTask::NearDuplicates {
        return Err(ExportError::NoCodes(shown()));
    }
    let Checkpoint { state, position } = best_checkpoint(run)?;
    if !run.validation_logits().exists() {
        return Err(ExportError::NoThreshold(shown()));
    }
    let Measured { false_matches, copies_within } = Measured::read(&run.validation_logits())?;
    let options = &config.near_duplicates;
    let distance = false_matches
        .distance(options.removed, options.against)
        .ok_or_else(|| ExportError::NoDistance { run: shown(), removed: options.removed })?;

    let network = config.network(config.outputs(0))?.code_only();
    let package = NewCodes::create(place)?;
    let create = |name: &str| {
        let path = package.folder().join(name);
        File::create(&path).map(BufWriter::new).map_err(TrainError::file(&path))
    };
    let info = OnnxInfo {
        data_name: WEIGHTS_FILE.to_owned(),
        description: format!("{name}: codes for near-duplicates by {}", network.name()),
        metadata: Vec::new(),
    };
    network.write_onnx(state.best_weights(), &info, create(MODEL_FILE)?, create(WEIGHTS_FILE)?)?;
    let provenance = Provenance {
        training_photos: position.learned_photos(),
        validation_photos: Some(false_matches.photos),
        config: Some(config.to_toml()),
        seed: Some(config.seed),
        synthetic: config.synthetic,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Provenance::default()
    };
    Ok(package.finish(CodeDraft {
        name: name.to_owned(),
        architecture: network.name().to_owned(),
        preprocess: config.preprocess(),
        distance,
        false_matches,
        copies_within,
        provenance,
    })?)
}
