use serde::{Deserialize, Serialize};

use super::RetrievalError;
use crate::FeatureModel;

/// How a network's output becomes what is compared: kept in the index, so that a search does as
/// the index did.
///
/// A vector is pooled, scaled to length 1, whitened and scaled again, then squared with its sign;
/// each step as the fields say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// How the network's output becomes a vector.
    pub pooling: Pooling,
    /// Which parts of a photo are looked at.
    pub views: Views,
    /// Sizes of the network's input, as factors of the model's own; their vectors are summed.
    pub scales: Vec<f32>,
    /// Whether vectors have length 1. Without it, photos rank by plain Euclidean distance, as for
    /// the paper's Table 3.
    pub normalise: bool,
    /// Dimensions that principal component analysis keeps and scales to equal variance; 0 is none.
    pub whitening: usize,
    /// Whether values are squared, with their sign, at the end (Razavian et al. 2014).
    pub signed_square: bool,
}

impl Default for Recipe {
    /// The layer below the classifier, of the whole photo, with length 1.
    fn default() -> Self {
        Self {
            pooling: Pooling::Embedding,
            views: Views::Whole,
            scales: vec![1.0],
            normalise: true,
            whitening: 0,
            signed_square: false,
        }
    }
}

/// How a network's output becomes a vector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Pooling {
    /// The layer below the classifier, as it is.
    Embedding,
    /// Mean of the last convolution's map over its places.
    Average,
    /// Generalised mean of the map (Radenović et al. 2018): `mean(max(x, 1e-6)^power)^(1/power)`.
    Gem {
        /// The power: 1 is the mean, greater ones approach the maximum. Usual: 3.
        power: f32,
    },
    /// Regional maxima of the map (Tolias et al. 2016): squares of `levels` sizes that overlap;
    /// each region's vector is scaled, whitened and scaled again, then all are summed.
    Rmac {
        /// Sizes of regions. Usual: 3.
        levels: usize,
    },
}

/// Which parts of a photo are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Views {
    /// The photo.
    Whole,
    /// The photo and its mirror image: the mean of both, scaled to length 1 again.
    Mirrored,
    /// Overlapping patches of 1, 4, 9, … equal sizes: the distance of a query patch to a photo is
    /// its least distance to the photo's patches, that of two photos the mean over the query's
    /// patches (Razavian et al. 2014).
    Patches {
        /// Levels of a query; level i has i² patches. Razavian et al.: 3.
        query_levels: usize,
        /// Levels of a photo in the index. Razavian et al.: 4.
        reference_levels: usize,
    },
    /// 16 views: the photo, five crops of 4/9 of its area, two rotations, and the mirror images of
    /// these eight.
    Sixteen {
        /// Degrees by which the photo is turned either way. The paper states none; ours: 10.
        degrees: f32,
        /// How the views become one distance.
        combination: Combination,
    },
}

/// How several views become one distance. The paper does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combination {
    /// The mean of the views' vectors, scaled to length 1 again: one vector a photo.
    Mean,
    /// As for patches: the mean, over the query's views, of the least distance to the photo's.
    Nearest,
}

impl Recipe {
    /// Razavian et al.'s chain behind any pooling: length 1, 500 principal components whitened,
    /// length 1, signed square.
    pub fn chain(self) -> Self {
        Self { normalise: true, whitening: 500, signed_square: true, ..self }
    }

    /// Whether a query is described in another way than a photo of the index.
    pub fn differs_by_role(&self) -> bool {
        matches!(self.views, Views::Patches { query_levels, reference_levels }
            if query_levels != reference_levels)
    }

    /// Length of a vector before whitening.
    ///
    /// # Errors
    /// The model gives no map, which this pooling needs.
    pub fn pooled(&self, model: &FeatureModel) -> Result<usize, RetrievalError> {
        match (self.pooling, model.map()) {
            (Pooling::Embedding, _) => Ok(model.features()),
            (_, Some([channels, ..])) => Ok(channels),
            (_, None) => Err(RetrievalError::Recipe(
                "this pooling needs the map of the last convolution, which a model with classes does \
                 not give; export the model with planet export --features-only, or use --pooling \
                 embedding"
                    .to_owned(),
            )),
        }
    }

    /// Checks the values, and that the model can serve them.
    ///
    /// # Errors
    /// The first value that makes no sense.
    pub fn check(&self, model: &FeatureModel) -> Result<(), RetrievalError> {
        let wrong = |what: &str| Err(RetrievalError::Recipe(what.to_owned()));
        let pooled = self.pooled(model)?;
        if self.whitening > pooled {
            let what =
                format!("whitening to {} dimensions, but a vector has {pooled}", self.whitening);
            return Err(RetrievalError::Recipe(what));
        }
        if matches!(self.pooling, Pooling::Gem { power } if !(power > 0.0 && power <= 100.0)) {
            return wrong("the power of GeM pooling must be above 0 and at most 100");
        }
        if matches!(self.pooling, Pooling::Rmac { levels } if !(1..=8).contains(&levels)) {
            return wrong("R-MAC has 1 to 8 levels");
        }
        if let Views::Patches { query_levels, reference_levels } = self.views
            && ![query_levels, reference_levels].iter().all(|it| (1..=8).contains(it))
        {
            return wrong("patches have 1 to 8 levels");
        }
        if matches!(self.views, Views::Sixteen { degrees, .. } if !(0.0..=45.0).contains(&degrees))
        {
            return wrong("views are turned by 0 to 45 degrees");
        }
        if self.scales.is_empty() || self.scales.iter().any(|it| !(0.1..=4.0).contains(it)) {
            return wrong("scales lie within 0.1 to 4");
        }
        let other_scales = self.scales != [1.0];
        if other_scales && !model.is_free_in_size() {
            return wrong(
                "a model with classes takes photos of one size, so it has no other scales; export \
                 it with planet export --features-only",
            );
        }
        let [height, width] = model.preprocess().size;
        if other_scales && height != width {
            return wrong("scales need a model with a square input");
        }
        let sums = other_scales
            || self.views == Views::Mirrored
            || matches!(self.pooling, Pooling::Rmac { .. })
            || matches!(self.views, Views::Sixteen { combination: Combination::Mean, .. });
        if !self.normalise && (sums || self.whitening > 0) {
            return wrong(
                "vectors that are summed or whitened must have length 1: leave out --no-normalise",
            );
        }
        Ok(())
    }
}
