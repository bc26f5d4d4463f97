use std::path::PathBuf;

use clap::Args;
use planet::{
    FeatureModel, ModelPackage,
    retrieval::{Index, RefineOptions, Refiner},
};
use planet_geo::Distance;

use crate::failure::Failure;

/// Choosing positions within cells by similar photos.
#[derive(Args, Debug)]
pub struct RefineArguments {
    /// Choose the position within each of the five best cells by the most similar photos of this
    /// index, which planet retrieve index makes from the training photos with the same model
    #[arg(long, value_name = "INDEX")]
    refine: Option<PathBuf>,
    /// With --refine: standard deviation of the density of similar photos in km, 1 to 25 within
    /// cells. Choose it on validation photos
    #[arg(long, value_name = "KM", default_value_t = 10.0, requires = "refine")]
    spread: f64,
}

impl RefineArguments {
    /// What refines, where it is asked for.
    pub fn open(&self, package: &ModelPackage) -> Result<Option<Refiner>, Failure> {
        let Some(path) = &self.refine else { return Ok(None) };
        if !(self.spread > 0.0 && self.spread <= 20_000.0) {
            return Err(Failure::usage("--spread must be above 0 and at most 20000 km"));
        }
        let spread = Distance::from_km(self.spread);
        let options = RefineOptions { spread, ..RefineOptions::in_cells() };
        let model = FeatureModel::Classifier(Box::new(package.clone()));
        Ok(Some(Refiner::new(Index::open(path)?, &model, options)?))
    }

    /// What the predictions depend on.
    pub fn setting(&self) -> String {
        match &self.refine {
            Some(path) => format!("{} ({} km)", path.display(), self.spread),
            None => "none".to_owned(),
        }
    }
}
