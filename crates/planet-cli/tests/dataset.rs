//! The dataset commands, from foreign table to clean, divided manifest.

use std::{fs, path::Path};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn planet(folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    Command::cargo_bin("planet").expect("built").current_dir(folder).args(arguments).assert()
}

/// 40 photos of 8 authors, two of them wrong, one without a position.
fn table(folder: &Path) {
    let mut text = String::from("filename,latitude,longitude,user,date_taken,mood\n");
    for n in 0..40 {
        let (lat, lng) = (48.0 + f64::from(n) / 10.0, 2.0 - f64::from(n));
        let day = n % 9 + 1;
        text += &format!("{n}.jpg,{lat},{lng},author {},2019-07-0{day}T10:00:00,calm\n", n % 8);
    }
    text += "north.jpg,91,0,author 0,,\nword.jpg,x,0,author 0,,\nnowhere.jpg,,,author 1,,sad\n";
    fs::write(folder.join("photos.csv"), text).expect("written");
}

#[test]
fn a_foreign_table_is_imported_split_by_author_and_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    table(at);
    planet(at, &["dataset", "import", "--format", "table", "photos.csv", "-o", "m.parquet"])
        .success()
        .stderr(contains("photos.csv:42: latitude 91 is not within -90..=90"))
        .stderr(contains("photos.csv:43: lat is not a number: 'x'"))
        .stderr(contains("41 photos"));
    let split = ["dataset", "split", "m.parquet", "--by", "author", "--test", "0.3", "-o", "s.csv"];
    planet(at, &split)
        .success()
        .stderr(contains("part         groups     photos   share   asked").and(contains("train")));
    let text = fs::read_to_string(at.join("s.csv")).expect("written");
    let parts = |author: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| line.contains(&format!(",{author},")));
        let mut parts: Vec<String> =
            rows.map(|row| row.split(',').nth(8).expect("the split's column").to_owned()).collect();
        parts.dedup();
        parts
    };
    for author in 0..8 {
        assert_eq!(parts(&format!("author {author}")).len(), 1, "author {author} is divided");
    }
    assert!(text.contains(",calm"), "unknown columns are kept");
    let stats = planet(at, &["dataset", "stats", "s.csv", "--json", "--map", "map.svg"]).success();
    let stats: serde_json::Value =
        serde_json::from_slice(&stats.get_output().stdout).expect("JSON");
    assert_eq!((&stats["photos"], &stats["with_position"]), (&41.into(), &40.into()));
    assert_eq!(stats["authors"], 8);
    assert_eq!(stats["years"]["2019"], 40);
    assert!(fs::read_to_string(at.join("map.svg")).expect("drawn").starts_with("<svg"));
    planet(at, &["dataset", "stats", "s.csv:test"]).success().stdout(contains("test"));
}

#[test]
fn strict_turns_the_first_wrong_row_into_a_failure_that_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    table(folder.path());
    let import =
        ["dataset", "import", "--format", "table", "photos.csv", "--strict", "-o", "m.csv"];
    planet(folder.path(), &import).code(1).stderr(contains("photos.csv:42: latitude 91"));
    assert_eq!(fs::read_dir(&folder).expect("listed").count(), 1);
}

#[test]
fn splitting_grouped_photos_one_by_one_needs_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    fs::write(at.join("m.csv"), "photo,author\na.jpg,me\nb.jpg,me\n").expect("written");
    planet(at, &["dataset", "split", "m.csv", "--by", "photo", "-o", "s.csv"])
        .code(2)
        .stderr(contains("--force"));
    assert!(!at.join("s.csv").exists());
    planet(at, &["dataset", "split", "m.csv", "--by", "photo", "--force", "-o", "s.csv"]).success();
    planet(at, &["dataset", "split", "m.csv", "--by", "album", "--test", "0.9", "-o", "t.csv"])
        .code(2)
        .stderr(contains("more than 1"));
}

#[test]
fn duplicates_are_found_by_their_hashes_and_taken_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let hash = |start: &str| format!("{start}{}", "a".repeat(64 - start.len()));
    let rows = [
        format!("small.jpg,{},10,10", hash("00")),
        format!("large.jpg,{},20,20", hash("01")),
        format!("other.jpg,{},10,10", "5".repeat(64)),
        "unhashed.jpg,,10,10".to_owned(),
    ];
    let text = format!("photo,perceptual_hash,width,height\n{}\n", rows.join("\n"));
    fs::write(at.join("a.csv"), text).expect("written");
    planet(at, &["dataset", "duplicates", "a.csv", "-o", "pairs.csv"])
        .success()
        .stderr(contains("1 photos have no hash"))
        .stderr(contains("1 pairs, 1 photos to remove"));
    let pairs = fs::read_to_string(at.join("pairs.csv")).expect("written");
    assert_eq!(pairs, "a,b,distance\nlarge.jpg,small.jpg,1\n");
    planet(at, &["dataset", "filter", "a.csv", "--remove", "pairs.csv", "-o", "clean.csv"])
        .success()
        .stderr(contains("3 of 4 photos kept"));
    assert!(!fs::read_to_string(at.join("clean.csv")).expect("written").contains("small.jpg"));
    fs::write(at.join("b.csv"), format!("photo,perceptual_hash\ntest.jpg,{}\n", hash("03")))
        .expect("written");
    planet(at, &["dataset", "duplicates", "a.csv", "b.csv", "--distance", "1", "-o", "-"])
        .success()
        .stdout("a,b,distance\nlarge.jpg,test.jpg,1\n");
}

#[test]
fn filters_judge_only_photos_that_have_a_score() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let text = "photo,photo_score,lat,lng\na,0.1,,\nb,0.9,1,2\nc,,,\n";
    fs::write(at.join("m.csv"), text).expect("written");
    planet(at, &["dataset", "filter", "m.csv", "--non-photos", "-o", "f.csv"])
        .success()
        .stderr(contains("2 of 3 photos kept"))
        .stderr(contains("1 photos have no photo_score; they were kept"));
    planet(at, &["dataset", "filter", "m.csv", "-o", "g.csv"]).code(2);
    planet(at, &["dataset", "filter", "m.csv", "--no-position", "-o", "g.csv"])
        .success()
        .stderr(contains("1 of 3 photos kept"));
}

#[test]
fn files_that_are_missing_or_no_manifest_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    planet(at, &["dataset", "stats", "none.csv"]).code(1).stderr(contains("none.csv"));
    fs::write(at.join("t.csv"), "IMG_ID,LAT,LON\n1,2,3\n").expect("written");
    planet(at, &["dataset", "stats", "t.csv"]).code(1).stderr(contains("planet dataset import"));
    planet(at, &["dataset", "stats", "t.csv:test"]).code(1);
    let import = ["dataset", "import", "--format", "im2gps", "t.csv", "-o", "no/such/folder/m.csv"];
    planet(at, &import).code(1).stderr(contains("no/such/folder/m.csv"));
}

#[test]
fn manifests_of_every_spelling_and_separator_are_taken_where_manifests_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let manifests = [
        "photo,latitude,longitude\na.jpg,1.5,2.5\n",
        "Photo;GPS Latitude;GPS Longitude\na.jpg;1,5;2,5\n",
        "sep=;\nphoto;Lat;Lon\na.jpg;1,5;2,5\n",
        "photo\tEXIF:GPSLatitude\tEXIF:GPSLongitude\na.jpg\t1.5\t2.5\n",
        "photo,\"latitude (°)\",\"longitude (°)\"\na.jpg,\"1,5\",\"2,5\"\n",
    ];
    for manifest in manifests {
        fs::write(at.join("m.csv"), manifest).expect("written");
        planet(at, &["dataset", "enrich", "m.csv", "--country", "-o", "e.csv", "--overwrite"])
            .success();
        let enriched = fs::read_to_string(at.join("e.csv")).expect("written");
        assert!(enriched.contains("\na.jpg,1.5,2.5,"), "{manifest}: {enriched}");
        let build = ["partition", "build", "m.csv", "--keep-from", "1", "-o", "p.csv"];
        planet(at, &[&build[..], &["--overwrite"]].concat()).success();
        fs::write(at.join("found.csv"), "id;lat;lon\na.jpg;1,5;2,5\n").expect("written");
        planet(at, &["score", "--predictions", "found.csv", "--truth", "m.csv"])
            .success()
            .stdout(contains("100.0"));
    }
}

#[test]
fn tables_that_cannot_be_understood_are_refused_with_the_cure() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let latin = b"photo,lat,lng,author\na.jpg,1.5,2.5,Jos\xE9\n".to_vec();
    let utf16: Vec<u8> =
        "\u{feff}photo,lat,lng\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, line) in [(latin, "m.csv:2: "), (utf16, "m.csv: ")] {
        fs::write(at.join("m.csv"), bytes).expect("written");
        for command in [
            &["dataset", "stats", "m.csv"][..],
            &["dataset", "filter", "m.csv", "--no-position", "-o", "f.csv"],
            &["dataset", "import", "--format", "table", "m.csv", "-o", "f.csv"],
        ] {
            planet(at, command).code(1).stderr(contains(line).and(contains("iconv")));
        }
        assert!(!at.join("f.csv").exists());
    }
    fs::write(at.join("m.csv"), "photo,latitude,longtude\na.jpg,1,2\n").expect("written");
    planet(at, &["dataset", "stats", "m.csv"]).code(1).stderr(contains("only one coordinate"));
    // A decimal comma where commas separate columns.
    fs::write(at.join("m.csv"), "photo,lat,lng\na.jpg,1,5,2,5\n").expect("written");
    planet(at, &["dataset", "stats", "m.csv"])
        .success()
        .stderr(contains("m.csv:2: the row has more cells than the 3 columns; quote cells"));
}

#[test]
fn a_table_that_is_cut_off_is_no_shorter_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let rows: String = (0..5000)
        .map(|n| format!("{n}.jpg,{},{}\n", f64::from(n).sin(), f64::from(n).cos()))
        .collect();
    fs::write(at.join("m.csv"), format!("photo,lat,lng\n{rows}")).expect("written");
    planet(at, &["dataset", "filter", "m.csv", "--no-position", "-o", "m.csv.gz"]).success();
    let packed = fs::read(at.join("m.csv.gz")).expect("written");
    fs::write(at.join("m.csv.gz"), &packed[..packed.len() / 2]).expect("written");
    planet(at, &["dataset", "stats", "m.csv.gz"]).code(1).stderr(contains("m.csv.gz:"));
}

#[test]
fn all_rows_that_were_left_out_are_listed_on_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let rows: String = (0..30).map(|n| format!("{n}.jpg,x,1\n")).collect();
    fs::write(at.join("m.csv"), format!("photo,lat,lng\ngood.jpg,1,2\n{rows}")).expect("written");
    planet(at, &["dataset", "stats", "m.csv"])
        .success()
        .stderr(contains("skipped: 10 more; --problems FILE lists them all"));
    planet(at, &["dataset", "stats", "m.csv", "--problems", "p.csv"])
        .success()
        .stderr(contains("skipped: 10 more; all are listed in p.csv"));
    let list = fs::read_to_string(at.join("p.csv")).expect("written");
    assert_eq!(list.lines().count(), 31);
    assert!(list.contains("m.csv:32,lat is not a number: 'x',write decimal degrees\n"), "{list}");
}
