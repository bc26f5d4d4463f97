use std::io::Cursor;

use image::{ImageFormat, RgbImage, imageops};
use jpeg_encoder::{ColorType, Encoder};

use crate::{Filter, Fit, Photo, PhotoRecord, Preprocess};

/// Pixels between the photos of a sheet.
const GAP: u32 = 6;

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

/// Photos side by side, `columns` in a row, each fitted into a square of `side` pixels, as PNG.
/// A photo that could not be read is a grey square.
pub fn contact_sheet(photos: &[Option<Photo>], columns: u32, side: u32) -> Vec<u8> {
    let columns = columns.clamp(1, photos.len().max(1) as u32);
    let rows = (photos.len() as u32).div_ceil(columns).max(1);
    let size = |count: u32| count * (side + GAP) + GAP;
    let mut sheet = RgbImage::from_pixel(size(columns), size(rows), image::Rgb([28, 28, 32]));
    for (place, photo) in (0..).zip(photos) {
        let (column, row) = (place % columns, place / columns);
        let thumbnail = photo.as_ref().map_or_else(
            || RgbImage::from_pixel(side / 2, side / 2, image::Rgb([90, 90, 90])),
            |photo| thumbnail(photo, side),
        );
        let left = GAP + column * (side + GAP) + (side - thumbnail.width()) / 2;
        let top = GAP + row * (side + GAP) + (side - thumbnail.height()) / 2;
        imageops::replace(&mut sheet, &thumbnail, left.into(), top.into());
    }
    let mut png = Cursor::new(Vec::new());
    sheet.write_to(&mut png, ImageFormat::Png).expect("memory takes every picture");
    png.into_inner()
}

/// A photo fitted into a square of `side` pixels, at most 4096, as JPEG.
pub fn thumbnail_jpeg(photo: &Photo, side: u32) -> Vec<u8> {
    const QUALITY: u8 = 80;
    let small = thumbnail(photo, side.clamp(1, 4096));
    let mut jpeg = Vec::new();
    let (width, height) = (small.width() as u16, small.height() as u16);
    Encoder::new(&mut jpeg, QUALITY)
        .encode(small.as_raw(), width, height, ColorType::Rgb)
        .expect("memory takes every picture of such a size");
    jpeg
}

fn thumbnail(photo: &Photo, side: u32) -> RgbImage {
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
    RgbImage::from_raw(width as u32, height as u32, small.fitted(photo).pixels)
        .expect("a fitted photo has three bytes a pixel")
}
