//! `planet locate --shard I/N`: a part of the photos, for a job of its own.

#[path = "support/foreign.rs"]
mod foreign;

use std::{fs, path::Path};

use foreign::{foreign, import, planet};
use predicates::str::contains;

/// Seven photos, of which one cannot be read, and a model of random weights.
fn prepare() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    foreign(folder.path(), 3);
    import(folder.path()).assert().success();
    planet(folder.path())
        .args(["world", "draw", "--photos", "6", "--size", "64", "-o", "photos"])
        .assert()
        .success();
    fs::write(folder.path().join("photos/poisoned.jpg"), b"no photo").expect("written");
    folder
}

fn rows(folder: &Path, shard: &str) -> Vec<String> {
    let name = format!("{}.jsonl", shard.replace('/', "-of-"));
    planet(folder)
        .args(["locate", "photos", "--model", "model", "--engine", "rten"])
        .args(["--shard", shard, "-o", &name])
        .assert()
        .success();
    let text = fs::read_to_string(folder.join(name)).expect("written");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn any_number_of_shards_gives_the_same_rows() {
    let folder = prepare();
    let whole = rows(folder.path(), "1/1");
    assert_eq!(whole.len(), 7);
    // With nine shards, two have no photo; a shard whose only photo is poisoned is no failure.
    for shards in [2, 3, 9] {
        let parts: Vec<Vec<String>> =
            (1..=shards).map(|index| rows(folder.path(), &format!("{index}/{shards}"))).collect();
        let row = |at: usize| parts[at % shards][at / shards].clone();
        assert_eq!((0..7).map(row).collect::<Vec<_>>(), whole, "{shards} shards");
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 7, "{shards} shards");
    }
}

#[test]
fn a_shard_in_parquet_is_whole_or_absent() {
    let folder = prepare();
    let locate = |shard: &str| {
        let mut command = planet(folder.path());
        command.args(["locate", "photos", "--model", "model", "--engine", "rten"]);
        command.args(["--shard", shard, "-o", "part.parquet"]);
        command
    };
    locate("1/2").assert().success();
    let bytes = fs::read(folder.path().join("part.parquet")).expect("written");
    assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
    locate("1/2").assert().failure().stderr(contains("already exists"));
    locate("3/2").assert().code(2).stderr(contains("I within 1..=N"));
}
