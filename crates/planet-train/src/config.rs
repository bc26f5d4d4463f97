use std::path::{Path, PathBuf};

use planet_data::{Augment, Code, Preprocess};
use planet_net::{Architecture, Network, NetworkOptions};
use serde::{Deserialize, Serialize};

use crate::{
    BackendName, Hierarchy, InvalidSetting, LearningRate, NearDuplicates, Objective, Optimizer,
    Precision, Smoothing, TrainError, TrainTask, Triplets,
    course::{self, Course, check_all, not_negative},
    pairs::PAIR,
};

/// What a run is made of: a TOML file, changed by flags, written down resolved in the run's
/// folder. Unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// What the network is trained for: `location`, or `near-duplicates`, which needs neither
    /// positions nor a partition.
    pub task: TrainTask,
    /// Architecture of the network.
    pub architecture: ArchitectureName,
    /// Side of the square input in pixels; the architecture's usual one where it is 0.
    pub size: usize,
    /// Manifest of the photos to learn from, `FILE` or `FILE:SPLIT`.
    pub dataset: Option<String>,
    /// Manifest of the photos that say when to stop and which checkpoint is best.
    pub validation: Option<String>,
    /// The folder that photo ids are relative to, where it is not what the manifests say.
    pub root: Option<PathBuf>,
    /// Whether the photos are those of a synthetic earth, which packages then say.
    pub synthetic: bool,
    /// The partition's file.
    pub partition: Option<PathBuf>,
    /// Files of partitions that have a classifier each, in the place of one classifier over
    /// `partition`; each class of `partition` must be inside one class of each. The score of a class is the
    /// sum of theirs. None where it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heads: Vec<PathBuf>,
    /// Most validation photos that are looked at after each epoch: a random sample with each
    /// class's share, the same in every epoch; 0 takes all.
    pub validation_photos: usize,
    /// Greatest number of epochs.
    pub epochs: u64,
    /// Photos after which an epoch ends with a validation, a checkpoint and a row of the summary;
    /// the next one goes on with others until all have come. 0, or more than there are, is all.
    pub epoch_photos: usize,
    /// Ends after this many minutes of training, wherever it stands; 0 never does.
    pub minutes: f64,
    /// Epochs without a better validation accuracy after which training has converged and ends
    /// (paper, section 3: "until the accuracy on the validation set converges"); 0 never does.
    pub patience: u64,
    /// Photos in a step, of each process where several train together.
    pub batch: usize,
    /// Seed of initial weights, order, variation and dropout.
    pub seed: u64,
    /// The loss: `cross-entropy`, `triplet` or `cross-entropy+triplet`.
    pub loss: Objective,
    /// How the triplet loss compares photos.
    pub triplets: Triplets,
    /// How codes of near-duplicates are learned, in the place of `loss`.
    pub near_duplicates: NearDuplicates,
    /// The learning rate's course.
    pub learning_rate: LearningRate,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// Share of each target that is spread over all classes, from 0 to below 1.
    pub label_smoothing: f32,
    /// Targets by distance in the place of one class each; none where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smoothing: Option<Smoothing>,
    /// The loss over the ancestors of cells, beside that of the cells; none where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hierarchy: Option<Hierarchy>,
    /// Weight of the auxiliary classifier's loss (torchvision's 0.4), where the architecture has
    /// one; 0 leaves the classifier out, and so do losses that compare photos.
    pub auxiliary_weight: f32,
    /// Whether the architecture's dropout drops.
    pub dropout: bool,
    /// How photos are varied.
    pub augment: Augment,
    /// Weights to begin with, by name, from a safetensors file.
    pub init: Option<PathBuf>,
    /// The layer, or group of layers, in front of which nothing is trained; all layers are trained
    /// where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_until: Option<String>,
    /// Minutes between checkpoints within an epoch; one is also written after each epoch.
    pub checkpoint_minutes: f64,
    /// The training backend; another one may resume the run.
    pub backend: BackendName,
    /// Where it trains: `auto`; `cpu` with the backends cpu and torch; `cuda:0` … with torch; with
    /// burn a graphics card by a [`crate::GpuApi`] and its number, `vulkan:0` …
    pub device: String,
    /// What the network computes with: `f32`, or with the backend torch `bf16`.
    pub precision: Precision,
    /// Whether batch norm's statistics are of all processes' photos and not of each one's own.
    pub sync_batch_norm: bool,
    /// Threads that decode photos; 0 takes as many as there are cores.
    pub loader_threads: usize,
}

/// An architecture by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ArchitectureName(pub Architecture);

impl TryFrom<String> for ArchitectureName {
    type Error = planet_net::NetworkError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse().map(Self)
    }
}

impl From<ArchitectureName> for String {
    fn from(name: ArchitectureName) -> Self {
        name.0.name().to_owned()
    }
}

impl Default for TrainConfig {
    /// The paper's network and optimizer.
    fn default() -> Self {
        Self {
            task: TrainTask::default(),
            architecture: ArchitectureName(Architecture::InceptionV3),
            size: 0,
            dataset: None,
            validation: None,
            root: None,
            synthetic: false,
            partition: None,
            heads: Vec::new(),
            validation_photos: 0,
            epochs: 100,
            epoch_photos: 0,
            minutes: 0.0,
            patience: 3,
            batch: 64,
            seed: 0,
            loss: Objective::default(),
            triplets: Triplets::default(),
            near_duplicates: NearDuplicates::default(),
            learning_rate: LearningRate::default(),
            optimizer: Optimizer::default(),
            label_smoothing: 0.0,
            smoothing: None,
            hierarchy: None,
            auxiliary_weight: 0.4,
            dropout: true,
            augment: Augment::default(),
            init: None,
            freeze_until: None,
            checkpoint_minutes: 10.0,
            backend: BackendName::Cpu,
            device: "auto".to_owned(),
            precision: Precision::F32,
            sync_batch_norm: false,
            loader_threads: 0,
        }
    }
}

impl TrainConfig {
    /// Reads a TOML file. Paths in it are relative to the folder that the command runs in.
    ///
    /// # Errors
    /// The file cannot be read, holds an unknown key or an invalid value.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let config: Self = course::read_toml(path, "scheme")?;
        config.check()?;
        Ok(config)
    }

    /// As TOML, every key written out.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("every value has a TOML form")
    }

    /// Checks that the values make sense.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), TrainError> {
        check_all([
            (self.batch > 1, "batch must be at least 2: batch norm needs two photos"),
            (not_negative(self.auxiliary_weight.into()), "auxiliary_weight must be at least 0"),
            (
                !self.compares() || self.batch.is_multiple_of(PAIR),
                "batch must be even: the loss takes photos two by two",
            ),
        ])?;
        self.check_class_loss()?;
        self.triplets.check()?;
        self.near_duplicates.check()?;
        self.course().check()?;
        Ok(self.optimizer.check()?)
    }

    /// Checks the options of the loss of classes.
    fn check_class_loss(&self) -> Result<(), InvalidSetting> {
        let classes = self.task == TrainTask::Location && self.loss.has_classes();
        check_all([
            (
                classes || self.smoothing.is_none(),
                "smoothing requires a loss of classes: cross-entropy or cross-entropy+triplet",
            ),
            (
                classes || self.hierarchy.is_none(),
                "hierarchy requires a loss of classes: cross-entropy or cross-entropy+triplet",
            ),
            (
                self.heads.is_empty()
                    || self.task == TrainTask::Location && self.loss == Objective::CrossEntropy,
                "heads require the loss cross-entropy",
            ),
            (
                self.heads.is_empty() || self.smoothing.is_none() && self.hierarchy.is_none(),
                "heads cannot be combined with smoothing or hierarchy",
            ),
            (
                self.label_smoothing == 0.0 || self.smoothing.is_none(),
                "label_smoothing must be 0 where smoothing is given",
            ),
        ])?;
        self.smoothing.as_ref().map_or(Ok(()), Smoothing::check)?;
        self.hierarchy.as_ref().map_or(Ok(()), Hierarchy::check)
    }

    /// Whether the loss compares photos with one another.
    fn compares(&self) -> bool {
        self.task == TrainTask::NearDuplicates || self.loss.has_triplets()
    }

    /// What the loop must know.
    pub(crate) fn course(&self) -> Course {
        Course {
            epochs: self.epochs,
            minutes: self.minutes,
            patience: self.patience,
            seed: self.seed,
            learning_rate: self.learning_rate,
            label_smoothing: self.label_smoothing,
            auxiliary_weight: self.auxiliary_weight,
            dropout: self.dropout,
            checkpoint_minutes: self.checkpoint_minutes,
        }
    }

    /// Side of the input in pixels.
    pub fn side(&self) -> usize {
        if self.size == 0 { self.architecture.0.usual_side() } else { self.size }
    }

    /// How photos become the network's input: values −1..1, which is also what the published
    /// weights of Inception-v3 (TensorFlow) and EfficientNet-lite were trained with.
    pub fn preprocess(&self) -> Preprocess {
        Preprocess::inception(self.side())
    }

    /// Outputs of the network that is trained, over a partition of so many cells: a score for each
    /// cell where there is a classifier, then the embedding of the triplet loss where there is one. For
    /// near-duplicates, one for each bit of a code.
    pub(crate) fn outputs(&self, cells: usize) -> usize {
        if self.task == TrainTask::NearDuplicates {
            return Code::BITS as usize;
        }
        let classes = if self.loss.has_classes() { cells } else { 0 };
        let embedding = if self.loss.has_triplets() { self.triplets.outputs } else { 0 };
        classes + embedding
    }

    /// The network with so many outputs.
    ///
    /// # Errors
    /// A size that the architecture cannot work with, or no layer of the name that is frozen up to.
    pub fn network(&self, classes: usize) -> Result<Network, TrainError> {
        let auxiliary = self.auxiliary_weight > 0.0 && !self.compares();
        let options = NetworkOptions { size: [self.side(); 2], classes, auxiliary };
        let network = self.architecture.0.network(options)?;
        Ok(match &self.freeze_until {
            Some(layer) => network.freeze_until(layer)?,
            None => network,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SmoothingKind;

    fn read(text: &str) -> Result<TrainConfig, TrainError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        TrainConfig::read(file.path())
    }

    #[test]
    fn a_config_comes_back_as_it_was_written() {
        let config = TrainConfig {
            optimizer: Optimizer {
                rule: crate::Rule::ADAMW,
                average: Some(0.999),
                ..Optimizer::default()
            },
            seed: 7,
            ..TrainConfig::default()
        };
        assert_eq!(read(&config.to_toml()).expect("it is read"), config);
    }

    #[test]
    fn unknown_keys_and_senseless_values_are_refused_by_name() {
        let error = read("batchsize = 3").expect_err("a wrong key").to_string();
        assert!(error.contains("batchsize") && error.contains("batch"), "{error}");
        let error = read("architecture = \"inception-v9\"").expect_err("no such one").to_string();
        assert!(error.contains("inception-v9") && error.contains("inception-v3"), "{error}");
        assert!(read("batch = 1").expect_err("too small").to_string().contains("at least 2"));
        assert!(read("[optimizer]\naverage = 1.0").is_err());
    }

    #[test]
    fn options_of_the_classes_loss_are_off_by_default_and_refused_where_they_do_nothing() {
        let default = TrainConfig::default();
        assert_eq!((default.smoothing, default.hierarchy), (None, None));
        // Runs from before these options go on: their configurations are the same.
        assert!(
            !default.to_toml().contains("smoothing]") && !default.to_toml().contains("hierarchy")
        );
        let both = "[smoothing]\nkind = \"haversine-nearest\"\n[hierarchy]\nweight = 0.5";
        let config = read(both).expect("a config");
        let smoothing = Smoothing { kind: SmoothingKind::HaversineNearest, tau_km: 75.0 };
        assert_eq!(config.smoothing, Some(smoothing));
        assert_eq!(config.hierarchy, Some(Hierarchy { weight: 0.5 }));
        assert_eq!(read(&config.to_toml()).expect("it is read"), config);
        for (before, part) in [
            ("loss = \"triplet\"\n", "loss of classes"),
            ("task = \"near-duplicates\"\n", "loss of classes"),
            ("label_smoothing = 0.1\n", "label_smoothing"),
        ] {
            let error = read(&format!("{before}{both}")).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
        for text in [
            "[smoothing]\nkind = \"haversine\"\ntau_km = 0.0",
            "[smoothing]\nkind = \"gaussian\"",
            "[smoothing]\ntau_km = 75.0",
            "[hierarchy]\nweight = 0.0",
            "[hierarchy]",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
