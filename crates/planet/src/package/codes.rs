use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use planet_data::{Code, GREATEST_DISTANCE, OutputFolder, Preprocess};
use serde::{Deserialize, Serialize};

use super::{
    DESCRIPTION_FILE, MODEL_FILE, PackageError, Provenance, WEIGHTS_FILE, check_hashes,
    check_names,
    new::{card_hash, hashes, place},
    read_other,
};
use crate::near_duplicates::FalseMatches;

/// The `format` of model.json in a package for near-duplicates.
pub const CODES_FORMAT: &str = "planet-codes-1";

/// Sizes of training sets for which the card states how many photos are removed wrongly.
const TRAINING_SETS: [u64; 3] = [10_000, 100_000, 1_000_000];

/// What model.json of a package for near-duplicates holds. Its network has the output `code`,
/// `[photos, 256]`: a bit of the code is set where the output is above 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeDescription {
    /// [`CODES_FORMAT`].
    pub format: String,
    /// The model's name, for people.
    pub name: String,
    /// The network's architecture.
    pub architecture: String,
    /// Length of a code in bits.
    pub bits: u32,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// Photos whose codes differ in at most so many bits are near-duplicates, where nothing else is
    /// asked for.
    pub distance: u32,
    /// How often different photos are within each distance.
    pub false_matches: FalseMatches,
    /// Share of edited copies of the validation photos that each distance finds, 0..=63 bits.
    pub copies_within: Vec<f64>,
    /// blake3 of every other file but the card, hexadecimal, by name.
    pub hashes: BTreeMap<String, String>,
    /// blake3 of the model card as it was written, hexadecimal.
    pub card_hash: String,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// What the maker of a package for near-duplicates states about it.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeDraft {
    /// The model's name, for people.
    pub name: String,
    /// The network's architecture.
    pub architecture: String,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// Photos whose codes differ in at most so many bits are near-duplicates.
    pub distance: u32,
    /// How often different photos are within each distance.
    pub false_matches: FalseMatches,
    /// Share of edited copies that each distance finds.
    pub copies_within: Vec<f64>,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// A package for near-duplicates: a folder that was checked.
#[derive(Clone, Debug)]
pub struct CodeModel {
    folder: PathBuf,
    description: Box<CodeDescription>,
}

impl CodeModel {
    /// Opens a package and checks its files against their hashes.
    ///
    /// # Errors
    /// What is missing, unreadable or does not fit, by its file; a package of another kind.
    pub fn open(folder: &Path) -> Result<Self, PackageError> {
        if !folder.is_dir() {
            return Err(PackageError::NoFolder { path: folder.to_owned() });
        }
        let path = folder.join(DESCRIPTION_FILE);
        let Some(description) = read_other::<CodeDescription>(folder, CODES_FORMAT)? else {
            return Err(PackageError::NoCodes { path: folder.to_owned() });
        };
        description.check().map_err(|what| PackageError::Description { path, what })?;
        check_hashes(folder, &description.hashes)?;
        Ok(Self { folder: folder.to_owned(), description: Box::new(description) })
    }

    /// The network's graph, for an engine.
    pub fn model(&self) -> PathBuf {
        self.folder.join(MODEL_FILE)
    }

    /// The package's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What model.json says.
    pub fn description(&self) -> &CodeDescription {
        &self.description
    }
}

/// A package for near-duplicates in the making: a folder under a temporary name beside its place.
#[derive(Debug)]
#[must_use = "the package appears only when it is finished"]
pub struct NewCodes {
    place: PathBuf,
    folder: OutputFolder,
}

impl NewCodes {
    /// Begins a package that will stand at `place`, where an unchanged package may be.
    ///
    /// # Errors
    /// Something else stands there, or the folder above does not exist or cannot be written.
    pub fn create(place: &Path) -> Result<Self, PackageError> {
        let folder = OutputFolder::create(place, super::new::written)?;
        Ok(Self { place: place.to_owned(), folder })
    }

    /// Where `model.onnx` and its weights are to be written before [`NewCodes::finish`].
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds description and card, and puts the package in its place.
    ///
    /// # Errors
    /// A file cannot be written, or the whole is no sound package.
    pub fn finish(self, draft: CodeDraft) -> Result<CodeModel, PackageError> {
        let folder = self.folder.path();
        let mut description = CodeDescription {
            format: CODES_FORMAT.to_owned(),
            name: draft.name,
            architecture: draft.architecture,
            bits: Code::BITS,
            preprocess: draft.preprocess,
            distance: draft.distance,
            false_matches: draft.false_matches,
            copies_within: draft.copies_within,
            hashes: hashes(folder)?,
            card_hash: String::new(),
            provenance: draft.provenance,
        };
        let path = self.place.join(DESCRIPTION_FILE);
        description.check().map_err(|what| PackageError::Description { path, what })?;
        let card = card(&description);
        description.card_hash = card_hash(&card);
        place(self.folder, &description, &card)?;
        CodeModel::open(&self.place)
    }
}

impl CodeDescription {
    fn check(&self) -> Result<(), String> {
        self.preprocess.check().map_err(|error| error.to_string())?;
        if self.bits != Code::BITS {
            let (found, wanted) = (self.bits, Code::BITS);
            return Err(format!("codes of {found} bits are not supported, only of {wanted}"));
        }
        if self.distance > GREATEST_DISTANCE {
            return Err(format!("distance {} is above {GREATEST_DISTANCE} bits", self.distance));
        }
        let shares = self.copies_within.iter().all(|share| (0.0..=1.0).contains(share));
        if !shares || self.copies_within.len() != GREATEST_DISTANCE as usize + 1 {
            let what =
                format!("copies_within must state a share for 0 to {GREATEST_DISTANCE} bits");
            return Err(what);
        }
        self.false_matches.check()?;
        check_names(&self.hashes, &[MODEL_FILE, WEIGHTS_FILE])
    }
}

fn card(description: &CodeDescription) -> String {
    let name = description.name.split_whitespace().collect::<Vec<_>>().join(" ");
    let [height, width] = description.preprocess.size;
    let CodeDescription { architecture, distance, false_matches, .. } = description;
    let copies = 100.0 * description.copies_within[*distance as usize];
    let removed = |against: u64| {
        let share = 100.0 * false_matches.removed(*distance, against);
        let most = 100.0 * false_matches.removed_at_most(*distance, against);
        format!("| {against} | {share:.3} % | {most:.3} % |\n")
    };
    let removed: String = TRAINING_SETS.into_iter().map(removed).collect();
    let config = description.provenance.config.as_deref().unwrap_or_default().trim_end();
    format!(
        "---\nlibrary_name: planet\npipeline_tag: image-feature-extraction\n---\n\n# {name}\n\n\
         Codes of photos, for finding near-duplicates. The model does not locate photos.\n\n\
         | | |\n|---|---|\n| architecture | {architecture} |\n\
         | input | {height} × {width} pixels, RGB |\n\
         | output `code` | {bits} numbers; a bit is set where the number is above 0 |\n\
         | distance | photos are near-duplicates if their codes differ in at most {distance} bits |\n\n\
         ## Accuracy\n\n\
         Of the edited copies of the validation photos, {copies:.1} % are found. Of {pairs} pairs of \
         different validation photos, {wrong} are taken for near-duplicates. Of test photos like these, \
         the following share is therefore expected to be removed wrongly:\n\n\
         | training photos | test photos removed wrongly | upper end of the 95 % interval |\n\
         |---|---|---|\n{removed}\n\
         Photos of other kinds can differ: measure them before relying on these numbers.\n\n\
         ## Use\n\n    planet dataset duplicates TRAIN TEST --model THIS_FOLDER -o PAIRS\n\n\
         ## Configuration\n\n```toml\n{config}\n```\n",
        bits = Code::BITS,
        pairs = false_matches.pairs(),
        wrong = false_matches.within(*distance),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{FeatureModel, ModelPackage, package::WEIGHTS_FILE};

    fn draft(distance: u32) -> CodeDraft {
        let codes: Vec<Code> = (0..40).map(|at| Code::from_words([1 << at, 0, 0, 0])).collect();
        CodeDraft {
            name: "codes".to_owned(),
            architecture: "inception-mini".to_owned(),
            preprocess: Preprocess::inception(96),
            distance,
            false_matches: FalseMatches::of(&codes),
            copies_within: vec![0.5; 64],
            provenance: Provenance { version: "0".to_owned(), ..Provenance::default() },
        }
    }

    fn package(place: &Path, distance: u32) -> Result<CodeModel, PackageError> {
        let new = NewCodes::create(place).expect("a folder");
        for name in [MODEL_FILE, WEIGHTS_FILE] {
            fs::write(new.folder().join(name), name).expect("written");
        }
        new.finish(draft(distance))
    }

    #[test]
    fn a_package_for_near_duplicates_says_what_it_is_wherever_it_is_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("codes");
        let model = package(&place, 1).expect("a package");
        assert_eq!((model.description().distance, model.description().bits), (1, 256));
        for error in [
            ModelPackage::open(&place).expect_err("no classes"),
            FeatureModel::open(&place).expect_err("no features"),
        ] {
            let error = error.to_string();
            assert!(error.contains("near-duplicates") && error.contains("--model"), "{error}");
        }
        let card = fs::read_to_string(place.join("README.md")).expect("a card");
        assert!(card.contains("at most 1 bits") && card.contains("Of 780 pairs"), "{card}");
        // It may be made again in its place.
        package(&place, 0).expect("a package");
    }

    #[test]
    fn other_packages_and_impossible_values_are_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = CodeModel::open(folder.path()).expect_err("an empty folder").to_string();
        assert!(error.contains("planet train --task near-duplicates"), "{error}");
        let place = folder.path().join("codes");
        let error = package(&place, 64).expect_err("too far").to_string();
        assert!(error.contains("model.json") && error.contains("above 63"), "{error}");
        let place = folder.path().join("changed");
        package(&place, 1).expect("a package");
        fs::write(place.join(WEIGHTS_FILE), "others").expect("written");
        let error = CodeModel::open(&place).expect_err("changed").to_string();
        assert!(error.contains(WEIGHTS_FILE), "{error}");
    }
}
