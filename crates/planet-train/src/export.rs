use std::{fs::File, io::BufWriter, path::Path};

use planet::{
    ModelDraft, ModelPackage, NewPackage, PackageError,
    calibration::Calibration,
    package::{
        CALIBRATION_ERROR, CALIBRATION_ERROR_BEFORE, MODEL_FILE, Outputs, Provenance, WEIGHTS_FILE,
    },
};
use planet_geo::{Partition, PartitionError, Scale};
use planet_net::{OnnxError, OnnxInfo, Weights};
use thiserror::Error;

use crate::{Checkpoint, RunFolder, TrainConfig, TrainError};

/// Why a run cannot become a package.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The run's folder is not whole.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// The run has not come to the end of an epoch.
    #[error("{0} has no checkpoint of a whole epoch yet")]
    NoCheckpoint(String),
    /// The run's partition cannot be read.
    #[error(transparent)]
    Partition(#[from] PartitionError),
    /// The network cannot be written.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The package cannot be written.
    #[error(transparent)]
    Package(#[from] PackageError),
}

/// Makes a model package of a run's best checkpoint: the network as ONNX with batch norm folded,
/// the temperature fitted on the validation photos' scores, the classes, and where all of it
/// comes from.
///
/// # Errors
/// A run without a whole epoch, a file that is damaged or cannot be written.
pub fn export(run: &RunFolder, name: &str, place: &Path) -> Result<ModelPackage, ExportError> {
    let config = TrainConfig::read(&run.config())?;
    let Checkpoint { state, position } = best_checkpoint(run)?;
    let path = run.partition();
    let file = File::open(&path).map_err(TrainError::file(&path))?;
    let partition = Partition::read(std::io::BufReader::new(file), &path.to_string_lossy())?;
    let network = config.network(partition.len())?;

    let package = NewPackage::create(place)?;
    let create = |name: &str| {
        let path = package.folder().join(name);
        File::create(&path).map(BufWriter::new).map_err(TrainError::file(&path))
    };
    let info = OnnxInfo {
        data_name: WEIGHTS_FILE.to_owned(),
        description: format!("{name}: {} over {} cells", network.name(), partition.len()),
        metadata: vec![("partition_fingerprint".to_owned(), partition.fingerprint())],
    };
    network.write_onnx(state.best_weights(), &info, create(MODEL_FILE)?, create(WEIGHTS_FILE)?)?;

    let epoch = position.history.last();
    let scores = epoch.and_then(|epoch| epoch.validation.as_ref());
    let calibration = calibration(run)?;
    let provenance = Provenance {
        training_photos: position.learned_photos(),
        validation_photos: scores.map(|scores| scores.photos as u64),
        config: Some(config.to_toml()),
        seed: Some(config.seed),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scores: scores.map_or_else(Default::default, |scores| {
            let scales = Scale::ALL.into_iter().map(Scale::name).zip(scores.within_1);
            let all = [("loss", scores.loss), ("cell", scores.cell_1)].into_iter().chain(scales);
            let errors = [
                (CALIBRATION_ERROR, calibration.error_after),
                (CALIBRATION_ERROR_BEFORE, calibration.error_before),
            ];
            let errors = errors.into_iter().filter_map(|(name, error)| Some((name, error?)));
            all.chain(errors).map(|(name, score)| (name.to_owned(), score)).collect()
        }),
        note: String::new(),
    };
    let draft = ModelDraft {
        name: name.to_owned(),
        architecture: network.name().to_owned(),
        features: network.features(),
        preprocess: config.preprocess(),
        outputs: Outputs::default(),
        temperature: calibration.temperature,
        provenance,
    };
    Ok(package.finish(draft, &partition)?)
}

/// The run's best checkpoint.
pub(crate) fn best_checkpoint(run: &RunFolder) -> Result<Checkpoint, ExportError> {
    if !run.best().exists() {
        return Err(ExportError::NoCheckpoint(run.path().display().to_string()));
    }
    Ok(Checkpoint::read(&run.best())?)
}

/// Fitted on the validation photos; a temperature of 1 where there are none.
pub(crate) fn calibration(run: &RunFolder) -> Result<Calibration, TrainError> {
    let path = run.validation_logits();
    if !path.exists() {
        return Ok(Calibration { temperature: 1.0, error_before: None, error_after: None });
    }
    let bytes = std::fs::read(&path).map_err(TrainError::file(&path))?;
    let (file, _) = Weights::from_safetensors(&bytes)?;
    let wrong =
        || TrainError::Checkpoint { path: path.clone(), what: "holds no logits".to_owned() };
    let (logits, targets) =
        (file.get("logits").ok_or_else(wrong)?, file.get("targets").ok_or_else(wrong)?);
    let [photos, classes] = logits.shape() else { return Err(wrong()) };
    let targets: Vec<u32> = targets.values().iter().map(|target| *target as u32).collect();
    if targets.len() != *photos || targets.iter().any(|target| *target as usize >= *classes) {
        return Err(wrong());
    }
    Ok(Calibration::fit(logits.values(), *classes, &targets))
}
