use std::fmt;

/// Mean radius of the earth that geolocation results are computed with, in km.
pub const EARTH_RADIUS_KM: f64 = 6371.0;

/// A distance on the earth. Made from km or m, never negative, never NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Distance {
    km: f64,
}

impl Distance {
    /// No distance at all.
    pub const ZERO: Self = Self { km: 0.0 };

    /// A distance from kilometres. Negative values and NaN become zero: a distance is a length.
    pub const fn from_km(km: f64) -> Self {
        Self { km: if km > 0.0 { km } else { 0.0 } }
    }

    /// A distance from metres.
    pub const fn from_m(m: f64) -> Self {
        Self::from_km(m / 1000.0)
    }

    /// In kilometres.
    pub const fn km(self) -> f64 {
        self.km
    }

    /// In metres.
    pub const fn m(self) -> f64 {
        self.km * 1000.0
    }

    /// The order of the lengths; total, since a distance is never NaN.
    pub fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.km.total_cmp(&other.km)
    }
}

impl fmt::Display for Distance {
    /// `350 m`, `12.3 km`, `1131 km`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.km {
            km if km < 0.9995 => write!(f, "{:.0} m", km * 1000.0),
            km if km < 99.95 => write!(f, "{km:.1} km"),
            km => write!(f, "{km:.0} km"),
        }
    }
}

/// The five scales at which the field reports accuracy (paper, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scale {
    /// 1 km.
    Street,
    /// 25 km.
    City,
    /// 200 km.
    Region,
    /// 750 km.
    Country,
    /// 2500 km.
    Continent,
}

impl Scale {
    /// From the finest to the coarsest.
    pub const ALL: [Self; 5] =
        [Self::Street, Self::City, Self::Region, Self::Country, Self::Continent];

    /// How near an answer must be to count at this scale.
    pub const fn radius(self) -> Distance {
        Distance::from_km(match self {
            Self::Street => 1.0,
            Self::City => 25.0,
            Self::Region => 200.0,
            Self::Country => 750.0,
            Self::Continent => 2500.0,
        })
    }

    /// Lower-case name as it stands in files: `street`, `city`, `region`, `country`, `continent`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Street => "street",
            Self::City => "city",
            Self::Region => "region",
            Self::Country => "country",
            Self::Continent => "continent",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_never_negative_and_never_nan() {
        assert_eq!(Distance::from_km(-1.0), Distance::ZERO);
        assert_eq!(Distance::from_km(f64::NAN), Distance::ZERO);
        assert_eq!(Distance::from_m(1500.0).km(), 1.5);
    }

    #[test]
    fn distances_read_like_a_person_would_say_them() {
        assert_eq!(Distance::from_m(350.2).to_string(), "350 m");
        assert_eq!(Distance::from_m(999.7).to_string(), "1.0 km");
        assert_eq!(Distance::from_km(12.34).to_string(), "12.3 km");
        assert_eq!(Distance::from_km(1131.7).to_string(), "1132 km");
    }

    #[test]
    fn the_scales_grow() {
        assert!(Scale::ALL.windows(2).all(|pair| pair[0].radius() < pair[1].radius()));
    }
}
