use std::collections::BTreeMap;

use planet_data::{PhotoSketch, Preprocess};
use serde::{Deserialize, Serialize};

use super::{Agreement, MODEL_FILE, PARTITION_FILE, WEIGHTS_FILE, check_names};
use crate::{LevelCalibration, RegionCalibration};

/// The `format` of model.json.
pub(super) const MODEL_FORMAT: &str = "planet-model-1";

/// The score of [`Provenance::scores`] that is the expected calibration error.
pub const CALIBRATION_ERROR: &str = "calibration error";
/// What it would be without the temperature.
pub const CALIBRATION_ERROR_BEFORE: &str = "calibration error at temperature 1";

/// What model.json holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// `planet-model-1`.
    pub format: String,
    /// The model's name, for people.
    pub name: String,
    /// The network's architecture: `inception-v3`, or `foreign` for an imported one.
    pub architecture: String,
    /// Number of classes: rows of the partition, outputs of the network.
    pub classes: usize,
    /// Length of the embedding; 0 where the network gives none.
    pub features: usize,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// What the network's outputs are called and are.
    pub outputs: Outputs,
    /// Logits are divided by this before the softmax; fitted on validation photos.
    pub temperature: f32,
    /// What probabilities within each level's radius are worth; fitted on validation photos.
    #[serde(default)]
    pub level_calibration: LevelCalibration,
    /// Which cells contain the place of a stated share of photos; fitted on validation photos.
    #[serde(default, skip_serializing_if = "RegionCalibration::is_empty")]
    pub region_calibration: RegionCalibration,
    /// Fingerprint of the partition that the network was trained for.
    pub partition_fingerprint: String,
    /// blake3 of every other file but the card, hexadecimal, by name.
    pub hashes: BTreeMap<String, String>,
    /// blake3 of the model card as it was written, hexadecimal: with an edited card it is still a sound
    /// package. `None` in packages of before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_hash: Option<String>,
    /// Album schemes in this package.
    #[serde(default)]
    pub schemes: Vec<SchemeFile>,
    /// How the network became 8 bits; `None` for a network in 32 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Quantization>,
    /// How the weights became 16 bits; `None` where all of them have 32, or 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_weights: Option<HalfWeights>,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// How the network of a package became 8 bits, and what that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantization {
    /// `static QDQ: weights int8 per output, activations uint8`.
    pub method: String,
    /// How the ranges of activations were chosen: `percentile 99.99`, `entropy`.
    pub range: String,
    /// Photos whose activations were measured.
    pub calibration_photos: u64,
    /// Convolutions and dense layers in 8 bits.
    pub int8_layers: u64,
    /// Operators that stayed in 32 bits: how many of each.
    pub f32_operators: BTreeMap<String, u64>,
    /// [`ModelDescription::network_hash`] of the network in 32 bits.
    pub network: String,
    /// Agreement with that network on photos that were not measured.
    pub agreement: Agreement,
}

/// How the weights of a package became 16 bits. The network computes in 32 bits nevertheless.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfWeights {
    /// Arrays of weights in 16 bits.
    pub arrays: u64,
    /// Names of the large arrays that keep 32 bits, because 16 bits do not represent their values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// [`ModelDescription::network_hash`] of the network in 32 bits.
    pub network: String,
    /// Agreement with that network, where photos were named to measure it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
}

impl HalfWeights {
    /// What is in 16 bits, for people.
    pub fn summary(&self) -> String {
        let kept = match self.kept.len() {
            0 => String::new(),
            kept => format!("; {kept} large arrays keep 32 bits"),
        };
        format!("{} arrays of weights, computed in 32 bits{kept}", self.arrays)
    }

    /// The facts of the agreement one by one, for people: name and value.
    pub fn facts(&self) -> Vec<(String, String)> {
        self.agreement.as_ref().map_or_else(Vec::new, Agreement::facts)
    }
}

/// What the maker of a package states about it; [`super::NewPackage::finish`] adds the rest.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelDraft {
    /// The model's name, for people.
    pub name: String,
    /// The network's architecture.
    pub architecture: String,
    /// Length of the embedding; 0 where the network gives none.
    pub features: usize,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// What the network's outputs are called and are.
    pub outputs: Outputs,
    /// Logits are divided by this before the softmax.
    pub temperature: f32,
    /// What probabilities within each level's radius are worth.
    pub level_calibration: LevelCalibration,
    /// Which cells contain the place of a stated share of photos.
    pub region_calibration: RegionCalibration,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// The network's outputs by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// The output with a score for every class.
    pub scores: String,
    /// What the scores are.
    pub kind: ScoreKind,
    /// The output with the embedding, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<String>,
}

impl Default for Outputs {
    /// What our own networks give: `logits` and `embedding`.
    fn default() -> Self {
        let embedding = Some("embedding".to_owned());
        Self { scores: "logits".to_owned(), kind: ScoreKind::Logits, embedding }
    }
}

/// What a network's scores are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreKind {
    /// Before the softmax.
    Logits,
    /// After it.
    Probabilities,
}

/// A way to locate albums that was trained on top of the network's embeddings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SchemeFile {
    /// Its name on the command line.
    pub name: String,
    /// Its file in the package: `album-lstm.onnx`, `album-hmm.json`. The logits of an ONNX
    /// file need no temperature.
    pub file: String,
    /// [`ModelDescription::network_hash`] of the network that it was trained on.
    pub network: String,
}

/// Where a model comes from: enough to make it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Photos that it was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_photos: Option<u64>,
    /// Photos that it was validated on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_photos: Option<u64>,
    /// A sample of them, to tell whether photos that the model is evaluated on are among them.
    #[serde(default, skip_serializing_if = "PhotoSketch::is_empty")]
    pub validation_sketch: PhotoSketch,
    /// The resolved configuration of the run, as TOML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// Seed of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether it was trained on photos of a synthetic earth.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub synthetic: bool,
    /// Version of PlaNet that made the package.
    pub version: String,
    /// Scores on the validation photos, by name: `street`, `city`, `loss`, …
    #[serde(default)]
    pub scores: BTreeMap<String, f64>,
    /// What else there is to say, for people: the data's source and licence, a foreign model's
    /// address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Provenance {
    /// Why an answer to a real photo must not be relied on, whatever the photo; `None` for models
    /// of real photos.
    pub fn warning(&self) -> Option<&'static str> {
        let synthetic = "the model was trained on synthetic photos; its answers to real photos are \
                         meaningless";
        self.synthetic.then_some(synthetic)
    }
}

impl ModelDescription {
    /// Names the network whatever package it stands in: a hash over graph and weights.
    pub fn network_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for name in [MODEL_FILE, WEIGHTS_FILE] {
            hasher.update(self.hashes.get(name).map_or("", String::as_str).as_bytes());
            hasher.update(b"\n");
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Checks values that were read from a file.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.format != MODEL_FORMAT {
            let found = &self.format;
            return Err(format!(
                "format '{found}' is not supported; this version reads '{MODEL_FORMAT}'"
            ));
        }
        if !(self.temperature > 0.0 && self.temperature.is_finite()) {
            return Err(format!("temperature {} is not above 0", self.temperature));
        }
        self.preprocess.check().map_err(|error| error.to_string())?;
        check_names(&self.hashes, &[MODEL_FILE, PARTITION_FILE])?;
        match self.schemes.iter().find(|scheme| !self.hashes.contains_key(&scheme.file)) {
            Some(scheme) => Err(format!("does not state a hash of {}", scheme.file)),
            None => Ok(()),
        }
    }
}
