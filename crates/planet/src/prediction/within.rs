use planet_data::{Country, Gazetteer};
use planet_geo::{ClassId, LatLng, Partition};
use serde_json::Value;
use thiserror::Error;

/// Area to which answers are limited: what the user knows beforehand.
#[derive(Clone, Debug, PartialEq)]
pub enum Within {
    /// A country by its ISO code.
    Country(Country),
    /// South, west, north, east in degrees; the west may be greater than the east, across the
    /// antimeridian.
    Box([f64; 4]),
    /// Polygons of a GeoJSON file: rings of `[lng, lat]`, the first the outside, the rest holes.
    Polygons(Vec<Vec<Vec<[f64; 2]>>>),
}

/// Why some ground cannot be used.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum WithinError {
    /// Text that names no ground.
    #[error(
        "'{0}' is neither an ISO country code, nor SOUTH,WEST,NORTH,EAST in degrees, nor a .geojson file"
    )]
    Text(String),
    /// GeoJSON without a usable polygon.
    #[error("{0}")]
    GeoJson(String),
    /// No class has its point there.
    #[error("none of the model's classes lies in this area; choose a larger area")]
    Empty,
}

impl Within {
    /// Reads a country's code or `SOUTH,WEST,NORTH,EAST`.
    ///
    /// # Errors
    /// Neither of them.
    pub fn parse(text: &str) -> Result<Self, WithinError> {
        let bad = || WithinError::Text(text.chars().take(60).collect());
        if let Some(country) = Country::of_code(&text.trim().to_ascii_uppercase()) {
            return Ok(Self::Country(country));
        }
        let sides: Result<Vec<f64>, _> = text.split(',').map(|side| side.trim().parse()).collect();
        let sides: [f64; 4] = sides.map_err(|_| bad())?.try_into().map_err(|_| bad())?;
        let [south, west, north, east] = sides;
        let sound = -90.0 <= south
            && south < north
            && north <= 90.0
            && [west, east].iter().all(|side| (-360.0..=360.0).contains(side));
        if sound { Ok(Self::Box(sides)) } else { Err(bad()) }
    }

    /// Reads all polygons of a GeoJSON text: a geometry, a feature or a collection of them.
    ///
    /// # Errors
    /// Text that is no GeoJSON, or holds no polygon, or positions that are none.
    pub fn from_geojson(text: &str) -> Result<Self, WithinError> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| WithinError::GeoJson(format!("not GeoJSON: {error}")))?;
        let mut polygons = Vec::new();
        collect(&value, &mut polygons)?;
        if polygons.is_empty() {
            return Err(WithinError::GeoJson("contains no Polygon or MultiPolygon".to_owned()));
        }
        Ok(Self::Polygons(polygons))
    }

    /// Whether a position lies inside.
    pub fn holds(&self, position: LatLng, gazetteer: &Gazetteer) -> bool {
        match self {
            Self::Country(country) => gazetteer.country(position) == Some(*country),
            Self::Box([south, west, north, east]) => {
                // West and east as turns from the west, so that any way round works.
                let width = (east - west).rem_euclid(360.0);
                let width = if width == 0.0 && east != west { 360.0 } else { width };
                (*south..=*north).contains(&position.lat())
                    && (position.lng() - west).rem_euclid(360.0) <= width
            }
            Self::Polygons(polygons) => polygons.iter().any(|rings| {
                let inside = |ring: &Vec<[f64; 2]>| holds(ring, position);
                rings.first().is_some_and(inside) && !rings[1..].iter().any(inside)
            }),
        }
    }

    /// For every class, whether its point lies inside.
    ///
    /// # Errors
    /// None does.
    pub fn classes(
        &self,
        partition: &Partition,
        gazetteer: &Gazetteer,
    ) -> Result<Vec<bool>, WithinError> {
        let rows = 0..partition.len() as u32;
        let inside = |row| partition.point(ClassId(row)).is_some_and(|p| self.holds(p, gazetteer));
        let mask: Vec<bool> = rows.map(inside).collect();
        if mask.contains(&true) { Ok(mask) } else { Err(WithinError::Empty) }
    }
}

fn collect(value: &Value, polygons: &mut Vec<Vec<Vec<[f64; 2]>>>) -> Result<(), WithinError> {
    let wrong = |what: &str| WithinError::GeoJson(what.to_owned());
    for key in ["features", "geometries"] {
        for part in value[key].as_array().into_iter().flatten() {
            collect(part, polygons)?;
        }
    }
    if value["geometry"].is_object() {
        collect(&value["geometry"], polygons)?;
    }
    let coordinates = value["coordinates"].as_array();
    match (value["type"].as_str(), coordinates) {
        (Some("Polygon"), Some(rings)) => polygons.push(polygon(rings)?),
        (Some("MultiPolygon"), Some(parts)) => {
            for part in parts {
                let rings = part.as_array().ok_or_else(|| wrong("a polygon is not a list"))?;
                polygons.push(polygon(rings)?);
            }
        }
        _ => {}
    }
    Ok(())
}

fn polygon(rings: &[Value]) -> Result<Vec<Vec<[f64; 2]>>, WithinError> {
    let wrong =
        || WithinError::GeoJson("a ring contains a value that is not [lng, lat]".to_owned());
    let point = |value: &Value| -> Result<[f64; 2], WithinError> {
        let (lng, lat) = (value[0].as_f64(), value[1].as_f64());
        let (lng, lat) = (lng.ok_or_else(wrong)?, lat.ok_or_else(wrong)?);
        LatLng::new(lat, lng).map_err(|error| WithinError::GeoJson(error.to_string()))?;
        Ok([lng, lat])
    };
    rings
        .iter()
        .map(|ring| ring.as_array().ok_or_else(wrong)?.iter().map(point).collect())
        .collect()
}

/// Counts the edges that a line to the east crosses, on the flat map, as GeoJSON means them;
/// also one turn to either side, for rings that go beyond ±180 degrees.
fn holds(ring: &[[f64; 2]], position: LatLng) -> bool {
    let crossings = |lng: f64| {
        let edges = ring.iter().zip(ring.iter().cycle().skip(1));
        let crossed = edges.filter(|([x1, y1], [x2, y2])| {
            let lat = position.lat();
            (*y1 > lat) != (*y2 > lat) && lng < (x2 - x1) * (lat - y1) / (y2 - y1) + x1
        });
        crossed.count()
    };
    [-360.0, 0.0, 360.0].iter().any(|turn| crossings(position.lng() + turn) % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("a position of this test")
    }

    #[test]
    fn a_box_may_cross_the_antimeridian() {
        let gazetteer = Gazetteer::new();
        let fiji = Within::parse("-20, 176, -15, -178").expect("a box");
        assert!(fiji.holds(at(-17.0, 178.0), &gazetteer));
        assert!(fiji.holds(at(-17.0, -179.0), &gazetteer));
        assert!(!fiji.holds(at(-17.0, 0.0), &gazetteer));
        assert!(!fiji.holds(at(-10.0, 178.0), &gazetteer));
        let world = Within::parse("-90,-180,90,180").expect("a box");
        assert!(world.holds(at(0.0, 5.0), &gazetteer));
    }

    #[test]
    fn a_country_holds_its_ground_and_no_other() {
        let gazetteer = Gazetteer::new();
        let italy = Within::parse("it").expect("a code");
        assert!(italy.holds(at(45.4371, 12.3326), &gazetteer));
        assert!(!italy.holds(at(48.85, 2.35), &gazetteer));
    }

    #[test]
    fn a_polygon_has_holes_and_may_go_beyond_the_antimeridian() {
        let text = r#"{"type":"Feature","geometry":{"type":"Polygon","coordinates":[
            [[170,-10],[190,-10],[190,10],[170,10],[170,-10]],
            [[178,-1],[182,-1],[182,1],[178,1],[178,-1]]]}}"#;
        let ground = Within::from_geojson(text).expect("a polygon");
        let gazetteer = Gazetteer::new();
        assert!(ground.holds(at(5.0, -175.0), &gazetteer));
        assert!(ground.holds(at(5.0, 175.0), &gazetteer));
        assert!(!ground.holds(at(0.0, 180.0), &gazetteer));
        assert!(!ground.holds(at(0.0, 0.0), &gazetteer));
    }

    #[test]
    fn what_names_no_ground_is_refused() {
        for text in ["", "XX", "1,2,3", "10,0,5,20", "0,0,91,5", "0,NaN,1,1"] {
            assert!(Within::parse(text).is_err(), "{text}");
        }
        for text in ["{", "{}", r#"{"type":"Point","coordinates":[1,2]}"#] {
            assert!(Within::from_geojson(text).is_err(), "{text}");
        }
        let far = r#"{"type":"Polygon","coordinates":[[[0,95],[1,95],[1,96]]]}"#;
        let error = Within::from_geojson(far).expect_err("beyond the pole");
        assert_eq!(error.to_string(), "latitude 95 is not within -90..=90");
    }
}
