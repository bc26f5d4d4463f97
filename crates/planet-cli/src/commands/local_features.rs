//! Near-duplicates by local features: what `planet dataset duplicates --local-features` and `planet
//! evaluate --duplicates-local-features` find.

use planet_data::{DiskStore, FailedPhoto, Manifest, NearPhotos, PhotoList, near_photos};

use crate::{failure::Failure, progress::Progress};

/// What was found.
pub struct Near {
    /// Pairs of places in the two manifests.
    pub pairs: Vec<NearPhotos>,
    /// Photos that cannot be decoded, each with the reason.
    pub failed: Vec<(String, String)>,
}

/// The near-duplicates of photos of one manifest in another one, or within one.
pub fn near(a: &Manifest, b: Option<&Manifest>, distance: u32) -> Result<Near, Failure> {
    let (a, b) = (Listed::of(a), b.map(Listed::of));
    let progress = Progress::new("photos");
    let mut failed = Vec::new();
    let b = b.as_ref().map(Listed::list);
    let pairs = near_photos(a.list(), b, distance, &progress, &mut failed);
    progress.finish();
    let reason = |it: FailedPhoto| (it.photo, it.error.to_string());
    let failed = failed.into_iter().map(reason).collect();
    Ok(Near { pairs: pairs.map_err(Failure::new)?, failed })
}

/// The photos of a manifest.
struct Listed {
    store: DiskStore,
    photos: Vec<String>,
}

impl Listed {
    fn of(manifest: &Manifest) -> Self {
        let photos = manifest.records.iter().map(|record| record.photo.clone());
        Self { store: DiskStore::new(&manifest.root), photos: photos.collect() }
    }

    fn list(&self) -> PhotoList<'_> {
        PhotoList { store: &self.store, photos: &self.photos }
    }
}
