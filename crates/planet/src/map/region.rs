use std::str::FromStr;

use super::MapError;

/// A box of latitudes and longitudes that a map shows. The east may lie beyond 180 degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    south: f64,
    west: f64,
    north: f64,
    east: f64,
}

/// The smallest side of a region in degrees, about 100 m.
const LEAST_SIDE: f64 = 0.001;

impl Region {
    /// The whole earth.
    pub const WORLD: Self = Self { south: -90.0, west: -180.0, north: 90.0, east: 180.0 };

    /// A region from its borders in degrees; an east that lies west of the west is meant to lie
    /// across the antimeridian.
    ///
    /// # Errors
    /// Borders outside the earth, or a side under 0.001 degrees.
    pub fn new(south: f64, west: f64, north: f64, east: f64) -> Result<Self, MapError> {
        let wrapped = if east <= west { east + 360.0 } else { east };
        let inside = (-90.0..=90.0).contains(&south)
            && (-90.0..=90.0).contains(&north)
            && (-360.0..=360.0).contains(&west)
            && (-360.0..=360.0).contains(&east);
        let width = wrapped - west;
        if inside && north - south >= LEAST_SIDE && (LEAST_SIDE..=360.0).contains(&width) {
            Ok(Self { south, west, north, east: wrapped })
        } else {
            Err(MapError::Region { south, west, north, east })
        }
    }

    /// Width divided by height on the map: degrees of longitude shrink with the cosine of the
    /// middle latitude, except on maps of half the earth and more.
    pub(super) fn aspect(self) -> f64 {
        let [width, height] = self.size();
        let middle = f64::midpoint(self.south, self.north);
        let shrink = if width >= 180.0 { 1.0 } else { middle.to_radians().cos().max(0.1) };
        width * shrink / height
    }

    /// Width and height in degrees.
    pub(super) fn size(self) -> [f64; 2] {
        [self.east - self.west, self.north - self.south]
    }

    /// Northern and western border in degrees.
    pub(super) fn corner(self) -> [f64; 2] {
        [self.north, self.west]
    }

    /// The turns by which something of these borders must be moved to be seen.
    pub(super) fn turns(self, [south, west, north, east]: [f64; 4]) -> impl Iterator<Item = f64> {
        let seen = move |turn: &f64| {
            west + turn <= self.east
                && east + turn >= self.west
                && south <= self.north
                && north >= self.south
        };
        [-720.0, -360.0, 0.0, 360.0, 720.0].into_iter().filter(seen)
    }
}

impl FromStr for Region {
    type Err = MapError;

    /// Reads `SOUTH,WEST,NORTH,EAST`.
    fn from_str(text: &str) -> Result<Self, MapError> {
        let bad = || MapError::RegionText(text.chars().take(60).collect());
        let numbers: Result<Vec<f64>, _> =
            text.split(',').map(|part| part.trim().parse()).collect();
        match numbers.map_err(|_| bad())?[..] {
            [south, west, north, east] => Self::new(south, west, north, east),
            _ => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_may_cross_the_antimeridian() {
        let fiji: Region = "-20,176,-15,-178".parse().expect("a region");
        assert_eq!(fiji.size(), [6.0, 5.0]);
        assert_eq!(fiji.turns([-17.0, -180.0, -16.0, -179.0]).collect::<Vec<_>>(), [360.0]);
    }

    #[test]
    fn a_region_without_ground_is_refused() {
        for text in ["", "1,2,3", "1,2,3,x", "10,0,5,20", "0,0,91,5", "0,0,0,9", "NaN,0,1,1"] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }
}
