//! From synthetic albums to an album scheme in a model package, by the shell: draw, divide, train
//! the photo model, train the LSTM, kill, resume, export.

use std::{
    fs,
    path::Path,
    process::{Command as Process, Stdio},
    thread,
    time::Duration,
};

use assert_cmd::Command;
use planet::{ModelPackage, album::SequenceModel};
use planet_engine::Rten;
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// Albums to learn from and to be judged on, and a photo model that has hardly learned
/// anything.
fn prepare(folder: &Path) {
    for (name, albums, seed) in [("earth", "14", "1"), ("test", "6", "2")] {
        planet(folder)
            .args(["world", "draw", "--albums", albums, "--seed", seed, "--size", "64", "-o", name])
            .assert()
            .success();
    }
    planet(folder)
        .args(["partition", "build", "earth/manifest.parquet", "--split-above", "60"])
        .args(["--keep-from", "5", "-o", "cells.csv"])
        .assert()
        .success();
    planet(folder)
        .args(["train", "--dataset", "earth/manifest.parquet", "--partition", "cells.csv"])
        .args(["--architecture", "inception-mini", "--size", "48", "--batch", "16"])
        .args(["--epochs", "1", "-o", "cnn"])
        .assert()
        .success();
    planet(folder).args(["export", "cnn", "-o", "model"]).assert().success();
}

const TRAIN: [&str; 12] = [
    "album",
    "train",
    "--model",
    "model",
    "--dataset",
    "earth/manifest.parquet",
    "--validation",
    "test/manifest.parquet",
    "--hidden",
    "16",
    "--engine",
    "rten",
];

/// The checkpoint's numbers, without its header, where times stand.
fn weights(run: &Path) -> Vec<u8> {
    let bytes = fs::read(run.join("checkpoints/last/checkpoint.safetensors")).expect("written");
    let header = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
    bytes[8 + header..].to_vec()
}

#[test]
fn album_schemes_are_trained_from_cached_embeddings_and_go_into_the_package() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    // One photo breaks before its embedding is computed.
    let broken = fs::read_dir(folder.join("earth")).expect("authors").flatten();
    let author = broken.map(|entry| entry.path()).find(|path| path.is_dir()).expect("an author");
    let album = fs::read_dir(&author).expect("albums").flatten().next().expect("one").path();
    let photo = fs::read_dir(&album).expect("photos").flatten().next().expect("one").path();
    fs::write(&photo, b"no photo").expect("broken");
    for (scheme, epochs) in [("blstm", "3"), ("lstm-offset-1", "2")] {
        let named = photo.file_name().expect("a name").to_string_lossy().into_owned();
        let run = format!("runs/{scheme}");
        let done = planet(folder)
            .args(TRAIN)
            .args(["--scheme", scheme, "--epochs", epochs, "-o", &run])
            .assert()
            .success()
            .stdout(contains("continent").and(contains("validation")));
        // What fails is named each time; what is there is not computed again.
        done.stderr(contains(named));
        planet(folder)
            .args(["export", &run, "--into", "model"])
            .assert()
            .success()
            .stdout(contains(scheme));
    }
    let caches = fs::read_dir(folder.join("runs/embeddings")).expect("caches").count();
    assert_eq!(caches, 2, "one for each folder of photos");
    let package = ModelPackage::open(&folder.join("model")).expect("a package");
    let features = package.description().features;
    for scheme in ["blstm", "lstm-offset-1"] {
        let (_, file) = package.scheme(scheme).expect("of this network");
        let mut engine = Rten::default().open_sequence(&file).expect("loaded");
        for photos in [1, 7] {
            let logits = engine.run(&vec![0.3; photos * features], features).expect("ran");
            assert_eq!(logits.len(), photos * package.description().classes);
            assert!(logits.iter().all(|logit| logit.is_finite()));
        }
    }

    the_hidden_markov_model_goes_in_too(folder);
    schemes_locate(folder);
    schemes_are_judged(folder);

    // A run of photos is no album run and the other way round; another model is refused.
    planet(folder)
        .args(["export", "cnn", "--into", "model"])
        .assert()
        .code(1)
        .stderr(contains("architecture").and(contains("planet album train")));
    planet(folder)
        .args(["export", "runs/blstm", "-o", "other"])
        .assert()
        .code(1)
        .stderr(contains("scheme").and(contains("--into")));
    let again = ["train", "--dataset", "test/manifest.parquet", "--partition", "cells.csv"];
    planet(folder)
        .args(again)
        .args(["--architecture", "inception-mini", "--size", "48", "--batch", "16"])
        .args(["--epochs", "1", "--seed", "9", "-o", "cnn9"])
        .assert()
        .success();
    planet(folder).args(["export", "cnn9", "-o", "model9"]).assert().success();
    for arguments in [
        &["export", "runs/blstm", "--into", "model9"][..],
        &["album", "train", "--resume", "runs/blstm", "--model", "model9"],
    ] {
        planet(folder).args(arguments).assert().code(1).stderr(contains("another network"));
    }
}

fn the_hidden_markov_model_goes_in_too(folder: &Path) {
    let learn = ["album", "train", "--model", "model", "--scheme", "hmm", "-o", "runs/hmm"];
    let learn = [&learn[..], &["--dataset", "earth/manifest.parquet"]].concat();
    planet(folder).args(&learn).assert().success().stdout(contains("pairs of photos"));
    planet(folder).args(&learn).assert().code(1).stderr(contains("already contains a run"));
    planet(folder)
        .args(["export", "runs/hmm", "--into", "model"])
        .assert()
        .success()
        .stdout(contains("blstm, lstm-offset-1, hmm"));
}

fn schemes_locate(folder: &Path) {
    let locate = ["album", "locate", "test/manifest.parquet", "--model", "model", "--scheme"];
    let located = |scheme: &str| {
        let output = format!("{scheme}.jsonl");
        let run = planet(folder).args(locate).args([scheme, "-o", &output]).assert().success();
        let known = contains("does not use the");
        if scheme == "hmm" {
            run.stderr(known.not())
        } else {
            run.stderr(known)
        };
        let text = fs::read_to_string(folder.join(output)).expect("written");
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(
            lines
                .iter()
                .all(|line| line["predictions"].as_array().is_some_and(|it| !it.is_empty()))
        );
        lines
    };
    let [blstm, late] = ["blstm", "lstm-offset-1"].map(located);
    assert_eq!(blstm.len(), late.len());
    assert_ne!(blstm, late);
    planet(folder)
        .args(locate)
        .args(["lstm-repeat"])
        .assert()
        .code(1)
        .stderr(contains("blstm, lstm-offset-1, hmm").and(contains("planet album train")));
    planet(folder)
        .args(["album", "locate", "test/manifest.parquet", "--scheme", "blstm"])
        .assert()
        .code(2)
        .stderr(contains("needs --model"));
}

fn schemes_are_judged(folder: &Path) {
    let evaluate = ["album", "evaluate", "--model", "model", "--dataset", "test/manifest.parquet"];
    planet(folder).args(evaluate).args(["-o", "report"]).assert().success().stdout(
        contains("Accuracy as a percentage of the best possible")
            .and(contains("hmm, exact single answers")),
    );
    let text = fs::read_to_string(folder.join("report/report.json")).expect("written");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let schemes = report["schemes"].as_array().expect("a list");
    let names: Vec<&str> = schemes.iter().filter_map(|scheme| scheme["name"].as_str()).collect();
    let wanted =
        ["single", "average", "lstm-offset-1", "blstm", "hmm", "hmm, exact single answers"];
    assert_eq!(names, wanted);
    let cell = |of: &serde_json::Value| of["score"]["cells"][0].as_f64().expect("a share");
    for scheme in schemes {
        let photos = scheme["score"]["counts"]["photos"].as_u64();
        let by_position = scheme["by_position"].as_array().expect("a list").iter();
        let sum: u64 = by_position.filter_map(|group| group["photos"].as_u64()).sum();
        assert_eq!(photos, Some(sum));
        assert_eq!(scheme["moves"]["moves"], schemes[0]["moves"]["moves"]);
    }
    // The mean of an album is one place.
    let moves = [0, 1].map(|at| schemes[at]["moves"]["jumps"].as_f64().expect("a share"));
    assert!(moves[0] > 0.0 && moves[1] == 0.0, "{moves:?}");
    // No scheme can be better than exact inference on the synthetic earth. The hidden Markov model
    // with exact single answers is nearly as good; a network that has hardly learned anything is not.
    let exact = &schemes[5];
    let ideal = exact["ideal"]["cell"].as_f64().expect("a share");
    assert!(cell(exact) > 0.85 * ideal && cell(exact) < ideal + 0.05, "{exact}");
    assert!(cell(&schemes[0]) < 0.6 * ideal);
    let page = fs::read_to_string(folder.join("report/index.html")).expect("written");
    assert!(page.contains("data:image/jpeg") && !page.contains("src=\"http"));

    planet(folder)
        .args(evaluate)
        .args(["--schemes", "lstm", "-o", "other"])
        .assert()
        .code(1)
        .stderr(contains("lstm").and(contains("planet album train")));
    planet(folder)
        .args(evaluate)
        .args(["--schemes", "lstm,best", "-o", "other"])
        .assert()
        .code(2)
        .stderr(contains("'best' is not an album scheme"));
}

#[test]
fn an_album_run_that_is_killed_goes_on_to_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    prepare(folder);
    let more = ["--scheme", "lstm", "--epochs", "60", "--patience", "0", "-o"];
    planet(folder).args(TRAIN).args(more).arg("whole").assert().success();
    let begin = [&TRAIN[..], &more, &["killed"]].concat();
    let go_on = ["album", "train", "--resume", "killed", "--engine", "rten"];
    let mut kills = 0;
    for millis in [150, 400, 250, 600] {
        let begun = folder.join("killed/config.toml").exists();
        let mut process = Process::new(assert_cmd::cargo::cargo_bin("planet"))
            .args(if begun { &go_on[..] } else { &begin[..] })
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        thread::sleep(Duration::from_millis(millis));
        // On Unix this is SIGKILL: the process cannot tidy up.
        process.kill().expect("killed");
        kills += u32::from(!process.wait().expect("ended").success());
    }
    assert!(kills > 0, "nothing was killed in the middle");
    planet(folder).args(go_on).assert().success();
    assert!(weights(&folder.join("whole")) == weights(&folder.join("killed")), "other weights");
}

#[test]
fn what_cannot_be_trained_on_albums_is_named_with_the_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--dataset", "m.csv"], 2, "with --model"),
        (&["--model", "nowhere", "--dataset", "m.csv"], 1, "is not a model package"),
        (&["--model", "nowhere", "--scheme", "average"], 2, "needs no training"),
        (&["--model", "nowhere", "--scheme", "hmm"], 2, "needs --model and --dataset"),
        (&["--model", "nowhere", "--scheme", "lstm-9"], 2, "lstm-offset-2"),
    ];
    for (arguments, code, text) in cases {
        planet(folder)
            .args(["album", "train", "-o", "run"])
            .args(arguments)
            .assert()
            .code(code)
            .stderr(contains(text));
    }
}
