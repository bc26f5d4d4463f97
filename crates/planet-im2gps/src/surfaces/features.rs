use super::Segments;
use crate::WorkingImage;

/// Numbers that describe a region.
pub const FEATURES: usize = 20;

/// Describes each region of a picture: mean (0..3) and deviation (3..6) of L\*, a\*, b\* in
/// hundreds; mean change of lightness to the right and downwards (6, 7); mean place (8, 9), top
/// and bottom (10, 11) as shares of width and height; root of the share of the picture (12); share
/// of the picture's top and bottom row (13, 14); deviation of the place (15, 16); difference to
/// the picture's mean L\*, a\*, b\* (17..20).
pub fn region_features(image: &WorkingImage, segments: &Segments) -> Vec<[f32; FEATURES]> {
    let (height, width) = (image.height(), image.width());
    let mut regions = vec![Sums::default(); segments.count];
    let lab = image.lab();
    for (place, region) in segments.regions.iter().enumerate() {
        let (y, x) = (place / width, place % width);
        let own = lab[place].map(|value| f64::from(value) / 100.0);
        let change = |other: usize| (f64::from(lab[other][0]) / 100.0 - own[0]).abs();
        let right = if x + 1 < width { change(place + 1) } else { 0.0 };
        let down = if y + 1 < height { change(place + width) } else { 0.0 };
        let at = [(x as f64 + 0.5) / width as f64, (y as f64 + 0.5) / height as f64];
        regions[*region as usize].add(own, [right, down], at, [y, height]);
    }
    let mut whole = Sums::default();
    regions.iter().for_each(|region| whole.join(region));
    regions.iter().map(|region| region.features(&whole, [height, width])).collect()
}

#[derive(Clone, Default)]
struct Sums {
    pixels: f64,
    lab: [f64; 3],
    lab_squares: [f64; 3],
    change: [f64; 2],
    place: [f64; 2],
    place_squares: [f64; 2],
    /// First row, and the one behind the last.
    rows: Option<[usize; 2]>,
    top: f64,
    bottom: f64,
}

impl Sums {
    fn add(&mut self, lab: [f64; 3], change: [f64; 2], at: [f64; 2], [y, height]: [usize; 2]) {
        self.pixels += 1.0;
        add(&mut self.lab, lab);
        add(&mut self.lab_squares, lab.map(|value| value * value));
        add(&mut self.change, change);
        add(&mut self.place, at);
        add(&mut self.place_squares, at.map(|value| value * value));
        let [first, _] = self.rows.unwrap_or([y, y]);
        self.rows = Some([first, y + 1]);
        self.top += f64::from(u8::from(y == 0));
        self.bottom += f64::from(u8::from(y + 1 == height));
    }

    fn join(&mut self, other: &Self) {
        self.pixels += other.pixels;
        add(&mut self.lab, other.lab);
    }

    fn features(&self, whole: &Self, [height, width]: [usize; 2]) -> [f32; FEATURES] {
        let mean = |sum: f64| sum / self.pixels;
        let deviation =
            |sum: f64, squares: f64| (mean(squares) - mean(sum) * mean(sum)).max(0.0).sqrt();
        let [first, behind] = self.rows.unwrap_or_default().map(|row| row as f64 / height as f64);
        let (mut features, mut next) = ([0.0f32; FEATURES], 0);
        let mut put = |value: f64| {
            features[next] = value as f32;
            next += 1;
        };
        (0..3).for_each(|at| put(mean(self.lab[at])));
        (0..3).for_each(|at| put(deviation(self.lab[at], self.lab_squares[at])));
        (0..2).for_each(|at| put(mean(self.change[at])));
        (0..2).for_each(|at| put(mean(self.place[at])));
        [first, behind].into_iter().for_each(&mut put);
        put((self.pixels / (height * width) as f64).sqrt());
        [self.top, self.bottom].into_iter().for_each(|row| put(row / width as f64));
        (0..2).for_each(|at| put(deviation(self.place[at], self.place_squares[at])));
        (0..3).for_each(|at| put(mean(self.lab[at]) - whole.lab[at] / whole.pixels));
        features
    }
}

fn add<const N: usize>(sums: &mut [f64; N], values: [f64; N]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}
