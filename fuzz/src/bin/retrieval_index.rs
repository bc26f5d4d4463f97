//! An index for retrieval: opened and searched, or an error. The input is what stands between the
//! first 64 bytes and the end: the parts, a zero byte, and the description, whose length and hash
//! are put behind it.
#![no_main]

use std::{path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use planet::retrieval::Index;

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

const MAGIC: &[u8; 8] = b"PLANETIX";

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (parts, description) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let mut file = MAGIC.to_vec();
    file.resize(64, 0);
    file.extend_from_slice(parts);
    file.extend_from_slice(description);
    file.extend_from_slice(&(description.len() as u64).to_le_bytes());
    file.extend_from_slice(blake3::hash(description).as_bytes());
    file.extend_from_slice(MAGIC);
    let path: PathBuf = FOLDER.path().join("index");
    std::fs::write(&path, file).expect("the disk takes it");
    if let Ok(index) = Index::open(&path) {
        let queries: Vec<_> =
            (0..index.photos().len().min(3)).filter_map(|photo| index.descriptor(photo)).collect();
        let found = index.search(&queries, 2);
        assert_eq!(found.len(), queries.len());
    }
});
