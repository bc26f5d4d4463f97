//! Model packages: made, opened, damaged.

use std::{fs, path::Path};

use planet::{
    LevelCalibration, ModelDraft, ModelPackage, NewPackage, PackageError, RegionCalibration,
    package::{Outputs, Provenance},
};
use planet_data::Preprocess;
use planet_geo::{CellId, Class, ClassKind, Partition, PartitionInfo};

fn partition(tokens: &[&str]) -> Partition {
    let class = |token: &&str| {
        let cell: CellId = token.parse().expect("a token of this test");
        let centre = Some(cell.centre().rounded());
        Class { kind: ClassKind::Cells(vec![cell]), photos: 7, mean: centre, centre, scatter: None }
    };
    let info = PartitionInfo { scheme: "adaptive".to_owned(), ..PartitionInfo::default() };
    Partition::new(info, tokens.iter().map(class).collect()).expect("disjoint")
}

fn draft(name: &str) -> ModelDraft {
    let scores = [("city".to_owned(), 0.25)].into();
    ModelDraft {
        name: name.to_owned(),
        architecture: "inception-mini".to_owned(),
        features: 128,
        preprocess: Preprocess::inception(128),
        outputs: Outputs::default(),
        temperature: 1.3,
        level_calibration: LevelCalibration::default(),
        region_calibration: RegionCalibration::default(),
        provenance: Provenance { version: "0.1.0".to_owned(), scores, ..Provenance::default() },
    }
}

fn make(place: &Path, name: &str) -> ModelPackage {
    let new = NewPackage::create(place).expect("begun");
    fs::write(new.folder().join("model.onnx"), b"graph").expect("written");
    fs::write(new.folder().join("model.onnx.data"), b"weights").expect("written");
    new.finish(draft(name), &partition(&["477eb1", "487604"])).expect("made")
}

#[test]
fn a_package_opens_as_it_was_made_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("model");
    let made = make(&place, "first");
    let opened = ModelPackage::open(&place).expect("sound");
    assert_eq!(opened.description(), made.description());
    assert_eq!(opened.description().classes, 2);
    assert_eq!(opened.description().temperature, 1.3);
    assert_eq!(opened.partition().fingerprint(), made.partition().fingerprint());
    assert_eq!(fs::read_dir(&folder).expect("listed").count(), 1);
    let card = fs::read_to_string(place.join("README.md")).expect("a card");
    assert!(card.starts_with("---\nlibrary_name: planet\n"), "{card}");
    assert!(card.contains("| temperature | 1.3 |"), "{card}");
    assert!(card.contains("| city | 0.2500 |"), "{card}");
}

#[test]
fn a_package_is_replaced_whole_and_other_folders_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("model");
    make(&place, "first");
    make(&place, "second");
    assert_eq!(ModelPackage::open(&place).expect("sound").description().name, "second");
    assert_eq!(fs::read_dir(&folder).expect("listed").count(), 1);
    let photos = folder.path().join("photos");
    fs::create_dir(&photos).expect("a folder");
    fs::write(photos.join("a.jpg"), b"photo").expect("written");
    assert!(matches!(NewPackage::create(&photos), Err(PackageError::Taken(_))));
    assert!(photos.join("a.jpg").is_file());
}

#[test]
fn a_changed_file_is_named() {
    for name in ["model.onnx", "model.onnx.data", "partition.csv"] {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), "m");
        fs::write(folder.path().join(name), b"changed").expect("written");
        let error = ModelPackage::open(folder.path()).expect_err("changed");
        assert!(matches!(error, PackageError::Hash { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        fs::remove_file(folder.path().join(name)).expect("removed");
        let error = ModelPackage::open(folder.path()).expect_err("missing");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn what_is_no_package_is_told_by_what_is_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = ModelPackage::open(&folder.path().join("none")).expect_err("nothing there");
    assert!(error.to_string().contains("planet export"), "{error}");
    let error = ModelPackage::open(folder.path()).expect_err("an empty folder");
    assert!(error.to_string().contains("model.json"), "{error}");
}

#[test]
fn a_description_with_senseless_values_is_refused() {
    let changes = [
        ("planet-model-1", "planet-model-9", "planet-model-1"),
        ("\"temperature\": 1.3", "\"temperature\": 0.0", "temperature 0"),
        ("\"classes\": 2", "\"classes\": 3", "2 classes, but the network has 3"),
        ("\"classes\": 2", "\"classes\": -2", "model.json"),
        ("\"model.onnx.data\":", "\"../model.onnx.data\":", "not a valid name of a file"),
        ("\"partition_fingerprint\": \"", "\"partition_fingerprint\": \"0", "fingerprint"),
    ];
    for (from, to, named) in changes {
        let folder = tempfile::tempdir().expect("a folder");
        make(folder.path(), "m");
        let path = folder.path().join("model.json");
        let text = fs::read_to_string(&path).expect("read");
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).expect("written");
        let error = ModelPackage::open(folder.path()).expect_err(to).to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn an_album_scheme_belongs_to_the_network_that_it_was_trained_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("model");
    let package = make(&place, "m");
    assert!(matches!(package.scheme("lstm"), Err(PackageError::NoScheme { .. })));
    let write = |path: &Path| fs::write(path, b"lstm");
    let package =
        NewPackage::with_scheme(&package, "lstm", "album-lstm.onnx", write).expect("added");
    let (scheme, path) = package.scheme("lstm").expect("there");
    assert_eq!(
        (scheme.file.as_str(), fs::read(path).expect("read")),
        ("album-lstm.onnx", b"lstm".to_vec())
    );
    let write = |path: &Path| fs::write(path, b"better");
    let package =
        NewPackage::with_scheme(&package, "lstm", "album-lstm.onnx", write).expect("replaced");
    assert_eq!(package.description().schemes.len(), 1);

    let path = place.join("model.json");
    let text = fs::read_to_string(&path).expect("read");
    let network = package.description().network_hash();
    fs::write(&path, text.replace(&network, "0123")).expect("written");
    let package = ModelPackage::open(&place).expect("sound but for the scheme");
    assert!(matches!(package.scheme("lstm"), Err(PackageError::OtherNetwork { .. })));
}

#[test]
fn another_programs_model_json_and_files_added_to_a_package_are_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("tfjs");
    fs::create_dir(&place).expect("a folder");
    fs::write(place.join("model.json"), b"{\"format\": \"layers-model\"}").expect("written");
    fs::write(place.join("weights.bin"), b"theirs").expect("written");
    assert!(matches!(NewPackage::create(&place), Err(PackageError::Taken(_))));
    assert!(place.join("weights.bin").is_file());

    let place = folder.path().join("model");
    let package = make(&place, "m");
    fs::write(place.join("notes.txt"), b"mine").expect("written");
    let error = NewPackage::create(&place).expect_err("refused").to_string();
    assert!(error.contains("notes.txt"), "{error}");
    let write = |path: &Path| fs::write(path, b"lstm");
    let error = NewPackage::with_scheme(&package, "lstm", "album-lstm.onnx", write)
        .expect_err("refused")
        .to_string();
    assert!(error.contains("notes.txt"), "{error}");
    assert_eq!(fs::read(place.join("notes.txt")).expect("kept"), b"mine");

    fs::remove_file(place.join("notes.txt")).expect("removed");
    fs::write(place.join("README.md"), b"my own card").expect("written");
    let error = NewPackage::create(&place).expect_err("refused").to_string();
    assert!(error.contains("README.md"), "{error}");
}

#[test]
fn a_package_with_another_versions_card_is_replaced_and_an_edited_card_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("model");
    make(&place, "first");
    // A version that worded the card differently recorded the hash of its own words.
    let (card, json) = (place.join("README.md"), place.join("model.json"));
    let recorded = planet_data::file_hash(&card).expect("read");
    fs::write(&card, "other words").expect("written");
    let text = fs::read_to_string(&json).expect("read");
    assert!(text.contains(&recorded), "{text}");
    let other = planet_data::file_hash(&card).expect("read");
    fs::write(&json, text.replace(&recorded, &other)).expect("written");
    make(&place, "second");
    assert_eq!(ModelPackage::open(&place).expect("sound").description().name, "second");

    fs::write(&card, "my notes").expect("written");
    assert!(matches!(NewPackage::create(&place), Err(PackageError::Taken(_))));
    assert_eq!(fs::read_to_string(&card).expect("kept"), "my notes");

    // Before hashes of cards were recorded, the card that this version would write is known.
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("old");
    make(&place, "first");
    let json = place.join("model.json");
    let text = fs::read_to_string(&json).expect("read");
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("card_hash")).collect();
    fs::write(&json, lines.join("\n")).expect("written");
    make(&place, "second");
}
