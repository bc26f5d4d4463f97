use std::sync::Arc;

use planet_data::{
    Gazetteer, Limits, Loader, LoaderOptions, Monitor, Photo, PhotoError, PhotoStore, PixelBatch,
};

use planet_geo::LatLng;

use crate::{
    Activations, Engine, EngineError, LocateError, LocateOptions, Locator, LocatorError,
    LocatorOptions, ModelPackage, PhotoViews, Prediction, ProbabilityError, locate,
    occlusion::{self, Occlusion, OcclusionError, OcclusionOptions, PhotoFailure},
    package::ModelDescription,
    views::Viewing,
};

/// A model that is ready for use: a package, and the engine that runs its network. What the
/// command, a server and other languages share.
///
/// `planet_engine::EngineOptions::open_model` opens one from a folder.
pub struct Model {
    package: ModelPackage,
    engine: Box<dyn Engine>,
    locator: Arc<Locator>,
    views: PhotoViews,
}

/// Why a photo cannot be located.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocatePhotoError {
    /// The photo cannot be decoded.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network's output is no distribution.
    #[error(transparent)]
    Scores(#[from] ProbabilityError),
}

impl Model {
    /// A package with an engine that has loaded its network, what is answered, and where names of
    /// places come from.
    ///
    /// # Errors
    /// No class of the model lies in the area that answers are limited to; regions of a model that states
    /// none.
    pub fn new(
        package: ModelPackage,
        engine: Box<dyn Engine>,
        options: LocatorOptions,
        gazetteer: Arc<Gazetteer>,
    ) -> Result<Self, LocatorError> {
        let partition = package.shared_partition();
        let locator = Locator::for_model(package.description(), partition, options, gazetteer)?;
        Ok(Self { package, engine, locator: Arc::new(locator), views: PhotoViews::Whole })
    }

    /// Locates photos by these views from now on. [`Model::run`] and [`Model::explain`] go on with
    /// the whole photo.
    #[must_use]
    pub fn with_views(self, views: PhotoViews) -> Self {
        Self { views, ..self }
    }

    /// The package's description.
    pub fn description(&self) -> &ModelDescription {
        self.package.description()
    }

    /// The package.
    pub fn package(&self) -> &ModelPackage {
        &self.package
    }

    /// What turns the network's output into predictions.
    pub fn locator(&self) -> Arc<Locator> {
        Arc::clone(&self.locator)
    }

    pub(crate) fn engine_mut(&mut self) -> &mut dyn Engine {
        self.engine.as_mut()
    }

    /// Runs the network over preprocessed photos, `[photos, 3, height, width]`.
    ///
    /// # Errors
    /// A batch of the wrong size, or the engine fails.
    pub fn run(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError> {
        self.engine.run_checked(batch)
    }

    /// Locates one photo that is decoded already; `name` becomes the prediction's photo.
    ///
    /// # Errors
    /// The engine fails, or its output is no distribution.
    pub fn locate_photo(
        &mut self,
        name: &str,
        photo: &Photo,
    ) -> Result<Prediction, LocatePhotoError> {
        let preprocess = self.views.preprocess(&self.package.description().preprocess);
        let [height, width] = preprocess.size;
        let mut batch = PixelBatch::with_capacity(1, height, width);
        batch.push(&preprocess.apply(photo));
        let activations = self.viewing().run_checked(&batch)?;
        Ok(self.locator.predict(name, activations.logits_of(0))?)
    }

    /// Locates one photo from the bytes of its file.
    ///
    /// # Errors
    /// The bytes cannot be decoded within the default limits, or as [`Model::locate_photo`].
    pub fn locate_bytes(
        &mut self,
        name: &str,
        bytes: &[u8],
    ) -> Result<Prediction, LocatePhotoError> {
        let preprocess = self.views.preprocess(&self.package.description().preprocess);
        let photo = Photo::decode_for(bytes, &Limits::default(), &preprocess)?;
        self.locate_photo(name, &photo)
    }

    /// Locates any number of photos of a store in their order, decoding ahead on other threads;
    /// memory does not grow with their number. `on_prediction` gets each photo's row, its
    /// prediction, and its scores `[classes]`, empty where there is no answer. A photo that cannot
    /// be decoded has a prediction with an error.
    ///
    /// # Errors
    /// The engine or the store fails, `on_prediction` does, or the monitor ends it.
    pub fn locate<E>(
        &mut self,
        store: Arc<dyn PhotoStore>,
        photos: &[String],
        options: LocateOptions,
        monitor: &dyn Monitor,
        on_prediction: impl FnMut(usize, Prediction, &[f32]) -> Result<(), E>,
    ) -> Result<(), LocateError<E>> {
        let preprocess = self.views.preprocess(&self.package.description().preprocess);
        let loader = Loader::new(store, photos.to_vec(), preprocess, LoaderOptions::evaluation(1))
            .map_err(LocateError::Loader)?;
        let locator = Arc::clone(&self.locator);
        let mut engine = self.viewing();
        locate(&mut engine, &loader, photos, &locator, options, monitor, on_prediction)
    }

    /// The engine, which sees the views.
    fn viewing(&mut self) -> Viewing<'_> {
        let description = self.package.description();
        Viewing {
            views: self.views,
            size: description.preprocess.size,
            temperature: description.temperature,
            engine: self.engine.as_mut(),
        }
    }

    /// Explains photos of a store by occlusion maps, each by its id and, where it is known, where
    /// it was taken; `on_result` gets each photo's row and map, or what is wrong with the photo.
    ///
    /// # Errors
    /// The options make no sense, the engine fails or gives no scores, or the monitor ends it.
    pub fn explain(
        &mut self,
        store: &dyn PhotoStore,
        photos: &[(String, Option<LatLng>)],
        options: &OcclusionOptions,
        monitor: &dyn Monitor,
        on_result: impl FnMut(usize, Result<Occlusion, PhotoFailure>),
    ) -> Result<(), OcclusionError> {
        let preprocess = &self.package.description().preprocess;
        let engine = self.engine.as_mut();
        let locator = &self.locator;
        occlusion::explain(engine, locator, preprocess, store, photos, options, monitor, on_result)
    }
}
