//! `planet retrieve` from the shell, `planet export --features-only` and `planet world scenes`.

use std::{fs, path::Path};

use assert_cmd::Command;
use planet_net::{Architecture, Weights};
use predicates::{prelude::PredicateBooleanExt, str::contains};
use serde_json::Value;

/// The command, at work in a folder.
fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// A model of random weights, and `set`, four scenes of ten photos.
fn prepare() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    model(folder.path(), "model", 1);
    planet(folder.path())
        .args(["world", "scenes", "--scenes", "4", "--photos", "10", "--size", "64", "-o", "set"])
        .assert()
        .success()
        .stdout(contains("photos  10"));
    folder
}

fn model(folder: &Path, name: &str, seed: u64) {
    let network = Architecture::InceptionMini.usual(2).expect("a network");
    let weights = Weights::initial(&network, seed).to_safetensors(&[]);
    fs::write(folder.join("weights.safetensors"), weights).expect("written");
    planet(folder)
        .args(["export", "--features-only", "--init", "weights.safetensors"])
        .args(["--architecture", "inception-mini", "--size", "64", "-o", name])
        .assert()
        .success()
        .stdout(contains("features     512").and(contains("map          512")));
}

fn index(folder: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    let command =
        ["retrieve", "index", "set", "--model", "model", "--engine", "rten", "-o", "index"];
    planet(folder).args(command).args(more).assert()
}

fn search(folder: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    let command = ["retrieve", "search", "index", "set/100000.jpg", "--engine", "rten"];
    planet(folder).args(command).args(more).assert()
}

fn json_lines(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_photo_of_the_index_finds_itself_and_its_scene_and_the_page_shows_them() {
    let folder = prepare();
    let folder = folder.path();
    fs::write(folder.join("set/torn.jpg"), b"no photo").expect("written");
    index(folder, &[])
        .success()
        .stdout(contains("photos      11").and(contains("failed      1")))
        .stderr(contains("torn.jpg"));
    let output = search(folder, &["--top", "3", "--format", "jsonl"]).success();
    let lines = json_lines(&output.get_output().stdout);
    let found = lines[0]["found"].as_array().expect("a list");
    assert_eq!(found.len(), 3);
    assert!(found[0]["photo"].as_str().is_some_and(|it| it.ends_with("100000.jpg")), "{found:?}");
    assert!(found[0]["distance"].as_f64().is_some_and(|it| it < 0.03), "{found:?}");
    search(folder, &["set/torn.jpg", "-o", "page.html"]).success();
    let page = fs::read_to_string(folder.join("page.html")).expect("a page");
    // The query, ten photos, and the one that cannot be read.
    assert_eq!(page.matches("data:image/jpeg").count(), 11);
    assert!(page.contains("torn.jpg"));
    search(folder, &["--top", "1"]).success().stdout(contains("1  set/100000.jpg  distance 0.0"));
}

#[test]
fn every_recipe_indexes_and_searches_alike() {
    let folder = prepare();
    let folder = folder.path();
    for recipe in [
        &["--pooling", "average"][..],
        &["--pooling", "gem", "--power", "2.5", "--whiten", "6"],
        &["--pooling", "rmac", "--whiten", "20", "--whiten-photos", "set"],
        &["--pooling", "gem", "--scales", "1,0.5"],
        &["--views", "sixteen", "--turn", "5"],
        &["--views", "sixteen", "--combine", "nearest", "--chain", "--whiten", "8"],
        &["--views", "patches", "--patch-levels", "2,3"],
        &["--no-normalise"],
    ] {
        index(folder, recipe).success();
        let output = search(folder, &["--top", "1", "--format", "jsonl"]).success();
        let lines = json_lines(&output.get_output().stdout);
        let first = &lines[0]["found"][0];
        assert!(first["photo"].as_str().is_some_and(|it| it.ends_with("100000.jpg")), "{recipe:?}");
        fs::remove_file(folder.join("index")).expect("removed");
    }
}

#[test]
fn a_divided_index_states_what_it_finds_and_read_whole_finds_the_same() {
    let folder = prepare();
    let folder = folder.path();
    index(folder, &[]).success();
    planet(folder)
        .args(["retrieve", "cluster", "index", "--lists", "4", "--recall", "0.5", "-o", "lists"])
        .assert()
        .success()
        .stdout(contains("vectors  10").and(contains("lists    4")).and(contains("recall   ")));
    let found = |index: &str, more: &[&str]| {
        let output = planet(folder)
            .args(["retrieve", "search", index, "set/100000.jpg", "--engine", "rten"])
            .args(["--format", "jsonl"])
            .args(more)
            .assert()
            .success();
        json_lines(&output.get_output().stdout)
    };
    assert_eq!(found("lists", &["--probes", "4"]), found("index", &[]));
    let best = &found("lists", &["--top", "1", "--probes", "1"])[0]["found"][0]["photo"];
    assert_eq!(best, "set/100000.jpg");
    planet(folder)
        .args(["retrieve", "cluster", "index", "--lists", "11", "-o", "more"])
        .assert()
        .failure()
        .code(2)
        .stderr(contains("11 lists need as many photos; the index has 10"));
}

#[test]
fn evaluate_scores_as_holidays_and_names_what_it_cannot() {
    let folder = prepare();
    let folder = folder.path();
    let evaluate = |more: &[&str]| {
        let command = ["retrieve", "evaluate", "--dataset", "set", "--model", "model"];
        planet(folder).args(command).args(["--engine", "rten"]).args(more).assert()
    };
    let output = evaluate(&["--json"]).success();
    let result: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    assert_eq!((result["queries"].as_u64(), result["photos"].as_u64()), (Some(4), Some(10)));
    let map = result["map"].as_f64().expect("a share");
    assert!(map > 0.2 && map <= 1.0, "{map}");
    evaluate(&["--views", "patches", "--patch-levels", "1,2"])
        .success()
        .stdout(contains("mean average precision"));
    evaluate(&["--whiten", "4"]).failure().code(2).stderr(contains("--whiten-photos"));

    fs::write(folder.join("turns.csv"), "photo,degrees\n100001.jpg,90\n").expect("written");
    let output = evaluate(&["--json", "--rotations", "turns.csv"]).success();
    let turned: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    assert_ne!(turned["map"], result["map"]);
    fs::write(folder.join("turns.csv"), "photo,degrees\n100001.jpg,45\n").expect("written");
    evaluate(&["--rotations", "turns.csv"]).failure().stderr(contains("45 degrees"));

    // A photo that cannot be decoded stays in the denominator.
    fs::write(folder.join("set/100001.jpg"), b"torn").expect("written");
    let output = evaluate(&["--json"]).success();
    let torn: Value = serde_json::from_slice(&output.get_output().stdout).expect("JSON");
    assert!(torn["map"].as_f64().is_some_and(|it| it < map), "{torn}");
    assert!(torn["failed"][0]["photo"].as_str().is_some_and(|it| it.ends_with("100001.jpg")));
    fs::remove_file(folder.join("set/100000.jpg")).expect("removed");
    evaluate(&[]).failure().stderr(contains("100000 is missing"));
}

#[test]
fn an_index_of_another_model_or_that_was_cut_off_is_refused() {
    let folder = prepare();
    let folder = folder.path();
    index(folder, &[]).success();
    model(folder, "other", 2);
    search(folder, &["--model", "other"]).failure().stderr(contains("'model'"));
    let bytes = fs::read(folder.join("index")).expect("an index");
    fs::write(folder.join("index"), &bytes[..bytes.len() - 9]).expect("cut");
    search(folder, &[]).failure().stderr(contains("planet retrieve index"));
    fs::write(folder.join("index"), &bytes).expect("restored");
    fs::remove_dir_all(folder.join("model")).expect("removed");
    search(folder, &[]).failure().stderr(contains("--model MODEL"));
}

#[test]
fn a_model_without_classes_locates_evaluates_and_explains_nothing_and_says_why() {
    let folder = prepare();
    let folder = folder.path();
    for command in [
        &["locate", "set/100000.jpg", "--model", "model"][..],
        &["evaluate", "--model", "model", "--dataset", "set/manifest.parquet", "-o", "report"],
        &["explain", "set/100000.jpg", "--model", "model", "-o", "why.png"],
        &["model", "verify", "model"],
    ] {
        planet(folder)
            .args(command)
            .assert()
            .failure()
            .stderr(contains("no classes").and(contains("planet retrieve")));
    }
    planet(folder).args(["model", "show", "model"]).assert().success().stdout(contains("512"));
}

#[test]
fn a_run_from_given_weights_trains_the_last_layers_only_and_becomes_a_model_of_features() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    model(folder, "model", 4);
    planet(folder)
        .args(["world", "draw", "--photos", "200", "--size", "64", "-o", "earth"])
        .assert()
        .success();
    planet(folder)
        .args(["partition", "build", "earth/manifest.parquet", "--split-above", "100"])
        .args(["--keep-from", "5", "-o", "cells.csv"])
        .assert()
        .success();
    let train = |layer: &str, run: &str| {
        planet(folder)
            .args(["train", "--dataset", "earth/manifest.parquet", "--partition", "cells.csv"])
            .args(["--architecture", "inception-mini", "--size", "48", "--batch", "16"])
            .args(["--epochs", "1", "--init", "weights.safetensors"])
            .args(["--freeze-until", layer, "-o", run])
            .assert()
    };
    train("Mixed_9", "none").failure().stderr(contains("no layer named 'Mixed_9'"));
    train("Mixed_7b", "run").success();
    let read = |name: &str| {
        let bytes = fs::read(folder.join(name)).expect("weights");
        Weights::from_safetensors(&bytes).expect("safetensors").0
    };
    let (before, after) =
        (read("weights.safetensors"), read("run/checkpoints/best/checkpoint.safetensors"));
    let same = |name: &str| {
        let array = before.get(name).expect("known");
        after.iter().any(|(other, found)| other.ends_with(name) && found == array)
    };
    assert!(same("Conv2d_1a_3x3.conv.weight") && same("Mixed_7a.branch3x3_1.bn.running_mean"));
    assert!(!same("Mixed_7b.branch1x1.conv.weight"));
    planet(folder)
        .args(["export", "run", "--features-only", "-o", "features"])
        .assert()
        .success()
        .stdout(contains("input        48 x 48 px"));
    planet(folder)
        .args(["retrieve", "index", "earth/manifest.parquet", "--model", "features"])
        .args(["--engine", "rten", "--pooling", "gem", "--whiten", "16", "-o", "index"])
        .assert()
        .success()
        .stdout(contains("dimensions  16"));
}
