use std::{fmt, str::FromStr};

use planet_geo::{Distance, LatLng, Scale};
use serde::Serialize;

/// How the distance between an answer and the truth is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// On a sphere of 6371 km, as most of the field does.
    #[default]
    Haversine,
    /// Along the geodesic of the WGS 84 ellipsoid.
    Geodesic,
}

/// Whether an answer exactly at a scale's radius counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// It does: `<=`.
    #[default]
    AtMost,
    /// It does not: `<`.
    Below,
}

/// What differs between the field's scorers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// How distances are measured.
    pub measure: Measure,
    /// Whether the bounds themselves count.
    pub bound: Bound,
}

impl Rules {
    /// From an answer to the truth.
    pub fn distance(self, answer: LatLng, truth: LatLng) -> Distance {
        match self.measure {
            Measure::Haversine => answer.distance_to(truth),
            Measure::Geodesic => answer.geodesic_distance_to(truth),
        }
    }

    /// Whether a distance counts as within a radius.
    pub fn within(self, distance: Distance, radius: Distance) -> bool {
        match self.bound {
            Bound::AtMost => distance <= radius,
            Bound::Below => distance < radius,
        }
    }

    /// At which of the five scales a distance counts.
    pub fn scales(self, distance: Distance) -> [bool; 5] {
        Scale::ALL.map(|scale| self.within(distance, scale.radius()))
    }
}

/// Text that names none of the choices.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not one of {choices}")]
pub struct NoSuchRule {
    text: String,
    choices: &'static str,
}

impl FromStr for Measure {
    type Err = NoSuchRule;

    fn from_str(text: &str) -> Result<Self, NoSuchRule> {
        match text {
            "haversine" => Ok(Self::Haversine),
            "geodesic" => Ok(Self::Geodesic),
            _ => Err(NoSuchRule { text: text.to_owned(), choices: "haversine, geodesic" }),
        }
    }
}

impl FromStr for Bound {
    type Err = NoSuchRule;

    fn from_str(text: &str) -> Result<Self, NoSuchRule> {
        match text {
            "at-most" => Ok(Self::AtMost),
            "below" => Ok(Self::Below),
            _ => Err(NoSuchRule { text: text.to_owned(), choices: "at-most, below" }),
        }
    }
}

impl fmt::Display for Rules {
    /// `haversine on 6371 km, at most`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.measure {
            Measure::Haversine => "haversine on 6371 km",
            Measure::Geodesic => "geodesic on WGS 84",
        })?;
        f.write_str(match self.bound {
            Bound::AtMost => ", at most the scale's radius",
            Bound::Below => ", below the scale's radius",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_at_the_bound_counts_by_the_one_rule_and_not_by_the_other() {
        let city = Distance::from_km(25.0);
        let at_most = Rules::default();
        let below = Rules { bound: Bound::Below, ..at_most };
        assert_eq!(at_most.scales(city), [false, true, true, true, true]);
        assert_eq!(below.scales(city), [false, false, true, true, true]);
        let nearer = Distance::from_km(25.0f64.next_down());
        assert_eq!(below.scales(nearer), at_most.scales(city));
    }

    #[test]
    fn a_geodesic_is_that_of_the_ellipsoid() {
        // GeographicLib's documentation: JFK to LHR, 5551.759 km.
        let jfk = LatLng::new(40.6, -73.8).expect("in range");
        let lhr = LatLng::new(51.6, -0.5).expect("in range");
        let geodesic = Rules { measure: Measure::Geodesic, ..Rules::default() };
        assert!((geodesic.distance(jfk, lhr).km() - 5551.7594).abs() < 1e-6);
        let haversine = Rules::default().distance(jfk, lhr).km();
        assert!((haversine - 5534.0).abs() < 5.0, "{haversine}");
    }
}
