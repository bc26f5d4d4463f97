//! JPEGs that are decoded at a fraction of their size, because the network's input is much smaller.

use std::path::Path;

use planet_data::{Decoding, Limits, Photo, Preprocess};

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos");
    std::fs::read(folder.join(name)).expect("a golden file")
}

fn both(bytes: &[u8], preprocess: &Preprocess) -> (Photo, Photo) {
    let limits = Limits::default();
    let full = Photo::decode(bytes, &limits).expect("a photo");
    (full, Photo::decode_for(bytes, &limits, preprocess).expect("a photo"))
}

/// The input of half the side, divided by 2.5, is one for which half the size is just enough; and so
/// on.
fn side(photo: &Photo, divisor: u32) -> usize {
    (f64::from(photo.width().min(photo.height())) / f64::from(divisor) / 2.5) as usize
}

#[test]
fn a_reduced_photo_is_upright_and_gives_nearly_the_same_input() {
    let turned = (1..=8).map(|orientation| format!("orientation-{orientation}.jpg"));
    let plain = ["large.jpg", "large-progressive.jpg", "420.jpg", "422.jpg", "444.jpg", "grey.jpg"];
    for name in turned.chain(plain.map(str::to_owned)) {
        let file = bytes(&name);
        let photo = Photo::decode(&file, &Limits::default()).expect("a photo");
        for divisor in [2, 4, 8] {
            let preprocess = Preprocess::inception(side(&photo, divisor).max(1));
            let (full, reduced) = both(&file, &preprocess);
            let sides = (full.width().div_ceil(divisor), full.height().div_ceil(divisor));
            assert_eq!((reduced.width(), reduced.height()), sides, "{name}");
            let (a, b) = (preprocess.apply(&full), preprocess.apply(&reduced));
            let sum: f32 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
            let mean = 127.5 * sum / a.len() as f32;
            // The last column and row of a small photo are a great part of it, and of half a block.
            let allowed = if name.starts_with("large") { 0.7 } else { 9.0 };
            assert!(mean < allowed, "{name}, {divisor}: {mean} steps of 255 apart");
            let whole = Preprocess { decoding: Decoding::Full, ..preprocess };
            assert_eq!(both(&file, &whole).1, full, "{name}");
        }
    }
}

#[test]
fn a_photo_with_nothing_to_spare_is_decoded_in_full() {
    let file = bytes("large.jpg");
    let photo = Photo::decode(&file, &Limits::default()).expect("a photo");
    let (full, same) = both(&file, &Preprocess::inception(side(&photo, 2) + 1));
    assert_eq!(full, same);
}

#[test]
fn inks_and_damaged_files_go_to_the_ordinary_decoder() {
    let preprocess = Preprocess::inception(2);
    let (full, same) = both(&bytes("cmyk.jpg"), &preprocess);
    assert_eq!(full, same);
    let whole = bytes("large.jpg");
    let (full, same) = both(&whole[..whole.len() * 8 / 10], &preprocess);
    assert!(same.rescue().is_some());
    assert_eq!(full, same);
    // Bits within the scan that are no code of its tables: libjpeg only warns of them.
    let mut noisy = whole;
    let from = noisy.len() * 9 / 10;
    noisy[from..from + 40].fill(0xFE);
    let (full, same) = both(&noisy, &preprocess);
    assert_eq!(full, same);
}

#[test]
fn packages_that_do_not_state_how_photos_were_decoded_were_trained_on_whole_ones() {
    let reduced = Preprocess::inception(299);
    let text = serde_json::to_string(&reduced).expect("JSON");
    assert!(text.contains(r#""decoding":"reduced""#), "{text}");
    let silent = text.replace(r#","decoding":"reduced""#, "");
    let full: Preprocess = serde_json::from_str(&silent).expect("a preprocessing");
    assert_eq!(full, Preprocess { decoding: Decoding::Full, ..reduced });
    assert_eq!(serde_json::to_string(&full).expect("JSON"), silent);
}
