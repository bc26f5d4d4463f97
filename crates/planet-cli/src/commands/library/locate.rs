//! `planet library locate`: the photos of a library located from known positions, times, tracks
//! and, if there is one, a model.

use std::sync::Arc;

use clap::Args;
use planet::{
    ModelPackage, Prediction,
    album::{Fix, HmmModel, PhotoProbabilities},
};
use planet_data::PhotoRecord;
use planet_geo::LatLng;
use planet_library::{Library, LibraryError, ModelOutput};

use crate::{
    commands::album::{
        PeopleName,
        common::{Common, Prepared},
        features::FeatureArguments,
        hmm_model, photos,
        tracks::{ClockArguments, TrackArguments},
    },
    failure::Failure,
    progress::Progress,
};

/// Known photos that a model looks at to find how much its output is worth.
const CALIBRATED: usize = 1000;

/// `planet library locate DIR|M [--model MODEL] -o FOUND.jsonl`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Whether the photos belong to one person or to several
    #[arg(long, value_enum, default_value = "one")]
    people: PeopleName,
    /// Do not use known positions as evidence
    #[arg(long)]
    ignore_positions: bool,
    #[command(flatten)]
    tracks: TrackArguments,
    #[command(flatten)]
    clocks: ClockArguments,
    #[command(flatten)]
    features: FeatureArguments,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let common = &arguments.common;
    let prepared = common.prepare()?;
    let records = &prepared.manifest.records;
    let is_evidence = |_: &LatLng| !arguments.ignore_positions;
    let known: Vec<Option<LatLng>> =
        records.iter().map(|record| record.known_position().filter(is_evidence)).collect();
    let package = common.source.model.as_ref().map(|model| ModelPackage::open(model));
    let package = package.transpose().map_err(Failure::new)?;
    let output = match &package {
        Some(package) => {
            // Of known photos some are needed, to find how much the model's output is worth.
            let step = known.iter().flatten().count().div_ceil(CALIBRATED).max(1);
            let wanted = |row: usize| known[row].is_none() || row.is_multiple_of(step);
            let manifest = &prepared.manifest;
            Some(photos::probabilities(package, &common.engine, manifest, wanted, None)?)
        }
        None => None,
    };
    let file = common.open(&prepared)?;
    let network = package.as_ref().zip(output.as_ref());
    let predictions = arguments.located(&prepared, &known, network)?;
    let failed = output.as_ref().map(PhotoProbabilities::failed).unwrap_or_default();
    let summary = common.finish(file, &prepared.manifest, &known, failed, predictions)?;
    anstream::eprintln!("{summary}");
    Ok(())
}

impl Arguments {
    fn located(
        &self,
        prepared: &Prepared,
        known: &[Option<LatLng>],
        network: Option<(&ModelPackage, &PhotoProbabilities)>,
    ) -> Result<Vec<Prediction>, Failure> {
        let model = network.map(|(package, _)| hmm_model(package)).transpose()?;
        let probabilities = |row: usize| network.and_then(|(_, output)| output.get(row));
        let network = network.map(|(package, _)| ModelOutput {
            partition: package.partition(),
            probabilities: &probabilities,
            prior: None,
        });
        let (records, tracked) = self.dated(&prepared.manifest.records)?;
        let look_alikes = self.features.compute(&prepared.manifest, &self.common.engine)?;
        let mut library = Library::new(&records, network)
            .with_people(self.people.people())
            .with_model(model.unwrap_or_else(HmmModel::default))
            .with_tracked(tracked);
        if let Some(look_alikes) = &look_alikes {
            library = library.with_look_alikes(look_alikes);
        }
        let failed = |error| self.failure(error);
        let progress = Progress::new("photos located to calibrate probabilities");
        let (options, gazetteer) = (self.common.options(), Arc::clone(&prepared.gazetteer));
        let calibration = library.calibrate(known, &options, &progress).map_err(failed)?;
        progress.finish();
        let progress = Progress::new("photos");
        let mut predictions = vec![Prediction::default(); records.len()];
        let emit = |row: usize, prediction| predictions[row] = prediction;
        let clocks = library
            .locate(known, &calibration, &options, &gazetteer, &progress, emit)
            .map_err(failed)?;
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
        let read = self.tracks.read()?;
        let limits = read.as_ref().map(|it| (it, self.tracks.limits()));
        let corrected = self.clocks.corrected(records, limits)?;
        let tracked = read.map(|it| self.tracks.tracked(&it, &corrected)).unwrap_or_default();
        Ok((corrected.records, tracked))
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
}
