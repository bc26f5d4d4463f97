//! Google Takeout's JSON beside a photo: position and time or a note, never an error. The first line
//! is the photo's name, the rest the JSON.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use planet_data::{PhotoFacts, PositionSource};

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

/// The headers of a JPEG of one pixel.
const JPEG: &[u8] = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0\xFF\xDA\0\x02";

fuzz_target!(|bytes: &[u8]| {
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (name, json) = (&bytes[..line], bytes.get(line + 1..).unwrap_or_default());
    let name: String = String::from_utf8_lossy(name).chars().filter(|it| *it != '/').collect();
    let is_name = !name.is_empty() && name.len() <= 80 && !name.starts_with('.');
    if !is_name || name.contains('\0') {
        return;
    }
    // A name of its own for the sidecar too: those of earlier inputs must not be found.
    let folder = tempfile::tempdir_in(FOLDER.path()).expect("the disk takes it");
    let photo = folder.path().join(&name);
    std::fs::write(&photo, JPEG).expect("the disk takes it");
    let clipped: String = name.chars().take(46).collect();
    std::fs::write(folder.path().join(clipped + ".json"), json).expect("the disk takes it");
    let Ok(facts) = PhotoFacts::read(&photo) else {
        // The sidecar took the photo's place: a name that ends in `.json`.
        assert!(name.ends_with(".json"), "{name}");
        return;
    };
    assert_eq!((facts.width, facts.height), (1, 1));
    assert_eq!(facts.position.is_some(), facts.position_source == Some(PositionSource::Takeout));
});
