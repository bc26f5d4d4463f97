use std::{fs::File, io::BufWriter, path::Path};

use planet::{
    CodeModel,
    package::{CodeDraft, MODEL_FILE, NewCodes, Provenance, WEIGHTS_FILE},
};
use planet_data::LoaderOptions;
use planet_net::{Network, OnnxInfo, Weights};

use crate::{
    Checkpoint, CodeSamples, ExportError, ProcessGroup, RunFolder, TrainConfig, TrainError,
    TrainMonitor, TrainTask,
    code_validation::{CodeValidation, Measured},
    export::best_checkpoint,
};

/// Fewest photos that codes are calibrated by.
const LEAST_PHOTOS: usize = 40;

/// Makes a package for near-duplicates of a run's best checkpoint: the network as ONNX, and the
/// distance that the run's settings ask for, by its validation photos or by `calibration`, photos like
/// those that will be compared, of which none is a copy of another. One half of them balances the bits,
/// the other half is measured.
///
/// # Errors
/// A run for something else, without a whole epoch or without photos to choose a distance by; codes of
/// which even equal ones are too often those of different photos; a file that is damaged or cannot be
/// written; the monitor ended it.
pub fn export_codes(
    run: &RunFolder,
    name: &str,
    place: &Path,
    calibration: Option<&CodeSamples>,
    monitor: &dyn TrainMonitor,
) -> Result<CodeModel, ExportError> {
    let config = TrainConfig::read(&run.config())?;
    let shown = || run.path().display().to_string();
    if config.task != TrainTask::NearDuplicates {
        return Err(ExportError::NoCodes(shown()));
    }
    let Checkpoint { state, position } = best_checkpoint(run)?;
    let mut weights = state.best_weights().clone();
    let network = config.network(config.outputs(0))?;
    let measured = match calibration {
        Some(photos) => calibrate(&config, &network, &mut weights, photos, monitor)?,
        None if run.validation_logits().exists() => Measured::read(&run.validation_logits())?,
        None => return Err(ExportError::NoThreshold(shown())),
    };
    let Measured { false_matches, copies_within, .. } = measured;
    let options = &config.near_duplicates;
    let distance = false_matches
        .distance(options.removed, options.against)
        .ok_or_else(|| ExportError::NoDistance { run: shown(), removed: options.removed })?;

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
    let (graph, data) = (create(MODEL_FILE)?, create(WEIGHTS_FILE)?);
    network.code_only().write_onnx(&weights, &info, graph, data)?;
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

/// Balances the bits by every second photo, and measures the codes of the others.
fn calibrate(
    config: &TrainConfig,
    network: &Network,
    weights: &mut Weights,
    photos: &CodeSamples,
    monitor: &dyn TrainMonitor,
) -> Result<Measured, ExportError> {
    let half = |first: usize| CodeSamples {
        store: photos.store.clone(),
        photos: photos.photos.iter().skip(first).step_by(2).cloned().collect(),
    };
    let (balancing, measured) = (half(0), half(1));
    if measured.photos.len() < LEAST_PHOTOS / 2 {
        return Err(ExportError::FewPhotos(photos.photos.len()));
    }
    let preprocess = config.preprocess();
    let of = |samples| CodeValidation {
        samples,
        preprocess: &preprocess,
        options: LoaderOptions::evaluation(config.batch),
        near_duplicates: &config.near_duplicates,
    };
    let open = |weights: &Weights| {
        config.open_backend(network, weights, &ProcessGroup::alone()).map_err(TrainError::from)
    };
    let mut backend = open(weights)?;
    let balanced = of(&balancing).balance(network, weights, backend.as_mut(), monitor)?;
    balanced.ok_or(ExportError::Cancelled)?;
    let mut backend = open(weights)?;
    of(&measured).measure(backend.as_mut(), monitor)?.ok_or(ExportError::Cancelled)
}
