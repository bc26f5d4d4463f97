//! Tracks of every format, whole and damaged, and the positions between what they recorded.

use std::path::PathBuf;

use planet_geo::LatLng;
use planet_library::{TrackError, TrackLimits, Tracks};
use tempfile::TempDir;

/// 2024-05-01T10:00:00Z.
const TEN: i64 = 1_714_557_600;

fn at(lat: f64, lng: f64) -> LatLng {
    LatLng::new(lat, lng).expect("in range")
}

fn written(name: &str, content: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("written");
    (folder, path)
}

fn read(name: &str, content: &str) -> Result<Tracks, TrackError> {
    let (_folder, path) = written(name, content);
    Tracks::read(&[path])
}

fn gpx(points: &[(f64, f64, &str)]) -> String {
    let point = |(lat, lng, time): &(f64, f64, &str)| {
        format!("<trkpt lat=\"{lat}\" lon=\"{lng}\"><ele>5</ele><time>{time}</time></trkpt>\n")
    };
    let points: String = points.iter().map(point).collect();
    format!(
        "<?xml version=\"1.0\"?><gpx version=\"1.1\"><metadata><time>2020-01-01T00:00:00Z</time></metadata><trk><name>2024-05-01T12:00:00Z</name><trkseg>{points}</trkseg></trk></gpx>"
    )
}

/// Five minutes past ten, half way from 48 to 48.02 degrees north.
fn is_half_way(tracks: &Tracks) -> bool {
    let found = tracks.at(TEN + 300, TrackLimits::default()).expect("between two positions");
    found.position.distance_to(at(48.01, 11.0)).m() < 1.0
}

#[test]
fn every_format_gives_the_same_way() {
    let files = [
        ("a.gpx", gpx(&[(48.0, 11.0, "2024-05-01T10:00:00Z"), (48.02, 11.0, "2024-05-01T12:10:00+02:00")])),
        ("Records.json", r#"{"locations": [
            {"latitudeE7": 480000000, "longitudeE7": 110000000, "accuracy": 12, "timestamp": "2024-05-01T10:00:00.000Z", "activity": [{"activity": [{"type": "WALKING"}]}]},
            {"latitudeE7": 480200000, "longitudeE7": 110000000, "accuracy": 12, "timestampMs": "1714558200000"}]}"#.to_owned()),
        ("2024_MAY.json", r#"{"timelineObjects": [{"activitySegment": {
            "startLocation": {"latitudeE7": 480000000, "longitudeE7": 110000000},
            "endLocation": {"latitudeE7": 480200000, "longitudeE7": 110000000},
            "duration": {"startTimestamp": "2024-05-01T10:00:00Z", "endTimestamp": "2024-05-01T10:10:00Z"}}}]}"#.to_owned()),
        ("Timeline.json", r#"{"semanticSegments": [{"startTime": "2024-05-01T11:00:00.000+01:00", "endTime": "2024-05-01T13:00:00.000+01:00",
            "timelinePath": [{"point": "48.0°, 11.0°", "time": "2024-05-01T11:00:00.000+01:00"},
                             {"point": "48.02°, 11.0°", "time": "2024-05-01T11:10:00.000+01:00"}]}], "rawSignals": [{"wifiScan": {}}]}"#.to_owned()),
        ("location-history.json", r#"[{"startTime": "2024-05-01T10:00:00.000Z", "endTime": "2024-05-01T10:10:00.000Z",
            "activity": {"start": "geo:48.0,11.0", "end": "geo:48.02,11.0", "distanceMeters": "2000"}}]"#.to_owned()),
        ("iphone-path.json", r#"[{"startTime": "2024-05-01T10:00:00.000Z", "endTime": "2024-05-01T12:00:00.000Z",
            "timelinePath": [{"point": "geo:48.0,11.0", "durationMinutesOffsetFromStartTime": "0"},
                             {"point": "geo:48.02,11.0", "durationMinutesOffsetFromStartTime": "10"}]}]"#.to_owned()),
        ("a.kml", r#"<kml xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><Placemark><gx:Track>
            <when>2024-05-01T10:00:00Z</when><when>2024-05-01T10:10:00Z</when>
            <gx:coord>11.0 48.0 500</gx:coord><gx:coord>11.0 48.02 500</gx:coord></gx:Track></Placemark></Document></kml>"#.to_owned()),
        ("b.kml", r#"<kml><Placemark><TimeStamp><when>2024-05-01T10:00:00Z</when></TimeStamp><Point><coordinates>11.0,48.0,0</coordinates></Point></Placemark>
            <Placemark><Point><coordinates>11.0,48.02,0</coordinates></Point><TimeStamp><when>2024-05-01T10:10:00Z</when></TimeStamp></Placemark></kml>"#.to_owned()),
        ("a.geojson", r#"{"type": "FeatureCollection", "features": [{"type": "Feature",
            "properties": {"coordTimes": ["2024-05-01T10:00:00Z", 1714558200000]},
            "geometry": {"type": "LineString", "coordinates": [[11.0, 48.0, 5], [11.0, 48.02]]}}]}"#.to_owned()),
        ("b.geojson", r#"{"geometry": {"type": "MultiLineString", "coordinates": [[[11.0, 48.0], [11.0, 48.02]]]},
            "type": "Feature", "properties": {"coordTimes": [["2024-05-01T10:00:00Z", "2024-05-01T10:10:00Z"]]}}"#.to_owned()),
    ];
    for (name, content) in files {
        let tracks = read(name, &content).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(tracks.counts().fixes, 2, "{name}: {}", tracks.counts());
        assert_eq!(tracks.counts().incomplete, 0, "{name}: {}", tracks.counts());
        assert!(is_half_way(&tracks), "{name}");
    }
}

#[test]
fn visits_are_stays_from_their_begin_to_their_end() {
    let files = [
        (
            "2024_MAY.json",
            r#"{"timelineObjects": [{"placeVisit": {"location": {"latitudeE7": 480000000, "longitudeE7": 110000000, "name": "Café"},
            "duration": {"startTimestampMs": "1714557600000", "endTimestamp": "2024-05-01T15:00:00Z"}}}]}"#,
        ),
        (
            "Timeline.json",
            r#"{"semanticSegments": [{"startTime": "2024-05-01T10:00:00Z", "endTime": "2024-05-01T15:00:00Z",
            "visit": {"probability": 0.9, "topCandidate": {"placeLocation": {"latLng": "48.0°, 11.0°"}}}}]}"#,
        ),
        (
            "location-history.json",
            r#"[{"startTime": "2024-05-01T10:00:00Z", "endTime": "2024-05-01T15:00:00Z",
            "visit": {"topCandidate": {"placeLocation": "geo:48.0,11.0"}}}]"#,
        ),
        (
            "history.kml",
            r#"<kml><Placemark><name>Café</name><Point><coordinates>11.0,48.0,0</coordinates></Point>
            <TimeSpan><begin>2024-05-01T10:00:00Z</begin><end>2024-05-01T15:00:00Z</end></TimeSpan></Placemark></kml>"#,
        ),
    ];
    for (name, content) in files {
        let tracks = read(name, content).unwrap_or_else(|error| panic!("{error}"));
        let limits = TrackLimits::default();
        let found = tracks.at(TEN + 4 * 3600, limits).expect(name);
        assert!(found.position.distance_to(at(48.0, 11.0)).m() < 1.0, "{name}");
        assert_eq!(found.seconds, 0);
        assert_eq!(tracks.at(TEN - 10, limits), None, "{name}");
        assert_eq!(tracks.at(TEN + 5 * 3600 + 10, limits), None, "{name}");
    }
}

#[test]
fn positions_are_interpolated_within_the_limits_and_less_accurate_far_from_the_recorded_ones() {
    let tracks = read(
        "a.gpx",
        &gpx(&[
            (48.0, 11.0, "2024-05-01T10:00:00Z"),
            (48.0, 11.0, "2024-05-01T10:02:00Z"),
            (48.0, 11.2, "2024-05-01T10:22:00Z"),
            (48.0, 12.0, "2024-05-01T14:00:00Z"),
        ]),
    )
    .expect("a track");
    let limits = TrackLimits::default();
    let accuracy = |seconds: i64| tracks.at(TEN + seconds, limits).map(|it| it.accuracy.m());
    assert!(accuracy(0) < Some(20.0) && accuracy(60) < Some(80.0), "{:?}", accuracy(60));
    assert!(accuracy(120 + 600) > accuracy(120 + 60), "in the middle of a long gap");
    // 3 hours and 38 minutes are not interpolated; half an hour on, the last position counts.
    assert_eq!(accuracy(2 * 3600), None);
    let on = tracks.at(TEN + 1320 + 900, limits).expect("within half an hour");
    assert!(on.position.distance_to(at(48.0, 11.2)).m() < 1.0 && on.accuracy.km() > 1.0);
    let wide = TrackLimits { interpolated: 4 * 3600, ..limits };
    let found = tracks.at(TEN + 2 * 3600, wide).expect("wider limits");
    assert!((11.2..12.0).contains(&found.position.lng()));
    assert_eq!(Tracks::default().at(TEN, limits), None);
    // Over the antimeridian the short way is taken.
    let over = read(
        "a.gpx",
        &gpx(&[(0.0, 179.99, "2024-05-01T10:00:00Z"), (0.0, -179.99, "2024-05-01T10:10:00Z")]),
    )
    .expect("a track");
    let found = over.at(TEN + 300, limits).expect("between");
    assert!(found.position.lng().abs() > 179.9, "{found:?}");
}

#[test]
fn what_cannot_be_true_is_counted_and_not_believed() {
    let tracks = read(
        "a.gpx",
        &gpx(&[
            (48.02, 11.0, "2024-05-01T10:10:00Z"),
            (48.0, 11.0, "2024-05-01T10:00:00Z"),
            (48.0, 11.0, "2024-05-01T10:00:00Z"),
            (0.0, 0.0, "2024-05-01T10:01:00Z"),
            (48.0, 11.0, "1970-01-01T00:00:00Z"),
            (95.0, 11.0, "2024-05-01T10:02:00Z"),
            (-33.0, 151.0, "2024-05-01T10:04:00Z"),
            (48.0, 11.0, "yesterday"),
        ]),
    )
    .expect("a track");
    let counts = tracks.counts();
    assert_eq!(counts.fixes, 7);
    assert_eq!([counts.null_island, counts.before_gps, counts.off_earth], [1, 1, 1]);
    assert_eq!([counts.jumps, counts.incomplete], [1, 1]);
    assert!(is_half_way(&tracks), "out of order, with duplicates and a jump");
    let zoneless = read(
        "a.gpx",
        &gpx(&[(48.0, 11.0, "2024-05-01T10:00:00"), (48.02, 11.0, "2024-05-01T10:10:00")]),
    )
    .expect("a track");
    assert_eq!(zoneless.counts().without_zone, 2);
    assert!(is_half_way(&zoneless), "read as UTC");
}

#[test]
fn times_beyond_the_year_9999_are_no_times() {
    let tracks = read(
        "Records.json",
        r#"{"locations": [
            {"latitudeE7": 480000000, "longitudeE7": 110000000, "timestampMs": "1e30"},
            {"latitudeE7": 480000000, "longitudeE7": 110000000, "timestamp": "2024-05-01T10:00:00+00:99999999999999999999"}]}"#,
    )
    .expect("a file of tracks");
    assert_eq!((tracks.counts().incomplete, tracks.is_empty()), (2, true));
    let tracks = read(
        "iphone.json",
        r#"[{"startTime": "2024-05-01T10:00:00Z", "endTime": "2024-05-01T12:00:00Z",
            "timelinePath": [{"point": "geo:48.0,11.0", "durationMinutesOffsetFromStartTime": "1e300"}]}]"#,
    )
    .expect("a file of tracks");
    assert_eq!((tracks.counts().incomplete, tracks.is_empty()), (1, true));
}

#[test]
fn a_file_that_is_no_track_is_refused_by_name_and_passed_over_within_a_folder() {
    let refused = |name: &str, content: &str| read(name, content).expect_err(name).to_string();
    assert!(refused("a.gpx", "").ends_with("a.gpx: is empty"));
    assert!(refused("a.gpx", "<html></html>").contains("root element is html"));
    assert!(refused("a.gpx", "$GPGGA,1").contains("neither XML nor JSON"));
    assert!(refused("a.json", "{\"title\": \"a.jpg\"}").contains("is not a location history"));
    assert!(refused("a.json", "[1, 2]").contains("is not a location history"));
    assert!(refused("a.json", "{\"locations\": [").contains("EOF"));
    let cut = gpx(&[(48.0, 11.0, "2024-05-01T10:00:00Z")]).replace("</trk></gpx>", "</wrong>");
    assert!(refused("a.gpx", &cut).contains("damaged at byte"));

    let cut = gpx(&[(48.0, 11.0, "2024-05-01T10:00:00Z"), (48.02, 11.0, "2024-05-01T10:10:00Z")]);
    let cut = read("a.gpx", &cut.replace("</trkseg></trk></gpx>", "<trkpt la")).expect("read");
    assert_eq!((cut.counts().truncated, cut.counts().fixes), (1, 2));
    assert!(is_half_way(&cut), "what was written before the loss of power");

    let (folder, path) = written("Records.json", "{\"locations\": []}");
    std::fs::write(folder.path().join("a.jpg.json"), "{\"title\": \"a.jpg\"}").expect("written");
    std::fs::write(folder.path().join("notes.txt"), "none").expect("written");
    let tracks = Tracks::read(&[folder.path().to_owned()]).expect("one file");
    assert_eq!((tracks.counts().files, tracks.counts().other_files), (1, 1));
    std::fs::write(&path, "{\"locations\": [").expect("written");
    let damaged = Tracks::read(&[folder.path().to_owned()]).expect_err("damaged");
    assert!(matches!(damaged, TrackError::Damaged { .. }), "{damaged}");
    let empty = tempfile::tempdir().expect("a folder");
    assert!(matches!(Tracks::read(&[empty.path().to_owned()]), Err(TrackError::Empty { .. })));
    assert!(matches!(Tracks::read(&[empty.path().join("none")]), Err(TrackError::File { .. })));
}
