use std::path::Path;

use serde::de::DeserializeOwned;

use crate::{InvalidSetting, LearningRate, TrainError};

/// What the loop must know of a run's configuration, whatever is trained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) epochs: u64,
    pub(crate) minutes: f64,
    pub(crate) patience: u64,
    pub(crate) seed: u64,
    pub(crate) learning_rate: LearningRate,
    pub(crate) label_smoothing: f32,
    pub(crate) auxiliary_weight: f32,
    pub(crate) dropout: bool,
    pub(crate) checkpoint_minutes: f64,
}

impl Course {
    pub(crate) fn check(&self) -> Result<(), InvalidSetting> {
        self.learning_rate.check()?;
        let smoothing = (0.0..1.0).contains(&self.label_smoothing);
        check_all([
            (self.epochs > 0, "epochs must be at least 1"),
            (not_negative(self.minutes), "minutes must be at least 0"),
            (self.checkpoint_minutes > 0.0, "checkpoint_minutes must be above 0"),
            (smoothing, "label_smoothing must be at least 0 and below 1"),
        ])
    }
}

/// The first rule that does not hold.
pub(crate) fn check_all<const N: usize>(
    rules: [(bool, &'static str); N],
) -> Result<(), InvalidSetting> {
    match rules.into_iter().find(|(holds, _)| !holds) {
        Some((_, what)) => Err(InvalidSetting(what)),
        None => Ok(()),
    }
}

pub(crate) fn not_negative(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

pub(crate) fn positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

/// A configuration's file. One that has the key `other`, which the other kind of run must name, is
/// said to be for that kind.
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path, other: &str) -> Result<T, TrainError> {
    let text = std::fs::read_to_string(path).map_err(TrainError::file(path))?;
    let wrong = |what: String| TrainError::Config { path: path.to_owned(), what };
    let table: toml::Table = toml::from_str(&text)
        .map_err(|error: toml::de::Error| wrong(error.to_string().trim_end().to_owned()))?;
    if table.contains_key(other) {
        return Err(wrong(match other {
            "scheme" => "is a configuration for albums, because it contains `scheme`".to_owned(),
            _ => format!("is a configuration for photos, because it contains `{other}`"),
        }));
    }
    // Read again from the text, so that the error can point at the line.
    toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))
}
