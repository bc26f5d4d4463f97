use crate::WorkingImage;

/// Where the photo shows ground, vertical surfaces and sky: their probabilities in the cells of a
/// grid.
pub struct Layout;

impl Layout {
    /// Cells along each side (paper: 8).
    const CELLS: usize = 8;
    /// Numbers, `[row, column, 3]`: ground, vertical (porous surfaces included), sky.
    pub const VALUES: usize = Self::CELLS * Self::CELLS * 3;

    /// Appends them; those of each cell sum to one. `pixels` are the probabilities of the four
    /// surfaces, `[height, width]`.
    pub fn append(image: &WorkingImage, pixels: &[[f32; 4]], values: &mut Vec<f32>) {
        let three = |[ground, vertical, sky, porous]: &[f32; 4]| [*ground, vertical + porous, *sky];
        let pixels: Vec<f32> = pixels.iter().flat_map(three).collect();
        values.extend(image.squashed(&pixels, [Self::CELLS; 2]));
    }
}
