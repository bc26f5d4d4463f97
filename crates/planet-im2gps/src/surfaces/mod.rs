//! Surfaces: what each part of a photo is geometrically.
//!
//! The classifier of the original (Hoiem, Efros and Hebert 2005) has no public weights that can be
//! used here. This is an approximation of it: regions of alike colour, twenty numbers each, and a
//! small network that was trained on synthetic photos, whose painter knows every pixel's surface.

mod features;
mod segments;

use std::sync::LazyLock;

pub use self::{
    features::{FEATURES, region_features},
    segments::Segments,
};
use crate::WorkingImage;

/// What a part of a photo is geometrically.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SurfaceClass {
    /// Lies flat: earth, road, water, floor.
    Ground,
    /// Stands upright and is solid: walls, cars, mountains.
    Vertical,
    /// Sky and what is in it.
    Sky,
    /// Stands upright and is porous: plants.
    Porous,
}

impl SurfaceClass {
    /// All of them, in the order of the probabilities.
    pub const ALL: [Self; 4] = [Self::Ground, Self::Vertical, Self::Sky, Self::Porous];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ground => "ground",
            Self::Vertical => "vertical",
            Self::Sky => "sky",
            Self::Porous => "porous",
        }
    }
}

/// Tells the surfaces of a photo: one hidden layer (tanh) over a region's features, softmax over
/// the four classes.
#[derive(Clone, Debug, PartialEq)]
pub struct SurfaceClassifier {
    /// `[hidden, features]`, `[hidden]`, `[classes, hidden]`, `[classes]`, one behind another.
    parameters: Vec<f32>,
}

/// Written by `examples/train_surfaces.rs`.
static TRAINED: LazyLock<SurfaceClassifier> = LazyLock::new(|| {
    let bytes = include_bytes!("parameters.f32");
    let parameters = bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect();
    SurfaceClassifier::from_parameters(parameters).expect("the example writes as many numbers")
});

impl SurfaceClassifier {
    /// Units of the hidden layer.
    pub const HIDDEN: usize = 24;
    /// Numbers of a classifier.
    pub const PARAMETERS: usize =
        Self::HIDDEN * (FEATURES + 1) + SurfaceClass::ALL.len() * (Self::HIDDEN + 1);

    /// The one that was trained on synthetic photos.
    pub fn trained() -> &'static Self {
        &TRAINED
    }

    /// With these parameters; `None` where there are not [`SurfaceClassifier::PARAMETERS`] finite
    /// numbers.
    pub fn from_parameters(parameters: Vec<f32>) -> Option<Self> {
        let sound = parameters.len() == Self::PARAMETERS
            && parameters.iter().all(|value| value.is_finite());
        sound.then_some(Self { parameters })
    }

    /// Probability of each surface for a region; they sum to one.
    pub fn of_region(&self, features: &[f32; FEATURES]) -> [f32; 4] {
        let (first, rest) = self.parameters.split_at(Self::HIDDEN * FEATURES);
        let (first_bias, rest) = rest.split_at(Self::HIDDEN);
        let (second, second_bias) = rest.split_at(4 * Self::HIDDEN);
        let sum = |weights: &[f32], values: &[f32]| -> f32 {
            weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
        };
        let hidden: Vec<f32> = first
            .chunks_exact(FEATURES)
            .zip(first_bias)
            .map(|(weights, bias)| (sum(weights, features) + bias).tanh())
            .collect();
        let mut scores = [0.0; 4];
        for (at, score) in scores.iter_mut().enumerate() {
            *score = sum(&second[at * Self::HIDDEN..][..Self::HIDDEN], &hidden) + second_bias[at];
        }
        let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers = scores.map(|score| (score - greatest).exp());
        let total: f32 = powers.iter().sum();
        powers.map(|power| power / total)
    }

    /// Probability of each surface for every pixel, `[height, width]`.
    pub fn of_pixels(&self, image: &WorkingImage) -> Vec<[f32; 4]> {
        let segments = Segments::of(image);
        let features = region_features(image, &segments);
        let regions: Vec<_> = features.iter().map(|region| self.of_region(region)).collect();
        segments.regions.iter().map(|region| regions[*region as usize]).collect()
    }
}
