//! Changes that leave a photo recognisable: what near-duplicates of it differ by.

mod colour;
mod geometry;
mod overlay;

use std::{fmt, str::FromStr};

use image::RgbImage;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::Photo;

/// One kind of change. Its strength is a number whose unit depends on the kind; a seed decides what
/// the strength leaves open, such as where a crop lies.
///
/// ```
/// use planet_data::{Edit, Photo};
///
/// let photo = Photo::from_rgb(40, 30, vec![127; 3 * 40 * 30])?;
/// let cropped = Edit::Crop.apply(&photo, 0.5, 7);
/// let share = f64::from(cropped.width() * cropped.height()) / (40.0 * 30.0);
/// assert!((share - 0.5).abs() < 0.05);
/// # Ok::<(), planet_data::PhotoError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Edit {
    /// Keeps a random window; strength: share of the area that is cut off.
    Crop,
    /// Cuts a strip off one side; strength: its share of the width or height.
    CropSide,
    /// Mirrors left to right; no strength.
    Flip,
    /// Turns about the middle within the same frame; strength: degrees.
    Rotation,
    /// Changes brightness, contrast and saturation; strength: each is multiplied or divided by 1 +
    /// this.
    Tone,
    /// Takes the colours away; no strength.
    Grey,
    /// Gaussian blur; strength: standard deviation as a share of the longer side.
    Blur,
    /// Coloured shapes over the photo; strength: share of the area that they cover.
    Stickers,
    /// Lines of letters over the photo; strength: height of a letter as a share of the photo's.
    Text,
    /// A frame of one colour round the photo; strength: its width as a share of the shorter side.
    Border,
    /// The photo on a page with a bar and lines of text; strength: share of the page's area that the
    /// photo leaves free.
    Screenshot,
    /// Reduces the size; strength: what the sides are divided by.
    Resize,
    /// Saves as JPEG; strength: 100 − quality.
    Jpeg,
}

impl Edit {
    /// All of them, in the order in which they are combined.
    pub const ALL: [Self; 13] = [
        Self::Crop,
        Self::CropSide,
        Self::Flip,
        Self::Rotation,
        Self::Tone,
        Self::Grey,
        Self::Blur,
        Self::Stickers,
        Self::Text,
        Self::Border,
        Self::Screenshot,
        Self::Resize,
        Self::Jpeg,
    ];

    /// Name in configurations and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crop => "crop",
            Self::CropSide => "crop-side",
            Self::Flip => "flip",
            Self::Rotation => "rotation",
            Self::Tone => "tone",
            Self::Grey => "grey",
            Self::Blur => "blur",
            Self::Stickers => "stickers",
            Self::Text => "text",
            Self::Border => "border",
            Self::Screenshot => "screenshot",
            Self::Resize => "resize",
            Self::Jpeg => "jpeg",
        }
    }

    /// The weakest and the strongest that [`Edits`] draws.
    const fn strengths(self) -> [f64; 2] {
        match self {
            Self::Crop => [0.02, 0.6],
            Self::CropSide => [0.02, 0.3],
            Self::Flip | Self::Grey => [0.0, 0.0],
            Self::Rotation => [1.0, 20.0],
            Self::Tone => [0.05, 0.5],
            Self::Blur => [0.001, 0.012],
            Self::Stickers => [0.02, 0.25],
            Self::Text => [0.04, 0.15],
            Self::Border => [0.01, 0.25],
            Self::Screenshot => [0.1, 0.6],
            Self::Resize => [1.0, 6.0],
            Self::Jpeg => [5.0, 95.0],
        }
    }

    /// How often [`Edits`] draws it, 0..=1: crops, which take most away, in every second photo.
    const fn frequency(self) -> f64 {
        match self {
            Self::Crop | Self::Jpeg => 0.5,
            Self::Tone | Self::Text | Self::Stickers => 0.25,
            _ => 0.15,
        }
    }

    /// The photo with this change.
    pub fn apply(self, photo: &Photo, strength: f64, seed: u64) -> Photo {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let random = &mut random;
        match self {
            Self::Crop => changed(photo, |it| geometry::crop(it, strength, random)),
            Self::CropSide => changed(photo, |it| geometry::crop_side(it, strength, random)),
            Self::Flip => changed(photo, image::imageops::flip_horizontal),
            Self::Rotation => changed(photo, |it| geometry::rotate(it, strength, random)),
            Self::Tone => changed(photo, |it| colour::tone(it, strength, random)),
            Self::Grey => changed(photo, colour::grey),
            Self::Blur => changed(photo, |it| colour::blur(it, strength)),
            Self::Stickers => changed(photo, |it| overlay::stickers(it, strength, random)),
            Self::Text => changed(photo, |it| overlay::text(it, strength, random)),
            Self::Border => changed(photo, |it| geometry::border(it, strength, random)),
            Self::Screenshot => changed(photo, |it| overlay::screenshot(it, strength, random)),
            Self::Resize => geometry::resize(photo, strength),
            Self::Jpeg => colour::jpeg(photo, 100.0 - strength),
        }
    }
}

/// What a function makes of a photo's pixels.
fn changed(photo: &Photo, change: impl FnOnce(&RgbImage) -> RgbImage) -> Photo {
    let pixels = photo.pixels().to_vec();
    let picture = RgbImage::from_raw(photo.width(), photo.height(), pixels)
        .expect("a photo has three bytes for every pixel");
    let picture = change(&picture);
    Photo::from_rgb(picture.width(), picture.height(), picture.into_raw())
        .expect("no change takes all pixels")
}

/// Random combinations of changes, for training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edits {
    /// Kinds that are not used.
    pub leave_out: Vec<Edit>,
}

impl Edits {
    /// The photo with a random combination of changes of random strength, at least one.
    pub fn apply(&self, photo: &Photo, random: &mut impl Rng) -> Photo {
        let kinds: Vec<Edit> =
            Edit::ALL.into_iter().filter(|edit| !self.leave_out.contains(edit)).collect();
        let mut chosen: Vec<Edit> =
            kinds.iter().copied().filter(|it| random.random_bool(it.frequency())).collect();
        if let ([], Some(count)) = (&chosen[..], kinds.len().checked_sub(1)) {
            chosen.push(kinds[random.random_range(0..=count)]);
        }
        chosen.into_iter().fold(photo.clone(), |photo, edit| {
            let [weakest, strongest] = edit.strengths();
            let strength = random.random_range(weakest..=strongest);
            edit.apply(&photo, strength, random.random())
        })
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Edit {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or_else(|| {
            format!("there is no edit '{name}'; there are {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

impl TryFrom<String> for Edit {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl From<Edit> for String {
    fn from(edit: Edit) -> Self {
        edit.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perceptual_hash;

    /// A photo with something everywhere.
    fn photo(width: u32, height: u32) -> Photo {
        let value = |x: u32, y: u32| {
            let wave =
                (f64::from(x) / 9.0).sin() + (f64::from(y) / 7.0 + f64::from(x) / 31.0).cos();
            (128.0 + 60.0 * wave) as u8
        };
        let pixel = |at: u32| [value(at % width, at / width), (at % 251) as u8, (at / 7) as u8];
        let pixels = (0..width * height).flat_map(pixel).collect();
        Photo::from_rgb(width, height, pixels).expect("a photo")
    }

    fn strongest(edit: Edit) -> f64 {
        edit.strengths()[1]
    }

    #[test]
    fn an_edit_depends_on_strength_and_seed_alone_and_changes_the_photo() {
        let photo = photo(120, 90);
        for edit in Edit::ALL {
            let changed = edit.apply(&photo, strongest(edit), 1);
            assert_eq!(changed, edit.apply(&photo, strongest(edit), 1), "{edit}");
            assert_ne!(changed, photo, "{edit}");
            assert_eq!(edit.name().parse(), Ok(edit));
        }
        let error = "zoom".parse::<Edit>().expect_err("no such edit");
        assert!(error.contains("zoom") && error.contains("crop-side"), "{error}");
    }

    #[test]
    fn photos_of_one_pixel_and_of_one_row_survive_every_edit() {
        for (width, height) in [(1, 1), (200, 1), (1, 200), (3, 2)] {
            let photo = photo(width, height);
            for edit in Edit::ALL {
                for strength in edit.strengths() {
                    let changed = edit.apply(&photo, strength, 3);
                    assert!(changed.width() > 0 && changed.height() > 0, "{edit}");
                }
            }
        }
    }

    #[test]
    fn weak_edits_leave_a_photo_that_the_perceptual_hash_knows_and_strong_crops_do_not() {
        let photo = photo(240, 180);
        let hash = perceptual_hash(&photo);
        let bits =
            |edit: Edit, strength| perceptual_hash(&edit.apply(&photo, strength, 5)).distance(hash);
        for (edit, strength) in [(Edit::Jpeg, 40.0), (Edit::Resize, 2.0), (Edit::Blur, 0.002)] {
            assert!(bits(edit, strength) < 40, "{edit}: {}", bits(edit, strength));
        }
        assert!(bits(Edit::Crop, 0.5) > 63 && bits(Edit::Flip, 0.0) > 63);
    }

    #[test]
    fn combinations_depend_on_their_random_numbers_and_leave_kinds_out() {
        let photo = photo(64, 48);
        let draw = |edits: &Edits, seed| edits.apply(&photo, &mut ChaCha8Rng::seed_from_u64(seed));
        let all = Edits::default();
        assert_eq!(draw(&all, 1), draw(&all, 1));
        assert_ne!(draw(&all, 1), draw(&all, 2));
        assert!((0..50).all(|seed| draw(&all, seed) != photo));
        // With nothing but flips left, every draw is the mirror image.
        let others = Edit::ALL.into_iter().filter(|it| *it != Edit::Flip).collect();
        let flips = Edits { leave_out: others };
        assert!((0..20).all(|seed| draw(&flips, seed) == Edit::Flip.apply(&photo, 0.0, 0)));
        let none = Edits { leave_out: Edit::ALL.to_vec() };
        assert_eq!(draw(&none, 1), photo);
    }
}
