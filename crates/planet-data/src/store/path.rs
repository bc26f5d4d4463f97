use std::path::Path;

use super::{DiskStore, PhotoStore};
use crate::{Photo, PhotoError, Preprocess};

/// Photos by their path, wherever they lie: the id is the path.
#[derive(Clone, Copy, Debug, Default)]
pub struct PathStore;

impl PhotoStore for PathStore {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        let (store, name) = folder_and_name(id);
        store.photo(&name)
    }

    fn photo_for(&self, id: &str, preprocess: &Preprocess) -> Result<Photo, PhotoError> {
        let (store, name) = folder_and_name(id);
        store.photo_for(&name, preprocess)
    }
}

fn folder_and_name(path: &str) -> (DiskStore, String) {
    let path = Path::new(path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    (DiskStore::new(folder.unwrap_or(Path::new("."))), name.unwrap_or_default())
}
