use jpeg_encoder::{ColorType, Encoder};

use crate::{Filter, Fit, Photo, PhotoRecord, Preprocess};

/// Which photos a sheet shows: `count` of them, chosen by a hash of seed and id, so that the
/// choice does not depend on the order; in the manifest's order.
pub fn sample(records: &[PhotoRecord], count: usize, seed: u64) -> Vec<usize> {
    let key = |&place: &usize| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.update(records[place].photo.as_bytes());
        *hasher.finalize().as_bytes()
    };
    let mut places: Vec<usize> = (0..records.len()).collect();
    places.sort_by_cached_key(key);
    places.truncate(count);
    places.sort_unstable();
    places
}

/// A photo fitted into a square of `side` pixels, at most 4096, as JPEG.
pub fn thumbnail_jpeg(photo: &Photo, side: u32) -> Vec<u8> {
    const QUALITY: u8 = 80;
    let small = thumbnail(photo, side.clamp(1, 4096));
    let mut jpeg = Vec::new();
    let (width, height) = (small.width() as u16, small.height() as u16);
    Encoder::new(&mut jpeg, QUALITY)
        .encode(small.pixels(), width, height, ColorType::Rgb)
        .expect("memory takes every picture of such a size");
    jpeg
}

/// A photo fitted into a square of `side` pixels.
pub fn thumbnail(photo: &Photo, side: u32) -> Photo {
    let longest = f64::from(photo.width().max(photo.height()));
    let scaled =
        |length: u32| ((f64::from(length) * f64::from(side) / longest).round() as usize).max(1);
    let (width, height) = (scaled(photo.width()), scaled(photo.height()));
    let small = Preprocess {
        size: [height, width],
        fit: Fit::Squash,
        filter: Filter::Lanczos,
        ..Preprocess::inception(1)
    };
    Photo::from_rgb(width as u32, height as u32, small.fitted(photo).pixels)
        .expect("a fitted photo has three bytes a pixel")
}
