pub use planet_data::Fill;
use planet_geo::Scale;
use thiserror::Error;

use super::{Target, grid::Grid};
use crate::EngineError;

/// How maps are made. The default is that of the command: 0.2 by 0.07, grey, the target's cell.
#[derive(Clone, Debug, PartialEq)]
pub struct OcclusionOptions {
    /// Whose probability is watched.
    pub target: Target,
    /// `None` is the target's cell or cells; a scale is everything within its radius of the
    /// target, which flickers less than a fine cell.
    pub scale: Option<Scale>,
    /// Side of the hidden squares as a share of the photo's longer side, above 0, at most 1.
    pub side: f64,
    /// From one square to the next, as a share of the longer side, above 0, at most 1.
    pub stride: f64,
    /// What stands in their place.
    pub fill: Fill,
    /// Which squares are tried.
    pub search: Search,
    /// Variations that the engine takes at once.
    pub batch: usize,
}

impl Default for OcclusionOptions {
    fn default() -> Self {
        Self {
            target: Target::default(),
            scale: None,
            side: 0.2,
            stride: 0.07,
            fill: Fill::default(),
            search: Search::default(),
            batch: 16,
        }
    }
}

/// Which squares are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Search {
    /// All of the grid.
    #[default]
    Every,
    /// At most half of them: first squares of twice the side, then those of the grid where hiding
    /// changed most. The others are estimated from their neighbours.
    CoarseToFine,
}

impl OcclusionOptions {
    /// Checks numbers that came from outside.
    ///
    /// # Errors
    /// A share outside its range, a stride that leaves gaps, or more than 10,000 passes a photo.
    pub fn check(&self) -> Result<(), OcclusionError> {
        for (name, value) in [("box", self.side), ("stride", self.stride)] {
            if !(value > 0.0 && value <= 1.0) {
                return Err(OcclusionError::Share { name, value });
            }
        }
        if self.stride > self.side {
            return Err(OcclusionError::Gaps { stride: self.stride, side: self.side });
        }
        // A square photo has the most boxes.
        let passes = passes(self, [1 << 16; 2]);
        if passes > MOST_PASSES {
            return Err(OcclusionError::Passes { passes, most: MOST_PASSES });
        }
        Ok(())
    }
}

/// Runs of the network that one photo may cost.
const MOST_PASSES: usize = 10_000;

/// Runs of the network that a photo of `[height, width]` pixels needs at most, the whole photo
/// among them; for the default options 170 for a square, 118 at 4:3.
pub fn passes(options: &OcclusionOptions, photo: [u32; 2]) -> usize {
    let boxes = Grid::new(photo, options.side, options.stride).boxes();
    match options.search {
        Search::Every => 1 + boxes,
        Search::CoarseToFine => super::plan::budget(boxes),
    }
}

/// Why there are no maps.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OcclusionError {
    /// A share that is none.
    #[error("{name} = {value} is not above 0 and at most 1; it is a share of the longer side")]
    Share {
        /// What it is of.
        name: &'static str,
        /// What was asked for.
        value: f64,
    },
    /// Parts of the photo would never be hidden.
    #[error("a stride of {stride} leaves gaps between boxes of {side}; choose a smaller stride")]
    Gaps {
        /// The stride.
        stride: f64,
        /// The boxes' side.
        side: f64,
    },
    /// More work than anybody means.
    #[error("a photo would need {passes} passes, more than {most}; choose a larger stride")]
    Passes {
        /// What they would cost.
        passes: usize,
        /// What a photo may cost.
        most: usize,
    },
    /// The engine gave no answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model gives features and no scores of classes.
    #[error(
        "{engine}: the model returns no class scores, so its answers cannot be explained; \
         use a model that locates photos"
    )]
    NoScores {
        /// The engine.
        engine: String,
    },
    /// The user ended it.
    #[error("cancelled")]
    Cancelled,
}
