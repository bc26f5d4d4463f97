//! Geotags as CSV, plain or compressed: positions, skips or an error, in bounded memory.
#![no_main]

use std::{path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use planet_data::{GeotagOptions, NoMonitor, read_geotags, table::TableSource};

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let path: PathBuf = FOLDER.path().join("fuzz.csv");
    std::fs::write(&path, bytes).expect("the disk takes it");
    let source = [TableSource { path, split: None }];
    let mut taken = 0;
    let result = read_geotags(&source, &GeotagOptions::default(), &NoMonitor, |batch| {
        taken += batch.len() as u64;
    });
    if let Ok(count) = result {
        assert_eq!(count.positions, taken);
    }
});
