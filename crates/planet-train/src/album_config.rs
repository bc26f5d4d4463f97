use std::path::{Path, PathBuf};

use planet::{ModelPackage, album::Scheme};
use planet_net::{AlbumNetwork, Network, Weights};
use serde::{Deserialize, Serialize};

use crate::{
    LearningRate, Optimizer, Rule, Schedule, TrainError,
    course::{self, Course, check_all},
};

/// What a run on albums is made of: a TOML file, changed by flags, written down resolved in the
/// run's folder. Unknown keys are refused.
///
/// The paper gives no sizes, rates or initial weights for its LSTMs: all of these are ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlbumConfig {
    /// How albums become sequences.
    pub scheme: Scheme,
    /// Model package whose network is frozen and gives the embeddings.
    pub model: Option<PathBuf>,
    /// Hash of that network, filled in when the run begins.
    pub network: Option<String>,
    /// Manifest of the albums to learn from, `FILE` or `FILE:SPLIT`.
    pub dataset: Option<String>,
    /// Manifest of the albums that say when to stop and which checkpoint is best.
    pub validation: Option<String>,
    /// The folder that photo ids are relative to, where it is not what the manifests say.
    pub root: Option<PathBuf>,
    /// Folder of the embeddings' caches; beside the run's folder where none is named.
    pub embeddings: Option<PathBuf>,
    /// Size of each direction's state.
    pub hidden: usize,
    /// Photos through which gradients flow back: a longer sequence is learned chunk by chunk,
    /// the state carried over. A repeated sequence has twice as many steps in a chunk; a
    /// two-directional one is always learned whole.
    pub chunk: usize,
    /// Whether a repeated sequence's first pass counts in the loss too.
    pub first_pass: bool,
    /// Chance from 0 to 1 that a sequence is learned from its last photo to its first.
    pub reverse: f64,
    /// Chance from 0 to below 1 that a number of a state that the classifier sees is dropped while
    /// learning.
    pub dropout: f32,
    /// What the forget gates' biases begin with; all other biases begin at 0, weights uniform
    /// within ± 1/√hidden as PyTorch's, the classifier's normal with deviation 0.01.
    pub forget_bias: f32,
    /// Greatest number of epochs.
    pub epochs: u64,
    /// Ends after this many minutes of training, wherever it stands; 0 never does.
    pub minutes: f64,
    /// Epochs without a better validation accuracy after which training has converged; 0 never
    /// ends it.
    pub patience: u64,
    /// Albums, or pieces of albums, in a batch.
    pub batch: usize,
    /// Seed of initial weights and order.
    pub seed: u64,
    /// The learning rate's course.
    pub learning_rate: LearningRate,
    /// The optimizer.
    pub optimizer: Optimizer,
    /// Share of each target that is spread over all classes, from 0 to below 1.
    pub label_smoothing: f32,
    /// Minutes between checkpoints within an epoch; one is also written after each epoch.
    pub checkpoint_minutes: f64,
}

impl Default for AlbumConfig {
    fn default() -> Self {
        Self {
            scheme: Scheme::Blstm,
            model: None,
            network: None,
            dataset: None,
            validation: None,
            root: None,
            embeddings: None,
            hidden: 512,
            chunk: 25,
            first_pass: false,
            reverse: 0.0,
            dropout: 0.0,
            forget_bias: 1.0,
            epochs: 30,
            minutes: 0.0,
            patience: 3,
            batch: 16,
            seed: 0,
            learning_rate: LearningRate { start: 0.002, schedule: Schedule::Cosine, warm_up: 0.0 },
            optimizer: Optimizer {
                rule: Rule::ADAMW,
                clip_norm: Some(1.0),
                ..Optimizer::default()
            },
            label_smoothing: 0.0,
            checkpoint_minutes: 10.0,
        }
    }
}

impl AlbumConfig {
    /// Reads a TOML file. Paths in it are relative to the folder that the command runs in.
    ///
    /// # Errors
    /// The file cannot be read, holds an unknown key or an invalid value.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let config: Self = course::read_toml(path, "architecture")?;
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
            (self.scheme.is_sequence(), "this scheme needs no training; choose one of the LSTMs"),
            (self.batch > 0, "batch must be at least 1"),
            (self.hidden > 0, "hidden must be at least 1"),
            (self.chunk > 0, "chunk must be at least 1"),
            (self.forget_bias.is_finite(), "forget_bias must be a number"),
            ((0.0..=1.0).contains(&self.reverse), "reverse must be from 0 to 1"),
            ((0.0..1.0).contains(&self.dropout), "dropout must be from 0 to below 1"),
        ])?;
        self.course().check()?;
        Ok(self.optimizer.check()?)
    }

    /// Checks that a package holds the network that this run's embeddings are of.
    ///
    /// # Errors
    /// It holds another one, or one without an embedding.
    pub fn check_model(&self, package: &ModelPackage) -> Result<(), TrainError> {
        let description = package.description();
        if description.features == 0 {
            return Err(TrainError::NoEmbedding { path: package.folder().to_owned() });
        }
        match &self.network {
            Some(network) if *network != description.network_hash() => {
                Err(TrainError::OtherNetwork { path: package.folder().to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// The sizes of the network that is trained.
    pub(crate) fn sizes(&self, features: usize, classes: usize) -> AlbumNetwork {
        let bidirectional = self.scheme.bidirectional();
        AlbumNetwork { features, hidden: self.hidden, classes, bidirectional }
    }

    /// The weights that training begins with.
    pub(crate) fn initial_weights(&self, network: &Network) -> Weights {
        let mut weights = Weights::initial(network, self.seed);
        for way in ["", "_reverse"] {
            for part in ["ih", "hh"] {
                let name = format!("{}.bias_{part}_l0{way}", AlbumNetwork::LSTM);
                if let Some(bias) = weights.get_mut(&name) {
                    bias.values_mut().fill(0.0);
                    if part == "ih" {
                        // The second quarter is the forget gates'.
                        bias.values_mut()[self.hidden..2 * self.hidden].fill(self.forget_bias);
                    }
                }
            }
        }
        weights
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
            auxiliary_weight: 0.0,
            // The sequence classifier drops by itself (`SequenceClassifier::with_dropout`).
            dropout: false,
            checkpoint_minutes: self.checkpoint_minutes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forget_gates_begin_open_and_other_biases_at_zero() {
        let config = AlbumConfig { hidden: 2, ..AlbumConfig::default() };
        let sizes = config.sizes(3, 4);
        assert!(sizes.bidirectional);
        let weights = config.initial_weights(&sizes.network().expect("built"));
        let of = |name: &str| weights.get(name).expect("a bias").values().to_vec();
        for way in ["", "_reverse"] {
            assert_eq!(of(&format!("lstm.bias_ih_l0{way}"))[..], [0., 0., 1., 1., 0., 0., 0., 0.]);
            assert_eq!(of(&format!("lstm.bias_hh_l0{way}")), [0.0; 8]);
        }
    }

    #[test]
    fn a_config_comes_back_as_it_was_written_and_nonsense_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let config = AlbumConfig { scheme: Scheme::LstmOffset2, seed: 7, ..AlbumConfig::default() };
        std::fs::write(file.path(), config.to_toml()).expect("written");
        assert_eq!(AlbumConfig::read(file.path()).expect("it is read"), config);
        for (text, named) in [
            ("scheme = \"hmm\"", "needs no training"),
            ("scheme = \"lstm-9\"", "lstm-offset-2"),
            ("chunk = 0", "chunk"),
            ("dropout = 1.0", "dropout"),
            ("architecture = \"inception-v3\"", "architecture"),
        ] {
            std::fs::write(file.path(), text).expect("written");
            let error = AlbumConfig::read(file.path()).expect_err(text).to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
