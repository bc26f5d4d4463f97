//! The review of a library: what `planet library locate` proposes, what its owner decides, and
//! the positions that are written.

mod decision;
mod work;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, atomic::AtomicU64},
    thread,
    time::SystemTime,
};

use planet::{Certain, Prediction};
use planet_data::{Gazetteer, PhotoRecord};
use planet_geo::{LatLng, Scale};
use planet_library::writing::{Proposal, ProposalOptions, ProposalSource};
use tokio::sync::watch;

pub(crate) use self::decision::{Decided, Decision};
use self::decision::{Line, append, kept_decisions};
use crate::{error::ApiError, model::Served, server::ServeError};

/// Accuracy of a position that a person chose on the map, in metres.
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

    /// What is proposed for writing: accepted and corrected positions, and what the command writes
    /// into photos whose position is known.
    pub(crate) fn proposal(
        &self,
        root: &Path,
        options: &ProposalOptions,
        names: &Gazetteer,
    ) -> Option<Proposal> {
        if self.prediction.truth.is_some() {
            return Proposal::in_library(root, &self.prediction, options, names).ok();
        }
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
        append(&self.options.decisions, &lines)?;
        for (id, decided) in decisions {
            let corrected = decided.position()?;
            let item = &mut state.items[*id];
            (item.decision, item.corrected) = (decided.decision, corrected);
        }
        state.version += 1;
        Ok(Ok(state.version))
    }
}
