//! A library located by tracks, with cameras whose clocks are wrong, by the shell.

use std::{fmt::Write, fs, path::Path};

use assert_cmd::Command;
use predicates::str::contains;
use serde_json::Value;

fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// Where somebody is at a minute of the day, on the way north.
fn lat(minute: u32) -> f64 {
    45.0 + f64::from(minute) / 1000.0
}

/// A day's way, photos of a phone without positions, and photos of a camera that is an hour behind
/// UTC, every other one with a position.
fn library(folder: &Path) {
    let mut gpx = "<gpx><trk><trkseg>".to_owned();
    let mut table = "photo,lat,lng,time,camera\n".to_owned();
    for minute in 480..1080 {
        let (lat, clock) = (lat(minute), |minute| format!("{:02}:{:02}", minute / 60, minute % 60));
        let time = format!("2024-05-01T{}:00Z", clock(minute));
        write!(gpx, "<trkpt lat=\"{lat}\" lon=\"9\"><time>{time}</time></trkpt>").expect("memory");
        if minute % 60 == 17 {
            writeln!(table, "phone-{minute}.jpg,,,{time},phone").expect("memory");
        }
        if minute % 20 == 7 {
            let position = if minute % 40 == 7 { format!("{lat},9") } else { ",".to_owned() };
            let time = format!("2024-05-01T{}:00", clock(minute - 60));
            writeln!(table, "camera-{minute}.jpg,{position},{time},Camera 1").expect("memory");
        }
    }
    gpx.push_str("</trkseg></trk></gpx>");
    fs::write(folder.join("walk.gpx"), gpx).expect("written");
    fs::write(folder.join("photos.csv"), table).expect("written");
}

/// Kilometres from where each photo of a device was taken, the largest.
fn farthest(folder: &Path, device: &str) -> f64 {
    let found = fs::read_to_string(folder.join("found.jsonl")).expect("predictions");
    let off = found.lines().filter_map(|line| {
        let said: Value = serde_json::from_str(line).expect("JSON");
        let photo = said["photo"].as_str().expect("a name");
        let minute = photo.strip_prefix(device)?.trim_matches(['-', '.', 'j', 'p', 'g']);
        let truth = lat(minute.parse().expect("a minute"));
        let found = said["predictions"][0]["lat"].as_f64().expect("a latitude");
        Some(111.2 * (found - truth).abs())
    });
    off.fold(0.0, f64::max)
}

#[test]
fn tracks_locate_photos_and_find_the_clock_of_a_camera() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    library(folder);
    planet(folder)
        .args(["library", "clocks", "photos.csv", "--tracks", "walk.gpx"])
        .assert()
        .success()
        .stdout(contains("by tracks: Camera 1=+1:00:00, confidence"));
    let locate = ["library", "locate", "photos.csv", "-o", "found.jsonl", "--overwrite"];
    planet(folder)
        .args(locate)
        .args(["--tracks", "walk.gpx", "--clocks", "auto"])
        .assert()
        .success()
        .stderr(contains("clock applied: Camera 1=+1:00:00"));
    assert!(farthest(folder, "phone") < 0.5, "{} km", farthest(folder, "phone"));
    assert!(farthest(folder, "camera") < 0.5, "{} km", farthest(folder, "camera"));
    planet(folder)
        .args(locate)
        .args(["--tracks", "walk.gpx", "--clock", "Camera 1=+1:00:00"])
        .assert()
        .success();
    assert!(farthest(folder, "camera") < 0.5, "{} km", farthest(folder, "camera"));
    planet(folder)
        .args(locate)
        .args(["--clock", "Camera 2=+1:00:00"])
        .assert()
        .code(2)
        .stderr(contains("no photo is by a camera 'Camera 2'"));
    planet(folder).args(locate).args(["--clocks", "auto"]).assert().code(2);
    planet(folder)
        .args(locate)
        .args(["--tracks", "photos.csv"])
        .assert()
        .code(1)
        .stderr(contains("neither XML nor JSON"));
}
