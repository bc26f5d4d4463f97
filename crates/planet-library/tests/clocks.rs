//! Cameras whose clocks are wrong, found by tracks.

use std::fmt::Write;

use planet_data::PhotoRecord;
use planet_geo::LatLng;
use planet_library::{
    ClockOffset, LookAlikes, TrackLimits, Tracks, clocks_by_pixels, clocks_by_tracks, with_offsets,
};

/// Ten hours a day for three days, never twice at one place.
fn lat(seconds: i64) -> f64 {
    40.0 + (seconds as f64) / 20_000.0
}

fn clock(seconds: i64) -> String {
    let (day, of_day) = (1 + seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!("2024-05-{day:02}T{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

fn tracks() -> Tracks {
    let mut gpx = "<gpx><trk><trkseg>".to_owned();
    for day in 0..3 {
        for minute in 480..1080 {
            let seconds = 86_400 * (day + 1) + 60 * minute;
            let (lat, time) = (lat(seconds), clock(seconds));
            write!(gpx, "<trkpt lat=\"{lat}\" lon=\"11\"><time>{time}Z</time></trkpt>")
                .expect("memory");
        }
    }
    gpx.push_str("</trkseg></trk></gpx>");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("walk.gpx");
    std::fs::write(&path, gpx).expect("written");
    Tracks::read(&[path]).expect("a track")
}

/// Photos every half an hour of the three days by a camera that is behind by so many seconds.
fn photos(camera: &str, zone: &str, behind: impl Fn(i64) -> i64) -> Vec<PhotoRecord> {
    let moments = (0..3).flat_map(|day| (17..36).map(move |half| 86_400 * (day + 1) + 1800 * half));
    moments
        .map(|seconds| PhotoRecord {
            photo: format!("{camera}-{seconds}.jpg"),
            camera: Some(camera.to_owned()),
            time: Some(clock(seconds - behind(seconds)) + zone),
            position: LatLng::new(lat(seconds), 11.0).ok(),
            ..PhotoRecord::default()
        })
        .collect()
}

#[test]
fn each_cameras_offset_is_found_with_and_without_zones() {
    let (tracks, limits) = (tracks(), TrackLimits::default());
    for (zone, behind) in
        [("Z", 0), ("Z", 3600), ("", -2 * 3600), ("", 5 * 3600 + 1800), ("+00:00", -420)]
    {
        let found = clocks_by_tracks(&photos("Canon EOS 70D", zone, |_| behind), &tracks, limits);
        let [estimate] = &found[..] else { panic!("one camera: {found:?}") };
        assert_eq!((estimate.photos, estimate.jump.as_ref()), (57, None));
        let off = (estimate.offset.seconds - behind).abs();
        assert!(off <= 120, "{zone} {behind}: {estimate}");
        assert!(estimate.confidence > 0.9, "{estimate}");
    }
}

#[test]
fn a_clock_that_is_set_on_the_way_is_two_offsets_and_nothing_is_said_where_nothing_is_known() {
    let (tracks, limits) = (tracks(), TrackLimits::default());
    let set = |seconds: i64| if seconds < 2 * 86_400 + 43_200 { 3600 } else { 0 };
    let found = clocks_by_tracks(&photos("camera", "Z", set), &tracks, limits);
    let (before, after, from) = found[0].jump.as_ref().expect("two offsets");
    assert!((before - 3600).abs() <= 120 && after.abs() <= 120, "{}", found[0]);
    assert!(from.starts_with("2024-05-03T1"), "{from}");
    assert!(found[0].to_string().contains("inconsistent"));
    // Somewhere else, or too few.
    let mut far = photos("camera", "Z", |_| 0);
    far.iter_mut().for_each(|it| it.position = LatLng::new(-40.0, 100.0).ok());
    assert_eq!(clocks_by_tracks(&far, &tracks, limits), []);
    assert_eq!(clocks_by_tracks(&photos("camera", "Z", |_| 0)[..3], &tracks, limits), []);
}

#[test]
fn offsets_are_read_and_written_and_correct_only_their_camera() {
    let text = "Canon EOS 70D=-1:30:00";
    let offset: ClockOffset = text.parse().expect("an offset");
    assert_eq!((offset.seconds, offset.to_string()), (-5400, text.to_owned()));
    assert_eq!("a=b=+0:05".parse().map(|it: ClockOffset| it.seconds), Ok(300));
    for wrong in ["", "Canon", "=+1:00", "Canon=1:00", "Canon=+1", "Canon=+1:60", "Canon=+1:-5"] {
        assert!(wrong.parse::<ClockOffset>().is_err(), "{wrong}");
    }
    let record = |camera: &str, time: &str| PhotoRecord {
        camera: Some(camera.to_owned()),
        time: Some(time.to_owned()),
        ..PhotoRecord::default()
    };
    let records = [
        record("Canon EOS 70D", "2024-05-01T10:00:00+02:00"),
        record("Canon EOS 70D", "2024-05-01T10:00:00"),
        record("phone", "2024-05-01T10:00:00"),
    ];
    let times = |in_utc| {
        let corrected = with_offsets(&records, std::slice::from_ref(&offset), in_utc);
        corrected.into_iter().map(|it| it.time.expect("a time")).collect::<Vec<_>>()
    };
    let rest = ["2024-05-01T08:30:00", "2024-05-01T10:00:00"];
    assert_eq!(times(false), ["2024-05-01T06:30:00Z", rest[0], rest[1]]);
    assert_eq!(times(true), ["2024-05-01T06:30:00Z", "2024-05-01T08:30:00Z", rest[1]]);
}

/// What is photographed at a time: a direction that changes every twenty minutes.
fn view(seconds: i64, off: f32) -> Vec<f32> {
    let moment = (seconds.div_euclid(1200) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let part = |at: u32| ((moment.rotate_left(at * 7) >> 40) as f32 / (1 << 23) as f32) - 1.0;
    (0..16).map(|at| part(at) + off * ((at * 5 + 1) % 7) as f32).collect()
}

#[test]
fn cameras_are_aligned_by_what_both_photographed_and_not_where_they_photographed_nothing_alike() {
    let photo = |camera: &str, time: i64| PhotoRecord {
        photo: format!("{camera}-{time}.jpg"),
        camera: Some(camera.to_owned()),
        time: Some(clock(time)),
        ..PhotoRecord::default()
    };
    let moments = || (22..25).flat_map(|day| (96..216).map(move |it| 86_400 * day + 300 * it));
    for behind in [0, 3600, -5 * 3600 - 1800, 20 * 86_400 + 7 * 3600] {
        let mut records: Vec<PhotoRecord> = moments().map(|it| photo("phone", it)).collect();
        let mut vectors: Vec<Option<Vec<f32>>> =
            moments().map(|it| Some(view(it, 0.004))).collect();
        for time in moments().step_by(3) {
            records.push(photo("camera", time - behind));
            vectors.push(Some(view(time, 0.01)));
            records.push(photo("elsewhere", time));
            vectors.push(Some(view(time + 77 * 86_400, 0.01)));
        }
        let before = records.clone();
        let found = clocks_by_pixels(&records, &LookAlikes::new(vectors));
        assert_eq!(records, before, "no time is changed");
        let of = |camera: &str| found.iter().find(|it| it.offset.camera == camera);
        let camera = of("camera").expect("enough photos");
        assert_eq!((camera.reference.as_str(), camera.photos), ("phone", 120));
        assert!((camera.offset.seconds - behind).abs() <= 1200, "{behind}: {camera}");
        assert!(camera.confidence > 0.9, "{camera}");
        assert!(camera.to_string().contains(" against phone, confidence "), "{camera}");
        let elsewhere = of("elsewhere").expect("enough photos");
        assert!(elsewhere.confidence < 0.5, "{elsewhere}");
    }
    assert_eq!(clocks_by_pixels(&[], &LookAlikes::new([])), []);
}
