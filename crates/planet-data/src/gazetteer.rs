use std::sync::{LazyLock, OnceLock};

use country_boundaries::{BOUNDARIES_ODBL_360X180, CountryBoundaries, LatLon};
use planet_geo::{Distance, LatLng};
use reverse_geocoder::ReverseGeocoder;

/// Names of places, offline: countries by their boundaries, settlements by nearness.
///
/// Both tables load when they are first asked: the boundaries in about 20 ms, the 144,563
/// settlements in about 150 ms. Boundaries are OpenStreetMap's (ODbL), settlements GeoNames'
/// (CC BY).
#[derive(Default)]
pub struct Gazetteer {
    boundaries: OnceLock<CountryBoundaries>,
    places: OnceLock<ReverseGeocoder>,
}

/// A country or territory with an ISO 3166-1 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    /// Two letters.
    pub code: &'static str,
    /// English name.
    pub name: &'static str,
    /// English name of its continent; the Americas are two.
    pub continent: &'static str,
}

/// A settlement near a position.
#[derive(Clone, Debug, PartialEq)]
pub struct NearbyPlace {
    /// Its name.
    pub name: String,
    /// The first-order region that it lies in: a state, a province. May be empty.
    pub region: String,
    /// Its country's ISO code.
    pub country_code: String,
    /// Where it lies.
    pub position: LatLng,
    /// How far it is.
    pub distance: Distance,
}

/// How far beyond all boundaries a settlement may lie and still tell the country of a position:
/// boats and beaches outside the territorial waters that the boundaries include.
pub const COAST: Distance = Distance::from_km(50.0);

static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    let rows = include_str!("../data/countries.csv").lines().skip(2);
    let country = |row: &'static str| {
        let (code, rest) = row.split_once(',')?;
        let (name, continent) = rest.rsplit_once(',')?;
        Some(Country { code, name: name.trim_matches('"'), continent })
    };
    rows.filter_map(country).collect()
});

impl Country {
    /// The country of an ISO 3166-1 alpha-2 code.
    pub fn of_code(code: &str) -> Option<Self> {
        let at = COUNTRIES.binary_search_by(|country| country.code.cmp(code)).ok()?;
        Some(COUNTRIES[at])
    }
}

impl Gazetteer {
    /// An empty gazetteer; tables load when they are asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads both tables now, on a thread of one's own while something else is made ready.
    pub fn load(&self) {
        let greenwich = LatLng::new(51.48, 0.0).expect("a position");
        self.country(greenwich);
        self.nearest_place(greenwich);
    }

    /// The country of a position.
    ///
    /// Several areas may hold it: a territory with a code of its own wins over the state that
    /// it belongs to (Hong Kong over China, Puerto Rico over the United States), and of two
    /// claims to one ground the smaller country's. Outside all boundaries the nearest
    /// settlement's country counts if it lies within [`COAST`]; else there is none: high seas.
    pub fn country(&self, position: LatLng) -> Option<Country> {
        let point = LatLon::new(position.lat(), position.lng()).ok()?;
        // Areas come from the smallest to the largest; subdivisions have longer ids.
        let areas = self.boundaries().ids(point);
        if let Some(country) = areas.into_iter().find_map(Country::of_code) {
            return Some(country);
        }
        let place = self.nearest_place(position);
        if place.distance > COAST { None } else { Country::of_code(&place.country_code) }
    }

    /// The settlement that lies nearest, however far that is.
    pub fn nearest_place(&self, position: LatLng) -> NearbyPlace {
        let places = self.places.get_or_init(ReverseGeocoder::new);
        let record = places.search((position.lat(), position.lng())).record;
        let there = LatLng::new(record.lat, record.lon).unwrap_or(position);
        NearbyPlace {
            name: record.name.clone(),
            region: record.admin1.clone(),
            country_code: record.cc.clone(),
            position: there,
            distance: position.distance_to(there),
        }
    }

    fn boundaries(&self) -> &CountryBoundaries {
        self.boundaries.get_or_init(|| {
            CountryBoundaries::from_reader(BOUNDARIES_ODBL_360X180)
                .expect("the boundaries that are built in are whole")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(lat: f64, lng: f64) -> Option<&'static str> {
        let position = LatLng::new(lat, lng).expect("a position of this test");
        Gazetteer::new().country(position).map(|country| country.code)
    }

    #[test]
    fn positions_fall_into_the_country_that_people_would_say() {
        let cases = [
            (48.8584, 2.2945, "FR"),
            (22.2855, 114.1577, "HK"),
            (18.4655, -66.1057, "PR"),
            (41.9022, 12.4539, "VA"),
            (47.6973, 8.6910, "DE"),
            (-18.1416, 178.4419, "FJ"),
            (55.7558, 37.6173, "RU"),
            (-77.8419, 166.6863, "AQ"),
        ];
        for (lat, lng, code) in cases {
            assert_eq!(country(lat, lng), Some(code), "{lat},{lng}");
        }
    }

    #[test]
    fn the_high_seas_belong_to_nobody() {
        assert_eq!(country(-48.88, -123.39), None);
        assert_eq!(country(30.0, -45.0), None);
    }

    #[test]
    fn every_country_has_a_name_and_a_continent() {
        assert!(COUNTRIES.len() > 245);
        assert!(COUNTRIES.is_sorted_by_key(|country| country.code));
        let japan = Country::of_code("JP").expect("a country");
        assert_eq!((japan.name, japan.continent), ("Japan", "Asia"));
        assert!(COUNTRIES.iter().all(|c| !c.name.is_empty() && c.continent.len() > 3));
        assert_eq!(Country::of_code("XX"), None);
    }

    #[test]
    fn the_nearest_place_is_told_with_its_distance() {
        let near = Gazetteer::new().nearest_place(LatLng::new(45.4371, 12.3326).expect("Venice"));
        assert_eq!((near.name.as_str(), near.country_code.as_str()), ("Venice", "IT"));
        assert!(near.distance < Distance::from_km(5.0), "{}", near.distance);
    }
}
