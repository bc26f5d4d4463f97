use crate::WorkingImage;

/// The whole photo squashed to 16 × 16 pixels, RGB, 0..=1.
pub struct TinyImage;

impl TinyImage {
    /// Pixels along each side (paper: 16).
    const SIDE: usize = 16;
    /// Numbers, `[16, 16, 3]`.
    pub const VALUES: usize = Self::SIDE * Self::SIDE * 3;

    /// Appends them.
    pub fn append(image: &WorkingImage, values: &mut Vec<f32>) {
        let pixels = image.rgb_squashed([Self::SIDE; 2]);
        values.extend(pixels.iter().map(|value| value / 255.0));
    }
}
