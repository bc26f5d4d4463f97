//! A library located by tracks, with cameras whose clocks are wrong, by the shell.

use std::{collections::HashMap, fmt::Write, fs, path::Path};

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

/// Rows of a table of text, by the names of its columns.
fn rows(path: &Path) -> Vec<HashMap<String, String>> {
    let text = fs::read_to_string(path).expect("a table");
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let names: Vec<String> = lines.next().expect("a header").collect();
    lines.map(|line| names.iter().cloned().zip(line).collect()).collect()
}

/// Runs `planet library …` on an author's photos with one file of their tracks.
fn of_author(folder: &Path, command: &[&str], author: &str, file: &str) -> String {
    let (photos, tracks) = (format!("world/{author}"), format!("world/tracks/{author}/{file}"));
    let mut planet = planet(folder);
    planet.arg("library").args(command).args([&photos, "--tracks", &tracks]);
    let output = planet.assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("text")
}

#[test]
fn wrong_clocks_of_drawn_people_are_found_and_their_tracks_locate_as_accurately_as_stated() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    planet(folder)
        .args(["world", "draw", "--albums", "40", "--size", "64", "--seed", "5", "-o", "world"])
        .args(["--withhold", "0.25", "--untimed", "0.1", "--tracks", "--clock-offsets"])
        .assert()
        .success();
    let truth: HashMap<String, [f64; 2]> = rows(&folder.join("world/truth.csv"))
        .into_iter()
        .map(|row| {
            (row["photo"].clone(), ["lat", "lng"].map(|it| row[it].parse().expect("a number")))
        })
        .collect();
    let clocks = rows(&folder.join("world/clocks.csv"));
    assert_eq!(clocks.len(), 20);
    let (mut found, mut wrong, mut located, mut inside) = (0, 0, 0, 0);
    for (number, clock) in clocks.iter().enumerate() {
        let author = &clock["author"];
        let file = ["track.gpx", "Records.json", "Timeline.json"][number % 3];
        let said: Value =
            serde_json::from_str(&of_author(folder, &["clocks", "--json"], author, file))
                .expect("JSON");
        let estimate = &said["by_tracks"][0];
        assert_eq!(estimate["camera"], clock["camera"].as_str(), "{said}");
        if estimate["confidence"].as_f64() >= Some(0.9) && estimate["jump"].is_null() {
            let offset: i64 = clock["to_utc_s"].parse().expect("seconds");
            let off = (estimate["offset_s"].as_i64().expect("seconds") - offset).abs();
            found += 1;
            wrong += usize::from(off > 300);
        }
        let locate = ["locate", "--clocks", "auto", "--overwrite", "-o", "found.jsonl"];
        of_author(folder, &locate, author, file);
        let predictions = fs::read_to_string(folder.join("found.jsonl")).expect("predictions");
        for line in predictions.lines() {
            let said: Value = serde_json::from_str(line).expect("JSON");
            let first = &said["predictions"][0];
            if said["evidence"][0]["kind"] != "track" {
                continue;
            }
            let [lat, lng] =
                truth[&format!("{author}/{}", said["photo"].as_str().expect("a name"))];
            let at = |lat: f64, lng: f64| planet_geo::LatLng::new(lat, lng).expect("a position");
            let number = |name: &str| first[name].as_f64().expect("a number");
            let away = at(number("lat"), number("lng")).distance_to(at(lat, lng)).km();
            located += 1;
            // A known place has no radius of its own; coordinates are rounded to centimetres.
            inside += usize::from(away <= number("radius_km").max(0.001));
        }
    }
    assert!(found >= 14 && wrong == 0, "of {found} offsets {wrong} are wrong");
    assert!(located >= 60, "{located} photos located by tracks");
    assert!(inside * 100 >= located * 95, "{inside} of {located} within the stated accuracy");
}
