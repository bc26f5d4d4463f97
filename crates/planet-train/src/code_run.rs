use std::sync::Arc;

use planet_data::PhotoStore;

use crate::{
    Position, ProcessGroup, Run, RunFolder, TrainConfig, TrainError, code_task::CodeTask, settings,
    task::Task,
};

/// Photos to learn codes from, with or without a position, and where they can be had.
#[derive(Clone)]
pub struct CodeSamples {
    /// Where the photos can be had.
    pub store: Arc<dyn PhotoStore>,
    /// Their ids.
    pub photos: Vec<String>,
}

/// What a run for near-duplicates is made of.
#[derive(Clone)]
pub struct CodeRunParts {
    /// The run's folder.
    pub folder: RunFolder,
    /// Its settings.
    pub config: TrainConfig,
    /// What is learned from.
    pub training: CodeSamples,
    /// Photos by which the best checkpoint and the threshold are chosen. None may be a copy of another
    /// one, nor be learned from.
    pub validation: Option<CodeSamples>,
}

impl CodeRunParts {
    /// Begins a run in a folder that holds none yet.
    ///
    /// # Errors
    /// A run stands there already, a config that makes no sense, too few photos, a device that this
    /// build does not know.
    pub fn start(self) -> Result<Run, TrainError> {
        self.folder.check_free(&[])?;
        let toml = self.config.to_toml();
        let run = self.open()?;
        run.folder.begin(&toml, None, &[])?;
        Ok(run)
    }

    /// Resumes the run in the folder from its last checkpoint, or from the beginning where it has not
    /// come to one.
    ///
    /// # Errors
    /// As [`CodeRunParts::start`]; a damaged checkpoint, or other settings than the run's.
    pub fn resume(self) -> Result<Run, TrainError> {
        let toml = self.config.to_toml();
        self.open()?.at_last_checkpoint(&toml)
    }

    fn open(self) -> Result<Run, TrainError> {
        let Self { folder, config, training, validation } = self;
        config.check()?;
        let (group, course) = (ProcessGroup::alone(), config.course());
        let mut position = Position::start(String::new(), group.size());
        position.settings = settings::of_run(&config.to_toml());
        let (task, matched) = CodeTask::new(config, training, validation)?;
        position.training_photos = task.photos() as u64;
        Ok(Run { folder, course, task: Box::new(task), matched, position, group })
    }
}
