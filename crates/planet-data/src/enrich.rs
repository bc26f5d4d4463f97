use rayon::prelude::*;

use crate::{
    DataError, DiskStore, Gazetteer, Monitor, Photo, PhotoError, PhotoRecord, guard::guarded,
    perceptual_hash, photo_score,
};

/// What is added to a manifest that its photos' headers do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enrich {
    /// `content_hash` and `perceptual_hash`, from the file's bytes and pixels.
    pub hashes: bool,
    /// `photo_score`, from the pixels and the `camera` that the manifest names.
    pub photo_score: bool,
    /// `country`, from the position.
    pub country: bool,
}

impl Enrich {
    /// Adds to some photos, on all cores; each with what went wrong, if anything did. Values
    /// that are there already stay.
    ///
    /// # Errors
    /// Cancelled.
    pub fn add(
        self,
        records: Vec<PhotoRecord>,
        store: &DiskStore,
        gazetteer: &Gazetteer,
        monitor: &dyn Monitor,
    ) -> Result<Vec<(PhotoRecord, Option<DataError>)>, DataError> {
        let add = |mut record: PhotoRecord| {
            if monitor.cancelled() {
                return Err(DataError::Cancelled);
            }
            if self.country && record.country.is_none() {
                let country = record.position.and_then(|position| gazetteer.country(position));
                record.country = country.map(|country| country.code.to_owned());
            }
            let problem = guarded(|| self.add_from_file(&mut record, store))
                .unwrap_or_else(|message| {
                    let error = PhotoError::Panicked { message };
                    Err(DataError::table(&record.photo, error))
                })
                .err();
            monitor.advance(1);
            Ok((record, problem))
        };
        records.into_par_iter().map(add).collect()
    }

    fn add_from_file(self, record: &mut PhotoRecord, store: &DiskStore) -> Result<(), DataError> {
        let content = self.hashes && record.content_hash.is_none();
        let perceptual = self.hashes && record.perceptual_hash.is_none();
        let score = self.photo_score && record.photo_score.is_none();
        if !(content || perceptual || score) {
            return Ok(());
        }
        let failed = |error: crate::PhotoError| DataError::item(&record.photo, error);
        let bytes = store.bytes(&record.photo).map_err(failed)?;
        if content {
            record.content_hash = Some(blake3::hash(&bytes).to_hex()[..32].to_owned());
        }
        if perceptual || score {
            let failed = |error: crate::PhotoError| DataError::item(&record.photo, error);
            let photo = Photo::decode(&bytes, &store.limits()).map_err(failed)?;
            if perceptual {
                record.perceptual_hash = Some(perceptual_hash(&photo).to_string());
            }
            if score {
                record.photo_score = Some(photo_score(&photo, record.camera.as_deref()));
            }
        }
        Ok(())
    }
}
