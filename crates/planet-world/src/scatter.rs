use std::f64::consts::TAU;

use planet_geo::{EARTH_RADIUS_KM, LatLng};
use rand::{Rng, RngExt};

use crate::random::choose;

/// Share of photos and standard deviation (in each direction, km) of the rings in which photos
/// lie around the middle of their place: the sights, the town, the country round it.
pub(crate) const RINGS: [(f64, f64); 3] = [(0.55, 0.35), (0.30, 3.0), (0.15, 12.0)];

/// Radius that a share `below` of a ring's photos lies within (Rayleigh's law).
pub(crate) fn ring_radius_km(sigma_km: f64, below: f64) -> f64 {
    sigma_km * (-2.0 * (1.0 - below).ln()).sqrt()
}

/// The position of a photo taken at a place.
pub(crate) fn scatter(middle: LatLng, rng: &mut (impl Rng + ?Sized)) -> LatLng {
    let (_, sigma) = RINGS[choose(RINGS.iter().map(|ring| ring.0), rng)];
    let radius = ring_radius_km(sigma, rng.random::<f64>());
    offset(middle, radius, TAU * rng.random::<f64>())
}

/// The position `radius_km` away from another one, in the direction of `bearing` (radians).
pub(crate) fn offset(middle: LatLng, radius_km: f64, bearing: f64) -> LatLng {
    let [x, y, z] = middle.to_vector();
    let (sin_lng, cos_lng) = middle.lng().to_radians().sin_cos();
    let east = [-sin_lng, cos_lng, 0.0];
    let north = [-z * cos_lng, -z * sin_lng, x.hypot(y)];
    let (sin_bearing, cos_bearing) = bearing.sin_cos();
    let (sin_radius, cos_radius) = (radius_km / EARTH_RADIUS_KM).sin_cos();
    let vector = std::array::from_fn(|axis| {
        let sideways = sin_bearing * east[axis] + cos_bearing * north[axis];
        cos_radius * [x, y, z][axis] + sin_radius * sideways
    });
    LatLng::from_vector(vector).expect("the sum of two orthogonal directions is not zero")
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn an_offset_is_as_long_as_it_says_and_goes_where_it_says() {
        let from = LatLng::new(45.0, 179.9).expect("a position");
        let there = offset(from, 30.0, PI / 2.0);
        assert!((from.distance_to(there).km() - 30.0).abs() < 1e-9);
        assert!(there.lng() < -179.0 && (there.lat() - 45.0).abs() < 0.01);
        let north = offset(from, 30.0, 0.0);
        assert!((north.lat() - 45.0 - (30.0 / EARTH_RADIUS_KM).to_degrees()).abs() < 1e-9);
    }
}
