//! HEIC and AVIF against Pillow (golden files: tests/golden/make_heif.py). Headers are read by
//! every build, pixels with the feature `heif`.

use std::{io::Cursor, path::Path};

use planet_data::{Limits, Photo, PhotoError, PhotoFacts};

const NAMES: [&str; 6] =
    ["photo.heic", "turned.heic", "alpha.heic", "photo.avif", "turned.avif", "alpha.avif"];

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/heif");
    std::fs::read(folder.join(name)).expect("a golden file")
}

/// Width, height and RGB bytes of what Pillow gives.
fn expected(name: &str) -> (u32, u32, Vec<u8>) {
    let file = bytes(&format!("{name}.rgb"));
    let side = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
    (side(0), side(4), file[8..].to_vec())
}

fn decode(bytes: &[u8]) -> Result<Photo, PhotoError> {
    Photo::decode(bytes, &Limits { pixels: 1 << 20, ..Limits::default() })
}

#[test]
fn the_headers_tell_the_size_that_is_left_after_cutting_and_turning() {
    for name in NAMES {
        let file = bytes(name);
        let facts = PhotoFacts::from_reader(Cursor::new(&file), file.len() as u64).expect(name);
        let (width, height, _) = expected(name);
        assert_eq!((facts.width, facts.height), (width, height), "{name}");
        assert_eq!(facts.notes, [], "{name}");
    }
}

#[cfg(not(feature = "heif"))]
#[test]
fn without_the_feature_a_heif_photo_is_named_with_the_cure() {
    for name in NAMES {
        let error = decode(&bytes(name)).expect_err("not in this build").to_string();
        let format = if name.ends_with("heic") { "HEIC" } else { "AVIF" };
        let cure = "build PlaNet with the feature heif, or convert the photo to JPEG";
        assert_eq!(error, format!("this build cannot decode {format}; {cure}"), "{name}");
    }
}

#[cfg(feature = "heif")]
#[test]
fn pixels_are_those_that_pillow_gives_upright_and_over_white() {
    for name in NAMES {
        let photo = decode(&bytes(name)).expect(name);
        let (width, height, pixels) = expected(name);
        assert_eq!((photo.width(), photo.height()), (width, height), "{name}");
        let differences = photo.pixels().iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b));
        let sum: f64 = differences.clone().map(f64::from).sum();
        let (mean, greatest) = (sum / pixels.len() as f64, differences.max().expect("pixels"));
        // Colour is stored at half the size; decoders differ in how they enlarge it.
        assert!(mean < 0.7 && greatest <= 8, "{name}: mean {mean:.3}, greatest {greatest}");
    }
}

#[cfg(feature = "heif")]
#[test]
fn a_heif_photo_cut_anywhere_or_with_a_byte_changed_gives_a_photo_or_an_error() {
    for name in NAMES {
        let whole = bytes(name);
        for at in (0..whole.len()).step_by(whole.len() / 100 + 1) {
            assert!(decode(&whole[..at]).is_err(), "{name} cut at {at}");
            let mut changed = whole.clone();
            changed[at] ^= 0xFF;
            if let Ok(photo) = decode(&changed) {
                let pixels = photo.width() as usize * photo.height() as usize;
                assert_eq!(photo.pixels().len(), pixels * 3, "{name} changed at {at}");
            }
        }
    }
}
