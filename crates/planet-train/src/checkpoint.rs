use std::path::{Path, PathBuf};

use planet_data::{AtomicFile, OwnedFolder, PhotoSketch, Settings};
use planet_geo::Partition;
use planet_net::Weights;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use crate::{AlbumConfig, Epoch, State, TrainConfig, TrainError, settings};

/// The `format` of a checkpoint.
const FORMAT: &str = "planet-checkpoint-1";

/// A moment of a run, whole: one file, so that there is never half of one.
///
/// A safetensors file that other programs can read: weights and running statistics under
/// PyTorch's names, the optimizer's numbers as `optimizer.0.NAME`, the moving average as
/// `average.NAME`, and where the run stands as JSON in the metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What the backend holds.
    pub state: State,
    /// Where the run stands.
    pub position: Position,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// [`FORMAT`].
    format: String,
    /// Epochs that are done.
    pub epoch: u64,
    /// Batches of the next epoch that are done, of each rank.
    pub batch: usize,
    /// Ranks that did them.
    #[serde(default = "one")]
    pub ranks: usize,
    /// Steps taken.
    pub steps: u64,
    /// What the batches of the unfinished epoch added up to.
    pub running: Running,
    /// Epochs that are done, for the summary.
    pub history: Vec<Epoch>,
    /// Fingerprint of the partition that the classes are of; empty where there are none.
    pub partition: String,
    /// The run's settings that must stay as they are, by name; none in checkpoints of before they
    /// were kept.
    #[serde(default)]
    pub settings: Settings,
    /// Photos that the run learns from; 0 in checkpoints of before it was kept.
    #[serde(default)]
    pub training_photos: u64,
    /// A sample of the photos that it is validated on; empty in checkpoints of before it was kept.
    #[serde(default)]
    pub validation_sketch: PhotoSketch,
    /// Photos of all steps so far, each as often as it came.
    #[serde(default)]
    pub seen: u64,
}

/// Sums over the batches of an epoch so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// Photos.
    pub photos: u64,
    /// Sum of the photos' losses.
    pub loss: f64,
    /// Sum of the photos' auxiliary losses.
    pub auxiliary: f64,
    /// Photos whose cell came first.
    pub first: u64,
    /// Photos whose cell came among the first five.
    pub among_five: u64,
    /// Photos that could not be decoded.
    pub failed: u64,
    /// Seconds of work.
    pub seconds: f64,
    /// Seconds of them that the steps waited for photos.
    pub waiting: f64,
}

impl Position {
    /// The beginning of a run.
    pub fn start(partition: String, ranks: usize) -> Self {
        Self {
            format: FORMAT.to_owned(),
            epoch: 0,
            batch: 0,
            ranks,
            steps: 0,
            running: Running::default(),
            history: Vec::new(),
            partition,
            settings: Settings::new(),
            training_photos: 0,
            validation_sketch: PhotoSketch::default(),
            seen: 0,
        }
    }

    /// Photos that were learned from: those of the run, or fewer where it ended within its first
    /// pass over them. `None` where the checkpoint does not say.
    pub fn learned_photos(&self) -> Option<u64> {
        (self.training_photos > 0).then(|| self.training_photos.min(self.seen))
    }

    /// The same place for another number of ranks. Where it lies within their batch, that batch
    /// is done again.
    pub(crate) fn for_ranks(self, ranks: usize) -> Self {
        Self { batch: self.batch * self.ranks / ranks, ranks, ..self }
    }

    /// Seconds of work so far.
    pub fn seconds(&self) -> f64 {
        self.history.iter().map(|epoch| epoch.minutes * 60.0).sum::<f64>() + self.running.seconds
    }
}

fn one() -> usize {
    1
}

impl Checkpoint {
    /// Writes it under a temporary name, then puts it in the place of the one before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), TrainError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(TrainError::file(folder))?;
        }
        AtomicFile::write_all_at(path, &self.to_bytes()).map_err(TrainError::file(path))
    }

    /// The file's content.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut all = self.state.weights.clone();
        let slots = self.state.slots.iter().enumerate();
        let slots = slots.map(|(slot, weights)| (format!("optimizer.{slot}."), weights));
        let average = self.state.average.iter().map(|weights| ("average.".to_owned(), weights));
        for (prefix, weights) in slots.chain(average) {
            for (name, array) in weights.iter() {
                all.insert(format!("{prefix}{name}"), array.clone());
            }
        }
        let position = serde_json::to_string(&self.position).expect("numbers and text");
        all.to_safetensors(&[("planet", &position)])
    }

    /// Reads one.
    ///
    /// # Errors
    /// No such file, or one that is damaged or none of ours.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let bytes = std::fs::read(path).map_err(TrainError::file(path))?;
        Self::from_bytes(&bytes, path)
    }

    /// Reads a file's content; `path` is said in errors.
    pub(crate) fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, TrainError> {
        let wrong = |what: String| TrainError::Checkpoint { path: path.to_owned(), what };
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|error| wrong(format!("not a safetensors file: {error}")))?;
        let position = metadata.metadata().as_ref().and_then(|map| map.get("planet"));
        let position = position
            .ok_or_else(|| wrong("contains weights, but is not a checkpoint".to_owned()))?;
        let position: Position =
            serde_json::from_str(position).map_err(|error| wrong(error.to_string()))?;
        if position.format != FORMAT {
            let found = &position.format;
            return Err(wrong(format!(
                "format '{found}' is not supported; this version reads '{FORMAT}'"
            )));
        }
        let (all, _) = Weights::from_safetensors(bytes)?;
        let mut state = State {
            steps: position.steps,
            weights: Weights::default(),
            slots: Vec::new(),
            average: None,
        };
        for (name, array) in all {
            if let Some(name) = name.strip_prefix("average.") {
                state.average.get_or_insert_with(Weights::default).insert(name, array);
            } else if let Some((slot, name)) = slot_of(&name) {
                if state.slots.len() <= slot {
                    state.slots.resize(slot + 1, Weights::default());
                }
                state.slots[slot].insert(name, array);
            } else {
                state.weights.insert(name, array);
            }
        }
        Ok(Self { state, position })
    }
}

/// `optimizer.1.conv.weight` is slot 1 of `conv.weight`; there are at most two slots.
fn slot_of(name: &str) -> Option<(usize, String)> {
    let (slot, name) = name.strip_prefix("optimizer.")?.split_once('.')?;
    let slot = slot.parse().ok().filter(|slot| *slot < 2)?;
    Some((slot, name.to_owned()))
}

/// What the folder of a run is to [`OwnedFolder`].
const KIND: &str = "run";
/// What a run writes in its folder.
const FILES: [&str; 7] = [
    "config.toml",
    "partition.csv",
    "heads",
    "summary.csv",
    "tensorboard",
    "checkpoints",
    "validation_logits.safetensors",
];

/// The files of a run's folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The folder of a run, which need not exist.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses a folder that holds a run, or files that no run wrote. `more` are names of files
    /// that is written beside it when a run begins.
    ///
    /// # Errors
    /// As said.
    pub fn check_free(&self, more: &[&str]) -> Result<(), TrainError> {
        let Err(foreign) = OwnedFolder::check(&self.path, KIND, &[&FILES[..], more].concat())
        else {
            return match self.config().exists() {
                true => Err(TrainError::Taken { path: self.path.clone() }),
                false => Ok(()),
            };
        };
        // A run of a version that kept no record of its files is a run all the same.
        match TrainConfig::read(&self.config()).is_ok() || AlbumConfig::read(&self.config()).is_ok()
        {
            true => Err(TrainError::Taken { path: self.path.clone() }),
            false => Err(foreign.into()),
        }
    }

    /// Makes the folder and keeps it for a run's files, and for `more`.
    ///
    /// # Errors
    /// As [`RunFolder::check_free`]; the folder cannot be written.
    pub fn claim(&self, more: &[&str]) -> Result<(), TrainError> {
        self.check_free(more)?;
        OwnedFolder::claim(&self.path, KIND, &[&FILES[..], more].concat())?;
        Ok(())
    }

    /// Writes the configuration that a run goes on with, where it is another one.
    pub(crate) fn write_config(&self, config: &str) -> Result<(), TrainError> {
        let path = self.config();
        if std::fs::read_to_string(&path).is_ok_and(|text| text == config) {
            return Ok(());
        }
        AtomicFile::write_all_at(&path, config.as_bytes()).map_err(TrainError::file(&path))
    }

    /// Makes the folder, with what a run has at its beginning.
    pub(crate) fn begin(
        &self,
        config: &str,
        partition: Option<&Partition>,
        heads: &[Partition],
    ) -> Result<(), TrainError> {
        self.claim(&[])?;
        let partition = partition.map(|partition| (self.partition(), partition));
        let heads = (0..).zip(heads).map(|(number, head)| (self.head(number), head));
        for (path, partition) in partition.into_iter().chain(heads) {
            let mut text = Vec::new();
            let file = || TrainError::file(&path);
            partition.write(&mut text).map_err(file())?;
            let folder = path.parent().expect("it is in the run's folder");
            std::fs::create_dir_all(folder).map_err(file())?;
            AtomicFile::write_all_at(&path, &text).map_err(file())?;
        }
        self.write_config(config)
    }

    /// Refuses a run that was made with other settings than these.
    ///
    /// # Errors
    /// The first setting that differs; a configuration that cannot be read.
    pub fn check_made_with(&self, config: &TrainConfig) -> Result<(), TrainError> {
        let made = TrainConfig::read(&self.config())?;
        let [then, now] = [&made, config].map(|it| settings::of_result(&it.to_toml()));
        settings::compare(&self.path, &then, &now)
    }

    /// The resolved configuration.
    pub fn config(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The partition, copied, so that the run stands on its own.
    pub fn partition(&self) -> PathBuf {
        self.path.join("partition.csv")
    }

    /// The partition of one of several heads, counted from 0, copied.
    pub fn head(&self, number: usize) -> PathBuf {
        self.path.join("heads").join(format!("{number}.csv"))
    }

    /// The partitions of all heads, copied.
    pub(crate) fn heads(&self, config: &TrainConfig) -> Vec<PathBuf> {
        (0..config.heads.len()).map(|number| self.head(number)).collect()
    }

    /// A row an epoch.
    pub fn summary(&self) -> PathBuf {
        self.path.join("summary.csv")
    }

    /// Event files for TensorBoard.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    /// Where the run goes on from.
    pub fn last(&self) -> PathBuf {
        self.path.join("checkpoints/last/checkpoint.safetensors")
    }

    /// The best on the validation photos.
    pub fn best(&self) -> PathBuf {
        self.path.join("checkpoints/best/checkpoint.safetensors")
    }

    /// Scores of validation photos by the best checkpoint, which the temperature is fitted on; for
    /// near-duplicates the distances of their codes, which the threshold is chosen by.
    pub fn validation_logits(&self) -> PathBuf {
        self.path.join("validation_logits.safetensors")
    }
}
