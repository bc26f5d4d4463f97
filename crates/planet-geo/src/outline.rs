use crate::CellId;

/// Greatest error of a subdivided edge on a flat map, in degrees.
const TOLERANCE_DEGREES: f64 = 0.02;

/// An edge longer than this is divided even where its middle lies straight, in radians: an arc
/// that is symmetric about the equator passes through the middle of its chord.
const LONGEST_PIECE_RADIANS: f64 = 0.1;

/// A cell's outline on a flat map of longitude and latitude: a closed ring, counter-clockwise,
/// whose edges are divided finely enough that large cells draw as they are.
///
/// The longitudes are continuous: a ring that crosses the antimeridian goes beyond ±180, and one
/// round a pole runs along the map's upper or lower border.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    ring: Vec<[f64; 2]>,
}

impl Outline {
    /// The outline of a cell.
    pub fn of(cell: CellId) -> Self {
        let corners = cell.corner_vectors();
        let mut ring = Vec::with_capacity(8);
        for corner in 0..4 {
            let (from, to) = (corners[corner], corners[(corner + 1) % 4]);
            push_start(&mut ring, from, corners[(corner + 3) % 4], to);
            subdivide(&mut ring, from, to, 0);
        }
        unwrap(&mut ring);
        close(&mut ring);
        centre(&mut ring);
        Self { ring }
    }

    /// `[lng, lat]` in degrees; the last point is the first one again.
    pub fn ring(&self) -> &[[f64; 2]] {
        &self.ring
    }

    /// The outline in pieces that lie within ±180 degrees, as GeoJSON asks for (RFC 7946,
    /// section 3.1.9). Usually one.
    pub fn cut_at_antimeridian(&self) -> Vec<Vec<[f64; 2]>> {
        let mut pieces = Vec::with_capacity(1);
        for turn in [-360.0, 0.0, 360.0] {
            let shifted: Vec<[f64; 2]> = self.ring.iter().map(|&[x, y]| [x + turn, y]).collect();
            let right = clipped(&shifted, |x| x + 180.0, -180.0);
            let piece = clipped(&right, |x| 180.0 - x, 180.0);
            let width =
                |end: fn(f64, f64) -> f64, start| piece.iter().map(|p| p[0]).fold(start, end);
            if piece.len() >= 4 && width(f64::max, f64::MIN) - width(f64::min, f64::MAX) > 1e-12 {
                pieces.push(piece);
            }
        }
        pieces
    }
}

type Vector = [f64; 3];

/// Pushes a corner; a corner at a pole is pushed once for each meridian on which its edges lie.
fn push_start(ring: &mut Vec<[f64; 2]>, corner: Vector, before: Vector, after: Vector) {
    if is_pole(corner) {
        let lat = 90.0_f64.copysign(corner[2]);
        ring.extend([before, after].map(|vector| [lng_lat(vector)[0], lat]));
    } else {
        ring.push(lng_lat(corner));
    }
}

/// Pushes the points between the ends of an edge.
fn subdivide(ring: &mut Vec<[f64; 2]>, from: Vector, to: Vector, depth: u8) {
    let sum = [from[0] + to[0], from[1] + to[1], from[2] + to[2]];
    let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    let middle = sum.map(|x| x / length);
    if depth >= 12 || is_straight(from, middle, to) {
        return;
    }
    subdivide(ring, from, middle, depth + 1);
    if is_pole(middle) {
        push_start(ring, middle, from, to);
    } else {
        ring.push(lng_lat(middle));
    }
    subdivide(ring, middle, to, depth + 1);
}

fn is_straight(from: Vector, middle: Vector, to: Vector) -> bool {
    let chord: f64 = (0..3).map(|i| (from[i] - to[i]).powi(2)).sum();
    if chord > LONGEST_PIECE_RADIANS * LONGEST_PIECE_RADIANS {
        return false;
    }
    // An edge that ends at a pole runs along a meridian.
    if is_pole(from) || is_pole(to) {
        return true;
    }
    let ([a, b], [x, y], [c, d]) = (lng_lat(from), lng_lat(middle), lng_lat(to));
    let straight_x = a + turned(c - a) / 2.0;
    turned(x - straight_x).abs() < TOLERANCE_DEGREES
        && (y - (b + d) / 2.0).abs() < TOLERANCE_DEGREES
}

fn is_pole([x, y, _]: Vector) -> bool {
    x.hypot(y) < 1e-14
}

fn lng_lat([x, y, z]: Vector) -> [f64; 2] {
    [y.atan2(x).to_degrees(), z.atan2(x.hypot(y)).to_degrees()]
}

/// A difference of longitudes within ±180.
fn turned(degrees: f64) -> f64 {
    degrees - 360.0 * (degrees / 360.0).round()
}

/// Makes the longitudes continuous along the ring.
fn unwrap(ring: &mut [[f64; 2]]) {
    for index in 1..ring.len() {
        ring[index][0] = ring[index - 1][0] + turned(ring[index][0] - ring[index - 1][0]);
    }
}

/// Ends the ring where it began; one that went once round a pole goes home along it.
fn close(ring: &mut Vec<[f64; 2]>) {
    let (first, last) = (ring[0], ring[ring.len() - 1]);
    let home = last[0] + turned(first[0] - last[0]);
    let net = home - first[0];
    if net.abs() > 180.0 {
        // Counter-clockwise round the north pole is eastwards, round the south pole westwards.
        let pole = 90.0_f64.copysign(net);
        ring.extend([[home, first[1]], [home, pole], [first[0], pole]]);
    }
    ring.push(first);
}

/// Moves the ring by whole turns so that its middle lies within ±180.
fn centre(ring: &mut [[f64; 2]]) {
    let least = ring.iter().map(|p| p[0]).fold(f64::MAX, f64::min);
    let most = ring.iter().map(|p| p[0]).fold(f64::MIN, f64::max);
    let middle = f64::midpoint(least, most);
    let shift = turned(middle) - middle;
    ring.iter_mut().for_each(|point| point[0] += shift);
}

/// The part of a closed ring where `inside(x) >= 0`, closed; the border is at longitude `border`.
fn clipped(ring: &[[f64; 2]], inside: impl Fn(f64) -> f64, border: f64) -> Vec<[f64; 2]> {
    let mut kept: Vec<[f64; 2]> = Vec::with_capacity(ring.len() + 2);
    for pair in ring.windows(2) {
        let (from, to) = (inside(pair[0][0]), inside(pair[1][0]));
        if from >= 0.0 {
            kept.push(pair[0]);
        }
        if (from > 0.0 && to < 0.0) || (from < 0.0 && to > 0.0) {
            let share = from / (from - to);
            kept.push([border, pair[0][1] + share * (pair[1][1] - pair[0][1])]);
        }
    }
    if let Some(&first) = kept.first() {
        kept.push(first);
    }
    kept
}

impl CellId {
    /// The cell's outline on a flat map.
    pub fn outline(self) -> Outline {
        Outline::of(self)
    }

    /// The box of the outline: `[south, west, north, east]` in degrees; a box across the
    /// antimeridian goes beyond ±180.
    pub fn bounds(self) -> [f64; 4] {
        let outline = self.outline();
        let start = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        outline.ring.iter().fold(start, |[south, west, north, east], &[x, y]| {
            [south.min(y), west.min(x), north.max(y), east.max(x)]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LatLng, Level};

    /// Signed area on the flat map in square degrees; counter-clockwise is positive.
    fn flat_area(ring: &[[f64; 2]]) -> f64 {
        ring.windows(2).map(|p| p[0][0] * p[1][1] - p[1][0] * p[0][1]).sum::<f64>() / 2.0
    }

    #[test]
    fn the_six_faces_tile_the_flat_map() {
        let area: f64 = CellId::faces().iter().map(|face| flat_area(face.outline().ring())).sum();
        assert!((area - 360.0 * 180.0).abs() < 20.0, "{area}");
    }

    #[test]
    fn the_cells_of_every_coarse_level_tile_the_flat_map_in_pieces_within_180_degrees() {
        let mut cells = CellId::faces().to_vec();
        for _ in 0..4 {
            let pieces = cells.iter().flat_map(|cell| cell.outline().cut_at_antimeridian());
            let mut area = 0.0;
            for piece in pieces {
                assert!(piece.iter().all(|[x, y]| x.abs() <= 180.0 && y.abs() <= 90.0));
                assert_eq!(piece.first(), piece.last());
                area += flat_area(&piece);
            }
            assert!((area - 360.0 * 180.0).abs() < 60.0, "{area}");
            cells = cells.iter().flat_map(|c| c.children().expect("coarse cells")).collect();
        }
    }

    #[test]
    fn a_cell_of_a_city_is_its_four_corners() {
        let cell: CellId = "477eb1".parse().expect("a token");
        assert_eq!(cell.outline().ring().len(), 5);
        assert!(flat_area(cell.outline().ring()) > 0.0);
    }

    #[test]
    fn the_cells_at_the_poles_reach_them() {
        for (lat, tip) in [(89.99, 90.0), (-89.99, -90.0)] {
            let position = LatLng::new(lat, 30.0).expect("in range");
            for level in [0, 1, 5, 10] {
                let cell = CellId::containing(position, Level::new(level).expect("a level"));
                let ring = cell.outline();
                assert!(ring.ring().iter().any(|p| (p[1] - tip).abs() < 1e-9), "{cell} {level}");
                assert!(flat_area(ring.ring()) > 0.0, "{cell}");
            }
        }
    }
}
