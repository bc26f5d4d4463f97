use std::{collections::HashMap, path::Path, sync::Arc};

use planet_data::{
    DiskStore, Gazetteer, Manifest, Monitor, PhotoRecord, PhotoStore, thumbnail_jpeg,
};
use planet_geo::LatLng;

use super::{
    Album, AlbumError, AlbumInput, Embeddings, PhotoProbabilities, Scheme, SequenceModel, albums,
    locate_albums,
};
use crate::{
    EngineError, Locator, LocatorOptions, ModelPackage, PackageError, Place, Prediction,
    evaluation::{MoveScore, Moves, Positions, Scorer, ScorerOptions, TruthTable},
    report::{AlbumReport, SchemeIdeal, SchemeResult, Strip, StripAnswer, StripPhoto},
};

/// Albums that are shown as strips, photos of each, and the least that an album must have.
const STRIPS: usize = 6;
const SHOWN: usize = 12;
const FEWEST: usize = 4;
/// Longer side of the photos of strips, in pixels.
const THUMBNAIL: u32 = 160;

/// The schemes' names in tables where they are no scheme's own.
const AVERAGE_25: &str = "average-25";
const EXACT: &str = "hmm, exact single answers";

/// Evaluates album schemes on photos whose positions are known; the schemes do not use these.
///
/// Photos that cannot be read are located from neighbouring photos, and count.
pub struct AlbumEvaluation<'a> {
    package: &'a ModelPackage,
    manifest: &'a Manifest,
    albums: &'a [Album],
    options: ScorerOptions<'a>,
    locator: Locator,
    gazetteer: Arc<Gazetteer>,
    /// Each row's place in its album, from 0 on.
    positions: Vec<usize>,
    /// Rows of the albums that are shown.
    shown: Vec<Vec<usize>>,
    strips: Vec<Strip>,
    results: Vec<SchemeResult>,
}

/// What schemes read, and what they are compared with.
pub struct SchemeInputs<'a> {
    /// The model's output on each photo.
    pub output: &'a PhotoProbabilities,
    /// The photos' embeddings, for sequence schemes.
    pub embeddings: &'a Embeddings,
    /// Opens the network of a sequence scheme.
    pub open: &'a mut OpenSequence<'a>,
    /// Locates all photos by the hidden Markov model without known positions.
    pub hmm: &'a mut HmmLocator<'a>,
    /// What is possible with what a scheme sees, where that is known.
    pub ideal: &'a dyn Fn(Scheme) -> Option<SchemeIdeal>,
    /// Whether the exact distribution of each photo is known, so that the hidden Markov model is
    /// also evaluated on that.
    pub exact: bool,
}

/// Opens a network over sequences from its file.
pub type OpenSequence<'a> = dyn FnMut(&Path) -> Result<Box<dyn SequenceModel>, EngineError> + 'a;

/// Gives each photo's row and prediction to its last argument.
pub type HmmLocator<'a> =
    dyn FnMut(HmmEvidence, &mut dyn FnMut(usize, Prediction)) -> Result<(), AlbumError> + 'a;

/// What a hidden Markov model is fed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmmEvidence {
    /// The model's output on each photo.
    Model,
    /// The exact distribution of each photo, known on the synthetic earth.
    Exact,
}

/// Why album schemes cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlbumEvaluationError {
    /// The package has no such scheme, or one of another network.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A sequence network cannot be loaded.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The photos cannot be located, or the monitor ended it.
    #[error(transparent)]
    Album(#[from] AlbumError),
}

/// The albums of a manifest, as they are evaluated: estimated positions are no truth, and albums
/// that were formed from times get names, so that intervals are drawn by them.
pub fn evaluated_albums(manifest: &mut Manifest) -> Vec<Album> {
    for record in &mut manifest.records {
        record.position = record.known_position();
    }
    let albums = albums(&manifest.records);
    for (number, album) in albums.iter().enumerate() {
        for &row in &album.rows {
            manifest.records[row].album.get_or_insert_with(|| format!("formed {number}"));
        }
    }
    albums
}

impl Scheme {
    /// The schemes of a package that can be evaluated, in the order of the tables: all that it has
    /// and those that need nothing, or `named` ones, always with the two that the others are
    /// compared with.
    ///
    /// # Errors
    /// A named sequence scheme is not in the package, or belongs to another network.
    pub fn of_package(
        package: &ModelPackage,
        named: Option<&[Self]>,
    ) -> Result<Vec<Self>, PackageError> {
        let files = &package.description().schemes;
        let has = |scheme: &Self| {
            !scheme.is_sequence() || files.iter().any(|file| file.name == scheme.name())
        };
        let wanted = |scheme: &Self| match (named, scheme) {
            (_, Self::Single | Self::Average) => true,
            (Some(named), scheme) => named.contains(scheme),
            (None, scheme) => has(scheme),
        };
        let schemes: Vec<Self> = Self::ALL.into_iter().filter(wanted).collect();
        for scheme in schemes.iter().filter(|scheme| scheme.is_sequence()) {
            package.scheme(scheme.name())?;
        }
        Ok(schemes)
    }
}

impl<'a> AlbumEvaluation<'a> {
    /// For the albums of a manifest, from [`evaluated_albums`]; `photos` says whether the report
    /// shows photos.
    pub fn new(
        package: &'a ModelPackage,
        manifest: &'a Manifest,
        albums: &'a [Album],
        options: ScorerOptions<'a>,
        photos: bool,
    ) -> Self {
        let gazetteer = Arc::new(Gazetteer::new());
        let names = LocatorOptions { names: false, ..LocatorOptions::default() };
        let partition = package.shared_partition();
        // Probabilities and the scores of LSTMs need no temperature.
        let locator = Locator::new(partition, 1.0, names, Arc::clone(&gazetteer));
        let locator = locator.expect("answers are not limited to an area");
        let mut positions = vec![0; manifest.records.len()];
        for album in albums {
            album.rows.iter().enumerate().for_each(|(at, row)| positions[*row] = at);
        }
        let shown = shown(albums);
        let options = ScorerOptions { partition: Some(package.partition()), ..options };
        let (strips, results) = (Vec::new(), Vec::new());
        let mut evaluation = Self {
            package,
            manifest,
            albums,
            options,
            locator,
            gazetteer,
            positions,
            shown,
            strips,
            results,
        };
        evaluation.strips =
            evaluation.shown.iter().map(|it| evaluation.strip(it, photos)).collect();
        evaluation
    }

    /// Evaluates schemes, each beside the one that it is compared with.
    ///
    /// # Errors
    /// The package lacks a scheme's network, or the network fails; the monitor ended it.
    pub fn run(
        &mut self,
        schemes: &[Scheme],
        inputs: &mut SchemeInputs<'_>,
        monitor: &dyn Monitor,
    ) -> Result<(), AlbumEvaluationError> {
        let output = inputs.output;
        let mut has_average_25 = false;
        for &scheme in schemes {
            if scheme.cuts() && !has_average_25 {
                has_average_25 = true;
                let mut tally = self.tally();
                let input = AlbumInput::Probabilities(output);
                self.locate(Scheme::LstmRepeat25, input, &mut tally, monitor)?;
                self.keep(AVERAGE_25, Some(Scheme::Single.name()), None, tally);
            }
            let mut tally = self.tally();
            match scheme {
                Scheme::Hmm => {
                    (inputs.hmm)(HmmEvidence::Model, &mut |row, it| {
                        self.count(&mut tally, row, &it)
                    })?;
                }
                _ if scheme.is_sequence() => {
                    let (_, file) = self.package.scheme(scheme.name())?;
                    let mut network = (inputs.open)(&file)?;
                    let input = AlbumInput::Sequence(&mut *network, inputs.embeddings);
                    self.locate(scheme, input, &mut tally, monitor)?;
                }
                _ => {
                    let input = AlbumInput::Probabilities(output);
                    self.locate(scheme, input, &mut tally, monitor)?;
                }
            }
            let baseline = match scheme {
                Scheme::Single | Scheme::Average => None,
                _ if scheme.cuts() => Some(AVERAGE_25),
                _ => Some(Scheme::Average.name()),
            };
            self.keep(scheme.name(), baseline, (inputs.ideal)(scheme), tally);
            if scheme == Scheme::Hmm && inputs.exact {
                let mut tally = self.tally();
                (inputs.hmm)(HmmEvidence::Exact, &mut |row, it| self.count(&mut tally, row, &it))?;
                self.keep(EXACT, None, (inputs.ideal)(scheme), tally);
            }
        }
        Ok(())
    }

    /// The report, with a name of the dataset.
    pub fn finish(self, model: &str, dataset: &str) -> AlbumReport {
        let longest = self.albums.iter().map(|album| album.rows.len()).max().unwrap_or(0);
        AlbumReport {
            title: format!("Album evaluation of {}", self.package.description().name),
            subject: format!(
                "Model {model} on {} albums of {dataset}, with {} photos; the longest album has \
                 {longest}. Known positions are used only for scoring. Photos that cannot be read \
                 are located from neighbouring photos.",
                self.albums.len(),
                self.manifest.records.len()
            ),
            schemes: self.results,
            strips: self.strips,
        }
    }

    fn locate(
        &self,
        scheme: Scheme,
        input: AlbumInput<'_>,
        tally: &mut Tally<'a>,
        monitor: &dyn Monitor,
    ) -> Result<(), AlbumError> {
        let records = &self.manifest.records;
        let count = |row: usize, prediction: Prediction| self.count(tally, row, &prediction);
        locate_albums(records, self.albums, scheme, input, &self.locator, monitor, count)
    }

    fn tally(&self) -> Tally<'a> {
        let all = TruthTable::of(&self.manifest.records, "", |_| true);
        Tally {
            scorer: Scorer::new(all, self.options),
            positions: Positions::new(self.options.rules),
            answers: HashMap::new(),
            shown: HashMap::new(),
        }
    }

    fn count(&self, tally: &mut Tally<'_>, row: usize, prediction: &Prediction) {
        if self.manifest.records[row].position.is_none() {
            return;
        }
        let error = tally.scorer.add(prediction).map(|(error, _)| error);
        if let Some(best) = prediction.best() {
            tally.answers.insert(row, best.position);
        }
        tally.positions.add(self.positions[row], error);
        if self.shown.iter().any(|rows| rows.contains(&row)) {
            let place = prediction.best().map(|it| Place::of(it.position, &self.gazetteer));
            let place = place.map(|place| place.to_string()).unwrap_or_default();
            tally.shown.insert(row, StripAnswer { place, km: error.map(|error| error.km()) });
        }
    }

    fn keep(
        &mut self,
        name: &str,
        baseline: Option<&str>,
        ideal: Option<SchemeIdeal>,
        mut tally: Tally<'a>,
    ) {
        for (strip, rows) in self.strips.iter_mut().zip(&self.shown) {
            let answers = rows.iter().map(|row| tally.shown.remove(row).unwrap_or_default());
            strip.answers.push((name.to_owned(), answers.collect()));
        }
        self.results.push(SchemeResult {
            name: name.to_owned(),
            baseline: baseline.map(str::to_owned),
            score: tally.scorer.finish(),
            by_position: tally.positions.finish(),
            moves: self.moves(&tally.answers),
            ideal,
        });
    }

    /// How answers, by row, move within the albums.
    fn moves(&self, answers: &HashMap<usize, LatLng>) -> MoveScore {
        let mut moves = Moves::new(self.options.rules);
        for album in self.albums {
            let photo =
                |row: &usize| Some((self.manifest.records[*row].position?, *answers.get(row)?));
            let photos: Vec<(LatLng, LatLng)> = album.rows.iter().filter_map(photo).collect();
            moves.add(&photos);
        }
        moves.finish()
    }

    /// An album as a strip, as yet without answers.
    fn strip(&self, rows: &[usize], photos: bool) -> Strip {
        let store = DiskStore::new(&self.manifest.root);
        let photo = |row: &usize| {
            let record = &self.manifest.records[*row];
            let place = record.position.map(|position| Place::of(position, &self.gazetteer));
            let thumbnail = photos.then(|| store.photo(&record.photo).ok()).flatten();
            StripPhoto {
                thumbnail: thumbnail.map(|photo| thumbnail_jpeg(&photo, THUMBNAIL)),
                label: place.map_or_else(|| record.photo.clone(), |place| place.to_string()),
            }
        };
        let record: &PhotoRecord = &self.manifest.records[rows[0]];
        let name = record.album.as_deref().unwrap_or_default();
        let author = record.author.as_deref().map(|it| format!(" of {it}")).unwrap_or_default();
        let all = self.albums.iter().find(|album| album.rows.starts_with(rows));
        let count = all.map_or(rows.len(), |album| album.rows.len());
        Strip {
            title: format!("Album {name}{author}: {} of {count} photos", rows.len()),
            photos: rows.iter().map(photo).collect(),
            answers: Vec::new(),
        }
    }
}

/// The answers of one scheme while they come.
struct Tally<'a> {
    scorer: Scorer<'a>,
    positions: Positions,
    /// The first answers, by row.
    answers: HashMap<usize, LatLng>,
    /// By row, of the photos that are shown.
    shown: HashMap<usize, StripAnswer>,
}

/// Rows of the albums that are shown: at regular distances among those that are long enough.
fn shown(albums: &[Album]) -> Vec<Vec<usize>> {
    let long: Vec<&Album> = albums.iter().filter(|it| it.rows.len() >= FEWEST).collect();
    let step = (long.len() / STRIPS).max(1);
    let shown = long.iter().step_by(step).take(STRIPS);
    shown.map(|album| album.rows[..album.rows.len().min(SHOWN)].to_vec()).collect()
}
