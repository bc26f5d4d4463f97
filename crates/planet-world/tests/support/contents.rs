//! What a folder holds.

use std::{collections::HashMap, fs, path::Path};

/// Every file below a folder, by its path, with its bytes.
pub fn contents(folder: &Path) -> HashMap<String, Vec<u8>> {
    let mut all = HashMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                all.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    all
}
