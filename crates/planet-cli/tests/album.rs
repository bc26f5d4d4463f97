//! A library whose positions are half missing, by the shell.

use std::{fs, path::Path};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};
use serde_json::Value;

fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// Two days in Rome, one in Oslo; every other photo has no position.
fn library(folder: &Path) {
    let mut text = "photo,lat,lng,time\n".to_owned();
    for photo in 0..60 {
        let (day, minute) = (photo / 20, photo % 20);
        let place = if day < 2 { "41.9,12.5" } else { "59.9,10.75" };
        let place = if photo % 2 == 0 { place } else { "," };
        text.push_str(&format!("{photo}.jpg,{place},2022-06-{:02}T12:{minute:02}:00\n", 1 + day));
    }
    fs::write(folder.join("photos.csv"), text).expect("written");
}

/// What is said of the library's photos, in its order; a map of them in `trip.html`.
fn located(folder: &Path) -> Vec<Value> {
    planet(folder)
        .args(["library", "locate", "photos.csv", "-o", "found.jsonl", "--map", "trip.html"])
        .assert()
        .success();
    let found = fs::read_to_string(folder.join("found.jsonl")).expect("predictions");
    found.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn missing_positions_are_those_of_the_neighbours_without_any_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    library(folder);
    let found = located(folder);
    assert_eq!(found.len(), 60);
    for (photo, said) in found.iter().enumerate() {
        assert_eq!(said["photo"], format!("{photo}.jpg"));
        let lat = said["predictions"][0]["lat"].as_f64().expect("a latitude");
        let wanted = if photo < 40 { 41.9 } else { 59.9 };
        assert!((lat - wanted).abs() < 0.01, "{photo}: {said}");
        assert_eq!(said["truth"].is_object(), photo % 2 == 0);
    }
    assert!(fs::read_to_string(folder.join("trip.html")).expect("a map").contains("<svg"));
    // exiftool's table has the photos without a position only.
    planet(folder)
        .args(["library", "locate", "photos.csv", "--format", "exiftool"])
        .assert()
        .success()
        .stdout(contains("1.jpg,41.").and(contains("0.jpg,").not()));
}

#[test]
fn albums_of_one_photo_and_of_ten_thousand_with_any_times_are_answered_photo_by_photo() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut text = "photo,lat,lng,time,author,album\n".to_owned();
    // Twenty photos a day, each day in another of five towns; every third position is missing.
    for photo in 0..10_000 {
        let (day, minute) = (photo / 20, photo % 20);
        let (year, month, date) = (2000 + day / 336, 1 + day % 336 / 28, 1 + day % 28);
        let lat = 40 + day % 5;
        let place = if photo % 3 == 0 { ",".to_owned() } else { format!("{lat}.5,10.5") };
        let time = match photo % 20 {
            4 => String::new(),
            5 => "not a time".to_owned(),
            // Set back to the camera's first day, set years ahead, equal to its neighbour's.
            6 => "1980-01-01T00:00:00".to_owned(),
            7 => "9999-12-31T23:59:59".to_owned(),
            9 => format!("{year}-{month:02}-{date:02}T12:08:00"),
            _ => format!("{year}-{month:02}-{date:02}T12:{minute:02}:00"),
        };
        text.push_str(&format!("{photo}.jpg,{place},{time},ann,all\n"));
    }
    text.push_str("alone.jpg,,,2020-01-01T00:00:00,bob,one\n");
    // One album by clocks of two zones: in the world the second photo was first.
    text.push_str("tokyo.jpg,35.7,139.7,2020-01-01T09:00:00+09:00,eve,zones\n");
    text.push_str("paris.jpg,,,2020-01-01T00:59:00+01:00,eve,zones\n");
    fs::write(folder.join("photos.csv"), text).expect("written");
    let found = located(folder);
    assert_eq!(found.len(), 10_003);
    let mut right = 0;
    for (photo, said) in found.iter().enumerate().take(10_000) {
        assert_eq!(said["photo"], format!("{photo}.jpg"), "in the manifest's order");
        let lat = said["predictions"][0]["lat"].as_f64().expect("a latitude");
        let hit = (lat - (40.5 + f64::from((photo / 20 % 5) as u32))).abs() < 0.05;
        right += usize::from(hit && photo % 3 == 0);
    }
    // Two of twenty photos say nothing of their day: their clocks are wrong.
    let hidden = 10_000_usize.div_ceil(3);
    assert!(right > hidden * 17 / 20, "{right} of {hidden}");
    assert!(found[10_000..].iter().all(|said| !said["predictions"][0]["lat"].is_null()));
}

#[test]
fn masked_positions_are_located_beside_the_simple_rules() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    library(folder);
    planet(folder)
        .args(["library", "validate", "photos.csv", "--seeds", "2"])
        .assert()
        .success()
        .stdout(contains("hidden Markov model").and(contains("PhotoPrism's rule")));
    let output = planet(folder)
        .args(["library", "validate", "photos.csv", "--seeds", "2", "--hide", "runs", "--json"])
        .assert()
        .success()
        .get_output()
        .stdout
        .clone();
    let found: Value = serde_json::from_slice(&output).expect("JSON");
    assert!(found["runs"][0]["within"][1].as_f64().expect("a share") > 0.7, "{found}");
}

#[test]
fn libraries_with_nothing_to_go_by_are_refused_with_the_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    library(folder);
    fs::create_dir(folder.join("empty")).expect("a folder");
    fs::write(folder.join("bare.csv"), "photo,time\na.jpg,2022-06-01T12:00:00\nb.jpg,never\n")
        .expect("written");
    let locate = |arguments: &[&str]| {
        let mut command = planet(folder);
        command.args(["library", "locate"]).args(arguments);
        command
    };
    locate(&["bare.csv"])
        .assert()
        .code(1)
        .stderr(contains("so no photo can be located").and(contains("--model")));
    locate(&["photos.csv", "--ignore-positions"]).assert().code(1).stderr(contains("--model"));
    locate(&["empty"]).assert().code(1).stderr(contains("no photos in empty"));
    let album = |scheme: &str| {
        let mut command = planet(folder);
        command.args(["album", "locate", "photos.csv", "--scheme", scheme]);
        command
    };
    album("average").assert().code(2).stderr(contains("needs --model"));
    album("lstm-3").assert().code(2).stderr(contains("is not an album scheme"));
    album("hmm").assert().code(2).stderr(contains("planet library locate"));
    locate(&["photos.csv", "--certain", "0"]).assert().code(2);
    locate(&["nosuch"])
        .assert()
        .code(1)
        .stderr(contains("no such file or folder: nosuch").and(contains("planet dataset scan")));
    planet(folder)
        .args(["library", "validate", "bare.csv"])
        .assert()
        .code(1)
        .stderr(contains("at least four"));
}
