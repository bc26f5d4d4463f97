use std::f32::consts::{LN_2, PI};

use rustfft::num_complex::Complex32;

use crate::{
    WorkingImage,
    fourier::{Fourier, mirrored},
};

/// Gist (Oliva and Torralba, "Modeling the shape of the scene", IJCV 2001): mean amplitude of
/// oriented band-pass filters in the cells of a grid; behind it the mean colour of each cell.
///
/// The photo is squashed to a square, its grey values stretched to 0..=255, whitened and divided
/// by local contrast; then filtered by Gabor transfer functions
/// `exp(−3.5 (r / n / f − 1)² − 2 π w (t + θ)²)` of frequency radius `r` and angle `t`.
pub struct Gist {
    whitening: Fourier,
    /// Low-pass transfer function of the whitening, transposed.
    low_pass: Vec<f32>,
    filtering: Fourier,
    /// Transfer functions, one after another, transposed.
    filters: Vec<Vec<f32>>,
}

impl Gist {
    const SCALES: usize = 4;
    const ORIENTATIONS: usize = 6;
    /// Cells along each side (Im2GPS: 5).
    const CELLS: usize = 5;
    /// Numbers: `[scale, orientation, row, column]`, then L\*, a\*, b\* in hundreds
    /// `[row, column, 3]`.
    pub const VALUES: usize = Self::CELLS * Self::CELLS * (Self::SCALES * Self::ORIENTATIONS + 3);

    /// Side of the square in pixels.
    const SIDE: usize = 128;
    /// Mirrored pixels around it while it is whitened, and while it is filtered.
    const WHITENING_MARGIN: usize = 5;
    const FILTERING_MARGIN: usize = 16;
    /// Cycles per picture at which the whitening's low pass has fallen to one half.
    const CUTOFF: f32 = 4.0;
    /// Keeps the contrast of flat places from being raised without bound.
    const LEAST_CONTRAST: f32 = 0.2;

    /// Prepares the transfer functions.
    pub fn new() -> Self {
        let side = Self::SIDE + 2 * Self::WHITENING_MARGIN;
        let whitening = Fourier::new(side, side);
        let width = Self::CUTOFF / LN_2.sqrt();
        let low_pass = whitening.frequencies();
        let low_pass = low_pass.map(|[x, y]| (-(x * x + y * y) / (width * width)).exp()).collect();
        let side = Self::SIDE + 2 * Self::FILTERING_MARGIN;
        let filtering = Fourier::new(side, side);
        let filters = (0..Self::SCALES * Self::ORIENTATIONS)
            .map(|at| transfer(&filtering, at / Self::ORIENTATIONS, at % Self::ORIENTATIONS))
            .collect();
        Self { whitening, low_pass, filtering, filters }
    }

    /// Appends the numbers of a photo. Those of a photo without any contrast are zero, its
    /// colours excepted.
    pub fn append(&self, image: &WorkingImage, values: &mut Vec<f32>) {
        let rgb = image.rgb_squashed([Self::SIDE; 2]);
        let grey: Vec<f32> =
            rgb.as_chunks::<3>().0.iter().map(|pixel| pixel.iter().sum::<f32>() / 3.0).collect();
        let white = self.whiten(&stretched(grey));
        let margin = Self::FILTERING_MARGIN;
        let spectrum = self.filtering.forward(&mirrored(&white, [Self::SIDE; 2], [margin; 4]));
        for filter in &self.filters {
            let response = self.filtering.inverse(product(&spectrum, filter));
            cell_means(&response, margin, values);
        }
        let colours = image.lab_squashed([Self::CELLS; 2]);
        values.extend(colours.iter().map(|value| value / 100.0));
    }

    /// Logarithm, minus its low frequencies, by the local deviation: `[side, side]`.
    fn whiten(&self, grey: &[f32]) -> Vec<f32> {
        let margin = Self::WHITENING_MARGIN;
        let logarithm: Vec<f32> = grey.iter().map(|value| (value + 1.0).ln()).collect();
        let logarithm = mirrored(&logarithm, [Self::SIDE; 2], [margin; 4]);
        let low = self.low(&logarithm);
        let high: Vec<f32> =
            logarithm.iter().zip(&low).map(|(value, low)| value - low.re).collect();
        let energy: Vec<f32> = high.iter().map(|value| value * value).collect();
        let deviation = self.low(&energy);
        let side = Self::SIDE + 2 * margin;
        let inner = (margin..margin + Self::SIDE)
            .flat_map(|y| (margin..margin + Self::SIDE).map(move |x| y * side + x));
        inner.map(|at| high[at] / (Self::LEAST_CONTRAST + deviation[at].norm().sqrt())).collect()
    }

    fn low(&self, picture: &[f32]) -> Vec<Complex32> {
        self.whitening.inverse(product(&self.whitening.forward(picture), &self.low_pass))
    }
}

/// Stretches values to 0..=255; those that are all equal become zero.
fn stretched(mut values: Vec<f32>) -> Vec<f32> {
    // Rounding of the averages is no contrast.
    const LEAST: f32 = 1e-3;
    let least = values.iter().copied().fold(f32::INFINITY, f32::min);
    let greatest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scale = if greatest - least > LEAST { 255.0 / (greatest - least) } else { 0.0 };
    values.iter_mut().for_each(|value| *value = (*value - least) * scale);
    values
}

/// Transfer function of a scale and an orientation.
fn transfer(fourier: &Fourier, scale: usize, orientation: usize) -> Vec<f32> {
    let side = (Gist::SIDE + 2 * Gist::FILTERING_MARGIN) as f32;
    // Centre in cycles per pixel: 0.3, and each scale 1.85 times coarser.
    let centre = 0.3 / 1.85f32.powi(scale as i32);
    let orientations = Gist::ORIENTATIONS as f32;
    // Width across the orientation.
    let width = 16.0 * orientations * orientations / (32.0 * 32.0);
    let angle = PI * orientation as f32 / orientations;
    let value = |[x, y]: [f32; 2]| {
        let radius = x.hypot(y) / side / centre - 1.0;
        let mut turn = y.atan2(x) + angle;
        if turn > PI {
            turn -= 2.0 * PI;
        }
        (-3.5 * radius * radius - 2.0 * PI * width * turn * turn).exp()
    };
    fourier.frequencies().map(value).collect()
}

fn product(spectrum: &[Complex32], transfer: &[f32]) -> Vec<Complex32> {
    spectrum.iter().zip(transfer).map(|(value, share)| value * share).collect()
}

/// Appends the mean amplitude in each cell.
fn cell_means(response: &[Complex32], margin: usize, values: &mut Vec<f32>) {
    let edge = |cell: usize| cell * Gist::SIDE / Gist::CELLS;
    let row_length = Gist::SIDE + 2 * margin;
    for (top, bottom) in (0..Gist::CELLS).map(|cell| (edge(cell), edge(cell + 1))) {
        for (left, right) in (0..Gist::CELLS).map(|cell| (edge(cell), edge(cell + 1))) {
            let rows = (top..bottom).map(|y| (y + margin) * row_length + margin);
            let sum: f32 = rows
                .map(|row| {
                    response[row + left..row + right].iter().map(|it| it.norm()).sum::<f32>()
                })
                .sum();
            values.push(sum / ((bottom - top) * (right - left)) as f32);
        }
    }
}
