use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::Provenance;

/// Whether a folder is that of a synthetic earth: it holds `world.json`.
pub fn is_world(folder: &Path) -> bool {
    folder.join("world.json").is_file()
}

/// Tells which photos a model of synthetic photos was not made for.
pub struct Warnings {
    warning: Option<&'static str>,
    /// By folder, whether it lies in that of a synthetic earth.
    folders: HashMap<PathBuf, bool>,
}

impl Warnings {
    /// For a model that comes from there.
    pub fn of(provenance: &Provenance) -> Self {
        Self { warning: provenance.warning(), folders: HashMap::new() }
    }

    /// What must be said with an answer to this photo, by its path.
    pub fn about(&mut self, photo: &Path) -> Option<&'static str> {
        let warning = self.warning?;
        let folder = photo.parent().unwrap_or(photo);
        let is_synthetic = match self.folders.get(folder) {
            Some(known) => *known,
            None => {
                let is_synthetic = folder.ancestors().any(is_world);
                self.folders.insert(folder.to_owned(), is_synthetic);
                is_synthetic
            }
        };
        (!is_synthetic).then_some(warning)
    }
}
