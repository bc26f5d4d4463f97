//! Tracks written by another program, gpsbabel (Debian: `apt-get install gpsbabel`), are read as the
//! same way. Skipped where it is not installed.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::{fmt::Write, path::Path, process::Command};

use planet_library::{TrackLimits, Tracks};

/// 2024-05-01T10:00:00Z.
const TEN: i64 = 1_714_557_600;
/// Points of the way, a minute apart, over the antimeridian and the equator.
const POINTS: i64 = 200;

fn gpx() -> String {
    let mut gpx = "<gpx version=\"1.1\" creator=\"test\"><trk><trkseg>".to_owned();
    for point in 0..POINTS {
        let step = point as f64;
        let (lat, lng) = (0.0005 * (step - 70.0), 179.95 + 0.0009 * step);
        let lng = if lng > 180.0 { lng - 360.0 } else { lng };
        let (hours, minutes) = (10 + point / 60, point % 60);
        let time = format!("2024-05-01T{hours}:{minutes:02}:00Z");
        write!(gpx, "<trkpt lat=\"{lat:.7}\" lon=\"{lng:.7}\"><time>{time}</time></trkpt>")
            .expect("memory");
    }
    gpx + "</trkseg></trk></gpx>"
}

/// The way as gpsbabel writes it in a format; `None` where gpsbabel is missing.
fn converted(from: &Path, format: &str, name: &str) -> Option<Tracks> {
    let to = from.with_file_name(name);
    let mut gpsbabel = Command::new("gpsbabel");
    gpsbabel.args(["-t", "-i", "gpx", "-f"]).arg(from).args(["-o", format, "-F"]).arg(&to);
    let status = match gpsbabel.status() {
        Ok(status) => status,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("gpsbabel does not start: {error}"),
    };
    assert!(status.success(), "gpsbabel writes {format}");
    Some(Tracks::read(&[to]).unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn tracks_that_gpsbabel_wrote_are_read_as_the_same_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.gpx");
    std::fs::write(&path, gpx()).expect("written");
    let own = Tracks::read(std::slice::from_ref(&path)).expect("a track");
    let limits = TrackLimits::default();
    for (format, name) in [
        ("gpx,gpxver=1.1", "made-11.gpx"),
        ("gpx,gpxver=1.0", "made-10.gpx"),
        ("kml,track=1", "made-track.kml"),
        ("kml", "made-points.kml"),
    ] {
        let Some(made) = converted(&path, format, name) else {
            eprintln!("skipped: gpsbabel is not installed");
            return;
        };
        assert!(made.counts().fixes >= POINTS as u64, "{format}: {}", made.counts());
        let ignored = made.counts().incomplete + made.counts().jumps + made.counts().truncated;
        assert_eq!(ignored, 0, "{format}: {}", made.counts());
        for seconds in (0..=60 * (POINTS - 1)).step_by(30) {
            let [a, b] = [&own, &made].map(|tracks| tracks.at(TEN + seconds, limits));
            let (a, b) = (a.expect("on the way"), b.expect("on the way"));
            // KML has six decimals of a degree.
            let away = a.position.distance_to(b.position).m();
            assert!(away < 0.2, "{format}: {away} m after {seconds} s");
            assert!((a.accuracy.m() - b.accuracy.m()).abs() < 1.0, "{format}: {a:?} {b:?}");
            assert_eq!(a.seconds, b.seconds, "{format}");
        }
    }
}
