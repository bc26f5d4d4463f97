//! `planet library locate` and `planet album locate`: photos located through their neighbours.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use clap::Args;
use planet::{
    Locator, LocatorOptions, ModelPackage, Prediction,
    album::{
        AlbumInput, Fix, HmmModel, People, PhotoProbabilities, Scheme, albums, locate_albums,
        trip_map,
    },
};
use planet_data::{AtomicFile, Gazetteer, Manifest, PhotoRecord};
use planet_geo::LatLng;
use planet_library::{Library, LibraryError, ModelOutput};

use super::{
    answers, embeddings, photos,
    tracks::{ClockArguments, TrackArguments},
};
use crate::{
    commands::locate::{
        FormatName, format,
        output::{Offer, Output},
    },
    engine_choice::EngineChoice,
    failure::Failure,
    progress::Progress,
};

/// Known photos that a model looks at to find how much its output is worth.
const CALIBRATED: usize = 1000;

/// `planet library locate DIR|M [--model MODEL] -o FOUND.jsonl`
#[derive(Args, Debug)]
pub struct LibraryArguments {
    #[command(flatten)]
    common: Common,
    /// Whether the photos belong to one person or to several
    #[arg(long, value_enum, default_value = "one")]
    people: super::PeopleName,
    /// Do not use known positions as evidence
    #[arg(long)]
    ignore_positions: bool,
    #[command(flatten)]
    tracks: TrackArguments,
    #[command(flatten)]
    clocks: ClockArguments,
}

/// `planet album locate DIR|M --model MODEL --scheme SCHEME`
#[derive(Args, Debug)]
pub struct AlbumArguments {
    #[command(flatten)]
    common: Common,
    /// How neighbouring photos are combined; the LSTMs are in the model's package
    #[arg(long, value_name = "SCHEME")]
    scheme: Scheme,
    /// Folder in which to keep the embeddings for LSTMs; by default they are not kept
    #[arg(long, value_name = "DIR")]
    embeddings: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Common {
    #[command(flatten)]
    source: photos::SourceArguments,
    /// Candidates per photo
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Minimum probability for reporting a level
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    certain: f64,
    /// Output format; by default inferred from the output's name, otherwise text
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// Output file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw a map of the located photos (.svg, .png, .html)
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

/// `planet library locate`.
pub fn run(arguments: &LibraryArguments) -> Result<(), Failure> {
    let job = Job {
        common: &arguments.common,
        scheme: Scheme::Hmm,
        people: arguments.people.people(),
        ignore_positions: arguments.ignore_positions,
        embeddings: None,
        tracks: Some((&arguments.tracks, &arguments.clocks)),
    };
    job.run()
}

/// `planet album locate`.
pub fn run_album(arguments: &AlbumArguments) -> Result<(), Failure> {
    if arguments.scheme == Scheme::Hmm {
        return Err(Failure::usage("planet album locate does not support the scheme hmm")
            .hint("use planet library locate, with or without a model"));
    }
    let job = Job {
        common: &arguments.common,
        scheme: arguments.scheme,
        people: People::default(),
        ignore_positions: true,
        embeddings: arguments.embeddings.as_deref(),
        tracks: None,
    };
    job.run()
}

/// What both commands do.
struct Job<'a> {
    common: &'a Common,
    scheme: Scheme,
    people: People,
    ignore_positions: bool,
    embeddings: Option<&'a Path>,
    tracks: Option<(&'a TrackArguments, &'a ClockArguments)>,
}

impl Job<'_> {
    fn run(&self) -> Result<(), Failure> {
        let arguments = self.common;
        if !(arguments.certain > 0.0 && arguments.certain <= 1.0) {
            return Err(Failure::usage("--certain must be above 0 and at most 1"));
        }
        let gazetteer = Arc::new(Gazetteer::new());
        thread::spawn({
            let gazetteer = Arc::clone(&gazetteer);
            move || gazetteer.load()
        });
        let format = format(arguments.format, arguments.output.as_deref())?;
        let manifest = arguments.source.read()?;
        let known = self.known(&manifest);
        let package = arguments.source.model.as_ref().map(|model| ModelPackage::open(model));
        let package = package.transpose().map_err(Failure::new)?;
        let scheme = self.scheme;
        let positions = manifest.records.iter().filter_map(PhotoRecord::known_position).count();
        if scheme.is_sequence() && positions > 0 {
            anstream::eprintln!("the scheme {scheme} does not use the {positions} known positions");
        }
        let probabilities = match &package {
            // An LSTM reads embeddings.
            Some(package) if !scheme.is_sequence() => {
                // Of known photos some are needed, to find how much the model's output is worth.
                let step = known.iter().flatten().count().div_ceil(CALIBRATED).max(1);
                let wanted = |row: usize| {
                    scheme != Scheme::Hmm || known[row].is_none() || row.is_multiple_of(step)
                };
                Some(photos::probabilities(package, &arguments.engine, &manifest, wanted, None)?)
            }
            _ => None,
        };
        let offer = Offer { certain: arguments.certain, ..Offer::default() };
        let file = arguments.output.as_deref();
        let mut output = Output::open(file, format, &manifest.root, offer, None)?;
        let mut predictions = match (scheme, &package) {
            (Scheme::Hmm, package) => {
                let model =
                    package.as_ref().map_or_else(|| Ok(HmmModel::default()), super::hmm_model)?;
                let network = package.as_ref().zip(probabilities.as_ref());
                self.by_hmm(&manifest, &known, (network, model), &gazetteer)?
            }
            (_, Some(package)) => {
                self.by_scheme(package, &manifest, probabilities.as_ref(), &gazetteer)?
            }
            (scheme, None) => {
                return Err(Failure::usage(format!("--scheme {scheme} needs --model")));
            }
        };
        for (row, error) in probabilities.iter().flat_map(|it| it.failed().iter().cloned()) {
            // A photo that cannot be read is named, and located from neighbouring photos.
            if predictions[row].candidates.is_empty() {
                predictions[row].error = Some(error);
            } else {
                anstream::eprintln!(
                    "{}: {error}; located from neighbouring photos",
                    predictions[row].photo
                );
            }
        }
        for (prediction, record) in predictions.iter_mut().zip(&manifest.records) {
            prediction.truth = record.known_position();
            output.write(prediction)?;
        }
        output.finish()?;
        match &arguments.map {
            Some(path) => draw(path, &manifest, &known, &predictions),
            None => Ok(()),
        }
    }

    /// The positions that are evidence.
    fn known(&self, manifest: &Manifest) -> Vec<Option<LatLng>> {
        let position =
            |record: &PhotoRecord| record.known_position().filter(|_| !self.ignore_positions);
        manifest.records.iter().map(position).collect()
    }

    fn options(&self) -> LocatorOptions {
        let (top, certain) = (self.common.top.into(), self.common.certain);
        LocatorOptions { top, certain, ..LocatorOptions::default() }
    }

    fn by_hmm(
        &self,
        manifest: &Manifest,
        known: &[Option<LatLng>],
        (network, model): (Option<(&ModelPackage, &PhotoProbabilities)>, HmmModel),
        gazetteer: &Arc<Gazetteer>,
    ) -> Result<Vec<Prediction>, Failure> {
        let probabilities = |row: usize| network.and_then(|(_, output)| output.get(row));
        let network = network.map(|(package, _)| ModelOutput {
            partition: package.partition(),
            probabilities: &probabilities,
            prior: None,
        });
        let (records, tracked) = self.dated(&manifest.records)?;
        let library = Library::new(&records, network)
            .with_people(self.people)
            .with_model(model)
            .with_tracked(tracked);
        let progress = Progress::new("photos");
        let calibration =
            library.calibrate(known, &progress).map_err(|error| self.failure(error))?;
        let mut predictions = vec![Prediction::default(); manifest.records.len()];
        let clocks = library
            .locate(
                known,
                &calibration,
                &self.options(),
                gazetteer,
                &progress,
                |row, prediction| {
                    predictions[row] = prediction;
                },
            )
            .map_err(|error| self.failure(error))?;
        progress.finish();
        // How photos of several clocks were compared is an inference, and never made in silence.
        clocks.iter().filter(|it| it.is_uncertain()).for_each(|it| anstream::eprintln!("{it}"));
        Ok(predictions)
    }

    /// The photos with corrected times, and where tracks say that each was taken.
    fn dated(
        &self,
        records: &[PhotoRecord],
    ) -> Result<(Vec<PhotoRecord>, Vec<Option<Fix>>), Failure> {
        let Some((tracks, clocks)) = self.tracks else {
            return Ok((records.to_vec(), Vec::new()));
        };
        let read = tracks.read()?;
        let records = clocks.corrected(records, read.as_ref().map(|it| (it, tracks.limits())))?;
        let tracked = read.map(|it| tracks.tracked(&it, &records)).unwrap_or_default();
        Ok((records, tracked))
    }

    fn failure(&self, error: LibraryError) -> Failure {
        let failure = Failure::new(&error);
        match (&self.common.source.model, error) {
            (None, LibraryError::NothingKnown) => {
                failure.hint("name a model with --model, or include photos with a position")
            }
            _ => failure,
        }
    }

    /// By a scheme that does not use known positions.
    fn by_scheme(
        &self,
        package: &ModelPackage,
        manifest: &Manifest,
        output: Option<&PhotoProbabilities>,
        gazetteer: &Arc<Gazetteer>,
    ) -> Result<Vec<Prediction>, Failure> {
        // A model's output on photos, and that of LSTMs, has its temperature already.
        let partition = package.shared_partition();
        let locator = Locator::new(partition, 1.0, self.options(), Arc::clone(gazetteer))
            .map_err(Failure::new)?;
        let (mut network, embeddings);
        let input = match output {
            Some(output) => AlbumInput::Probabilities(output),
            None => {
                let engine = &self.common.engine;
                let temporary = tempfile::tempdir()?;
                let cache = self.embeddings.unwrap_or(temporary.path());
                network = engine.open_sequence(&answers::model(package, self.scheme)?)?;
                embeddings = embeddings::of(manifest, package, cache, engine)?;
                AlbumInput::Sequence(&mut network, &embeddings)
            }
        };
        let (records, albums) = (&manifest.records, albums(&manifest.records));
        let mut predictions = vec![Prediction::default(); records.len()];
        let progress = Progress::new("photos");
        let emit = |row: usize, prediction| predictions[row] = prediction;
        let located =
            locate_albums(records, &albums, self.scheme, input, &locator, &progress, emit);
        progress.finish();
        located?;
        Ok(predictions)
    }
}

fn draw(
    path: &Path,
    manifest: &Manifest,
    known: &[Option<LatLng>],
    predictions: &[Prediction],
) -> Result<(), Failure> {
    let library = Library::new(&manifest.records, None);
    // What was not evidence is shown as it was answered.
    let shown: Vec<Prediction> = predictions
        .iter()
        .zip(known)
        .map(|(prediction, known)| Prediction { truth: *known, ..prediction.clone() })
        .collect();
    let in_order = |rows: &Vec<usize>| rows.iter().map(|row| &shown[*row]).collect::<Vec<_>>();
    let map =
        trip_map(library.timeline().sequences().iter().map(|sequence| in_order(&sequence.rows)));
    let heading = format!("{} photos", predictions.len());
    let bytes = crate::commands::locate::map::rendered(&map, path, &heading)?;
    AtomicFile::write_all_at(path, &bytes)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}
