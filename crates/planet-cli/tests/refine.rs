//! `--refine` of `planet locate` and `planet evaluate`: positions within cells by similar photos.

#[path = "support/foreign.rs"]
mod foreign;

use std::{collections::HashMap, fs, path::Path};

use foreign::{foreign, import, planet};
use planet_data::{Manifest, table::TableSource};
use predicates::str::contains;
use serde_json::Value;

/// A package of random weights over three cells that hold most photos, drawn photos, and an index
/// of them.
fn prepare() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    foreign(folder.path(), 3);
    // Faces of the cube: America, Africa with Europe's south, Asia's south.
    let cells = "# format=planet-partition-1\n# scheme=adaptive\n# point=mean\n\
                 cell,photos,lat,lng,centre_lat,centre_lng\n\
                 9,9,40.0,-80.0,0.0,-90.0\n1,9,41.9,12.5,0.0,0.0\n3,9,28.6,77.2,0.0,90.0\n";
    fs::write(folder.path().join("gallery.csv"), cells).expect("cells");
    import(folder.path()).assert().success();
    planet(folder.path())
        .args(["world", "draw", "--photos", "12", "--size", "64", "-o", "photos"])
        .assert()
        .success();
    planet(folder.path())
        .args(["retrieve", "index", "photos/manifest.parquet", "--model", "model"])
        .args(["--engine", "rten", "-o", "index"])
        .assert()
        .success();
    folder
}

fn locate(folder: &Path, more: &[&str]) -> Vec<Value> {
    let output = planet(folder)
        .args(["locate", "photos/manifest.parquet", "--model", "model", "--engine", "rten"])
        .args(["--format", "jsonl"])
        .args(more)
        .assert()
        .success();
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_refined_answer_is_the_position_of_another_photo_in_one_of_the_cells() {
    let folder = prepare();
    let folder = folder.path();
    let source = folder.join("photos/manifest.parquet");
    let source = TableSource::parse(&source.to_string_lossy());
    let manifest = Manifest::load(&source, None).expect("a manifest");
    let positions: HashMap<String, [f64; 2]> = manifest
        .records
        .iter()
        .filter_map(|it| Some((it.photo.clone(), it.position.map(|at| [at.lat(), at.lng()])?)))
        .collect();
    let (plain, refined) = (locate(folder, &[]), locate(folder, &["--refine", "index"]));
    assert_eq!(plain.len(), 12);
    let mut moved = 0;
    for (plain, refined) in plain.iter().zip(&refined) {
        assert!(refined["embedding"].is_null(), "it was not asked for");
        let photo = refined["photo"].as_str().expect("a name");
        let at = |line: &Value| {
            let best = &line["predictions"][0];
            [&best["lat"], &best["lng"]].map(|it| it.as_f64().expect("degrees"))
        };
        let found = at(refined);
        let close = |other: &[f64; 2]| (0..2).all(|axis| (other[axis] - found[axis]).abs() < 1e-4);
        let of: Vec<&String> =
            positions.iter().filter(|(_, it)| close(it)).map(|(name, _)| name).collect();
        assert!(!of.is_empty(), "{photo}: {found:?} is no photo's position");
        assert!(of.iter().any(|name| *name != photo), "{photo} found itself");
        moved += usize::from(at(plain) != found);
    }
    assert_eq!(moved, 12);
}

#[test]
fn evaluate_shows_the_refined_row_beside_its_own() {
    let folder = prepare();
    planet(folder.path())
        .args(["evaluate", "--model", "model", "--dataset", "photos/manifest.parquet"])
        .args(["--engine", "rten", "--refine", "index", "--spread", "25", "-o", "report"])
        .assert()
        .success();
    let tables = fs::read_to_string(folder.path().join("report/tables.md")).expect("tables");
    assert!(tables.contains("refined by similar photos"), "{tables}");
}

#[test]
fn an_index_that_needs_more_than_the_embedding_is_refused_with_the_cure() {
    let folder = prepare();
    planet(folder.path())
        .args(["retrieve", "index", "photos/manifest.parquet", "--model", "model"])
        .args(["--engine", "rten", "--views", "sixteen", "-o", "views"])
        .assert()
        .success();
    planet(folder.path())
        .args(["locate", "photos/manifest.parquet", "--model", "model", "--refine", "views"])
        .assert()
        .failure()
        .code(2)
        .stderr(contains("--views whole"));
}

/// What `evaluate` says about 12 other photos with this spread, in percent.
fn refined(folder: &Path, spread: &str) -> Vec<String> {
    let report = format!("report-{spread}");
    planet(folder)
        .args(["evaluate", "--model", "model", "--dataset", "others/manifest.parquet"])
        .args(["--engine", "rten", "--no-photos", "--refine", "index"])
        .args(["--spread", spread, "-o", &report])
        .assert()
        .success();
    let tables = fs::read_to_string(folder.join(report).join("tables.md")).expect("tables");
    let row = tables.lines().find(|line| line.contains("refined by similar photos"));
    let cells = row.expect("a row").split('|').map(str::trim);
    cells.filter(|cell| cell.parse::<f64>().is_ok()).take(5).map(str::to_owned).collect()
}

#[test]
fn the_spread_is_chosen_on_other_photos_by_how_many_answers_are_near() {
    let folder = prepare();
    let folder = folder.path();
    planet(folder)
        .args(["world", "draw", "--photos", "12", "--size", "64", "--seed", "5", "-o", "others"])
        .assert()
        .success();
    let output = planet(folder)
        .args(["locate", "photos/manifest.parquet", "--model", "model", "--engine", "rten"])
        .args(["--refine", "index", "--spread-photos", "others/manifest.parquet"])
        .assert()
        .success();
    let said = String::from_utf8_lossy(&output.get_output().stderr).into_owned();
    let rows: Vec<Vec<&str>> = said
        .lines()
        .filter_map(|line| line.trim_start().split_once(" km "))
        .map(|(spread, rest)| [spread].into_iter().chain(rest.split_whitespace()).collect())
        .collect();
    assert_eq!(rows.iter().filter(|row| row.last() == Some(&"chosen")).count(), 1, "{said}");
    for spread in ["1", "25"] {
        let row = rows.iter().find(|row| row[0] == spread).expect("tried");
        assert_eq!(row[1..6], refined(folder, spread), "{said}");
    }
    let sum =
        |row: &Vec<&str>| row[1..6].iter().map(|it| it.parse::<f64>().unwrap_or(0.0)).sum::<f64>();
    let chosen = rows.iter().find(|row| row.last() == Some(&"chosen")).expect("one");
    assert!(rows.iter().all(|row| sum(row) <= sum(chosen) + 0.3), "{said}");
}

#[test]
fn a_spread_is_given_or_chosen_but_not_both() {
    let folder = prepare();
    planet(folder.path())
        .args(["locate", "photos/manifest.parquet", "--model", "model", "--refine", "index"])
        .args(["--spread", "5", "--spread-photos", "photos/manifest.parquet"])
        .assert()
        .failure()
        .code(2)
        .stderr(contains("cannot be used with"));
}
