//! `planet explain` from the shell, and the maps in the report of `planet evaluate`.

#[path = "support/foreign.rs"]
mod foreign;

use std::{fs, path::Path};

use assert_cmd::assert::Assert;
use foreign::{foreign, import, planet};
use predicates::{prelude::PredicateBooleanExt, str::contains};

/// A package of random weights over three cells, and synthetic photos.
fn prepare(photos: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    foreign(folder.path(), 3);
    // Faces of the cube: America, Africa with Europe's south, Asia's south.
    let cells = "# format=planet-partition-1\n# scheme=adaptive\n# point=mean\n\
                 cell,photos,lat,lng,centre_lat,centre_lng\n\
                 9,9,40.0,-80.0,0.0,-90.0\n1,9,41.9,12.5,0.0,0.0\n3,9,28.6,77.2,0.0,90.0\n";
    fs::write(folder.path().join("gallery.csv"), cells).expect("cells");
    import(folder.path()).assert().success();
    planet(folder.path())
        .args(["world", "draw", "--photos", photos, "--size", "64", "-o", "photos"])
        .assert()
        .success();
    folder
}

fn explain(folder: &Path, photos: &[&str], more: &[&str]) -> Assert {
    planet(folder)
        .arg("explain")
        .args(photos)
        .args(["--model", "model", "--engine", "rten", "--stride", "0.2"])
        .args(more)
        .assert()
}

fn photos(folder: &Path) -> Vec<String> {
    planet_data::photos_below(&folder.join("photos")).expect("photos")
}

fn json(folder: &Path, name: &str) -> serde_json::Value {
    let text = fs::read_to_string(folder.join(name)).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_kind_of_file_is_written_and_several_photos_have_numbered_pictures() {
    let folder = prepare("2");
    let folder = folder.path();
    let photos = photos(folder);
    let [first, second] = [photos[0].as_str(), photos[1].as_str()];
    let read = |name: &str| fs::read(folder.join(name)).expect("a picture");
    let best = |file| ["--target", "best", "-o", file];
    explain(folder, &[first], &best("why.png"))
        .success()
        .stderr(contains("1 photos, at most").and(contains("passes each")));
    assert!(read("why.png").starts_with(b"\x89PNG"));
    explain(folder, &[first], &best("why.svg")).success();
    let svg = String::from_utf8(read("why.svg")).expect("text");
    assert!(svg.starts_with("<svg") && svg.contains("href=\"data:image/jpeg"), "{}", &svg[..200]);
    explain(folder, &[first, second], &best("why.html")).success();
    let page = String::from_utf8(read("why.html")).expect("text");
    assert!(page.contains("type=\"range\"") && page.matches("<h2>").count() == 2);
    explain(folder, &[first, second], &best("both.png")).success();
    assert_eq!(read("both-1.png"), read("why.png"), "a photo's map depends on no other photo");
    assert!(read("both-2.png").starts_with(b"\x89PNG") && !folder.join("both.png").exists());

    explain(folder, &[first, second], &best("why.json")).success();
    let maps = json(folder, "why.json");
    assert_eq!(maps.as_array().map(Vec::len), Some(2));
    let map = &maps[0];
    let (rows, columns) = (map["rows"].as_u64(), map["columns"].as_u64());
    assert_eq!((rows, columns), (map["height"].as_u64(), map["width"].as_u64()));
    let whole = map["probability"].as_f64().expect("a share");
    let boxes = map["boxes"].as_array().expect("boxes");
    assert_eq!(map["passes"].as_u64(), Some(1 + boxes.len() as u64));
    // The pixel in the corner is hidden by the first box alone.
    let corner = map["values"][0][0].as_f64().expect("a share");
    assert!((corner - boxes[0]["cell"].as_f64().expect("a share")).abs() < 1e-6);
    assert!(0.0 < whole && whole < 1.0);
}

#[test]
fn every_kind_of_target_is_watched() {
    let folder = prepare("12");
    let folder = folder.path();
    let target = |target: &[&str], file: &str| {
        explain(folder, &["photos/manifest.parquet"], &[target, &["-o", file]].concat()).success();
        json(folder, file)
    };
    let all = |maps: &serde_json::Value, test: &dyn Fn(&serde_json::Value) -> bool| {
        let maps = maps.as_array().expect("a list");
        assert_eq!(maps.len(), 12);
        let found: Vec<_> = maps.iter().filter(|map| map.get("error").is_none()).collect();
        assert!(found.len() > 6 && found.iter().all(|map| test(map)), "{found:?}");
    };
    let position = target(&["--target", "41.9,12.5"], "position.json");
    all(&position, &|map| map["position"] == serde_json::json!([41.9, 12.5]));
    let cell = target(&["--target", "3"], "cell.json");
    all(&cell, &|map| map["target"].as_str().is_some_and(|name| name.starts_with("cell 3")));
    let country = target(&["--target", "IT"], "country.json");
    all(&country, &|map| map["target"] == "Italy" && map["position"].is_null());
    // Its only class has its point in Rome.
    for (country, cell) in
        country.as_array().into_iter().flatten().zip(position.as_array().into_iter().flatten())
    {
        assert_eq!(country["probability"], cell["probability"]);
    }
    all(&target(&["--target", "best"], "best.json"), &|map| map["answer"].is_string());
    let truth = target(&["--target", "truth", "--scale", "country"], "truth.json");
    all(&truth, &|map| map["scale"] == "country" && map["position"].is_array());
    let fine = target(&["--target", "best", "--fill", "blur", "--coarse-to-fine"], "fine.json");
    all(&fine, &|map| map["passes"].as_u64() > Some(0));
}

#[test]
fn whatever_has_no_map_says_why() {
    let folder = prepare("2");
    let folder = folder.path();
    let photos = photos(folder);
    let photo = photos[0].as_str();
    let fails = |photos: &[&str], more: &[&str], code: i32, what: &str| {
        explain(folder, photos, more).code(code).stderr(contains(what.to_owned()));
    };
    fails(&[photo], &["--target", "attic", "-o", "a.png"], 2, "not a target");
    fails(&[photo], &["-o", "a.gif"], 2, ".png, .svg, .html or .json");
    fails(&[photo], &["--box", "1.5", "-o", "a.png"], 2, "at most 1");
    fails(&[photo], &["--box", "0.1", "-o", "a.png"], 2, "leaves gaps");
    fails(&["nothing.jpg"], &["--target", "best", "-o", "a.png"], 1, "nothing.jpg");
    fails(&[photo], &["--target", "-80,-170", "-o", "a.png"], 1, "outside every cell");
    fails(&[photo], &["--target", "IN", "--scale", "city", "-o", "a.png"], 1, "no centre");
    fails(&[photo], &["--target", "FR", "-o", "a.png"], 1, "no class of the model");
    assert!(!folder.join("a.png").exists());

    // A graphic states no position; a strip is lower than a box; a broken file is none.
    let pixels = |width, height| {
        planet_data::Photo::from_rgb(width, height, vec![90; (3 * width * height) as usize])
    };
    let strip = planet_data::thumbnail_jpeg(&pixels(300, 4).expect("a strip"), 300);
    fs::write(folder.join("strip.jpg"), strip).expect("written");
    fs::write(folder.join("broken.jpg"), b"\xff\xd8 and no more").expect("written");
    fails(
        &["strip.jpg"],
        &["--target", "truth", "-o", "a.png"],
        1,
        "true position of the photo is unknown",
    );
    let all = ["strip.jpg", "broken.jpg", photo];
    explain(folder, &all, &["--target", "best", "-o", "a.json"])
        .success()
        .stderr(contains("broken.jpg: "));
    let maps = json(folder, "a.json");
    assert_eq!(maps[1]["photo"], "broken.jpg");
    assert!(maps[1]["error"].is_string());
    assert!(
        maps[0]["boxes"]
            .as_array()
            .is_some_and(|boxes| { !boxes.is_empty() && boxes.iter().all(|it| it["height"] == 4) })
    );
    assert!(maps[2]["values"].is_array());
}

#[test]
fn a_report_shows_what_its_most_confident_answers_rest_on() {
    let folder = prepare("60");
    let folder = folder.path();
    let evaluate = |more: &[&str]| {
        planet(folder)
            .args(["evaluate", "--model", "model", "--dataset", "photos/manifest.parquet"])
            .args(["--engine", "rten"])
            .args(more)
            .assert()
    };
    evaluate(&["-o", "plain"]).success();
    evaluate(&["--explain", "2", "-o", "explained"])
        .success()
        .stderr(contains("occlusion maps of"));
    let page = |name: &str| fs::read_to_string(folder.join(name)).expect("a page");
    let (plain, explained) = (page("plain/index.html"), page("explained/index.html"));
    let pictures = |page: &str| page.matches("data:image/jpeg").count();
    let lines = explained.matches("without it").count() + explained.matches("no part of").count();
    // Hardly any answer of random weights is right.
    assert!((2..=4).contains(&lines), "{lines}");
    assert_eq!(pictures(&explained), pictures(&plain) + lines);
    assert!(!plain.contains("without it"));
    evaluate(&["--explain", "2", "--no-photos", "-o", "none"]).code(2);
    evaluate(&["--explain", "0", "-o", "none"]).code(2);
}
