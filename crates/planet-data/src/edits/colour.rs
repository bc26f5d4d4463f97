//! Changes of a photo's colours and of their precision.

use image::{RgbImage, imageops};
use jpeg_encoder::{ColorType, Encoder};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::{Limits, Photo, loader::recolour};

/// Longest side that JPEG can save.
const LONGEST: u32 = u16::MAX as u32;

/// Multiplies or divides brightness, contrast and saturation by 1 + `strength`.
pub(super) fn tone(picture: &RgbImage, strength: f64, random: &mut ChaCha8Rng) -> RgbImage {
    let factor = 1.0 + strength as f32;
    let factors = [(); 3].map(|()| if random.random_bool(0.5) { factor } else { 1.0 / factor });
    let mut picture = picture.clone();
    recolour(&mut picture, factors);
    picture
}

/// Takes the colours away.
pub(super) fn grey(picture: &RgbImage) -> RgbImage {
    let mut picture = picture.clone();
    recolour(&mut picture, [1.0, 1.0, 0.0]);
    picture
}

/// Gaussian blur with a standard deviation of `share` of the longer side.
pub(super) fn blur(picture: &RgbImage, share: f64) -> RgbImage {
    let longest = picture.width().max(picture.height());
    imageops::fast_blur(picture, (f64::from(longest) * share).max(0.1) as f32)
}

/// What a JPEG of this quality, 1..=100, keeps; a photo that is too large for JPEG stays as it is.
pub(super) fn jpeg(photo: &Photo, quality: f64) -> Photo {
    let (width, height) = (photo.width(), photo.height());
    if width.max(height) > LONGEST {
        return photo.clone();
    }
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, quality.round().clamp(1.0, 100.0) as u8)
        .encode(photo.pixels(), width as u16, height as u16, ColorType::Rgb)
        .expect("memory takes every picture of such a size");
    let limits = Limits { bytes: u64::MAX, pixels: u64::MAX, memory: u64::MAX };
    Photo::decode(&bytes, &limits).expect("what was just encoded can be decoded")
}

#[cfg(test)]
mod tests {
    use image::Rgb;
    use rand::SeedableRng;

    use super::*;

    fn picture() -> RgbImage {
        RgbImage::from_fn(60, 40, |x, y| Rgb([(x * 4) as u8, (y * 6) as u8, (x * y) as u8]))
    }

    fn spread(picture: &RgbImage) -> f64 {
        let steps = picture.as_raw().windows(4).map(|it| f64::from(it[0].abs_diff(it[3])));
        steps.sum::<f64>() / picture.as_raw().len() as f64
    }

    #[test]
    fn grey_has_three_equal_channels() {
        assert!(
            grey(&picture()).pixels().all(|Rgb([red, green, blue])| red == green && green == blue)
        );
    }

    #[test]
    fn tones_differ_by_seed_and_grow_with_strength() {
        let change = |strength: f64, seed: u64| {
            let toned = tone(&picture(), strength, &mut ChaCha8Rng::seed_from_u64(seed));
            let pairs = toned.as_raw().iter().zip(picture().into_raw());
            pairs.map(|(a, b)| u64::from(a.abs_diff(b))).sum::<u64>()
        };
        assert_eq!(change(0.0, 1), 0);
        assert!(change(0.4, 1) > change(0.1, 1));
        assert!((0..9).any(|seed| change(0.3, seed) != change(0.3, 9)));
    }

    #[test]
    fn a_blur_takes_differences_of_neighbours_away() {
        assert!(spread(&blur(&picture(), 0.05)) < spread(&picture()));
    }

    #[test]
    fn a_worse_jpeg_is_farther_from_the_photo() {
        let photo = Photo::from_rgb(60, 40, picture().into_raw()).expect("a photo");
        let error = |quality| {
            let saved = jpeg(&photo, quality);
            let pairs = saved.pixels().iter().zip(photo.pixels());
            pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>()
        };
        assert!(error(95.0) < error(50.0) && error(50.0) < error(5.0));
    }
}
