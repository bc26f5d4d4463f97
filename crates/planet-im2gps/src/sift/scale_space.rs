/// Layers of an octave in which points are found.
pub const LAYERS: usize = 3;
/// Smoothing of an octave's first layer: standard deviation in its pixels.
pub const SIGMA: f32 = 1.6;
/// Smoothing that a camera's picture is taken to have, in pixels.
const CAMERA_SIGMA: f32 = 0.5;

/// A picture of one channel.
#[derive(Clone, Debug)]
pub struct Plane {
    pub height: usize,
    pub width: usize,
    /// `[height, width]`
    pub values: Vec<f32>,
}

impl Plane {
    pub fn at(&self, y: usize, x: usize) -> f32 {
        self.values[y * self.width + x]
    }

    /// Change to the right and upwards between the neighbours of an inner pixel.
    pub fn gradient(&self, y: usize, x: usize) -> [f32; 2] {
        [self.at(y, x + 1) - self.at(y, x - 1), self.at(y - 1, x) - self.at(y + 1, x)]
    }
}

/// A picture at growing smoothness: octaves of half the size of the one before, each with layers
/// whose standard deviation grows by the third root of two.
pub struct ScaleSpace {
    /// `[octaves][LAYERS + 3]`; the first one has twice the picture's size.
    pub octaves: Vec<Vec<Plane>>,
}

impl ScaleSpace {
    /// Of grey values `[height, width]`. A picture of fewer than two pixels along a side has no
    /// octaves.
    pub fn new(grey: &[u8], size: [usize; 2]) -> Self {
        let doubled = doubled(grey, size);
        let shorter = doubled.height.min(doubled.width) as f32;
        let count = (shorter.log2() - 2.0).round() as isize + 1;
        let own = 2.0 * CAMERA_SIGMA;
        let mut first = blurred(&doubled, (SIGMA * SIGMA - own * own).sqrt());
        let mut octaves = Vec::new();
        for _ in 0..count {
            let mut layers = vec![first];
            for layer in 1..LAYERS + 3 {
                let sigma = |layer: usize| SIGMA * 2f32.powf(layer as f32 / LAYERS as f32);
                let [before, after] = [sigma(layer - 1), sigma(layer)];
                let step = (after * after - before * before).sqrt();
                layers.push(blurred(&layers[layer - 1], step));
            }
            first = halved(&layers[LAYERS]);
            octaves.push(layers);
        }
        Self { octaves }
    }
}

/// Twice the size, by linear interpolation.
fn doubled(grey: &[u8], [height, width]: [usize; 2]) -> Plane {
    // A new pixel lies a quarter of an old one from the middle of the old one that it is part of.
    let pair = |at: usize, side: usize| {
        let own = at / 2;
        let is_first = at.is_multiple_of(2);
        let other = if is_first { own.saturating_sub(1) } else { (own + 1).min(side - 1) };
        [own, other]
    };
    let mut values = Vec::with_capacity(4 * grey.len());
    for [y, other_y] in (0..2 * height).map(|y| pair(y, height)) {
        for [x, other_x] in (0..2 * width).map(|x| pair(x, width)) {
            let row = |y: usize| {
                let at = |x: usize| f32::from(grey[y * width + x]);
                0.75 * at(x) + 0.25 * at(other_x)
            };
            values.push(0.75 * row(y) + 0.25 * row(other_y));
        }
    }
    Plane { height: 2 * height, width: 2 * width, values }
}

/// Every second pixel of every second row.
fn halved(plane: &Plane) -> Plane {
    let (height, width) = ((plane.height / 2).max(1), (plane.width / 2).max(1));
    let values = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
    let values = values.map(|(y, x)| plane.at(2 * y, 2 * x)).collect();
    Plane { height, width, values }
}

/// Smoothed by a Gaussian that is cut off at four deviations. Beyond its border a picture is
/// mirrored at its outermost pixels.
fn blurred(plane: &Plane, sigma: f32) -> Plane {
    let kernel = Kernel::new(sigma);
    let Plane { height, width, .. } = *plane;
    let reach = kernel.halves.len() - 1;
    let mut padded = vec![0.0; width + 2 * reach];
    let mut across = vec![0.0; height * width];
    for (row, result) in plane.values.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        for (at, value) in padded.iter_mut().enumerate() {
            *value = row[mirrored(at as isize - reach as isize, width)];
        }
        let part = |shift: usize| &padded[shift..shift + width];
        kernel.sum(result, part(reach), |step| [part(reach - step), part(reach + step)]);
    }
    let mut values = vec![0.0; height * width];
    for (y, result) in values.chunks_exact_mut(width).enumerate() {
        let row = |y: isize| &across[mirrored(y, height) * width..][..width];
        let y = y as isize;
        kernel.sum(result, row(y), |step| [row(y - step as isize), row(y + step as isize)]);
    }
    Plane { height, width, values }
}

/// The weights of a Gaussian, from its middle on.
struct Kernel {
    halves: Vec<f32>,
}

impl Kernel {
    fn new(sigma: f32) -> Self {
        // The whole kernel has 8 σ + 1 weights, an odd number.
        let reach = ((8.0 * sigma + 1.0).round() as usize | 1) / 2;
        let weight = |at: usize| (-0.5 * (at as f64 / f64::from(sigma)).powi(2)).exp();
        let weights: Vec<f64> = (0..=reach).map(weight).collect();
        let sum = 2.0 * weights.iter().sum::<f64>() - weights[0];
        Self { halves: weights.into_iter().map(|weight| (weight / sum) as f32).collect() }
    }

    /// The weighted sum of a row and of the pairs of rows around it.
    fn sum<'a>(&self, result: &mut [f32], middle: &[f32], pair: impl Fn(usize) -> [&'a [f32]; 2]) {
        let weight = self.halves[0];
        result.iter_mut().zip(middle).for_each(|(sum, value)| *sum = weight * value);
        for (step, weight) in self.halves.iter().enumerate().skip(1) {
            let [before, after] = pair(step);
            for ((sum, a), b) in result.iter_mut().zip(before).zip(after) {
                *sum += weight * (a + b);
            }
        }
    }
}

/// A place beyond a side's ends, mirrored at the outermost pixels as often as it takes.
fn mirrored(mut at: isize, side: usize) -> usize {
    let last = side as isize - 1;
    if last == 0 {
        return 0;
    }
    while !(0..=last).contains(&at) {
        at = if at < 0 { -at } else { 2 * last - at };
    }
    at as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_mirrored_at_its_outermost_pixels_again_and_again() {
        let places: Vec<usize> = (-4..7).map(|at| mirrored(at, 3)).collect();
        assert_eq!(places, [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
        assert_eq!(mirrored(-5, 1), 0);
    }

    #[test]
    fn smoothing_keeps_a_uniform_picture_and_the_sum_of_a_spot() {
        let plane = Plane { height: 4, width: 7, values: vec![90.0; 28] };
        assert!(blurred(&plane, 2.0).values.iter().all(|value| (value - 90.0).abs() < 1e-3));
        let mut spot = Plane { height: 41, width: 41, values: vec![0.0; 41 * 41] };
        spot.values[20 * 41 + 20] = 1.0;
        let spot = blurred(&spot, 2.0);
        assert!((spot.values.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        let ratio = spot.at(20, 22) / spot.at(20, 20);
        assert!((ratio - (-0.5f32).exp()).abs() < 1e-4, "{ratio}");
    }

    #[test]
    fn a_picture_of_one_row_has_no_octaves_and_a_tiny_one_few() {
        assert!(ScaleSpace::new(&[7; 50], [1, 50]).octaves.is_empty());
        assert_eq!(ScaleSpace::new(&[7; 64], [8, 8]).octaves.len(), 3);
    }
}
