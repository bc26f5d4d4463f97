use std::f64::consts::PI;

use planet_geo::{Distance, EARTH_RADIUS_KM};

use crate::scatter::{RINGS, ring_radius_km};

/// No photo is farther from its place than about this: the widest ring's radius that one photo
/// in 10⁸ exceeds.
pub(crate) const REACH_KM: f64 = 12.0 * 6.1;

/// Share of a place's photos that lie within one radius of a point, by the point's distance from
/// the place: exact on the sphere but for the quadrature over a ring's radius and a linear
/// interpolation, together under 0.0005.
#[derive(Clone, Debug)]
pub(crate) struct DiscShare {
    /// Distance of the first entry, km.
    from_km: f64,
    /// Share at steps of [`DiscShare::STEP_KM`].
    shares: Vec<f32>,
}

impl DiscShare {
    const STEP_KM: f64 = 0.05;
    /// Radii of equal share that stand for a ring.
    const NODES: usize = 256;

    pub(crate) fn new(radius: Distance) -> Self {
        let radius_km = radius.km();
        let from_km = (radius_km - REACH_KM).max(0.0);
        let steps = ((radius_km + REACH_KM - from_km) / Self::STEP_KM).ceil() as usize;
        let nodes: Vec<(f64, f64)> = RINGS
            .iter()
            .flat_map(|&(share, sigma)| {
                (0..Self::NODES).map(move |node| {
                    let below = (node as f64 + 0.5) / Self::NODES as f64;
                    (share / Self::NODES as f64, ring_radius_km(sigma, below))
                })
            })
            .collect();
        let shares = (0..=steps)
            .map(|step| {
                let distance = from_km + step as f64 * Self::STEP_KM;
                let within =
                    |&(share, ring): &(f64, f64)| share * arc_within(radius_km, ring, distance);
                nodes.iter().map(within).sum::<f64>() as f32
            })
            .collect();
        Self { from_km, shares }
    }

    /// The share for a point at that distance from the place.
    pub(crate) fn at(&self, distance: Distance) -> f32 {
        let step = (distance.km() - self.from_km) / Self::STEP_KM;
        if step < 0.0 {
            return 1.0;
        }
        let below = step as usize;
        match self.shares.get(below..below + 2) {
            Some(&[near, far]) => near + (far - near) * (step - below as f64) as f32,
            _ => 0.0,
        }
    }
}

/// Share of a circle's line that lies within a disc; the circle's radius is `ring`, their
/// middles `distance` apart, all in km on the sphere (law of cosines).
fn arc_within(disc: f64, ring: f64, distance: f64) -> f64 {
    let [disc, ring, distance] = [disc, ring, distance].map(|km| km / EARTH_RADIUS_KM);
    let scale = ring.sin() * distance.sin();
    // Differences of cosines as products of sines, which keep their precision for short arcs.
    let half = |a: f64, b: f64| 2.0 * ((a + b) / 2.0).sin() * ((a - b) / 2.0).sin();
    // cos(disc) − cos(ring)·cos(distance), with cos r·cos d = cos(r − d) − sin r·sin d.
    let numerator = half(ring - distance, disc) + scale;
    if scale <= 0.0 {
        return if ring.max(distance) <= disc { 1.0 } else { 0.0 };
    }
    (numerator / scale).clamp(-1.0, 1.0).acos() / PI
}

#[cfg(test)]
mod tests {
    use planet_geo::LatLng;

    use super::*;
    use crate::{
        scatter::{offset, scatter},
        seed::{Purpose, stream},
    };

    #[test]
    fn shares_of_discs_agree_with_counted_photos() {
        let middle = LatLng::new(-33.9, 151.2).expect("a position");
        let mut rng = stream(5, Purpose::Photo, 0);
        let photos: Vec<LatLng> = (0..100_000).map(|_| scatter(middle, &mut rng)).collect();
        for (disc_km, distance_km) in
            [(1.0, 0.0), (1.0, 0.6), (1.0, 2.0), (25.0, 20.0), (200.0, 199.0), (2500.0, 2503.0)]
        {
            let disc = Distance::from_km(disc_km);
            let point = offset(middle, distance_km, 1.0);
            let counted = photos.iter().filter(|photo| photo.distance_to(point) <= disc).count();
            let share = f64::from(DiscShare::new(disc).at(Distance::from_km(distance_km)));
            let difference = share - counted as f64 / 1e5;
            assert!(difference.abs() < 0.005, "{disc_km} {distance_km}: {share} {difference}");
        }
    }

    #[test]
    fn a_far_point_holds_nothing_and_a_wide_disc_everything() {
        let country = DiscShare::new(Distance::from_km(750.0));
        assert_eq!(country.at(Distance::from_km(5000.0)), 0.0);
        assert_eq!(country.at(Distance::from_km(10.0)), 1.0);
        assert!(country.at(Distance::from_km(750.0 + REACH_KM)) < 1e-6);
    }
}
