use crate::{CellId, Distance, EARTH_RADIUS_KM, LatLng, Scale};

/// Radii at which scatter is known: the five scales.
const RADII: usize = Scale::ALL.len();

/// Longest straight piece of a cell's edge on the equal-area map, as an angle: 320 km. Edges are
/// geodesics, which such a map bends.
const PIECE: f64 = 0.05;

/// How the photos of a class scatter about its point: the shares of them that lie within 1, 25,
/// 200, 750 and 2500 km of it.
///
/// ```
/// use planet_geo::{LatLng, Scale, Scatter};
///
/// let point = LatLng::new(48.0, 2.0)?;
/// // At the point, 11 km and 111 km away.
/// let photos = [48.0, 48.1, 49.0].map(|lat| LatLng::new(lat, 2.0));
/// let photos: Vec<LatLng> = photos.into_iter().collect::<Result<_, _>>()?;
/// let scatter = Scatter::of(point, photos).expect("three photos");
/// assert_eq!(scatter.shares().map(|share| (3.0 * share).round()), [1.0, 2.0, 3.0, 3.0, 3.0]);
/// # Ok::<(), planet_geo::GeoError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scatter([f64; RADII]);

impl Scatter {
    /// From the shares within the radii of [`Scale::ALL`]; `None` unless they lie within 0..=1 and
    /// never fall. They are kept to four decimals, as files have them.
    pub fn new(shares: [f64; RADII]) -> Option<Self> {
        let in_range = shares.iter().all(|share| (0.0..=1.0).contains(share));
        let rising = shares.windows(2).all(|pair| pair[0] <= pair[1]);
        (in_range && rising).then(|| Self(shares.map(|share| (share * 1e4).round() / 1e4)))
    }

    /// Of photos about a point; `None` without photos.
    pub fn of(point: LatLng, photos: impl IntoIterator<Item = LatLng>) -> Option<Self> {
        Self::of_vectors(point, photos.into_iter().map(LatLng::to_vector))
    }

    /// The same from the photos' unit vectors.
    pub(crate) fn of_vectors(
        point: LatLng,
        photos: impl Iterator<Item = [f64; 3]>,
    ) -> Option<Self> {
        let (middle, radii) = (point.to_vector(), Scale::ALL.map(|scale| scale.radius()));
        let chords = radii.map(|radius| chord(radius).powi(2));
        let (mut within, mut count) = ([0u64; RADII], 0u64);
        for photo in photos {
            let away: f64 = (0..3).map(|i| (photo[i] - middle[i]).powi(2)).sum();
            count += 1;
            within.iter_mut().zip(chords).for_each(|(it, rim)| *it += u64::from(away <= rim));
        }
        let shares = within.map(|it| it as f64 / count.max(1) as f64);
        if count == 0 { None } else { Self::new(shares) }
    }

    /// The shares within the radii of [`Scale::ALL`].
    pub fn shares(self) -> [f64; RADII] {
        self.0
    }
}

/// Straight way between two points of the unit sphere that are this far apart: the radius of a
/// disc on an equal-area map about its middle.
fn chord(distance: Distance) -> f64 {
    2.0 * (distance.km() / EARTH_RADIUS_KM / 2.0).min(std::f64::consts::FRAC_PI_2).sin()
}

/// The shares of some cells' area that lie within the radii of [`Scale::ALL`] of a point.
///
/// The corners are put on Lambert's azimuthal equal-area map about the point, where discs about
/// the point are discs of radius 2·sin(r / 2R) and areas are true; there the area that a polygon
/// and a disc share is a sum over edges of triangles and sectors.
pub(crate) fn area_shares(cells: &[CellId], point: LatLng) -> [f64; RADII] {
    let map = EqualAreaMap::about(point);
    let radii = Scale::ALL.map(|scale| chord(scale.radius()));
    let (mut inside, mut whole) = ([0.0; RADII], 0.0);
    for cell in cells {
        let outline = map.outline(*cell);
        let edges = || outline.iter().zip(outline.iter().cycle().skip(1));
        whole += edges().map(|(a, b)| cross(*a, *b) / 2.0).sum::<f64>();
        for (inside, radius) in inside.iter_mut().zip(radii) {
            *inside += edges().map(|(a, b)| area_in_disc(*a, *b, radius)).sum::<f64>();
        }
    }
    inside.map(|area| if whole > 0.0 { (area / whole).clamp(0.0, 1.0) } else { 1.0 })
}

/// Lambert's azimuthal equal-area map about a point, on the unit sphere.
struct EqualAreaMap {
    /// East, north and up.
    axes: [[f64; 3]; 3],
}

impl EqualAreaMap {
    fn about(point: LatLng) -> Self {
        let (sin_lat, cos_lat) = point.lat().to_radians().sin_cos();
        let (sin_lng, cos_lng) = point.lng().to_radians().sin_cos();
        let east = [-sin_lng, cos_lng, 0.0];
        let north = [-sin_lat * cos_lng, -sin_lat * sin_lng, cos_lat];
        Self { axes: [east, north, point.to_vector()] }
    }

    fn place(&self, vector: [f64; 3]) -> [f64; 2] {
        let [x, y, z] = self.axes.map(|axis| (0..3).map(|i| axis[i] * vector[i]).sum::<f64>());
        // The point's antipode is a circle on the map; no cell holds both.
        let scale = (2.0 / (1.0 + z).max(1e-9)).sqrt();
        [x * scale, y * scale]
    }

    /// A cell's corners and points of its edges, counter-clockwise.
    fn outline(&self, cell: CellId) -> Vec<[f64; 2]> {
        let corners = cell.corner_vectors();
        let mut outline = Vec::with_capacity(4);
        for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            let length = (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt();
            let pieces = (length / PIECE).ceil().max(1.0) as u32;
            for piece in 0..pieces {
                let t = f64::from(piece) / f64::from(pieces);
                let between: [f64; 3] = std::array::from_fn(|i| a[i] + t * (b[i] - a[i]));
                let norm = between.iter().map(|it| it * it).sum::<f64>().sqrt();
                outline.push(self.place(between.map(|it| it / norm)));
            }
        }
        outline
    }
}

fn cross(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// Signed area that the triangle of the origin and an edge shares with a disc about the origin.
fn area_in_disc(a: [f64; 2], b: [f64; 2], radius: f64) -> f64 {
    let sector = |a, b| radius * radius * f64::atan2(cross(a, b), dot(a, b)) / 2.0;
    let along = [b[0] - a[0], b[1] - a[1]];
    let (square, half) = (dot(along, along), dot(a, along));
    let root = half * half - square * (dot(a, a) - radius * radius);
    if square <= 0.0 || root <= 0.0 {
        return sector(a, b);
    }
    // Where the edge's line enters the disc and leaves it, as shares of the edge.
    let (enters, leaves) = ((-half - root.sqrt()) / square, (-half + root.sqrt()) / square);
    if enters >= 1.0 || leaves <= 0.0 {
        return sector(a, b);
    }
    let at = |t: f64| [a[0] + t * along[0], a[1] + t * along[1]];
    let (first, last) = (at(enters.max(0.0)), at(leaves.min(1.0)));
    sector(a, first) + cross(first, last) / 2.0 + sector(last, b)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::Level;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("a position of this test")
    }

    /// Shares of random places of a cell.
    fn by_trying(cell: CellId, point: LatLng) -> [f64; RADII] {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let mut places = Vec::new();
        while places.len() < 20_000 {
            let z: f64 = rng.random_range(-1.0..1.0);
            let turn: f64 = rng.random_range(0.0..std::f64::consts::TAU);
            let flat = (1.0 - z * z).sqrt();
            let place = LatLng::from_vector([flat * turn.cos(), flat * turn.sin(), z]);
            places.extend(place.filter(|place| cell.contains(CellId::leaf(*place))));
        }
        Scatter::of(point, places).expect("photos").shares()
    }

    #[test]
    fn a_cells_share_of_area_within_a_radius_is_that_of_random_places() {
        for (level, point) in [(1, at(40.0, 10.0)), (2, at(-10.0, 60.0))] {
            let cell = CellId::containing(point, Level::new(level).expect("a level"));
            let (found, wanted) = (area_shares(&[cell], point), by_trying(cell, point));
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((found - wanted).abs() < 0.015, "level {level}: {found}, {wanted}");
            }
        }
    }

    #[test]
    fn a_disc_inside_a_cell_has_its_own_area_and_a_small_cell_lies_within_any_radius() {
        let cell: CellId = "477eb1".parse().expect("a cell of 10 km");
        let shares = area_shares(&[cell], cell.centre());
        let disc = std::f64::consts::PI;
        assert!((shares[0] - disc / cell.area_km2()).abs() < 1e-4, "{shares:?}");
        assert_eq!(shares[1..], [1.0; 4]);
        let both = area_shares(&[cell, "1".parse().expect("a face")], cell.centre());
        assert!(both[1] < 0.01, "a far cell of the same class counts: {both:?}");
    }

    #[test]
    fn shares_that_fall_or_leave_their_range_are_no_scatter() {
        assert!(Scatter::new([0.0, 0.5, 0.5, 1.0, 1.0]).is_some());
        assert_eq!(Scatter::new([0.5, 0.4, 1.0, 1.0, 1.0]), None);
        assert_eq!(Scatter::new([0.0, 0.0, 0.0, 0.0, 1.1]), None);
        assert_eq!(Scatter::new([f64::NAN; 5]), None);
        assert_eq!(Scatter::of(at(0.0, 0.0), []), None);
    }
}
