//! Local features: small pieces of a photo that are found again in a crop, a screenshot or a mirror
//! image of it.
//!
//! Two photos show the same picture if (1) some of their keypoints look alike, (2) these agree on how
//! one photo lies on the other, and (3) both have the same brightness, block by block, where they lie
//! on one another. The third step tells copies from other shots of the same place, which never lie on
//! one another exactly.

mod alignment;
mod comparison;
mod descriptor;
mod detector;
mod grey;
mod index;
mod orientation;
mod pairs;

pub use index::{LocalFeatureIndex, LocalMatch};
pub use pairs::{NearPhotos, PhotoList, near_photos};

use crate::Photo;
use descriptor::{Describer, Descriptor};
use grey::Grey;
use orientation::Orientation;

/// Longest side of the picture in which keypoints are looked for, in pixels.
const LONGEST_SIDE: u32 = 320;
/// Longest side of the picture by which two photos are compared once they are aligned.
const COMPARED_SIDE: u32 = 160;
/// Each level of the pyramid is so much smaller than the one before: three levels halve it.
const LEVEL_RATIO: f32 = 1.259_921;
/// Levels of the pyramid: from 320 to 101 pixels.
const LEVELS: u8 = 6;
/// Keypoints of the first level; smaller levels have fewer, in proportion to their sides.
const KEYPOINTS: f32 = 80.0;

/// What is known of a photo for finding near-duplicates of it: at most 289 keypoints with their
/// descriptors, and a grey picture of 160 pixels. Takes about 36 kB.
///
/// Keypoints are corners (Shi and Tomasi 1994) at six scales. A descriptor is 256 comparisons of
/// brightness (BRIEF, Calonder et al. 2010), whose pattern is symmetric under mirroring and quarter
/// turns: the descriptors of a mirrored photo are the same bits in another order.
///
/// ```
/// use planet_data::{Edit, LocalFeatureIndex, LocalFeatures, Photo};
///
/// // A photo with something everywhere, and a half of it, mirrored.
/// let random = |at: u32| (at / 5 % 40 + at / 997 % 40 * 131).wrapping_mul(2_654_435_761) >> 24;
/// let photo = Photo::from_rgb(200, 199, (0..3 * 200 * 199).map(|it| random(it / 3) as u8).collect())?;
/// let copy = Edit::Flip.apply(&Edit::Crop.apply(&photo, 0.5, 1), 0.0, 1);
/// let index = LocalFeatureIndex::new(vec![LocalFeatures::of(&photo)]);
/// let found = index.search(&LocalFeatures::of(&copy));
/// assert_eq!(found.len(), 1);
/// # Ok::<(), planet_data::PhotoError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LocalFeatures {
    keypoints: Vec<Keypoint>,
    /// The photo with a longest side of 160 pixels.
    small: Grey,
    /// Width and height of the picture in which keypoints lie.
    size: [f32; 2],
}

/// A place in a photo that stands out.
#[derive(Clone, Copy, Debug)]
struct Keypoint {
    /// Pixels of the picture of 320 pixels, from its left and upper edge.
    at: [f32; 2],
    /// Level of the pyramid at which it was found.
    level: u8,
    descriptor: Descriptor,
}

impl LocalFeatures {
    /// The features of a photo.
    pub fn of(photo: &Photo) -> Self {
        let picture = Grey::of(photo, LONGEST_SIDE);
        let describer = Describer::new();
        let mut keypoints = Vec::new();
        for level in 0..LEVELS {
            let ratio = LEVEL_RATIO.powi(level.into());
            let reduced = picture.reduced(ratio);
            let shrunk = [0, 1].map(|axis| picture.size()[axis] / reduced.size()[axis]);
            let count = (KEYPOINTS / ratio).round() as usize;
            let smooth = descriptor::smooth(&reduced);
            for corner in detector::corners(&reduced, count, descriptor::MARGIN) {
                let at = [0, 1].map(|axis| (corner[axis] as f32 + 0.5) * shrunk[axis]);
                let descriptor = describer.describe(&smooth, corner);
                keypoints.push(Keypoint { at, level, descriptor });
            }
        }
        let ratio = LONGEST_SIDE as f32 / COMPARED_SIDE as f32;
        Self { keypoints, small: picture.reduced(ratio), size: picture.size() }
    }

    /// The keypoints of the photo when it is mirrored or turned.
    fn keypoints_in(&self, orientation: Orientation) -> Vec<Keypoint> {
        let sources = orientation.sources();
        let changed = |it: &Keypoint| Keypoint {
            at: orientation.point(it.at, self.size),
            level: it.level,
            descriptor: it.descriptor.reordered(&sources),
        };
        self.keypoints.iter().map(changed).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::Edit;

    /// Overlapping rectangles and discs of random brightness.
    pub(super) fn drawn(seed: u64, [width, height]: [i32; 2]) -> Photo {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut pixels = vec![[90, 120, 150]; (width * height) as usize];
        for shape in 0..150 {
            let [x, y] = [random.random_range(0..width), random.random_range(0..height)];
            let size = random.random_range(3..=width.max(height) / 8 + 3);
            let colour: [u8; 3] = random.random();
            for (dy, dx) in (-size..=size).flat_map(|dy| (-size..=size).map(move |dx| (dy, dx))) {
                let (x, y) = (x + dx, y + dy / 2);
                let is_disc = shape % 2 == 0;
                let inside = !is_disc || dx * dx + dy * dy <= size * size;
                if inside && (0..width).contains(&x) && (0..height).contains(&y) {
                    pixels[(y * width + x) as usize] = colour;
                }
            }
        }
        Photo::from_rgb(width as u32, height as u32, pixels.concat()).expect("a photo")
    }

    fn index(seeds: Range<u64>) -> LocalFeatureIndex {
        let photos = seeds.map(|seed| LocalFeatures::of(&drawn(seed, [400, 300])));
        LocalFeatureIndex::new(photos.collect())
    }

    #[test]
    fn copies_are_found_whatever_was_done_to_them_and_other_photos_are_not() {
        let index = index(0..12);
        let cases: [(&str, &[(Edit, f64)]); 12] = [
            ("crop to a half", &[(Edit::Crop, 0.5)]),
            ("side cut", &[(Edit::CropSide, 0.2)]),
            ("mirrored", &[(Edit::Flip, 0.0)]),
            ("a quarter of the size", &[(Edit::Resize, 4.0)]),
            ("JPEG", &[(Edit::Jpeg, 80.0)]),
            ("grey", &[(Edit::Grey, 0.0)]),
            ("tone", &[(Edit::Tone, 0.2)]),
            ("text", &[(Edit::Text, 0.08)]),
            ("stickers", &[(Edit::Stickers, 0.15)]),
            ("border", &[(Edit::Border, 0.15)]),
            ("turned", &[(Edit::Rotation, 8.0)]),
            (
                "all of it",
                &[(Edit::Crop, 0.3), (Edit::Flip, 0.0), (Edit::Border, 0.1), (Edit::Jpeg, 70.0)],
            ),
        ];
        for (name, edits) in cases {
            let mut found = 0;
            for seed in 0..12 {
                let photo = drawn(seed, [400, 300]);
                let copy =
                    edits.iter().fold(photo, |it, (edit, much)| edit.apply(&it, *much, seed));
                let matches = index.search(&LocalFeatures::of(&copy));
                assert!(matches.iter().all(|it| it.photo == seed as usize), "{name}: {matches:?}");
                found += matches.len();
            }
            assert!(found >= 9, "{name}: {found} of 12");
        }
        for seed in 100..120 {
            let other = LocalFeatures::of(&drawn(seed, [400, 300]));
            assert_eq!(index.search(&other), []);
        }
    }

    #[test]
    fn quarter_turns_are_found() {
        let index = index(0..4);
        let photo = drawn(2, [400, 300]);
        let turned = |x: u32, y: u32| {
            let at = ((299 - x) * 400 + y) as usize;
            photo.pixels().as_chunks::<3>().0[at]
        };
        let pixels: Vec<u8> = (0..400)
            .flat_map(|y| (0..300).map(move |x| (x, y)))
            .flat_map(|(x, y)| turned(x, y))
            .collect();
        let turned = LocalFeatures::of(&Photo::from_rgb(300, 400, pixels).expect("a photo"));
        let found = index.search(&turned);
        assert_eq!(found.iter().map(|it| it.photo).collect::<Vec<_>>(), [2]);
        assert!(found[0].share() > 0.9, "{found:?}");
    }

    #[test]
    fn the_same_place_from_one_step_aside_is_no_copy() {
        // A far and a near layer, of which the near one moves against the far one.
        let (far, near) = (drawn(7, [460, 300]), drawn(8, [460, 300]));
        let shot = |step: u32| {
            let pixel = |x: u32, y: u32| {
                let is_near = (y / 50 + x / 60).is_multiple_of(2);
                let (of, by) = if is_near { (&near, 3 * step) } else { (&far, step) };
                of.pixels().as_chunks::<3>().0[(y * 460 + x + by) as usize]
            };
            let pixels = (0..300).flat_map(|y| (0..400).map(move |x| (x, y)));
            let pixels: Vec<u8> = pixels.flat_map(|(x, y)| pixel(x, y)).collect();
            LocalFeatures::of(&Photo::from_rgb(400, 300, pixels).expect("a photo"))
        };
        let index = LocalFeatureIndex::new(vec![shot(0)]);
        assert_eq!(index.search(&shot(0)).len(), 1);
        assert_eq!(index.search(&shot(8)), []);
    }

    #[test]
    fn photos_without_corners_are_not_found() {
        let flat = |width, height| {
            let pixels = vec![127; 3 * width as usize * height as usize];
            LocalFeatures::of(&Photo::from_rgb(width, height, pixels).expect("a photo"))
        };
        let photos = [flat(1, 1), flat(300, 200), flat(1, 500), flat(500, 1), flat(2, 3)];
        let index = LocalFeatureIndex::new(photos.to_vec());
        for photo in &photos {
            assert_eq!(index.search(photo), []);
        }
        assert_eq!(LocalFeatureIndex::new(Vec::new()).search(&photos[1]), []);
    }
}
