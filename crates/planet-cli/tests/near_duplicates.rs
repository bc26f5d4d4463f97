//! `planet train --task near-duplicates` from the shell, its package, and what uses it.

use std::{fs, path::Path};

use assert_cmd::Command;
use planet_data::{Edit, Limits, Photo, thumbnail_jpeg};
use predicates::{prelude::PredicateBooleanExt, str::contains};
use serde_json::Value;

/// The command, at work in a folder.
fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// Photos to learn from and to validate with, and `codes`, a model that learned a little.
fn prepare(folder: &Path) {
    for (name, photos, seed) in [("earth", "320", "1"), ("others", "120", "2")] {
        planet(folder)
            .args(["world", "draw", "--photos", photos, "--seed", seed, "--size", "64", "-o", name])
            .assert()
            .success();
    }
    let config = "[optimizer]\nrule = { adamw = { beta1 = 0.9, beta2 = 0.999, eps = 1e-8 } }\n\
                  [near_duplicates]\nremoved = 0.1\nagainst = 320\n";
    fs::write(folder.join("codes.toml"), config).expect("written");
    planet(folder)
        .args(["train", "--task", "near-duplicates", "--config", "codes.toml"])
        .args(["--architecture", "inception-mini", "--size", "48", "--batch", "64"])
        .args(["--epochs", "6", "--learning-rate", "0.003", "--patience", "0"])
        .args(["--dataset", "earth/manifest.parquet", "--validation", "others/manifest.parquet"])
        .args(["-o", "run"])
        .assert()
        .success()
        .stderr(contains("training: 320 photos"))
        .stdout(contains("found at the distance for the export"));
    planet(folder)
        .args(["export", "run", "-o", "codes"])
        .assert()
        .success()
        .stdout(contains("256 bits").and(contains("of 7140 pairs of validation photos")));
    planet(folder)
        .args(["export", "run", "--calibrate", "others/manifest.parquet", "-o", "calibrated"])
        .assert()
        .success()
        .stdout(contains("of 1770 pairs of validation photos"));
}

/// A manifest `copies/manifest.csv` of the first photos' copies of this longest side, a tenth of the area
/// cut off.
fn crop(folder: &Path, count: usize, side: u32) -> Vec<String> {
    fs::create_dir(folder.join("copies")).expect("a folder");
    let mut photos = Vec::new();
    let mut list = "photo\n".to_owned();
    let folders = walk(&folder.join("earth"));
    for (at, path) in folders.iter().take(count).enumerate() {
        let bytes = fs::read(path).expect("a photo");
        let photo = Photo::decode(&bytes, &Limits::default()).expect("decoded");
        let copy = Edit::Crop.apply(&photo, 0.1, at as u64);
        fs::write(folder.join(format!("copies/{at}.jpg")), thumbnail_jpeg(&copy, side))
            .expect("written");
        list += &format!("{at}.jpg\n");
        let id = path.strip_prefix(folder.join("earth")).expect("below").to_string_lossy();
        photos.push(id.into_owned());
    }
    fs::write(folder.join("copies/manifest.csv"), list).expect("written");
    photos
}

/// The JPEGs below a folder, in order.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else if path.extension().is_some_and(|it| it == "jpg") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn a_trained_model_finds_cropped_copies_in_duplicates_and_in_evaluate() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let originals = crop(folder, 40, 64);
    planet(folder)
        .args(["dataset", "duplicates", "earth/manifest.parquet", "copies/manifest.csv"])
        .args(["--model", "codes", "--engine", "rten", "--distance", "63", "-o", "pairs.csv"])
        .assert()
        .success()
        .stderr(contains("distance 63: of 7140 pairs").and(contains("photos to remove")));
    let pairs = fs::read_to_string(folder.join("pairs.csv")).expect("pairs");
    let own =
        |at: usize| pairs.lines().any(|it| it.starts_with(&format!("{},{at}.jpg,", originals[at])));
    let found = (0..40).filter(|at| own(*at)).count();
    assert!(found >= 30, "{found} of 40 copies");
    // A photo that is damaged is named, and the others are compared.
    fs::write(folder.join("copies/0.jpg"), b"no photo").expect("written");
    planet(folder)
        .args(["dataset", "duplicates", "copies/manifest.csv", "--model", "codes"])
        .args(["--engine", "rten", "-o", "-"])
        .assert()
        .success()
        .stderr(contains("skipped: 0.jpg"));
    planet(folder)
        .args(["model", "show", "codes"])
        .assert()
        .success()
        .stdout(contains("near-duplicates").and(contains("1000000 photos")));
    planet(folder)
        .args(["engine", "bench", "codes", "--engine", "rten", "--seconds", "0.1"])
        .args(["--photo", "copies/1.jpg"])
        .assert()
        .success()
        .stdout(contains("rten 0.27"));
    evaluated(folder);
}

/// A model that locates is evaluated against its own training photos: all of them are found.
fn evaluated(folder: &Path) {
    planet(folder)
        .args(["partition", "build", "earth/manifest.parquet", "--split-above", "200"])
        .args(["--keep-from", "5", "-o", "cells.csv"])
        .assert()
        .success();
    planet(folder)
        .args(["train", "--dataset", "earth/manifest.parquet", "--partition", "cells.csv"])
        .args(["--architecture", "inception-mini", "--size", "32", "--epochs", "1", "-o", "places"])
        .assert()
        .success();
    planet(folder).args(["export", "places", "-o", "model"]).assert().success();
    let evaluate = |model: &str, more: &[&str]| {
        planet(folder)
            .args(["evaluate", "--model", model, "--dataset", "earth/manifest.parquet"])
            .args(["--engine", "rten", "--no-photos", "--json", "-o", "report"])
            .args(more)
            .assert()
    };
    let train = ["--train", "earth/manifest.parquet"];
    let output = evaluate("model", &[&train[..], &["--duplicates-model", "codes"]].concat())
        .success()
        .stderr(contains("expected to be removed wrongly"));
    let report: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    assert_eq!(report["leakage"]["shared"][0]["kind"], "near-duplicate");
    assert_eq!(report["leakage"]["shared"][0]["photos"], 320);
    // No model is better than the exact posterior, and one epoch of few photos is far from it.
    let [own, ideal] = [&report["log_loss"]["mean"], &report["ideal_log_loss"]];
    let [own, ideal] = [own, ideal].map(|it| it.as_f64().expect("nats"));
    assert!(ideal > 0.0 && own > ideal, "{own} and {ideal}");
    // The categories are all photos.
    let categories = report["category_log_losses"].as_array().expect("a list");
    assert!(categories.len() > 2, "{categories:?}");
    let sum = |of: &dyn Fn(&Value) -> &Value| -> f64 {
        let nats = |it: &Value| Some(it["log_loss"]["photos"].as_f64()? * of(it).as_f64()?);
        categories.iter().map(|it| nats(it).expect("nats")).sum()
    };
    let photos = report["log_loss"]["photos"].as_f64().expect("a number");
    assert!((sum(&|it| &it["log_loss"]["mean"]) / photos - own).abs() < 1e-6);
    assert!((sum(&|it| &it["ideal"]) / photos - ideal).abs() < 1e-6);
    evaluate("model", &["--duplicates-model", "codes"]).code(2).stderr(contains("--train"));
    let output = evaluate("model", &[&train[..], &["--duplicates-local-features"]].concat());
    let report: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    assert_eq!(report["leakage"]["shared"][0]["photos"], 320);

    // Each kind of model is refused where the other one belongs.
    evaluate("codes", &[]).code(1).stderr(contains("codes for near-duplicates"));
    planet(folder)
        .args(["locate", "earth/manifest.parquet", "--model", "codes"])
        .assert()
        .code(1)
        .stderr(contains("planet dataset duplicates --model"));
    planet(folder)
        .args(["retrieve", "index", "earth", "--model", "codes", "-o", "index"])
        .assert()
        .code(1)
        .stderr(contains("codes for near-duplicates"));
    planet(folder)
        .args(["dataset", "duplicates", "earth/manifest.parquet", "--model", "model", "-o", "-"])
        .assert()
        .code(1)
        .stderr(contains("planet train --task near-duplicates"));
}

#[test]
fn what_cannot_be_trained_or_compared_is_named_with_the_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let train = |more: &[&str]| {
        let command = ["train", "--task", "near-duplicates", "-o", "run"];
        planet(folder).args(command).args(more).assert()
    };
    train(&[]).code(2).stderr(contains("--dataset"));
    train(&["--dataset", "m.csv", "--seed", "1,2"]).code(2).stderr(contains("one seed"));
    train(&["--photos", "."]).code(2).stderr(contains("planet dataset scan"));
    planet(folder)
        .args(["train", "--task", "scenery", "-o", "run"])
        .assert()
        .code(2)
        .stderr(contains("location, near-duplicates"));
    fs::write(folder.join("m.csv"), "photo\na.jpg\n").expect("written");
    planet(folder)
        .args(["dataset", "duplicates", "m.csv", "--model", "nowhere", "-o", "-"])
        .assert()
        .code(1)
        .stderr(contains("nowhere").and(contains("model.json")));
}

#[test]
fn local_features_find_crops_without_a_model_in_duplicates_and_in_evaluate() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    planet(folder)
        .args(["world", "draw", "--photos", "60", "--seed", "1", "--size", "160", "-o", "earth"])
        .assert()
        .success();
    let originals = crop(folder, 12, 140);
    planet(folder)
        .args(["dataset", "duplicates", "earth/manifest.parquet", "copies/manifest.csv"])
        .args(["--local-features", "-o", "pairs.csv"])
        .assert()
        .success()
        .stderr(contains("photos to remove"));
    let pairs = fs::read_to_string(folder.join("pairs.csv")).expect("pairs");
    assert!(pairs.starts_with("a,b,distance,share\n"), "{pairs}");
    let own =
        |at: usize| pairs.lines().any(|it| it.starts_with(&format!("{},{at}.jpg,", originals[at])));
    let found = (0..12).filter(|at| own(*at)).count();
    assert!(found >= 11, "{found} of 12 copies\n{pairs}");
    // Within one folder each copy is redundant beside its photo, which is larger.
    fs::copy(folder.join("copies/1.jpg"), folder.join("copies/again.jpg")).expect("copied");
    fs::write(folder.join("copies/2.jpg"), b"no photo").expect("written");
    fs::write(folder.join("copies/all.csv"), "photo\n1.jpg\nagain.jpg\n2.jpg\n3.jpg\n")
        .expect("written");
    planet(folder)
        .args(["dataset", "duplicates", "copies/all.csv", "--local-features", "-o", "-"])
        .assert()
        .success()
        .stdout("a,b,distance,share\n1.jpg,again.jpg,0,1.000\n")
        .stderr(contains("skipped: 2.jpg").and(contains("1 pairs, 1 photos to remove")));
    planet(folder)
        .args(["dataset", "duplicates", "copies/all.csv", "--local-features"])
        .args(["--model", "codes", "-o", "-"])
        .assert()
        .code(2)
        .stderr(contains("cannot be used with"));
    planet(folder)
        .args(["dataset", "duplicates", "copies/all.csv", "--root", "copies", "-o", "-"])
        .assert()
        .code(2)
        .stderr(contains("--local-features"));
}
