use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use planet_data::{OutputFolder, Preprocess};
use serde::{Deserialize, Serialize};

use super::{
    DESCRIPTION_FILE, HalfWeights, MODEL_FILE, ModelPackage, PackageError, Provenance,
    WEIGHTS_FILE, card, check_hashes, check_names, network_hash,
    new::{card_hash, hashes, place},
    read_other,
};

/// The `format` of model.json in a package without classes.
pub const FEATURES_FORMAT: &str = "planet-features-1";

/// What model.json of a package without classes holds. Its network has the outputs `embedding`,
/// `[photos, features]`, and `map`, `[photos, channels, height, width]`, and takes photos of any
/// size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureDescription {
    /// [`FEATURES_FORMAT`].
    pub format: String,
    /// The model's name, for people.
    pub name: String,
    /// The network's architecture.
    pub architecture: String,
    /// Length of the embedding.
    pub features: usize,
    /// Channels, height and width of the map, for photos of the preprocessing's size.
    pub map: [usize; 3],
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// blake3 of every other file but the card, hexadecimal, by name.
    pub hashes: BTreeMap<String, String>,
    /// blake3 of the model card as it was written, hexadecimal.
    pub card_hash: String,
    /// How the weights became 16 bits; `None` where all of them have 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_weights: Option<HalfWeights>,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// What the maker of a package without classes states about it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureDraft {
    /// The model's name, for people.
    pub name: String,
    /// The network's architecture.
    pub architecture: String,
    /// Length of the embedding.
    pub features: usize,
    /// Channels, height and width of the map.
    pub map: [usize; 3],
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// A network whose features are wanted: a package without classes, or the embedding of one with
/// classes.
#[derive(Clone, Debug)]
pub enum FeatureModel {
    /// A package without classes, and its folder.
    Features(PathBuf, Box<FeatureDescription>),
    /// A package with classes.
    Classifier(Box<ModelPackage>),
}

impl FeatureModel {
    /// Opens a package of either kind and checks its files against their hashes.
    ///
    /// # Errors
    /// What is missing, unreadable or does not fit, by its file; a package with classes that gives
    /// no embedding.
    pub fn open(folder: &Path) -> Result<Self, PackageError> {
        let Some(description) = read_other::<FeatureDescription>(folder, FEATURES_FORMAT)? else {
            let package = ModelPackage::open(folder)?;
            if package.description().features == 0 {
                let path = folder.join(DESCRIPTION_FILE);
                let what = "the model has no embedding, so it has no features for retrieval";
                return Err(PackageError::Description { path, what: what.to_owned() });
            }
            return Ok(Self::Classifier(Box::new(package)));
        };
        let path = folder.join(DESCRIPTION_FILE);
        description
            .check()
            .map_err(|what| PackageError::Description { path: path.clone(), what })?;
        check_hashes(folder, &description.hashes)?;
        Ok(Self::Features(folder.to_owned(), Box::new(description)))
    }

    /// The network's graph, for an engine.
    pub fn model(&self) -> PathBuf {
        match self {
            Self::Features(folder, _) => folder.join(MODEL_FILE),
            Self::Classifier(package) => package.model(),
        }
    }

    /// The package's folder.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Features(folder, _) => folder,
            Self::Classifier(package) => package.folder(),
        }
    }

    /// The model's name, for people.
    pub fn name(&self) -> &str {
        match self {
            Self::Features(_, description) => &description.name,
            Self::Classifier(package) => &package.description().name,
        }
    }

    /// How a photo becomes the network's input.
    pub fn preprocess(&self) -> &Preprocess {
        match self {
            Self::Features(_, description) => &description.preprocess,
            Self::Classifier(package) => &package.description().preprocess,
        }
    }

    /// Length of the embedding.
    pub fn features(&self) -> usize {
        match self {
            Self::Features(_, description) => description.features,
            Self::Classifier(package) => package.description().features,
        }
    }

    /// Channels, height and width of the last convolution's map, for photos of the preprocessing's
    /// size; `None` where the package does not give it.
    pub fn map(&self) -> Option<[usize; 3]> {
        match self {
            Self::Features(_, description) => Some(description.map),
            Self::Classifier(_) => None,
        }
    }

    /// Whether the network takes photos of other sizes than the preprocessing's.
    pub fn is_free_in_size(&self) -> bool {
        matches!(self, Self::Features(..))
    }

    /// Names network and preprocessing: features under one name may be compared.
    pub fn fingerprint(&self) -> String {
        let network = match self {
            Self::Features(_, description) => description.network_hash(),
            Self::Classifier(package) => package.description().network_hash(),
        };
        let preprocess = serde_json::to_string(self.preprocess()).expect("plain values");
        blake3::hash(format!("{network}\n{preprocess}\n").as_bytes()).to_hex().to_string()
    }
}

/// A package without classes in the making: a folder under a temporary name beside its place.
#[derive(Debug)]
#[must_use = "the package appears only when it is finished"]
pub struct NewFeatures {
    place: PathBuf,
    folder: OutputFolder,
}

impl NewFeatures {
    /// Begins a package that will stand at `place`, where an unchanged package may be.
    ///
    /// # Errors
    /// Something else stands there, or the folder above does not exist or cannot be written.
    pub fn create(place: &Path) -> Result<Self, PackageError> {
        let folder = OutputFolder::create(place, super::new::written)?;
        Ok(Self { place: place.to_owned(), folder })
    }

    /// Where `model.onnx` and its weights are to be written before [`NewFeatures::finish`].
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds description and card, and puts the package in its place.
    ///
    /// # Errors
    /// A file cannot be written, or the whole is no sound package.
    pub fn finish(self, draft: FeatureDraft) -> Result<FeatureModel, PackageError> {
        self.finish_with(draft, None)
    }

    /// Adds what a package in 32 bits states, for its network with weights in 16 bits, and puts the
    /// package in its place.
    ///
    /// # Errors
    /// A file cannot be written, or the whole is no sound package.
    pub fn finish_halved(
        self,
        description: &FeatureDescription,
        half_weights: HalfWeights,
    ) -> Result<FeatureModel, PackageError> {
        let it = description.clone();
        let draft = FeatureDraft {
            name: it.name,
            architecture: it.architecture,
            features: it.features,
            map: it.map,
            preprocess: it.preprocess,
            provenance: it.provenance,
        };
        self.finish_with(draft, Some(half_weights))
    }

    fn finish_with(
        self,
        draft: FeatureDraft,
        half_weights: Option<HalfWeights>,
    ) -> Result<FeatureModel, PackageError> {
        let folder = self.folder.path();
        let card = written_card(&draft, half_weights.as_ref());
        let description = FeatureDescription {
            format: FEATURES_FORMAT.to_owned(),
            name: draft.name,
            architecture: draft.architecture,
            features: draft.features,
            map: draft.map,
            preprocess: draft.preprocess,
            hashes: hashes(folder)?,
            card_hash: card_hash(&card),
            half_weights,
            provenance: draft.provenance,
        };
        place(self.folder, &description, &card)?;
        FeatureModel::open(&self.place)
    }
}

impl FeatureDescription {
    /// Names the network whatever package it stands in: a hash over graph and weights.
    pub fn network_hash(&self) -> String {
        network_hash(&self.hashes)
    }

    fn check(&self) -> Result<(), String> {
        self.preprocess.check().map_err(|error| error.to_string())?;
        if self.features == 0 || self.map.contains(&0) {
            return Err("features and map must be above 0".to_owned());
        }
        check_names(&self.hashes, &[MODEL_FILE, WEIGHTS_FILE])
    }
}

fn written_card(draft: &FeatureDraft, half_weights: Option<&HalfWeights>) -> String {
    let name = draft.name.split_whitespace().collect::<Vec<_>>().join(" ");
    let FeatureDraft { architecture, features, map: [channels, rows, columns], .. } = draft;
    let [height, width] = draft.preprocess.size;
    let note = match draft.provenance.note.as_str() {
        "" => String::new(),
        note => format!("\n## Source\n\n{note}\n"),
    };
    let half = half_weights.map_or_else(String::new, |it| {
        format!("## Weights in 16 bits\n\n{}\n", card::half_text(it))
    });
    format!(
        "---\nlibrary_name: planet\npipeline_tag: image-feature-extraction\n---\n\n# {name}\n\n\
         Features of photos, for retrieval. The model has no classes, so it does not locate photos.\n\n\
         | | |\n|---|---|\n| architecture | {architecture} |\n\
         | input | {height} × {width} pixels, RGB; other sizes are possible |\n\
         | output `embedding` | {features} |\n\
         | output `map` | {channels} × {rows} × {columns} |\n\n\
         {half}## Use\n\n    planet retrieve index PHOTOS --model THIS_FOLDER -o INDEX\n{note}"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn draft() -> FeatureDraft {
        FeatureDraft {
            name: "a backbone".to_owned(),
            architecture: "efficientnet-lite0".to_owned(),
            features: 1280,
            map: [1280, 7, 7],
            preprocess: Preprocess::inception(224),
            provenance: Provenance { version: "0".to_owned(), ..Provenance::default() },
        }
    }

    fn package(place: &Path) -> FeatureModel {
        let new = NewFeatures::create(place).expect("a folder");
        for name in [MODEL_FILE, WEIGHTS_FILE] {
            fs::write(new.folder().join(name), name).expect("written");
        }
        new.finish(draft()).expect("a package")
    }

    #[test]
    fn a_package_without_classes_opens_as_features_and_says_that_it_locates_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("model");
        let model = package(&place);
        assert_eq!((model.features(), model.map()), (1280, Some([1280, 7, 7])));
        let error = ModelPackage::open(&place).expect_err("no classes").to_string();
        for words in ["no classes", "planet retrieve", "--features-only"] {
            assert!(error.contains(words), "{error}");
        }
        // It may be made again in its place, and then has the same name.
        assert_eq!(package(&place).fingerprint(), model.fingerprint());
    }

    #[test]
    fn a_package_with_weights_in_16_bits_says_so_and_names_what_keeps_32() {
        let folder = tempfile::tempdir().expect("a folder");
        let [full, small] = ["full", "small"].map(|it| folder.path().join(it));
        let FeatureModel::Features(_, description) = package(&full) else { panic!("no classes") };
        let new = NewFeatures::create(&small).expect("a folder");
        for name in [MODEL_FILE, WEIGHTS_FILE] {
            fs::write(new.folder().join(name), "others").expect("written");
        }
        let network = description.network_hash();
        let kept = vec!["fc.weight".to_owned()];
        let half = HalfWeights { arrays: 3, kept, network, agreement: None };
        let made = new.finish_halved(&description, half.clone()).expect("a package");
        let FeatureModel::Features(_, found) = made else { panic!("no classes") };
        assert_eq!(found.half_weights, Some(half));
        assert_eq!((found.name, found.map), (description.name, description.map));
        let read = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).expect("read");
        let card = read(&small, "README.md");
        assert!(card.contains("3 arrays of weights") && card.contains("`fc.weight`"), "{card}");
        for name in [DESCRIPTION_FILE, "README.md"] {
            assert!(!read(&full, name).contains("16 bits"), "{name}");
            assert!(!read(&full, name).contains("half_weights"), "{name}");
        }
    }

    #[test]
    fn a_file_that_changed_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("model");
        package(&place);
        fs::write(place.join(WEIGHTS_FILE), "others").expect("written");
        let error = FeatureModel::open(&place).expect_err("changed").to_string();
        assert!(error.contains(WEIGHTS_FILE) && error.contains("hash"), "{error}");
        fs::remove_file(place.join(MODEL_FILE)).expect("removed");
        assert!(FeatureModel::open(&place).is_err());
    }
}
