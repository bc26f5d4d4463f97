//! From synthetic photos to a located photo, by the shell: draw, divide, train, kill, resume,
//! export, locate.

use std::{
    fs,
    path::Path,
    process::{Command as Process, Stdio},
    thread,
    time::Duration,
};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// Synthetic photos to train, validate and test on, and a partition.
fn draw(folder: &Path, photos: &str, split_above: &str) {
    let sets = [("earth", photos, "1"), ("validation", "200", "2"), ("test", "200", "3")];
    for (name, photos, seed) in sets {
        planet(folder)
            .args(["world", "draw", "--photos", photos, "--seed", seed, "--size", "64", "-o", name])
            .assert()
            .success();
    }
    planet(folder)
        .args(["partition", "build", "earth/manifest.parquet", "--split-above", split_above])
        .args(["--keep-from", "5", "-o", "cells.csv"])
        .assert()
        .success();
    fs::write(
        folder.join("config.toml"),
        "architecture = \"inception-mini\"\nsize = 48\nbatch = 16\nepochs = 3\n\
         dataset = \"earth/manifest.parquet\"\nvalidation = \"validation/manifest.parquet\"\n\
         partition = \"cells.csv\"\ncheckpoint_minutes = 0.003\n\
         [learning_rate]\nstart = 0.045\nschedule = \"cosine\"\n",
    )
    .expect("a config");
}

/// Loss in nats of the validation photos after the last epoch.
fn validation_loss(folder: &Path) -> f64 {
    let summary = fs::read_to_string(folder.join("run/summary.csv")).expect("a summary");
    let mut lines = summary.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().expect("names");
    let column = names.iter().position(|name| *name == "validation_loss").expect("the column");
    lines.next_back().expect("an epoch")[column].parse().expect("a number")
}

/// What whoever knows only how many photos each cell holds would lose, in nats.
fn entropy(folder: &Path) -> f64 {
    let cells = fs::read_to_string(folder.join("cells.csv")).expect("a partition");
    let rows = cells.lines().filter(|line| !line.starts_with('#')).skip(1);
    let counts: Vec<f64> =
        rows.map(|row| row.split(',').nth(1).expect("photos").parse().expect("a number")).collect();
    let all: f64 = counts.iter().sum();
    -counts.iter().map(|count| count / all * (count / all).ln()).sum::<f64>()
}

#[test]
fn a_drawn_earth_is_learned_and_its_photos_are_located() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder, "3000", "800");
    planet(folder)
        .args(["train", "--config", "config.toml", "--epochs", "6", "-o", "run"])
        .assert()
        .success()
        .stdout(contains("continent").and(contains("validation")));
    planet(folder)
        .args(["train", "--config", "config.toml", "-o", "run"])
        .assert()
        .code(1)
        .stderr(contains("already contains a run").and(contains("--resume run")));
    tensorboard_reads(folder);
    let (learned, known) = (validation_loss(folder), entropy(folder));
    // 0.08 to 0.21 nats less with other seeds, or numbers that are rounded otherwise.
    assert!(learned < known - 0.05, "loss {learned}, while frequencies alone give {known}");
    planet(folder)
        .args(["export", "run", "-o", "model"])
        .assert()
        .success()
        .stdout(contains("inception-mini"));
    planet(folder)
        .args(["locate", "test/manifest.parquet", "--model", "model", "--engine", "rten"])
        .args(["-o", "found.jsonl", "--map", "map.html"])
        .assert()
        .success();
    let found = fs::read_to_string(folder.join("found.jsonl")).expect("predictions");
    assert_eq!(found.lines().count(), 200);
    assert!(fs::read_to_string(folder.join("map.html")).expect("a map").contains("<svg"));
    planet(folder)
        .args(["locate", "test/manifest.parquet", "--model", "model", "--engine", "rten"])
        .args(["--format", "csv"])
        .assert()
        .success()
        .stdout(contains("img_id,p_key,pred_class,pred_lat,pred_lng,probability"));
    answers_to_real_photos_are_warned_of(folder);
    planet(folder)
        .args(["evaluate", "--model", "model", "--dataset", "test/manifest.parquet"])
        .args(["--train", "earth/manifest.parquet", "--engine", "rten", "-o", "report"])
        .args(["--region", "0.9"])
        .assert()
        .success()
        .stdout(contains("ideal classifier").and(contains("nearest training photo")))
        .stdout(contains("Regions for 90.0 % of the photos"));
    regions_keep_their_word(folder);
    photos_that_chose_the_checkpoint_are_no_test(folder);
    // What was predicted is what was scored.
    planet(folder)
        .args(["score", "--predictions", "report/predictions.jsonl", "--partition", "cells.csv"])
        .args(["--truth", "test/manifest.parquet", "-o", "again"])
        .assert()
        .success();
    let figures = ["report", "again"].map(|report| {
        let text = fs::read_to_string(folder.join(report).join("report.json")).expect("figures");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        ["within", "quartiles_km", "cells", "calibration_error"].map(|it| json["score"][it].clone())
    });
    assert_eq!(figures[0], figures[1]);
    let page = fs::read_to_string(folder.join("report/index.html")).expect("a page");
    assert!(page.contains("data:image/jpeg") && page.contains("photos located in this cell"));
}

/// The region for nine of ten photos contains the cell of about nine of ten test photos, and is drawn.
fn regions_keep_their_word(folder: &Path) {
    let text = fs::read_to_string(folder.join("report/report.json")).expect("figures");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let rows = json["regions"]["coverage"].as_array().expect("rows");
    let inside = rows.iter().find(|row| row["name"] == "in a cell of the partition");
    let contained = inside.expect("a row")["contained"].as_f64().expect("a share");
    // Both shares are of 200 photos: four standard deviations.
    assert!((contained - 0.9).abs() < 4.0 * (2.0 * 0.9 * 0.1 / 200.0_f64).sqrt(), "{contained}");
    let photos = fs::read_to_string(folder.join("found.jsonl")).expect("predictions");
    let line: serde_json::Value =
        serde_json::from_str(photos.lines().next().expect("a photo")).expect("JSON");
    let photo = format!("test/{}", line["photo"].as_str().expect("a name"));
    planet(folder)
        .args(["locate", &photo, "--model", "model", "--engine", "rten", "--region", "0.9"])
        .args(["--map", "region.svg"])
        .assert()
        .success()
        .stdout(contains("region for 90 % of photos: "));
    let map = fs::read_to_string(folder.join("region.svg")).expect("a map");
    // The colour of the outline, which no map of probabilities has.
    assert!(map.contains("#00825a"));
    planet(folder)
        .args(["locate", &photo, "--model", "model", "--region", "1"])
        .assert()
        .code(2)
        .stderr(contains("not a number from 0.01 to 0.99"));
}

fn photos_that_chose_the_checkpoint_are_no_test(folder: &Path) {
    let evaluate = |more: &[&str]| {
        planet(folder)
            .args(["evaluate", "--model", "model", "--dataset", "validation/manifest.parquet"])
            .args(["--engine", "rten", "-o", "report-validation"])
            .args(more)
            .assert()
    };
    evaluate(&[]).code(1).stderr(
        contains("200 of 200 sampled photos that the model was validated on")
            .and(contains("--allow-validation-photos")),
    );
    evaluate(&["--allow-validation-photos"]).success();
    planet(folder)
        .args(["album", "evaluate", "--model", "model", "--dataset", "validation/manifest.parquet"])
        .args(["--engine", "rten", "-o", "report-albums"])
        .assert()
        .code(1)
        .stderr(contains("--allow-validation-photos"));
    planet(folder)
        .args(["train", "--config", "config.toml", "--validation", "earth/manifest.parquet"])
        .args(["-o", "run-of-no-use"])
        .assert()
        .code(1)
        .stderr(contains("validation photos are also training photos"));
}

/// The model was trained on synthetic photos: an answer to a real one, here any photo outside the
/// synthetic earth's folder, says so.
fn answers_to_real_photos_are_warned_of(folder: &Path) {
    let test = fs::read_dir(folder.join("test")).expect("the test photos").flatten();
    let album = test.map(|it| it.path()).find(|it| it.is_dir()).expect("an author's folder");
    let photo = fs::read_dir(album).expect("photos").flatten().next().expect("one").path();
    fs::copy(&photo, folder.join("real.jpg")).expect("copied");
    let photo = photo.to_str().expect("a path").to_owned();
    let located = |arguments: &[&str]| {
        let model = ["--model", "model", "--engine", "rten"];
        let run = planet(folder).arg("locate").args(arguments).args(model).assert().success();
        String::from_utf8_lossy(&run.get_output().stdout).into_owned()
    };
    let warning = "trained on synthetic photos";
    assert!(located(&["real.jpg"]).contains(warning));
    assert!(!located(&[&photo]).contains(warning));
    let line = located(&["real.jpg", "--format", "jsonl"]);
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert!(line["warning"].as_str().is_some_and(|it| it.contains(warning)), "{line}");
    let card = fs::read_to_string(folder.join("model/README.md")).expect("a model card");
    assert!(card.contains("The model was trained on synthetic photos"));
}

/// Holds the run's events against its summary with TensorBoard's own reader, where it is installed.
fn tensorboard_reads(folder: &Path) {
    let installed = Process::new("python3").args(["-c", "import tensorboard"]).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/check-tensorboard");
    Command::new("python3")
        .args([script, "run"])
        .current_dir(folder)
        .assert()
        .success()
        .stdout(contains("6 epochs are those of summary.csv"));
}

#[test]
fn a_run_that_is_killed_goes_on_to_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder, "400", "60");
    let epochs = ["--epochs", "6"];
    let whole = ["train", "--config", "config.toml", "-o", "whole"];
    planet(folder).args(whole).args(epochs).assert().success();

    let begin = [&["train", "--config", "config.toml", "-o", "killed"], &epochs[..]].concat();
    let go_on = ["train", "--resume", "killed"];
    // Ten moments, other ones every time.
    let mut moment = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_nanos() as u64;
    let mut millis = Vec::new();
    let mut kills = 0;
    for _ in 0..10 {
        // A linear congruential generator (Knuth's MMIX).
        moment =
            moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        millis.push(150 + (moment >> 33) % 600);
        let begun = folder.join("killed/config.toml").exists();
        let arguments = if begun { &go_on[..] } else { &begin[..] };
        let mut process = Process::new(assert_cmd::cargo::cargo_bin("planet"))
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        thread::sleep(Duration::from_millis(millis[millis.len() - 1]));
        // On Unix this is SIGKILL: the process cannot tidy up.
        process.kill().expect("killed");
        kills += u32::from(!process.wait().expect("ended").success());
    }
    assert!(kills > 0, "nothing was killed in the middle");
    planet(folder).args(go_on).assert().success();
    let weights = |run: &str| {
        let path = folder.join(run).join("checkpoints/last/checkpoint.safetensors");
        let bytes = fs::read(path).expect("a checkpoint");
        // Times stand in the header; the numbers behind it are weights and nothing else.
        let header = u64::from_le_bytes(bytes[..8].try_into().expect("eight bytes")) as usize;
        bytes[8 + header..].to_vec()
    };
    assert!(weights("whole") == weights("killed"), "not the same weights after {millis:?} ms");
}

#[test]
fn a_folder_of_ones_own_photos_is_enough_to_begin() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    planet(folder)
        .args(["world", "draw", "--photos", "400", "--withhold", "0.1", "--size", "64"])
        .args(["-o", "mine"])
        .assert()
        .success();
    let train = ["train", "--photos", "mine", "--architecture", "inception-mini", "--size", "48"];
    let train = [&train[..], &["--batch", "16", "--epochs", "1", "-o", "run"]].concat();
    let run = planet(folder).args(&train).assert().success();
    run.stderr(contains("of 400 photos have a position").and(contains("more than 20 photos")));
    for file in ["photos.parquet", "cells.csv", "checkpoints/best/checkpoint.safetensors"] {
        assert!(folder.join("run").join(file).exists(), "{file}");
    }
    planet(folder).args(&train).assert().code(1).stderr(contains("--resume"));
    planet(folder)
        .args(["train", "--resume", "run", "--epochs", "2"])
        .assert()
        .success()
        .stdout(contains("validation"));

    fs::create_dir(folder.join("few")).expect("a folder");
    planet(folder)
        .args(["world", "draw", "--photos", "9", "--size", "64", "-o", "few/drawn"])
        .assert()
        .success();
    planet(folder)
        .args(["train", "--photos", "few", "-o", "other"])
        .assert()
        .code(1)
        .stderr(contains("9 of 9 photos in few have a position").and(contains("at least 100")));
    assert!(!folder.join("other").exists());
    planet(folder)
        .args(["train", "--photos", "mine", "--partition", "run/cells.csv", "-o", "other"])
        .assert()
        .code(2);
}

#[test]
fn seeds_take_no_run_of_other_settings_and_say_why_each_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder, "300", "60");
    let seeds = ["train", "--config", "config.toml", "--epochs", "1", "-o", "runs", "--seed"];
    let seeds = [&seeds[..], &["0,1"]].concat();
    planet(folder).args(&seeds).assert().success().stdout(contains("(2 seeds)")).stderr(
        contains("training ended: all epochs are completed: 1")
            .and(contains("best, used for export")),
    );
    // The same settings take both as they are; others take neither.
    planet(folder).args(&seeds).assert().success().stdout(contains("(2 seeds)"));
    planet(folder)
        .args(&seeds)
        .args(["--batch", "8"])
        .assert()
        .code(1)
        .stderr(contains("batch 16, not 8").and(contains("seed-0")));
}

/// The exported package has one classifier, which answers as the heads together did in training.
#[test]
fn several_heads_become_one_classifier_that_answers_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder, "1200", "60");
    for (seed, file) in [("1", "a.csv"), ("2", "b.csv")] {
        planet(folder)
            .args([
                "partition",
                "merge",
                "cells.csv",
                "--classes",
                "12",
                "--seed",
                seed,
                "-o",
                file,
            ])
            .assert()
            .success();
    }
    let heads = ["--heads", "a.csv,b.csv"];
    planet(folder)
        .args(["train", "--config", "config.toml", "--epochs", "1", "-o", "run"])
        .args(heads)
        .assert()
        .success();
    // A run stands on its own.
    fs::remove_file(folder.join("a.csv")).expect("removed");
    planet(folder)
        .args(["train", "--resume", "run", "--epochs", "3"])
        .assert()
        .success()
        .stdout(contains("validation"));
    planet(folder).args(["export", "run", "-o", "model"]).assert().success();
    planet(folder)
        .args(["evaluate", "--model", "model", "--dataset", "validation/manifest.parquet"])
        .args(["--allow-validation-photos", "--no-photos", "-o", "report"])
        .assert()
        .success();
    let text = fs::read_to_string(folder.join("report/report.json")).expect("figures");
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let summary = fs::read_to_string(folder.join("run/summary.csv")).expect("a summary");
    let mut lines = summary.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().expect("names");
    let epochs: Vec<_> = lines.collect();
    assert_eq!(epochs.len(), 3);
    let column = |name| names.iter().position(|it| *it == name).expect("the column");
    let best = epochs.iter().find(|row| row[column("best")] == "1").expect("a best epoch");
    let learned: f64 = best[column("validation_cell_top1")].parse().expect("a number");
    let exported = report["score"]["cells"][0].as_f64().expect("a share");
    // At most one of 200 photos between two classes that are equal but for rounding.
    assert!((exported - learned).abs() <= 0.0051, "{exported} {learned}");
    assert!(learned > 0.0);
    planet(folder)
        .args(["train", "--config", "config.toml", "-o", "other", "--heads", "nothing.csv"])
        .assert()
        .code(1)
        .stderr(contains("nothing.csv"));
    planet(folder)
        .args(["train", "--config", "config.toml", "-o", "other", "--hierarchy", "1"])
        .args(["--heads", "b.csv"])
        .assert()
        .code(2)
        .stderr(contains("heads cannot be combined"));
}

#[test]
fn what_cannot_be_trained_is_named_with_the_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder, "400", "60");
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--dataset", "earth/manifest.parquet"], 2, "--partition FILE"),
        (&["--partition", "cells.csv"], 2, "--dataset MANIFEST:train"),
        (
            &["--partition", "cells.csv", "--dataset", "earth/manifest.parquet:nobody"],
            1,
            "has no photos",
        ),
        (&["--partition", "nowhere.csv", "--dataset", "earth/manifest.parquet"], 1, "nowhere.csv"),
        (&["--config", "cells.csv"], 1, "cells.csv"),
    ];
    for (arguments, code, text) in cases {
        planet(folder)
            .arg("train")
            .args(arguments)
            .args(["-o", "run"])
            .assert()
            .code(code)
            .stderr(contains(text));
    }
    planet(folder)
        .args(["train", "--resume", "nowhere"])
        .assert()
        .code(1)
        .stderr(contains("nowhere"));
    planet(folder)
        .args(["export", "nowhere", "-o", "m"])
        .assert()
        .code(1)
        .stderr(contains("nowhere"));
}
