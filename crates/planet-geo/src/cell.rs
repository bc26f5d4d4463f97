use std::{fmt, ops::RangeInclusive, str::FromStr};

use s2rst::s2;

use crate::{GeoError, LatLng};

/// Depth of a cell in its face's quad-tree: 0 is a face of the cube (about 85 million km²),
/// 30 a leaf (under 1 cm²).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(u8);

impl Level {
    /// A face of the cube.
    pub const FACE: Self = Self(0);
    /// The finest cells there are.
    pub const LEAF: Self = Self(30);

    /// A level from its number.
    ///
    /// # Errors
    /// A number above 30.
    pub const fn new(level: u8) -> Result<Self, GeoError> {
        if level <= 30 { Ok(Self(level)) } else { Err(GeoError::Level(level)) }
    }

    /// The level's number, 0..=30.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The next finer level; a leaf has none.
    pub const fn finer(self) -> Option<Self> {
        if self.0 < 30 { Some(Self(self.0 + 1)) } else { None }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A cell of the S2 hierarchy, always valid: a quadrilateral with geodesic edges on the sphere.
///
/// Cells are ordered along the Hilbert curve, so that a cell's descendants are a range of leaves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(s2::CellId);

impl CellId {
    /// The six faces of the cube, the roots of the quad-trees.
    pub fn faces() -> [Self; 6] {
        s2::Face::ALL.map(|face| Self(s2::CellId::from_face(face)))
    }

    /// A cell from its 64-bit id.
    ///
    /// # Errors
    /// A number that names no cell.
    pub fn new(id: u64) -> Result<Self, GeoError> {
        let cell = s2::CellId(id);
        if cell.is_valid() { Ok(Self(cell)) } else { Err(GeoError::CellId(id)) }
    }

    /// The leaf cell that holds a position.
    pub fn leaf(position: LatLng) -> Self {
        let position = s2::LatLng::from_degrees(position.lat(), position.lng());
        Self(s2::CellId::from_lat_lng(&position))
    }

    /// The cell of a level that holds a position.
    pub fn containing(position: LatLng, level: Level) -> Self {
        Self::leaf(position).parent(level)
    }

    /// The 64-bit id.
    pub const fn id(self) -> u64 {
        self.0.0
    }

    /// Hexadecimal id without its trailing zeros, the usual way to write a cell: `477eb1`.
    pub fn token(self) -> String {
        self.0.to_token()
    }

    /// Depth in the quad-tree.
    pub fn level(self) -> Level {
        Level(self.0.level().as_u8())
    }

    /// The ancestor at a level, or the cell itself at its own level and finer ones.
    pub fn parent(self, level: Level) -> Self {
        if level >= self.level() { self } else { Self(self.0.parent_at_level(to_s2(level))) }
    }

    /// The four cells one level finer, along the Hilbert curve; a leaf has none.
    pub fn children(self) -> Option<[Self; 4]> {
        (!self.0.is_leaf()).then(|| self.0.children().map(Self))
    }

    /// Whether `other` lies inside this cell or is this cell.
    pub fn contains(self, other: Self) -> bool {
        self.0.contains(other.0)
    }

    /// Ids of the first and the last leaf inside.
    pub fn leaf_range(self) -> RangeInclusive<u64> {
        self.0.range_min().0..=self.0.range_max().0
    }

    /// The cell's centre, in the sense of S2: the point halfway in each of its two coordinates.
    pub fn centre(self) -> LatLng {
        LatLng::from_vector(self.centre_vector()).expect("a cell's centre is a unit vector")
    }

    /// The unit vector of the centre.
    pub(crate) fn centre_vector(self) -> [f64; 3] {
        let point = self.0.to_point();
        [point.x(), point.y(), point.z()]
    }

    /// Area in km² on the sphere of 6371 km.
    pub fn area_km2(self) -> f64 {
        let steradians = s2::Cell::from_cell_id(self.0).exact_area();
        steradians * crate::EARTH_RADIUS_KM * crate::EARTH_RADIUS_KM
    }

    /// The four corners, counter-clockwise seen from outside the earth.
    pub fn corners(self) -> [LatLng; 4] {
        self.corner_vectors()
            .map(|corner| LatLng::from_vector(corner).expect("a cell's corner is a unit vector"))
    }

    /// The unit vectors of the four corners, in the same order.
    pub(crate) fn corner_vectors(self) -> [[f64; 3]; 4] {
        let cell = s2::Cell::from_cell_id(self.0);
        s2::CellVertex::ALL.map(|corner| {
            let point = cell.vertex(corner);
            [point.x(), point.y(), point.z()]
        })
    }
}

impl FromStr for CellId {
    type Err = GeoError;

    /// Reads a token. Upper case is taken; spaces, signs and ids without a cell are not.
    fn from_str(token: &str) -> Result<Self, GeoError> {
        let bad = || GeoError::Token(token.chars().take(40).collect());
        let hexadecimal = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if token.len() > 16 || !hexadecimal {
            return Err(bad());
        }
        let digits = u64::from_str_radix(token, 16).map_err(|_| bad())?;
        Self::new(digits << (4 * (16 - token.len()))).map_err(|_| bad())
    }
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.token())
    }
}

impl fmt::Debug for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CellId({})", self.token())
    }
}

fn to_s2(level: Level) -> s2::Level {
    s2::Level::new(level.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_are_not_cells_are_refused() {
        for token in ["", "0", "X", "477eb1 ", "+477eb1", "477eb1477eb1477eb1", "ffffffffffffffff"]
        {
            assert!(token.parse::<CellId>().is_err(), "{token:?}");
        }
    }

    #[test]
    fn a_token_and_its_cell_are_each_others_name() {
        let cell: CellId = "477EB1".parse().expect("a token");
        assert_eq!(cell.token(), "477eb1");
        assert_eq!(cell.level(), Level(10));
        assert_eq!(cell.parent(Level::LEAF), cell);
        assert_eq!(cell.parent(Level::FACE), "5".parse().expect("a face"));
    }

    #[test]
    fn the_faces_cover_the_sphere() {
        let area: f64 = CellId::faces().iter().map(|face| face.area_km2()).sum();
        let sphere = 4.0 * std::f64::consts::PI * 6371.0 * 6371.0;
        assert!((area / sphere - 1.0).abs() < 1e-12);
    }
}
