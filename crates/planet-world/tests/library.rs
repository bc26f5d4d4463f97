//! A synthetic library on disk.

#[path = "support/contents.rs"]
mod contents;

use std::{fs, path::Path};

use contents::contents;
use planet_data::{DiskStore, Manifest, NoMonitor, PhotoStore, table::TableSource};
use planet_world::{
    Corruption, Devices, Kind, Library, LibrarySize, PictureSize, SyntheticStore, Truth, World,
    WorldError, WorldParameters,
};

fn world() -> World {
    let parameters = WorldParameters { places: 100, ..WorldParameters::new(0) };
    World::draw(parameters).expect("a world")
}

fn library(amount: LibrarySize) -> Library {
    Library {
        amount,
        seed: 1,
        size: PictureSize::new(64).expect("a size"),
        corruption: Corruption { duplicates: 0.3, non_photos: 0.2, withhold: 0.25, untimed: 0.0 },
        shards: false,
        layers: false,
        devices: Devices::default(),
    }
}

fn manifest(folder: &Path) -> Manifest {
    let path = folder.join("manifest.parquet");
    Manifest::load(&TableSource { path, split: None }, None).expect("a manifest")
}

#[test]
fn a_library_says_what_it_holds_and_truth_says_what_is_true() {
    let folder = tempfile::tempdir().expect("a folder");
    let drawn = library(LibrarySize::Photos(200))
        .draw(&world(), &folder.path().join("world"), &NoMonitor)
        .expect("drawn");
    let folder = folder.path().join("world");
    assert_eq!(drawn.photos, 200);
    assert!(drawn.duplicates > 30 && drawn.non_photos > 20 && drawn.withheld > 30, "{drawn:?}");

    let (manifest, truths) = (manifest(&folder), Truth::read_all(&folder).expect("truths"));
    assert_eq!(manifest.root, folder);
    assert_eq!(manifest.records.len() as u64, drawn.photos + drawn.duplicates + drawn.non_photos);
    assert_eq!(manifest.records.len(), truths.len());
    for record in &manifest.records {
        let truth = &truths[&record.photo];
        let bytes = fs::read(folder.join(&record.photo)).expect("a photo");
        assert_eq!(record.bytes, Some(bytes.len() as u64));
        assert_eq!(record.position.is_some(), truth.drawn.is_some() && !truth.withheld);
        if let (Some(position), Some(drawn)) = (record.position, truth.drawn) {
            assert_eq!(position, drawn.position);
        }
        // The file itself must keep silent about a withheld position.
        let has_gps = bytes.windows(6).any(|tag| tag == [0x88, 0x25, 0, 4, 0, 0]);
        assert_eq!(has_gps, record.position.is_some(), "{}", record.photo);
        if let Some(of) = &truth.duplicate_of {
            assert_eq!(truths[of].kind, Kind::Photo);
            assert_eq!(truths[of].withheld, truth.withheld);
        }
    }
}

#[test]
fn the_same_library_has_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world();
    let draw = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let to = folder.path().join(format!("threads-{threads}"));
        pool.install(|| library(LibrarySize::Albums(3)).draw(&world, &to, &NoMonitor))
            .expect("drawn");
        contents(&to)
    };
    let (one, three) = (draw(1), draw(3));
    assert!(one.len() > 30);
    assert!(one == three);
}

#[test]
fn shards_hold_the_same_photos_as_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world();
    let loose = folder.path().join("loose");
    library(LibrarySize::Photos(40)).draw(&world, &loose, &NoMonitor).expect("drawn");
    let sharded = folder.path().join("sharded");
    let library = Library { shards: true, ..library(LibrarySize::Photos(40)) };
    library.draw(&world, &sharded, &NoMonitor).expect("drawn");
    let tar = fs::read(sharded.join("shard-00000.tar")).expect("a shard");
    let truths = Truth::read_all(&sharded).expect("truths");
    for record in manifest(&loose).records {
        let jpeg = fs::read(loose.join(&record.photo)).expect("a photo");
        assert!(tar.windows(jpeg.len()).any(|window| window == jpeg), "{}", record.photo);
        let id = format!("shard-00000.tar!{}", record.photo);
        let of = truths[&id].duplicate_of.as_ref();
        assert!(of.is_none_or(|of| truths.contains_key(of)));
    }
}

#[test]
fn photos_drawn_without_a_disk_are_those_of_the_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = world();
    for (name, amount) in [("photos", LibrarySize::Photos(30)), ("albums", LibrarySize::Albums(2))]
    {
        let orderly = Library { corruption: Corruption::default(), ..library(amount) };
        let to = folder.path().join(name);
        orderly.draw(&world, &to, &NoMonitor).expect("drawn");
        let store = SyntheticStore::new(&world, amount, orderly.seed, orderly.size);
        let records: Vec<_> = store.records().collect();
        let disk = DiskStore::new(&to);
        for (mut on_disk, drawn) in manifest(&to).records.into_iter().zip(records) {
            let (read, painted) = (disk.photo(&on_disk.photo), store.photo(&drawn.photo));
            assert_eq!(read.expect("read"), painted.expect("painted"));
            on_disk.bytes = None;
            assert_eq!(on_disk, drawn);
        }
        for id in ["", "author-1-00000/0000031.jpg", "author-1-00000/album-00000/0.jpg", "a/b/c/d"]
        {
            assert!(store.photo(id).is_err(), "{id}");
        }
    }
}

#[test]
fn photos_of_two_seeds_are_by_other_people() {
    let world = world();
    let of = |seed, number| world.photo(seed, number).author;
    assert_eq!(of(11, 0), of(11, 19));
    assert_ne!(of(11, 0), of(11, 20));
    assert_ne!(of(11, 0), of(12, 0));
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("holiday.jpg"), b"mine").expect("written");
    let error = library(LibrarySize::Photos(1)).draw(&world(), folder.path(), &NoMonitor);
    assert!(matches!(error, Err(WorldError::File { .. })), "{error:?}");
    assert_eq!(contents(folder.path()).len(), 1);
}

/// Asks for an end once something has been done.
struct Impatient(std::sync::atomic::AtomicBool);

impl planet_data::Monitor for Impatient {
    fn expect(&self, _steps: u64) {}

    fn advance(&self, _steps: u64) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[test]
fn a_cancelled_library_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("world");
    let monitor = Impatient(false.into());
    let error = library(LibrarySize::Photos(300)).draw(&world(), &to, &monitor);
    assert!(matches!(error, Err(WorldError::Cancelled)), "{error:?}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
