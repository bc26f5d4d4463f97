//! `planet model import | verify` and `planet locate` from the shell, with networks of random
//! weights.

#[path = "support/foreign.rs"]
mod foreign;

use std::fs;

use foreign::{foreign, import, planet, write_with_metadata};
use predicates::{prelude::PredicateBooleanExt, str::contains};

#[test]
fn a_foreign_classifier_becomes_a_package_that_locates_photos() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    foreign(folder, 3);
    import(folder).assert().success().stdout(contains("classes    3"));
    planet(folder)
        .args(["model", "verify", "model", "--engine", "rten"])
        .assert()
        .success()
        .stdout(contains("match their hashes").and(contains("3 classes")));
    planet(folder)
        .args(["world", "draw", "--photos", "12", "--size", "64", "-o", "photos"])
        .assert()
        .success();
    fs::write(folder.join("photos/a-text.jpg"), "no photo").expect("a file");
    let locate = |extra: &[&str]| {
        let mut command = planet(folder);
        command.args(["locate", "photos", "--model", "model", "--engine", "rten"]).args(extra);
        command
    };
    locate(&[])
        .assert()
        .success()
        .stdout(contains("New York").or(contains("Sydney")).or(contains("Paris")))
        .stdout(contains("no answer:").and(contains("position in file")))
        .stderr(contains("1 of 13 photos have no answer"));
    locate(&["--strict"]).assert().code(1);
    locate(&["--within", "FR", "--top", "9", "--format", "csv", "--no-names"])
        .assert()
        .success()
        .stdout(contains(",0,0,48.8584,2.2945,1").and(contains("151.2153").not()));
    locate(&["--within", "JP"])
        .assert()
        .code(1)
        .stderr(contains("none of the model's classes lies in this area"));
    locate(&["--certain", "2"]).assert().code(2);
    locate(&["-o", "out.txt"])
        .assert()
        .code(2)
        .stderr(contains("does not have the extension of an output format"));
    locate(&["-o", "nowhere/out.jsonl"]).assert().code(1).stderr(contains("nowhere"));
    for map in ["map.svg", "map.png", "map.html"] {
        locate(&["-o", "out.jsonl", "--map", map, "--overwrite"]).assert().success();
        assert!(fs::metadata(folder.join(map)).expect("a map").len() > 10_000, "{map}");
    }
    locate(&["-o", "out.jsonl", "--embedding", "--overwrite"]).assert().success();
    let line = fs::read_to_string(folder.join("out.jsonl")).expect("predictions");
    assert!(line.contains("\"embedding\":["), "{}", &line[..200]);
}

#[test]
fn models_that_are_none_or_do_not_fit_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    foreign(folder, 4);
    import(folder)
        .assert()
        .code(1)
        .stderr(contains("returns 4 scores").and(contains("has 3 classes")));
    foreign(folder, 3);
    import(folder).assert().success();
    let locate = |model: &str| {
        let mut command = planet(folder);
        command.args(["locate", "gallery.jpg", "--model", model, "--engine", "rten"]);
        command
    };
    locate("nowhere").assert().code(1).stderr(contains("is not a model package"));
    locate("model").assert().code(1).stdout(contains("no answer"));
    fs::create_dir(folder.join("empty")).expect("a folder");
    planet(folder)
        .args(["locate", "empty", "--model", "model"])
        .assert()
        .code(1)
        .stderr(contains("no photos in empty"));
    fs::write(folder.join("model/theirs.onnx.data"), "cut").expect("damaged");
    locate("model").assert().code(1).stderr(contains("theirs.onnx.data"));
    fs::write(folder.join("theirs.onnx"), "no graph").expect("damaged");
    import(folder).assert().code(1).stderr(contains("theirs.onnx"));
}

#[test]
fn a_package_imported_from_its_own_file_gives_the_same_answers_without_any_option() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    foreign(folder, 3);
    import(folder).assert().success().stderr(contains("the preprocessing has not been checked"));
    // The same network as PlaNet itself writes it: with its preprocessing.
    write_with_metadata(folder);
    let import = |extra: &[&str]| {
        let mut command = planet(folder);
        command.args(["model", "import", "theirs.onnx", "--partition", "gallery.csv"]);
        command.args(["--engine", "rten", "-o", "again"]).args(extra);
        command
    };
    import(&[]).assert().success().stderr(contains("the preprocessing has not been checked").not());
    let stated = |model: &str| {
        let text = fs::read_to_string(folder.join(model).join("model.json")).expect("a package");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        [json["preprocess"].clone(), json["temperature"].clone()]
    };
    assert_eq!(stated("again"), stated("model"));
    import(&["--mean", "0,0,0"])
        .assert()
        .success()
        .stderr(contains("the preprocessing has not been checked"));
    let other = fs::read_to_string(folder.join("gallery.csv")).expect("a gallery");
    fs::write(folder.join("gallery.csv"), other.replace("48.8584", "48.9")).expect("another");
    import(&[]).assert().code(1).stderr(contains("was trained for another partition"));
}

#[test]
fn an_import_is_checked_on_photos_of_known_position() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    foreign(folder, 3);
    planet(folder)
        .args(["world", "draw", "--photos", "12", "--size", "64", "-o", "photos"])
        .assert()
        .success();
    import(folder)
        .args(["--check", "photos/manifest.parquet"])
        .assert()
        .success()
        .stdout(contains("12 photos of known position").and(contains("one answer for all")))
        .stderr(contains("the preprocessing has not been checked").not());
    planet(folder)
        .args(["model", "import", "theirs.onnx", "--partition", "gallery.csv", "-o", "other"])
        .assert()
        .code(2)
        .stderr(contains("does not state the size of its input"));
}
