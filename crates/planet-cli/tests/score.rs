//! Scoring by the shell, held against a scorer of its own (golden/make_score.py).

use std::{fs, path::Path};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};
use serde_json::Value;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    folder
}

fn json(command: &mut Command) -> Value {
    let output = command.assert().success().get_output().stdout.clone();
    serde_json::from_slice(&output).expect("JSON on standard output")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn assert_close(found: &Value, wanted: &Value, what: &str) {
    match (found, wanted) {
        (Value::Array(found), Value::Array(wanted)) => {
            assert_eq!(found.len(), wanted.len(), "{what}");
            found.iter().zip(wanted).for_each(|(found, wanted)| assert_close(found, wanted, what));
        }
        _ => {
            let (found, wanted) = (number(found), number(wanted));
            // Errors are kept as f32, positions to a centimetre.
            assert!(
                (found - wanted).abs() <= 1e-6 * wanted.abs() + 2e-5,
                "{what}: {found}, {wanted}"
            );
        }
    }
}

#[test]
fn every_figure_is_that_of_another_scorer() {
    let expected = fs::read_to_string(format!("{GOLDEN}/score-expected.json")).expect("golden");
    let expected: Value = serde_json::from_str(&expected).expect("JSON");
    for measure in ["haversine", "geodesic"] {
        let report = json(
            planet(Path::new(GOLDEN))
                .args(["score", "--predictions", "score-predictions.csv", "--json"])
                .args(["--truth", "score-truth.csv", "--distance", measure]),
        );
        let (score, wanted) = (&report["score"], &expected[measure]);
        assert_eq!(score["counts"], expected["counts"]);
        for figure in ["within", "quartiles_km", "mean_km", "geoscore"] {
            assert_close(&score[figure], &wanted[figure], figure);
        }
        for category in score["categories"].as_array().expect("categories") {
            let name = category["name"].as_str().expect("a name");
            assert_close(&category["median_km"], &wanted["category_median_km"][name], name);
        }
        let (interval, share) = (&score["within_interval"][4], number(&score["within"][0][4]));
        assert!(number(&interval["low"]) < share && share < number(&interval["high"]));
    }
}

#[test]
fn a_report_is_one_page_with_its_figures_and_tables_beside_it() {
    let folder = folder_with(&[]);
    let report = folder.path().join("report");
    planet(Path::new(GOLDEN))
        .args(["score", "--predictions", "score-predictions.csv", "--truth", "score-truth.csv"])
        .args(["--set", "im2gps", "--countries", "-o"])
        .arg(&report)
        .assert()
        .success()
        .stdout(contains("first answer").and(contains("PlaNet, 6.2 M photos")));
    let page = fs::read_to_string(report.join("index.html")).expect("a page");
    for part in ["<svg", "By category", "Countries", "Weyand et al. 2016", "data:image/png"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org").count()
    );
    for file in ["report.json", "tables.md", "accuracy.csv", "categories.csv", "confusion.csv"] {
        assert!(report.join(file).is_file(), "{file}");
    }
}

#[test]
fn predictions_may_bring_their_own_truth() {
    let folder = folder_with(&[(
        "theirs.csv",
        "img_id,gt_lat,predicted_lat,gt_long,predicted_long,great_circle_distance\n\
         a,0,0,0,0,0\nb,0,0,0,1,111.2\n",
    )]);
    let report =
        json(planet(folder.path()).args(["score", "--predictions", "theirs.csv", "--json"]));
    assert_close(
        &report["score"]["within"][0],
        &serde_json::json!([0.5, 0.5, 1.0, 1.0, 1.0]),
        "within",
    );
}

#[test]
fn an_empty_join_is_an_error_that_names_the_nearest_id() {
    let folder = folder_with(&[
        ("truth.csv", "photo,lat,lng\nholiday/a.jpg,1,1\nholiday/b.jpg,2,2\n"),
        ("found.csv", "img_id,p_key,pred_class,pred_lat,pred_lng\nb.jpg,0,1,1,1\n"),
        ("none.csv", "img_id,p_key,pred_class,pred_lat,pred_lng\n"),
        ("bad.csv", "img_id,p_key,pred_class,pred_lat,pred_lng\nb.jpg,0,1,91,1\n"),
        ("odd.csv", "name,x\nb.jpg,0\n"),
        ("far.csv", "photo,lat,lng\na,1,181.5.2\n"),
    ]);
    let score = |predictions: &str, truth: &str| {
        let mut command = planet(folder.path());
        command.args(["score", "--predictions", predictions, "--truth", truth]);
        command
    };
    score("found.csv", "truth.csv").assert().code(1).stderr(
        contains("truth.csv contains no photo of found.csv").and(contains("holiday/b.jpg")),
    );
    score("none.csv", "truth.csv").assert().code(1).stderr(contains("has no predictions"));
    score("bad.csv", "truth.csv")
        .assert()
        .code(1)
        .stderr(contains("bad.csv:2").and(contains("91")));
    score("odd.csv", "truth.csv").assert().code(1).stderr(contains("photo's id"));
    score("found.csv", "far.csv").assert().code(1).stderr(contains("far.csv:2"));
    planet(folder.path())
        .args(["score", "--predictions", "found.csv"])
        .assert()
        .code(1)
        .stderr(contains("--truth"));
}

#[test]
fn two_systems_are_compared_on_the_same_photos() {
    let header = "img_id,gt_lat,predicted_lat,gt_long,predicted_long\n";
    let row = |photo: usize, off: f64| format!("{photo},0,{off},0,0\n");
    let a: String =
        (0..200).map(|photo| row(photo, if photo < 120 { 0.1 } else { 40.0 })).collect();
    let b: String =
        (0..200).rev().map(|photo| row(photo, if photo < 20 { 0.1 } else { 40.0 })).collect();
    let folder =
        folder_with(&[("a.csv", &format!("{header}{a}")), ("b.csv", &format!("{header}{b}"))]);
    let comparison =
        json(planet(folder.path()).args(["score", "compare", "a.csv", "b.csv", "--json"]));
    let city = &comparison["scales"][1];
    assert_eq!((&comparison["photos"], &city["only_a"]), (&200.into(), &100.into()));
    assert_close(&city["difference"], &0.5.into(), "difference");
    let (low, high) = (number(&city["interval"]["low"]), number(&city["interval"]["high"]));
    assert!((0.40..0.46).contains(&low) && (0.54..0.60).contains(&high), "{low} {high}");
    planet(folder.path()).args(["score", "compare", "a.csv", "b.csv"]).assert().success().stdout(
        contains("+50.0").and(contains(
            "200 photos in both. The answer of A is nearer for 100, that of B for 0",
        )),
    );
}

#[test]
fn people_play_against_a_model() {
    let folder = folder_with(&[
        ("truth.csv", "photo,lat,lng\na,0,0\nb,0,0\nc,0,0\n"),
        ("model.csv", "img_id,p_key,pred_class,pred_lat,pred_lng\na,0,,1,0\nb,0,,9,0\nc,0,,2,0\n"),
        ("people.csv", "photo,lat,lng,player\na,5,0,ann\nb,5,0,ann\nc,,,bob\n"),
    ]);
    let score_match = || {
        let mut command = planet(folder.path());
        command.args(["score", "match", "--predictions", "model.csv", "--truth", "truth.csv"]);
        command.args(["--people", "people.csv"]);
        command
    };
    score_match()
        .args(["-o", "match"])
        .assert()
        .success()
        .stdout(contains("rounds won, of 3").and(contains("222.4")));
    let page = fs::read_to_string(folder.path().join("match/index.html")).expect("a page");
    assert!(page.contains("% of rounds within"));
    let result = json(score_match().arg("--json"));
    assert_eq!((&result["model_won"], &result["people_won"]), (&2.into(), &1.into()));
    planet(folder.path())
        .args(["score", "match", "--predictions", "model.csv", "--people", "people.csv"])
        .assert()
        .code(1)
        .stderr(contains("the true position of a is unknown"));
}

#[test]
fn a_summary_behind_the_rows_is_named_counted_and_with_strict_refused() {
    let summary = "img_id,p_key,pred_class,pred_lat,pred_lng\na,0,1,1,1\nb,0,1,2,2\n\n\
                   accuracy within 25 km,0.5\nmedian error: 12 km\nmean,x,,0.1,y\n";
    let folder = folder_with(&[
        ("found.csv", summary),
        ("truth.csv", "id,lat,lng\na,1,1\nb,3,3\nc,4,4\n"),
        (
            "lines.jsonl",
            "{\"photo\":\"a\",\"predictions\":[{\"lat\":1,\"lng\":1}]}\n\n{\"mean_km\":3}\n",
        ),
    ]);
    let score = ["score", "--truth", "truth.csv", "--predictions"];
    planet(folder.path())
        .args(score)
        .args(["found.csv", "--problems", "p.csv"])
        .assert()
        .success()
        .stdout(contains("3 photos"))
        .stderr(contains("skipped: found.csv:5: the row has 2 cells"))
        .stderr(contains("skipped: found.csv:6: the row has 1 cells"))
        .stderr(contains("skipped: found.csv:7: p_key 'x' is not a rank"))
        .stderr(contains("unknown").not());
    let list = fs::read_to_string(folder.path().join("p.csv")).expect("written");
    assert_eq!(list.lines().count(), 4, "{list}");
    planet(folder.path()).args(score).args(["found.csv", "--strict"]).assert().code(1);
    planet(folder.path())
        .args(score)
        .arg("lines.jsonl")
        .assert()
        .success()
        .stderr(contains("skipped: lines.jsonl:3: missing field `photo`"));
    planet(folder.path()).args(score).args(["lines.jsonl", "--strict"]).assert().code(1);
    planet(folder.path())
        .args(["score", "compare", "found.csv", "lines.jsonl", "--truth", "truth.csv"])
        .assert()
        .success()
        .stderr(contains("found.csv:5").and(contains("lines.jsonl:3")));
}

#[test]
fn a_wrong_row_takes_nothing_from_the_photo_before_it() {
    let folder = folder_with(&[
        (
            "found.csv",
            "img_id,p_key,pred_class,pred_lat,pred_lng\na,0,1,9,9\na,1,1,91,1\na,2,1,1,1\nb,0,1,2,2\n",
        ),
        ("truth.csv", "id,lat,lng\na,1,1\nb,2,2\n"),
    ]);
    let score = json(planet(folder.path()).args([
        "score",
        "--predictions",
        "found.csv",
        "--truth",
        "truth.csv",
        "--json",
    ]));
    let counts = &score["score"]["counts"];
    assert_eq!((&counts["located"], &counts["doubled"]), (&2.into(), &0.into()), "{counts}");
    assert_eq!(score["score"]["within"][4][0], 1.0, "the third answer is the right one");
}

#[test]
fn the_best_of_more_answers_is_shown_where_there_are_more() {
    let one = "img_id,p_key,pred_class,pred_lat,pred_lng\na,0,1,1,1\nb,0,1,2,2\n";
    let three =
        "img_id,p_key,pred_class,pred_lat,pred_lng\na,0,1,1,1\nb,0,1,2,2\nb,1,,3,3\nb,2,,3,4\n";
    let folder = folder_with(&[
        ("one.csv", one),
        ("three.csv", three),
        ("truth.csv", "id,lat,lng\na,1,1\nb,3,3\n"),
    ]);
    let score = |file| {
        planet(folder.path())
            .args(["score", "--truth", "truth.csv", "--predictions", file])
            .assert()
            .success()
    };
    score("one.csv").stdout(contains("first answer").and(contains("best of").not()));
    score("three.csv")
        .stdout(contains("best of 2").and(contains("best of 3")).and(contains("best of 4").not()));
}
