//! `planet train` in several processes, as torchrun starts them: `scripts/with-torch cargo test
//! -p planet-cli --features torch --test ranks`.
#![cfg(feature = "torch")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use planet_train::{Checkpoint, RunFolder};

fn planet(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_planet"));
    command.current_dir(folder).env("OMP_NUM_THREADS", "1").stdin(Stdio::null());
    command
}

fn done(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// All ranks have ended well; what each of them said if not.
fn all_done(outputs: &[Output]) {
    let all: Vec<String> = outputs.iter().map(said).collect();
    assert!(outputs.iter().all(|output| output.status.success()), "{all:#?}");
}

/// Synthetic training and test photos, a partition, a config.
fn draw(folder: &Path) {
    for (name, photos, seed) in [("earth", "400", "1"), ("test", "50", "2")] {
        let draw = ["world", "draw", "--size", "64", "--photos", photos, "--seed", seed];
        done(&planet(folder).args(draw).args(["-o", name]).output().expect("it runs"));
    }
    let build = ["partition", "build", "earth/manifest.parquet", "--split-above", "60"];
    let keep = ["--keep-from", "5", "-o", "cells.csv"];
    done(&planet(folder).args(build).args(keep).output().expect("it runs"));
    fs::write(
        folder.join("config.toml"),
        "architecture = \"inception-mini\"\nsize = 48\nbatch = 8\nepochs = 3\nbackend = \"torch\"\n\
         dataset = \"earth/manifest.parquet\"\nvalidation = \"test/manifest.parquet\"\n\
         partition = \"cells.csv\"\ncheckpoint_minutes = 0.003\nloader_threads = 1\n",
    )
    .expect("a config");
}

/// Starts so many processes of one job, as torchrun would.
fn start(folder: &Path, ranks: usize, arguments: &[&str]) -> Vec<Child> {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("one").port();
    let rank = |rank: usize| {
        planet(folder)
            .arg("train")
            .args(arguments)
            .env("MASTER_ADDR", "127.0.0.1")
            .env("MASTER_PORT", port.to_string())
            .env("WORLD_SIZE", ranks.to_string())
            .env("RANK", rank.to_string())
            .env("LOCAL_RANK", rank.to_string())
            .env("LOCAL_WORLD_SIZE", ranks.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    };
    (0..ranks).map(rank).collect()
}

fn finish(children: Vec<Child>) -> Vec<Output> {
    children.into_iter().map(|child| child.wait_with_output().expect("it ends")).collect()
}

/// Waits until the run has a checkpoint that is newer than nothing.
fn wait_for_checkpoint(folder: &Path) {
    let path = RunFolder::at(folder).last();
    // 15,000 attempts, so that a test that hangs ends.
    let has_come = |_| {
        thread::sleep(Duration::from_millis(20));
        path.exists()
    };
    assert!((0..15_000).any(has_come), "no checkpoint came");
}

fn last(folder: &Path) -> Checkpoint {
    Checkpoint::read(&RunFolder::at(folder).last()).expect("a whole checkpoint")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn two_ranks_train_one_model_and_the_first_alone_writes_and_reports() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder);
    let outputs = finish(start(folder, 2, &["--config", "config.toml", "-o", "run"]));
    all_done(&outputs);
    assert!(String::from_utf8_lossy(&outputs[0].stdout).contains("continent"));
    assert!(outputs[1].stdout.is_empty(), "rank 1 reports too");
    let run = last(&folder.join("run"));
    // 400 photos less those outside every cell, in batches of 8 on each rank.
    let epoch = &run.position.history[0];
    assert_eq!(run.position.history.len(), 3);
    assert_eq!((run.position.ranks, epoch.steps), (2, run.position.steps / 3));
    assert!(epoch.steps * 16 > 300 && epoch.steps * 16 <= 400, "{} steps", epoch.steps);
    let scores = epoch.validation.as_ref().expect("validated");
    assert_eq!(scores.photos, 50, "every validation photo once");
    let events = fs::read_dir(folder.join("run/tensorboard")).expect("a folder").count();
    assert_eq!(events, 1);
}

#[test]
fn a_killed_rank_is_named_and_the_run_goes_on_to_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder);
    let whole = ["--config", "config.toml", "-o", "whole"];
    all_done(&finish(start(folder, 2, &whole)));

    for (victim, name) in [(1, "rank 1 is gone"), (0, "rank 0")] {
        let run = folder.join(format!("killed-{victim}"));
        let path = run.to_str().expect("text");
        let mut ranks = start(folder, 2, &["--config", "config.toml", "-o", path]);
        wait_for_checkpoint(&run);
        ranks[victim].kill().expect("it runs");
        let killed = Instant::now();
        let other = finish(ranks).swap_remove(1 - victim);
        let seconds = killed.elapsed().as_secs();
        assert_eq!(other.status.code(), Some(1), "{}", said(&other));
        assert!(seconds < 60, "the other one ended after {seconds} s");
        assert!(
            said(&other).contains(name) && said(&other).contains("--resume"),
            "{}",
            said(&other)
        );

        all_done(&finish(start(folder, 2, &["--resume", path])));
        let (resumed, whole) = (last(&run), last(&folder.join("whole")));
        assert!(resumed.state == whole.state, "other weights after rank {victim} was killed");
    }
}

#[test]
fn one_rank_that_is_told_to_end_ends_all_and_another_number_of_ranks_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder);
    let ranks = start(folder, 2, &["--config", "config.toml", "--epochs", "40", "-o", "run"]);
    wait_for_checkpoint(&folder.join("run"));
    let told = Command::new("kill").args(["-TERM", &ranks[1].id().to_string()]).status();
    assert!(told.expect("it runs").success());
    let outputs = finish(ranks);
    let all: Vec<String> = outputs.iter().map(said).collect();
    for (output, words) in outputs.iter().zip(&all) {
        assert_eq!(output.status.code(), Some(1), "{all:#?}");
        assert!(words.contains("interrupted; the run is saved"), "{all:#?}");
    }
    let before = last(&folder.join("run")).position;
    assert!(before.steps > 0);
    for ranks in [4, 1] {
        let before = last(&folder.join("run")).position;
        let epochs = (before.epoch + 1).to_string();
        let outputs = finish(start(folder, ranks, &["--resume", "run", "--epochs", &epochs]));
        all_done(&outputs);
        let after = last(&folder.join("run")).position;
        let epoch = after.history.last().expect("an epoch");
        assert_eq!((after.epoch, after.ranks, epoch.epoch), (before.epoch + 1, ranks, after.epoch));
        // The epoch's photos are those of before and those of the new ranks: all of them once,
        // but for what is no whole batch.
        let done = before.batch * before.ranks * 8;
        let steps = (after.steps - before.steps) as usize;
        let photos = done / (ranks * 8) * (ranks * 8) + steps * ranks * 8;
        assert!((300..=400).contains(&photos), "{photos} photos in the epoch");
    }
}

#[test]
fn what_is_missing_or_differs_between_ranks_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    draw(folder);
    let output = planet(folder)
        .args(["train", "--config", "config.toml", "-o", "run"])
        .env("WORLD_SIZE", "2")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("RANK is not set"), "{}", said(&output));
    let ranks = start(folder, 2, &["--config", "config.toml", "--backend", "cpu", "-o", "run"]);
    for output in finish(ranks) {
        assert_eq!(output.status.code(), Some(1));
    }
}
