use std::{fmt, sync::LazyLock};

use geographiclib_rs::{Geodesic, InverseGeodesic};

use crate::{Distance, GeoError, distance::EARTH_RADIUS_KM};

/// A position on the earth, in degrees (WGS 84): latitude within ±90, longitude within −180..180.
///
/// Compare positions by [`LatLng::distance_to`], not by coordinates: at a pole every
/// longitude is the same place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatLng {
    lat: f64,
    lng: f64,
}

impl LatLng {
    /// A position from degrees; the longitude is wrapped into −180..180.
    ///
    /// # Errors
    /// A latitude beyond ±90, a longitude beyond ±360, NaN or infinity.
    pub fn new(lat: f64, lng: f64) -> Result<Self, GeoError> {
        if !(-90.0..=90.0).contains(&lat) {
            return Err(GeoError::Latitude(lat));
        }
        if !(-360.0..=360.0).contains(&lng) {
            return Err(GeoError::Longitude(lng));
        }
        Ok(Self { lat, lng: wrap(lng) })
    }

    /// The position of a direction from the earth's centre; the vector need not have length one.
    ///
    /// Returns `None` for the zero vector and for one that is not finite.
    pub fn from_vector([x, y, z]: [f64; 3]) -> Option<Self> {
        let horizontal = x.hypot(y);
        let length = horizontal.hypot(z);
        if !(length > 0.0 && length.is_finite()) {
            return None;
        }
        let lat = z.atan2(horizontal).to_degrees().clamp(-90.0, 90.0);
        Some(Self { lat, lng: wrap(y.atan2(x).to_degrees()) })
    }

    /// Latitude in degrees, −90..=90.
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// Longitude in degrees, −180..180.
    pub fn lng(self) -> f64 {
        self.lng
    }

    /// The unit vector from the earth's centre: x towards (0, 0), z towards the north pole.
    pub fn to_vector(self) -> [f64; 3] {
        let (sin_lat, cos_lat) = self.lat.to_radians().sin_cos();
        let (sin_lng, cos_lng) = self.lng.to_radians().sin_cos();
        [cos_lat * cos_lng, cos_lat * sin_lng, sin_lat]
    }

    /// Rounded to seven decimals, about a centimetre: a position as files keep it.
    pub fn rounded(self) -> Self {
        let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
        Self { lat: round(self.lat), lng: wrap(round(self.lng)) }
    }

    /// Great-circle distance by the haversine formula on a sphere of 6371 km.
    ///
    /// The formula keeps its precision for points that are centimetres apart, where the
    /// arc cosine of a dot product does not.
    pub fn distance_to(self, other: Self) -> Distance {
        let half_lat = ((other.lat - self.lat) / 2.0).to_radians().sin();
        let half_lng = ((other.lng - self.lng) / 2.0).to_radians().sin();
        let cos_cos = self.lat.to_radians().cos() * other.lat.to_radians().cos();
        let h = half_lat * half_lat + cos_cos * half_lng * half_lng;
        Distance::from_km(2.0 * EARTH_RADIUS_KM * h.clamp(0.0, 1.0).sqrt().asin())
    }

    /// Length of the shortest path on the WGS 84 ellipsoid (Karney's algorithm). Up to 0.6 %
    /// from [`LatLng::distance_to`], and about a hundred times slower.
    pub fn geodesic_distance_to(self, other: Self) -> Distance {
        static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);
        Distance::from_m(WGS84.inverse(self.lat, self.lng, other.lat, other.lng))
    }
}

impl fmt::Display for LatLng {
    /// Six decimals, about a tenth of a metre: `45.440800,12.315500`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6},{:.6}", self.lat, self.lng)
    }
}

/// A longitude within ±360 degrees wrapped into −180..180.
fn wrap(lng: f64) -> f64 {
    if lng >= 180.0 {
        lng - 360.0
    } else if lng < -180.0 {
        lng + 360.0
    } else {
        lng
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("a position of this test")
    }

    #[test]
    fn positions_outside_the_earth_are_refused_with_their_value() {
        assert_eq!(LatLng::new(91.3, 0.0), Err(GeoError::Latitude(91.3)));
        assert_eq!(LatLng::new(0.0, 361.0), Err(GeoError::Longitude(361.0)));
        assert!(LatLng::new(f64::NAN, 0.0).is_err());
        assert!(LatLng::new(0.0, f64::INFINITY).is_err());
    }

    #[test]
    fn longitudes_are_wrapped_to_one_name_for_each_meridian() {
        assert_eq!(at(10.0, 190.0), at(10.0, -170.0));
        assert_eq!(at(10.0, 180.0), at(10.0, -180.0));
        assert_eq!(at(10.0, 360.0), at(10.0, 0.0));
    }

    #[test]
    fn distances_agree_with_hand_computed_ones() {
        let quarter = at(0.0, 0.0).distance_to(at(90.0, 0.0)).km();
        assert!((quarter - std::f64::consts::FRAC_PI_2 * 6371.0).abs() < 1e-9);
        let half = at(0.0, 0.0).distance_to(at(0.0, 180.0)).km();
        assert!((half - std::f64::consts::PI * 6371.0).abs() < 1e-9);
        let across = at(12.0, 179.9).distance_to(at(12.0, -179.9)).km();
        assert!((across - 21.753).abs() < 1e-3, "{across}");
    }

    #[test]
    fn geodesic_distances_agree_with_published_ones() {
        // A quarter meridian of WGS 84 and a degree of its equator.
        let quarter = at(0.0, 0.0).geodesic_distance_to(at(90.0, 0.0)).m();
        assert!((quarter - 10_001_965.729).abs() < 1e-3, "{quarter}");
        let degree = at(0.0, 0.0).geodesic_distance_to(at(0.0, 1.0)).m();
        assert!((degree - 111_319.491).abs() < 1e-3, "{degree}");
        assert_eq!(at(45.0, 7.0).geodesic_distance_to(at(45.0, 7.0)), Distance::ZERO);
    }

    #[test]
    fn a_vector_and_its_position_name_the_same_place() {
        for position in [at(90.0, 0.0), at(-90.0, 0.0), at(0.0, -180.0), at(45.44, 12.31)] {
            let back = LatLng::from_vector(position.to_vector()).expect("a unit vector");
            assert!(position.distance_to(back).m() < 1e-6);
        }
        assert_eq!(LatLng::from_vector([0.0; 3]), None);
    }
}
