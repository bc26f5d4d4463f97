use std::sync::Arc;

use rustfft::{Fft, FftPlanner, num_complex::Complex32};

/// Fourier transforms of pictures of one size.
pub struct Fourier {
    height: usize,
    width: usize,
    /// Forward and inverse, along a row and along a column.
    rows: [Arc<dyn Fft<f32>>; 2],
    columns: [Arc<dyn Fft<f32>>; 2],
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Inverse,
}

impl Fourier {
    /// For pictures of this height and width in pixels, both at least 1.
    pub fn new(height: usize, width: usize) -> Self {
        let mut planner = FftPlanner::new();
        let mut both = |side| [planner.plan_fft_forward(side), planner.plan_fft_inverse(side)];
        Self { height, width, rows: both(width), columns: both(height) }
    }

    /// Spectrum of a real picture `[height, width]`, transposed: `[width, height]`.
    pub fn forward(&self, picture: &[f32]) -> Vec<Complex32> {
        let mut values: Vec<_> = picture.iter().map(|&value| Complex32::new(value, 0.0)).collect();
        self.run(&mut values, Direction::Forward);
        values
    }

    /// The picture `[height, width]` of a transposed spectrum `[width, height]`.
    pub fn inverse(&self, mut spectrum: Vec<Complex32>) -> Vec<Complex32> {
        self.run(&mut spectrum, Direction::Inverse);
        let scale = 1.0 / (self.height * self.width) as f32;
        spectrum.iter_mut().for_each(|value| *value *= scale);
        spectrum
    }

    /// The frequencies of a transposed spectrum in cycles per picture, `[width, height]`:
    /// horizontal and vertical, from minus half a side on.
    pub fn frequencies(&self) -> impl Iterator<Item = [f32; 2]> + use<> {
        let signed = |at: usize, side: usize| {
            let (at, side) = (at as i64, side as i64);
            (if at < (side + 1) / 2 { at } else { at - side }) as f32
        };
        let (height, width) = (self.height, self.width);
        (0..width)
            .flat_map(move |x| (0..height).map(move |y| [signed(x, width), signed(y, height)]))
    }

    /// Transforms the inner side, transposes, transforms the other side: a forward transform
    /// ends transposed, and an inverse one undoes it.
    fn run(&self, values: &mut Vec<Complex32>, direction: Direction) {
        let (first, second, inner, outer) = match direction {
            Direction::Forward => (&self.rows[0], &self.columns[0], self.width, self.height),
            Direction::Inverse => (&self.columns[1], &self.rows[1], self.height, self.width),
        };
        first.process(values);
        let mut turned = vec![Complex32::default(); values.len()];
        transpose(values, &mut turned, outer, inner);
        second.process(&mut turned);
        *values = turned;
    }
}

/// `[rows, columns]` becomes `[columns, rows]`, in blocks that stay in the cache.
fn transpose(from: &[Complex32], to: &mut [Complex32], rows: usize, columns: usize) {
    const BLOCK: usize = 16;
    for top in (0..rows).step_by(BLOCK) {
        for left in (0..columns).step_by(BLOCK) {
            for row in top..(top + BLOCK).min(rows) {
                for column in left..(left + BLOCK).min(columns) {
                    to[column * rows + row] = from[row * columns + column];
                }
            }
        }
    }
}

/// A picture `[height, width]` with so many more rows and columns on each side (top, left,
/// bottom, right), mirrored at its edges, each edge pixel twice, as often as it takes.
pub fn mirrored(picture: &[f32], size: [usize; 2], margin: [usize; 4]) -> Vec<f32> {
    let [height, width] = size;
    let [top, left, bottom, right] = margin;
    let place = |at: usize, before: usize, side: usize| {
        let period = 2 * side;
        let at = (at + period * before.div_ceil(period) - before) % period;
        if at < side { at } else { period - 1 - at }
    };
    let columns: Vec<usize> = (0..left + width + right).map(|x| place(x, left, width)).collect();
    let rows = (0..top + height + bottom).map(|y| place(y, top, height));
    rows.flat_map(|y| columns.iter().map(move |&x| picture[y * width + x])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_back_from_its_spectrum() {
        let picture: Vec<f32> = (0..6 * 10).map(|at| ((at * 37) % 23) as f32).collect();
        let fourier = Fourier::new(6, 10);
        let spectrum = fourier.forward(&picture);
        assert!((spectrum[0].re - picture.iter().sum::<f32>()).abs() < 1e-2);
        let back = fourier.inverse(spectrum);
        assert!(back.iter().zip(&picture).all(|(is, want)| (is.re - want).abs() < 1e-4));
        let frequencies: Vec<_> = fourier.frequencies().collect();
        assert_eq!(frequencies[..4], [[0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, -3.0]]);
    }

    #[test]
    fn a_small_picture_is_mirrored_again_and_again() {
        let row = mirrored(&[1.0, 2.0], [1, 2], [0, 5, 0, 3]);
        assert_eq!(row, [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0]);
        let one = mirrored(&[3.0], [1, 1], [2, 1, 0, 1]);
        assert_eq!(one, [3.0; 9]);
    }
}
