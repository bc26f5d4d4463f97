//! Whatever a folder or a file holds that a command did not write stays as it is.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use assert_cmd::Command;
use planet::{
    LevelCalibration, ModelDraft, NewPackage, RegionCalibration,
    evaluation::{Scorer, ScorerOptions, TruthTable},
    package::{Outputs, Provenance},
    report::{References, Report},
};
use planet_data::{NoMonitor, OwnedFolder, Photo, PhotoError, PhotoRecord, PhotoStore, Preprocess};
use planet_geo::{CellId, Class, ClassKind, LatLng, Level, Partition, PartitionInfo};
use planet_net::Architecture;
use planet_train::{ArchitectureName, RunFolder, RunParts, Samples, TrainConfig};
use planet_world::{Corruption, Library, LibrarySize, PictureSize, World, WorldParameters};
use predicates::{prelude::PredicateBooleanExt, str::contains};
use proptest::prelude::*;

fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// Names that our folders hold, and others.
const NAMES: &str = "report\\.json|index\\.html|tables\\.md|predictions\\.jsonl|config\\.toml|\
                     partition\\.csv|summary\\.csv|photos\\.parquet|cells\\.csv|album-hmm\\.json|\
                     manifest\\.parquet|truth\\.csv|places\\.csv|model\\.json|README\\.md|\
                     model\\.onnx|\\.planet-folder\\.json|notes\\.txt";

/// A way to write a folder; whether it did.
type Writer = (&'static str, fn(&Path) -> bool);

const WRITERS: [Writer; 7] = [
    ("a report", |folder| report().save(folder).is_ok()),
    ("a match", |folder| OwnedFolder::claim(folder, "match", &["report.json"]).is_ok()),
    ("a run", begin),
    ("a run's own files", |folder| RunFolder::at(folder).claim(&["photos.parquet"]).is_ok()),
    ("synthetic photos", draw),
    ("a world's parameters", |folder| WorldParameters::new(0).write(folder).is_ok()),
    ("a package", package),
];

fn report() -> Report {
    let table = TruthTable::of(&[], "category", |_| true);
    Report {
        title: "Nothing".to_owned(),
        subject: "No photos.".to_owned(),
        score: Scorer::new(table, ScorerOptions { resamples: 0, ..ScorerOptions::default() })
            .finish(),
        clean: None,
        leakage: None,
        references: References::default(),
        known_set: None,
        by: "category".to_owned(),
        places: Vec::new(),
        galleries: Vec::new(),
        regions: None,
        log_loss: None,
        category_log_losses: Vec::new(),
    }
}

fn partition() -> Partition {
    let class = |lat: f64| {
        let at = LatLng::new(lat, 10.0).expect("a position");
        let cell = CellId::containing(at, Level::new(6).expect("a level"));
        let (mean, centre) = (Some(at), Some(cell.centre()));
        Class { kind: ClassKind::Cells(vec![cell]), photos: 2, mean, centre, scatter: None }
    };
    Partition::new(PartitionInfo::default(), [10.0, 50.0].map(class).to_vec()).expect("disjoint")
}

/// Photos that nobody looks at.
struct NoPhotos;

impl PhotoStore for NoPhotos {
    fn photo(&self, _: &str) -> Result<Photo, PhotoError> {
        Err(PhotoError::Empty)
    }
}

fn begin(folder: &Path) -> bool {
    let records = (0..4).map(|n| PhotoRecord {
        photo: n.to_string(),
        position: LatLng::new(if n < 2 { 10.0 } else { 50.0 }, 10.0).ok(),
        ..PhotoRecord::default()
    });
    let partition = partition();
    let samples = Samples::new(Arc::new(NoPhotos), records, &partition);
    let config = TrainConfig {
        architecture: ArchitectureName(Architecture::InceptionMini),
        size: 32,
        batch: 2,
        ..TrainConfig::default()
    };
    let folder = RunFolder::at(folder);
    RunParts { folder, config, partition, training: samples, validation: None }.start().is_ok()
}

fn draw(folder: &Path) -> bool {
    let world = World::draw(WorldParameters::new(0)).expect("a world");
    let library = Library {
        amount: LibrarySize::Photos(1),
        seed: 0,
        size: PictureSize::new(64).expect("a size"),
        corruption: Corruption::default(),
        shards: false,
        layers: false,
        devices: planet_world::Devices::default(),
    };
    library.draw(&world, folder, &NoMonitor).is_ok()
}

fn package(folder: &Path) -> bool {
    let Ok(new) = NewPackage::create(folder) else { return false };
    fs::write(new.folder().join("model.onnx"), b"graph").expect("written");
    let draft = ModelDraft {
        name: "m".to_owned(),
        architecture: "inception-mini".to_owned(),
        features: 0,
        preprocess: Preprocess::inception(32),
        outputs: Outputs::default(),
        temperature: 1.0,
        level_calibration: LevelCalibration::default(),
        region_calibration: RegionCalibration::default(),
        provenance: Provenance::default(),
    };
    new.finish(draft, &partition()).is_ok()
}

fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("listed").map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.path().is_file());
    files
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("read"))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_file_of_others_is_changed_or_removed_by_anything_that_writes_a_folder(
        foreign in prop::collection::btree_map(NAMES, "[a-z{}=]{0,12}", 1..5),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in &foreign {
            fs::write(folder.path().join(name), text).expect("written");
        }
        let before = content(folder.path());
        for (what, write) in WRITERS {
            write(folder.path());
            let after = content(folder.path());
            for (name, bytes) in &before {
                prop_assert_eq!(after.get(name), Some(bytes), "{} by {}", name, what);
            }
        }
    }

}

proptest! {
    // Each case begins seven runs.
    #![proptest_config(ProptestConfig::with_cases(4))]
    #[test]
    fn files_added_to_a_folder_that_was_written_here_stay_whatever_is_written_again(
        foreign in prop::collection::btree_map("notes\\.txt|a\\.csv|b\\.html", "[a-z]{0,9}", 1..3),
    ) {
        for (what, write) in WRITERS {
            let above = tempfile::tempdir().expect("a folder");
            let folder = above.path().join("out");
            if what == "a world's parameters" {
                fs::create_dir(&folder).expect("a folder");
            }
            prop_assert!(write(&folder), "{} in a new folder", what);
            for (name, text) in &foreign {
                fs::write(folder.join(name), text).expect("written");
            }
            for (other, write) in WRITERS {
                write(&folder);
                for (name, text) in &foreign {
                    let found = fs::read_to_string(folder.join(name)).expect("kept");
                    prop_assert_eq!(&found, text, "{} in {} by {}", name, what, other);
                }
            }
        }
    }
}

#[test]
fn a_report_is_written_again_over_its_own_files_and_over_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("report");
    report().save(&place).expect("written");
    fs::write(place.join("notes.txt"), "mine").expect("written");
    Report { title: "Again".to_owned(), ..report() }.save(&place).expect("written again");
    let page = fs::read_to_string(place.join("index.html")).expect("a page");
    assert!(page.contains("Again"));
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).expect("a folder");
    fs::write(mine.join("index.html"), "my page").expect("written");
    let error = report().save(&mine).expect_err("refused").to_string();
    assert!(error.contains("index.html") && error.contains("name another folder"), "{error}");
}

#[test]
fn commands_replace_a_file_only_when_asked_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    fs::write(at.join("photos.csv"), "photo,lat,lng,album\na.jpg,1,2,x\nb.jpg,3,4,y\n")
        .expect("written");
    let own = "my own table\n";
    for (arguments, file) in [
        (&["dataset", "split", "photos.csv", "--by", "album", "-o"][..], "m.csv"),
        (&["dataset", "filter", "photos.csv", "--no-position", "-o"][..], "m.csv"),
        (&["dataset", "import", "--format", "table", "photos.csv", "-o"][..], "m.csv"),
        (&["dataset", "duplicates", "photos.csv", "-o"][..], "m.csv"),
        (&["dataset", "stats", "photos.csv", "--map"][..], "m.svg"),
        (&["partition", "build", "photos.csv", "--keep-from", "1", "-o"][..], "m.csv"),
        (&["partition", "uniform", "photos.csv", "--level", "4", "-o"][..], "m.csv"),
        (&["library", "locate", "photos.csv", "-o"][..], "m.jsonl"),
        (&["world", "show", "--sample", "1", "--size", "64", "-o"][..], "m.png"),
    ] {
        fs::write(at.join(file), own).expect("written");
        let refused = planet(at).args(arguments).arg(file).assert().code(1);
        refused.stderr(
            contains(format!("{file}: the file already exists")).and(contains("--overwrite")),
        );
        assert_eq!(fs::read_to_string(at.join(file)).expect("kept"), own, "{arguments:?}");
    }
    planet(at)
        .args(["partition", "build", "photos.csv", "--keep-from", "1", "-o", "m.csv"])
        .arg("--overwrite")
        .assert()
        .success();
    assert!(fs::read_to_string(at.join("m.csv")).expect("replaced").contains("planet-partition"));
    // A device is written and not replaced.
    #[cfg(unix)]
    planet(at)
        .args(["dataset", "filter", "photos.csv", "--no-position", "-o", "n.csv"])
        .args(["--problems", "/dev/null"])
        .assert()
        .success();
}
