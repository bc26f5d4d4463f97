use planet_data::Photo;

use crate::lab::lab;

/// Longer side in pixels that descriptors see at most. Photos are reduced to it, never enlarged.
pub const LONGEST_SIDE: usize = 256;

/// A photo as the descriptors see it: at most [`LONGEST_SIDE`] pixels long, in RGB and L\*a\*b\*.
///
/// One reduction serves all descriptors, so that a photo is decoded and reduced once.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkingImage {
    width: usize,
    height: usize,
    /// `[height, width, 3]`
    rgb: Vec<u8>,
    /// `[height, width]`
    lab: Vec<[f32; 3]>,
}

impl WorkingImage {
    /// Reduces a photo by area averages.
    pub fn new(photo: &Photo) -> Self {
        let [height, width] = [photo.height() as usize, photo.width() as usize];
        let longest = width.max(height);
        if longest <= LONGEST_SIDE {
            return Self::of_rgb(width, height, photo.pixels().to_vec());
        }
        let scaled = |side: usize| {
            let side = side as f64 * LONGEST_SIDE as f64 / longest as f64;
            (side.round() as usize).max(1)
        };
        let size = [scaled(height), scaled(width)];
        let values =
            area_averages(photo.pixels(), [height, width], size, |value| f32::from(*value));
        let rgb = values.into_iter().map(|value| value.round() as u8).collect();
        Self::of_rgb(size[1], size[0], rgb)
    }

    fn of_rgb(width: usize, height: usize, rgb: Vec<u8>) -> Self {
        let lab = rgb.as_chunks::<3>().0.iter().map(|pixel| lab(*pixel)).collect();
        Self { width, height, rgb, lab }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `[height, width]`: red, green, blue.
    pub fn rgb(&self) -> &[[u8; 3]] {
        self.rgb.as_chunks().0
    }

    /// `[height, width]`: lightness 0..=100, a and b.
    pub fn lab(&self) -> &[[f32; 3]] {
        &self.lab
    }

    /// Luma of ITU-R BT.601, rounded, `[height, width]`.
    pub fn luma(&self) -> Vec<u8> {
        let luma = |[red, green, blue]: &[u8; 3]| {
            let sum = 4899 * u32::from(*red) + 9617 * u32::from(*green) + 1868 * u32::from(*blue);
            ((sum + (1 << 13)) >> 14) as u8
        };
        self.rgb().iter().map(luma).collect()
    }

    /// RGB of the whole photo squashed to `[height, width]`: `[height, width, 3]`, 0..=255.
    pub fn rgb_squashed(&self, size: [usize; 2]) -> Vec<f32> {
        area_averages(&self.rgb, [self.height, self.width], size, |value| f32::from(*value))
    }

    /// L\*a\*b\* of the whole photo squashed to `[height, width]`: `[height, width, 3]`.
    pub fn lab_squashed(&self, size: [usize; 2]) -> Vec<f32> {
        self.squashed(self.lab.as_flattened(), size)
    }

    /// Three numbers for every pixel of the photo, squashed to `[height, width, 3]`.
    pub fn squashed(&self, values: &[f32], size: [usize; 2]) -> Vec<f32> {
        area_averages(values, [self.height, self.width], size, |value| *value)
    }
}

/// Area averages: each result is the mean of the part of the picture that it covers, whether it
/// covers many pixels or a fraction of one. `values` is `[height, width, 3]`.
fn area_averages<T>(
    values: &[T],
    from: [usize; 2],
    to: [usize; 2],
    number: impl Fn(&T) -> f32,
) -> Vec<f32> {
    let across = Shares::new(from[1], to[1]);
    let rows = values.chunks_exact(3 * from[1]).map(|row| {
        let mut short = vec![0.0f32; 3 * to[1]];
        for (at, target) in short.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            for (pixel, share) in across.of(at) {
                for channel in 0..3 {
                    target[channel] += share * number(&row[3 * pixel + channel]);
                }
            }
        }
        short
    });
    // A photo of 60,000 × 1 pixels turned on its side has as many rows: one is held at a time.
    let down = Shares::new(from[0], to[0]);
    let mut result = vec![0.0f32; 3 * to[0] * to[1]];
    let mut rows = rows.enumerate().peekable();
    let mut row = rows.next();
    for (at, target) in result.chunks_exact_mut(3 * to[1]).enumerate() {
        for (source, share) in down.of(at) {
            while row.as_ref().is_some_and(|(held, _)| *held < source) {
                row = rows.next();
            }
            let (_, values) = row.as_ref().expect("a share is of a row");
            target.iter_mut().zip(values).for_each(|(sum, value)| *sum += share * value);
        }
    }
    result
}

/// Which source pixels a target pixel covers along one side, and what share of it each is.
struct Shares {
    from: usize,
    scale: f64,
}

impl Shares {
    fn new(from: usize, to: usize) -> Self {
        Self { from, scale: from as f64 / to as f64 }
    }

    fn of(&self, at: usize) -> impl Iterator<Item = (usize, f32)> + use<> {
        let (begin, end) = (at as f64 * self.scale, (at + 1) as f64 * self.scale);
        let (last, scale) = (self.from, self.scale);
        let pixels = begin.floor() as usize..(end.ceil() as usize).min(last);
        pixels.filter_map(move |pixel| {
            let covered = end.min((pixel + 1) as f64) - begin.max(pixel as f64);
            // What rounding leaves of a neighbour is no part.
            (covered > 1e-9).then_some((pixel, (covered / scale) as f32))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> Photo {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let pixels = pixels.flat_map(|(x, y)| [value(x, y); 3]).collect();
        Photo::from_rgb(width, height, pixels).expect("a photo")
    }

    #[test]
    fn a_photo_is_reduced_to_the_longest_side_and_never_enlarged() {
        let size = |width, height| {
            let image = WorkingImage::new(&photo(width, height, |_, _| 7));
            assert!(image.rgb().iter().all(|pixel| *pixel == [7; 3]));
            [image.width(), image.height()]
        };
        assert_eq!(size(640, 480), [256, 192]);
        assert_eq!(size(8, 5), [8, 5]);
        assert_eq!(size(60_000, 1), [256, 1]);
        assert_eq!(size(1, 60_000), [1, 256]);
    }

    #[test]
    fn an_average_weighs_pixels_by_the_part_that_is_covered() {
        // Three pixels in two: one and a half each.
        let image = WorkingImage::new(&photo(3, 1, |x, _| [0, 90, 240][x as usize]));
        let halves = image.rgb_squashed([1, 2]);
        assert_eq!(halves, [30.0, 30.0, 30.0, 190.0, 190.0, 190.0]);
        // Two pixels in three: the middle one covers half of each.
        let image = WorkingImage::new(&photo(1, 2, |_, y| [10, 20][y as usize]));
        let thirds: Vec<f32> = image.rgb_squashed([3, 1]).into_iter().step_by(3).collect();
        assert!(thirds.iter().zip([10.0, 15.0, 20.0]).all(|(is, want)| (is - want).abs() < 1e-5));
    }
}
