//! JPEGs that libjpeg-turbo reduces as it decodes them (feature `turbojpeg`).
#![cfg(feature = "turbojpeg")]

use std::path::Path;

use planet_data::{Limits, Photo, Preprocess};

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/photos");
    std::fs::read(folder.join(name)).expect("a golden file")
}

fn both(bytes: &[u8], preprocess: &Preprocess) -> (Photo, Photo) {
    let limits = Limits::default();
    let full = Photo::decode(bytes, &limits).expect("a photo");
    (full, Photo::decode_for(bytes, &limits, preprocess).expect("a photo"))
}

#[test]
fn a_reduced_photo_is_upright_and_gives_nearly_the_same_input() {
    let preprocess = Preprocess::inception(14);
    let turned = (1..=8).map(|orientation| format!("orientation-{orientation}.jpg"));
    let plain = ["large.jpg", "large-progressive.jpg", "420.jpg", "444.jpg", "grey.jpg"];
    for name in turned.chain(plain.map(str::to_owned)) {
        let (full, reduced) = both(&bytes(&name), &preprocess);
        let divisor = [8, 4, 2].into_iter().find(|d| full.width().min(full.height()) / 14 >= *d);
        let divisor = divisor.expect("photos of at least 28 pixels");
        let sides = (full.width().div_ceil(divisor), full.height().div_ceil(divisor));
        assert_eq!((reduced.width(), reduced.height()), sides, "{name}");
        let (a, b) = (preprocess.apply(&full), preprocess.apply(&reduced));
        let sum: f32 = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
        let mean = 127.5 * sum / a.len() as f32;
        assert!(mean < 4.0, "{name}: {mean} steps of 255 apart");
    }
}

#[test]
fn a_photo_with_nothing_to_spare_is_decoded_as_ever() {
    let (full, same) = both(&bytes("large.jpg"), &Preprocess::inception(60));
    assert_eq!(full, same);
}

#[test]
fn inks_and_damaged_files_go_to_the_ordinary_decoder() {
    let preprocess = Preprocess::inception(8);
    let (full, same) = both(&bytes("cmyk.jpg"), &preprocess);
    assert_eq!(full, same);
    let whole = bytes("large.jpg");
    let (full, same) = both(&whole[..whole.len() * 8 / 10], &preprocess);
    assert!(same.rescue().is_some());
    assert_eq!(full, same);
}
