//! Albums located with a model in one call.

use std::{io, path::PathBuf};

use planet_data::{Manifest, Monitor};

use super::{
    AlbumError, AlbumInput, Embeddings, EmbeddingsError, OpenSequence, PhotoProbabilities, Scheme,
    albums, locate_albums,
};
use crate::{
    EngineError, LocateError, Locator, LocatorOptions, Model, PackageError, Prediction, WithinError,
};

/// How albums are located.
#[derive(Clone, Debug)]
pub struct AlbumOptions {
    /// How neighbouring photos are combined; not [`Scheme::Hmm`], which `planet-library` computes.
    pub scheme: Scheme,
    /// Folder of the cache of embeddings, for sequence schemes; `None` keeps none.
    pub embeddings: Option<PathBuf>,
    /// What is answered.
    pub locator: LocatorOptions,
}

/// Why the albums of a manifest cannot be located.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocateAlbumsError {
    /// The scheme is the hidden Markov model, which takes known positions and times.
    #[error("the scheme hmm uses known positions and times, not only a model")]
    Hmm,
    /// The package has no such scheme, or one of another network.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// A sequence network cannot be loaded.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The embeddings cannot be computed.
    #[error(transparent)]
    Embeddings(#[from] EmbeddingsError),
    /// The network's output on the photos cannot be computed.
    #[error(transparent)]
    Photos(#[from] LocateError<io::Error>),
    /// No class lies in the area that answers are limited to.
    #[error(transparent)]
    Within(#[from] WithinError),
    /// The temporary folder for embeddings cannot be made.
    #[error("embeddings: {0}")]
    Temporary(#[from] io::Error),
    /// The albums cannot be located, or the monitor ended it.
    #[error(transparent)]
    Album(#[from] AlbumError),
}

/// What a scheme reads of the photos.
enum Computed {
    Probabilities(PhotoProbabilities),
    Embeddings(Embeddings),
}

impl Model {
    /// Locates the photos of a manifest by a scheme that uses no known positions: runs the network
    /// on each photo, and then the scheme on each album. `open` opens the package's sequence
    /// network; `emit` gets each photo's row and prediction. Returns the photos that cannot be
    /// decoded, each by its row with the reason; they are located through their album.
    ///
    /// # Errors
    /// The scheme is not in the package, a photo list, cache or engine fails, or the monitor ended
    /// it.
    pub fn locate_albums(
        &mut self,
        manifest: &Manifest,
        options: &AlbumOptions,
        open: &mut OpenSequence<'_>,
        monitor: &dyn Monitor,
        emit: impl FnMut(usize, Prediction),
    ) -> Result<Vec<(usize, String)>, LocateAlbumsError> {
        let scheme = options.scheme;
        if scheme == Scheme::Hmm {
            return Err(LocateAlbumsError::Hmm);
        }
        // The network's output has its temperature already, and that of LSTMs needs none.
        let gazetteer = self.locator().shared_gazetteer();
        let partition = self.package().shared_partition();
        let locator = Locator::new(partition, 1.0, options.locator.clone(), gazetteer)?;
        let mut sequence = match scheme.is_sequence() {
            true => Some(open(&self.package().scheme(scheme.name())?.1)?),
            false => None,
        };
        let (computed, failed) = self.computed(manifest, options, monitor)?;
        let input = match (&computed, &mut sequence) {
            (Computed::Embeddings(embeddings), Some(network)) => {
                AlbumInput::Sequence(&mut **network, embeddings)
            }
            (Computed::Probabilities(output), _) => AlbumInput::Probabilities(output),
            (Computed::Embeddings(_), None) => unreachable!("only sequence schemes read them"),
        };
        let albums = albums(&manifest.records);
        locate_albums(&manifest.records, &albums, scheme, input, &locator, monitor, emit)?;
        Ok(failed)
    }

    /// What the scheme reads of each photo, and the photos that cannot be decoded.
    fn computed(
        &mut self,
        manifest: &Manifest,
        options: &AlbumOptions,
        monitor: &dyn Monitor,
    ) -> Result<(Computed, Vec<(usize, String)>), LocateAlbumsError> {
        if !options.scheme.is_sequence() {
            let output = PhotoProbabilities::compute(self, manifest, |_| true, None, monitor)?;
            let failed = output.failed().to_vec();
            return Ok((Computed::Probabilities(output), failed));
        }
        let temporary = tempfile::tempdir()?;
        let folder = options.embeddings.as_deref().unwrap_or(temporary.path());
        let package = self.package().clone();
        let (mut embeddings, path) = Embeddings::cached(folder, manifest, &package)?;
        let failed = embeddings.complete(self.engine_mut(), &package, manifest, &path, monitor)?;
        let row_of = |photo: &str| manifest.records.iter().position(|it| it.photo == photo);
        let failed = failed.into_iter();
        let failed = failed.filter_map(|it| Some((row_of(&it.photo)?, it.error.to_string())));
        Ok((Computed::Embeddings(embeddings), failed.collect()))
    }
}
