use std::collections::BTreeMap;

use planet_data::{Photo, PhotoError, PixelBox};
use planet_geo::{ClassId, Scale};
use thiserror::Error;

use super::{Measure, OcclusionMap, ResolvedTarget, TargetError};
use crate::{Candidate, ProbabilityError};

/// The network's output for one variation of a photo.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Probability of the target's cells.
    pub target: f64,
    /// Probability within each of the five scales' radii of the target; zero where it has no
    /// middle.
    pub within: [f64; 5],
    /// The most probable class and its probability.
    pub best: Option<(ClassId, f32)>,
}

impl Reading {
    /// Probability of the target at a scale; `None` is its cells.
    pub fn value(&self, scale: Option<Scale>) -> f64 {
        let index = scale.and_then(|scale| Scale::ALL.iter().position(|it| *it == scale));
        index.map_or(self.target, |index| self.within[index])
    }
}

/// A box and what was said with it hidden.
#[derive(Clone, Debug, PartialEq)]
pub struct HiddenBox {
    /// The box, in pixels of the upright photo.
    pub hidden: PixelBox,
    /// What was said.
    pub reading: Reading,
    /// Whether the network saw it; else it is estimated from its neighbours.
    pub measured: bool,
}

/// Why one photo has no map. The others have theirs.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PhotoFailure {
    /// It cannot be decoded.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// It has no target.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The network's scores are no distribution.
    #[error(transparent)]
    Scores(#[from] ProbabilityError),
}

/// What hiding parts of one photo did to the probability of one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Occlusion {
    /// The photo's id.
    pub photo: String,
    /// Height and width of the upright photo in pixels.
    pub size: [u32; 2],
    /// Whose probability it is.
    pub target: ResolvedTarget,
    /// The scale that maps are of; `None` is the target's cells.
    pub scale: Option<Scale>,
    /// The network's output for the whole photo.
    pub whole: Reading,
    /// All boxes, row by row.
    pub boxes: Vec<HiddenBox>,
    /// Runs of the network.
    pub passes: usize,
    /// What is known of every class that was the answer with something hidden.
    pub answers: BTreeMap<u32, Candidate>,
    /// The photo, at most 1024 pixels on its longer side.
    pub preview: Photo,
}

impl Occlusion {
    /// Probability of the target for the whole photo.
    pub fn probability(&self) -> f64 {
        self.whole.value(self.scale)
    }

    /// A value for every pixel.
    pub fn map(&self, measure: Measure) -> OcclusionMap {
        self.map_at(measure, self.scale)
    }

    /// The same at another scale than the one that was asked for: no pass is needed for it.
    pub fn map_at(&self, measure: Measure, scale: Option<Scale>) -> OcclusionMap {
        let whole = self.whole.value(scale);
        let value = |it: &HiddenBox| (it.hidden, measure.of(whole, it.reading.value(scale)));
        OcclusionMap::new(self.size, self.boxes.iter().map(value))
    }

    /// What the answer was in a reading: its place and probability.
    pub fn answer(&self, reading: &Reading) -> Option<(&Candidate, f32)> {
        let (class, probability) = reading.best?;
        Some((self.answers.get(&class.0)?, probability))
    }

    /// Whether another place than that of the whole photo is the answer.
    pub fn changes(&self, reading: &Reading) -> bool {
        let class = |reading: &Reading| reading.best.map(|(class, _)| class);
        class(reading) != class(&self.whole)
    }
}
