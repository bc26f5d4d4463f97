//! Google's location history in its four shapes, and GeoJSON, one element in memory at a time.

use std::{fmt, io::Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    Refused,
    collect::Collector,
    time::{self, Stated},
};

/// What a file that can be read is, for messages.
const KNOWN: &str = "a location history of Google's or GeoJSON";

/// Reads a file of JSON.
///
/// # Errors
/// JSON of another form, or damage; what stood before it was taken.
pub(super) fn read(input: impl Read, collector: &mut Collector) -> Result<(), Refused> {
    let mut json = serde_json::Deserializer::from_reader(input);
    let read = Root(collector).deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|error| match error.is_data() {
        true => Refused::Other(error.to_string()),
        false => Refused::Damaged(error.to_string()),
    })
}

/// The file's one value.
struct Root<'a>(&'a mut Collector);

impl<'de> DeserializeSeed<'de> for Root<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(KNOWN)
    }

    /// The bare array of an iPhone.
    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let before = self.0.counts;
        let elements = Elements(&mut *self.0, segment).visit_seq(seq)?;
        match elements > 0 && before == self.0.counts {
            true => Err(serde::de::Error::custom(format_args!("is not {KNOWN}"))),
            false => Ok(()),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_known = false;
        let (mut geometry, mut properties) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            let take: Take = match key.as_str() {
                "locations" => record,
                "timelineObjects" => timeline_object,
                "semanticSegments" => segment,
                "rawSignals" => raw_signal,
                "features" => feature,
                "geometry" => {
                    geometry = Some(map.next_value::<Value>()?);
                    continue;
                }
                "properties" => {
                    properties = Some(map.next_value::<Value>()?);
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            is_known = true;
            map.next_value_seed(Elements(&mut *self.0, take))?;
        }
        match geometry {
            Some(geometry) => {
                let properties = properties.unwrap_or_default();
                geo_json(&geometry, &properties, self.0);
                Ok(())
            }
            None if is_known => Ok(()),
            None => Err(serde::de::Error::custom(format_args!("is not {KNOWN}"))),
        }
    }
}

/// Takes what one element says.
type Take = fn(&Value, &mut Collector);

/// An array, element by element; gives their number.
struct Elements<'a>(&'a mut Collector, Take);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<u64, A::Error> {
        let mut elements = 0;
        while let Some(element) = seq.next_element::<Value>()? {
            (self.1)(&element, self.0);
            elements += 1;
        }
        Ok(elements)
    }
}

/// An element of `Records.json`.
fn record(it: &Value, collector: &mut Collector) {
    match (when(it, "timestamp"), e7(it, "latitudeE7", "longitudeE7")) {
        (Some(time), Some([lat, lng])) => {
            collector.fix(time, lat, lng, it["accuracy"].as_f64());
        }
        _ => collector.incomplete(),
    }
}

/// An element of a month's `timelineObjects`.
fn timeline_object(it: &Value, collector: &mut Collector) {
    let visit = &it["placeVisit"];
    if !visit.is_null() {
        let place = e7(&visit["location"], "latitudeE7", "longitudeE7")
            .or_else(|| e7(visit, "centerLatE7", "centerLngE7"));
        match (span(&visit["duration"]), place) {
            (Some([from, to]), Some([lat, lng])) => collector.visit(from, to, lat, lng, None),
            _ => collector.incomplete(),
        }
        return;
    }
    let segment = &it["activitySegment"];
    let ends = span(&segment["duration"]);
    if let Some([from, to]) = ends {
        for (time, end) in [(from, "startLocation"), (to, "endLocation")] {
            if let Some([lat, lng]) = e7(&segment[end], "latitudeE7", "longitudeE7") {
                collector.fix(time, lat, lng, Some(ENDS_OF_ACTIVITIES));
            }
        }
    } else {
        collector.incomplete();
    }
    for point in elements(&segment["simplifiedRawPath"]["points"]) {
        match (when(point, "timestamp"), e7(point, "latE7", "lngE7")) {
            (Some(time), Some([lat, lng])) => {
                collector.fix(time, lat, lng, point["accuracyMeters"].as_f64());
            }
            _ => collector.incomplete(),
        }
    }
}

/// Accuracy of where an activity began and ended, in metres.
const ENDS_OF_ACTIVITIES: f64 = 100.0;
/// Accuracy of the points of a timeline's path, which Google has simplified, in metres.
const PATHS: f64 = 100.0;

/// An element of Android's `semanticSegments` or of an iPhone's array.
fn segment(it: &Value, collector: &mut Collector) {
    let ends = instant(&it["startTime"]).zip(instant(&it["endTime"]));
    let visit = &it["visit"]["topCandidate"]["placeLocation"];
    if !visit.is_null() {
        match (ends, place(visit)) {
            (Some((from, to)), Some([lat, lng])) => collector.visit(from, to, lat, lng, None),
            _ => collector.incomplete(),
        }
    }
    let activity = &it["activity"];
    if !activity.is_null() {
        let [start, end] = ["start", "end"].map(|end| place(&activity[end]));
        match (ends, start, end) {
            (Some((from, to)), Some(start), Some(end)) => {
                collector.fix(from, start[0], start[1], Some(ENDS_OF_ACTIVITIES));
                collector.fix(to, end[0], end[1], Some(ENDS_OF_ACTIVITIES));
            }
            _ => collector.incomplete(),
        }
    }
    for point in elements(&it["timelinePath"]) {
        // A time of its own, or minutes from the segment's beginning, which iPhones write as text.
        let minutes = &point["durationMinutesOffsetFromStartTime"];
        let minutes = minutes.as_str().and_then(|it| it.parse().ok()).or(minutes.as_f64());
        let time = instant(&point["time"]).or_else(|| {
            let (from, minutes) = ends.map(|it| it.0).zip(minutes)?;
            let seconds = from.seconds.saturating_add((60.0 * minutes) as i64);
            Some(Stated { seconds, ..from })
        });
        match (time, place(&point["point"])) {
            (Some(time), Some([lat, lng])) => collector.fix(time, lat, lng, Some(PATHS)),
            _ => collector.incomplete(),
        }
    }
}

/// An element of Android's `rawSignals`; those that are no positions say nothing.
fn raw_signal(it: &Value, collector: &mut Collector) {
    let position = &it["position"];
    if position.is_null() {
        return;
    }
    match (instant(&position["timestamp"]), place(&position["LatLng"])) {
        (Some(time), Some([lat, lng])) => {
            collector.fix(time, lat, lng, position["accuracyMeters"].as_f64());
        }
        _ => collector.incomplete(),
    }
}

fn feature(it: &Value, collector: &mut Collector) {
    geo_json(&it["geometry"], &it["properties"], collector);
}

/// A line with a time for each of its points, or a point with a time (RFC 7946 says nothing of
/// times; these are the members that programs write).
fn geo_json(geometry: &Value, properties: &Value, collector: &mut Collector) {
    let lists = [
        &properties["coordTimes"],
        &properties["coordinateProperties"]["times"],
        &properties["times"],
    ];
    let times = lists.into_iter().find(|it| it.is_array()).unwrap_or(&Value::Null);
    let coordinates = &geometry["coordinates"];
    match geometry["type"].as_str() {
        Some("LineString") => line(coordinates, times, collector),
        Some("MultiLineString") => {
            for (at, part) in elements(coordinates).iter().enumerate() {
                line(part, &times[at], collector);
            }
        }
        Some("Point") => {
            let names = ["time", "timestamp", "date"];
            let time = names.iter().find_map(|name| instant(&properties[*name]));
            match (time, pair(coordinates)) {
                (Some(time), Some([lat, lng])) => {
                    collector.fix(time, lat, lng, properties["accuracy"].as_f64());
                }
                _ => collector.incomplete(),
            }
        }
        _ => collector.incomplete(),
    }
}

fn line(coordinates: &Value, times: &Value, collector: &mut Collector) {
    for (at, point) in elements(coordinates).iter().enumerate() {
        match (instant(&times[at]), pair(point)) {
            (Some(time), Some([lat, lng])) => collector.fix(time, lat, lng, None),
            _ => collector.incomplete(),
        }
    }
}

fn elements(it: &Value) -> &[Value] {
    it.as_array().map_or(&[], Vec::as_slice)
}

/// `[lng, lat, …]` as `[lat, lng]`.
fn pair(it: &Value) -> Option<[f64; 2]> {
    Some([it[1].as_f64()?, it[0].as_f64()?])
}

/// `geo:48.1,11.5`, `48.1°, 11.5°`, or an object that holds one of them as `latLng`.
fn place(it: &Value) -> Option<[f64; 2]> {
    let text = it.as_str().or_else(|| it["latLng"].as_str())?;
    let text = text.strip_prefix("geo:").unwrap_or(text);
    let number = |text: &str| text.trim().trim_end_matches('°').trim().parse().ok();
    let (lat, lng) = text.split_once(',')?;
    Some([number(lat)?, number(lng)?])
}

/// Ten-millionths of a degree as degrees. Old exports wrote negative numbers as unsigned ones.
fn e7(it: &Value, lat: &str, lng: &str) -> Option<[f64; 2]> {
    const WRAP: f64 = 4_294_967_296.0;
    let degrees = |name: &str, most: f64| {
        let value = it[name].as_f64()?;
        Some(if value > most * 1e7 { value - WRAP } else { value } / 1e7)
    };
    Some([degrees(lat, 90.0)?, degrees(lng, 180.0)?])
}

/// A time under this name, or in milliseconds under the name with `Ms`, as older exports have it.
fn when(it: &Value, name: &str) -> Option<Stated> {
    instant(&it[name]).or_else(|| milliseconds(&it[format!("{name}Ms")]))
}

fn span(duration: &Value) -> Option<[Stated; 2]> {
    Some([when(duration, "startTimestamp")?, when(duration, "endTimestamp")?])
}

/// Text in ISO 8601, or a number of seconds or milliseconds since 1970.
fn instant(it: &Value) -> Option<Stated> {
    /// Seconds of the year 5138; milliseconds of 1973.
    const SECONDS: f64 = 1e11;
    match it {
        Value::String(text) => time::parse(text),
        Value::Number(number) => {
            let number = number.as_f64()?;
            let seconds = if number.abs() < SECONDS { number } else { number / 1000.0 };
            Some(Stated { seconds: seconds as i64, has_zone: true })
        }
        _ => None,
    }
}

fn milliseconds(it: &Value) -> Option<Stated> {
    let number = it.as_f64().or_else(|| it.as_str()?.parse().ok())?;
    Some(Stated { seconds: (number / 1000.0) as i64, has_zone: true })
}
