use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use planet_data::{
    AtomicFile, DiskStore, FailedPhoto, Loader, LoaderError, LoaderOptions, Manifest, Monitor,
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use thiserror::Error;

use crate::{BatchSize, Engine, EngineError, ModelPackage, inference::Inference};

/// The embeddings of photos under one network: what album schemes read, computed once.
///
/// Kept as one safetensors file: `embeddings` f32 `[photos, features]`, `photos` the ids as JSON
/// in bytes, and the key in the metadata. All of it is held in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    key: String,
    features: usize,
    /// Row of each photo in `values`.
    rows: HashMap<String, usize>,
    /// `[photos, features]`
    values: Vec<f32>,
}

/// Why embeddings cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbeddingsError {
    /// The cache cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// The cache is damaged or of another network.
    #[error("{}: {what}; delete the file, it is created again", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The network gives no embedding, or one of another length than its package says.
    #[error("the model returns {found} features per photo, but its package states {stated}")]
    Features {
        /// Of the engine's answer; 0 where there is none.
        found: usize,
        /// Of the package.
        stated: usize,
    },
    /// The engine gave no answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The photos cannot be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// The monitor ended it; what was computed is in the cache.
    #[error("interrupted; {computed} embeddings are saved in {}", path.display())]
    Cancelled {
        /// Embeddings that were computed.
        computed: usize,
        /// The cache.
        path: PathBuf,
    },
}

impl Embeddings {
    /// None yet. The key says what they are of; see [`Embeddings::key`].
    pub fn new(key: String, features: usize) -> Self {
        Self { key, features, rows: HashMap::new(), values: Vec::new() }
    }

    /// Names a package's network, its preprocessing and the folder that photo ids are relative
    /// to: embeddings under one key may stand in one file. Photos are known by their ids, so a
    /// photo that changes under its name needs the file deleted.
    pub fn key(package: &ModelPackage, root: &Path) -> String {
        let description = package.description();
        let preprocess = serde_json::to_string(&description.preprocess).expect("plain values");
        // The same folder by another path is the same folder.
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let mut hasher = blake3::Hasher::new();
        for part in [&description.network_hash(), &preprocess, &root.to_string_lossy().into()] {
            hasher.update(part.as_bytes());
            hasher.update(b"\n");
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The file of a key in a folder of caches.
    pub fn file(folder: &Path, key: &str) -> PathBuf {
        folder.join(format!("embeddings-{}.safetensors", &key[..key.len().min(16)]))
    }

    /// Reads a cache; there are no embeddings where there is no file.
    ///
    /// # Errors
    /// A file that is damaged, or of another key or length.
    pub fn read(path: &Path, key: String, features: usize) -> Result<Self, EmbeddingsError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self::new(key, features));
            }
            Err(source) => return Err(EmbeddingsError::File { path: path.to_owned(), source }),
        };
        Self::from_bytes(&bytes, key, features)
            .map_err(|what| EmbeddingsError::Cache { path: path.to_owned(), what })
    }

    fn from_bytes(bytes: &[u8], key: String, features: usize) -> Result<Self, String> {
        let text = |error: safetensors::SafeTensorError| error.to_string();
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(text)?;
        let found = metadata.metadata().as_ref().and_then(|map| map.get("key"));
        if found != Some(&key) {
            return Err("it belongs to another model or folder".to_owned());
        }
        let file = SafeTensors::deserialize(bytes).map_err(text)?;
        let ids = file.tensor("photos").map_err(text)?;
        let ids: Vec<String> =
            serde_json::from_slice(ids.data()).map_err(|error| error.to_string())?;
        let array = file.tensor("embeddings").map_err(text)?;
        if array.dtype() != Dtype::F32 || array.shape() != [ids.len(), features] {
            let shape = array.shape();
            return Err(format!("{shape:?} numbers for {} photos of {features}", ids.len()));
        }
        let values = array.data().as_chunks().0.iter().map(|four| f32::from_le_bytes(*four));
        let photos = ids.len();
        let rows: HashMap<String, usize> =
            ids.into_iter().enumerate().map(|(row, id)| (id, row)).collect();
        if rows.len() != photos {
            return Err(format!("{} of its photos occur twice", photos - rows.len()));
        }
        Ok(Self { key, features, rows, values: values.collect() })
    }

    /// Writes the cache, and the folder that it stands in.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), EmbeddingsError> {
        let failed = |source| EmbeddingsError::File { path: path.to_owned(), source };
        let mut ids = vec![""; self.rows.len()];
        for (id, row) in &self.rows {
            ids[*row] = id;
        }
        let ids = serde_json::to_vec(&ids).expect("texts");
        let values: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let fits = "as many bytes as the shape";
        let shape = vec![self.rows.len(), self.features];
        let tensors = [
            ("embeddings", TensorView::new(Dtype::F32, shape, &values).expect(fits)),
            ("photos", TensorView::new(Dtype::U8, vec![ids.len()], &ids).expect(fits)),
        ];
        let metadata = HashMap::from([("key".to_owned(), self.key.clone())]);
        let bytes = safetensors::serialize(tensors, Some(metadata)).expect("two names");
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        AtomicFile::write_all_at(path, &bytes).map_err(failed)
    }

    /// Features a photo.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Photos.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One photo's, `[features]`; `None` where it was not computed or the photo failed.
    pub fn of(&self, photo: &str) -> Option<&[f32]> {
        let row = self.rows.get(photo)?;
        Some(&self.values[row * self.features..][..self.features])
    }

    /// Puts one in, `[features]`; what is known of a photo stays.
    ///
    /// # Panics
    /// Where it has another length.
    pub fn add(&mut self, photo: &str, embedding: &[f32]) {
        assert_eq!(embedding.len(), self.features, "as long as the others");
        if !self.rows.contains_key(photo) {
            self.rows.insert(photo.to_owned(), self.rows.len());
            self.values.extend_from_slice(embedding);
        }
    }

    /// The photos of a manifest that are not here yet.
    pub fn missing(&self, manifest: &Manifest) -> Vec<String> {
        let photos = manifest.records.iter().map(|it| &it.photo);
        photos.filter(|photo| !self.rows.contains_key(*photo)).cloned().collect()
    }

    /// What the cache in a folder holds of a manifest's photos, and the file of the cache, which
    /// need not be there yet.
    ///
    /// # Errors
    /// The cache cannot be read, is damaged or of another network.
    pub fn cached(
        folder: &Path,
        manifest: &Manifest,
        package: &ModelPackage,
    ) -> Result<(Self, PathBuf), EmbeddingsError> {
        let key = Self::key(package, &manifest.root);
        let path = Self::file(folder, &key);
        let embeddings = Self::read(&path, key, package.description().features)?;
        Ok((embeddings, path))
    }

    /// Computes what is missing of a manifest's photos and writes the cache `path`, also where
    /// the work ends early. Photos that cannot be decoded get none; they are returned.
    ///
    /// # Errors
    /// The engine or the loader fails, the model gives no such embedding, the cache cannot be
    /// written, or the monitor ended it.
    pub fn complete(
        &mut self,
        engine: &mut dyn Engine,
        package: &ModelPackage,
        manifest: &Manifest,
        path: &Path,
        monitor: &dyn Monitor,
    ) -> Result<Vec<FailedPhoto>, EmbeddingsError> {
        let missing = self.missing(manifest);
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let store = Arc::new(DiskStore::new(&manifest.root));
        let preprocess = package.description().preprocess.clone();
        let options = LoaderOptions::evaluation(1);
        let loader = Loader::new(store, missing.clone(), preprocess, options)?;
        let (before, mut failed) = (self.len(), Vec::new());
        let whole = self.compute(engine, &loader, &missing, monitor, |photo| failed.push(photo));
        let computed = self.len() - before;
        if computed > 0 {
            self.write(path)?;
        }
        match whole? {
            true => Ok(failed),
            false => Err(EmbeddingsError::Cancelled { computed, path: path.to_owned() }),
        }
    }

    /// Computes the embeddings of a loader's photos;
    /// `false` where the monitor ended it before all were done: what was computed then is here.
    /// Photos that cannot be decoded go to `failed` and get none.
    ///
    /// The loader should be one for evaluation ([`planet_data::LoaderOptions::evaluation`]).
    ///
    /// # Errors
    /// The engine or the loader fails, or the model gives no such embedding.
    fn compute(
        &mut self,
        engine: &mut dyn Engine,
        loader: &Loader,
        photos: &[String],
        monitor: &dyn Monitor,
        mut failed: impl FnMut(FailedPhoto),
    ) -> Result<bool, EmbeddingsError> {
        monitor.expect(photos.len() as u64);
        let mut inference = Inference::new(engine, loader, BatchSize::Auto);
        while let Some(batch) = inference.next_batch()? {
            if monitor.cancelled() {
                return Ok(false);
            }
            let activations = inference.run(&batch)?;
            let done = (batch.rows.len() + batch.failed.len()) as u64;
            batch.failed.into_iter().for_each(&mut failed);
            if !batch.rows.is_empty() {
                if activations.features != self.features || self.features == 0 {
                    let (found, stated) = (activations.features, self.features);
                    return Err(EmbeddingsError::Features { found, stated });
                }
                for (at, row) in batch.rows.iter().enumerate() {
                    self.add(&photos[*row], activations.embedding_of(at));
                }
            }
            monitor.advance(done);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use planet_data::PhotoRecord;

    use super::*;

    fn two() -> Embeddings {
        let mut embeddings = Embeddings::new("key".to_owned(), 2);
        embeddings.add("a/1.jpg", &[1.0, -0.5]);
        embeddings.add("näme \"2\"\n.jpg", &[3.0, f32::MIN_POSITIVE]);
        embeddings
    }

    #[test]
    fn a_cache_comes_back_bit_for_bit_and_none_is_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = Embeddings::file(&folder.path().join("new"), "0123456789abcdef01");
        let read = |key: &str| Embeddings::read(&path, key.to_owned(), 2);
        assert!(read("key").expect("no file").is_empty());
        two().write(&path).expect("written");
        let back = read("key").expect("read");
        assert_eq!(back, two());
        assert_eq!(back.of("a/1.jpg"), Some(&[1.0, -0.5][..]));
        let record = |photo: &str| PhotoRecord { photo: photo.to_owned(), ..Default::default() };
        let records = vec![record("b"), record("a/1.jpg")];
        assert_eq!(back.missing(&Manifest { root: PathBuf::new(), records }), ["b"]);
    }

    #[test]
    fn caches_of_others_and_damaged_ones_are_refused_with_the_cure() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("cache");
        two().write(&path).expect("written");
        let refused = |key: &str, features| {
            Embeddings::read(&path, key.to_owned(), features).expect_err("refused").to_string()
        };
        assert!(refused("other", 2).contains("another model"));
        assert!(refused("key", 3).contains("photos of 3"));
        let twice = std::fs::read(&path).expect("read");
        // The second name becomes the first one, of the same length in JSON.
        let (first, second) = (r#""a/1.jpg""#, r#""b/2.jpg""#);
        let mut plain = Embeddings::new("key".to_owned(), 2);
        plain.add("a/1.jpg", &[1.0, 2.0]);
        plain.add("b/2.jpg", &[3.0, 4.0]);
        plain.write(&path).expect("written");
        let mut bytes = std::fs::read(&path).expect("read");
        let at = bytes.windows(second.len()).position(|it| it == second.as_bytes());
        let at = at.expect("the name stands in the file");
        bytes[at..at + second.len()].copy_from_slice(first.as_bytes());
        std::fs::write(&path, bytes).expect("written");
        assert!(refused("key", 2).contains("1 of its photos occur twice"));
        std::fs::write(&path, twice).expect("written");
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("cut");
        assert!(refused("key", 2).contains("delete the file"));
    }
}
