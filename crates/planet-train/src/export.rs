use std::{borrow::Cow, fs::File, io::BufWriter, path::Path};

use planet::{
    LevelCalibration, ModelDraft, ModelPackage, NewPackage, PackageError, RegionCalibration,
    calibration::Calibration,
    package::{
        CALIBRATION_ERROR, CALIBRATION_ERROR_BEFORE, MODEL_FILE, OnnxMetadata, Outputs, Provenance,
        WEIGHTS_FILE,
    },
};
use planet_geo::{LatLng, Partition, PartitionError, Scale};
use planet_net::{Array, Network, OnnxError, OnnxInfo, Weights};
use thiserror::Error;

use crate::{Checkpoint, RunFolder, TrainConfig, TrainError, TrainTask, heads::Heads};

/// Why a run cannot become a package.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The run's folder is not whole.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// The run has not come to the end of an epoch.
    #[error("{0} has no checkpoint of a complete epoch yet")]
    NoCheckpoint(String),
    /// The run trained embeddings alone.
    #[error("{0} has no classifier, as its loss is triplet; export it with --features-only")]
    NoClasses(String),
    /// The run trained codes for near-duplicates.
    #[error("{0} trained codes for near-duplicates, which have only one kind of package")]
    OnlyCodes(String),
    /// The run did not train codes.
    #[error("{0} was not trained with --task near-duplicates")]
    NoCodes(String),
    /// The run had no validation photos to choose a threshold by.
    #[error("{0} has no validation photos to choose the distance of near-duplicates by")]
    NoThreshold(String),
    /// Too few photos to calibrate codes by.
    #[error(
        "{0} photos are too few to calibrate codes by; name at least 40, better some thousands"
    )]
    FewPhotos(usize),
    /// The user ended it.
    #[error("interrupted")]
    Cancelled,
    /// Equal codes belong to different photos too often.
    #[error(
        "{run}: even equal codes would remove more than {} % of the test photos wrongly; train for \
         longer, remove copies from the validation photos, or change near_duplicates.removed or against",
        100.0 * removed
    )]
    NoDistance {
        /// The run.
        run: String,
        /// The share that may be removed.
        removed: f64,
    },
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
    if config.task == TrainTask::NearDuplicates {
        return Err(ExportError::OnlyCodes(run.path().display().to_string()));
    }
    if !config.loss.has_classes() {
        return Err(ExportError::NoClasses(run.path().display().to_string()));
    }
    let Checkpoint { state, position } = best_checkpoint(run)?;
    let path = run.partition();
    let file = File::open(&path).map_err(TrainError::file(&path))?;
    let partition = Partition::read(std::io::BufReader::new(file), &path.to_string_lossy())?;
    let network = config.network(partition.len())?;

    let fitted = calibration(run, &partition)?;
    let metadata = OnnxMetadata {
        preprocess: config.preprocess(),
        temperature: fitted.temperature.temperature,
        level_calibration: fitted.levels,
        partition_fingerprint: partition.fingerprint(),
    };

    let package = NewPackage::create(place)?;
    let create = |name: &str| {
        let path = package.folder().join(name);
        File::create(&path).map(BufWriter::new).map_err(TrainError::file(&path))
    };
    let info = OnnxInfo {
        data_name: WEIGHTS_FILE.to_owned(),
        description: format!("{name}: {} over {} cells", network.name(), partition.len()),
        metadata: metadata.entries(),
    };
    let weights = state.best_weights();
    let weights = match Heads::read(&run.heads(&config), &partition)? {
        Some(heads) => Cow::Owned(heads.folded(weights, &config.network(heads.outputs())?)),
        None => without_embedding(weights, &network),
    };
    network.write_onnx(&weights, &info, create(MODEL_FILE)?, create(WEIGHTS_FILE)?)?;

    let epoch = position.history.last();
    let scores = epoch.and_then(|epoch| epoch.validation.as_ref());
    let provenance = Provenance {
        training_photos: position.learned_photos(),
        validation_photos: scores.map(|scores| scores.photos as u64),
        validation_sketch: position.validation_sketch.clone(),
        config: Some(config.to_toml()),
        seed: Some(config.seed),
        synthetic: config.synthetic,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        scores: scores.map_or_else(Default::default, |scores| {
            let scales = Scale::ALL.into_iter().map(Scale::name).zip(scores.within_1);
            let all = [("loss", scores.loss), ("cell", scores.cell_1)].into_iter().chain(scales);
            let errors = [
                (CALIBRATION_ERROR, fitted.temperature.error_after),
                (CALIBRATION_ERROR_BEFORE, fitted.temperature.error_before),
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
        preprocess: metadata.preprocess,
        outputs: Outputs::default(),
        temperature: metadata.temperature,
        level_calibration: metadata.level_calibration,
        region_calibration: fitted.regions,
        provenance,
    };
    Ok(package.finish(draft, &partition)?)
}

/// The weights without those rows of the classifier that make the triplet loss's embedding, which
/// stand behind those of the classes.
fn without_embedding<'a>(weights: &'a Weights, network: &Network) -> Cow<'a, Weights> {
    let wider = network.parameters().filter_map(|parameter| {
        let array = weights.get(&parameter.name)?;
        let wanted = &parameter.shape;
        let is_wider = array.shape().len() == wanted.len() && array.shape()[0] > wanted[0];
        let values = wanted.iter().product();
        is_wider.then(|| {
            (parameter.name, Array::new(wanted.clone(), array.values()[..values].to_vec()))
        })
    });
    let wider: Vec<(String, Array)> = wider.collect();
    if wider.is_empty() {
        return Cow::Borrowed(weights);
    }
    let mut weights = weights.clone();
    for (name, array) in wider {
        weights.insert(name, array);
    }
    Cow::Owned(weights)
}

/// The run's best checkpoint.
pub(crate) fn best_checkpoint(run: &RunFolder) -> Result<Checkpoint, ExportError> {
    if !run.best().exists() {
        return Err(ExportError::NoCheckpoint(run.path().display().to_string()));
    }
    Ok(Checkpoint::read(&run.best())?)
}

/// What the validation photos say of a model's probabilities.
pub(crate) struct Fitted {
    pub(crate) temperature: Calibration,
    pub(crate) levels: LevelCalibration,
    pub(crate) regions: RegionCalibration,
}

/// Fitted on the validation photos; where there are none, nothing changes.
pub(crate) fn calibration(run: &RunFolder, partition: &Partition) -> Result<Fitted, TrainError> {
    let path = run.validation_logits();
    if !path.exists() {
        let temperature = Calibration { temperature: 1.0, error_before: None, error_after: None };
        let (levels, regions) = Default::default();
        return Ok(Fitted { temperature, levels, regions });
    }
    let bytes = std::fs::read(&path).map_err(TrainError::file(&path))?;
    let (file, _) = Weights::from_safetensors(&bytes)?;
    let wrong =
        || TrainError::Checkpoint { path: path.clone(), what: "contains no logits".to_owned() };
    let (logits, targets) =
        (file.get("logits").ok_or_else(wrong)?, file.get("targets").ok_or_else(wrong)?);
    let [photos, classes] = logits.shape() else { return Err(wrong()) };
    let targets: Vec<u32> = targets.values().iter().map(|target| *target as u32).collect();
    if *classes != partition.len()
        || targets.len() != *photos
        || targets.iter().any(|target| *target as usize >= *classes)
    {
        return Err(wrong());
    }
    let temperature = Calibration::fit(logits.values(), *classes, &targets);
    // Runs of before this was kept have no positions.
    let positions = file.get("positions").map_or(&[][..], Array::values).chunks_exact(2);
    let positions: Vec<LatLng> = positions
        .map(|degrees| LatLng::new(f64::from(degrees[0]), f64::from(degrees[1])))
        .collect::<Result<_, _>>()
        .map_err(|_| wrong())?;
    let levels =
        LevelCalibration::fit(partition, temperature.temperature, logits.values(), &positions);
    let regions =
        RegionCalibration::fit(logits.values(), *classes, &targets, temperature.temperature);
    Ok(Fitted {
        temperature,
        levels: levels.map_err(|_| wrong())?,
        regions: regions.map_err(|_| wrong())?,
    })
}
