use std::{path::PathBuf, sync::Arc};

use clap::Args;
use planet::{
    FeatureModel, LocateOptions, Model, Prediction,
    retrieval::{Index, RefineOptions, Refiner, SpreadScore},
};
use planet_data::{DiskStore, Manifest, Monitor, table::TableSource};
use planet_geo::Distance;

use crate::{failure::Failure, progress::Progress};

/// Choosing positions within cells by similar photos.
#[derive(Args, Debug)]
pub struct RefineArguments {
    /// Choose the position within each of the five best cells by the most similar photos of this
    /// index, which planet retrieve index makes from the training photos with the same model
    #[arg(long, value_name = "INDEX")]
    refine: Option<PathBuf>,
    /// With --refine: standard deviation of the density of similar photos in km, 1 to 25 within
    /// cells
    #[arg(long, value_name = "KM", default_value_t = 10.0, requires = "refine")]
    spread: f64,
    /// With --refine: choose the spread on these photos of known position, which should be neither in the index
    /// nor among those that are located: the model's validation photos (FILE or FILE:SPLIT)
    #[arg(long, value_name = "M", requires = "refine", conflicts_with = "spread")]
    spread_photos: Option<String>,
}

impl RefineArguments {
    /// What refines, where it is asked for.
    pub fn open(&self, model: &mut Model) -> Result<Option<Refiner>, Failure> {
        let Some(path) = &self.refine else { return Ok(None) };
        if !(self.spread > 0.0 && self.spread <= 20_000.0) {
            return Err(Failure::usage("--spread must be above 0 and at most 20000 km"));
        }
        let spread = Distance::from_km(self.spread);
        let options = RefineOptions { spread, ..RefineOptions::in_cells() };
        let features = FeatureModel::Classifier(Box::new(model.package().clone()));
        let mut refiner = Refiner::new(Index::open(path)?, &features, options)?;
        if let Some(photos) = &self.spread_photos {
            let predictions = locate(photos, model)?;
            let scores = refiner.choose_spread(&predictions, &model.locator());
            show(&scores, refiner.options().spread);
        }
        Ok(Some(refiner))
    }

    /// What the predictions depend on.
    pub fn setting(&self) -> String {
        match (&self.refine, &self.spread_photos) {
            (Some(path), Some(photos)) => format!("{} (spread by {photos})", path.display()),
            (Some(path), None) => format!("{} ({} km)", path.display(), self.spread),
            (None, _) => "none".to_owned(),
        }
    }
}

/// Photos of known position, located with their embeddings.
fn locate(photos: &str, model: &mut Model) -> Result<Vec<Prediction>, Failure> {
    let source = TableSource::parse(photos);
    let manifest = Manifest::load(&source, None).map_err(Failure::new)?;
    let known = manifest.records.iter().filter_map(|it| Some((it.photo.clone(), it.position?)));
    let (ids, positions): (Vec<String>, Vec<_>) = known.unzip();
    if ids.is_empty() {
        return Err(Failure::new(format!("{source} has no photos with a position")));
    }
    let store = Arc::new(DiskStore::new(&manifest.root));
    let options = LocateOptions { embedding: true, ..LocateOptions::default() };
    let progress = Progress::new("photos for the spread");
    progress.expect(ids.len() as u64);
    let mut predictions = Vec::with_capacity(ids.len());
    let ended = model.locate(store, &ids, options, &progress, |row, mut prediction, _| {
        prediction.truth = Some(positions[row]);
        predictions.push(prediction);
        Ok::<(), Failure>(())
    });
    progress.finish();
    ended?;
    Ok(predictions)
}

/// Says how accurate each spread is, and which one was chosen.
fn show(scores: &[SpreadScore], chosen: Distance) {
    anstream::eprintln!("spread    within 1, 25, 200, 750, 2500 km, %");
    for score in scores {
        let within = score.within.map(|share| format!("{:6.1}", 100.0 * share)).join("");
        let mark = if score.spread == chosen { "  chosen" } else { "" };
        anstream::eprintln!("{:>4} km  {within}{mark}", score.spread.km());
    }
}
