use planet_data::{Monitor, Photo, PhotoError, PhotoStore, PixelBatch, Preprocess};
use rayon::prelude::*;

use super::{
    Descriptor, FeatureMap, RetrievalError, Whitening,
    descriptor::{add, normalise, signed_square},
    recipe::{Combination, Pooling, Recipe, Views},
    views,
};
use crate::{Activations, Engine, FeatureModel};

/// Photos that are decoded side by side.
const PHOTOS: usize = 16;
/// Views in one run of the network.
const BATCH: usize = 16;
/// Other scales are rounded to whole steps of the networks' last map.
const STEP: usize = 32;
/// Most vectors that whitening is learned from; of more, every k-th is taken.
const MOST_LEARNED: usize = 20_000;

/// Which side of a search a photo stands on: patches of the two differ in number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What is searched for.
    Query,
    /// What is searched in.
    Reference,
}

/// Computes the descriptors of photos with a model, its engine and a recipe.
pub struct Extractor {
    model: FeatureModel,
    engine: Box<dyn Engine>,
    recipe: Recipe,
    whitening: Option<Whitening>,
}

/// A view's vectors before whitening: one, or one for each region.
type Pooled = Vec<Vec<f32>>;

impl Extractor {
    /// An extractor without whitening: where the recipe asks for it, it is to be learned first, or
    /// given by an index.
    ///
    /// # Errors
    /// A recipe that makes no sense or that the model cannot serve.
    pub fn new(
        model: FeatureModel,
        engine: Box<dyn Engine>,
        recipe: Recipe,
    ) -> Result<Self, RetrievalError> {
        recipe.check(&model)?;
        Ok(Self { model, engine, recipe, whitening: None })
    }

    /// The same with a whitening that was learned before.
    ///
    /// # Errors
    /// It is of other lengths than the recipe asks for.
    pub fn with_whitening(self, whitening: Whitening) -> Result<Self, RetrievalError> {
        let wanted = (self.recipe.pooled(&self.model)?, self.recipe.whitening);
        if (whitening.inputs(), whitening.outputs()) != wanted {
            let what = "the whitening has other dimensions than the recipe".to_owned();
            return Err(RetrievalError::Recipe(what));
        }
        Ok(Self { whitening: Some(whitening), ..self })
    }

    /// The model.
    pub fn model(&self) -> &FeatureModel {
        &self.model
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The whitening, where one was learned or given.
    pub fn whitening(&self) -> Option<&Whitening> {
        self.whitening.as_ref()
    }

    /// Length of the vectors that are compared.
    pub fn dimensions(&self) -> usize {
        match self.recipe.whitening {
            0 => self.recipe.pooled(&self.model).expect("checked when it was made"),
            dimensions => dimensions,
        }
    }

    /// Learns the whitening that the recipe asks for from photos, which should not be those that
    /// are tested. Photos that cannot be decoded go to `failed`.
    ///
    /// # Errors
    /// No photo can be decoded, the photos do not differ in enough dimensions, the engine fails, or
    /// the monitor ends it.
    pub fn learn_whitening(
        &mut self,
        store: &dyn PhotoStore,
        photos: &[String],
        monitor: &dyn Monitor,
        mut failed: impl FnMut(usize, &PhotoError),
    ) -> Result<(), RetrievalError> {
        let outputs = self.recipe.whitening;
        if outputs == 0 {
            return Ok(());
        }
        let inputs = self.recipe.pooled(&self.model)?;
        let (mut vectors, mut first) = (Vec::new(), None);
        self.pool(store, photos, Role::Reference, monitor, |row, views| {
            match views {
                Ok(views) => views.iter().flatten().for_each(|it| vectors.extend_from_slice(it)),
                Err(error) => {
                    failed(row, &error);
                    first.get_or_insert((row, error));
                }
            }
            Ok(())
        })?;
        if let (true, Some((row, source))) = (vectors.is_empty(), first) {
            return Err(RetrievalError::NoPhotos { photo: photos[row].clone(), source });
        }
        let every = (vectors.len() / inputs).div_ceil(MOST_LEARNED).max(1);
        if every > 1 {
            vectors = vectors.chunks(inputs).step_by(every).flatten().copied().collect();
        }
        self.whitening = Some(Whitening::learn(&vectors, inputs, outputs)?);
        Ok(())
    }

    /// Computes the descriptors of photos in their order. `on_photo` gets each photo's row, with its
    /// descriptor, or why it has none.
    ///
    /// # Errors
    /// The engine or `on_photo` fails, the recipe's whitening is not there, or the monitor ends it.
    pub fn describe(
        &mut self,
        store: &dyn PhotoStore,
        photos: &[String],
        role: Role,
        monitor: &dyn Monitor,
        mut on_photo: impl FnMut(usize, Result<Descriptor, PhotoError>) -> Result<(), RetrievalError>,
    ) -> Result<(), RetrievalError> {
        if self.recipe.whitening > 0 && self.whitening.is_none() {
            let what = "whitening must be learned first: name photos with --whiten-photos";
            return Err(RetrievalError::Recipe(what.to_owned()));
        }
        let finish = Finish { recipe: self.recipe.clone(), whitening: self.whitening.clone() };
        self.pool(store, photos, role, monitor, |row, views| {
            on_photo(row, views.map(|views| finish.descriptor(views)))
        })
    }

    /// Decodes photos, runs the network on their views, and gives each photo's pooled vectors.
    fn pool(
        &mut self,
        store: &dyn PhotoStore,
        photos: &[String],
        role: Role,
        monitor: &dyn Monitor,
        mut on_photo: impl FnMut(usize, Result<Vec<Pooled>, PhotoError>) -> Result<(), RetrievalError>,
    ) -> Result<(), RetrievalError> {
        monitor.expect(photos.len() as u64);
        let scales: Vec<Preprocess> = self.recipe.scales.iter().map(|it| self.at(*it)).collect();
        for (chunk, photos) in photos.chunks(PHOTOS).enumerate() {
            if monitor.cancelled() {
                return Err(RetrievalError::Cancelled);
            }
            let recipe = &self.recipe;
            let decoded: Vec<Result<Vec<Photo>, PhotoError>> =
                photos.par_iter().map(|photo| view(store, photo, recipe, role, &scales)).collect();
            let views: Vec<&Photo> =
                decoded.iter().flatten().flat_map(|views| views.iter()).collect();
            let mut pooled = self.pooled(&views, &scales)?.into_iter();
            for (at, decoded) in decoded.into_iter().enumerate() {
                let own = decoded.map(|views| pooled.by_ref().take(views.len()).collect());
                on_photo(chunk * PHOTOS + at, own)?;
            }
            monitor.advance(photos.len() as u64);
        }
        Ok(())
    }

    /// The preprocessing at a scale.
    fn at(&self, scale: f32) -> Preprocess {
        let preprocess = self.model.preprocess().clone();
        if scale == 1.0 {
            return preprocess;
        }
        let scaled = |side: usize| {
            let steps = (side as f32 * scale / STEP as f32).round() as usize;
            steps.max(1) * STEP
        };
        Preprocess { size: preprocess.size.map(scaled), ..preprocess }
    }

    /// Each view's vectors at all scales.
    fn pooled(
        &mut self,
        views: &[&Photo],
        scales: &[Preprocess],
    ) -> Result<Vec<Pooled>, RetrievalError> {
        let mut pooled: Vec<Pooled> = vec![Vec::new(); views.len()];
        for preprocess in scales {
            for (views, pooled) in views.chunks(BATCH).zip(pooled.chunks_mut(BATCH)) {
                let [height, width] = preprocess.size;
                let mut batch = PixelBatch::with_capacity(views.len(), height, width);
                let pixels: Vec<Vec<f32>> =
                    views.par_iter().map(|view| preprocess.apply(view)).collect();
                pixels.iter().for_each(|pixels| batch.push(pixels));
                let activations = self.engine.run_checked(&batch)?;
                for (at, pooled) in pooled.iter_mut().enumerate() {
                    pooled.extend(self.vectors(&activations, at, preprocess)?);
                }
            }
        }
        let regions = matches!(self.recipe.pooling, Pooling::Rmac { .. });
        if !regions && scales.len() > 1 {
            pooled.iter_mut().for_each(|scales| *scales = vec![sum(scales)]);
        }
        Ok(pooled)
    }

    /// The vectors of one photo of a batch, of length 1 where the recipe says so.
    fn vectors(
        &self,
        activations: &Activations,
        photo: usize,
        preprocess: &Preprocess,
    ) -> Result<Pooled, RetrievalError> {
        let mut vectors = match (self.recipe.pooling, self.model.map()) {
            (Pooling::Embedding, None) => vec![activations.embedding_of(photo).to_vec()],
            // The scores of a model without classes are its embedding; its embedding is the map.
            (Pooling::Embedding, Some(_)) => vec![activations.logits_of(photo).to_vec()],
            (pooling, Some(map)) => {
                let values = activations.embedding_of(photo);
                let scaled = preprocess.size != self.model.preprocess().size;
                let [height, width] = map_size(values.len(), map, scaled).ok_or_else(|| {
                    let what = format!("a map of {} values does not fit the model", values.len());
                    RetrievalError::Recipe(what)
                })?;
                FeatureMap::new(values, height, width).pooled(pooling)
            }
            (_, None) => unreachable!("the recipe was checked against the model"),
        };
        let wanted = self.recipe.pooled(&self.model)?;
        if let Some(other) = vectors.iter().find(|it| it.len() != wanted) {
            let what = format!("the model gives {} features, but states {wanted}", other.len());
            return Err(RetrievalError::Recipe(what));
        }
        if self.recipe.normalise {
            vectors.iter_mut().for_each(|it| normalise(it));
        }
        Ok(vectors)
    }
}

/// Height and width of a map of so many values: as the model states them, or, at another scale,
/// those of a square.
fn map_size(
    values: usize,
    [channels, height, width]: [usize; 3],
    scaled: bool,
) -> Option<[usize; 2]> {
    if !scaled {
        return (values == channels * height * width).then_some([height, width]);
    }
    let side = (values / channels).isqrt();
    (side > 0 && values == channels * side * side).then_some([side; 2])
}

/// Decodes a photo and takes the parts of it that the recipe asks for.
fn view(
    store: &dyn PhotoStore,
    photo: &str,
    recipe: &Recipe,
    role: Role,
    scales: &[Preprocess],
) -> Result<Vec<Photo>, PhotoError> {
    let levels = |query, reference| if role == Role::Query { query } else { reference };
    let whole = || match scales {
        [only] => store.photo_for(photo, only),
        _ => store.photo(photo),
    };
    match recipe.views {
        Views::Whole => Ok(vec![whole()?]),
        Views::Patches { query_levels, reference_levels } => {
            Ok(views::patches(&store.photo(photo)?, levels(query_levels, reference_levels)))
        }
        Views::Mirrored => Ok(views::with_mirror_image(whole()?)),
        Views::Sixteen { degrees, .. } => Ok(views::sixteen(&store.photo(photo)?, degrees)),
    }
}

/// What a recipe does behind pooling.
pub(super) struct Finish {
    pub(super) recipe: Recipe,
    pub(super) whitening: Option<Whitening>,
}

impl Finish {
    /// The descriptor of a photo whose embedding is known, for recipes that need nothing else.
    pub(super) fn of_embedding(&self, embedding: &[f32]) -> Descriptor {
        let mut vector = embedding.to_vec();
        if self.recipe.normalise {
            normalise(&mut vector);
        }
        self.descriptor(vec![vec![vector]])
    }

    fn descriptor(&self, views: Vec<Pooled>) -> Descriptor {
        let mut vectors: Vec<Vec<f32>> = views.into_iter().map(|view| self.vector(view)).collect();
        let mean = matches!(
            self.recipe.views,
            Views::Mirrored | Views::Sixteen { combination: Combination::Mean, .. }
        );
        if mean {
            vectors = vec![sum(&vectors)];
        }
        if self.recipe.signed_square {
            vectors.iter_mut().for_each(|it| signed_square(it));
        }
        Descriptor::new(vectors[0].len(), vectors.concat())
    }

    /// One view's vector: its regions whitened, scaled and summed.
    fn vector(&self, view: Pooled) -> Vec<f32> {
        let whitened = view.into_iter().map(|vector| match &self.whitening {
            Some(whitening) => {
                let mut vector = whitening.apply(&vector);
                normalise(&mut vector);
                vector
            }
            None => vector,
        });
        let mut parts: Vec<Vec<f32>> = whitened.collect();
        if parts.len() == 1 { parts.swap_remove(0) } else { sum(&parts) }
    }
}

/// The sum of vectors, scaled to length 1.
fn sum(vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0; vectors[0].len()];
    vectors.iter().for_each(|vector| add(&mut sum, vector));
    normalise(&mut sum);
    sum
}
