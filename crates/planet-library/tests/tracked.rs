//! Photos located by tracks, alone and together with what else is known.

use std::{fmt::Write, sync::Arc};

use planet::{LocatorOptions, Prediction, album::Fix};
use planet_data::{Gazetteer, NoMonitor, PhotoRecord};
use planet_geo::{Distance, LatLng};
use planet_library::{Calibration, Library, TrackLimits, Tracked, Tracks};

fn at(lat: f64, lng: f64) -> LatLng {
    LatLng::new(lat, lng).expect("in range")
}

/// A day's walk from 48° north at 8:00 UTC on 2024-05-01, a tenth of a degree in each hour.
fn walk() -> Tracks {
    let mut gpx = "<gpx><trk><trkseg>".to_owned();
    for minute in 0..600 {
        let (hour, of_hour) = (8 + minute / 60, minute % 60);
        let lat = 48.0 + f64::from(minute) / 600.0;
        write!(gpx, "<trkpt lat=\"{lat}\" lon=\"11\"><time>2024-05-01T{hour:02}:{of_hour:02}:00Z</time></trkpt>")
            .expect("memory");
    }
    gpx.push_str("</trkseg></trk></gpx>");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("walk.gpx");
    std::fs::write(&path, gpx).expect("written");
    Tracks::read(&[path]).expect("a track")
}

fn photo(time: &str, position: Option<LatLng>) -> PhotoRecord {
    PhotoRecord {
        photo: time.to_owned(),
        time: Some(time.to_owned()),
        position,
        ..PhotoRecord::default()
    }
}

fn located(records: &[PhotoRecord], fixes: Vec<Option<Fix>>) -> Vec<Prediction> {
    let library = Library::new(records, None).with_tracked(fixes);
    let options = LocatorOptions { names: false, ..LocatorOptions::default() };
    let gazetteer = Arc::new(Gazetteer::new());
    let mut found = vec![Prediction::default(); records.len()];
    let known = library.known_positions();
    let calibration = Calibration::uncalibrated(1.0);
    library
        .locate(&known, &calibration, &options, &gazetteer, &NoMonitor, |row, prediction| {
            found[row] = prediction;
        })
        .expect("something is known");
    found
}

#[test]
fn photos_are_where_the_track_was_and_their_neighbours_near_it() {
    let records = [
        photo("2024-05-01T11:00:30+01:00", None),
        photo("2024-05-01T18:40:00Z", None),
        photo("2024-05-01T10:20:00Z", Some(at(60.0, 10.0))),
    ];
    let tracked = Tracked::of(&records, &walk(), TrackLimits::default());
    assert!(tracked.fixes[1].is_none(), "forty minutes after the end of the track");
    let found = located(&records, tracked.fixes);
    let best = |at: usize| found[at].best().expect("an answer").position;
    assert!(best(0).distance_to(at(48.2, 11.0)).m() < 500.0, "{:?}", best(0));
    let certain = found[0].certain.as_ref().expect("it is known");
    assert_eq!(certain.level.name(), "street");
    // The photo's own position goes before the track; other photos stay near the nearest one.
    assert_eq!(best(2), at(60.0, 10.0));
    let probability = |at: usize| found[at].best().and_then(|it| it.probability);
    assert!(probability(1) < probability(0), "eight hours later");
}

#[test]
fn a_time_without_a_zone_is_looked_up_by_local_time_and_is_rougher_on_the_way() {
    // 12:00 in summer where the sun is 44 minutes ahead of UTC: between 9:00 and 11:30 UTC.
    let records = [photo("2024-05-01T12:00:00", None)];
    let tracked = Tracked::of(&records, &walk(), TrackLimits::default());
    assert_eq!((tracked.count(), tracked.by_local_time), (1, 1));
    let fix = tracked.fixes[0].expect("located");
    let truth = at(48.2, 11.0);
    let accuracy = fix.accuracy.expect("stated");
    assert!(fix.position.distance_to(truth) <= accuracy, "{fix:?}");
    assert!(accuracy > Distance::from_km(5.0) && accuracy < Distance::from_km(60.0), "{fix:?}");
}

#[test]
fn a_track_that_contradicts_known_positions_is_not_believed() {
    let known =
        |hour: usize, lat: f64| photo(&format!("2024-05-01T{hour:02}:00:00Z"), Some(at(lat, 11.0)));
    let own: Vec<PhotoRecord> =
        (9..17).map(|hour| known(hour, 48.0 + (hour - 8) as f64 / 10.0)).collect();
    let tracked = Tracked::of(&own, &walk(), TrackLimits::default());
    assert!(tracked.is_believed() && tracked.compared == 8 && tracked.contradicting == 0);
    let others: Vec<PhotoRecord> = (9..17).map(|hour| known(hour, 30.0)).collect();
    let tracked = Tracked::of(&others, &walk(), TrackLimits::default());
    assert_eq!((tracked.compared, tracked.contradicting), (8, 8));
    assert!(!tracked.is_believed() && tracked.count() == 0);
}
