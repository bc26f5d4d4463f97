use crate::WorkingImage;

/// Joint histogram of the pixels' L\*, a\* and b\*: their shares in 4 × 14 × 14 bins, which sum
/// to one. A bin holds its lower edge; the outer bins are open.
pub struct ColourHistogram;

/// Edges between the bins of lightness.
const LIGHTNESS: [f32; 3] = [55.0, 70.0, 90.0];
/// Edges between the bins of a and b: −30 to 30 by 5.
const OPPONENT: [f32; 13] =
    [-30.0, -25.0, -20.0, -15.0, -10.0, -5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0];

impl ColourHistogram {
    /// Numbers, `[L, a, b]` (paper: 4 × 14 × 14).
    pub const VALUES: usize = (LIGHTNESS.len() + 1) * (OPPONENT.len() + 1) * (OPPONENT.len() + 1);

    /// Appends them.
    pub fn append(image: &WorkingImage, values: &mut Vec<f32>) {
        let mut counts = [0u32; Self::VALUES];
        image.lab().iter().for_each(|pixel| counts[Self::bin(pixel)] += 1);
        let pixels = image.lab().len() as f32;
        values.extend(counts.iter().map(|count| *count as f32 / pixels));
    }

    /// The bin of a pixel's L\*, a\*, b\*.
    pub fn bin([lightness, a, b]: &[f32; 3]) -> usize {
        let of = |value: &f32, edges: &[f32]| edges.partition_point(|edge| edge <= value);
        let (a, b) = (of(a, &OPPONENT), of(b, &OPPONENT));
        let row = of(lightness, &LIGHTNESS) * (OPPONENT.len() + 1) + a;
        row * (OPPONENT.len() + 1) + b
    }
}
