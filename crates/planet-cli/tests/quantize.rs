//! `planet model quantize`, in 8 bits and with weights in 16, from the shell.

#[path = "support/foreign.rs"]
mod foreign;

use std::{fs, path::Path};

use assert_cmd::Command;
use foreign::{foreign, import, planet};
use predicates::{prelude::PredicateBooleanExt, str::contains};

/// A package over three positions, and this many photos of a synthetic earth.
fn made(photos: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    foreign(folder.path(), 3);
    import(folder.path()).assert().success();
    let photos = photos.to_string();
    planet(folder.path())
        .args(["world", "draw", "--photos", &photos, "--size", "64", "-o", "photos"])
        .assert()
        .success();
    folder
}

fn quantize(folder: &Path, extra: &[&str]) -> Command {
    let mut command = planet(folder);
    command.args(["model", "quantize", "model", "--calibrate", "photos/manifest.parquet"]);
    command.args(["--engine", "rten", "-o", "small"]).args(extra);
    command
}

#[test]
fn a_package_in_8_bits_states_its_agreement_wherever_it_is_shown() {
    let folder = made(410);
    let folder = folder.path();
    // Photos that cannot be decoded are counted and named.
    let photos = planet_data::photos_below(&folder.join("photos")).expect("photos");
    photos.iter().take(4).for_each(|path| fs::write(path, "no photo").expect("written"));
    quantize(folder, &["--min-agreement", "0.9"])
        .assert()
        .success()
        .stdout(contains("photos       4 cannot be decoded"))
        .stdout(contains("same best class, clear answers").and(contains("calibration error")))
        .stderr(contains(".jpg"));
    let json = fs::read_to_string(folder.join("small/model.json")).expect("a package");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let stated = &json["quantization"];
    assert!(stated["calibration_photos"].as_u64() >= Some(200), "{stated}");
    assert!(stated["agreement"]["within"]["street"]["rounded"].is_number(), "{stated}");
    let agreement = contains("same best class, clear answers");
    for command in ["show", "verify"] {
        let mut command_line = planet(folder);
        command_line.args(["model", command, "small"]);
        if command == "verify" {
            command_line.args(["--engine", "rten"]);
        }
        command_line.assert().success().stdout(agreement.clone());
    }
    let card = fs::read_to_string(folder.join("small/README.md")).expect("a card");
    assert!(card.contains("## Quantisation") && card.contains("same best class"), "{card}");
    let size = |model: &str| {
        let names = ["model.onnx.data", "theirs.onnx.data"];
        let files = names.map(|name| fs::metadata(folder.join(model).join(name)));
        files.into_iter().flatten().map(|file| file.len()).sum::<u64>()
    };
    assert!(3 * size("small") < size("model"), "{} of {}", size("small"), size("model"));
    planet(folder)
        .args(["locate", "photos", "--model", "small", "--engine", "rten", "-o", "out.jsonl"])
        .assert()
        .code(predicates::function::function(|code: &i32| *code <= 1));
    // A second time, and onto itself.
    planet(folder)
        .args(["model", "quantize", "small", "--calibrate", "photos", "-o", "smaller"])
        .assert()
        .code(1)
        .stderr(contains("is already quantised"));
    planet(folder)
        .args(["model", "quantize", "model", "--calibrate", "photos", "-o", "model"])
        .assert()
        .code(2)
        .stderr(contains("would be replaced"));
}

#[test]
fn weights_in_16_bits_need_no_photos_and_are_stated_wherever_the_package_is_shown() {
    let folder = made(60);
    let folder = folder.path();
    let halve = |extra: &[&str]| {
        let mut command = planet(folder);
        command.args(["model", "quantize", "model", "--half", "--engine", "native"]).args(extra);
        command
    };
    halve(&["-o", "half"]).assert().success().stdout(
        contains("16 bits      ").and(contains("agreement    not measured")).and(contains("size ")),
    );
    halve(&["-o", "checked", "--calibrate", "photos/manifest.parquet", "--min-agreement", "0.9"])
        .assert()
        .success()
        .stdout(contains("held-out photos: 60").and(contains("same best class, clear answers")));
    for (package, text) in [("half", "computed in 32 bits"), ("checked", "same best class")] {
        for command in ["show", "verify"] {
            let mut command_line = planet(folder);
            command_line.args(["model", command, package]);
            command_line.assert().success().stdout(contains(text));
        }
        let card = fs::read_to_string(folder.join(package).join("README.md")).expect("a card");
        assert!(card.contains("## Weights in 16 bits") && card.contains("float16"), "{card}");
        assert_eq!(card.contains("same best class"), package == "checked", "{card}");
    }
    let json = fs::read_to_string(folder.join("checked/model.json")).expect("a package");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json["half_weights"]["arrays"].as_u64() >= Some(1), "{json}");
    assert!(json["half_weights"]["agreement"]["photos"].as_u64() == Some(60), "{json}");
    // The engines read the package, whose files native and rten map.
    for engine in ["native", "rten"] {
        planet(folder)
            .args(["locate", "photos", "--model", "half", "--engine", engine])
            .args(["-o", &format!("{engine}.jsonl")])
            .assert()
            .success();
    }
    // It is made once, and of the package in 32 bits, which stays; ranges are of 8 bits.
    planet(folder)
        .args(["model", "quantize", "half", "--half", "-o", "again"])
        .assert()
        .code(1)
        .stderr(contains("in 16 bits already"));
    halve(&["-o", "model"]).assert().code(2).stderr(contains("would be replaced"));
    halve(&["-o", "other", "--range", "entropy"]).assert().code(2);
    planet(folder).args(["model", "quantize", "model", "-o", "other"]).assert().code(2);
    assert!(!folder.join("again").exists() && !folder.join("other").exists());
}

#[test]
fn too_few_photos_and_too_little_agreement_write_nothing() {
    let folder = made(399);
    let folder = folder.path();
    quantize(folder, &["--root", "nowhere"]).assert().code(1).stderr(contains("at least 200"));
    planet(folder)
        .args(["world", "draw", "--photos", "60", "--size", "64", "-o", "few"])
        .assert()
        .success();
    planet(folder)
        .args(["model", "quantize", "model", "--calibrate", "few/manifest.parquet", "-o", "small"])
        .assert()
        .code(1)
        .stderr(contains("at least 200 are required").and(contains("at least 400 photos")));
    // Half of all values cut off: another network.
    quantize(folder, &["--range", "percentile:50", "--min-agreement", "1"])
        .assert()
        .code(1)
        .stderr(contains("keep their best class").and(contains("Nothing was written")));
    quantize(folder, &["--range", "percentile:101"]).assert().code(2);
    assert!(!folder.join("small").exists());
    let left: Vec<_> = fs::read_dir(folder).expect("a folder").flatten().collect();
    assert!(left.iter().all(|it| !it.file_name().to_string_lossy().contains("small")), "{left:?}");
}
