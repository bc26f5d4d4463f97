//! Local features: interest points and what each looks like (Lowe, "Distinctive image features from
//! scale-invariant keypoints", IJCV 2004).
//!
//! Points are extrema of differences of Gaussians. The numbers that the paper leaves open are those
//! of OpenCV: three layers an octave, a first octave of twice the picture's size, σ 1.6, contrast
//! 0.04, edges 10.

mod describe;
mod detect;
mod scale_space;

use crate::WorkingImage;
use scale_space::ScaleSpace;

/// Numbers that describe a local feature: 4 × 4 cells of 8 orientations.
pub const SIFT_VALUES: usize = 128;

/// An interest point of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keypoint {
    /// Column in pixels, from the middle of the first one.
    pub x: f32,
    /// Row in pixels.
    pub y: f32,
    /// Diameter in pixels of what it describes.
    pub diameter: f32,
    /// Main orientation in degrees, 0..360, from the x axis towards the y axis, which points down.
    pub angle: f32,
    /// Contrast, 0..=1; greater ones are more certain to be found again.
    pub response: f32,
    /// Octave of the scale space and layer within it.
    place: [usize; 2],
}

/// An interest point with what it looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalFeature {
    /// Where it is.
    pub keypoint: Keypoint,
    /// Histograms of gradients around it, of length 1; zero where there is no gradient.
    pub descriptor: [f32; SIFT_VALUES],
}

impl LocalFeature {
    /// Features of a picture at most: those of the greatest contrast.
    pub const MOST: usize = 400;

    /// The features of a photo, those of greater contrast first. Uniform and tiny ones have none.
    pub fn all_of(image: &WorkingImage) -> Vec<Self> {
        let space = ScaleSpace::new(&image.luma(), [image.height(), image.width()]);
        let mut keypoints = space.keypoints();
        // The sort keeps the order of equal ones: the result depends on the picture alone.
        keypoints.sort_by(|a, b| b.response.total_cmp(&a.response));
        keypoints.truncate(Self::MOST);
        let feature =
            |keypoint: Keypoint| Self { keypoint, descriptor: space.descriptor(&keypoint) };
        keypoints.into_iter().map(feature).collect()
    }
}
