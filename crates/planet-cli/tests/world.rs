//! `planet world` from the shell.

use std::{fs, path::Path};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn planet() -> Command {
    Command::cargo_bin("planet").expect("the binary of this package")
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}

#[test]
fn a_drawn_library_can_be_divided_into_cells_and_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let [photos, cells, report] =
        ["photos", "cells.csv", "ideal.json"].map(|n| path(folder.path(), n));
    planet()
        .args(["world", "draw", "--photos", "300", "--size", "64", "--seed", "3"])
        .args(["--duplicates", "0.1", "--non-photos", "0.1", "--withhold", "0.1", "-o", &photos])
        .assert()
        .success()
        .stdout(contains("photos      300").and(contains("2000 places")));
    let manifest = format!("{photos}/manifest.parquet");
    planet()
        .args([
            "partition",
            "build",
            &manifest,
            "--split-above",
            "50",
            "--keep-from",
            "5",
            "-o",
            &cells,
        ])
        .assert()
        .success();
    planet()
        .args(["world", "ceiling", &photos, "--partition", &cells])
        .assert()
        .success()
        .stdout(contains("ideal classifier, top 5").and(contains("non-photos")))
        .stdout(contains("log loss of the right cell"));
    planet()
        .args(["world", "ceiling", &manifest, "--partition", &cells, "--json", "-o", &report])
        .assert()
        .success();
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(report).expect("a report")).expect("JSON");
    let top = |k: usize| report["scales"][4]["ideal"][k]["mean"].as_f64().expect("a share");
    assert!(0.2 < top(0) && top(0) <= top(4) && top(4) <= 1.0, "{report}");
    assert!(report["quadrature_error"].as_f64().expect("an error") < 0.001);
    let [loss, expected] = ["log_loss", "log_loss_expected"].map(|name| report[name].as_f64());
    let [loss, expected] = [loss, expected].map(|it| it.expect("nats"));
    assert!(expected > 0.5 && (loss - expected).abs() < 0.3, "{loss} and {expected}");
}

#[test]
fn albums_tell_more_than_single_photos() {
    let folder = tempfile::tempdir().expect("a folder");
    let [albums, cells] = ["albums", "cells.csv"].map(|name| path(folder.path(), name));
    planet()
        .args(["world", "draw", "--albums", "2", "--size", "64", "-o", &albums])
        .assert()
        .success();
    let manifest = format!("{albums}/manifest.parquet");
    planet()
        .args(["partition", "uniform", &manifest, "--level", "4", "-o", &cells])
        .assert()
        .success();
    planet()
        .args(["world", "ceiling", &albums, "--partition", &cells, "--albums"])
        .assert()
        .success()
        .stdout(contains("whole-25, times").and(contains("lag-2")));
}

#[test]
fn layers_lie_beside_photos_only_where_they_are_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let [plain, layered] = ["plain", "layered"].map(|name| path(folder.path(), name));
    let draw = ["world", "draw", "--photos", "3", "--size", "64", "-o"];
    planet().args(draw).arg(&plain).assert().success();
    planet().args(draw).args([&layered, "--layers"]).assert().success();
    let photo = "author-0-00000/0000002";
    let read = |folder: &str, name: &str| fs::read(Path::new(folder).join(name));
    let [one, other] = [&plain, &layered].map(|folder| read(folder, &format!("{photo}.jpg")));
    assert_eq!(one.expect("a photo"), other.expect("a photo"));
    let layers = read(&layered, &format!("layers/{photo}.png")).expect("layers");
    assert!(layers.starts_with(b"\x89PNG"));
    let table = read(&layered, "layers/classes.json").expect("a table");
    assert!(String::from_utf8_lossy(&table).contains("\"foliage\""));
    assert!(!Path::new(&plain).join("layers").exists());
}

#[test]
fn a_sheet_names_its_photos() {
    let folder = tempfile::tempdir().expect("a folder");
    let sheet = path(folder.path(), "sheet.png");
    planet()
        .args(["world", "show", "--sample", "5", "--scene", "beach", "--size", "64", "-o", &sheet])
        .assert()
        .success()
        .stdout(contains("beach;").and(contains("parasol=")));
    assert!(fs::read(sheet).expect("a sheet").starts_with(b"\x89PNG"));
}

#[test]
fn what_makes_no_sense_is_refused_with_a_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = path(folder.path(), "photos");
    let usage = |arguments: &[&str], what: &str| {
        planet().arg("world").args(arguments).assert().code(2).stderr(contains(what.to_owned()));
    };
    usage(&["draw", "-o", &to], "--photos");
    usage(&["draw", "--photos", "1", "--albums", "1", "-o", &to], "cannot be used with");
    usage(&["draw", "--photos", "1", "--size", "10000", "-o", &to], "64..=640");
    usage(&["draw", "--photos", "1", "--withhold", "1.5", "-o", &to], "0..=1");
    usage(&["show", "--scene", "attic", "-o", &path(folder.path(), "a.png")], "landmark");
    usage(&["show", "-o", &path(folder.path(), "a.gif")], "PNG");
    fs::write(folder.path().join("photos"), b"mine").expect("written");
    planet()
        .args(["world", "draw", "--photos", "1", "-o", &to])
        .assert()
        .code(1)
        .stderr(contains("holds something already"));
}
