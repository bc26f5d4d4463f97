//! A trip: where photos were taken, in their order.

use planet_geo::{Distance, LatLng, Scale};

use crate::{
    Prediction,
    map::{Colour, Region, WorldMap},
};

const KNOWN: Colour = Colour::new(20, 90, 200);
/// Of the levels, from street to continent.
const LEVELS: [Colour; 5] = [
    Colour::new(8, 104, 62),
    Colour::new(52, 150, 60),
    Colour::new(148, 168, 30),
    Colour::new(224, 160, 20),
    Colour::new(236, 112, 40),
];
const UNCERTAIN: Colour = Colour::new(214, 65, 70);
const WAY: Colour = Colour::new(120, 120, 130);
/// Margin round the places of a trip, in degrees, and as a share of their extent.
const MARGIN: f64 = 0.5;
const SHARE: f64 = 0.1;
/// Between photos farther apart no line is drawn: it could not be followed by eye.
const FARTHEST: Distance = Distance::from_km(12_000.0);
/// Photos that follow one another within this distance are one stop.
const ONE_STOP: Distance = Distance::from_km(1.0);

/// A photo of a trip.
#[derive(Clone, Copy, Debug)]
pub struct TripPhoto<'a> {
    /// Where it was taken: its truth is a known position.
    pub prediction: &'a Prediction,
    /// When, in ISO 8601.
    pub time: Option<&'a str>,
}

impl<'a> From<&'a Prediction> for TripPhoto<'a> {
    /// Without a time.
    fn from(prediction: &'a Prediction) -> Self {
        Self { prediction, time: None }
    }
}

/// How surely the place of a stop is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sureness {
    Known,
    Certain(usize),
    Uncertain,
}

impl Sureness {
    pub(super) fn colour(self) -> Colour {
        match self {
            Self::Known => KNOWN,
            Self::Certain(level) => LEVELS[level],
            Self::Uncertain => UNCERTAIN,
        }
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Known => "known position".to_owned(),
            Self::Certain(level) => {
                let level = Scale::ALL[level];
                format!("{} ({} km)", level.name(), level.radius().km())
            }
            Self::Uncertain => "uncertain".to_owned(),
        }
    }

    fn radius(self) -> f64 {
        if self == Self::Uncertain { 2.5 } else { 4.0 }
    }
}

/// Photos that follow one another at one place, equally sure.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) at: LatLng,
    pub(super) sureness: Sureness,
    /// What the place is called; empty where it has no name.
    pub(super) name: String,
    /// Times of the first and the last photo that have one, as they stand in the records.
    pub(super) times: Option<(String, String)>,
    /// Ids of the photos.
    pub(super) photos: Vec<String>,
}

/// Photos in their order, for a map or a page.
#[derive(Clone, Debug, Default)]
pub struct Trip {
    pub(super) stops: Vec<Stop>,
    lines: Vec<(LatLng, LatLng)>,
    /// Photos without an answer.
    pub(super) without: usize,
}

impl Trip {
    /// From sequences of photos, each in its order. Photos without an answer are passed over.
    pub fn new<'a>(sequences: impl IntoIterator<Item = Vec<TripPhoto<'a>>>) -> Self {
        let mut trip = Self::default();
        for sequence in sequences {
            let mut last: Option<LatLng> = None;
            for photo in sequence {
                let Some((at, sureness)) = place(photo.prediction) else {
                    trip.without += 1;
                    continue;
                };
                let moved = last.filter(|last| *last != at && last.distance_to(at) < FARTHEST);
                trip.lines.extend(moved.map(|last| (last, at)));
                let open = trip.stops.last_mut().filter(|stop| {
                    let is_near = stop.at.distance_to(at) <= ONE_STOP;
                    last.is_some() && stop.sureness == sureness && is_near
                });
                match open {
                    Some(stop) => stop.add(photo),
                    None => trip.stops.push(Stop::new(at, sureness, photo)),
                }
                last = Some(at);
            }
        }
        trip
    }

    /// The map: places joined by lines in the order of the photos; known positions, answers of each
    /// level and uncertain ones in colours of their own.
    pub fn map(&self) -> WorldMap {
        let mut map = WorldMap::new(around(self.stops.iter().map(|stop| stop.at)));
        self.lines.iter().for_each(|(from, to)| map.line(*from, *to, 1.0, WAY));
        let mut numbered: Vec<(usize, &Stop)> = self.stops.iter().enumerate().collect();
        // Uncertain places lie below, of equal ones the first above.
        numbered.sort_by_key(|(number, stop)| std::cmp::Reverse((stop.sureness, *number)));
        for (number, stop) in numbered {
            map.numbered_point(stop.at, stop.sureness.radius(), stop.sureness.colour(), number);
        }
        let mut kinds: Vec<Sureness> = self.stops.iter().map(|stop| stop.sureness).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.into_iter().for_each(|kind| map.key(kind.name(), kind.colour()));
        map
    }
}

impl Stop {
    fn new(at: LatLng, sureness: Sureness, photo: TripPhoto<'_>) -> Self {
        let mut stop = Self { at, sureness, name: String::new(), times: None, photos: Vec::new() };
        stop.add(photo);
        stop
    }

    fn add(&mut self, TripPhoto { prediction, time }: TripPhoto<'_>) {
        if self.name.is_empty() {
            self.name = name(prediction, self.sureness);
        }
        if let Some(time) = time {
            let first = self.times.take().map_or_else(|| time.to_owned(), |times| times.0);
            self.times = Some((first, time.to_owned()));
        }
        self.photos.push(prediction.photo.clone());
    }
}

/// Where a photo is shown, and how sure that is; `None` without an answer.
fn place(prediction: &Prediction) -> Option<(LatLng, Sureness)> {
    if let Some(truth) = prediction.truth {
        return Some((truth, Sureness::Known));
    }
    if let Some(certain) = &prediction.certain {
        let level = Scale::ALL.iter().position(|level| *level == certain.level)?;
        return Some((certain.position, Sureness::Certain(level)));
    }
    prediction.best().map(|best| (best.position, Sureness::Uncertain))
}

fn name(prediction: &Prediction, sureness: Sureness) -> String {
    let place = || Some(prediction.best()?.place.as_ref()?.at_level(Scale::City));
    match (&prediction.certain, sureness) {
        (Some(certain), Sureness::Certain(_)) => certain.name.clone(),
        _ => place().unwrap_or_default(),
    }
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
    use crate::{Candidate, Certain};

    fn at(lat: f64) -> LatLng {
        LatLng::new(lat, 10.0).expect("in range")
    }

    fn said(lat: f64) -> Prediction {
        Prediction {
            photo: format!("{lat}.jpg"),
            candidates: vec![Candidate::at(at(lat))],
            ..Prediction::default()
        }
    }

    fn trip(sequence: &[&Prediction]) -> Trip {
        Trip::new([sequence.iter().map(|it| TripPhoto::from(*it)).collect()])
    }

    #[test]
    fn a_trip_shows_its_places_in_order_and_passes_over_failed_photos() {
        let known = Prediction { truth: Some(at(50.0)), ..said(1.0) };
        let failed = Prediction::failed("x", "unreadable");
        let other = said(48.0);
        let drawn = |sequence: &[&Prediction]| trip(sequence).map().to_svg();
        let whole = drawn(&[&known, &failed, &other]);
        assert_eq!(whole, drawn(&[&known, &other]));
        assert_ne!(whole, drawn(&[&known]));
        // Without any place it is the world.
        assert_eq!(drawn(&[&failed]), drawn(&[]));
    }

    #[test]
    fn photos_at_one_place_are_one_stop_with_the_times_of_the_first_and_the_last() {
        let certain = |lat: f64, level| {
            let (name, position) = ("Munich".to_owned(), at(lat));
            let certain = Certain { level, name, position, probability: 0.9 };
            Prediction { certain: Some(certain), ..said(lat) }
        };
        let photos = [
            certain(48.0, Scale::City),
            certain(48.001, Scale::City),
            certain(48.0, Scale::Street),
            certain(49.0, Scale::Street),
        ];
        let times = ["2024-05-01T10:00:00", "2024-05-01T12:00:00", "2024-05-02T08:00:00"];
        let times = times.map(Some).into_iter().chain([None]);
        let dated = photos.iter().zip(times);
        let sequence = dated.map(|(prediction, time)| TripPhoto { prediction, time }).collect();
        let trip = Trip::new([sequence]);
        let photos: Vec<usize> = trip.stops.iter().map(|stop| stop.photos.len()).collect();
        assert_eq!(photos, [2, 1, 1]);
        let first = trip.stops[0].times.as_ref().expect("two times");
        assert_eq!((&*first.0, &*first.1), ("2024-05-01T10:00:00", "2024-05-01T12:00:00"));
        assert_eq!((trip.stops[0].name.as_str(), &trip.stops[2].times), ("Munich", &None));
        let colours: Vec<Colour> = trip.stops.iter().map(|stop| stop.sureness.colour()).collect();
        assert_eq!(colours, [LEVELS[1], LEVELS[0], LEVELS[0]]);
    }
}
