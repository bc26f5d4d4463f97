use std::{
    collections::HashSet,
    io::{self, BufRead},
    path::{Path, PathBuf},
    sync::Arc,
};

use planet_data::{
    DiskStore, Manifest, Photo, PhotoError, PhotoFacts, PhotoStore, Preprocess, photos_below,
    table::{self, TableSource},
};
use planet_geo::LatLng;

use crate::failure::Failure;

/// The photos that are asked for, by id, and where they can be had.
pub struct Sources {
    ids: Vec<String>,
    /// Known positions; `None` in whole where each file says its own.
    truths: Option<Vec<Option<LatLng>>>,
    store: Arc<dyn PhotoStore>,
    root: PathBuf,
}

impl Sources {
    /// Collects photos, folders and paths on standard input, or the rows of one manifest.
    pub fn gather(given: &[String], root: Option<&Path>) -> Result<Self, Failure> {
        if let [only] = given
            && is_manifest(only)
        {
            return Self::of_manifest(only, root);
        }
        let mut ids = Vec::new();
        for text in given {
            if text == "-" {
                for line in io::stdin().lock().lines() {
                    let line =
                        line.map_err(|error| Failure::new(format!("standard input: {error}")))?;
                    if !line.trim().is_empty() {
                        ids.push(line);
                    }
                }
            } else if Path::new(text).is_dir() {
                let found = photos_below(Path::new(text)).map_err(Failure::new)?;
                if found.is_empty() {
                    return Err(Failure::new(format!("no photos in {text}")));
                }
                ids.extend(found);
            } else if is_manifest(text) {
                let what = format!("{text}: a manifest is given alone");
                return Err(Failure::usage(what));
            } else {
                ids.push(text.clone());
            }
        }
        if ids.is_empty() {
            return Err(Failure::new("no photos were named"));
        }
        let store = Arc::new(Loose);
        Ok(Self { ids, truths: None, store, root: PathBuf::new() })
    }

    fn of_manifest(text: &str, root: Option<&Path>) -> Result<Self, Failure> {
        let source = TableSource::parse(text);
        let manifest = Manifest::load(&source, root).map_err(Failure::new)?;
        if manifest.records.is_empty() {
            return Err(Failure::new(format!("{source} has no photos")));
        }
        let truths = manifest.records.iter().map(|record| record.position).collect();
        let ids = manifest.records.into_iter().map(|record| record.photo).collect();
        let store = Arc::new(DiskStore::new(&manifest.root));
        Ok(Self { ids, truths: Some(truths), store, root: manifest.root })
    }

    /// Passes over photos that have their answer already.
    pub fn leave_out(&mut self, done: &HashSet<String>) {
        let keep: Vec<bool> = self.ids.iter().map(|id| !done.contains(id)).collect();
        let mut rows = keep.iter();
        self.ids.retain(|_| *rows.next().expect("one a photo"));
        if let Some(truths) = &mut self.truths {
            let mut rows = keep.iter();
            truths.retain(|_| *rows.next().expect("one a photo"));
        }
    }

    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn store(&self) -> Arc<dyn PhotoStore> {
        Arc::clone(&self.store)
    }

    /// The folder that ids are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a photo is known to have been taken.
    pub fn truth(&self, row: usize) -> Option<LatLng> {
        match &self.truths {
            Some(truths) => truths[row],
            // A photo that cannot be read has said so already.
            None => PhotoFacts::read(Path::new(&self.ids[row])).ok()?.position,
        }
    }
}

/// Whether a name is that of a table.
fn is_manifest(text: &str) -> bool {
    table::Format::of(&TableSource::parse(text).path).is_ok()
}

/// Photos by their path, wherever they lie.
struct Loose;

impl PhotoStore for Loose {
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
