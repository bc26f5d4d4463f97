//! What `planet library locate` and `planet album locate` have in common: options, and where the
//! answers go.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use clap::Args;
use planet::{
    LocatorOptions, Prediction, PredictionFormat,
    album::{Trip, TripPhoto},
};
use planet_data::{AtomicFile, DiskStore, Gazetteer, Manifest, PhotoStore, thumbnail_jpeg};
use planet_geo::LatLng;
use planet_library::{Library, Summary};

use super::photos;
use crate::{
    commands::locate::{
        FormatName, format,
        output::{Offer, Output},
    },
    engine_choice::EngineChoice,
    failure::Failure,
};

/// Longer side of a page's thumbnails in pixels.
const THUMBNAIL: u32 = 120;

/// Least probability of answers that are called certain. At 0.5 fewer than 80 % of them are right where
/// photos have neither a time nor a known photo of their day (docs/library.md).
pub const CERTAIN: f64 = 0.6;

/// Options of both commands.
#[derive(Args, Debug)]
pub struct Common {
    #[command(flatten)]
    pub source: photos::SourceArguments,
    /// Candidates per photo
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub top: u16,
    /// Minimum probability for reporting a level
    #[arg(long, value_name = "SHARE", default_value_t = CERTAIN)]
    pub certain: f64,
    /// Output format; by default inferred from the output's name, otherwise text
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// Output file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Draw a map of the located photos (.svg, .png, .html)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    #[command(flatten)]
    pub engine: EngineChoice,
}

/// What is read before any work: the photos, the answers' format and names of places.
pub struct Prepared {
    pub manifest: Manifest,
    pub gazetteer: Arc<Gazetteer>,
    format: Option<PredictionFormat>,
}

/// Checks a minimum probability.
pub fn check_certain(share: f64) -> Result<(), Failure> {
    if share > 0.0 && share <= 1.0 {
        return Ok(());
    }
    Err(Failure::usage("--certain must be above 0 and at most 1"))
}

impl Common {
    /// Checks the options and reads the photos; the table of names loads meanwhile.
    pub fn prepare(&self) -> Result<Prepared, Failure> {
        check_certain(self.certain)?;
        let gazetteer = Arc::new(Gazetteer::new());
        thread::spawn({
            let gazetteer = Arc::clone(&gazetteer);
            move || gazetteer.load()
        });
        let format = format(self.format, self.output.as_deref())?;
        Ok(Prepared { manifest: self.source.read()?, gazetteer, format })
    }

    /// What is answered.
    pub fn options(&self) -> LocatorOptions {
        let (top, certain) = (self.top.into(), self.certain);
        LocatorOptions { top, certain, ..LocatorOptions::default() }
    }

    /// Opens the output, before the long work.
    pub fn open(&self, prepared: &Prepared) -> Result<Output, Failure> {
        let offer = Offer { certain: self.certain, ..Offer::default() };
        let (file, root) = (self.output.as_deref(), &prepared.manifest.root);
        Ok(Output::open(file, prepared.format, root, offer, None)?)
    }

    /// Writes the predictions and the map, and counts the photos; `known` are the positions that
    /// were evidence, `failed` the photos that cannot be decoded.
    pub fn finish(
        &self,
        mut output: Output,
        manifest: &Manifest,
        known: &[Option<LatLng>],
        failed: &[(usize, String)],
        mut predictions: Vec<Prediction>,
    ) -> Result<Summary, Failure> {
        for (row, error) in failed {
            // A photo that cannot be read is named, and located from neighbouring photos.
            let prediction = &mut predictions[*row];
            if prediction.candidates.is_empty() {
                prediction.error = Some(error.clone());
            } else {
                anstream::eprintln!(
                    "{}: {error}; located from neighbouring photos",
                    prediction.photo
                );
            }
        }
        let mut summary = Summary::default();
        let photos = manifest.records.iter().zip(known);
        for (prediction, (record, known)) in predictions.iter_mut().zip(photos) {
            prediction.truth = record.known_position();
            output.write(prediction)?;
            summary.add(prediction, known.is_some());
        }
        output.finish()?;
        if let Some(path) = &self.map {
            draw(path, manifest, known, &predictions)?;
        }
        Ok(summary)
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
    let photo = |row: &usize| TripPhoto {
        prediction: &shown[*row],
        time: manifest.records[*row].time.as_deref(),
    };
    let sequences = library.timeline().sequences().iter();
    let trip = Trip::new(sequences.map(|sequence| sequence.rows.iter().map(photo).collect()));
    let heading = format!("{} photos", predictions.len());
    let bytes = match path.extension().and_then(|ending| ending.to_str()) {
        Some("html" | "htm") => {
            let store = DiskStore::new(&manifest.root);
            let thumbnail = |id: &str| Some(thumbnail_jpeg(&store.photo(id).ok()?, THUMBNAIL));
            trip.to_html(&heading, thumbnail).into_bytes()
        }
        _ => crate::commands::locate::map::rendered(&trip.map(), path, &heading)?,
    };
    AtomicFile::write_all_at(path, &bytes)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}
