//! Datasets of every other layout: photos or errors.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use planet_data::{ImportFormat, ImportOptions};

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    let format = ImportFormat::ALL[usize::from(kind) % ImportFormat::ALL.len()];
    let name = match format {
        ImportFormat::WebDataset => "fuzz.tar",
        ImportFormat::Msgpack => "fuzz.msg",
        _ => "fuzz.csv",
    };
    let path = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("the disk takes it");
    if let Ok(photos) = format.read(&path, &ImportOptions::default()) {
        for photo in photos.flatten() {
            assert!(!photo.photo.is_empty());
        }
    }
});
