use std::f64::consts::PI;

use super::canny::{Edges, neighbours};
use crate::WorkingImage;

/// Statistics of the straight lines of a photo: two histograms, over angle and over length, to
/// both of which a line adds its length in diagonals of the photo.
///
/// Lines are found in Canny edges as by Košecká and Zhang ("Video compass", ECCV 2002): connected
/// edge pixels with gradients of about one direction, kept where they lie along a line.
pub struct Lines;

/// A straight line in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    /// From the x axis towards the y axis, which points down, 0..π.
    angle: f64,
    /// In pixels.
    length: f64,
}

impl Lines {
    /// Bins of angle; horizontal, vertical and diagonal lines lie in the middle of theirs.
    const ANGLES: usize = 16;
    /// Upper ends of the bins of length but the last, in diagonals, each half as long again.
    const LENGTHS: [f64; 7] = [0.06, 0.09, 0.135, 0.2025, 0.304, 0.456, 0.683];
    /// Numbers: `[angles]`, then `[lengths]`.
    pub const VALUES: usize = Self::ANGLES + Self::LENGTHS.len() + 1;

    /// Directions of the gradient that are told apart when edge pixels are joined.
    const DIRECTIONS: f64 = 16.0;
    /// A line's least length in diagonals.
    const SHORTEST: f64 = 0.04;
    /// Fewest pixels of a line.
    const FEWEST: usize = 5;
    /// Greatest standard deviation of a line's pixels across it, in pixels.
    const WIDEST: f64 = 1.0;

    /// Appends the numbers; all are zero for a photo without lines.
    pub fn append(image: &WorkingImage, values: &mut Vec<f32>) {
        let diagonal = (image.width() as f64).hypot(image.height() as f64);
        let mut angles = [0.0f64; Self::ANGLES];
        let mut lengths = [0.0f64; Self::LENGTHS.len() + 1];
        for Segment { angle, length } in segments(image) {
            let share = length / diagonal;
            if share < Self::SHORTEST {
                continue;
            }
            let bins = Self::ANGLES as f64;
            let bin = (angle / PI * bins + 0.5).floor() as usize % Self::ANGLES;
            angles[bin] += share;
            lengths[Self::LENGTHS.partition_point(|end| *end <= share)] += share;
        }
        values.extend(angles.iter().chain(&lengths).map(|sum| *sum as f32));
    }
}

fn segments(image: &WorkingImage) -> Vec<Segment> {
    let size = [image.height(), image.width()];
    let Edges { edge, gradient } = Edges::of(&image.luma(), size);
    let direction = |place: usize| {
        let [x, y] = gradient[place].map(f64::from);
        let turns = y.atan2(x) / (2.0 * PI) * Lines::DIRECTIONS + 0.5;
        turns.floor().rem_euclid(Lines::DIRECTIONS) as u8
    };
    let mut open = edge;
    let mut found = Vec::new();
    for place in 0..open.len() {
        if !open[place] {
            continue;
        }
        open[place] = false;
        let own = direction(place);
        let mut pixels = vec![place];
        let mut next = 0;
        while next < pixels.len() {
            for other in neighbours(pixels[next], size) {
                if open[other] && direction(other) == own {
                    open[other] = false;
                    pixels.push(other);
                }
            }
            next += 1;
        }
        found.extend(fitted(&pixels, size[1]));
    }
    found
}

/// The line through some pixels by least squares across it; `None` where they do not lie along
/// one.
fn fitted(pixels: &[usize], width: usize) -> Option<Segment> {
    if pixels.len() < Lines::FEWEST {
        return None;
    }
    let points = || pixels.iter().map(|place| [(place % width) as f64, (place / width) as f64]);
    let count = pixels.len() as f64;
    let [mut mean_x, mut mean_y] = [0.0; 2];
    for [x, y] in points() {
        mean_x += x / count;
        mean_y += y / count;
    }
    let [mut xx, mut xy, mut yy] = [0.0; 3];
    for [x, y] in points() {
        let [x, y] = [x - mean_x, y - mean_y];
        xx += x * x / count;
        xy += x * y / count;
        yy += y * y / count;
    }
    // The lesser eigenvalue of the covariance: the variance across the line.
    let spread = ((xx - yy) / 2.0).hypot(xy);
    let across = ((xx + yy) / 2.0 - spread).max(0.0);
    if across.sqrt() > Lines::WIDEST {
        return None;
    }
    let angle = (0.5 * (2.0 * xy).atan2(xx - yy)).rem_euclid(PI);
    let (sin, cos) = angle.sin_cos();
    let along = points().map(|[x, y]| x * cos + y * sin);
    let (least, greatest) = along.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), it| {
        (least.min(it), most.max(it))
    });
    Some(Segment { angle, length: greatest - least })
}

#[cfg(test)]
mod tests {
    use planet_data::Photo;

    use super::*;

    fn image(size: u32, is_white: impl Fn(f64, f64) -> bool) -> WorkingImage {
        let places = (0..size * size).map(|at| (f64::from(at % size), f64::from(at / size)));
        let pixels = places.flat_map(|(x, y)| [if is_white(x, y) { 255 } else { 0 }; 3]).collect();
        WorkingImage::new(&Photo::from_rgb(size, size, pixels).expect("a photo"))
    }

    #[test]
    fn the_sides_of_a_square_are_found_with_their_angles_and_lengths() {
        let inside = |at: f64| (20.0..80.0).contains(&at);
        let mut found = segments(&image(100, |x, y| inside(x) && inside(y)));
        found.retain(|segment| segment.length > 20.0);
        assert_eq!(found.len(), 4, "{found:?}");
        for Segment { angle, length } in &found {
            assert!((50.0..=62.0).contains(length), "{found:?}");
            assert!(angle.sin().abs() < 0.02 || angle.cos().abs() < 0.02, "{found:?}");
        }
    }

    #[test]
    fn noise_has_no_long_lines_and_a_uniform_photo_has_none() {
        let noise = |x: f64, y: f64| ((x * 12.9898 + y * 78.233).sin() * 43_758.5).fract() > 0.3;
        assert!(segments(&image(64, noise)).iter().all(|segment| segment.length < 12.0));
        assert!(segments(&image(64, |_, _| true)).is_empty());
    }
}
