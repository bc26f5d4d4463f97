//! The model package: one folder with everything that an answer needs.

mod agreement;
mod card;
mod codes;
mod description;
mod error;
mod features;
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
    CALIBRATION_ERROR, CALIBRATION_ERROR_BEFORE, ModelDescription, ModelDraft, Outputs, Provenance,
    Quantization, SchemeFile, ScoreKind,
};
pub use error::PackageError;
pub use features::{FEATURES_FORMAT, FeatureDescription, FeatureDraft, FeatureModel, NewFeatures};
pub use new::NewPackage;
pub use onnx_metadata::OnnxMetadata;
use planet_data::file_hash;
use planet_geo::{Partition, Point};
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
    if features::read::<FeatureDescription>(folder, FEATURES_FORMAT)?.is_some() {
        return Err(PackageError::NoClasses { path: folder.to_owned() });
    }
    if features::read::<CodeDescription>(folder, CODES_FORMAT)?.is_some() {
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
