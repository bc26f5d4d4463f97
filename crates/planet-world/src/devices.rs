//! What a person's devices record besides photos, and how far their clocks are wrong.

use std::{fs, io, path::Path};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use planet_data::AtomicFile;
use planet_geo::LatLng;
use rand::RngExt;
use serde_json::{Value, json};

use crate::{
    WorldError,
    album::ALBUMS_OF_AUTHOR,
    journeys::Journeys,
    seed::{Purpose, stream},
    synthetic_photo::SyntheticPhoto,
    way::{Leg, way},
};

/// Folder of the tracks, with one for each author.
const TRACKS: &str = "tracks";
/// Table of the clocks.
const CLOCKS: &str = "clocks.csv";
/// Seconds between two positions of a receiver on the way, and during a stay.
const ON_THE_WAY: i64 = 60;
const DURING_STAYS: i64 = 900;
/// A receiver is off for whole periods of this length in seconds, with this probability.
const PERIOD: i64 = 2 * 3600;
const OFF: f64 = 0.15;
/// Stays of at least so many seconds are visits of a timeline; the points of its paths are as far
/// apart.
const VISIT: i64 = 600;

/// What the devices of the authors of albums do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Each author's way is recorded: `tracks/AUTHOR/track.gpx`, `Records.json` and
    /// `Timeline.json`, with exact positions, and a receiver that is off for some hours. The later
    /// of two albums of an author that overlap in time is ten years later.
    pub tracks: bool,
    /// The clock of each author's camera is wrong by hours, or by any number of seconds up to
    /// twelve hours; of one in four it is right.
    pub clock_offsets: bool,
}

impl Devices {
    /// The photos of an album, with the times that the camera shows.
    pub(crate) fn album(self, journeys: &Journeys, seed: u64, number: u64) -> Vec<SyntheticPhoto> {
        let mut photos = self.true_album(journeys, seed, number);
        let wrong = self.wrong_by(seed, number / ALBUMS_OF_AUTHOR);
        photos.iter_mut().for_each(|photo| photo.time = photo.time.saturating_add(wrong.seconds()));
        photos
    }

    /// The same with the times that a clock at home shows.
    fn true_album(self, journeys: &Journeys, seed: u64, number: u64) -> Vec<SyntheticPhoto> {
        let mut photos = journeys.album(seed, number);
        let first = number - number % ALBUMS_OF_AUTHOR;
        let ends = |photos: &[SyntheticPhoto]| Some((photos.first()?.time, photos.last()?.time));
        if self.tracks
            && number > first
            && let Some((own, other)) = ends(&photos).zip(ends(&journeys.album(seed, first)))
            && own.0 <= other.1
            && other.0 <= own.1
        {
            photos.iter_mut().for_each(|it| it.time = it.time.saturating_add(10.years()));
        }
        photos
    }

    /// Seconds by which an author's camera is ahead.
    fn wrong_by(self, seed: u64, author: u64) -> i64 {
        let mut rng = stream(seed, Purpose::Clock, author);
        match rng.random_range(0..4) {
            _ if !self.clock_offsets => 0,
            0 => 0,
            1 => rng.random_range(1..=12) * 3600,
            2 => -rng.random_range(1..=12) * 3600,
            _ => rng.random_range(-43_200..=43_200),
        }
    }

    /// Writes the tracks of an author whose albums have these numbers.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn write_tracks(
        self,
        journeys: &Journeys,
        seed: u64,
        albums: std::ops::Range<u64>,
        folder: &Path,
    ) -> Result<(), WorldError> {
        let author = albums.start / ALBUMS_OF_AUTHOR;
        let zone = journeys.zone_of(seed, author);
        let mut rng = stream(seed, Purpose::Tracks, author);
        let mut name = String::new();
        let mut ways = Vec::new();
        for number in albums {
            let photos = self.true_album(journeys, seed, number);
            let moments = photos.iter().map(|photo| (utc(photo, zone), photo.position));
            ways.push(way(&moments.collect::<Vec<(i64, LatLng)>>(), &mut rng));
            name = photos.into_iter().next().map_or(name, |photo| photo.author);
        }
        // In order of time, as a receiver writes.
        ways.sort_by_key(|way| way.first().map(|leg| leg.from));
        let is_on = |period: i64| {
            let period = u64::from_le_bytes(period.to_le_bytes());
            !stream(seed ^ author.rotate_left(32), Purpose::Receiver, period).random_bool(OFF)
        };
        let files = [
            ("track.gpx", gpx(&ways, is_on)),
            ("Records.json", format!("{:#}\n", records(&ways, is_on))),
            ("Timeline.json", format!("{:#}\n", timeline(&ways))),
        ];
        let folder = folder.join(TRACKS).join(name);
        let at = |path: &Path, source| WorldError::File { path: path.to_owned(), source };
        fs::create_dir_all(&folder).map_err(|error| at(&folder, error))?;
        for (name, content) in files {
            let path = folder.join(name);
            fs::write(&path, content).map_err(|error| at(&path, error))?;
        }
        Ok(())
    }

    /// Writes what has to be added to the times of each author's camera to reach UTC.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_clocks(
        self,
        journeys: &Journeys,
        seed: u64,
        albums: u64,
        folder: &Path,
    ) -> Result<(), WorldError> {
        let path = folder.join(CLOCKS);
        let write = || -> csv::Result<()> {
            let mut table = csv::Writer::from_writer(AtomicFile::create(&path)?);
            table.write_record(["author", "camera", "to_utc_s"])?;
            for author in 0..albums.div_ceil(ALBUMS_OF_AUTHOR) {
                let photos = journeys.album(seed, author * ALBUMS_OF_AUTHOR);
                let Some(photo) = photos.first() else { continue };
                let to_utc = -journeys.zone_of(seed, author) - self.wrong_by(seed, author);
                table.serialize((&photo.author, photo.camera.to_string(), to_utc))?;
            }
            let file = table.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
            Ok(file.finish()?)
        };
        write().map_err(|error| WorldError::File { path: path.clone(), source: error.into() })
    }
}

/// Seconds since 1970 of a photo whose time is that of a zone so many seconds ahead of UTC.
fn utc(photo: &SyntheticPhoto, zone: i64) -> i64 {
    let time = TimeZone::UTC.to_timestamp(photo.time).map_or(0, |it| it.as_second());
    time - zone
}

/// A time of a track.
fn text(time: i64) -> String {
    Timestamp::from_second(time).map_or_else(|_| String::new(), |it| it.to_string())
}

/// The positions of a receiver in one leg, while it is on.
fn fixes(leg: &Leg, is_on: impl Fn(i64) -> bool) -> impl Iterator<Item = (i64, LatLng)> {
    let step = if leg.is_stay() { DURING_STAYS } else { ON_THE_WAY };
    let times = (leg.from..leg.to).step_by(step as usize);
    times.filter(move |time| is_on(time.div_euclid(PERIOD))).map(|time| (time, leg.at(time)))
}

/// A track for each album, with a segment for each time that the receiver was on.
fn gpx(ways: &[Vec<Leg>], is_on: impl Fn(i64) -> bool + Copy) -> String {
    let mut gpx =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gpx version=\"1.1\" creator=\"PlaNet\" \
                   xmlns=\"http://www.topografix.com/GPX/1/1\">\n"
            .to_owned();
    for way in ways {
        gpx.push_str("<trk><trkseg>\n");
        let mut last = i64::MAX;
        for (time, position) in way.iter().flat_map(|leg| fixes(leg, is_on)) {
            if time > last.saturating_add(PERIOD / 2) {
                gpx.push_str("</trkseg><trkseg>\n");
            }
            last = time;
            let (lat, lng, time) = (position.lat(), position.lng(), text(time));
            let point =
                format!("<trkpt lat=\"{lat:.7}\" lon=\"{lng:.7}\"><time>{time}</time></trkpt>");
            gpx.push_str(&point);
            gpx.push('\n');
        }
        gpx.push_str("</trkseg></trk>\n");
    }
    gpx.push_str("</gpx>\n");
    gpx
}

fn e7(degrees: f64) -> i64 {
    (degrees * 1e7).round() as i64
}

/// As Google's `Records.json`: every third position.
fn records(ways: &[Vec<Leg>], is_on: impl Fn(i64) -> bool + Copy) -> Value {
    let fixes = ways.iter().flatten().flat_map(|leg| fixes(leg, is_on).step_by(3));
    let record = |(time, position): (i64, LatLng)| {
        json!({
            "latitudeE7": e7(position.lat()),
            "longitudeE7": e7(position.lng()),
            "accuracy": 10,
            "timestamp": text(time),
        })
    };
    json!({"locations": fixes.map(record).collect::<Vec<Value>>()})
}

/// As Android's timeline: visits, and activities with their paths.
fn timeline(ways: &[Vec<Leg>]) -> Value {
    let place = |position: LatLng| format!("{:.7}°, {:.7}°", position.lat(), position.lng());
    let segment = |leg: &Leg| {
        let [from, to] = [leg.from, leg.to].map(text);
        let span =
            |what: &str, value: Value| json!({"startTime": from, "endTime": to, what: value});
        if leg.is_stay() {
            let visit = json!({"topCandidate": {"placeLocation": {"latLng": place(leg.start)}}});
            return vec![span("visit", visit)];
        }
        let ends =
            json!({"start": {"latLng": place(leg.start)}, "end": {"latLng": place(leg.end)}});
        let point = |time: i64| json!({"point": place(leg.at(time)), "time": text(time)});
        let path = (leg.from..leg.to).step_by(VISIT as usize).map(point).collect::<Vec<Value>>();
        vec![span("activity", ends), span("timelinePath", json!(path))]
    };
    let legs = ways.iter().flatten().filter(|leg| !leg.is_stay() || leg.to - leg.from >= VISIT);
    json!({"semanticSegments": legs.flat_map(segment).collect::<Vec<Value>>()})
}
