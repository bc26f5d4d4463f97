//! `planet album locate`: photos that show nothing, located through those beside them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use clap::Args;
use planet::{
    Locator, LocatorOptions, ModelPackage, Prediction,
    album::{HmmModel, Library, Network, Scheme, albums, trip_map},
};
use planet_data::{AtomicFile, Gazetteer, Manifest};
use planet_geo::LatLng;

use super::{
    answers, embeddings,
    photos::{self, Said},
};
use crate::{
    commands::locate::{FormatName, format, output::Output},
    engine_choice::EngineChoice,
    failure::Failure,
};

/// `planet album locate DIR|M [--model MODEL] [--scheme hmm]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// A folder of photos, or a manifest (M or M:SPLIT)
    #[arg(value_name = "DIR|M")]
    photos: String,
    /// Folder that a manifest's photo ids are relative to
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Model package; without one, time and known positions alone tell
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// How photos tell of each other: hmm uses known positions; all others need a model and do
    /// not use them. The LSTMs stand in the model's package
    #[arg(long, value_name = "SCHEME", default_value = "hmm")]
    scheme: Scheme,
    /// Do not take known positions as evidence
    #[arg(long)]
    ignore_positions: bool,
    /// Candidates a photo
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// Share of probability that makes a level certain
    #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
    certain: f64,
    /// How to write; by default what the output's name says, else text
    #[arg(long, value_enum)]
    format: Option<FormatName>,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw the trip (.svg, .png, .html)
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Folder where the embeddings that LSTMs read are kept; by default they are not
    #[arg(long, value_name = "DIR")]
    embeddings: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineChoice,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !(arguments.certain > 0.0 && arguments.certain <= 1.0) {
        return Err(Failure::usage("--certain must lie above 0 and at most 1"));
    }
    let gazetteer = Arc::new(Gazetteer::new());
    thread::spawn({
        let gazetteer = Arc::clone(&gazetteer);
        move || gazetteer.load()
    });
    let format = format(arguments.format, arguments.output.as_deref())?;
    let manifest = photos::read(&arguments.photos, arguments.root.as_deref())?;
    let known = arguments.known(&manifest);
    let package = arguments.model.as_ref().map(|model| ModelPackage::open(model));
    let package = package.transpose().map_err(Failure::new)?;
    let scheme = arguments.scheme;
    if scheme.is_sequence() && !arguments.ignore_positions {
        let positions = known.iter().flatten().count();
        if positions > 0 {
            anstream::eprintln!("{scheme} does not use the {positions} positions that are known");
        }
    }
    let said = match &package {
        // An LSTM reads embeddings.
        Some(package) if !scheme.is_sequence() => {
            let wanted = |row: usize| scheme != Scheme::Hmm || known[row].is_none();
            Some(Said::of(package, &arguments.engine, &manifest, wanted, None)?)
        }
        _ => None,
    };
    let mut output = Output::open(arguments.output.as_deref(), format, &manifest.root, None)?;
    let mut predictions = match (scheme, &package) {
        (Scheme::Hmm, package) => {
            let model =
                package.as_ref().map_or_else(|| Ok(HmmModel::default()), super::hmm_model)?;
            arguments.by_hmm(&manifest, &known, (said.as_ref(), model), &gazetteer)?
        }
        (_, Some(package)) => arguments.by_scheme(package, &manifest, said.as_ref(), &gazetteer)?,
        (scheme, None) => return Err(Failure::usage(format!("--scheme {scheme} needs --model"))),
    };
    for (row, error) in said.into_iter().flat_map(|said| said.failed) {
        // Neighbours may tell of a photo that cannot be read; it is named all the same.
        if predictions[row].candidates.is_empty() {
            predictions[row].error = Some(error);
        } else {
            anstream::eprintln!("{}: {error}; located by its neighbours", predictions[row].photo);
        }
    }
    for (prediction, record) in predictions.iter_mut().zip(&manifest.records) {
        prediction.truth = record.position;
        output.write(prediction)?;
    }
    output.finish()?;
    match &arguments.map {
        Some(path) => draw(path, &manifest, &known, &predictions),
        None => Ok(()),
    }
}

impl Arguments {
    /// The positions that are evidence.
    fn known(&self, manifest: &Manifest) -> Vec<Option<LatLng>> {
        let position =
            |record: &planet_data::PhotoRecord| record.position.filter(|_| !self.ignore_positions);
        manifest.records.iter().map(position).collect()
    }

    fn options(&self) -> LocatorOptions {
        let (top, certain) = (self.top.into(), self.certain);
        LocatorOptions { top, certain, ..LocatorOptions::default() }
    }

    fn by_hmm(
        &self,
        manifest: &Manifest,
        known: &[Option<LatLng>],
        (said, model): (Option<&Said>, HmmModel),
        gazetteer: &Arc<Gazetteer>,
    ) -> Result<Vec<Prediction>, Failure> {
        let probabilities = |row: usize| said.and_then(|said| said.spool.get(row));
        let network = said.map(|said| Network {
            partition: &said.partition,
            probabilities: &probabilities,
            expected: None,
        });
        let library = Library::new(&manifest.records, network).knowing(model);
        let trust = library.trust(known);
        let mut predictions = vec![Prediction::default(); manifest.records.len()];
        library
            .locate(known, &trust, &self.options(), gazetteer, |row, prediction| {
                predictions[row] = prediction;
            })
            .map_err(|error| {
                let failure = Failure::new(error);
                match &self.model {
                    Some(_) => failure,
                    None => failure
                        .hint("give a model with --model, or photos some of which have a position"),
                }
            })?;
        Ok(predictions)
    }

    /// By a scheme that does not use known positions.
    fn by_scheme(
        &self,
        package: &ModelPackage,
        manifest: &Manifest,
        said: Option<&Said>,
        gazetteer: &Arc<Gazetteer>,
    ) -> Result<Vec<Prediction>, Failure> {
        let partition = Arc::new(package.partition().clone());
        // What a model said of photos, and what LSTMs say of them, has its temperature already.
        let locator = Locator::new(partition, 1.0, self.options(), Arc::clone(gazetteer))
            .map_err(Failure::new)?;
        let mut predictions = vec![Prediction::default(); manifest.records.len()];
        let take = |row: usize, prediction| predictions[row] = prediction;
        let albums = albums(&manifest.records);
        match (self.scheme, said) {
            (Scheme::Single, Some(said)) => answers::single(manifest, said, &locator, take),
            (_, Some(said)) => {
                answers::average(manifest, &albums, self.scheme, said, &locator, take);
            }
            (scheme, None) => {
                let embeddings = match &self.embeddings {
                    Some(cache) => embeddings::of(manifest, package, cache, &self.engine)?,
                    None => {
                        let folder = tempfile::tempdir()?;
                        embeddings::of(manifest, package, folder.path(), &self.engine)?
                    }
                };
                let network = (package, &self.engine);
                answers::sequence(manifest, &albums, scheme, network, &embeddings, &locator, take)?;
            }
        }
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
    let map = trip_map(library.sequences().iter().map(|sequence| in_order(&sequence.rows)));
    let heading = format!("{} photos", predictions.len());
    let bytes = crate::commands::locate::map::rendered(&map, path, &heading)?;
    AtomicFile::write_all_at(path, &bytes)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}
