//! Classifiers with labels: `planet model import --labels`, `planet dataset enrich | filter
//! --classifier`, with a network that tells red from blue.

#[path = "support/foreign.rs"]
mod foreign;

use std::{collections::HashMap, fs, fs::File, path::Path};

use foreign::planet;
use planet_data::{Photo, thumbnail_jpeg};
use planet_net::{Array, Builder, Linear, OnnxInfo, OutputName, Shape, Weights};
use predicates::{prelude::PredicateBooleanExt, str::contains};

/// `colours.onnx`: for each photo the logits 4 (red − blue) and 4 (blue − red) of its mean colour,
/// 0..=1; and its labels.
fn classifier(folder: &Path) {
    let mut net = Builder::new("colours", Shape::image(3, [8, 8]));
    let x = net.global_average_pool("pool", net.input()).expect("a layer");
    let x = net.flatten("flatten", x).expect("a layer");
    let logits = net.linear("fc", x, Linear { inputs: 3, outputs: 2, deviation: 0.01 });
    let network = net.output(OutputName::Logits, logits.expect("a layer")).build();
    let network = network.expect("a network");
    let mut weights = Weights::initial(&network, 0);
    weights.insert("fc.weight", Array::new(vec![2, 3], vec![4.0, 0.0, -4.0, -4.0, 0.0, 4.0]));
    weights.insert("fc.bias", Array::new(vec![2], vec![0.0; 2]));
    let info = OnnxInfo { data_name: "colours.onnx.data".into(), ..OnnxInfo::default() };
    let create = |name: &str| File::create(folder.join(name)).expect("a file");
    network
        .write_onnx(&weights, &info, create("colours.onnx"), create("colours.onnx.data"))
        .expect("written");
    fs::write(folder.join("labels.txt"), "warm, red\nblue\n").expect("labels");
}

/// Red, green and blue of the photos, by name.
const PHOTOS: [(&str, [u8; 3]); 4] = [
    ("blue.jpg", [20, 80, 220]),
    ("grey.jpg", [128, 128, 128]),
    ("red.jpg", [240, 40, 10]),
    ("warm.jpg", [170, 120, 80]),
];

fn expected_red(name: &str) -> f32 {
    let (_, [red, _, blue]) = PHOTOS.into_iter().find(|it| it.0 == name).expect("a photo");
    1.0 / (1.0 + (-8.0 * (f32::from(red) - f32::from(blue)) / 255.0).exp())
}

fn import(folder: &Path, extra: &[&str]) -> assert_cmd::assert::Assert {
    planet(folder)
        .args(["model", "import", "colours.onnx", "--input-size", "8", "--engine", "rten"])
        .args(["--mean", "0,0,0", "--std", "255,255,255", "--white", "255"])
        .args(extra)
        .assert()
}

/// A folder with the package `colours`, photos, one file that is none, and their manifest `m.csv`.
fn prepare() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    classifier(at);
    import(at, &["--labels", "labels.txt", "-o", "colours"])
        .success()
        .stdout(contains("labels     2"))
        .stderr(contains("the preprocessing has not been checked"));
    fs::create_dir(at.join("photos")).expect("made");
    let mut manifest = "# root=photos\nphoto,lat,lng,mood\n".to_owned();
    for (name, colour) in PHOTOS {
        let photo = Photo::from_rgb(30, 20, colour.repeat(600)).expect("a photo");
        fs::write(at.join("photos").join(name), thumbnail_jpeg(&photo, 30)).expect("written");
        manifest += &format!("{name},48.8,2.3,calm\n");
    }
    fs::write(at.join("photos/torn.jpg"), "no photo").expect("written");
    fs::write(at.join("m.csv"), manifest + "torn.jpg,48.8,2.3,calm\n").expect("written");
    folder
}

fn dataset(folder: &Path, arguments: &str) -> assert_cmd::assert::Assert {
    planet(folder).arg("dataset").args(arguments.split(' ')).assert()
}

/// The rows of a manifest: the value of each column, by the photo's name.
fn rows(path: &Path) -> Vec<(String, HashMap<String, String>)> {
    let mut reader =
        csv::ReaderBuilder::new().comment(Some(b'#')).from_path(path).expect("a table");
    let rows = reader.deserialize::<HashMap<String, String>>();
    rows.map(|row| row.expect("a row")).map(|row| (row["photo"].clone(), row)).collect()
}

fn names(path: &Path) -> Vec<String> {
    rows(path).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn labels_and_scores_become_columns_and_photos_that_cannot_be_read_have_none() {
    let folder = prepare();
    let at = folder.path();
    planet(at)
        .args(["dataset", "enrich", "m.csv", "--classifier", "colours", "--engine", "rten"])
        .args(["--columns", "category=best-label,sure=best-score,blue"])
        .args(["--columns", "red=warm, red", "--hash", "-o", "e.csv"])
        .assert()
        .success()
        .stderr(contains("torn.jpg: ").count(1))
        .stderr(contains("1 photos cannot be read; their rows are kept"));
    let enriched = rows(&at.join("e.csv"));
    assert_eq!(enriched.len(), 5);
    for (name, row) in enriched {
        assert_eq!(row["mood"], "calm");
        if name == "torn.jpg" {
            assert!(["category", "sure", "blue", "red"].iter().all(|&it| row[it].is_empty()));
            continue;
        }
        let [red, blue, sure] = ["red", "blue", "sure"].map(|it| row[it].parse::<f32>().expect(it));
        assert!((red - expected_red(&name)).abs() < 0.03, "{name}: {red}");
        assert!((red + blue - 1.0).abs() < 1e-6 && sure == red.max(blue), "{row:?}");
        assert_eq!(row["category"], if red >= blue { "warm, red" } else { "blue" });
    }
    // A column of the same name is replaced.
    dataset(at, "enrich e.csv --classifier colours --columns blue=best-label -o f.csv").success();
    assert_eq!(rows(&at.join("f.csv"))[0].1["blue"], "blue");
}

#[test]
fn evaluation_by_a_column_of_labels_scores_each_label() {
    let folder = prepare();
    let at = folder.path();
    dataset(at, "enrich m.csv --classifier colours --columns scene=best-label -o e.csv").success();
    foreign::foreign(at, 3);
    foreign::import(at).assert().success();
    planet(at)
        .args(["evaluate", "--model", "model", "--engine", "rten", "--dataset", "e.csv"])
        .args(["--by", "scene", "--no-photos", "-o", "report"])
        .assert()
        .success()
        .stdout(contains("warm, red").and(contains("blue")));
}

#[test]
fn a_filter_by_scores_counts_keeps_the_score_and_states_what_becomes_of_unread_photos() {
    let folder = prepare();
    let at = folder.path();
    let filter = "filter m.csv --classifier colours --engine rten --reject blue>=0.6";
    dataset(at, &format!("{filter} -o f.csv"))
        .success()
        .stderr(contains("torn.jpg: "))
        .stderr(contains("4 of 5 photos kept"))
        .stderr(contains("1 photos have blue>=0.6"))
        .stderr(contains("1 photos have no blue; they were kept"));
    let filtered = rows(&at.join("f.csv"));
    let kept: Vec<&str> = filtered.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(kept, ["grey.jpg", "red.jpg", "warm.jpg", "torn.jpg"]);
    let blue: f32 = filtered[1].1["blue"].parse().expect("a score");
    assert!((1.0 - blue - expected_red("red.jpg")).abs() < 0.03);
    dataset(at, &format!("{filter} --reject-unscored --reject blue<0.01 -o g.csv"))
        .success()
        .stderr(contains("1 photos have no blue; they were removed"));
    assert_eq!(names(&at.join("g.csv")), ["grey.jpg", "warm.jpg"]);
    dataset(at, &format!("{filter} --strict -o s.csv")).code(1).stderr(contains("torn.jpg"));
    assert!(!at.join("s.csv").exists());
}

#[test]
fn scores_that_a_manifest_has_are_filtered_without_the_classifier_in_the_same_way() {
    let folder = prepare();
    let at = folder.path();
    dataset(at, "enrich m.csv --classifier colours --columns blue -o e.csv").success();
    let exact = rows(&at.join("e.csv"))[3].1["blue"].clone();
    // A threshold that is exactly a score: it counts as reached, in the same way with and without.
    let rule = format!("--reject blue>={exact}");
    dataset(at, &format!("filter e.csv {rule} -o f.csv")).success();
    dataset(at, &format!("filter m.csv --classifier colours {rule} -o g.csv")).success();
    let read = |name: &str| fs::read_to_string(at.join(name)).expect("written");
    assert_eq!(read("f.csv"), read("g.csv"));
    assert_eq!(names(&at.join("f.csv")), ["red.jpg", "torn.jpg"]);
}

#[test]
fn a_keep_list_keeps_photos_whatever_their_score_and_a_review_shows_them() {
    let folder = prepare();
    let at = folder.path();
    fs::write(at.join("keep.txt"), "blue.jpg\r\n\r\nelsewhere.jpg\n").expect("written");
    let filter = "filter m.csv --classifier colours --reject blue>=0.4 --keep-list keep.txt";
    dataset(at, &format!("{filter} --review page.html -o f.csv"))
        .success()
        .stderr(contains("4 of 5 photos kept"))
        .stderr(contains("2 photos have blue>=0.4"))
        .stderr(contains("1 photos in the keep list are not in this manifest"));
    assert_eq!(names(&at.join("f.csv")), ["blue.jpg", "red.jpg", "warm.jpg", "torn.jpg"]);
    let page = fs::read_to_string(at.join("page.html")).expect("written");
    assert!(page.contains("blue&gt;=0.4") && page.contains("2 photos match."), "{page}");
    assert!(page.contains("value=\"blue.jpg\" checked>") && page.contains("value=\"grey.jpg\">"));
    assert!(page.contains("value=\"warm.jpg\">"), "nearly matched");
    assert_eq!(page.matches("data:image/jpeg").count(), 4);
    dataset(at, &format!("{filter} --review page.html -o g.csv"))
        .code(1)
        .stderr(contains("page.html: the file already exists"));
    dataset(at, &format!("{filter} --review page.png -o g.csv")).code(2).stderr(contains(".html"));
}

#[test]
fn rules_and_columns_that_do_not_fit_are_named() {
    let folder = prepare();
    let at = folder.path();
    for (arguments, code, what) in [
        ("filter m.csv --reject blue -o f.csv", 2, "write LABEL>=0.8"),
        ("filter m.csv --reject blue>=0.5 -o f.csv", 2, "the manifest has no column 'blue'"),
        ("filter m.csv --reject mood>=0.5 -o f.csv", 1, "column mood holds 'calm'"),
        ("filter m.csv --classifier colours -o f.csv", 2, "no filter was selected"),
        ("filter m.csv --classifier colours --reject sky>=0.5 -o f.csv", 2, "'warm, red', 'blue'"),
        ("filter m.csv --keep-list labels.txt -o f.csv", 2, "--keep-list needs --reject"),
        ("filter m.csv --reject lat>=0 --keep-list none.txt -o f.csv", 1, "none.txt"),
        ("enrich m.csv --classifier colours -o f.csv", 2, "no columns of the classifier"),
        ("enrich m.csv --columns blue -o f.csv", 2, "--classifier"),
        ("enrich m.csv --classifier colours --columns sky -o f.csv", 2, "no label 'sky'"),
        ("enrich m.csv --classifier colours --columns lat=blue -o f.csv", 2, "'lat' cannot be"),
        ("enrich m.csv --classifier colours --columns blue,blue -o f.csv", 2, "two columns"),
        ("enrich m.csv --classifier nowhere --columns blue -o f.csv", 1, "is not a model package"),
    ] {
        dataset(at, arguments).code(code).stderr(contains(what));
        assert!(!at.join("f.csv").exists(), "{arguments}");
    }
}

#[test]
fn a_package_for_labels_is_shown_and_verified_and_locates_nothing() {
    let folder = prepare();
    let at = folder.path();
    let model = |arguments: &[&str]| planet(at).arg("model").args(arguments).assert();
    model(&["show", "colours"]).success().stdout(contains("label        warm, red"));
    model(&["verify", "colours", "--engine", "rten"])
        .success()
        .stdout(contains("returns scores for 2 labels"));
    for command in
        ["locate photos --model colours", "model quantize colours --calibrate m.csv -o q"]
    {
        planet(at)
            .args(command.split(' '))
            .assert()
            .code(1)
            .stderr(contains("the model gives labels, not places"));
    }
    foreign::foreign(at, 3);
    foreign::import(at).assert().success();
    dataset(at, "enrich m.csv --classifier model --columns blue -o f.csv")
        .code(1)
        .stderr(contains("model: the model gives no labels"));
    fs::write(at.join("colours/colours.onnx.data"), "cut").expect("damaged");
    model(&["verify", "colours"]).code(1).stderr(contains("colours.onnx.data: its hash is"));
}

#[test]
fn imports_of_labels_that_do_not_fit_are_refused_with_the_cure() {
    let folder = prepare();
    let at = folder.path();
    let labels = |text: &str| fs::write(at.join("labels.txt"), text).expect("written");
    let import = |extra: &str| import(at, &extra.split(' ').collect::<Vec<_>>());
    labels("red\nblue\ngreen\n");
    import("--labels labels.txt -o new")
        .code(1)
        .stderr(contains("returns 2 scores, but labels.txt has 3 labels"));
    labels("red\nred\n");
    import("--labels labels.txt -o new").code(1).stderr(contains("labels.txt:2: the label stands"));
    labels("red\nblue\n");
    import("--labels labels.txt --scores independent-logits -o new")
        .success()
        .stderr(contains("the outputs for a grey photo lie between 0 and 1"));
    import("--labels labels.txt --partition labels.txt -o other").code(2);
    import("-o other").code(2).stderr(contains("--partition"));
    fs::write(at.join("gallery.csv"), "LAT,LON\n1,2\n3,4\n").expect("written");
    import("--partition gallery.csv --scores independent-logits -o other")
        .code(2)
        .stderr(contains("exclude one another"));
    assert!(!at.join("other").exists());
    // Sigmoids of each label do not sum to 1.
    dataset(at, "enrich m.csv --classifier new --columns red,blue -o e.csv").success();
    let grey = &rows(&at.join("e.csv"))[1].1;
    let [red, blue] = ["red", "blue"].map(|name| grey[name].parse::<f32>().expect("a score"));
    assert!((red - 0.5).abs() < 0.02 && (blue - 0.5).abs() < 0.02);
}
