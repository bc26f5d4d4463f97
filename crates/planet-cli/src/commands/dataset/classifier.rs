use std::{collections::HashSet, path::PathBuf, sync::Arc};

use clap::Args;
use planet::{Classifier, LabelModel, package::Labels};
use planet_data::{Column, DataError, PhotoRecord};

use super::manifest::Work;
use crate::{engine_choice::EngineChoice, failure::Failure};

/// A classifier with labels, shared by the commands that use one.
#[derive(Args, Debug)]
pub struct ClassifierArguments {
    /// Package of a classifier with labels (planet model import --labels)
    #[arg(long, value_name = "MODEL")]
    classifier: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

impl ClassifierArguments {
    /// The classifier that was asked for.
    pub fn open(&self) -> Result<Option<Classifier>, Failure> {
        let Some(folder) = &self.classifier else { return Ok(None) };
        let model = LabelModel::open(folder).map_err(Failure::new)?;
        self.engine.open_classifier(model).map(Some)
    }
}

/// What of a classifier's answer a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    /// The score of one label, by its place.
    Score(usize),
    /// The label with the highest score.
    BestLabel,
    /// That score.
    BestScore,
}

/// A column that a classifier fills.
#[derive(Debug, PartialEq, Eq)]
pub struct LabelColumn {
    name: String,
    value: Value,
}

const BEST_LABEL: &str = "best-label";
const BEST_SCORE: &str = "best-score";

impl LabelColumn {
    /// Columns as the user names them: `LABEL`, `best-label`, `best-score`, each with or without `NAME=`
    /// before it, divided by commas where the whole is not itself a label.
    pub fn parse(text: &str, labels: &Labels) -> Result<Vec<Self>, Failure> {
        match Self::one(text, labels) {
            Some(column) => Ok(vec![column?]),
            None => {
                let parts = text.split(',').map(str::trim);
                let one =
                    |part| Self::one(part, labels).unwrap_or_else(|| Err(unknown(part, labels)));
                parts.map(one).collect()
            }
        }
    }

    /// The column with a label's score, if there is such a label.
    pub fn of_label(label: &str, labels: &Labels) -> Option<Result<Self, Failure>> {
        let value = Value::Score(labels.position(label)?);
        Some(Self::named(label, value))
    }

    fn one(text: &str, labels: &Labels) -> Option<Result<Self, Failure>> {
        let value = |text: &str| match text {
            BEST_LABEL => Some(Value::BestLabel),
            BEST_SCORE => Some(Value::BestScore),
            label => labels.position(label).map(Value::Score),
        };
        // A label may hold an equals sign itself.
        if let Some(value) = value(text) {
            return Some(Self::named(text, value));
        }
        let (name, label) = text.split_once('=').filter(|(name, _)| !name.contains(','))?;
        Some(Self::named(name, value(label)?))
    }

    fn named(name: &str, value: Value) -> Result<Self, Failure> {
        let is_taken = Column::named(name).is_some_and(|column| column != Column::Category);
        if is_taken || name.is_empty() {
            let what = format!("'{name}' cannot be a column of a classifier");
            return Err(Failure::usage(what).hint("name another column: NAME=LABEL"));
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

fn unknown(label: &str, labels: &Labels) -> Failure {
    Failure::usage(format!("the classifier has no label '{label}'")).hint(listed(labels))
}

/// The labels of a classifier, for a hint.
pub fn listed(labels: &Labels) -> String {
    const LISTED: usize = 20;
    let names = labels.names();
    let more = if names.len() > LISTED { ", …" } else { "" };
    let first = names.iter().take(LISTED).map(|name| format!("'{name}'")).collect::<Vec<_>>();
    format!("its labels are {}{more}", first.join(", "))
}

/// A classifier and the columns that it fills.
pub struct LabelColumns {
    classifier: Classifier,
    columns: Vec<LabelColumn>,
}

impl LabelColumns {
    /// # Errors
    /// Two columns of one name.
    pub fn new(classifier: Classifier, columns: Vec<LabelColumn>) -> Result<Self, Failure> {
        for (at, column) in columns.iter().enumerate() {
            if columns[..at].iter().any(|before| before.name == column.name) {
                return Err(Failure::usage(format!("two columns are named '{}'", column.name)));
            }
        }
        Ok(Self { classifier, columns })
    }

    /// Names of the columns that a manifest with these others does not have yet.
    pub fn new_columns(&self, others: &[String]) -> Vec<String> {
        let names = self.columns.iter().map(|column| column.name.clone());
        names.filter(|name| Column::named(name).is_none() && !others.contains(name)).collect()
    }

    /// Fills the columns of some photos. For a photo that cannot be read they stay empty; it is named and
    /// added to `failed`, unless it is there already.
    pub fn fill(
        &mut self,
        records: &mut [PhotoRecord],
        failed: &mut HashSet<String>,
        work: &mut Work<'_>,
    ) -> Result<(), Failure> {
        let ids: Vec<String> = records.iter().map(|record| record.photo.clone()).collect();
        let scored = self
            .classifier
            .classify(Arc::clone(work.store) as _, &ids, work.progress)
            .map_err(Failure::new)?;
        let labels = &self.classifier.description().labels;
        for (record, scores) in records.iter_mut().zip(scored) {
            let scores = match scores {
                Ok(scores) => Some(scores),
                Err(error) => {
                    if failed.insert(record.photo.clone()) {
                        work.problems.add(&DataError::item(&record.photo, error))?;
                    }
                    None
                }
            };
            for column in &self.columns {
                let value = scores.as_ref().map(|scores| column.value.of(scores, labels));
                put(record, &column.name, value);
            }
        }
        Ok(())
    }
}

impl Value {
    fn of(self, scores: &[f32], labels: &Labels) -> String {
        // Of equal scores the first label is the best one.
        let best = || (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let best = || best().expect("a classifier has a label");
        match self {
            Self::Score(label) => scores[label].to_string(),
            Self::BestLabel => labels.names()[best()].clone(),
            Self::BestScore => scores[best()].to_string(),
        }
    }
}

fn put(record: &mut PhotoRecord, column: &str, value: Option<String>) {
    if Column::named(column) == Some(Column::Category) {
        record.category = value;
    } else if let Some(value) = value {
        record.other.insert(column.to_owned(), value);
    } else {
        record.other.remove(column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        let names = ["street", "tench, Tinca tinca", "width", "a=b"].map(str::to_owned);
        Labels::try_from(names.to_vec()).expect("labels")
    }

    fn parse(text: &str) -> Result<Vec<(String, Value)>, Failure> {
        let columns = LabelColumn::parse(text, &labels())?;
        Ok(columns.into_iter().map(|column| (column.name, column.value)).collect())
    }

    #[test]
    fn columns_are_labels_or_the_best_one_under_their_own_or_another_name() {
        let (street, best) = (Value::Score(0), Value::BestLabel);
        assert_eq!(
            parse("street,category=best-label, s=best-score").expect("columns"),
            [
                ("street".to_owned(), street),
                ("category".to_owned(), best),
                ("s".to_owned(), Value::BestScore)
            ]
        );
        let fish = ("tench, Tinca tinca".to_owned(), Value::Score(1));
        assert_eq!(parse("tench, Tinca tinca").expect("a label with a comma"), [fish]);
        assert_eq!(parse("f=tench, Tinca tinca").expect("a label with a comma")[0].0, "f");
        assert_eq!(parse("a=b").expect("a label"), [("a=b".to_owned(), Value::Score(3))]);
        assert_eq!(parse("c=a=b").expect("a label"), [("c".to_owned(), Value::Score(3))]);
        for wrong in ["streets", "street,roads", "", "x=roads", "width", "lat=street", "=street"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn of_equal_scores_the_first_label_is_the_best() {
        let scores = [0.25, 0.375, 0.375, 0.0];
        assert_eq!(Value::BestLabel.of(&scores, &labels()), "tench, Tinca tinca");
        assert_eq!(Value::BestScore.of(&scores, &labels()), "0.375");
        assert_eq!(Value::Score(0).of(&scores, &labels()), "0.25");
    }
}
