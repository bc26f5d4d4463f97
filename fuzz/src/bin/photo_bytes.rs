//! Whole photos: every decoder behind its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use planet_data::{Limits, Photo, Preprocess};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 20, pixels: 1 << 20, ..Limits::default() };
    if let Ok(photo) = Photo::decode(bytes, &limits) {
        let pixels = u64::from(photo.width()) * u64::from(photo.height());
        assert_eq!(photo.pixels().len() as u64, pixels * 3);
        assert_eq!(Preprocess::inception(8).apply(&photo).len(), 3 * 8 * 8);
    }
});
