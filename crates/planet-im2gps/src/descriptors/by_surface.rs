use super::{colour::ColourHistogram, textons};
use crate::{SurfaceClass, TextonDictionary, WorkingImage};

/// Histograms of each surface: every pixel counts for each by the surface's probability. All bins
/// sum to one, so that a surface that the photo hardly shows hardly counts.
pub struct BySurface;

impl BySurface {
    /// Numbers of the histograms of colour, `[surface, bin]`.
    pub const COLOUR_VALUES: usize = SurfaceClass::ALL.len() * ColourHistogram::VALUES;
    /// Numbers of the histograms of textons, `[surface, word]`.
    pub const TEXTON_VALUES: usize = SurfaceClass::ALL.len() * TextonDictionary::WORDS;

    /// Appends the histograms of colour; `surfaces` is `[height, width]`.
    pub fn append_colour(image: &WorkingImage, surfaces: &[[f32; 4]], values: &mut Vec<f32>) {
        let bins = image.lab().iter().map(ColourHistogram::bin);
        append(bins.zip(surfaces), ColourHistogram::VALUES, values);
    }

    /// Appends the histograms of textons; `words` are those of the counted pixels.
    pub fn append_textons(
        image: &WorkingImage,
        words: &[u32],
        surfaces: &[[f32; 4]],
        values: &mut Vec<f32>,
    ) {
        let pixels = textons::counted([image.height(), image.width()]);
        let surfaces = pixels.map(|pixel| &surfaces[pixel]);
        let bins = words.iter().map(|word| *word as usize);
        append(bins.zip(surfaces), TextonDictionary::WORDS, values);
    }
}

/// Appends `[surface, bin]` of pixels with their bin and the probabilities of their surface.
fn append<'a>(
    pixels: impl Iterator<Item = (usize, &'a [f32; 4])>,
    bins: usize,
    values: &mut Vec<f32>,
) {
    let mut sums = vec![0.0f64; SurfaceClass::ALL.len() * bins];
    let mut all = 0.0;
    for (bin, probabilities) in pixels {
        for (surface, probability) in probabilities.iter().enumerate() {
            sums[surface * bins + bin] += f64::from(*probability);
        }
        all += 1.0;
    }
    let share = if all > 0.0 { 1.0 / all } else { 0.0 };
    values.extend(sums.into_iter().map(|sum| (sum * share) as f32));
}
