use std::{collections::HashSet, f32::consts::PI};

use super::{
    Keypoint,
    scale_space::{LAYERS, Plane, SIGMA, ScaleSpace},
};

/// Least contrast of a point, of a picture with values 0..=1, times the layers.
const CONTRAST: f32 = 0.04;
/// Greatest ratio of the curvatures along and across: points on edges have greater ones.
const EDGE: f32 = 10.0;
/// Pixels at the border in which no points are found.
const BORDER: usize = 5;
/// Steps in which an extremum may move to a neighbouring pixel.
const STEPS: usize = 5;
/// Bins of the histogram of orientations.
const BINS: usize = 36;
/// Standard deviation of its window in scales of the point, and half its side.
const WINDOW: [f32; 2] = [1.5, 4.5];
/// Orientations with this share of the greatest one make points of their own.
const PEAK: f32 = 0.8;

impl ScaleSpace {
    /// Extrema of the differences between layers, from fine to coarse, top to bottom.
    pub fn keypoints(&self) -> Vec<Keypoint> {
        let mut found = Vec::new();
        for (octave, layers) in self.octaves.iter().enumerate() {
            let mut seen = HashSet::new();
            // Neighbouring pixels may lead to one extremum.
            let extrema = Differences::of(layers).extrema();
            for extremum in extrema.into_iter().filter(|it| seen.insert(it.at)) {
                let scale = SIGMA * 2f32.powf(extremum.layer() / LAYERS as f32);
                let angles = orientations(&layers[extremum.at[0]], extremum.at, scale);
                found.extend(angles.iter().map(|angle| extremum.keypoint(octave, scale, *angle)));
            }
        }
        found
    }
}

/// Differences of neighbouring layers of an octave, in parts of the greatest grey value.
struct Differences {
    layers: Vec<Plane>,
}

/// An extremum, placed more finely than pixels and layers.
struct Extremum {
    /// Layer, row, column.
    at: [usize; 3],
    /// What the finer place adds to each.
    offset: [f32; 3],
    contrast: f32,
}

impl Extremum {
    fn layer(&self) -> f32 {
        self.at[0] as f32 + self.offset[0]
    }

    fn keypoint(&self, octave: usize, scale: f32, angle: f32) -> Keypoint {
        // The first octave has twice the picture's size.
        let pixels = 0.5 * (1 << octave) as f32;
        let place = |axis: usize| (self.at[axis] as f32 + self.offset[axis]) * pixels;
        Keypoint {
            x: place(2),
            y: place(1),
            diameter: 2.0 * scale * pixels,
            angle,
            response: self.contrast,
            place: [octave, self.at[0]],
        }
    }
}

impl Differences {
    fn of(layers: &[Plane]) -> Self {
        let difference = |pair: &[Plane]| {
            let values = pair[1].values.iter().zip(&pair[0].values);
            let values = values.map(|(after, before)| (after - before) / 255.0).collect();
            Plane { values, ..pair[0] }
        };
        Self { layers: layers.windows(2).map(difference).collect() }
    }

    fn extrema(&self) -> Vec<Extremum> {
        // In whole grey values, as OpenCV has it.
        let least = (0.5 * CONTRAST / LAYERS as f32 * 255.0).floor() / 255.0;
        let Plane { height, width, .. } = self.layers[0];
        let mut found = Vec::new();
        for layer in 1..=LAYERS {
            for y in BORDER..height.saturating_sub(BORDER) {
                for x in BORDER..width.saturating_sub(BORDER) {
                    let value = self.layers[layer].at(y, x);
                    if value.abs() > least && self.is_extreme([layer, y, x], value) {
                        found.extend(self.refined([layer, y, x]));
                    }
                }
            }
        }
        found
    }

    /// Whether none of the 26 values around is farther from zero on the same side.
    fn is_extreme(&self, [layer, y, x]: [usize; 3], value: f32) -> bool {
        let sign = value.signum();
        let own = value.abs();
        self.layers[layer - 1..layer + 2].iter().all(|plane| {
            (y - 1..y + 2).all(|y| {
                let row = &plane.values[y * plane.width + x - 1..][..3];
                row.iter().all(|other| own >= sign * other)
            })
        })
    }

    /// The extremum of the parabola through the values around; `None` where that leaves the
    /// picture, has little contrast, or lies on an edge.
    fn refined(&self, mut at: [usize; 3]) -> Option<Extremum> {
        let ends = [LAYERS + 1, self.layers[0].height - BORDER, self.layers[0].width - BORDER];
        let begins = [1, BORDER, BORDER];
        for _ in 0..STEPS {
            let (gradient, hessian) = self.derivatives(at);
            let offset = solved(hessian, gradient.map(|value| -value))?;
            if offset.iter().all(|step| step.abs() < 0.5) {
                let [_, yy, xx] = [0, 1, 2].map(|axis| hessian[axis][axis]);
                let (trace, determinant) = (yy + xx, yy * xx - hessian[1][2] * hessian[1][2]);
                let dot: f32 = gradient.iter().zip(offset).map(|(a, b)| a * b).sum();
                let contrast = (self.layers[at[0]].at(at[1], at[2]) + 0.5 * dot).abs();
                let is_edge = determinant <= 0.0
                    || trace * trace * EDGE >= (EDGE + 1.0) * (EDGE + 1.0) * determinant;
                let is_faint = contrast * (LAYERS as f32) < CONTRAST;
                return (!is_edge && !is_faint).then_some(Extremum { at, offset, contrast });
            }
            for axis in 0..3 {
                let moved = at[axis] as f32 + offset[axis].round();
                if !(begins[axis] as f32..ends[axis] as f32).contains(&moved) {
                    return None;
                }
                at[axis] = moved as usize;
            }
        }
        None
    }

    /// First and second derivatives along layer, row and column.
    fn derivatives(&self, [layer, y, x]: [usize; 3]) -> ([f32; 3], [[f32; 3]; 3]) {
        let at = |steps: [isize; 3]| {
            let place = |axis: usize, from: usize| from.wrapping_add_signed(steps[axis]);
            self.layers[place(0, layer)].at(place(1, y), place(2, x))
        };
        let along = |axis: usize, step: isize| {
            let mut steps = [0; 3];
            steps[axis] = step;
            at(steps)
        };
        let middle = at([0; 3]);
        let gradient = std::array::from_fn(|axis| 0.5 * (along(axis, 1) - along(axis, -1)));
        let second = |a: usize, b: usize| {
            if a == b {
                return along(a, 1) + along(a, -1) - 2.0 * middle;
            }
            let corner = |first: isize, second: isize| {
                let mut steps = [0; 3];
                (steps[a], steps[b]) = (first, second);
                at(steps)
            };
            0.25 * (corner(1, 1) - corner(1, -1) - corner(-1, 1) + corner(-1, -1))
        };
        (gradient, std::array::from_fn(|a| std::array::from_fn(|b| second(a, b))))
    }
}

/// What a symmetric matrix takes to a vector, by Cramer's rule; `None` where it takes several.
fn solved(matrix: [[f32; 3]; 3], vector: [f32; 3]) -> Option<[f32; 3]> {
    let determinant = |m: [[f32; 3]; 3]| {
        let minor = |a: usize, b: usize| m[1][a] * m[2][b] - m[1][b] * m[2][a];
        m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)
    };
    let whole = determinant(matrix);
    let with = |row: usize| {
        let mut replaced = matrix;
        replaced[row] = vector;
        determinant(replaced) / whole
    };
    let result = [with(0), with(1), with(2)];
    result.iter().all(|value| value.is_finite()).then_some(result)
}

/// The main orientations around a point in degrees.
fn orientations(plane: &Plane, [_, y, x]: [usize; 3], scale: f32) -> Vec<f32> {
    let reach = (WINDOW[1] * scale).round() as isize;
    let spread = -0.5 / (WINDOW[0] * scale).powi(2);
    let mut counts = [0.0f32; BINS];
    for down in -reach..=reach {
        for right in -reach..=reach {
            let (row, column) = (y as isize + down, x as isize + right);
            let inside = 0 < row
                && row < plane.height as isize - 1
                && 0 < column
                && column < plane.width as isize - 1;
            if !inside {
                continue;
            }
            let [across, up] = plane.gradient(row as usize, column as usize);
            let turn = up.atan2(across) / (2.0 * PI);
            let bin = (BINS as f32 * turn).round().rem_euclid(BINS as f32) as usize % BINS;
            let weight = ((down * down + right * right) as f32 * spread).exp();
            counts[bin] += weight * across.hypot(up);
        }
    }
    let around = |bin: usize, step: usize| counts[(bin + step + BINS - 2) % BINS];
    let smooth: [f32; BINS] = std::array::from_fn(|bin| {
        (around(bin, 0) + around(bin, 4)) / 16.0
            + (around(bin, 1) + around(bin, 3)) / 4.0
            + around(bin, 2) * 0.375
    });
    let greatest = smooth.iter().copied().fold(0.0, f32::max);
    let peak = |bin: usize| {
        let [left, own, right] =
            [(bin + BINS - 1) % BINS, bin, (bin + 1) % BINS].map(|bin| smooth[bin]);
        let is_peak = own > left && own > right && own >= PEAK * greatest;
        let fine = bin as f32 + 0.5 * (left - right) / (left - 2.0 * own + right);
        // Gradients turn against the clock; angles of points turn with it.
        is_peak.then(|| (360.0 - 360.0 / BINS as f32 * fine).rem_euclid(360.0))
    };
    (0..BINS).filter_map(peak).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved_and_those_without_one_solution_are_not() {
        let matrix = [[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 1.0]];
        let found = solved(matrix, [4.0, 4.0, 1.0]).expect("one solution");
        let back: Vec<f32> =
            matrix.iter().map(|row| row.iter().zip(found).map(|(a, b)| a * b).sum()).collect();
        assert!(back.iter().zip([4.0, 4.0, 1.0]).all(|(is, want)| (is - want).abs() < 1e-5));
        assert_eq!(solved([[0.0; 3]; 3], [1.0, 0.0, 0.0]), None);
    }
}
