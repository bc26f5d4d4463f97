//! Scores of predictions, as the command computes them.

use std::{path::PathBuf, sync::Arc};

use planet::{
    PredictionReader,
    evaluation::{Rules, Scorer, ScorerOptions, TruthTable},
    report::{MAPPED_PHOTOS, References, Report, Table},
};
use planet_data::{Gazetteer, Monitor, PhotoRecord, table::TableSource};
use planet_geo::LatLng;
use pyo3::{
    exceptions::{PyKeyboardInterrupt, PyValueError},
    prelude::*,
};

use crate::{
    failure::failed,
    partition::{Partition, position},
    prediction::Prediction,
    work::{self, Flag},
};

/// A score with everything that a report shows of it.
#[pyclass(frozen, module = "planet_geolocation._native")]
pub struct Score(Report);

#[pymethods]
impl Score {
    /// The figures of the command's `score --json`.
    fn to_json(&self) -> String {
        self.0.to_json().to_string()
    }

    /// The share of photos within each distance.
    fn to_svg(&self) -> String {
        self.0.error_curve().to_svg()
    }

    fn to_text(&self) -> String {
        let text = |table: &Table| format!("{}\n\n{}\n", table.title, table.to_text());
        self.0.tables().iter().map(text).collect()
    }

    fn to_html(&self) -> String {
        self.0.to_html()
    }

    fn _repr_html_(&self) -> String {
        format!("{}{}", self.0.accuracy().to_html(), self.to_svg())
    }

    fn __repr__(&self) -> String {
        let (counts, within) = (&self.0.score.counts, self.0.score.within[0]);
        let shares = within.map(|share| format!("{:.1}", 100.0 * share)).join("/");
        format!("<Score of {} photos: {shares} % within 1/25/200/750/2500 km>", counts.photos)
    }
}

#[derive(FromPyObject)]
pub enum Truth {
    /// A manifest, or any table with ids and positions.
    Table(String),
    /// Ids and positions.
    Rows(Vec<(String, f64, f64)>),
}

#[derive(FromPyObject)]
pub enum Predictions<'py> {
    File(PathBuf),
    List(Vec<PyRef<'py, Prediction>>),
}

/// Predictions, wherever they are.
enum Given {
    File(PathBuf),
    List(Vec<planet::Prediction>),
}

#[pyfunction]
#[pyo3(signature = (predictions, truth, *, by, measure, bound, resamples, seed, partition, countries))]
#[expect(clippy::too_many_arguments, reason = "they have names in Python")]
pub fn score(
    py: Python<'_>,
    predictions: Predictions<'_>,
    truth: Option<Truth>,
    by: String,
    measure: &str,
    bound: &str,
    resamples: usize,
    seed: u64,
    partition: Option<PyRef<'_, Partition>>,
    countries: bool,
) -> PyResult<Score> {
    let wrong = |error: &dyn std::fmt::Display| PyValueError::new_err(error.to_string());
    let rules = Rules {
        measure: measure.parse().map_err(|error| wrong(&error))?,
        bound: bound.parse().map_err(|error| wrong(&error))?,
    };
    let given = match predictions {
        Predictions::File(path) => Given::File(path),
        Predictions::List(list) => {
            Given::List(list.iter().map(|it| rounded(it.0.clone())).collect())
        }
    };
    let partition = partition.map(|it| Arc::clone(&it.0));
    let report = work::run(py, move |flag| {
        let gazetteer = Gazetteer::new();
        let subject = subject(&given, truth.as_ref());
        let options = ScorerOptions {
            rules,
            resamples,
            seed,
            partition: partition.as_deref(),
            gazetteer: countries.then_some(&gazetteer),
        };
        let mut scorer = Scorer::new(truth_table(truth, &by)?, options);
        let mut places = Vec::new();
        feed(given, &mut scorer, &mut places, flag)?;
        check(&scorer)?;
        let mut references = References::default();
        if let Some(partition) = &partition {
            references.push_bounds(partition, scorer.table().positions());
        }
        let [title, subject] = subject;
        Ok(Report {
            title,
            subject,
            score: scorer.finish(),
            clean: None,
            leakage: None,
            references,
            known_set: None,
            by,
            places,
            galleries: Vec::new(),
            regions: None,
            log_loss: None,
            category_log_losses: Vec::new(),
        })
    })?;
    Ok(Score(report))
}

/// A prediction with positions as files keep them, so that its score is that of its file.
fn rounded(mut prediction: planet::Prediction) -> planet::Prediction {
    prediction.candidates.iter_mut().for_each(|it| it.position = it.position.rounded());
    if let Some(certain) = &mut prediction.certain {
        certain.position = certain.position.rounded();
    }
    prediction.truth = prediction.truth.map(LatLng::rounded);
    prediction
}

/// Title and subject, as in the command's report.
fn subject(given: &Given, truth: Option<&Truth>) -> [String; 2] {
    let predictions = match given {
        Given::File(path) => path.display().to_string(),
        Given::List(list) => format!("of {} photos", list.len()),
    };
    let subject = match truth {
        Some(Truth::Table(truth)) => format!("Predictions {predictions}, scored with {truth}."),
        Some(Truth::Rows(_)) => format!("Predictions {predictions}, scored with given positions."),
        None => format!("Predictions {predictions}, which contain the true positions."),
    };
    [format!("Score of {predictions}"), subject]
}

fn truth_table(truth: Option<Truth>, by: &str) -> PyResult<TruthTable> {
    match truth {
        None => Ok(TruthTable::growing()),
        Some(Truth::Table(table)) => {
            TruthTable::read(&TableSource::parse(&table), by).map_err(failed)
        }
        Some(Truth::Rows(rows)) => {
            let record = |(photo, lat, lng): (String, f64, f64)| {
                let place = position(lat, lng)
                    .map_err(|error| PyValueError::new_err(format!("truth of {photo}: {error}")))?;
                Ok(PhotoRecord { photo, position: Some(place), ..PhotoRecord::default() })
            };
            let records = rows.into_iter().map(record).collect::<PyResult<Vec<_>>>()?;
            Ok(TruthTable::of(&records, by, |_| true))
        }
    }
}

fn feed(
    given: Given,
    scorer: &mut Scorer<'_>,
    places: &mut Vec<(LatLng, f64)>,
    flag: &Flag,
) -> PyResult<()> {
    let mut add = |prediction: &planet::Prediction| {
        let outcome = scorer.add(prediction).map(|(error, truth)| (truth, error.km()));
        places.extend(outcome.filter(|_| places.len() < MAPPED_PHOTOS));
        match flag.cancelled() {
            true => Err(PyKeyboardInterrupt::new_err(())),
            false => Ok(()),
        }
    };
    match given {
        Given::List(list) => list.iter().try_for_each(add),
        Given::File(path) => {
            let reader = PredictionReader::open(&path, None).map_err(failed)?;
            reader.ahead().try_for_each(|it| add(&it.map_err(failed)?))
        }
    }
}

/// An empty join is a mistake and no score of zero.
fn check(scorer: &Scorer<'_>) -> PyResult<()> {
    if scorer.met() > 0 {
        return Ok(());
    }
    Err(PyValueError::new_err(match scorer.unknown().first() {
        Some(id) => format!("no prediction is of a photo of the truth; missing, for example: {id}"),
        None => "no prediction has a true position; give truth=".to_owned(),
    }))
}
