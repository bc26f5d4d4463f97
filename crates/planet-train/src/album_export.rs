use std::{
    fs::File,
    io::{self, BufWriter},
    path::Path,
};

use planet::{ModelPackage, NewPackage};
use planet_net::{AlbumNetwork, OnnxError, OnnxInfo, Weights};

use crate::{
    AlbumConfig, Checkpoint, ExportError, RunFolder, TrainError,
    export::{best_checkpoint, calibration},
    feature_scaling::FeatureScaling,
};

/// Puts an album run's best checkpoint into the package whose embeddings it learned from:
/// `album-SCHEME.onnx` and its weights, recorded in model.json with the network's hash. The
/// temperature that the validation photos ask for is folded into the classifier, so that the
/// scheme's logits need none; so is what the embeddings are standardised with.
///
/// # Errors
/// A run without a whole epoch, a package of another network or partition, a file that is
/// damaged or cannot be written.
pub fn export_scheme(run: &RunFolder, package: &ModelPackage) -> Result<ModelPackage, ExportError> {
    let config = AlbumConfig::read(&run.config())?;
    config.check_model(package)?;
    let Checkpoint { state, position } = best_checkpoint(run)?;
    let fingerprint = &package.description().partition_fingerprint;
    if position.partition != *fingerprint {
        let (path, what) = (run.best(), "its classes belong to another partition".to_owned());
        return Err(TrainError::Checkpoint { path, what }.into());
    }
    let description = package.description();
    let network = config
        .sizes(description.features, description.classes)
        .network()
        .map_err(TrainError::from)?;
    let weights = FeatureScaling::fold(state.best_weights()).map_err(TrainError::from)?;
    let weights = cooled(weights, calibration(run, package.partition())?.temperature.temperature);
    weights.check(&network).map_err(TrainError::from)?;

    let name = config.scheme.name();
    let file = format!("album-{name}.onnx");
    let info = OnnxInfo {
        data_name: format!("{file}.data"),
        description: format!("{}: albums by {name}", description.name),
        metadata: vec![("network".to_owned(), description.network_hash())],
    };
    let write = |path: &Path| -> io::Result<()> {
        let data = path.with_file_name(&info.data_name);
        let create = |path: &Path| File::create(path).map(BufWriter::new);
        let written = network.write_onnx(&weights, &info, create(path)?, create(&data)?);
        written.map_err(|error| match error {
            OnnxError::Io(error) => error,
            other => io::Error::other(other),
        })
    };
    Ok(NewPackage::with_scheme(package, name, &file, write)?)
}

/// Weights whose logits are divided by a temperature.
fn cooled(mut weights: Weights, temperature: f32) -> Weights {
    for part in ["weight", "bias"] {
        if let Some(array) = weights.get_mut(&format!("{}.{part}", AlbumNetwork::CLASSIFIER)) {
            array.values_mut().iter_mut().for_each(|value| *value /= temperature);
        }
    }
    weights
}
