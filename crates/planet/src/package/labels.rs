use std::{
    collections::{BTreeMap, HashSet},
    path::{Path, PathBuf},
};

use planet_data::{OutputFolder, Preprocess, table::read_lines};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    DESCRIPTION_FILE, MODEL_FILE, ModelPackage, PackageError, Provenance, check_hashes,
    check_names,
    new::{card_hash, hashes, place},
    read_other,
};

/// The `format` of model.json in a package for labels.
pub const LABELS_FORMAT: &str = "planet-labels-1";

/// How far above 1 or below 0 a probability may lie by rounding.
const ROUNDING: f32 = 1e-4;

/// What model.json of a package for labels holds: a classifier whose classes are not places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelDescription {
    /// [`LABELS_FORMAT`].
    pub format: String,
    /// The model's name, for people.
    pub name: String,
    /// What the network tells apart, in the order of its output.
    pub labels: Labels,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// Name of the output, `[photos, labels]`.
    pub output: String,
    /// How the output becomes scores.
    pub activation: Activation,
    /// blake3 of every other file but the card, hexadecimal, by name.
    pub hashes: BTreeMap<String, String>,
    /// blake3 of the model card as it was written, hexadecimal.
    pub card_hash: String,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// What the maker of a package for labels states about it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelDraft {
    /// The model's name, for people.
    pub name: String,
    /// What the network tells apart, in the order of its output.
    pub labels: Labels,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// Name of the output, `[photos, labels]`.
    pub output: String,
    /// How the output becomes scores.
    pub activation: Activation,
    /// Where the model comes from.
    pub provenance: Provenance,
}

/// Names of classes: at least one, none of them empty, no two the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Labels(Vec<String>);

impl Labels {
    /// Reads labels from a text file, one per line. Spaces around them are removed.
    ///
    /// # Errors
    /// A file that cannot be read, or the first line that is empty, not UTF-8, or a label that
    /// stands there already.
    pub fn read(path: &Path) -> Result<Self, PackageError> {
        let lines = read_lines(path).map_err(|error| PackageError::Labels(error.to_string()))?;
        let labels = lines.into_iter().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
        Self::new(labels).map_err(|what| PackageError::Labels(format!("{}:{what}", path.display())))
    }

    /// # Errors
    /// The number of the first label that is wrong, from 1, and what is wrong with it.
    fn new(labels: Vec<String>) -> Result<Self, String> {
        let mut seen = HashSet::new();
        for (number, label) in (1..).zip(&labels) {
            let what = match label.as_str() {
                "" => "the label is empty; write one label per line",
                label if label.contains('\u{FFFD}') => "the label is not UTF-8",
                label if label.contains(char::is_control) => "the label has control characters",
                label if !seen.insert(label) => "the label stands there twice",
                _ => continue,
            };
            return Err(format!("{number}: {what}"));
        }
        if labels.is_empty() { Err("1: there are no labels".to_owned()) } else { Ok(Self(labels)) }
    }

    /// The labels, in the order of the network's output.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The place of a label in the network's output.
    pub fn position(&self, label: &str) -> Option<usize> {
        self.0.iter().position(|it| it == label)
    }
}

impl TryFrom<Vec<String>> for Labels {
    type Error = String;

    fn try_from(labels: Vec<String>) -> Result<Self, String> {
        Self::new(labels).map_err(|what| format!("labels:{what}"))
    }
}

impl From<Labels> for Vec<String> {
    fn from(labels: Labels) -> Self {
        labels.0
    }
}

/// How a network's output becomes a score from 0 to 1 for each label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// Exactly one label applies: the scores sum to 1.
    Softmax,
    /// Each label applies or not, whatever the others do.
    Sigmoid,
    /// The network gives scores from 0 to 1 itself.
    None,
}

/// Why a network's output gives no scores.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum UnscoredError {
    /// NaN or infinite.
    #[error("the model returns {0}")]
    NotFinite(f32),
    /// Stated to be a score, but not within 0..=1.
    #[error("the model returns {0}, which is not a score from 0 to 1")]
    OutOfRange(f32),
}

impl Activation {
    /// Scores from 0 to 1, `[labels]`, of one photo's output.
    ///
    /// # Errors
    /// A value that is not finite, or that must lie within 0..=1 and does not.
    pub fn scores(self, output: &[f32]) -> Result<Vec<f32>, UnscoredError> {
        if let Some(&value) = output.iter().find(|value| !value.is_finite()) {
            return Err(UnscoredError::NotFinite(value));
        }
        match self {
            Self::Softmax => {
                let most = output.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let powers: Vec<f64> =
                    output.iter().map(|value| f64::from(value - most).exp()).collect();
                let sum: f64 = powers.iter().sum();
                Ok(powers.into_iter().map(|power| (power / sum) as f32).collect())
            }
            Self::Sigmoid => Ok(output.iter().map(|value| 1.0 / (1.0 + (-value).exp())).collect()),
            Self::None => {
                let range = -ROUNDING..=1.0 + ROUNDING;
                match output.iter().find(|value| !range.contains(*value)) {
                    Some(&value) => Err(UnscoredError::OutOfRange(value)),
                    None => Ok(output.iter().map(|value| value.clamp(0.0, 1.0)).collect()),
                }
            }
        }
    }
}

/// A package for labels: a folder that was checked.
#[derive(Clone, Debug)]
pub struct LabelModel {
    folder: PathBuf,
    description: LabelDescription,
}

impl LabelModel {
    /// Opens a package and checks its files against their hashes.
    ///
    /// # Errors
    /// What is missing, unreadable or does not fit, by its file; a package of another kind.
    pub fn open(folder: &Path) -> Result<Self, PackageError> {
        let Some(description) = read_other::<LabelDescription>(folder, LABELS_FORMAT)? else {
            return Err(match ModelPackage::open(folder) {
                Ok(_) | Err(PackageError::NoClasses { .. }) => {
                    PackageError::NoLabels { path: folder.to_owned() }
                }
                Err(error) => error,
            });
        };
        let path = folder.join(DESCRIPTION_FILE);
        let checked = description.preprocess.check().map_err(|error| error.to_string());
        checked
            .and_then(|()| check_names(&description.hashes, &[MODEL_FILE]))
            .map_err(|what| PackageError::Description { path, what })?;
        check_hashes(folder, &description.hashes)?;
        Ok(Self { folder: folder.to_owned(), description })
    }

    /// What model.json says.
    pub fn description(&self) -> &LabelDescription {
        &self.description
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The network's graph, for an engine.
    pub fn model(&self) -> PathBuf {
        self.folder.join(MODEL_FILE)
    }
}

/// A package for labels in the making: a folder under a temporary name beside its place.
#[derive(Debug)]
#[must_use = "the package appears only when it is finished"]
pub struct NewLabels {
    place: PathBuf,
    folder: OutputFolder,
}

impl NewLabels {
    /// Begins a package that will stand at `place`, where an unchanged package may be.
    ///
    /// # Errors
    /// Something else stands there, or the folder above does not exist or cannot be written.
    pub fn create(place: &Path) -> Result<Self, PackageError> {
        let folder = OutputFolder::create(place, super::new::written)?;
        Ok(Self { place: place.to_owned(), folder })
    }

    /// Where `model.onnx` and its weights are to be written before [`NewLabels::finish`].
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds description and card, and puts the package in its place.
    ///
    /// # Errors
    /// A file cannot be written, or the whole is no sound package.
    pub fn finish(self, draft: LabelDraft) -> Result<LabelModel, PackageError> {
        let card = card(&draft);
        let description = LabelDescription {
            format: LABELS_FORMAT.to_owned(),
            name: draft.name,
            labels: draft.labels,
            preprocess: draft.preprocess,
            output: draft.output,
            activation: draft.activation,
            hashes: hashes(self.folder())?,
            card_hash: card_hash(&card),
            provenance: draft.provenance,
        };
        place(self.folder, &description, &card)?;
        LabelModel::open(&self.place)
    }
}

fn card(draft: &LabelDraft) -> String {
    /// Labels that a card lists.
    const LISTED: usize = 20;
    let name = draft.name.split_whitespace().collect::<Vec<_>>().join(" ");
    let [height, width] = draft.preprocess.size;
    let labels = draft.labels.names();
    let mut listed = labels.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if labels.len() > LISTED {
        listed.push_str(", …");
    }
    let note = match draft.provenance.note.as_str() {
        "" => String::new(),
        note => format!("\n## Source\n\n{note}\n"),
    };
    format!(
        "---\nlibrary_name: planet\npipeline_tag: image-classification\n---\n\n# {name}\n\n\
         Labels of photos, for filtering and describing datasets. The model does not locate photos.\n\n\
         | | |\n|---|---|\n| input | {height} × {width} pixels |\n\
         | labels | {}: {listed} |\n\n\
         ## Use\n\n    planet dataset enrich M --classifier THIS_FOLDER --columns LABEL -o M\n{note}",
        labels.len()
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::FeatureModel;

    fn draft(labels: &[&str]) -> LabelDraft {
        LabelDraft {
            name: "indoors or out".to_owned(),
            labels: Labels::new(labels.iter().map(|&it| it.to_owned()).collect()).expect("labels"),
            preprocess: Preprocess::inception(32),
            output: "logits".to_owned(),
            activation: Activation::Softmax,
            provenance: Provenance { version: "0".to_owned(), ..Provenance::default() },
        }
    }

    fn package(place: &Path, labels: &[&str]) -> Result<LabelModel, PackageError> {
        let new = NewLabels::create(place)?;
        fs::write(new.folder().join(MODEL_FILE), "graph").expect("written");
        new.finish(draft(labels))
    }

    #[test]
    fn a_package_for_labels_opens_as_such_and_as_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("model");
        let model = package(&place, &["indoors", "outdoors"]).expect("a package");
        assert_eq!(model.description().labels.position("outdoors"), Some(1));
        for error in [ModelPackage::open(&place).err(), FeatureModel::open(&place).err()] {
            let error = error.expect("no places").to_string();
            assert!(error.contains("gives labels, not places"), "{error}");
        }
        // It may be made again in its place, and is left alone where it was changed.
        package(&place, &["in", "out"]).expect("a package");
        fs::write(place.join(MODEL_FILE), "another graph").expect("written");
        assert!(LabelModel::open(&place).expect_err("changed").to_string().contains("hash"));
        assert!(package(&place, &["in", "out"]).is_err());
    }

    #[test]
    fn what_is_wrong_with_labels_is_named_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("labels.txt");
        let read = |bytes: &[u8]| {
            fs::write(&path, bytes).expect("written");
            Labels::read(&path).map_err(|error| error.to_string())
        };
        let labels = read(b" safe \r\nnot safe\r\n").expect("labels");
        assert_eq!(labels.names(), ["safe", "not safe"]);
        for (bytes, what) in [
            (&b""[..], "labels.txt:1: there are no labels"),
            (b"safe\n\nunsafe\n", "labels.txt:2: the label is empty"),
            (b"safe\nunsafe\nsafe\n", "labels.txt:3: the label stands there twice"),
            (b"safe\n\xFFunsafe\n", "labels.txt:2: the label is not UTF-8"),
            (b"safe\nun\x07safe\n", "labels.txt:2: the label has control characters"),
        ] {
            let error = read(bytes).expect_err("wrong");
            assert!(error.contains(what), "{error}");
        }
        let twice = serde_json::from_str::<Labels>(r#"["a","a"]"#).expect_err("twice").to_string();
        assert!(twice.contains("labels:2: the label stands there twice"), "{twice}");
    }

    #[test]
    fn scores_are_between_0_and_1_or_there_are_none() {
        // Values of scipy.special.softmax and expit.
        let softmax = Activation::Softmax.scores(&[1000.0, 999.0, 997.0]).expect("scores");
        for (found, expected) in softmax.iter().zip([0.705_384_5, 0.259_496_46, 0.035_119_03]) {
            assert!((found - expected).abs() < 1e-6, "{found} and {expected}");
        }
        let sigmoid = Activation::Sigmoid.scores(&[0.0, 2.0, -200.0]).expect("scores");
        assert_eq!((sigmoid[0], sigmoid[2]), (0.5, 0.0));
        assert!((sigmoid[1] - 0.880_797_1).abs() < 1e-6);
        assert_eq!(Activation::None.scores(&[0.25, 1.000_01]), Ok(vec![0.25, 1.0]));
        assert_eq!(Activation::None.scores(&[0.25, 1.5]), Err(UnscoredError::OutOfRange(1.5)));
        for activation in [Activation::Softmax, Activation::Sigmoid, Activation::None] {
            let error = activation.scores(&[0.5, f32::NAN]).expect_err("NaN");
            assert_eq!(error.to_string(), "the model returns NaN");
        }
    }
}
