//! The review of a library: what `planet library locate` proposes, what its owner decides, and
//! the positions that are written.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::SystemTime,
};

use planet::{Certain, LocatorOptions, Prediction};
use planet_data::{DataError, DiskStore, Found, Gazetteer, Monitor, PhotoRecord, scan};
use planet_geo::{LatLng, Scale};
use planet_library::{
    Library, ModelOutput,
    writing::{Proposal, ProposalOptions, ProposalSource},
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::{error::ApiError, inference::Output, model::Served, server::ServeError};

/// Photos of a library that the network takes together.
const CHUNK: usize = 8;
/// What a position that a person chose is believed to be right to, in metres.
pub(crate) const CORRECTED_M: f64 = 100.0;

/// A library to review.
#[derive(Clone, Debug)]
pub struct ReviewOptions {
    /// Its folder.
    pub folder: PathBuf,
    /// File of decisions (JSON Lines), outside the library; read at the start, appended to.
    pub decisions: PathBuf,
    /// Journal of what is written, outside the library.
    pub journal: PathBuf,
    /// Which answers are proposed for writing.
    pub proposals: ProposalOptions,
}

/// What an owner decided about a photo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// Nothing yet.
    #[default]
    Open,
    /// The proposed position is right.
    Accepted,
    /// It is wrong.
    Rejected,
    /// Another position is right.
    Corrected,
}

/// A decision, as it is sent and kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Decided {
    pub decision: Decision,
    /// Where the decision is `corrected`: degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Where the decision is `corrected`: degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lng: Option<f64>,
}

impl Decided {
    /// The corrected position.
    ///
    /// # Errors
    /// It is missing or none.
    pub(crate) fn position(&self) -> Result<Option<LatLng>, ApiError> {
        if self.decision != Decision::Corrected {
            return Ok(None);
        }
        let missing = || ApiError::bad_request("a corrected position needs lat and lng");
        let (lat, lng) = self.lat.zip(self.lng).ok_or_else(missing)?;
        LatLng::new(lat, lng).map(Some).map_err(ApiError::bad_request)
    }
}

/// A line of the file of decisions.
#[derive(Serialize, Deserialize)]
struct Line {
    photo: String,
    #[serde(flatten)]
    decided: Decided,
}

/// One photo of the review.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub record: PhotoRecord,
    pub prediction: Prediction,
    pub decision: Decision,
    pub corrected: Option<LatLng>,
}

impl Item {
    /// The position that is written if the owner agrees: the corrected one, else the certain one.
    pub(crate) fn position(&self) -> Option<LatLng> {
        match self.decision {
            Decision::Corrected => self.corrected,
            Decision::Rejected => None,
            _ => self.prediction.certain.as_ref().map(|certain| certain.position),
        }
    }

    /// What is proposed for writing: accepted and corrected positions.
    pub(crate) fn proposal(
        &self,
        options: &ProposalOptions,
        names: &Gazetteer,
    ) -> Option<Proposal> {
        match self.decision {
            Decision::Accepted => {
                // Who accepts an answer needs no share of probability.
                let options =
                    ProposalOptions { coarsest: Scale::Continent, certain: 0.0, ..*options };
                Proposal::of(&self.prediction, &options, names).ok()
            }
            Decision::Corrected => {
                let position = self.corrected?;
                let certain = Certain {
                    level: Scale::Street,
                    name: String::new(),
                    position,
                    probability: 1.0,
                };
                let prediction = Prediction { certain: Some(certain), ..self.prediction.clone() };
                let proposal = Proposal::of(&prediction, options, names).ok()?;
                let (source, accuracy_m) = (ProposalSource::Manual, Some(CORRECTED_M));
                let evidence = "position chosen by hand".to_owned();
                Some(Proposal { source, accuracy_m, evidence, ..proposal })
            }
            Decision::Open | Decision::Rejected => None,
        }
    }
}

/// How far the work is.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// It is going on.
    Working(&'static str),
    /// All photos are there.
    Ready,
    /// It ended with this error.
    Failed(String),
}

/// What is known of the library now.
pub(crate) struct State {
    pub stage: Stage,
    /// Counts changes, so that two windows do not overwrite each other.
    pub version: u64,
    pub items: Vec<Item>,
}

/// A library under review.
pub(crate) struct Review {
    pub options: ReviewOptions,
    /// When the photos were read; younger ones are not written to.
    pub located: SystemTime,
    pub done: AtomicU64,
    pub total: AtomicU64,
    pub gazetteer: Arc<Gazetteer>,
    state: Mutex<State>,
    ending: watch::Receiver<bool>,
}

impl Review {
    /// Reads the file of decisions and begins to locate the library in the background.
    ///
    /// # Errors
    /// The folder or the file of decisions cannot be read.
    pub(crate) fn start(
        options: ReviewOptions,
        model: Option<Arc<Served>>,
        ending: watch::Receiver<bool>,
    ) -> Result<Arc<Self>, ServeError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ServeError::File { path, source }
        };
        let folder = options.folder.canonicalize().map_err(failed(&options.folder))?;
        if !folder.is_dir() {
            let error = io::Error::from(io::ErrorKind::NotADirectory);
            return Err(failed(&options.folder)(error));
        }
        let kept = kept_decisions(&options.decisions).map_err(failed(&options.decisions))?;
        let review = Arc::new(Self {
            options: ReviewOptions { folder, ..options },
            located: SystemTime::now(),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            gazetteer: Arc::new(Gazetteer::new()),
            state: Mutex::new(State {
                stage: Stage::Working("reading photos"),
                version: 0,
                items: Vec::new(),
            }),
            ending,
        });
        let own = Arc::clone(&review);
        let runtime = tokio::runtime::Handle::current();
        thread::spawn(move || {
            let result = own.locate(model.as_deref(), &runtime);
            let mut state = own.state();
            match result {
                Ok(mut items) => {
                    for Line { photo, decided } in kept {
                        if let Some(item) = items.iter_mut().find(|it| it.record.photo == photo)
                            && let Ok(corrected) = decided.position()
                        {
                            (item.decision, item.corrected) = (decided.decision, corrected);
                        }
                    }
                    state.items = items;
                    state.stage = Stage::Ready;
                }
                Err(error) => state.stage = Stage::Failed(error),
            }
            state.version += 1;
        });
        Ok(review)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|held| held.into_inner())
    }

    pub(crate) fn folder(&self) -> String {
        let name = self.options.folder.file_name();
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    pub(crate) fn photos(&self) -> usize {
        self.state().items.len()
    }

    /// Keeps decisions: in the file first, then here.
    ///
    /// # Errors
    /// Somebody else changed something since; a photo that there is not; the file cannot be written.
    pub(crate) fn decide(
        &self,
        version: u64,
        decisions: &[(usize, Decided)],
    ) -> Result<Result<u64, u64>, ApiError> {
        let mut state = self.state();
        if state.version != version {
            return Ok(Err(state.version));
        }
        let mut lines = String::new();
        for (id, decided) in decisions {
            let item = state.items.get(*id);
            let item =
                item.ok_or_else(|| ApiError::bad_request(format!("there is no photo {id}")))?;
            decided.position()?;
            if decided.decision == Decision::Accepted && item.prediction.certain.is_none() {
                let what = format!("nothing is proposed for {}", item.record.photo);
                return Err(ApiError::bad_request(what));
            }
            let line = Line { photo: item.record.photo.clone(), decided: decided.clone() };
            lines.push_str(&serde_json::to_string(&line).map_err(ApiError::internal)?);
            lines.push('\n');
        }
        append(&self.options.decisions, &lines).map_err(|error| {
            ApiError::internal(format!("{}: {error}", self.options.decisions.display()))
        })?;
        for (id, decided) in decisions {
            let corrected = decided.position()?;
            let item = &mut state.items[*id];
            (item.decision, item.corrected) = (decided.decision, corrected);
        }
        state.version += 1;
        Ok(Ok(state.version))
    }

    fn stage(&self, stage: &'static str) {
        self.state().stage = Stage::Working(stage);
        self.done.store(0, Relaxed);
        self.total.store(0, Relaxed);
    }

    /// Photos in order of time with their predictions; those without a time last.
    fn locate(
        &self,
        model: Option<&Served>,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Vec<Item>, String> {
        let folder = &self.options.folder;
        let mut records = Vec::new();
        scan(std::slice::from_ref(folder), folder, &HashSet::new(), self, |found| {
            if let Ok(Found::New(scanned)) = found {
                records.push(scanned.record);
            }
            Ok::<(), DataError>(())
        })
        .map_err(|error| error.to_string())?;
        if records.is_empty() {
            return Err(format!("there are no photos in {}", folder.display()));
        }
        records.sort_by(|a, b| {
            (a.time.is_none(), &a.time, &a.photo).cmp(&(b.time.is_none(), &b.time, &b.photo))
        });
        let known: Vec<Option<LatLng>> = records.iter().map(PhotoRecord::known_position).collect();
        let outputs = match model {
            Some(model) => self.outputs(model, &records, &known, runtime)?,
            None => Vec::new(),
        };
        self.stage("locating");
        let probabilities = |row: usize| {
            let output = outputs.get(row)?.as_ref()?;
            let found = model?.locator.probabilities(&output.logits).ok()?;
            Some(found.values().to_vec())
        };
        let network = model.map(|model| ModelOutput {
            partition: model.package.partition(),
            probabilities: &probabilities,
            prior: None,
        });
        let library = Library::new(&records, network);
        let calibration = library.calibrate(&known, self).map_err(|error| error.to_string())?;
        let mut predictions = vec![Prediction::default(); records.len()];
        let options = LocatorOptions::default();
        library
            .locate(&known, &calibration, &options, &self.gazetteer, self, |row, it| {
                predictions[row] = it;
            })
            .map_err(|error| error.to_string())?;
        let item = |((record, mut prediction), truth): ((PhotoRecord, Prediction), _)| {
            prediction.truth = truth;
            Item { record, prediction, decision: Decision::Open, corrected: None }
        };
        Ok(records.into_iter().zip(predictions).zip(known).map(item).collect())
    }

    /// What the network says of the photos whose position is not known.
    fn outputs(
        &self,
        model: &Served,
        records: &[PhotoRecord],
        known: &[Option<LatLng>],
        runtime: &tokio::runtime::Handle,
    ) -> Result<Vec<Option<Output>>, String> {
        self.stage("network");
        self.total.store(known.iter().filter(|it| it.is_none()).count() as u64, Relaxed);
        let store = DiskStore::new(&self.options.folder);
        let mut outputs: Vec<Option<Output>> = vec![None; records.len()];
        let rows: Vec<usize> = (0..records.len()).filter(|row| known[*row].is_none()).collect();
        for rows in rows.chunks(CHUNK) {
            if self.cancelled() {
                return Err("interrupted".to_owned());
            }
            let read = |row: &usize| Some((*row, store.bytes(&records[*row].photo).ok()?));
            let photos: Vec<(usize, Vec<u8>)> = rows.iter().filter_map(read).collect();
            let run = async |(row, bytes)| {
                let place = model.inference.wait_for_place().await;
                (row, model.inference.run_bytes(bytes, place).await.ok())
            };
            let all = futures_util::future::join_all(photos.into_iter().map(run));
            for (row, output) in runtime.block_on(all) {
                outputs[row] = output;
            }
            self.done.fetch_add(rows.len() as u64, Relaxed);
        }
        Ok(outputs)
    }
}

impl Monitor for Review {
    fn expect(&self, steps: u64) {
        self.total.fetch_add(steps, Relaxed);
    }

    fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Relaxed);
    }

    fn cancelled(&self) -> bool {
        *self.ending.borrow()
    }
}

/// The decisions of earlier runs; a last line that a crash cut off was never answered.
fn kept_decisions(path: &Path) -> io::Result<Vec<Line>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut lines = Vec::new();
    for line in BufReader::new(file).lines() {
        if let Ok(line) = serde_json::from_str(&line?) {
            lines.push(line);
        }
    }
    Ok(lines)
}

fn append(path: &Path, lines: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    // A line that was cut off must not swallow the next one.
    let is_cut = fs::read(path)?.last().is_some_and(|last| *last != b'\n');
    if is_cut {
        file.write_all(b"\n")?;
    }
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}
