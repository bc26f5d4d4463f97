//! Manifests as text and as Parquet: photos or errors with the file's name, and what was read can be
//! written and read again.
#![no_main]

use std::{path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use planet_data::{ManifestReader, ManifestWriter, PhotoRecord, table::TableSource};

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

fn photos(path: PathBuf) -> Option<(Vec<PhotoRecord>, Vec<String>)> {
    let reader = ManifestReader::open(&TableSource { path, split: None }, None).ok()?;
    let columns = reader.other_columns();
    // A file of a few bytes that never ends would be a finding: the time limit sees it.
    Some((reader.filter_map(Result::ok).collect(), columns))
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    let name = ["fuzz.csv", "fuzz.tsv", "fuzz.parquet", "fuzz.csv.gz"][usize::from(kind) % 4];
    let path = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("the disk takes it");
    let Some((records, columns)) = photos(path) else { return };
    let copy = FOLDER.path().join("copy.csv");
    let mut writer = ManifestWriter::create(&copy, None, &columns).expect("columns that were read");
    for record in &records {
        writer.write(record).expect("a photo that was read");
    }
    writer.finish().expect("the disk takes it");
    let (again, _) = photos(copy).expect("a manifest of our own");
    assert_eq!(again, records);
});
