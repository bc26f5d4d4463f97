use std::path::{Path, PathBuf};

use planet_data::{Monitor, OutputFile, PhotoError, PhotoStore, Settings, table::Compression};
use planet_geo::LatLng;
use rayon::prelude::*;

use super::{
    IndexError,
    format::{FORMAT, UnreadPhoto},
    learn::Learning,
    rows::Rows,
};
use crate::{Extractor, Version};

/// Photos that are worked on at once before their rows are written.
pub const BLOCK: usize = 64;

/// A photo to index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedPhoto {
    /// Its id.
    pub photo: String,
    /// Where it was taken.
    pub position: LatLng,
}

/// How an index is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexBuild {
    /// Version of the method.
    pub version: Version,
    /// Folder that the photos' ids are relative to, for those who show them.
    pub root: PathBuf,
    /// Seed of the choice of samples and of their clustering.
    pub seed: u64,
    /// Whether to continue an interrupted index.
    pub resume: bool,
}

/// What was done.
#[derive(Debug)]
pub struct IndexSummary {
    /// Photos of the index.
    pub photos: usize,
    /// Those of them that an interrupted run had done before.
    pub resumed: usize,
    /// Textons.
    pub textons: usize,
    /// Coarse and fine visual words; none for the version of 2008.
    pub words: [usize; 2],
    /// Photos that could not be read.
    pub unread: Vec<UnreadPhoto>,
}

impl IndexBuild {
    /// Builds the index of some photos at `path`. The file appears when it is whole; an
    /// interrupted one stays in `PATH.part`.
    ///
    /// # Errors
    /// The file cannot be written, no photo can be read, an interrupted index is of other photos
    /// or settings, or the monitor ends it.
    pub fn run(
        &self,
        path: &Path,
        photos: &[IndexedPhoto],
        store: &dyn PhotoStore,
        monitor: &dyn Monitor,
    ) -> Result<IndexSummary, IndexError> {
        if Compression::of_name(&path.to_string_lossy()).0 != Compression::None {
            return Err(IndexError::Compressed { path: path.to_owned() });
        }
        if photos.is_empty() {
            return Err(IndexError::Empty);
        }
        let settings = self.settings(photos);
        let failed = IndexError::file(path);
        let (file, before) = match self.resume {
            true => OutputFile::resume(path, &settings)?,
            false => (OutputFile::create_resumable(path, &settings)?, None),
        };
        let mut rows = Rows::new(self.version, file, photos.len(), self.seed);
        let learnt =
            before.map(|part| rows.take_over(part)).transpose().map_err(&failed)?.flatten();
        let learning = Learning { version: self.version, photos, store, seed: self.seed };
        let steps = photos.len() + if learnt.is_some() { 0 } else { learning.steps() };
        monitor.expect(steps as u64);
        let dictionaries = match learnt {
            Some(dictionaries) => dictionaries,
            None => {
                let dictionaries = learning.run(monitor)?;
                rows.begin(&dictionaries).map_err(&failed)?;
                dictionaries
            }
        };
        let textons = dictionaries.textons.centres().len() / 32;
        let words = dictionaries.words.words();
        let resumed = rows.numbers.len();
        monitor.advance(resumed as u64);
        let extractor = Extractor::new(self.version, dictionaries);
        let mut unread = Vec::new();
        for block in rows.missing().chunks(BLOCK) {
            if monitor.cancelled() {
                rows.flush().map_err(&failed)?;
                return Err(IndexError::Cancelled);
            }
            let row = |&number: &usize| Ok(extractor.row(&store.photo(&photos[number].photo)?));
            let found: Vec<Result<Vec<f32>, PhotoError>> = block.par_iter().map(row).collect();
            for (&number, row) in block.iter().zip(found) {
                match row {
                    Ok(row) => rows.add(number, row).map_err(&failed)?,
                    Err(error) => {
                        let photo = photos[number].photo.clone();
                        unread.push(UnreadPhoto { photo, error });
                    }
                }
            }
            monitor.advance(block.len() as u64);
        }
        let found = rows.numbers.len();
        if found == 0 {
            let UnreadPhoto { photo: first, error: source } = unread.swap_remove(0);
            return Err(IndexError::NoPhotos { photos: photos.len(), first, source });
        }
        rows.finish(photos, &self.root).map_err(&failed)?;
        Ok(IndexSummary { photos: found, resumed, textons, words, unread })
    }

    /// What a resumed index must have in common.
    fn settings(&self, photos: &[IndexedPhoto]) -> Settings {
        let mut hasher = blake3::Hasher::new();
        for IndexedPhoto { photo, position } in photos {
            hasher.update(photo.as_bytes()).update(b"\n");
            hasher.update(&position.lat().to_le_bytes()).update(&position.lng().to_le_bytes());
        }
        let hash = &hasher.finalize().to_hex()[..16];
        let photos = format!("{} photos ({hash})", photos.len());
        [
            ("the photos", photos),
            ("--seed", self.seed.to_string()),
            ("--version", self.version.year().to_string()),
            ("the format", FORMAT.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
