//! Manifests: round trips of every format, splits, roots, and what is refused.

use std::path::Path;

use planet_data::{Manifest, ManifestReader, PhotoRecord, PositionSource, table::TableSource};
use planet_geo::LatLng;

fn source(path: &Path) -> TableSource {
    TableSource { path: path.to_owned(), split: None }
}

fn records() -> Vec<PhotoRecord> {
    let full = PhotoRecord {
        photo: "a, \"b\"/ü\n1.jpg".into(),
        position: LatLng::new(-33.856_784_123_456, 151.215_297).ok(),
        time: Some("2019-07-14T18:03:22+02:00".into()),
        author: Some("nobody".into()),
        album: Some("first, second".into()),
        category: Some("street".into()),
        camera: Some("Canon EOS 5D".into()),
        split: Some("train".into()),
        width: Some(4000),
        height: Some(3000),
        bytes: Some(5_000_000_000),
        accuracy_m: Some(12.5),
        position_source: Some(PositionSource::Sidecar),
        time_source: Some(PositionSource::Exif),
        country: Some("AU".into()),
        content_hash: Some("00ff".into()),
        perceptual_hash: Some("0123456789abcdef".into()),
        photo_score: Some(0.3),
        other: [("mood".to_owned(), "calm".to_owned())].into(),
    };
    let bare = PhotoRecord { photo: "bare.jpg".into(), ..PhotoRecord::default() };
    vec![full, bare]
}

#[test]
fn every_format_gives_back_what_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = Manifest { root: "/photos of mine".into(), records: records() };
    let names = ["a.csv", "a.tsv", "a.csv.gz", "a.tsv.zst", "a.parquet"];
    for name in names {
        let path = folder.path().join(name);
        manifest.save(&path).expect("saved");
        assert_eq!(Manifest::load(&source(&path), None).expect(name), manifest, "{name}");
    }
    assert_eq!(std::fs::read_dir(&folder).expect("listed").count(), names.len());
}

#[test]
fn a_split_takes_its_rows_and_a_file_without_splits_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("m.csv");
    std::fs::write(&path, "photo,split\na.jpg,train\nb.jpg,test\nc.jpg,\n").expect("written");
    let test = TableSource { path: path.clone(), split: Some("test".into()) };
    let manifest = Manifest::load(&test, None).expect("rows");
    assert_eq!(manifest.records.len(), 1);
    assert_eq!(manifest.records[0].photo, "b.jpg");
    std::fs::write(&path, "photo\na.jpg\n").expect("written");
    let error = Manifest::load(&test, None).expect_err("no splits there");
    assert!(error.to_string().contains("planet dataset split"), "{error}");
}

#[test]
fn the_root_is_the_callers_then_the_files_then_the_manifests_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("m.csv");
    let root = |text: &str, given: Option<&Path>| {
        std::fs::write(&path, text).expect("written");
        ManifestReader::open(&source(&path), given).expect("opened").root().to_owned()
    };
    assert_eq!(root("photo\n", None), folder.path());
    assert_eq!(root("# root=photos\nphoto\n", None), folder.path().join("photos"));
    assert_eq!(root("# root=/x\nphoto\n", Some(Path::new("/y"))), Path::new("/y"));
}

#[test]
fn a_wrong_row_is_named_with_its_line_and_the_next_one_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("m.csv");
    let rows =
        "photo,lat,lng,width\na,91.3,0,\nb,1,,\nc,x,1,\nd,1,1,-4\n,1,1,\ne,1,1,7,8\nf,1,2,3\n";
    std::fs::write(&path, rows).expect("written");
    let reader = ManifestReader::open(&source(&path), None).expect("opened");
    let results: Vec<_> = reader.collect();
    let wanted = [
        ":2: latitude 91.3 is not within -90..=90",
        ":3: a position needs both lat and lng",
        ":4: lat is not a number: 'x'",
        ":5: width is not a whole number in range: '-4'",
        ":6: the photo's id is empty",
        ":7: the row has more cells than the 4 columns",
    ];
    for (result, wanted) in results.iter().zip(wanted) {
        let error = result.as_ref().expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
    }
    assert_eq!(results[6].as_ref().expect("a row").photo, "f");
}

#[test]
fn tables_that_are_no_manifest_are_refused_with_the_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("m.csv");
    std::fs::write(&path, "IMG_ID,LAT,LON\n1,2,3\n").expect("written");
    let error = ManifestReader::open(&source(&path), None).err().expect("another layout");
    assert!(error.to_string().contains("planet dataset import"), "{error}");
    std::fs::write(&path, "photo,photo\n").expect("written");
    assert!(ManifestReader::open(&source(&path), None).is_err());
    let path = folder.path().join("m.parquet");
    Manifest { root: "/".into(), records: records() }.save(&path).expect("saved");
    let bytes = std::fs::read(&path).expect("read");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    let error = ManifestReader::open(&source(&path), None).err().expect("cut off");
    assert!(error.to_string().contains("not a complete Parquet file"), "{error}");
}
