use std::{fs::File, io::BufWriter, path::Path};

use planet::package::{
    FeatureDraft, FeatureModel, MODEL_FILE, NewFeatures, Provenance, WEIGHTS_FILE,
};
use planet_data::Preprocess;
use planet_net::{Architecture, Network, OnnxInfo, OutputName, Shape, Weights};

use crate::{
    ArchitectureName, Checkpoint, ExportError, RunFolder, TrainConfig, TrainError, TrainTask,
    export::best_checkpoint,
};

/// An architecture with weights from elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Backbone<'a> {
    /// The architecture.
    pub architecture: Architecture,
    /// Side of the input in pixels; the architecture's usual one where it is 0.
    pub size: usize,
    /// Safetensors file with the weights, named as in the architecture's `state_dict`.
    pub weights: &'a Path,
    /// How a photo becomes the input that the weights were trained with; the architecture's usual one
    /// where it is `None`.
    pub scaling: Option<Scaling>,
    /// What else there is to say: source and licence of the weights.
    pub note: &'a str,
}

/// Mean and deviation of each channel, of values from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// Subtracted from each channel, in the order red, green, blue.
    pub mean: [f32; 3],
    /// Each channel is divided by this.
    pub std: [f32; 3],
}

/// Makes a package without classes of a run's best checkpoint.
///
/// # Errors
/// A run without a whole epoch, a file that is damaged or cannot be written.
pub fn export_features(
    run: &RunFolder,
    name: &str,
    place: &Path,
) -> Result<FeatureModel, ExportError> {
    let config = TrainConfig::read(&run.config())?;
    if config.task == TrainTask::NearDuplicates {
        return Err(ExportError::OnlyCodes(run.path().display().to_string()));
    }
    let Checkpoint { state, position } = best_checkpoint(run)?;
    let provenance = Provenance {
        training_photos: position.learned_photos(),
        config: Some(config.to_toml()),
        seed: Some(config.seed),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..Provenance::default()
    };
    write(&config, None, state.best_weights(), name, provenance, place)
}

/// Makes a package without classes of weights from elsewhere, untrained.
///
/// # Errors
/// A file that cannot be read, that lacks weights of the architecture or has them in other shapes,
/// or a package that cannot be written.
pub fn export_backbone(
    backbone: Backbone<'_>,
    name: &str,
    place: &Path,
) -> Result<FeatureModel, ExportError> {
    let Backbone { architecture, size, weights: path, scaling, note } = backbone;
    let config = TrainConfig {
        architecture: ArchitectureName(architecture),
        size,
        auxiliary_weight: 0.0,
        ..TrainConfig::default()
    };
    let wrong = |what: String| TrainError::Checkpoint { path: path.to_owned(), what };
    let bytes = std::fs::read(path).map_err(TrainError::file(path))?;
    let (weights, _) =
        Weights::from_safetensors(&bytes).map_err(|error| wrong(error.to_string()))?;
    let features = config.network(1)?.features_only().map_err(TrainError::from)?;
    weights.check(&features).map_err(|error| wrong(error.to_string()))?;
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let provenance = Provenance { version, note: note.to_owned(), ..Provenance::default() };
    write(&config, scaling, &weights, name, provenance, place)
}

fn write(
    config: &TrainConfig,
    scaling: Option<Scaling>,
    weights: &Weights,
    name: &str,
    provenance: Provenance,
    place: &Path,
) -> Result<FeatureModel, ExportError> {
    let network = config.network(1)?.features_only().map_err(TrainError::from)?;
    let mut preprocess = config.preprocess();
    if let Some(Scaling { mean, std }) = scaling {
        preprocess = Preprocess { mean, std, ..preprocess };
    }
    let package = NewFeatures::create(place)?;
    let create = |name: &str| {
        let path = package.folder().join(name);
        File::create(&path).map(BufWriter::new).map_err(TrainError::file(&path))
    };
    let info = OnnxInfo {
        data_name: WEIGHTS_FILE.to_owned(),
        description: format!("{name}: features of {}", network.name()),
        metadata: Vec::new(),
    };
    network.write_onnx(weights, &info, create(MODEL_FILE)?, create(WEIGHTS_FILE)?)?;
    Ok(package.finish(FeatureDraft {
        name: name.to_owned(),
        architecture: network.name().to_owned(),
        features: network.features(),
        map: map_shape(&network),
        preprocess,
        provenance,
    })?)
}

/// Channels, height and width of the map.
fn map_shape(network: &Network) -> [usize; 3] {
    let map = network.output(OutputName::Map).expect("every architecture takes a last mean");
    match network.node(map).shape() {
        Shape::Image { channels, height, width } => [channels, height, width],
        _ => unreachable!("a map is an image"),
    }
}
