use std::f32::consts::PI;

use super::{
    Keypoint, SIFT_VALUES,
    scale_space::{Plane, ScaleSpace},
};

/// Cells along each side.
const CELLS: usize = 4;
/// Orientations of a cell.
const ORIENTATIONS: usize = 8;
/// Side of a cell in scales of the point.
const CELL_SIDE: f32 = 3.0;
/// Greatest number of a descriptor of length 1, before it is scaled again: strong gradients in
/// one place are a matter of light.
const GREATEST: f32 = 0.2;

/// Counts with a margin for what interpolation puts beyond the outer cells.
type Counts = [[[f32; ORIENTATIONS]; CELLS + 2]; CELLS + 2];

impl ScaleSpace {
    /// Describes a point of this space: gradients of its layer around it, turned by its angle,
    /// weighted by a Gaussian and shared between neighbouring cells and orientations.
    pub fn descriptor(&self, keypoint: &Keypoint) -> [f32; SIFT_VALUES] {
        let [octave, layer] = keypoint.place;
        let pixels = 2.0 / (1 << octave) as f32;
        let (x, y) = (keypoint.x * pixels, keypoint.y * pixels);
        let side = CELL_SIDE * 0.5 * keypoint.diameter * pixels;
        let plane = &self.octaves[octave][layer];
        let counts = counts(plane, [y.round(), x.round()], side, keypoint.angle);
        let inner = counts[1..=CELLS].iter().flat_map(|row| &row[1..=CELLS]).flatten();
        let mut values = [0.0; SIFT_VALUES];
        values.iter_mut().zip(inner).for_each(|(value, count)| *value = *count);
        let greatest = GREATEST * length(&values);
        values.iter_mut().for_each(|value| *value = value.min(greatest));
        let length = length(&values).max(f32::EPSILON);
        values.map(|value| value / length)
    }
}

fn counts(plane: &Plane, [y, x]: [f32; 2], side: f32, angle: f32) -> Counts {
    let mut counts: Counts = Default::default();
    let cells = CELLS as f32;
    let diagonal = (plane.height as f32).hypot(plane.width as f32);
    let reach = (side * 2f32.sqrt() * (cells + 1.0) * 0.5).round().min(diagonal) as isize;
    let turn = 360.0 - angle;
    let (sin, cos) = turn.to_radians().sin_cos();
    for down in -reach..=reach {
        let row = y as isize + down;
        if row <= 0 || row >= plane.height as isize - 1 {
            continue;
        }
        for right in -reach..=reach {
            let column = x as isize + right;
            if column <= 0 || column >= plane.width as isize - 1 {
                continue;
            }
            // In cells, from the point.
            let across = (right as f32 * cos - down as f32 * sin) / side;
            let along = (right as f32 * sin + down as f32 * cos) / side;
            // In cells, from the middle of the one in the margin.
            let place = [along, across].map(|it| it + cells / 2.0 + 0.5);
            if !place.iter().all(|it| (0.0..cells + 1.0).contains(it) && *it > 0.0) {
                continue;
            }
            let [dx, dy] = plane.gradient(row as usize, column as usize);
            let weight = (-2.0 * (across * across + along * along) / (cells * cells)).exp();
            let degrees = dy.atan2(dx) * 180.0 / PI - turn;
            let orientation = degrees.rem_euclid(360.0) * ORIENTATIONS as f32 / 360.0;
            share(&mut counts, place, orientation, weight * (dx * dx + dy * dy).sqrt());
        }
    }
    counts
}

/// Adds to the eight counts around a place, by their nearness.
fn share(counts: &mut Counts, [y, x]: [f32; 2], orientation: f32, amount: f32) {
    let (row, column, bin) = (y as usize, x as usize, orientation as usize);
    let parts = [y - row as f32, x - column as f32, orientation - bin as f32];
    let bins = [bin % ORIENTATIONS, (bin + 1) % ORIENTATIONS];
    for (row, part) in [(row, 1.0 - parts[0]), (row + 1, parts[0])] {
        for (column, part) in [(column, part * (1.0 - parts[1])), (column + 1, part * parts[1])] {
            let cell = &mut counts[row][column];
            cell[bins[0]] += amount * part * (1.0 - parts[2]);
            cell[bins[1]] += amount * part * parts[2];
        }
    }
}

fn length(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>().sqrt()
}
