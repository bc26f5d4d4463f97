use std::{fmt::Write, path::Path};

use planet_data::AtomicFile;
use planet_geo::Scale;
use serde::{Deserialize, Serialize};

use crate::{Scores, TrainError};

/// What an epoch came to: a row of `summary.csv`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub epoch: u64,
    /// Steps since the beginning.
    pub steps: u64,
    /// Minutes of work that it took, validation included.
    pub minutes: f64,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Mean cross entropy of the training photos, each before its step.
    pub loss: f64,
    /// The same of the auxiliary classifier, where there is one.
    pub auxiliary: Option<f64>,
    /// Share of training photos whose cell came first, each before its step.
    pub cell_1: f64,
    /// Share whose cell came among the first five.
    pub cell_5: f64,
    /// Training photos that could not be decoded.
    pub failed: u64,
    /// Training photos a second, validation left out.
    pub photos_per_second: f64,
    /// Share of the training time that the steps waited for photos.
    pub waiting: f64,
    /// The validation photos, where there are any.
    pub validation: Option<Scores>,
}

impl Epoch {
    /// The row's numbers under their columns' names; `None` where there is none.
    pub fn columns(&self) -> Vec<(String, Option<f64>)> {
        let of = |name: &str, value: f64| (name.to_owned(), Some(value));
        let mut columns = vec![
            of("epoch", self.epoch as f64),
            of("steps", self.steps as f64),
            of("minutes", self.minutes),
            of("learning_rate", self.learning_rate),
            of("loss", self.loss),
            ("auxiliary_loss".to_owned(), self.auxiliary),
            of("cell_top1", self.cell_1),
            of("cell_top5", self.cell_5),
            of("failed", self.failed as f64),
            of("photos_per_second", self.photos_per_second),
            of("waiting", self.waiting),
        ];
        let validation = self.validation.as_ref();
        let mut add = |name: String, value: Option<f64>| {
            columns.push((format!("validation_{name}"), value));
        };
        add("loss".to_owned(), validation.map(|it| it.loss));
        add("cell_top1".to_owned(), validation.map(|it| it.cell_1));
        add("cell_top5".to_owned(), validation.map(|it| it.cell_5));
        for (at, scale) in Scale::ALL.into_iter().enumerate() {
            add(format!("{}_top1", scale.name()), validation.map(|it| it.within_1[at]));
            add(format!("{}_top5", scale.name()), validation.map(|it| it.within_5[at]));
        }
        add("failed".to_owned(), validation.map(|it| it.failed as f64));
        columns
    }
}

/// Writes all epochs of a run as CSV, in place of the file before. The last column, `best`, is 1
/// in the row of the epoch that is exported and 0 in the others.
pub(crate) fn write(path: &Path, epochs: &[Epoch], best: Option<u64>) -> Result<(), TrainError> {
    let mut text = String::new();
    for (row, epoch) in epochs.iter().enumerate() {
        let mut columns = epoch.columns();
        let is_best = Some(epoch.epoch) == best;
        columns.push(("best".to_owned(), Some(f64::from(u8::from(is_best)))));
        if row == 0 {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            text += &names.join(",");
            text.push('\n');
        }
        for (at, (_, value)) in columns.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = match value {
                // Six digits that count: for eyes and plots, while checkpoints hold all.
                Some(value) if value.fract() == 0.0 => write!(text, "{comma}{value}"),
                Some(value) => write!(text, "{comma}{value:.6}"),
                None => write!(text, "{comma}"),
            };
        }
        text.push('\n');
    }
    AtomicFile::write_all_at(path, text.as_bytes()).map_err(TrainError::file(path))
}
