//! What holds of tracks, whatever the file said.

use std::sync::LazyLock;

use planet_library::{TrackLimits, Tracks};

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

/// 1980-01-06, before which there is no position, and 2024-05-01T10:05:00Z, near which those of the
/// examples lie.
const TIMES: [i64; 2] = [315_964_800, 1_714_557_900];

/// Reads the bytes as a file of this name: tracks or an error that names it. What was read answers
/// at any time.
pub fn check(name: &str, bytes: &[u8]) {
    let path = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("the disk takes it");
    match Tracks::read(std::slice::from_ref(&path)) {
        Ok(tracks) => check_answers(&tracks),
        Err(error) => assert!(error.to_string().contains(name), "{error}"),
    }
    // Within a folder other JSON is passed over.
    let _ = Tracks::read(&[FOLDER.path().to_owned()]);
}

fn check_answers(tracks: &Tracks) {
    let counts = tracks.counts();
    assert_eq!(counts.files, 1);
    assert!(counts.jumps <= counts.fixes && !counts.to_string().is_empty());
    let limits = TrackLimits { interpolated: 86_400, extrapolated: 86_400 };
    for time in TIMES.into_iter().flat_map(|time| (-3..=3).map(move |step| time + 7_919 * step)) {
        let Some(found) = tracks.at(time, limits) else { continue };
        assert!(!tracks.is_empty());
        assert!(found.accuracy.m() > 0.0 && found.accuracy.m().is_finite(), "{found:?}");
        assert!((0..=limits.extrapolated).contains(&found.seconds), "{found:?}");
    }
}
