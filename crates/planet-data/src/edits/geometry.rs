//! Changes of which part of a photo is seen, and where.

use image::{Rgb, RgbImage, imageops};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::{Photo, thumbnail};

/// How much wider or higher than the photo's own shape a crop may be, as a factor.
const SHAPE: f64 = 1.2;

/// Keeps a random window without `share` of the area.
pub(super) fn crop(picture: &RgbImage, share: f64, random: &mut ChaCha8Rng) -> RgbImage {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let kept = 1.0 - share.clamp(0.0, 1.0);
    let shape = random.random_range(-SHAPE.ln()..=SHAPE.ln()).exp();
    // A window that would be wider or higher than the photo takes its shape from the photo.
    let across = (kept.sqrt() * shape).clamp(kept, 1.0);
    let (w, h) = (side(width * across), side(height * kept / across));
    let left = random.random_range(0..=picture.width() - w);
    let top = random.random_range(0..=picture.height() - h);
    imageops::crop_imm(picture, left, top, w, h).to_image()
}

/// Cuts a strip of `share` of the width or height off one side.
pub(super) fn crop_side(picture: &RgbImage, share: f64, random: &mut ChaCha8Rng) -> RgbImage {
    let (width, height) = picture.dimensions();
    let rest = |length: u32| side(f64::from(length) * (1.0 - share.clamp(0.0, 1.0)));
    let (w, h) = (rest(width), rest(height));
    let (left, top, w, h) = match random.random_range(0..4) {
        0 => (width - w, 0, w, height),
        1 => (0, 0, w, height),
        2 => (0, height - h, width, h),
        _ => (0, 0, width, h),
    };
    imageops::crop_imm(picture, left, top, w, h).to_image()
}

/// A length in whole pixels, at least one.
fn side(length: f64) -> u32 {
    (length.round() as u32).max(1)
}

/// Turns about the middle, either way; what lies outside is of one random grey.
pub(super) fn rotate(picture: &RgbImage, degrees: f64, random: &mut ChaCha8Rng) -> RgbImage {
    let degrees = if random.random_bool(0.5) { degrees } else { -degrees };
    let outside = Rgb([[0, 128, 255][random.random_range(0..3)]; 3]);
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (width, height) = picture.dimensions();
    let [middle_x, middle_y] = [width, height].map(|side| (f64::from(side) - 1.0) / 2.0);
    RgbImage::from_fn(width, height, |x, y| {
        let [x, y] = [f64::from(x) - middle_x, f64::from(y) - middle_y];
        let (x, y) = (cosine * x + sine * y + middle_x, cosine * y - sine * x + middle_y);
        imageops::interpolate_bilinear(picture, x as f32, y as f32).unwrap_or(outside)
    })
}

/// A frame of one random colour, as wide as `share` of the shorter side.
pub(super) fn border(picture: &RgbImage, share: f64, random: &mut ChaCha8Rng) -> RgbImage {
    let (width, height) = picture.dimensions();
    let frame = side(f64::from(width.min(height)) * share);
    let colour = Rgb(random.random());
    let mut framed = RgbImage::from_pixel(width + 2 * frame, height + 2 * frame, colour);
    imageops::replace(&mut framed, picture, frame.into(), frame.into());
    framed
}

/// Divides both sides by `factor`.
pub(super) fn resize(photo: &Photo, factor: f64) -> Photo {
    let longest = photo.width().max(photo.height());
    thumbnail(photo, side(f64::from(longest) / factor.max(1.0)))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn random(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Each pixel says where it is.
    fn places() -> RgbImage {
        RgbImage::from_fn(200, 100, |x, y| Rgb([x as u8, y as u8, 9]))
    }

    #[test]
    fn a_crop_is_a_window_without_the_share_of_the_area() {
        for (seed, share) in (0..20).flat_map(|seed| [0.04, 0.2, 0.5, 0.9].map(|it| (seed, it))) {
            let cropped = crop(&places(), share, &mut random(seed));
            let kept = f64::from(cropped.width() * cropped.height()) / 20_000.0;
            assert!((kept - (1.0 - share)).abs() < 0.02, "{kept} of {share}");
            let Rgb([left, top, _]) = *cropped.get_pixel(0, 0);
            let last = cropped.get_pixel(cropped.width() - 1, cropped.height() - 1);
            let (right, below) =
                (u32::from(left) + cropped.width() - 1, u32::from(top) + cropped.height() - 1);
            assert_eq!(*last, Rgb([right as u8, below as u8, 9]));
        }
    }

    #[test]
    fn a_strip_is_cut_off_one_side_and_every_side_has_its_turn() {
        let mut seen = std::collections::HashSet::new();
        for seed in 0..40 {
            let cropped = crop_side(&places(), 0.2, &mut random(seed));
            let Rgb([left, top, _]) = *cropped.get_pixel(0, 0);
            assert!([(160, 100), (200, 80)].contains(&cropped.dimensions()));
            seen.insert((cropped.dimensions(), left, top));
        }
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn a_turned_photo_keeps_its_middle_and_its_size() {
        let turned = rotate(&places(), 30.0, &mut random(1));
        assert_eq!(turned.dimensions(), (200, 100));
        let Rgb([x, y, _]) = *turned.get_pixel(100, 50);
        assert!(x.abs_diff(100) <= 1 && y.abs_diff(50) <= 1);
        let corner = turned.get_pixel(0, 0).0;
        assert!(corner[0] == corner[1] && corner[1] == corner[2]);
    }

    #[test]
    fn a_border_stands_on_all_sides() {
        let framed = border(&places(), 0.1, &mut random(2));
        assert_eq!(framed.dimensions(), (220, 120));
        assert_eq!(framed.get_pixel(10, 10), places().get_pixel(0, 0));
        assert_eq!(framed.get_pixel(0, 60), framed.get_pixel(219, 119));
    }
}
