use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::{
    Photo, Preprocess,
    preprocess::{Fitted, Window},
};

/// How training photos are varied. Nothing is by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Least share of a photo's area that a random crop keeps, above 0 and below 1; the crop's
    /// shape varies from 3:4 to 4:3. Replaces the preprocessing's fit.
    pub crop: Option<f32>,
    /// Greatest change of brightness, contrast and saturation, each by a factor between
    /// 1 − jitter and 1 + jitter.
    pub jitter: Option<f32>,
    /// Mirrors half the photos left to right. Off unless wished: it also mirrors script, and
    /// the side that people drive on, which tell places apart.
    pub flip: bool,
}

impl Augment {
    /// Cuts, resizes and varies.
    pub(super) fn apply(
        &self,
        preprocess: &Preprocess,
        photo: &Photo,
        random: &mut impl Rng,
    ) -> Fitted {
        let mut fitted = match self.crop {
            Some(least) => preprocess.cut(photo, window(photo, f64::from(least), random)),
            None => preprocess.fitted(photo),
        };
        if let Some(jitter) = self.jitter {
            let jitter = jitter.clamp(0.0, 1.0);
            let factors = [(); 3].map(|()| random.random_range(1.0 - jitter..=1.0 + jitter));
            recolour(&mut fitted.pixels, factors);
        }
        if self.flip && random.random_bool(0.5) {
            fitted.mirror();
        }
        fitted
    }
}

/// A random part of the photo, as torchvision's RandomResizedCrop draws it: area uniform, the
/// logarithm of the shape uniform; ten tries, then the middle.
fn window(photo: &Photo, least: f64, random: &mut impl Rng) -> Window {
    let (width, height) = (f64::from(photo.width()), f64::from(photo.height()));
    let widest = (4.0f64 / 3.0).ln();
    for _ in 0..10 {
        let area = width * height * random.random_range(least.clamp(0.01, 1.0)..=1.0);
        let shape = random.random_range(-widest..=widest).exp();
        let (w, h) = ((area * shape).sqrt().round(), (area / shape).sqrt().round());
        if (1.0..=width).contains(&w) && (1.0..=height).contains(&h) {
            let left = random.random_range(0.0..=width - w).floor();
            let top = random.random_range(0.0..=height - h).floor();
            return Window { left, top, width: w, height: h };
        }
    }
    let (w, h) = (width.min(height * 4.0 / 3.0), height.min(width * 4.0 / 3.0));
    Window { left: (width - w) / 2.0, top: (height - h) / 2.0, width: w, height: h }
}

/// Multiplies brightness, then contrast around the mean grey, then saturation around each pixel's grey.
pub(crate) fn recolour(pixels: &mut [u8], [brightness, contrast, saturation]: [f32; 3]) {
    let (pixels, _) = pixels.as_chunks_mut::<3>();
    let sum: f64 = pixels.iter().map(|pixel| f64::from(grey(pixel.map(f32::from)))).sum();
    let mean = brightness * (sum / pixels.len().max(1) as f64) as f32;
    for pixel in pixels {
        let bright = pixel.map(|value| f32::from(value) * brightness);
        let sharp = bright.map(|value| mean + (value - mean) * contrast);
        let grey = grey(sharp);
        // Casting rounds towards zero and saturates at 0 and 255.
        *pixel = sharp.map(|value| (grey + (value - grey) * saturation + 0.5) as u8);
    }
}

/// Luma of ITU-R BT.601, as Pillow's conversion to grey.
fn grey([red, green, blue]: [f32; 3]) -> f32 {
    0.299 * red + 0.587 * green + 0.114 * blue
}
