use clap::{Args, ValueEnum};
use planet::retrieval::{Combination, Pooling, Recipe, Views};

use crate::{commands::locate::sources::Sources, failure::Failure};

/// How a network's output becomes what is compared.
#[derive(Args, Debug)]
pub struct RecipeArguments {
    /// How the network's output becomes a vector. All but embedding need a model that was exported
    /// with --features-only
    #[arg(long, value_enum, default_value = "embedding")]
    pooling: PoolingName,
    /// With gem: the power of the mean
    #[arg(long, value_name = "P", default_value_t = 3.0)]
    power: f32,
    /// With rmac: sizes of regions
    #[arg(long, value_name = "L", default_value_t = 3)]
    levels: usize,
    /// Which parts of a photo are compared
    #[arg(long, value_enum, default_value = "whole")]
    views: ViewsName,
    /// With patches: levels of a query and of a photo in the index; level i has i² patches
    #[arg(long, value_name = "QUERY,INDEX", default_value = "3,4", value_parser = two)]
    patch_levels: [usize; 2],
    /// With sixteen: degrees by which a photo is turned either way
    #[arg(long, value_name = "DEGREES", default_value_t = 10.0)]
    turn: f32,
    /// With sixteen: how the views are combined
    #[arg(long, value_enum, default_value = "mean")]
    combine: CombinationName,
    /// Sizes of the network's input as factors of its own, for example 1,0.707,0.5; the vectors are
    /// summed. Needs a model that was exported with --features-only
    #[arg(long, value_name = "FACTORS", value_delimiter = ',', default_value = "1")]
    scales: Vec<f32>,
    /// Compare vectors as they are, by Euclidean distance, instead of scaling them to length 1
    #[arg(long, conflicts_with_all = ["whiten", "chain"])]
    no_normalise: bool,
    /// Reduce vectors to this many principal components of equal variance (PCA whitening)
    #[arg(long, value_name = "N")]
    whiten: Option<usize>,
    /// Photos to learn the whitening from: a folder or manifest (FILE or FILE:SPLIT). They should
    /// not be among those that are tested
    #[arg(long, value_name = "PHOTO|DIR|M")]
    whiten_photos: Option<String>,
    /// The chain of Razavian et al.: whitening to 500 dimensions (or --whiten), then squares with
    /// their sign
    #[arg(long)]
    chain: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PoolingName {
    /// The layer below the classifier, as it is
    Embedding,
    /// Mean of the last convolution's map
    Average,
    /// Generalised mean of the map
    Gem,
    /// Regional maxima of the map
    Rmac,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ViewsName {
    /// The photo
    Whole,
    /// The photo and its mirror image
    Mirrored,
    /// Overlapping patches of several sizes
    Patches,
    /// The photo, five crops, two turns, and their mirror images
    Sixteen,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CombinationName {
    /// The mean of the views' vectors
    Mean,
    /// The mean, over the query's views, of the least distance to a view of the other photo
    Nearest,
}

/// `3,4`.
fn two(text: &str) -> Result<[usize; 2], String> {
    let numbers: Result<Vec<usize>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| format!("'{text}' is not two numbers: 3,4"))
}

impl RecipeArguments {
    pub fn recipe(&self) -> Recipe {
        let recipe = Recipe {
            pooling: match self.pooling {
                PoolingName::Embedding => Pooling::Embedding,
                PoolingName::Average => Pooling::Average,
                PoolingName::Gem => Pooling::Gem { power: self.power },
                PoolingName::Rmac => Pooling::Rmac { levels: self.levels },
            },
            views: match self.views {
                ViewsName::Whole => Views::Whole,
                ViewsName::Mirrored => Views::Mirrored,
                ViewsName::Patches => {
                    let [query_levels, reference_levels] = self.patch_levels;
                    Views::Patches { query_levels, reference_levels }
                }
                ViewsName::Sixteen => Views::Sixteen {
                    degrees: self.turn,
                    combination: match self.combine {
                        CombinationName::Mean => Combination::Mean,
                        CombinationName::Nearest => Combination::Nearest,
                    },
                },
            },
            scales: self.scales.clone(),
            normalise: !self.no_normalise,
            whitening: 0,
            signed_square: false,
        };
        let recipe = if self.chain { recipe.chain() } else { recipe };
        Recipe { whitening: self.whiten.unwrap_or(recipe.whitening), ..recipe }
    }

    /// The photos that the whitening is to be learned from, where they are named.
    pub fn whitening_photos(&self) -> Result<Option<Sources>, Failure> {
        let given = self.whiten_photos.as_ref().map(std::slice::from_ref);
        given.map(|photos| Sources::gather(photos, None)).transpose()
    }
}
