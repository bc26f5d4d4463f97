use std::path::Path;

use planet_geo::Partition;

use crate::{
    AlbumConfig, AlbumSamples, Checkpoint, Position, ProcessGroup, Run, RunFolder, Samples,
    TrainConfig, TrainError, album_task::AlbumTask, heads::Heads, photo_task::PhotoTask, settings,
    task::Task,
};

/// What a run is made of: of photos with [`TrainConfig`] and [`Samples`], of albums with
/// [`AlbumConfig`] and [`AlbumSamples`].
#[derive(Clone)]
pub struct RunParts<C, S> {
    /// The run's folder.
    pub folder: RunFolder,
    /// Its settings.
    pub config: C,
    /// The classes.
    pub partition: Partition,
    /// What is learned from.
    pub training: S,
    /// What says when to stop and which checkpoint is best.
    pub validation: Option<S>,
}

impl RunParts<TrainConfig, Samples> {
    /// Begins a run on photos in a folder that holds none yet.
    ///
    /// # Errors
    /// A run stands there already, a config that makes no sense, no photos, a device that this
    /// build does not know.
    pub fn start(self) -> Result<Run, TrainError> {
        self.start_in(&ProcessGroup::alone())
    }

    /// Begins a run that a group trains together: all ranks call it alike, rank 0 alone writes
    /// in the folder.
    ///
    /// # Errors
    /// As [`RunParts::start`]; a backend that trains in one process alone, ranks that were started
    /// differently or are gone.
    pub fn start_in(self, group: &ProcessGroup) -> Result<Run, TrainError> {
        if group.is_first() {
            self.folder.check_free(&[])?;
        }
        let (toml, partition) = (self.config.to_toml(), self.partition.clone());
        let heads = Heads::read(&self.config.heads, &partition)?;
        let partitions = heads.as_ref().map_or_else(Vec::new, |it| it.partitions().to_vec());
        let run = self.open(heads, group)?;
        if group.is_first() {
            run.folder.begin(&toml, Some(&partition), &partitions)?;
        }
        run.share()
    }

    /// Resumes the run in the folder, from its last checkpoint, or from the beginning where
    /// it has not come to one. The steps that follow are those of a run that was never
    /// interrupted, bit for bit.
    ///
    /// # Errors
    /// As [`RunParts::start`]; a checkpoint that is damaged or of another partition; settings other
    /// than the run's, but for where files lie, what a machine can do and how long it trains.
    pub fn resume(self) -> Result<Run, TrainError> {
        self.resume_in(&ProcessGroup::alone())
    }

    /// Resumes a run in a group, of as many ranks as before or another number. With as
    /// many the steps that follow are those of a run that was never interrupted. With another
    /// number it goes on at the same place of the epoch, or less than one batch of all ranks
    /// before it; the batch of all ranks is another one then.
    ///
    /// # Errors
    /// As [`RunParts::resume`] and [`RunParts::start_in`].
    pub fn resume_in(self, group: &ProcessGroup) -> Result<Run, TrainError> {
        let toml = self.config.to_toml();
        let copies = self.folder.heads(&self.config);
        // Ranks on other machines may not have the run's folder.
        let there = copies.iter().all(|path| path.exists());
        let heads = Heads::read(if there { &copies } else { &self.config.heads }, &self.partition)?;
        let run = self.open(heads, group)?;
        if group.is_first() { run.at_last_checkpoint(&toml)?.share() } else { run.share() }
    }

    fn open(self, heads: Option<Heads>, group: &ProcessGroup) -> Result<Run, TrainError> {
        let Self { folder, config, partition, training, validation } = self;
        config.check()?;
        let mut position = Position::start(partition.fingerprint(), group.size());
        position.settings = settings::of_run(&config.to_toml());
        let course = config.course();
        let (task, matched) =
            PhotoTask::new(group, config, partition, heads, training, validation)?;
        position.training_photos = task.photos() as u64;
        position.validation_sketch = task.validation_sketch();
        let group = group.clone();
        Ok(Run { folder, course, task: Box::new(task), matched, position, group })
    }
}

impl RunParts<AlbumConfig, AlbumSamples> {
    /// Begins a run on albums in a folder that holds none yet.
    ///
    /// # Errors
    /// A run stands there already, a config that makes no sense, no photos.
    pub fn start(self) -> Result<Run, TrainError> {
        self.folder.check_free(&[])?;
        let (toml, partition) = (self.config.to_toml(), self.partition.clone());
        let run = self.open()?;
        run.folder.begin(&toml, Some(&partition), &[])?;
        Ok(run)
    }

    /// Resumes the run in the folder as one on photos is resumed.
    ///
    /// # Errors
    /// As for a run on photos.
    pub fn resume(self) -> Result<Run, TrainError> {
        let toml = self.config.to_toml();
        self.open()?.at_last_checkpoint(&toml)
    }

    fn open(self) -> Result<Run, TrainError> {
        let Self { folder, config, partition, training, validation } = self;
        config.check()?;
        let (group, course) = (ProcessGroup::alone(), config.course());
        let mut position = Position::start(partition.fingerprint(), group.size());
        position.settings = settings::of_run(&config.to_toml());
        let task = AlbumTask::new(config, partition, training, validation)?;
        position.training_photos = task.photos() as u64;
        Ok(Run { folder, course, task: Box::new(task), matched: None, position, group })
    }
}

impl Run {
    /// Goes to the last checkpoint, if there is one, and writes down the configuration `toml`
    /// that the run goes on with.
    pub(crate) fn at_last_checkpoint(mut self, toml: &str) -> Result<Self, TrainError> {
        let path = self.folder.last();
        if path.exists() {
            let checkpoint = Checkpoint::read(&path)?;
            self.check_same_run(&path, &checkpoint.position)?;
            self.task.load(&checkpoint.state)?;
            let settings = std::mem::take(&mut self.position.settings);
            self.position = checkpoint.position.for_ranks(self.group.size());
            // Checkpoints of before they were kept hold none.
            self.position.settings = settings;
        } else {
            self.check_config(&self.folder.config())?;
        }
        self.folder.write_config(toml)?;
        Ok(self)
    }

    /// Refuses the checkpoint of a run that was begun otherwise than this one.
    fn check_same_run(&self, path: &Path, then: &Position) -> Result<(), TrainError> {
        if then.partition != self.position.partition {
            let what = "its classes belong to another partition".to_owned();
            return Err(TrainError::Checkpoint { path: path.to_owned(), what });
        }
        if then.settings.is_empty() {
            return self.check_config(&self.folder.config());
        }
        settings::compare(path, &then.settings, &self.position.settings)?;
        if then.training_photos != self.position.training_photos {
            return Err(TrainError::OtherSettings {
                path: path.to_owned(),
                name: "training photos".to_owned(),
                then: then.training_photos.to_string(),
                now: self.position.training_photos.to_string(),
            });
        }
        Ok(())
    }

    /// Refuses other settings than those that the folder's configuration states.
    fn check_config(&self, path: &Path) -> Result<(), TrainError> {
        let toml = std::fs::read_to_string(path).map_err(TrainError::file(path))?;
        settings::compare(path, &settings::of_run(&toml), &self.position.settings)
    }

    /// Brings every rank to where rank 0 stands: weights, the optimizer's numbers, position.
    fn share(mut self) -> Result<Self, TrainError> {
        if self.group.size() == 1 {
            return Ok(self);
        }
        let first = self.group.is_first();
        let mut bytes = if first { self.moment().to_bytes() } else { Vec::new() };
        self.group.broadcast(&mut bytes)?;
        if !first {
            let checkpoint = Checkpoint::from_bytes(&bytes, &self.folder.last())?;
            self.task.load(&checkpoint.state)?;
            self.position = checkpoint.position;
        }
        Ok(self)
    }
}
