use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use half::f16;
use planet_data::AtomicFile;

use super::{BEGIN, FORMAT, Index, IndexInfo, IndexedPhoto, ListsInfo, MAGIC, Part};
use crate::{
    FeatureModel,
    retrieval::{Descriptor, Recipe, RetrievalError, Whitening, lists::Lists},
};

/// An index in the making: it appears when it is finished.
#[must_use = "the index appears only when it is finished"]
pub struct IndexWriter {
    path: PathBuf,
    file: AtomicFile,
    hasher: blake3::Hasher,
    whitening: Vec<u8>,
    photos: Vec<u8>,
    lists: Vec<u8>,
    info: IndexInfo,
}

impl IndexWriter {
    /// Begins an index. `root` is the folder that the photos' ids are relative to.
    ///
    /// # Errors
    /// The file cannot be created, or the recipe needs a whitening that is not there.
    pub fn create(
        path: &Path,
        model: &FeatureModel,
        recipe: &Recipe,
        root: &str,
        whitening: Option<&Whitening>,
    ) -> Result<Self, RetrievalError> {
        let pooled = recipe.pooled(model)?;
        let dimensions = match (recipe.whitening, whitening) {
            (0, _) => pooled,
            (_, Some(whitening)) => whitening.outputs(),
            (_, None) => {
                return Err(RetrievalError::Recipe("the whitening was not learned".to_owned()));
            }
        };
        let info = IndexInfo {
            format: FORMAT.to_owned(),
            model: model.name().to_owned(),
            model_folder: absolute(model.folder()),
            fingerprint: model.fingerprint(),
            recipe: recipe.clone(),
            dimensions,
            pooled,
            vectors: 0,
            root: root.to_owned(),
            parts: Default::default(),
            lists: None,
        };
        Self::begin(path, info, whitening.filter(|_| recipe.whitening > 0))
    }

    /// Begins an index with another one's recipe and model, for the same descriptors.
    pub(in crate::retrieval) fn copy_of(
        index: &Index,
        path: &Path,
    ) -> Result<Self, RetrievalError> {
        let info = IndexInfo {
            vectors: 0,
            parts: Default::default(),
            lists: None,
            ..index.info().clone()
        };
        Self::begin(path, info, index.whitening())
    }

    fn begin(
        path: &Path,
        info: IndexInfo,
        whitening: Option<&Whitening>,
    ) -> Result<Self, RetrievalError> {
        let mut writer = Self {
            path: path.to_owned(),
            file: AtomicFile::create(path).map_err(RetrievalError::file(path))?,
            hasher: blake3::Hasher::new(),
            whitening: whitening.map_or_else(Vec::new, Whitening::to_bytes),
            photos: Vec::new(),
            lists: Vec::new(),
            info,
        };
        let mut begin = [0; BEGIN];
        begin[..MAGIC.len()].copy_from_slice(MAGIC);
        writer.put(&begin)?;
        Ok(writer)
    }

    /// Adds a photo with its descriptor.
    ///
    /// # Errors
    /// The file cannot be written, or a value is not finite or too large for 16 bits.
    ///
    /// # Panics
    /// When the descriptor has other dimensions than the index.
    pub fn add(
        &mut self,
        photo: IndexedPhoto,
        descriptor: &Descriptor,
    ) -> Result<(), RetrievalError> {
        assert_eq!(descriptor.dimensions(), self.info.dimensions, "vectors of one length");
        let rounded: Vec<f16> = descriptor.values().iter().map(|x| f16::from_f32(*x)).collect();
        if rounded.iter().any(|x| !x.is_finite()) {
            let what = format!("{}: its features are not finite, or above 65,504", photo.photo);
            return Err(RetrievalError::Recipe(what));
        }
        let bytes: Vec<u8> = rounded.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.put(&bytes)?;
        self.hasher.update(&bytes);
        self.info.parts[0].bytes += bytes.len();
        self.info.vectors += descriptor.len();
        self.photo(&IndexedPhoto { vectors: descriptor.len(), error: None, ..photo });
        Ok(())
    }

    /// Adds a photo that could not be decoded, with the reason: it is found by no search.
    pub fn add_failed(&mut self, photo: IndexedPhoto, error: &str) {
        self.photo(&IndexedPhoto { vectors: 0, error: Some(error.to_owned()), ..photo });
    }

    /// States the lists that the photos were added by; gives their description as it is written.
    pub(in crate::retrieval) fn set_lists(&mut self, lists: &Lists) -> ListsInfo {
        self.lists = lists.to_bytes();
        let info = ListsInfo { part: Part::of(&self.lists), ..lists.info().clone() };
        self.info.lists = Some(info.clone());
        info
    }

    fn photo(&mut self, photo: &IndexedPhoto) {
        serde_json::to_writer(&mut self.photos, photo).expect("plain values become JSON");
        self.photos.push(b'\n');
    }

    /// Writes the rest and puts the file in its place.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<(), RetrievalError> {
        self.info.parts[0].blake3 = self.hasher.finalize().to_hex().to_string();
        let rest = [std::mem::take(&mut self.whitening), std::mem::take(&mut self.photos)];
        for (part, bytes) in (1..).zip(&rest) {
            self.put(bytes)?;
            self.info.parts[part] = Part::of(bytes);
        }
        let lists = std::mem::take(&mut self.lists);
        self.put(&lists)?;
        let info = serde_json::to_vec(&self.info).expect("plain values become JSON");
        self.put(&info)?;
        self.put(&(info.len() as u64).to_le_bytes())?;
        self.put(blake3::hash(&info).as_bytes())?;
        self.put(MAGIC)?;
        self.file.finish().map_err(RetrievalError::file(&self.path))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), RetrievalError> {
        let written: io::Result<()> = self.file.write_all(bytes);
        written.map_err(RetrievalError::file(&self.path))
    }
}

impl Part {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len(), blake3: blake3::hash(bytes).to_hex().to_string() }
    }
}

/// The whole path of a folder, so that it is found from another one.
fn absolute(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.to_string_lossy().into_owned()
}
