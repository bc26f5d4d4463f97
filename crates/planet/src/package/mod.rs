//! The model package: one folder with everything that an answer needs.

mod agreement;
mod card;
mod codes;
mod description;
mod error;
mod features;
mod labels;
mod new;
mod onnx_metadata;
mod warnings;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use agreement::{Agreement, AgreementCounter, Both};
pub use codes::{CODES_FORMAT, CodeDescription, CodeDraft, CodeModel, NewCodes};
pub use description::{
    CALIBRATION_ERROR, CALIBRATION_ERROR_BEFORE, HalfWeights, ModelDescription, ModelDraft,
    Outputs, Provenance, Quantization, SchemeFile, ScoreKind,
};
pub use error::PackageError;
pub use features::{FEATURES_FORMAT, FeatureDescription, FeatureDraft, FeatureModel, NewFeatures};
pub use labels::{
    Activation, LABELS_FORMAT, LabelDescription, LabelDraft, LabelModel, Labels, NewLabels,
    UnscoredError,
};
pub use new::NewPackage;
pub use onnx_metadata::OnnxMetadata;
use planet_data::file_hash;
use planet_geo::{Partition, Point};
use serde::{Deserialize, de::DeserializeOwned};
pub use warnings::{Warnings, is_world};

/// The network's graph.
pub const MODEL_FILE: &str = "model.onnx";
/// The network's weights, where the graph does not hold them itself.
pub const WEIGHTS_FILE: &str = "model.onnx.data";
/// The classes.
pub(crate) const PARTITION_FILE: &str = "partition.csv";
/// The description.
pub(crate) const DESCRIPTION_FILE: &str = "model.json";
/// The model card.
pub(crate) const CARD_FILE: &str = "README.md";

/// A model with its classes, its preprocessing and its history: a folder that was checked.
///
/// ```no_run
/// use std::path::Path;
/// use planet::ModelPackage;
///
/// let package = ModelPackage::open(Path::new("model"))?;
/// println!("{}: {} classes", package.description().name, package.partition().len());
/// # Ok::<(), planet::PackageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelPackage {
    folder: PathBuf,
    description: ModelDescription,
    partition: Arc<Partition>,
}

impl ModelPackage {
    /// Opens a package and checks all of it: every file against its hash, the partition
    /// against fingerprint and class count.
    ///
    /// # Errors
    /// What is missing, unreadable or does not fit, by its file.
    pub fn open(folder: &Path) -> Result<Self, PackageError> {
        let description = read_description(folder)?;
        check_hashes(folder, &description.hashes)?;
        let path = folder.join(PARTITION_FILE);
        let reader = BufReader::new(File::open(&path).map_err(PackageError::file(&path))?);
        let partition = Partition::read(reader, &path.to_string_lossy())?;
        if partition.len() != description.classes {
            let (stated, found) = (description.classes, partition.len());
            return Err(PackageError::Classes { path, stated, found });
        }
        let found = partition.fingerprint();
        if found != description.partition_fingerprint {
            let stated = description.partition_fingerprint;
            return Err(PackageError::Fingerprint { path, stated, found });
        }
        Ok(Self { folder: folder.to_owned(), description, partition: Arc::new(partition) })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The network's graph, for an engine.
    pub fn model(&self) -> PathBuf {
        self.folder.join(MODEL_FILE)
    }

    /// What model.json says.
    pub fn description(&self) -> &ModelDescription {
        &self.description
    }

    /// The classes, in the order of the network's outputs.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// The classes, to be shared with what works on other threads.
    pub fn shared_partition(&self) -> Arc<Partition> {
        Arc::clone(&self.partition)
    }

    /// The same package with this point of each cell as its answer.
    #[must_use]
    pub fn with_point(self, point: Point) -> Self {
        Self { partition: Arc::new(self.partition.with_point(point)), ..self }
    }

    /// An album scheme of this package and its file.
    ///
    /// # Errors
    /// There is no such scheme, or it was trained on the embeddings of another network.
    pub fn scheme(&self, name: &str) -> Result<(&SchemeFile, PathBuf), PackageError> {
        let schemes = &self.description.schemes;
        let Some(scheme) = schemes.iter().find(|scheme| scheme.name == name) else {
            let known = schemes.iter().map(|scheme| scheme.name.as_str()).collect::<Vec<_>>();
            return Err(PackageError::NoScheme {
                path: self.folder.join(DESCRIPTION_FILE),
                name: name.to_owned(),
                known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
            });
        };
        let path = self.folder.join(&scheme.file);
        if scheme.network != self.description.network_hash() {
            return Err(PackageError::OtherNetwork { path });
        }
        Ok((scheme, path))
    }
}

/// Checks every file against its hash.
fn check_hashes(folder: &Path, hashes: &BTreeMap<String, String>) -> Result<(), PackageError> {
    for (name, stated) in hashes {
        let path = folder.join(name);
        let found = file_hash(&path).map_err(PackageError::file(&path))?;
        if found != *stated {
            return Err(PackageError::Hash { path, stated: stated.clone(), found });
        }
    }
    Ok(())
}

fn read_description(folder: &Path) -> Result<ModelDescription, PackageError> {
    if !folder.is_dir() {
        return Err(PackageError::NoFolder { path: folder.to_owned() });
    }
    if read_other::<FeatureDescription>(folder, FEATURES_FORMAT)?.is_some() {
        return Err(PackageError::NoClasses { path: folder.to_owned() });
    }
    if read_other::<LabelDescription>(folder, LABELS_FORMAT)?.is_some() {
        return Err(PackageError::NoPlaces { path: folder.to_owned() });
    }
    if read_other::<CodeDescription>(folder, CODES_FORMAT)?.is_some() {
        return Err(PackageError::OnlyCodes { path: folder.to_owned() });
    }
    let path = folder.join(DESCRIPTION_FILE);
    let bytes = fs::read(&path).map_err(PackageError::file(&path))?;
    let wrong = |what: String| PackageError::Description { path: path.clone(), what };
    let description: ModelDescription =
        serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    description.check().map_err(wrong)?;
    Ok(description)
}

/// The description of a package without a partition, of this format; `None` where the folder's
/// model.json is of another.
fn read_other<T: DeserializeOwned>(folder: &Path, format: &str) -> Result<Option<T>, PackageError> {
    #[derive(Deserialize)]
    struct Format {
        format: String,
    }
    let path = folder.join(DESCRIPTION_FILE);
    let Ok(bytes) = fs::read(&path) else { return Ok(None) };
    if serde_json::from_slice::<Format>(&bytes).is_ok_and(|found| found.format == format) {
        let wrong =
            |error: serde_json::Error| PackageError::Description { path, what: error.to_string() };
        return serde_json::from_slice(&bytes).map(Some).map_err(wrong);
    }
    Ok(None)
}

/// Checks that these are names of files in the package's own folder, and that those which must be
/// there are among them.
fn check_names(hashes: &BTreeMap<String, String>, required: &[&str]) -> Result<(), String> {
    if let Some(name) = required.iter().find(|name| !hashes.contains_key(**name)) {
        return Err(format!("does not state a hash of {name}"));
    }
    let leads_away =
        |name: &&String| name.is_empty() || name.contains(['/', '\\']) || *name == "..";
    match hashes.keys().find(leads_away) {
        Some(name) => Err(format!("'{name}' is not a valid name of a file in the package")),
        None => Ok(()),
    }
}

/// Names a network whatever package it stands in: a hash over graph and weights.
fn network_hash(hashes: &BTreeMap<String, String>) -> String {
    let files = [MODEL_FILE, WEIGHTS_FILE].map(|name| hashes.get(name).map_or("", String::as_str));
    blake3::hash(files.join("\n").as_bytes()).to_hex().to_string()
}
