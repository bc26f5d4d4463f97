//! Every format and shape against Pillow (golden files: tests/golden/make_photos.py).

use std::path::{Path, PathBuf};

use planet_data::{Filter, Fit, Limits, Photo, PhotoError, Preprocess};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(golden(name)).expect("a golden file")
}

fn decode(bytes: &[u8]) -> Result<Photo, PhotoError> {
    Photo::decode(bytes, &Limits::default())
}

/// Mean and greatest difference from what Pillow decodes.
fn difference(name: &str) -> (f64, u8) {
    let photo = decode(&bytes(&format!("photos/{name}"))).expect(name);
    let expected = bytes(&format!("photos/{name}.rgb"));
    let (head, expected) = expected.split_at(8);
    let side = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((photo.width(), photo.height()), (side(0), side(4)), "{name}");
    assert_eq!(photo.rescue(), None, "{name}");
    let differences = photo.pixels().iter().zip(expected).map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = differences.clone().map(f64::from).sum();
    (sum / expected.len() as f64, differences.max().expect("pixels"))
}

#[test]
fn lossless_formats_decode_to_the_bytes_that_pillow_gives() {
    for name in [
        "rgb.png",
        "palette.png",
        "grey.png",
        "bilevel.png",
        "deep.png",
        "deep-colour.png",
        "deep-colour.tif",
        "turned.png",
        "turned.webp",
        "turned.tif",
        "deflate.tif",
        "grey.tif",
        "animation.gif",
    ] {
        assert_eq!(difference(name), (0.0, 0), "{name}");
    }
    for name in ["alpha.png", "alpha.webp", "grey-alpha.png", "palette-alpha.png", "inks.tif"] {
        assert!(difference(name).1 <= 1, "{name}: {:?}", difference(name));
    }
}

#[test]
fn all_eight_orientations_are_upright_in_every_container_that_carries_them() {
    for ending in ["png", "webp", "tif"] {
        for tag in 1..=8 {
            let name = format!("orientation-{tag}.{ending}");
            assert_eq!(difference(&name), (0.0, 0), "{name}");
        }
    }
}

#[test]
fn jpegs_of_every_kind_decode_as_pillow_decodes_them() {
    let turned: Vec<String> = (1..=8).map(|tag| format!("orientation-{tag}.jpg")).collect();
    let kinds = [
        "444.jpg",
        "422.jpg",
        "420.jpg",
        "440.jpg",
        "411.jpg",
        "progressive.jpg",
        "restarts.jpg",
        "grey.jpg",
        "cmyk.jpg",
        "ycck.jpg",
        "adobe-rgb.jpg",
        "large.jpg",
        "large-progressive.jpg",
        "lossy.webp",
    ];
    for name in kinds.into_iter().chain(turned.iter().map(String::as_str)) {
        let (mean, greatest) = difference(name);
        assert!(mean < 0.7 && greatest <= 8, "{name}: mean {mean:.3}, greatest {greatest}");
    }
}

#[test]
fn resizing_is_equal_to_torchvisions_within_rounding() {
    let photo = decode(&bytes("preprocess/photo.png")).expect("the photo");
    let filters = [
        (Filter::Bilinear, "bilinear"),
        (Filter::Bicubic, "bicubic"),
        (Filter::Lanczos, "lanczos"),
        (Filter::Box, "box"),
    ];
    let mut cases = Vec::new();
    for (filter, name) in filters {
        for (side, size) in [("down", [17, 23]), ("up", [80, 70])] {
            cases.push((format!("squash-{name}-{side}"), Fit::Squash, filter, size));
        }
    }
    for share in [0.875, 1.0] {
        let fit = Fit::CentreCrop { share };
        cases.push((format!("crop-{share:?}"), fit, Filter::Bilinear, [24, 24]));
    }
    for (name, fit, filter, size) in cases {
        let preprocess = Preprocess { size, fit, filter, ..Preprocess::inception(1) };
        let expected = bytes(&format!("preprocess/{name}.rgb"));
        let (mean, greatest) = steps(&preprocess.apply(&photo), &expected, 0.5);
        assert!(mean < 0.25 && greatest < 2.01, "{name}: mean {mean}, greatest {greatest}");
    }
    let letterbox = Preprocess {
        fit: Fit::Letterbox,
        mean: [0.0; 3],
        std: [1.0; 3],
        ..Preprocess::inception(32)
    };
    let (mean, greatest) = steps(&letterbox.apply(&photo), &bytes("preprocess/letterbox.rgb"), 0.0);
    assert!(mean < 0.25 && greatest < 2.01, "letterbox: mean {mean}, greatest {greatest}");
}

/// Mean and greatest difference in steps of 255; `mean` is 0.5 where values lie within ±1,
/// else 0.
fn steps(values: &[f32], expected: &[u8], mean: f32) -> (f32, f32) {
    let plane = expected.len() / 3;
    assert_eq!(values.len(), expected.len());
    let differences = (0..expected.len()).map(|at| {
        let value = values[at % 3 * plane + at / 3];
        let byte = if mean == 0.0 { value * 255.0 } else { (value * 0.5 + mean) * 255.0 };
        (byte - f32::from(expected[at])).abs()
    });
    let sum: f32 = differences.clone().sum();
    (sum / expected.len() as f32, differences.fold(0.0, f32::max))
}

#[test]
fn a_jpeg_cut_below_half_is_refused_and_above_half_is_kept_and_says_so() {
    for name in ["large.jpg", "large-progressive.jpg"] {
        let whole = bytes(&format!("photos/{name}"));
        let mut shares = Vec::new();
        for percent in [10, 30, 60, 80, 95] {
            match decode(&whole[..whole.len() * percent / 100]) {
                Ok(photo) => {
                    let rescue = photo.rescue().expect("says so");
                    assert_eq!((photo.width(), photo.height()), (96, 160));
                    assert!((0.5..=1.0).contains(&rescue.share));
                    shares.push(rescue.share);
                }
                Err(PhotoError::TooTruncated { share, .. }) => {
                    assert!(share < 0.5);
                    shares.push(share);
                }
                Err(PhotoError::Header { .. }) => shares.push(0.0),
                Err(other) => panic!("{name} at {percent} %: {other}"),
            }
        }
        assert!(shares[0] < 0.5 && shares[4] >= 0.5, "{name}: {shares:?}");
        assert!(shares.is_sorted(), "{name}: {shares:?}");
    }
}

/// The derived share against the truth: the rows that agree with the whole photo.
#[test]
fn the_share_of_rows_is_that_of_the_rows_which_agree_with_the_whole_photo() {
    let file = bytes("photos/large.jpg");
    let whole = decode(&file).expect("the whole photo");
    let row = 96 * 3;
    for percent in 60..100 {
        let Ok(photo) = decode(&file[..file.len() * percent / 100]) else { continue };
        let share = photo.rescue().expect("says so").share;
        let rows = whole.pixels().chunks(row).zip(photo.pixels().chunks(row));
        // Damaged files go to the second decoder, which rounds in its own way.
        let agrees = |(a, b): &(&[u8], &[u8])| a.iter().zip(*b).all(|(a, b)| a.abs_diff(*b) <= 8);
        let agree = rows.take_while(agrees).count() as f32 / 160.0;
        // The row of blocks with the cut in it, 16 pixels, holds data in part.
        assert!((share - agree).abs() <= 17.0 / 160.0, "{percent} %: {share} and {agree}");
    }
}

#[test]
fn files_that_are_no_photos_are_named_for_what_they_are() {
    assert!(matches!(decode(b""), Err(PhotoError::Empty)));
    assert!(matches!(decode(b"Dear diary, today"), Err(PhotoError::UnknownFormat)));
    assert!(matches!(decode(&[0xFF, 0xD8, 0xFF]), Err(PhotoError::Header { .. })));
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1\0\0\0\0";
    assert!(matches!(decode(heic), Err(PhotoError::Header { .. })));
}

#[test]
fn a_tiff_with_a_palette_has_its_colours() {
    let photo = decode(&bytes("photos/palette.tif")).expect("a photo");
    let plain = decode(&bytes("photos/rgb.png")).expect("a photo");
    let differences = photo.pixels().iter().zip(plain.pixels()).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences.map(u64::from).sum();
    assert_eq!(sum, 49_258, "as far from the photo as Pillow's reading of the same palette");
}

#[test]
fn a_photo_over_the_memory_limit_is_a_named_error_before_memory_is_taken() {
    for name in ["rgb.png", "large.jpg", "large-progressive.jpg", "deflate.tif", "lossy.webp"] {
        let bytes = bytes(&format!("photos/{name}"));
        let tight = Limits { memory: 1000, ..Limits::default() };
        let error = Photo::decode(&bytes, &tight).expect_err(name);
        assert!(matches!(error, PhotoError::TooMuchMemory { limit: 1000, .. }), "{name}: {error}");
        assert!(Photo::decode(&bytes, &Limits { memory: 8 << 20, ..tight }).is_ok(), "{name}");
    }
    // 150,000,000 x 1.
    let mut png = bytes("photos/rgb.png");
    png[16..20].copy_from_slice(&150_000_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&1u32.to_be_bytes());
    let error = decode(&png).expect_err("too much");
    assert!(matches!(error, PhotoError::TooMuchMemory { .. }), "{error}");
}

#[test]
fn a_small_file_that_claims_a_huge_photo_costs_nothing() {
    let mut png = bytes("photos/rgb.png");
    png.truncate(1000);
    png[16..20].copy_from_slice(&60_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&60_000u32.to_be_bytes());
    let error = decode(&png).expect_err("too large");
    assert!(matches!(error, PhotoError::TooManyPixels { width: 60_000, height: 60_000, .. }));
    let few = Limits { bytes: 100, ..Limits::default() };
    let error = Photo::decode(&png, &few).expect_err("too many bytes");
    assert!(matches!(error, PhotoError::TooManyBytes { bytes: 1000, limit: 100 }));
}

#[test]
fn every_photo_cut_anywhere_or_with_a_byte_changed_gives_a_photo_or_an_error() {
    let folder = golden("photos");
    for entry in std::fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "rgb") {
            continue;
        }
        let whole = std::fs::read(&path).expect("read");
        for at in (0..whole.len()).step_by(whole.len() / 60 + 1) {
            let _ = decode(&whole[..at]);
            let mut changed = whole.clone();
            changed[at] ^= 0xFF;
            if let Ok(photo) =
                Photo::decode(&changed, &Limits { pixels: 1 << 20, ..Limits::default() })
            {
                let pixels = photo.width() as usize * photo.height() as usize;
                assert_eq!(photo.pixels().len(), pixels * 3, "{}", path.display());
            }
        }
    }
}
