//! What is put over a photo, or round it.

use image::{Rgb, RgbImage, imageops};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// The letters A to Z, three pixels wide and five high, the first row in the highest bits.
const LETTERS: [u16; 26] = [
    0b010_101_111_101_101,
    0b110_101_110_101_110,
    0b011_100_100_100_011,
    0b110_101_101_101_110,
    0b111_100_110_100_111,
    0b111_100_110_100_100,
    0b011_100_101_101_011,
    0b101_101_111_101_101,
    0b111_010_010_010_111,
    0b001_001_001_101_010,
    0b101_101_110_101_101,
    0b100_100_100_100_111,
    0b101_111_111_101_101,
    0b110_101_101_101_101,
    0b010_101_101_101_010,
    0b110_101_110_100_100,
    0b010_101_101_111_011,
    0b110_101_110_101_101,
    0b011_100_010_001_110,
    0b111_010_010_010_010,
    0b101_101_101_101_111,
    0b101_101_101_101_010,
    0b101_101_111_111_101,
    0b101_101_010_101_101,
    0b101_101_010_010_010,
    0b111_001_010_100_111,
];
/// Width and height of a letter in dots; another dot follows as a gap.
const DOTS: [u32; 2] = [3, 5];

/// One to three coloured rectangles and ellipses that cover `share` of the area together, where
/// they do not overlap.
pub(super) fn stickers(picture: &RgbImage, share: f64, random: &mut ChaCha8Rng) -> RgbImage {
    let mut picture = picture.clone();
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let count = random.random_range(1..=3);
    for _ in 0..count {
        let part = (share / f64::from(count)).clamp(0.0, 1.0);
        let across = (part.sqrt() * random.random_range(0.7..1.4)).clamp(part, 1.0);
        let is_round = random.random_bool(0.5);
        // An ellipse covers π/4 of its box.
        let grown = if is_round { (4.0 / std::f64::consts::PI).sqrt() } else { 1.0 };
        let [w, h] = [across * width, part / across * height].map(|it| it * grown);
        let [left, top] = [(width, w), (height, h)]
            .map(|(side, own)| random.random_range(0.0..=1.0) * (side - own).max(0.0));
        let colour = Rgb(random.random());
        let inside = |x: f64, y: f64| {
            let (x, y) = (2.0 * (x - left) / w - 1.0, 2.0 * (y - top) / h - 1.0);
            if is_round { x * x + y * y <= 1.0 } else { x.abs() <= 1.0 && y.abs() <= 1.0 }
        };
        for (x, y, pixel) in picture.enumerate_pixels_mut() {
            if inside(f64::from(x) + 0.5, f64::from(y) + 0.5) {
                *pixel = colour;
            }
        }
    }
    picture
}

/// One to three lines of letters, black, white or coloured, as high as `share` of the photo.
pub(super) fn text(picture: &RgbImage, share: f64, random: &mut ChaCha8Rng) -> RgbImage {
    let mut picture = picture.clone();
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let dot = height * share / f64::from(DOTS[1]);
    for _ in 0..random.random_range(1..=3) {
        let colour = match random.random_range(0..3) {
            0 => Rgb([0; 3]),
            1 => Rgb([255; 3]),
            _ => Rgb(random.random()),
        };
        let at = [random.random_range(0.0..0.4) * width, random.random_range(0.0..0.9) * height];
        let letters = random.random_range(5..=20);
        line(&mut picture, at, dot, colour, letters, random);
    }
    picture
}

/// A line of random letters of `dot` pixels a dot, as far as the picture goes.
fn line(
    picture: &mut RgbImage,
    [left, top]: [f64; 2],
    dot: f64,
    colour: Rgb<u8>,
    letters: u32,
    random: &mut ChaCha8Rng,
) {
    for at in 0..letters {
        let letter = LETTERS[random.random_range(0..LETTERS.len())];
        let begin = left + f64::from(at * (DOTS[0] + 1)) * dot;
        for place in 0..DOTS[0] * DOTS[1] {
            if letter >> (DOTS[0] * DOTS[1] - 1 - place) & 1 == 1 {
                let (column, row) = (f64::from(place % DOTS[0]), f64::from(place / DOTS[0]));
                fill(picture, [begin + column * dot, top + row * dot], [dot; 2], colour);
            }
        }
    }
}

/// A rectangle of one colour, as far as it lies within the picture.
fn fill(picture: &mut RgbImage, [left, top]: [f64; 2], [width, height]: [f64; 2], colour: Rgb<u8>) {
    let within = |begin: f64, length: f64, side: u32| {
        let end = (begin + length).round().max(begin.round() + 1.0);
        (begin.round().max(0.0) as u32).min(side)..(end.max(0.0) as u32).min(side)
    };
    let rows = within(top, height, picture.height());
    let columns = within(left, width, picture.width());
    for (row, column) in rows.flat_map(|row| columns.clone().map(move |column| (row, column))) {
        picture.put_pixel(column, row, colour);
    }
}

/// The photo on a light or dark page with a bar on top and lines of text, of which `share` of the
/// area is not the photo.
pub(super) fn screenshot(picture: &RgbImage, share: f64, random: &mut ChaCha8Rng) -> RgbImage {
    let (width, height) = picture.dimensions();
    let scale = (1.0 / (1.0 - share.clamp(0.0, 0.95))).sqrt();
    let [w, h] = [width, height].map(|side| (f64::from(side) * scale).ceil() as u32);
    let (paper, ink) = if random.random_bool(0.5) { (245, 40) } else { (24, 210) };
    let mut page = RgbImage::from_pixel(w, h, Rgb([paper; 3]));
    let (wide, high) = (f64::from(w), f64::from(h));
    let dot = high / 40.0 / f64::from(DOTS[1]);
    for at in 1..20 {
        let (top, letters) = (high * f64::from(at) / 20.0, random.random_range(10..=60));
        line(&mut page, [wide * 0.02, top], dot, Rgb([ink; 3]), letters, random);
    }
    fill(&mut page, [0.0; 2], [wide, high * 0.06], Rgb(random.random()));
    let (left, top) = (random.random_range(0..=w - width), random.random_range(0..=h - height));
    imageops::replace(&mut page, picture, left.into(), top.into());
    page
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn grey() -> RgbImage {
        RgbImage::from_pixel(200, 150, Rgb([127; 3]))
    }

    fn covered(picture: &RgbImage) -> f64 {
        let other = picture.pixels().filter(|pixel| **pixel != Rgb([127; 3])).count();
        other as f64 / f64::from(picture.width() * picture.height())
    }

    #[test]
    fn stickers_cover_the_share_where_they_do_not_overlap() {
        let all = (0..30)
            .map(|seed| covered(&stickers(&grey(), 0.2, &mut ChaCha8Rng::seed_from_u64(seed))));
        let all: Vec<f64> = all.collect();
        assert!(all.iter().all(|share| (0.08..0.22).contains(share)), "{all:?}");
        let most = all.iter().filter(|share| **share > 0.18).count();
        assert!(most > 15, "{all:?}");
    }

    #[test]
    fn text_takes_more_where_its_letters_are_higher() {
        let share = |height| covered(&text(&grey(), height, &mut ChaCha8Rng::seed_from_u64(4)));
        assert!(share(0.04) > 0.0 && share(0.12) > 2.0 * share(0.04));
    }

    #[test]
    fn a_screenshot_holds_the_whole_photo_and_the_rest_of_the_page() {
        let page = screenshot(&grey(), 0.5, &mut ChaCha8Rng::seed_from_u64(1));
        let area = f64::from(page.width() * page.height());
        assert!((30_000.0 / area - 0.5).abs() < 0.02);
        let photo = page.pixels().filter(|pixel| **pixel == Rgb([127; 3])).count();
        assert_eq!(photo, 30_000);
    }
}
