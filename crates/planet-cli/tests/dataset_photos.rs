//! The dataset commands that read photos: scan, enrich and show.

use std::{
    fs,
    path::{Path, PathBuf},
};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn planet(folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    Command::cargo_bin("planet").expect("built").current_dir(folder).args(arguments).assert()
}

/// One of the photos that exiftool has judged.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../planet-data/tests/golden").join(name)
}

/// A folder `photos` with two good photos, in albums.
fn library() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (from, to) in [("three.jpg", "venice/bridge.jpg"), ("time-with-offset.jpg", "home/cat.JPG")]
    {
        let to = folder.path().join("photos").join(to);
        fs::create_dir_all(to.parent().expect("an album")).expect("made");
        fs::copy(golden("facts").join(from), to).expect("copied");
    }
    folder
}

/// A PNG of a kilobyte that claims 60,000 × 60,000 pixels.
fn huge_png() -> Vec<u8> {
    let mut png = fs::read(golden("photos/rgb.png")).expect("a golden file");
    png.truncate(1000);
    png[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    png[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    png
}

fn text(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("written")
}

/// The ids of a manifest's photos.
fn ids(manifest: &str) -> Vec<&str> {
    let rows = manifest.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| row.split(',').next().expect("a column")).collect()
}

#[test]
fn a_scan_reads_headers_and_names_what_is_no_photo() {
    let folder = library();
    let at = folder.path();
    let photos = at.join("photos");
    fs::write(photos.join("empty.jpg"), "").expect("written");
    fs::write(photos.join("diary.jpg"), "Dear diary").expect("written");
    fs::write(photos.join("notes.txt"), "no photo by its name").expect("written");
    fs::write(photos.join("huge.png"), huge_png()).expect("written");
    for hidden in [".trash", "@eaDir", "layers"] {
        fs::create_dir(photos.join(hidden)).expect("made");
        fs::copy(golden("facts/three.jpg"), photos.join(hidden).join("a.jpg")).expect("copied");
    }
    // As planet world draw writes masks beside its photos.
    fs::write(photos.join("layers/classes.json"), "{}").expect("written");
    planet(at, &["dataset", "scan", "photos", "-o", "m.csv"])
        .success()
        .stderr(contains("empty.jpg: "))
        .stderr(contains("diary.jpg: "))
        .stderr(contains("notes.txt").not())
        .stderr(contains("3 photos, 1 with a position"));
    let manifest = text(at, "m.csv");
    assert_eq!(ids(&manifest), ["home/cat.JPG", "huge.png", "venice/bridge.jpg"]);
    assert!(manifest.contains("venice/bridge.jpg,45.4408,12.3155,"), "{manifest}");
    assert!(manifest.contains("home/cat.JPG,,,2019-07-14T18:03:22+02:00,"), "{manifest}");
    assert!(manifest.contains(",60000,60000,1000,"), "{manifest}");
    assert_eq!(fs::read_dir(at).expect("listed").count(), 2, "the journal is gone");
}

#[test]
fn folders_named_twice_or_one_inside_the_other_give_each_photo_once() {
    let folder = library();
    let scan = ["dataset", "scan", "photos", "photos/venice", "photos", "-o", "m.csv"];
    planet(folder.path(), &scan).success();
    assert_eq!(ids(&text(folder.path(), "m.csv")), ["home/cat.JPG", "venice/bridge.jpg"]);
}

#[test]
fn a_folder_without_photos_is_an_error_that_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("photos")).expect("made");
    planet(folder.path(), &["dataset", "scan", "photos", "-o", "m.csv"])
        .code(1)
        .stderr(contains("no photos found"));
    planet(folder.path(), &["dataset", "scan", "nowhere", "-o", "m.csv"])
        .code(1)
        .stderr(contains("nowhere"));
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
}

#[test]
fn an_interrupted_scan_goes_on_and_does_not_read_again() {
    let folder = library();
    let at = folder.path();
    fs::write(at.join("photos/no.jpg"), "no photo").expect("written");
    // Paths are read in order: the first photo is in the journal when the third one fails.
    planet(at, &["dataset", "scan", "photos", "--strict", "-o", "m.csv"])
        .code(1)
        .stderr(contains("no.jpg"));
    assert!(!at.join("m.csv").exists());
    let journal = text(at, "m.csv.scanning");
    assert!(journal.contains("home/cat.JPG") && !journal.contains("bridge"), "{journal}");
    // What a crash leaves: a line that ends anywhere.
    fs::write(at.join("m.csv.scanning"), journal + r#"{"photo":"venice/br"#).expect("written");
    fs::write(at.join("photos/home/cat.JPG"), "would be refused if it were read").expect("written");
    planet(at, &["dataset", "scan", "photos", "-o", "m.csv"])
        .success()
        .stderr(contains("2 photos, 1 with a position"))
        .stderr(contains("1 of them were read by an earlier, interrupted scan"));
    let manifest = text(at, "m.csv");
    assert_eq!(ids(&manifest), ["home/cat.JPG", "venice/bridge.jpg"]);
    assert!(manifest.contains("home/cat.JPG,,,2019-07-14T18:03:22+02:00,"), "{manifest}");
    assert!(!at.join("m.csv.scanning").exists());
}

#[test]
fn a_journal_of_another_folder_is_not_believed() {
    let folder = library();
    let at = folder.path();
    let journal = "{\"root\":\"/elsewhere\"}\n{\"photo\":\"ghost.jpg\"}\n";
    fs::write(at.join("m.csv.scanning"), journal).expect("written");
    planet(at, &["dataset", "scan", "photos", "-o", "m.csv"]).success();
    assert_eq!(ids(&text(at, "m.csv")), ["home/cat.JPG", "venice/bridge.jpg"]);
}

#[cfg(unix)]
#[test]
fn a_cycle_of_links_is_named_and_left() {
    let folder = library();
    let at = folder.path();
    std::os::unix::fs::symlink(at.join("photos"), at.join("photos/home/again")).expect("linked");
    std::os::unix::fs::symlink(at.join("nothing"), at.join("photos/home/dangling.jpg"))
        .expect("linked");
    planet(at, &["dataset", "scan", "photos", "-o", "m.csv"])
        .success()
        .stderr(contains("again: links back to"))
        .stderr(contains("dangling.jpg: "));
    assert_eq!(ids(&text(at, "m.csv")), ["home/cat.JPG", "venice/bridge.jpg"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_in_another_encoding_is_named_and_counted() {
    use std::os::unix::ffi::OsStrExt;
    let folder = library();
    let at = folder.path();
    let name = std::ffi::OsStr::from_bytes(b"caf\xE9.jpg");
    fs::copy(golden("facts/three.jpg"), at.join("photos").join(name)).expect("copied");
    planet(at, &["dataset", "scan", "photos", "-o", "m.csv"])
        .success()
        .stderr(contains("caf\u{FFFD}.jpg: the file's name is not UTF-8; rename it"))
        .stderr(contains("2 photos"));
    planet(at, &["dataset", "scan", "photos", "--strict", "-o", "n.csv"]).code(1);
}

/// Interrupts a scan of these folders at a file that is none, and takes that file away.
fn interrupted_scan(at: &Path, folders: &[&str]) {
    let last = at.join(folders[folders.len() - 1]).join("zzz.jpg");
    fs::write(&last, "no photo").expect("written");
    let scan = [&["dataset", "scan"], folders, &["--strict", "-o", "m.csv"]].concat();
    planet(at, &scan).code(1);
    fs::remove_file(last).expect("removed");
    assert!(at.join("m.csv.scanning").exists());
}

#[test]
fn an_interrupted_scan_of_other_folders_puts_none_of_their_photos_into_the_manifest() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    for name in ["a", "b", "c"] {
        fs::create_dir(at.join(name)).expect("made");
        fs::copy(golden("facts/three.jpg"), at.join(name).join("1.jpg")).expect("copied");
    }
    interrupted_scan(at, &["a", "b"]);
    planet(at, &["dataset", "scan", "b", "c", "-o", "m.csv"]).success().stderr(
        contains("2 photos").and(contains("1 of them were read by an earlier, interrupted scan")),
    );
    assert_eq!(ids(&text(at, "m.csv")), ["b/1.jpg", "c/1.jpg"]);
}

#[test]
fn a_photo_that_went_while_a_scan_was_interrupted_is_not_in_the_manifest() {
    let folder = library();
    let at = folder.path();
    interrupted_scan(at, &["photos"]);
    fs::remove_file(at.join("photos/home/cat.JPG")).expect("removed");
    planet(at, &["dataset", "scan", "photos", "-o", "m.csv"]).success();
    assert_eq!(ids(&text(at, "m.csv")), ["venice/bridge.jpg"]);
}

#[test]
fn notes_of_an_interrupted_scan_are_told_by_the_next_one() {
    let folder = library();
    let at = folder.path();
    fs::write(at.join("photos/home/cat.JPG.xmp"), "<html>").expect("written");
    interrupted_scan(at, &["photos"]);
    planet(at, &["dataset", "scan", "photos", "-o", "m.csv", "--problems", "p.csv"])
        .success()
        .stderr(contains("note: home/cat.JPG: sidecar: is not XMP"))
        .stderr(contains("1 photos have invalid or contradictory metadata"));
    assert!(text(at, "p.csv").contains("home/cat.JPG,sidecar: is not XMP,\"delete the file"));
}

#[test]
fn files_that_are_no_photos_are_counted_by_kind() {
    let folder = library();
    let at = folder.path();
    let photos = at.join("photos");
    fs::copy(golden("facts/three.jpg"), photos.join("IMG_1.jpg")).expect("copied");
    let others = [
        "IMG_1.MOV",
        "clip.mp4",
        "clip.avi",
        "IMG_1.CR2",
        "x.dng",
        "a.jxl",
        "IMG_1.jpg.json",
        "metadata.json",
        "lonely.xmp",
        "notes.txt",
        "IMG_1.xmp",
    ];
    for other in others {
        fs::write(photos.join(other), "").expect("written");
    }
    planet(at, &["dataset", "scan", "photos", "photos/venice", "-o", "m.csv"])
        .success()
        .stderr(contains("3 photos, 2 with a position"))
        // XMP, and what Google Takeout wrote beside the photo.
        .stderr(contains("2 sidecars were read together with their photos"))
        .stderr(contains(
            "2 videos, 1 video of a Live Photo, 2 RAW files, 1 JPEG XL file, 1 JSON file, \
             1 sidecar without a photo and 1 other file were skipped",
        ));
    fs::create_dir(at.join("films")).expect("made");
    fs::write(at.join("films/a.mp4"), "").expect("written");
    planet(at, &["dataset", "scan", "films", "-o", "f.csv"])
        .code(1)
        .stderr(contains("films: no photos found, only 1 video"));
}

/// The numbers that begin lines or stand before these words in what a scan says at the end.
fn counted(said: &str, what: &str) -> usize {
    let lines =
        said.lines().filter(|line| !line.starts_with("skipped") && !line.starts_with("note"));
    let before = lines.filter_map(|line| line.split_once(what)).next();
    let number = before.and_then(|(before, _)| before.split_whitespace().last()?.parse().ok());
    number.unwrap_or(0)
}

#[test]
fn every_file_of_a_damaged_library_is_in_one_of_the_counts_and_in_the_list() {
    const PHOTOS: usize = 2000;
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let photo = fs::read(golden("facts/three.jpg")).expect("a golden file");
    let mut files = 0;
    let mut write = |name: String, bytes: &[u8]| {
        let path = at.join("photos").join(name);
        fs::create_dir_all(path.parent().expect("an album")).expect("made");
        fs::write(path, bytes).expect("written");
        files += 1;
    };
    let (mut broken, mut noted) = (0, 0);
    for n in 0..PHOTOS {
        let name = format!("{}/{n}.jpg", n % 20);
        // One in twenty is damaged, each in its own way.
        match (n % 20, n / 20 % 8) {
            (0, 0) => write(name.clone(), b""),
            (0, 1) => write(name.clone(), b"Dear diary"),
            (0, 2) => write(name.clone(), &photo[..10]),
            (0, 3) => write(name.clone(), &[0; 500]),
            (0, 4) => write(name.replace(".jpg", ".png"), &huge_png()[..20]),
            (0, 5) => write(name.replace(".jpg", ".heic"), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
            (0, 6) => {
                write(name.clone(), &photo);
                write(format!("{name}.xmp"), b"<html>");
                noted += 1;
            }
            (0, _) => {
                // The offset of the first directory leads nowhere.
                let mut changed = photo.clone();
                changed[16..20].fill(0x7F);
                write(name.clone(), &changed);
                noted += 1;
            }
            _ => write(name, &photo),
        }
        broken += usize::from(n % 20 == 0 && n / 20 % 8 < 6);
    }
    for n in 0..30 {
        write(format!("films/{n}.mp4"), b"");
        write(format!("films/{n}.nef"), b"");
        write(format!("films/{n}.dat"), b"");
    }
    let scan = ["dataset", "scan", "photos", "--overwrite", "-o", "m.csv", "--problems", "p.csv"];
    let said = planet(at, &scan).success().get_output().stderr.clone();
    let said = String::from_utf8(said).expect("UTF-8");
    let count = |what| counted(&said, what);
    assert_eq!(count(" photos, "), PHOTOS - broken, "{said}");
    assert_eq!(count(" files or folders cannot be read"), broken, "{said}");
    assert_eq!(count(" photos have invalid or contradictory metadata"), noted, "{said}");
    let left = count(" videos") + count(" RAW files") + count(" other files");
    let sidecars = count(" sidecars were read");
    assert_eq!(PHOTOS - broken + broken + sidecars + left, files, "{said}");
    assert!(said.contains("more; all are listed in p.csv"), "{said}");
    // Both the named and the merely counted stand in the list, each with its file.
    let list = text(at, "p.csv");
    assert_eq!(list.lines().next(), Some("file,what,cure"));
    assert!(list.lines().count() > broken + noted, "{list}");
    assert!(list.lines().all(|line| !line.ends_with(',')), "each has a cure: {list}");
    assert_eq!(list.lines().filter(|line| line.contains(".heic,")).count(), 12, "{list}");
    assert_eq!(ids(&text(at, "m.csv")).len(), PHOTOS - broken);
    // Without the flag the hint names it.
    planet(at, &scan[..6]).success().stderr(contains("--problems FILE lists them all"));
}

#[test]
fn a_sidecar_elsewhere_is_told_with_who_won() {
    let folder = library();
    let at = folder.path();
    let sidecar = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="48,51.48N"
        exif:GPSLongitude="2,17.7E"/></rdf:RDF></x:xmpmeta>"#;
    fs::write(at.join("photos/venice/bridge.XMP"), sidecar).expect("written");
    planet(at, &["dataset", "scan", "photos", "-o", "m.csv"]).success().stderr(contains(
        "bridge.jpg: exif: position 45.44080, 12.31550 is ignored: that of sidecar is used",
    ));
    assert!(text(at, "m.csv").contains("venice/bridge.jpg,48.858"));
}

/// The command as somebody who is no superuser, to whom every folder would be open.
#[cfg(unix)]
fn planet_as_nobody(folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    use std::os::unix::{fs::PermissionsExt, process::CommandExt};
    const NOBODY: u32 = 65_534;
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("planet"));
    command.current_dir(folder).args(arguments);
    // Only the superuser may become somebody else, and only there it is needed.
    let probe = std::process::Command::new("true").uid(NOBODY).gid(NOBODY).status();
    if probe.is_ok_and(|status| status.success()) {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("opened");
        // The binary may lie where only its owner may go.
        let copy = folder.join("planet");
        fs::copy(assert_cmd::cargo::cargo_bin("planet"), &copy).expect("copied");
        command = std::process::Command::new(&copy);
        command.current_dir(folder).args(arguments).uid(NOBODY).gid(NOBODY);
    }
    Command::from_std(command).assert()
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_read_is_named_and_the_others_are_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = library();
    let at = folder.path();
    let locked = at.join("photos/locked");
    fs::create_dir(&locked).expect("made");
    fs::copy(golden("facts/three.jpg"), locked.join("a.jpg")).expect("copied");
    let secret = at.join("photos/home/secret.jpg");
    fs::copy(golden("facts/three.jpg"), &secret).expect("copied");
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    };
    set(&locked, 0o000);
    set(&secret, 0o000);
    planet_as_nobody(at, &["dataset", "scan", "photos", "-o", "m.csv"])
        .success()
        .stderr(contains("locked: Permission denied"))
        .stderr(contains("secret.jpg: Permission denied"))
        .stderr(contains("2 photos"));
    assert_eq!(ids(&text(at, "m.csv")), ["home/cat.JPG", "venice/bridge.jpg"]);
    planet_as_nobody(at, &["dataset", "scan", "photos", "--strict", "-o", "n.csv"]).code(1);
    assert!(!at.join("n.csv").exists());
    set(&locked, 0o700);
}

/// A limit on a file's length stands for a disk that is full: the write fails in the middle.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_while_a_manifest_is_written_leaves_the_old_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let rows: String = (0..20_000).map(|n| format!("{n}.jpg,1,2\n")).collect();
    fs::write(at.join("t.csv"), format!("photo,lat,lng\n{rows}")).expect("written");
    for manifest in ["m.csv", "m.csv.gz", "m.parquet"] {
        fs::write(at.join(manifest), "the old one").expect("written");
        // Without the signal the system's word is an error, as on a full disk.
        let shell = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"";
        Command::new("sh")
            .current_dir(at)
            .args(["-c", shell])
            .arg(assert_cmd::cargo::cargo_bin("planet"))
            .args([
                "dataset",
                "import",
                "--format",
                "table",
                "t.csv",
                "-o",
                manifest,
                "--overwrite",
            ])
            .assert()
            .code(1)
            .stderr(contains(format!("{manifest}: ")).and(contains("large")));
        assert_eq!(text(at, manifest), "the old one");
    }
    assert_eq!(fs::read_dir(at).expect("listed").count(), 4, "nothing half-written stays");
}

/// Eight synthetic photos and their manifest, `drawn/manifest.parquet`.
fn drawn() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let draw = ["world", "draw", "--photos", "8", "--size", "64", "--non-photos", "0.5"];
    planet(folder.path(), &[&draw[..], &["-o", "drawn"]].concat()).success();
    folder
}

const ENRICH: [&str; 6] =
    ["dataset", "enrich", "drawn/manifest.parquet", "--hash", "--photo-score", "--country"];

#[test]
fn enriching_adds_hashes_scores_and_countries_and_keeps_what_is_there() {
    let folder = drawn();
    let at = folder.path();
    planet(at, &[&ENRICH[..], &["-o", "e.csv"]].concat()).success();
    let enriched = text(at, "e.csv");
    let mut lines = enriched.lines().filter(|line| !line.starts_with('#'));
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name: &str| header.iter().position(|&column| column == name).expect(name);
    let (hash, content) = (column("perceptual_hash"), column("content_hash"));
    let (score, lat, country) = (column("photo_score"), column("lat"), column("country"));
    let mut photos = 0;
    for row in lines {
        let row: Vec<&str> = row.split(',').collect();
        assert_eq!((row[hash].len(), row[content].len()), (64, 32), "{row:?}");
        assert!((0.0..=1.0).contains(&row[score].parse::<f32>().expect("a number")), "{row:?}");
        assert_eq!(row[lat].is_empty(), row[country].is_empty(), "{row:?}");
        photos += 1;
    }
    assert!(photos >= 8);
    // Nothing is read a second time: the photos may be gone.
    fs::rename(at.join("drawn"), at.join("moved")).expect("moved");
    planet(at, &["dataset", "enrich", "e.csv", "--hash", "--photo-score", "-o", "again.csv"])
        .success();
    assert_eq!(text(at, "again.csv"), enriched);
}

#[test]
fn a_photo_that_cannot_be_read_keeps_its_row_and_is_named() {
    let folder = drawn();
    let at = folder.path();
    fs::write(at.join("drawn/huge.png"), huge_png()).expect("written");
    fs::write(at.join("drawn/empty.jpg"), "").expect("written");
    fs::write(at.join("drawn/m.csv"), "photo\ngone.jpg\nempty.jpg\nhuge.png\n").expect("written");
    planet(at, &["dataset", "enrich", "drawn/m.csv", "--hash", "-o", "e.csv"])
        .success()
        .stderr(contains("gone.jpg: "))
        .stderr(contains("empty.jpg: "))
        .stderr(contains("huge.png: 60000"))
        .stderr(contains("3 photos cannot be read; their rows are kept"));
    assert_eq!(ids(&text(at, "e.csv")), ["gone.jpg", "empty.jpg", "huge.png"]);
    planet(at, &["dataset", "enrich", "drawn/m.csv", "--hash", "--strict", "-o", "s.csv"])
        .code(1)
        .stderr(contains("gone.jpg: "));
    assert!(!at.join("s.csv").exists());
    planet(at, &["dataset", "enrich", "drawn/m.csv", "-o", "s.csv"])
        .code(2)
        .stderr(contains("no column to add was selected"));
}

#[test]
fn a_contact_sheet_shows_the_sample_and_lists_it() {
    let folder = drawn();
    let at = folder.path();
    let show = ["dataset", "show", "drawn/manifest.parquet", "--sample", "6", "--columns", "3"];
    let shown = planet(at, &[&show[..], &["--side", "32", "-o", "sheet.png"]].concat()).success();
    let listed = String::from_utf8(shown.get_output().stdout.clone()).expect("UTF-8");
    assert_eq!(listed.lines().count(), 6);
    assert!(listed.starts_with("1\t1\t") && listed.contains("\n2\t3\t"), "{listed}");
    let png = fs::read(at.join("sheet.png")).expect("drawn");
    let side = |from: usize| u32::from_be_bytes(png[from..from + 4].try_into().expect("four"));
    // Photos of 32 pixels with 6 pixels around each and a caption of 14 below.
    assert_eq!((side(16), side(20)), (3 * 38 + 6, 2 * 52 + 6));
    let again = planet(at, &[&show[..], &["-o", "large.png"]].concat()).success();
    assert_eq!(again.get_output().stdout, listed.as_bytes(), "the choice stays");
    planet(at, &[&show[..], &["-o", "sheet.jpg"]].concat()).code(2).stderr(contains(".png"));
    fs::write(at.join("m.csv"), "photo\ngone.jpg\n").expect("written");
    planet(at, &["dataset", "show", "m.csv", "-o", "grey.png"])
        .success()
        .stderr(contains("gone.jpg: "));
}

#[test]
fn about_names_the_version_and_everyone_whose_data_is_inside() {
    let about = planet(Path::new("."), &["about"]).success();
    let out = String::from_utf8(about.get_output().stdout.clone()).expect("UTF-8");
    for part in [env!("CARGO_PKG_VERSION"), "Natural Earth", "GeoNames", "OpenStreetMap", "ODbL"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}
