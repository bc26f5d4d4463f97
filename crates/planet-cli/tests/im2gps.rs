//! `planet im2gps` from the shell, on a small synthetic earth.

#[path = "support/foreign.rs"]
mod foreign;

use std::{fs, path::Path, process::Command as Process, thread, time::Duration};

use foreign::{foreign, import, planet};
use planet::{Prediction, PredictionReader};
use predicates::{prelude::PredicateBooleanExt, str::contains};

/// A folder with this many synthetic photos, in `photos`.
fn drawn(photos: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    planet(folder.path())
        .args(["world", "draw", "--photos", photos, "--size", "64", "-o", "photos"])
        .assert()
        .success();
    folder
}

const INDEX: [&str; 5] = ["im2gps", "index", "photos/manifest.parquet", "-o", "photos.index"];

fn predictions(folder: &Path, name: &str) -> Vec<Prediction> {
    let reader = PredictionReader::open(&folder.join(name), None).expect("a file");
    reader.collect::<Result<_, _>>().expect("predictions")
}

#[test]
fn photos_of_the_index_are_found_again_and_so_are_larger_pictures_of_the_same_scenes() {
    let folder = drawn("200");
    let folder = folder.path();
    planet(folder)
        .args(INDEX)
        .args(["--version", "2008"])
        .assert()
        .success()
        .stdout(contains("photos      200").and(contains("textons     512")));
    planet(folder)
        .args(["im2gps", "locate", "photos/manifest.parquet", "--index", "photos.index"])
        .args(["--answer", "nearest", "--no-names", "-o", "own.jsonl", "--map", "own.svg"])
        .assert()
        .success();
    let own = predictions(folder, "own.jsonl");
    assert_eq!(own.len(), 200);
    for prediction in &own {
        assert_eq!(prediction.best().expect("an answer").probability, Some(1.0));
        assert!(prediction.distance().expect("both known").km() < 1.0, "{prediction:?}");
    }
    assert!(fs::read_to_string(folder.join("own.svg")).expect("a map").starts_with("<svg"));

    // The same photos, larger: other pixels of the same scenes.
    planet(folder)
        .args(["world", "draw", "--photos", "60", "--size", "96", "-o", "larger"])
        .assert()
        .success();
    let locate = ["im2gps", "locate", "larger/manifest.parquet", "--index", "photos.index"];
    planet(folder)
        .args(locate)
        .args(["--answer", "nearest", "--no-names", "-o", "nearest.jsonl"])
        .assert()
        .success();
    let is_found = |it: &&Prediction| it.distance().expect("both known").km() < 1.0;
    let found = predictions(folder, "nearest.jsonl").iter().filter(is_found).count();
    assert!(found >= 50, "{found} of 60 photos are found again");

    planet(folder)
        .args(locate)
        .args(["--bandwidth", "500", "--top", "1000", "--no-names", "-o", "clusters.jsonl"])
        .assert()
        .success();
    for prediction in predictions(folder, "clusters.jsonl") {
        let shares = || prediction.candidates.iter().filter_map(|it| it.probability);
        assert!((shares().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!(shares().is_sorted_by(|a, b| a >= b));
        // Shares of 120 neighbours.
        assert!(shares().all(|it| ((120.0 * it).round() - 120.0 * it).abs() < 1e-3));
    }
}

#[test]
fn one_photo_has_text_and_a_map_and_an_area_limits_its_answers() {
    let folder = drawn("60");
    let folder = folder.path();
    planet(folder).args(INDEX).assert().success();
    let photo = planet_data::photos_below(&folder.join("photos")).expect("photos")[0].clone();
    let locate = ["im2gps", "locate", &photo, "--index", "photos.index"];
    planet(folder)
        .args(locate)
        .args(["--map", "one.svg"])
        .assert()
        .success()
        .stdout(contains("%").and(contains("position in file")));
    // 60 similar photos, and more: answers, the photo's own position, the legend.
    let map = fs::read_to_string(folder.join("one.svg")).expect("a map");
    assert!(map.matches("<circle").count() > 60);
    planet(folder)
        .args(locate)
        .args(["--within", "-90,-180,0,180", "-o", "south.jsonl"])
        .assert()
        .success();
    let south = predictions(folder, "south.jsonl");
    assert!(south[0].candidates.iter().all(|it| it.position.lat() < 0.0), "{south:?}");
    planet(folder)
        .args(locate)
        .args(["--within", "-90,-1,-89,1"])
        .assert()
        .failure()
        .stderr(contains("choose a larger area"));
}

#[test]
fn an_index_that_is_cut_off_changed_or_none_is_refused_with_the_cure() {
    let folder = drawn("8");
    let folder = folder.path();
    planet(folder).args(INDEX).assert().success();
    let whole = fs::read(folder.join("photos.index")).expect("an index");
    let refused = |bytes: &[u8], what: &str| {
        fs::write(folder.join("bad.index"), bytes).expect("written");
        planet(folder)
            .args(["im2gps", "locate", "photos", "--index", "bad.index"])
            .assert()
            .code(1)
            .stderr(contains(what).and(contains("planet im2gps index")));
    };
    refused(&whole[..whole.len() - 1], "cut off");
    refused(&whole[..100], "cut off");
    refused(b"", "not an index");
    refused(b"not an index at all", "not an index");
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    refused(&changed, "does not match its hash");
    let mut newer = whole.clone();
    newer[16] = 9;
    refused(&newer, "format 9");
    // The year of the method.
    let mut other = whole.clone();
    other[20..24].copy_from_slice(&2031u32.to_le_bytes());
    refused(&other, "the version 2031 of the method");
    other[20..24].copy_from_slice(&2014u32.to_le_bytes());
    refused(&other, "does not match its hash");
    // What stands there is not replaced unasked.
    planet(folder).args(INDEX).assert().code(1).stderr(contains("--overwrite"));
    planet(folder)
        .args(["im2gps", "index", "photos/manifest.parquet", "-o", "photos.index.gz"])
        .assert()
        .code(2)
        .stderr(contains("cannot be compressed"));
}

#[test]
fn photos_that_cannot_be_read_or_have_no_position_are_counted_and_named() {
    let folder = drawn("12");
    let folder = folder.path();
    let photos = planet_data::photos_below(&folder.join("photos")).expect("photos");
    fs::write(folder.join(&photos[3]), b"no photo").expect("written");
    let mut manifest = planet_data::Manifest::load(
        &planet_data::table::TableSource::parse(
            &folder.join("photos/manifest.parquet").to_string_lossy(),
        ),
        None,
    )
    .expect("a manifest");
    manifest.records[7].position = None;
    manifest.save(&folder.join("photos/some.csv")).expect("written");
    let index = ["im2gps", "index", "photos/some.csv", "-o", "some.index"];
    planet(folder)
        .args(index)
        .args(["--problems", "problems.csv"])
        .assert()
        .success()
        .stdout(contains("photos      10").and(contains("unplaced    1")))
        .stderr(contains("skipped: "));
    let problems = fs::read_to_string(folder.join("problems.csv")).expect("a table");
    assert_eq!(problems.lines().count(), 2, "{problems}");
    // Fewer photos than neighbours, and a photo that cannot be read among those to locate.
    planet(folder)
        .args(["im2gps", "locate", "photos/some.csv", "--index", "some.index", "-o", "some.jsonl"])
        .assert()
        .success()
        .stderr(contains("1 of 12 photos have no answer"));
    for photo in &photos {
        fs::write(folder.join(photo), b"no photo").expect("written");
    }
    planet(folder)
        .args(index)
        .arg("--overwrite")
        .assert()
        .code(1)
        .stderr(contains("none of the 11 photos can be read"));
}

/// As Ctrl-C does: what is done is kept, and --resume gives what a whole run gives.
#[cfg(unix)]
#[test]
fn an_index_that_the_user_ends_is_resumed_and_equals_one_built_at_once() {
    let folder = drawn("300");
    let folder = folder.path();
    planet(folder).args(INDEX).assert().success();
    let index = ["im2gps", "index", "photos/manifest.parquet", "-o", "parts.index"];
    let child = Process::new(env!("CARGO_BIN_EXE_planet"))
        .current_dir(folder)
        .args(index)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("started");
    // The textons and the rows of one block, at least.
    let begun = || fs::metadata(folder.join("parts.index.part")).map_or(0, |it| it.len()) > 1 << 17;
    while !begun() {
        thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    assert!(Process::new("kill").args(["-INT", &pid]).status().expect("sent").success());
    let ended = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted") && said.contains("--resume"), "{said}");
    assert!(!folder.join("parts.index").exists());
    planet(folder).args(index).assert().code(1).stderr(contains("--resume"));
    planet(folder)
        .args(index)
        .args(["--resume", "--seed", "1"])
        .assert()
        .code(1)
        .stderr(contains("was written with --seed 0, not 1"));
    planet(folder)
        .args(index)
        .args(["--resume", "--version", "2014"])
        .assert()
        .code(1)
        .stderr(contains("was written with --version 2008, not 2014"));
    planet(folder)
        .args(index)
        .arg("--resume")
        .assert()
        .success()
        .stdout(contains("photos      300").and(contains("resumed")));
    let read = |name: &str| fs::read(folder.join(name)).expect("an index");
    assert!(read("parts.index") == read("photos.index"));
    assert!(!folder.join("parts.index.part").exists());
}

/// Answers follow from the index's own version, which `index` states.
#[test]
fn an_index_of_2014_locates_by_support_vector_machines_and_is_shown_on_a_page() {
    let folder = drawn("60");
    let folder = folder.path();
    planet(folder)
        .args(INDEX)
        .args(["--version", "2014"])
        .assert()
        .success()
        .stdout(contains("version     2014").and(contains("words       ")));
    let locate = ["im2gps", "locate", "photos/manifest.parquet", "--index", "photos.index"];
    let located = |answer: &[&str], output: &str| {
        let more = ["--no-names", "--bandwidth", "1500", "-o", output];
        planet(folder).args(locate).args(answer).args(more).assert().success();
        predictions(folder, output)
    };
    let by_default = located(&[], "default.jsonl");
    assert_eq!(by_default, located(&["--answer", "svm"], "svm.jsonl"));
    assert_ne!(by_default, located(&["--answer", "clusters"], "clusters.jsonl"));
    for prediction in &by_default {
        let shares = || prediction.candidates.iter().filter_map(|it| it.probability);
        assert!(shares().count() > 0 && shares().all(|it| (0.0..=1.0).contains(&it)));
        assert!(shares().is_sorted_by(|a, b| a >= b));
    }
    // The photos of the index themselves.
    let nearest = located(&["--answer", "nearest"], "nearest.jsonl");
    assert!(nearest.iter().all(|it| it.distance().expect("both known").km() < 1.0));

    // A photo that cannot be read is on the page too.
    let photos = planet_data::photos_below(&folder.join("photos")).expect("photos");
    fs::write(folder.join(&photos[1]), b"no photo").expect("written");
    planet(folder)
        .args(["im2gps", "locate", &photos[0], &photos[1], "--index", "photos.index"])
        .args(["--page", "page.html"])
        .assert()
        .success();
    let page = fs::read_to_string(folder.join("page.html")).expect("a page");
    // A photo with ten that are similar, unless the unreadable one is among them; a map.
    assert!(page.matches("data:image/jpeg").count() >= 10, "{}", page.len());
    assert_eq!(page.matches("data:image/png").count(), 1);
    for name in ["most similar photo: ", "largest cluster: ", "support vector machines: "] {
        assert_eq!(page.matches(name).count(), 1, "{name}");
    }
    assert!(page.contains("km away") && !page.contains("http"));
}

#[test]
fn an_evaluation_states_the_accuracy_of_an_index_on_the_same_photos() {
    let folder = drawn("40");
    let folder = folder.path();
    foreign(folder, 3);
    import(folder).assert().success();
    planet(folder).args(INDEX).assert().success();
    let evaluate = ["evaluate", "--model", "model", "--dataset", "photos/manifest.parquet"];
    planet(folder)
        .args(evaluate)
        .args(["--rival", "photos.index", "--engine", "rten", "--no-photos", "-o", "report"])
        .assert()
        .success()
        .stderr(contains("kB of memory each"));
    let report = fs::read_to_string(folder.join("report/report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let rows = report["references"].as_array().expect("references");
    let within = |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name).expect(name);
        row["within"][0].as_f64().expect("a share")
    };
    // The index holds the very photos.
    assert_eq!(within("Im2GPS 2008, most similar photo"), 1.0);
    let clusters = predictions(folder, "report/rival-1-clusters.jsonl");
    assert_eq!(clusters.len(), 40);
    let within_a_km = |it: &&Prediction| it.distance().expect("both known").km() <= 1.0;
    let share = clusters.iter().filter(within_a_km).count() as f64 / 40.0;
    assert!((within("Im2GPS 2008, cluster of similar photos") - share).abs() < 1e-9);
    // By categories, and with intervals.
    let categories = fs::read_to_string(folder.join("report/categories.csv")).expect("a table");
    let header = categories.lines().next().expect("a header");
    assert!(header.contains("median km, Im2GPS 2008"), "{header}");
    let accuracy = fs::read_to_string(folder.join("report/accuracy.csv")).expect("a table");
    let mut rows = accuracy.lines().skip_while(|row| !row.contains("most similar photo"));
    assert!(rows.nth(1).expect("a row").contains("95 % interval"), "{accuracy}");

    // Several indices of all kinds, with what they cost.
    planet(folder)
        .args(["im2gps", "index", "photos/manifest.parquet", "--version", "2014"])
        .args(["-o", "later.index"])
        .assert()
        .success();
    planet(folder)
        .args(["retrieve", "index", "photos/manifest.parquet", "--model", "model"])
        .args(["--engine", "rten", "-o", "features.index"])
        .assert()
        .success();
    planet(folder)
        .args(evaluate)
        .args(["--rival", "photos.index", "--rival", "later.index", "--rival", "features.index"])
        .args(["--engine", "rten", "--no-photos", "-o", "all"])
        .assert()
        .success();
    let report = fs::read_to_string(folder.join("all/report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let rows = report["references"].as_array().expect("references");
    let name = |row: &serde_json::Value| row["name"].as_str().expect("a name").to_owned();
    let names: Vec<String> = rows.iter().map(name).collect();
    let row = |method: &str, answer: &str| {
        let is = |name: &&String| name.starts_with(method) && name.ends_with(answer);
        let name = names.iter().find(is).unwrap_or_else(|| panic!("{answer}: {names:?}"));
        rows.iter().find(|row| row["name"] == **name).expect(name)
    };
    // Each index holds the very photos.
    for (method, file) in
        [("Im2GPS 2008", "photos"), ("Im2GPS 2014", "later"), ("features of", "features")]
    {
        let row = row(method, &format!("({file}.index), most similar photo"));
        assert_eq!(row["within"][0].as_f64(), Some(1.0), "{method}");
        assert!(row["interval"].is_array(), "{row}");
        assert!(row["medians"].as_array().is_some_and(|it| !it.is_empty()));
    }
    row("Im2GPS 2014", "support vector machines");
    row("features of", "density of similar photos");
    for file in ["rival-2-svm.jsonl", "rival-3-density.jsonl", "rival-3-nearest.jsonl"] {
        assert_eq!(predictions(folder, &format!("all/{file}")).len(), 40, "{file}");
    }
    let costs = report["costs"].as_array().expect("costs");
    assert_eq!(costs.len(), 4);
    for cost in &costs[..3] {
        assert_eq!(cost["photos"], 40);
        let number = |name: &str| cost[name].as_f64().expect(name);
        assert!(number("bytes") + 1.0 >= 40.0 * number("bytes_per_photo"), "{cost}");
        assert!(number("seconds") > 0.0 && number("search_seconds") > 0.0, "{cost}");
    }
    assert!(costs[3]["photos"].is_null() && costs[3]["bytes"].as_u64() > Some(0));
    let costs = fs::read_to_string(folder.join("all/costs.csv")).expect("a table");
    assert!(costs.contains("91 million photos") && costs.contains("this model"), "{costs}");
}
