use planet_geo::{Distance, LatLng};

use crate::{
    Prediction,
    map::{Colour, Region, WorldMap},
};

const KNOWN: Colour = Colour::new(20, 90, 200);
const CERTAIN: Colour = Colour::new(20, 130, 70);
const UNCERTAIN: Colour = Colour::new(214, 65, 70);
const WAY: Colour = Colour::new(120, 120, 130);
/// Margin round the places of a trip, in degrees, and as a share of their extent.
const MARGIN: f64 = 0.5;
const SHARE: f64 = 0.1;
/// Between photos farther apart no line is drawn: it could not be followed by eye.
const FARTHEST: Distance = Distance::from_km(12_000.0);

/// A trip: where photos were taken, in their order, joined by lines; known positions, certain
/// answers and uncertain ones in colours of their own. Photos without an answer are passed over.
pub fn trip_map<'a>(sequences: impl IntoIterator<Item = Vec<&'a Prediction>>) -> WorldMap {
    let mut marks: Vec<(LatLng, f64, Colour)> = Vec::new();
    let mut lines: Vec<(LatLng, LatLng)> = Vec::new();
    for sequence in sequences {
        let mut before: Option<LatLng> = None;
        for prediction in sequence {
            let (at, size, colour) = match (&prediction.truth, &prediction.certain) {
                (Some(truth), _) => (*truth, 4.0, KNOWN),
                (None, Some(certain)) => (certain.position, 4.0, CERTAIN),
                (None, None) => match prediction.best() {
                    Some(best) => (best.position, 2.5, UNCERTAIN),
                    None => continue,
                },
            };
            let moved = before.filter(|before| *before != at && before.distance_to(at) < FARTHEST);
            lines.extend(moved.map(|before| (before, at)));
            before = Some(at);
            marks.push((at, size, colour));
        }
    }
    let mut map = WorldMap::new(around(marks.iter().map(|mark| mark.0)));
    lines.into_iter().for_each(|(from, to)| map.line(from, to, 1.0, WAY));
    // Uncertain places lie below.
    marks.sort_by(|a, b| a.1.total_cmp(&b.1));
    marks.into_iter().for_each(|(at, size, colour)| map.point(at, size, colour));
    map.key("known position", KNOWN);
    map.key("a level is reported", CERTAIN);
    map.key("uncertain", UNCERTAIN);
    map
}

/// A region that holds all of these; the world where they lie on both sides of the antimeridian.
fn around(positions: impl Iterator<Item = LatLng>) -> Region {
    let mut borders = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    for position in positions {
        let (lat, lng) = (position.lat(), position.lng());
        borders =
            [borders[0].min(lat), borders[1].min(lng), borders[2].max(lat), borders[3].max(lng)];
    }
    let [south, west, north, east] = borders;
    let margin = |extent: f64| MARGIN + SHARE * extent;
    let (tall, wide) = (margin(north - south), margin(east - west));
    let (south, north) = ((south - tall).max(-90.0), (north + tall).min(90.0));
    let (west, east) = ((west - wide).max(-180.0), (east + wide).min(180.0));
    Region::new(south, west, north, east).unwrap_or(Region::WORLD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Candidate;

    #[test]
    fn a_trip_shows_its_places_in_order_and_passes_over_failed_photos() {
        let at = |lat: f64| LatLng::new(lat, 10.0).expect("in range");
        let said = |lat: f64| Prediction {
            candidates: vec![Candidate::at(at(lat))],
            ..Prediction::default()
        };
        let known = Prediction { truth: Some(at(50.0)), ..said(1.0) };
        let failed = Prediction::failed("x", "unreadable");
        let other = said(48.0);
        let trip = |sequence: Vec<&Prediction>| trip_map([sequence]).to_svg();
        let whole = trip(vec![&known, &failed, &other]);
        assert_eq!(whole, trip(vec![&known, &other]));
        assert_ne!(whole, trip(vec![&known]));
        // Without any place it is the world.
        assert_eq!(trip(vec![&failed]), trip(vec![]));
    }
}
