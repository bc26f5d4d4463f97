use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use planet_data::{AtomicFile, OutputFolder, WrittenFiles, file_hash};
use planet_geo::Partition;
use serde::Serialize;

use super::{
    CARD_FILE, CODES_FORMAT, CodeDescription, DESCRIPTION_FILE, FEATURES_FORMAT,
    FeatureDescription, HalfWeights, LABELS_FORMAT, LabelDescription, ModelDescription, ModelDraft,
    ModelPackage, PARTITION_FILE, PackageError, Quantization, SchemeFile, card,
    description::MODEL_FORMAT, read_description, read_other,
};

/// A package in the making: a folder under a temporary name beside its place, renamed when
/// whole, so that no reader ever meets half a package and a failure leaves the old one.
#[derive(Debug)]
#[must_use = "the package appears only when it is finished"]
pub struct NewPackage {
    place: PathBuf,
    folder: OutputFolder,
}

impl NewPackage {
    /// Begins a package that will stand at `place`. A package that stands there is replaced at
    /// the end; a folder that is no package, and one with files that were added or changed since
    /// it was made, is left alone.
    ///
    /// # Errors
    /// Something else stands there, or the folder above does not exist or cannot be written.
    pub fn create(place: &Path) -> Result<Self, PackageError> {
        let folder = OutputFolder::create(place, written)?;
        Ok(Self { place: place.to_owned(), folder })
    }

    /// Where `model.onnx`, its weights and album schemes are to be written before
    /// [`NewPackage::finish`].
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds partition, description and card, and puts the package in its place.
    ///
    /// # Errors
    /// A file cannot be written, or the whole is no sound package.
    pub fn finish(
        self,
        draft: ModelDraft,
        partition: &Partition,
    ) -> Result<ModelPackage, PackageError> {
        let path = self.folder().join(PARTITION_FILE);
        let mut text = Vec::new();
        partition.write(&mut text).map_err(PackageError::file(&path))?;
        AtomicFile::write_all_at(&path, &text).map_err(PackageError::file(&path))?;
        let description = ModelDescription {
            format: MODEL_FORMAT.to_owned(),
            name: draft.name,
            architecture: draft.architecture,
            classes: partition.len(),
            features: draft.features,
            preprocess: draft.preprocess,
            outputs: draft.outputs,
            temperature: draft.temperature,
            level_calibration: draft.level_calibration,
            region_calibration: draft.region_calibration,
            partition_fingerprint: partition.fingerprint(),
            hashes: BTreeMap::new(),
            card_hash: None,
            schemes: Vec::new(),
            quantization: None,
            half_weights: None,
            provenance: draft.provenance,
        };
        self.place_with(description, partition)
    }

    /// The same package with one more album scheme, whose file `write` makes at the path that
    /// it is given, and beside it, where the weights are apart, `FILE.data`. A scheme of the same
    /// name is replaced.
    ///
    /// # Errors
    /// A file cannot be written, or `write` fails.
    pub fn with_scheme(
        package: &ModelPackage,
        name: &str,
        file: &str,
        write: impl FnOnce(&Path) -> io::Result<()>,
    ) -> Result<ModelPackage, PackageError> {
        let new = Self::create(package.folder())?;
        let mut description = package.description().clone();
        description.schemes.retain(|scheme| scheme.name != name);
        let data = format!("{file}.data");
        for known in description.hashes.keys().filter(|known| *known != file && **known != data) {
            let (from, to) = (package.folder().join(known), new.folder().join(known));
            fs::hard_link(&from, &to)
                .or_else(|_| fs::copy(&from, &to).map(|_| ()))
                .map_err(PackageError::file(&from))?;
        }
        let path = new.folder().join(file);
        write(&path).map_err(PackageError::file(&path))?;
        let network = description.network_hash();
        let scheme = SchemeFile { name: name.to_owned(), file: file.to_owned(), network };
        description.schemes.push(scheme);
        new.place_with(description, package.partition())
    }

    /// Adds what a package in 32 bits states, for its network in 8 bits, and puts the package in its
    /// place. Album schemes stay behind: they were trained on the embeddings of the other network.
    ///
    /// # Errors
    /// A file cannot be written, or the whole is no sound package.
    pub fn finish_quantized(
        self,
        package: &ModelPackage,
        quantization: Quantization,
    ) -> Result<ModelPackage, PackageError> {
        let description =
            ModelDescription { quantization: Some(quantization), ..package.description().clone() };
        self.finish_rounded(package, description)
    }

    /// Adds what a package in 32 bits states, for its network with weights in 16 bits, and puts the
    /// package in its place. Album schemes stay behind, as with [`NewPackage::finish_quantized`].
    ///
    /// # Errors
    /// A file cannot be written, or the whole is no sound package.
    pub fn finish_halved(
        self,
        package: &ModelPackage,
        half_weights: HalfWeights,
    ) -> Result<ModelPackage, PackageError> {
        let description =
            ModelDescription { half_weights: Some(half_weights), ..package.description().clone() };
        self.finish_rounded(package, description)
    }

    fn finish_rounded(
        self,
        package: &ModelPackage,
        description: ModelDescription,
    ) -> Result<ModelPackage, PackageError> {
        let (from, to) =
            (package.folder().join(PARTITION_FILE), self.folder().join(PARTITION_FILE));
        fs::copy(&from, &to).map_err(PackageError::file(&from))?;
        let description = ModelDescription { schemes: Vec::new(), ..description };
        self.place_with(description, package.partition())
    }

    /// Hashes the files, writes the description and the model card, and renames the folder to its final name.
    fn place_with(
        self,
        mut description: ModelDescription,
        partition: &Partition,
    ) -> Result<ModelPackage, PackageError> {
        let folder = self.folder.path();
        description.hashes = hashes(folder)?;
        let card = card::write(&description, partition);
        description.card_hash = Some(card_hash(&card));
        let path = folder.join(DESCRIPTION_FILE);
        description.check().map_err(|what| PackageError::Description { path, what })?;
        place(self.folder, &description, &card)?;
        ModelPackage::open(&self.place)
    }
}

/// Writes description and card into a package's folder, and puts it in its place.
pub(super) fn place(
    folder: OutputFolder,
    description: &impl Serialize,
    card: &str,
) -> Result<(), PackageError> {
    let mut json = serde_json::to_vec_pretty(description).expect("plain values become JSON");
    json.push(b'\n');
    for (name, bytes) in [(DESCRIPTION_FILE, &json[..]), (CARD_FILE, card.as_bytes())] {
        let path = folder.path().join(name);
        AtomicFile::write_all_at(&path, bytes).map_err(PackageError::file(&path))?;
    }
    Ok(folder.finish()?)
}

/// blake3 of a model card, hexadecimal.
pub(super) fn card_hash(card: &str) -> String {
    blake3::hash(card.as_bytes()).to_hex().to_string()
}

/// Files of a package: those with hashes, model.json, and the card as it was written.
pub(super) fn files(hashes: &BTreeMap<String, String>, card_hash: &str) -> WrittenFiles {
    let hashed = hashes.iter().map(|(name, hash)| (name.clone(), Some(hash.clone())));
    let own =
        [(DESCRIPTION_FILE.to_owned(), None), (CARD_FILE.to_owned(), Some(card_hash.to_owned()))];
    hashed.chain(own).collect()
}

/// The files of a package of ours: those that model.json has hashes of, itself, and the card
/// where it is as it was written.
pub(super) fn written(folder: &Path) -> Option<WrittenFiles> {
    if let Ok(Some(it)) = read_other::<FeatureDescription>(folder, FEATURES_FORMAT) {
        return Some(files(&it.hashes, &it.card_hash));
    }
    if let Ok(Some(it)) = read_other::<LabelDescription>(folder, LABELS_FORMAT) {
        return Some(files(&it.hashes, &it.card_hash));
    }
    if let Ok(Some(it)) = read_other::<CodeDescription>(folder, CODES_FORMAT) {
        return Some(files(&it.hashes, &it.card_hash));
    }
    let description = read_description(folder).ok()?;
    if let Some(hash) = &description.card_hash {
        return Some(files(&description.hashes, hash));
    }
    // Packages of before the card's hash was recorded.
    let partition = fs::read(folder.join(PARTITION_FILE)).ok()?;
    let partition = Partition::read(&partition[..], PARTITION_FILE).ok()?;
    Some(files(&description.hashes, &card_hash(&card::write(&description, &partition))))
}

pub(super) fn hashes(folder: &Path) -> Result<BTreeMap<String, String>, PackageError> {
    let mut hashes = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(PackageError::file(folder))? {
        let path = entry.map_err(PackageError::file(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != DESCRIPTION_FILE && name != CARD_FILE {
            hashes.insert(name, file_hash(&path).map_err(PackageError::file(&path))?);
        }
    }
    Ok(hashes)
}
