use planet_data::{Country, Gazetteer};
use planet_geo::{Distance, LatLng, Scale};

/// How far a settlement may be and still lend its name: farther away it would mislead.
const NAMED_WITHIN: Distance = Distance::from_km(100.0);

/// What people call a place. Fields are empty where nothing is near enough to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The nearest settlement within 100 km.
    pub name: String,
    /// Its state or province.
    pub region: String,
    /// The country's English name.
    pub country: String,
    /// The country's ISO 3166-1 alpha-2 code.
    pub country_code: String,
}

impl Place {
    /// The names of a position, offline.
    pub fn of(position: LatLng, gazetteer: &Gazetteer) -> Self {
        let near = gazetteer.nearest_place(position);
        let country = gazetteer.country(position);
        let mut place = Self::default();
        if near.distance <= NAMED_WITHIN {
            // Beyond a border, a settlement's region is another country's.
            let same = country.is_none_or(|country| country.code == near.country_code);
            place.region = if same { near.region } else { String::new() };
            place.name = near.name;
        }
        if let Some(country) = country {
            place.country = country.name.to_owned();
            place.country_code = country.code.to_owned();
        }
        place
    }

    /// The name at a level: settlement, region, country or continent; the next coarser name
    /// where the level has none, empty where no named place is near.
    pub fn at_level(&self, level: Scale) -> String {
        let continent =
            Country::of_code(&self.country_code).map_or("", |country| country.continent);
        let names = [&self.name, &self.name, &self.region, &self.country, continent];
        let from = Scale::ALL.iter().position(|scale| *scale == level).unwrap_or(0);
        names[from..].iter().find(|name| !name.is_empty()).map_or(String::new(), |n| n.to_string())
    }
}

impl std::fmt::Display for Place {
    /// `Venice, Veneto, Italy`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = [&self.name, &self.region, &self.country].map(String::as_str).to_vec();
        parts.retain(|part| !part.is_empty());
        parts.dedup();
        if parts.is_empty() {
            f.write_str("no named place nearby")
        } else {
            f.write_str(&parts.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_name_at_every_level() {
        let venice = LatLng::new(45.4371, 12.3326).expect("Venice");
        let place = Place::of(venice, &Gazetteer::new());
        let names = Scale::ALL.map(|level| place.at_level(level));
        assert_eq!(names, ["Venice", "Venice", "Veneto", "Italy", "Europe"]);
        assert_eq!(place.to_string(), "Venice, Veneto, Italy");
    }

    #[test]
    fn the_high_seas_have_no_name() {
        let nemo = LatLng::new(-48.88, -123.39).expect("in range");
        let place = Place::of(nemo, &Gazetteer::new());
        assert_eq!(place, Place::default());
        assert_eq!(place.at_level(Scale::Street), "");
        assert_eq!(place.to_string(), "no named place nearby");
    }
}
