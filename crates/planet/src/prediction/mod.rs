//! Predictions: candidates with probabilities, the level that is certain, names.

mod angle;
mod decision;
mod discs;
mod evidence;
mod formats;
mod level_calibration;
mod locator;
mod place;
mod region;
mod spread;
mod within;

use planet_geo::{ClassId, Distance, LatLng, Scale};

pub use decision::Decision;
pub use evidence::{Evidence, EvidenceKind};
pub use formats::{
    Offered, PredictionError, PredictionFile, PredictionFileError, PredictionFormat,
    PredictionReader, PredictionWriter, WriterOptions, answer_columns, answer_fields,
};
pub use level_calibration::LevelCalibration;
pub use locator::{ClassFacts, Locator, LocatorError, LocatorOptions};
pub use place::Place;
pub use region::{PredictedRegion, RegionCalibration};
pub use within::{Within, WithinError};

/// The prediction for one photo: a line of a prediction file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// The photo's id.
    pub photo: String,
    /// The most probable classes, best first; empty where there is an error. By another
    /// [`Decision`] than the most probable class, the first one is the best by that.
    pub candidates: Vec<Candidate>,
    /// The finest level that is certain; `None` where none is, or where it was not worked out.
    pub certain: Option<Certain>,
    /// Cells that contain the place of a stated share of photos, where they were asked for.
    pub region: Option<PredictedRegion>,
    /// Where the photo was really taken, if known.
    pub truth: Option<LatLng>,
    /// The layer below the classifier, `[features]`, where it was asked for.
    pub embedding: Option<Vec<f32>>,
    /// What the answer rests on, where it was located with others; the greatest share first.
    pub evidence: Vec<Evidence>,
    /// Why there is no answer.
    pub error: Option<String>,
    /// Why the answer must not be relied on: the model was made for other photos.
    pub warning: Option<String>,
}

/// One class that a photo may belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The class; `None` in files that state positions alone.
    pub class: Option<ClassId>,
    /// S2 tokens of its cells, separated by spaces; empty for a class that is only a point.
    pub cell: String,
    /// Its probability, 0..=1; `None` in files that do not state it.
    pub probability: Option<f32>,
    /// Its point: the answer.
    pub position: LatLng,
    /// From the point to the farthest corner of its cells.
    pub radius: Distance,
    /// What people call the place.
    pub place: Option<Place>,
}

/// The finest level at which an answer is certain: a disc of the level's radius that holds at
/// least the share of probability that was asked for. Each class's probability counts as far as
/// its photos lie within the disc.
#[derive(Clone, Debug, PartialEq)]
pub struct Certain {
    /// The level.
    pub level: Scale,
    /// What the place is called at that level; empty where no named place is near.
    pub name: String,
    /// The disc's middle, a class's point.
    pub position: LatLng,
    /// Probability that the photo was taken within the level's radius of the position, 0..=1.
    pub probability: f32,
}

impl std::fmt::Display for Certain {
    /// `52 % within 1 km of Venice`, `61 % within 750 km of a point in Italy`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (share, km) = (100.0 * self.probability, self.level.radius().km());
        write!(f, "{share:.0} % within {km} km of ")?;
        match (self.name.as_str(), self.level) {
            ("", _) => write!(f, "{:.4},{:.4}", self.position.lat(), self.position.lng()),
            (name, Scale::Street | Scale::City) => f.write_str(name),
            (name, _) => write!(f, "a point in {name}"),
        }
    }
}

impl Candidate {
    /// A bare position, as other systems state their answers.
    pub fn at(position: LatLng) -> Self {
        Self {
            class: None,
            cell: String::new(),
            probability: None,
            position,
            radius: Distance::ZERO,
            place: None,
        }
    }
}

impl Prediction {
    /// A photo without an answer, and why.
    pub fn failed(photo: impl Into<String>, error: impl ToString) -> Self {
        Self { photo: photo.into(), error: Some(error.to_string()), ..Self::default() }
    }

    /// The best candidate.
    pub fn best(&self) -> Option<&Candidate> {
        self.candidates.first()
    }

    /// As a line of a prediction file in the format jsonl, without its end.
    pub fn to_json(&self) -> String {
        formats::json(self)
    }

    /// How far the best candidate lies from the truth, where both are known.
    pub fn distance(&self) -> Option<Distance> {
        Some(self.best()?.position.distance_to(self.truth?))
    }
}
