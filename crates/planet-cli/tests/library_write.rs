//! `planet library write`, `undo`, `status` and `forget`: nothing is lost, whatever ends them.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command as Process, Stdio},
    thread,
    time::Duration,
};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// A library of photos without positions, and an answer for each; their names.
fn prepare(folder: &Path, photos: usize) -> Vec<String> {
    planet(folder)
        .args(["world", "draw", "--photos", &photos.to_string(), "--size", "64"])
        .args(["--withhold", "1", "-o", "library"])
        .assert()
        .success();
    let names: Vec<String> =
        files(&folder.join("library")).into_keys().filter(|it| it.ends_with(".jpg")).collect();
    assert_eq!(names.len(), photos);
    answers(folder, &names, 0.0);
    names
}

/// Answers within 25 km with 90 %, in all four quadrants, at the antimeridian and near the poles.
fn answers(folder: &Path, names: &[String], moved: f64) {
    let mut lines = String::new();
    for (at, name) in names.iter().enumerate() {
        let at = at as f64;
        let (lat, lng) = match name.len() {
            _ if at == 0.0 => (89.9999, 179.999_999),
            _ if at == 1.0 => (-89.9999, -179.999_999),
            _ => (-80.0 + (at * 7.31 + moved) % 160.0, -179.0 + (at * 13.7) % 358.0),
        };
        lines.push_str(&format!(
            "{{\"photo\":{name:?},\"predictions\":[{{\"probability\":0.9,\"lat\":{lat},\"lng\":{lng}}}],\
             \"certain\":{{\"level\":\"city\",\"name\":\"\",\"lat\":{lat},\"lng\":{lng},\
             \"radius_km\":25.0,\"probability\":0.9}},\
             \"evidence\":[{{\"kind\":\"neighbour\",\"share\":0.8,\"photo\":\"a.jpg\",\"minutes\":7}},\
             {{\"kind\":\"model\",\"share\":0.2}}]}}\n"
        ));
    }
    fs::write(folder.join("found.jsonl"), lines).expect("written");
}

/// Every file below a folder by its path, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut left = vec![PathBuf::new()];
    while let Some(below) = left.pop() {
        for entry in fs::read_dir(folder.join(&below)).expect("a folder").flatten() {
            let path = below.join(entry.file_name());
            match entry.path().is_dir() {
                true => left.push(path),
                false => {
                    let bytes = fs::read(entry.path()).expect("a file");
                    all.insert(path.to_string_lossy().into_owned(), bytes);
                }
            }
        }
    }
    all
}

const WRITE: [&str; 5] = ["library", "write", "found.jsonl", "--root", "library"];

#[test]
fn positions_are_written_only_when_asked_and_taken_back_byte_for_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let names = prepare(at, 60);
    let library = at.join("library");
    // One photo has a sidecar of another program.
    let other = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/\
                 22-rdf-syntax-ns#\"><rdf:Description xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
                 xmp:Rating=\"5\"/></rdf:RDF></x:xmpmeta>";
    fs::write(library.join(format!("{}.xmp", names[7])), other).expect("written");
    fs::write(library.join(format!("{}.xmp", names[8])), "<html></html>").expect("written");
    let sidecar = library.join(format!("{}.xmp", names[7]));
    let file = fs::File::options().write(true).open(&sidecar).expect("opened");
    let past = std::time::SystemTime::now() - Duration::from_secs(7 * 86_400);
    file.set_modified(past).expect("set");
    let modified = || fs::metadata(&sidecar).and_then(|it| it.modified()).expect("a time");
    let time = modified();
    let before = files(&library);
    planet(at)
        .args(WRITE)
        .args(["--page", "page.html"])
        .assert()
        .success()
        .stdout(contains("new sidecars                     58"))
        .stdout(contains("files to change                   1"))
        .stdout(contains("is not an XMP document"))
        .stderr(contains("--apply"));
    assert_eq!(files(&library), before, "a dry run changes nothing");
    let page = fs::read_to_string(at.join("page.html")).expect("a page");
    assert!(
        page.contains("7 minutes after a.jpg (80 %), what the photo shows (20 %)")
            && page.contains("data:image/jpeg")
    );

    planet(at).args(WRITE).args(["--apply"]).assert().success();
    let written = files(&library);
    let sidecar =
        |name: &str| String::from_utf8_lossy(&written[&format!("{name}.xmp")]).into_owned();
    assert!(sidecar(&names[7]).contains("xmp:Rating=\"5\""));
    let method =
        "PlaNet estimate (city, 90 %): 7 minutes after a.jpg (80 %), what the photo shows (20 %)";
    assert!(sidecar(&names[7]).contains(method), "{}", sidecar(&names[7]));
    assert_eq!(sidecar(&names[8]), "<html></html>");
    for (name, bytes) in &before {
        let is_changed = *name == format!("{}.xmp", names[7]);
        assert!(is_changed || written[name] == *bytes, "{name}");
    }
    // What is written is an estimate, and nothing is left to write.
    planet(at).args(["library", "status", "library"]).assert().success().stderr(
        contains("0 photos with a known position")
            .and(contains("59 photos: PlaNet estimate (city)")),
    );
    planet(at)
        .args(WRITE)
        .args(["--apply"])
        .assert()
        .success()
        .stdout(contains("written already                  59"));
    assert_eq!(files(&library), written);
    // Positions that are known from the files are never replaced.
    let undo = ["library", "undo", "found.jsonl.journal"];
    fs::write(library.join(format!("{}.xmp", names[9])), "mine").expect("written");
    planet(at)
        .args(undo)
        .assert()
        .success()
        .stdout(contains("restored              58").and(contains("changed since          1")));
    fs::remove_file(library.join(format!("{}.xmp", names[9]))).expect("removed");
    assert_eq!(files(&library), before, "every byte is back");
    assert_eq!(modified(), time, "and the time of the last change");
    planet(at).args(undo).assert().success().stdout(contains("as before             59"));
    planet(at).args(["library", "forget", "found.jsonl.journal"]).assert().success();
    assert!(!at.join("found.jsonl.journal.kept").exists());
}

#[test]
fn photos_that_must_not_be_touched_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let mut names = prepare(at, 4);
    let library = at.join("library");
    // Answers for a photo outside, for one that is missing, and before a change of a photo.
    fs::copy(library.join(&names[0]), at.join("outside.jpg")).expect("copied");
    names.push("../outside.jpg".to_owned());
    names.push("gone.jpg".to_owned());
    answers(at, &names, 0.0);
    let old = fs::File::options().write(true).open(at.join("found.jsonl")).expect("opened");
    let past = std::time::SystemTime::now() - Duration::from_secs(3600);
    let [earlier, later] = [past, past + Duration::from_secs(1800)];
    for name in &names[..4] {
        let photo = fs::File::options().write(true).open(library.join(name)).expect("opened");
        photo.set_modified(earlier).expect("set");
    }
    old.set_modified(past + Duration::from_secs(900)).expect("set");
    let changed = fs::File::options().write(true).open(library.join(&names[1])).expect("opened");
    changed.set_modified(later).expect("set");
    // A raw file beside a photo: `photo.xmp` would be both files' sidecar.
    let stem = library.join(&names[2]).with_extension("dng");
    fs::write(&stem, "raw").expect("written");
    planet(at)
        .args(WRITE)
        .args(["--sidecar-name", "adobe"])
        .assert()
        .success()
        .stdout(contains("new sidecars                      2"))
        .stdout(contains("outside the library"))
        .stdout(contains("photo not found"))
        .stdout(contains("changed since it was located"))
        .stdout(contains("two files share its name"));
    planet(at)
        .args(WRITE)
        .args(["--journal", "library/j"])
        .assert()
        .code(2)
        .stderr(contains("would lie in the library"));
    planet(at)
        .args(["library", "write", "found.jsonl", "--root", "library/author-0-00000/nowhere"])
        .assert()
        .code(1);
}

/// The positions that exiftool reads from files, by their path; `None` where it is not installed.
fn read_by_exiftool(folder: &Path) -> Option<BTreeMap<String, (f64, f64)>> {
    let mut exiftool = Process::new("exiftool");
    exiftool.args(["-j", "-n", "-r"]).current_dir(folder);
    exiftool.args(["xmp", "jpg", "heic", "avif", "webp"].iter().flat_map(|it| ["-ext", it]));
    let output = exiftool.args(["-GPSLatitude", "-GPSLongitude", "library"]).output().ok()?;
    let found: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let position = |it: &serde_json::Value| {
        let path = it["SourceFile"].as_str()?.strip_prefix("library/")?.to_owned();
        Some((path, (it["GPSLatitude"].as_f64()?, it["GPSLongitude"].as_f64()?)))
    };
    Some(found.iter().filter_map(position).collect())
}

/// The position that exiv2 reads from a file; `None` where exiv2 is not installed or does not know
/// the format.
fn read_by_exiv2(file: &Path) -> Option<(f64, f64)> {
    let output = Process::new("exiv2").args(["-q", "-Pkv"]).arg(file).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if text.trim().is_empty() {
        return None;
    }
    let value = |key: &str| {
        let is_key = |line: &&str| line.split_whitespace().next() == Some(key);
        let line = text.lines().find(is_key)?;
        Some(line[key.len()..].trim().to_owned())
    };
    // In XMP `45,41.125926N`; in EXIF three fractions, and the hemisphere in a tag of its own.
    let of = |axis: &str| -> Option<f64> {
        if let Some(text) = value(&format!("Xmp.exif.GPS{axis}")) {
            let (number, hemisphere) = text.split_at(text.len() - 1);
            let (degrees, minutes) = number.split_once(',')?;
            let degrees = degrees.parse::<f64>().ok()? + minutes.parse::<f64>().ok()? / 60.0;
            return Some(if matches!(hemisphere, "S" | "W") { -degrees } else { degrees });
        }
        let fractions = value(&format!("Exif.GPSInfo.GPS{axis}"))?;
        let part = |text: &str| -> Option<f64> {
            let (above, below) = text.split_once('/')?;
            Some(above.parse::<f64>().ok()? / below.parse::<f64>().ok()?)
        };
        let parts: Vec<f64> = fractions.split(' ').filter_map(part).collect();
        let [degrees, minutes, seconds] = parts[..] else { return None };
        let degrees = degrees + minutes / 60.0 + seconds / 3600.0;
        let hemisphere = value(&format!("Exif.GPSInfo.GPS{axis}Ref"))?;
        Some(if matches!(&*hemisphere, "S" | "W") { -degrees } else { degrees })
    };
    Some((of("Latitude").expect("a latitude"), of("Longitude").expect("a longitude")))
}

/// Compares what exiftool and exiv2 read with the answers, within 2 cm; `ending` stands behind the
/// photos' names. `false` where exiftool is not installed.
fn agree(folder: &Path, ending: &str, names: &[String]) -> bool {
    let Some(read) = read_by_exiftool(folder) else { return false };
    if read_by_exiv2(&folder.join("library").join(format!("{}{ending}", names[0]))).is_none() {
        eprintln!("not compared with exiv2: it is not installed");
    }
    let found = fs::read_to_string(folder.join("found.jsonl")).expect("answers");
    for (line, name) in found.lines().zip(names) {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let wanted = ["lat", "lng"].map(|it| line["certain"][it].as_f64().expect("a position"));
        let name = format!("{name}{ending}");
        let by_exiftool = read.get(&name).copied().unwrap_or_default();
        let by_exiv2 = read_by_exiv2(&folder.join("library").join(&name));
        let at = |lat, lng| planet_geo::LatLng::new(lat, lng).expect("degrees");
        for (lat, lng) in [Some(by_exiftool), by_exiv2].into_iter().flatten() {
            let off = at(lat, lng).distance_to(at(wanted[0], wanted[1]));
            assert!(off <= planet_geo::Distance::from_m(0.02), "{name}: {off} off, {lat}, {lng}");
        }
    }
    true
}

#[test]
fn exiftool_and_exiv2_read_every_position_of_sidecars_within_two_centimetres() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = prepare(folder.path(), 40);
    planet(folder.path()).args(WRITE).args(["--apply"]).assert().success();
    if !agree(folder.path(), ".xmp", &names) {
        eprintln!("skipped: exiftool is not installed");
    }
}

#[test]
fn photos_are_written_through_exiftool_and_keep_all_but_their_position() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let names = prepare(at, 12);
    let library = at.join("library");
    let into = ["--into", "photos"];
    planet(at)
        .args(WRITE)
        .args(into)
        .args(["--exiftool", "no-such-program"])
        .assert()
        .code(1)
        .stderr(contains("install exiftool"));
    if read_by_exiftool(at).is_none() {
        eprintln!("skipped: exiftool is not installed");
        return;
    }
    let before = files(&library);
    let modified = |name: &str| {
        fs::metadata(library.join(name)).and_then(|about| about.modified()).expect("a time")
    };
    let times: Vec<_> = names.iter().map(|name| modified(name)).collect();
    planet(at)
        .args(WRITE)
        .args(into)
        .args(["--apply"])
        .assert()
        .success()
        .stdout(contains("files to change                  12"));
    assert!(agree(at, "", &names));
    assert_eq!(names.iter().map(|name| modified(name)).collect::<Vec<_>>(), times);
    let after = files(&library);
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    // The scan of the picture, from its start to the end of the file, is as before.
    let scan = |bytes: &[u8]| {
        let start = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).expect("a scan");
        bytes[start..].to_vec()
    };
    for name in &names {
        assert!(after[name] != before[name] && scan(&after[name]) == scan(&before[name]), "{name}");
    }
    planet(at)
        .args(WRITE)
        .args(into)
        .args(["--apply"])
        .assert()
        .success()
        .stdout(contains("written already                  12"));
    planet(at)
        .args(["library", "undo", "found.jsonl.journal"])
        .assert()
        .success()
        .stdout(contains("restored              12"));
    assert!(files(&library) == before, "every byte is back");
    assert_eq!(names.iter().map(|name| modified(name)).collect::<Vec<_>>(), times);
}

#[test]
fn webp_heic_and_avif_are_written_through_exiftool_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../planet-data/tests/golden");
    let library = at.join("library");
    fs::create_dir(&library).expect("a folder");
    let photos = ["heif/photo.avif", "heif/photo.heic", "photos/lossy.webp"];
    let names = photos.map(|it| it.rsplit('/').next().unwrap_or(it).to_owned());
    for (photo, name) in photos.iter().zip(&names) {
        fs::copy(golden.join(photo), library.join(name)).expect("copied");
    }
    answers(at, &names, 0.0);
    if read_by_exiftool(at).is_none() {
        eprintln!("skipped: exiftool is not installed");
        return;
    }
    let before = files(&library);
    let write = || {
        let mut command = planet(at);
        command.args(WRITE).args(["--into", "photos", "--apply"]);
        command.assert().success()
    };
    write().stdout(contains("files to change                   3"));
    assert!(agree(at, "", &names));
    write().stdout(contains("written already                   3"));
    planet(at).args(["library", "undo", "found.jsonl.journal"]).assert().success();
    assert!(files(&library) == before, "every byte is back");
}

#[test]
fn measured_positions_are_written_with_their_own_method_and_accuracy_and_alone_on_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let names = prepare(at, 4);
    let library = at.join("library");
    // The first photo's position is from a track, the second one's stands in Takeout's file.
    let found = fs::read_to_string(at.join("found.jsonl")).expect("answers");
    let mut lines: Vec<String> = found.lines().map(str::to_owned).collect();
    lines[0] = format!(
        "{{\"photo\":{:?},\"predictions\":[{{\"probability\":1.0,\"lat\":45.4,\"lng\":12.3,\
         \"radius_km\":0.0123}}],\"certain\":{{\"level\":\"street\",\"name\":\"\",\"lat\":45.4,\
         \"lng\":12.3,\"radius_km\":1.0,\"probability\":0.99}},\
         \"evidence\":[{{\"kind\":\"track\",\"share\":1.0}}]}}",
        names[0]
    );
    lines[1] = format!(
        "{{\"photo\":{:?},\"predictions\":[{{\"probability\":1.0,\"lat\":-33.9,\"lng\":18.4}}],\
         \"truth\":{{\"lat\":-33.9,\"lng\":18.4}}}}",
        names[1]
    );
    let takeout = library.join(format!("{}.json", names[1]));
    fs::write(takeout, r#"{"geoData":{"latitude":-33.9,"longitude":18.4}}"#).expect("written");
    fs::write(at.join("found.jsonl"), lines.join("\n") + "\n").expect("written");
    let exact = || {
        let mut command = planet(at);
        command.args(WRITE).args(["--exact-only", "--apply"]);
        command.assert().success()
    };
    exact()
        .stdout(contains("from tracks                       1"))
        .stdout(contains("from Google Takeout               1"))
        .stdout(contains("estimates, not written            2"))
        .stdout(contains("new sidecars                      2"));
    let sidecar =
        |name: &str| fs::read_to_string(library.join(format!("{name}.xmp"))).expect("a sidecar");
    let (track, takeout) = (sidecar(&names[0]), sidecar(&names[1]));
    assert!(track.contains("GPS track") && track.contains("13"), "{track}");
    assert!(takeout.contains("Google Takeout") && !takeout.contains("GPSHPositioningError"));
    assert!(
        ![&track, &takeout]
            .iter()
            .any(|it| it.contains("Estimated") || it.contains("PlaNet estimate"))
    );
    exact().stdout(contains("written already                   2"));
    // They are known positions from now on, and no estimates.
    planet(at)
        .args(["library", "status", "library"])
        .assert()
        .success()
        .stderr(contains("2 photos with a known position"));
}

/// Kills a command at a moment that grows from run to run; whether it was still running.
fn killed_after(folder: &Path, arguments: &[&str], wait: Duration) -> bool {
    let mut child = Process::new(env!("CARGO_BIN_EXE_planet"))
        .current_dir(folder)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    thread::sleep(wait);
    let was_running = child.try_wait().expect("waited").is_none();
    child.kill().expect("killed");
    child.wait().expect("ended");
    was_running
}

fn kills(photos: usize, kills: u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let names = prepare(at, photos);
    let library = at.join("library");
    for (at, name) in names.iter().enumerate().filter(|(at, _)| at % 3 == 0) {
        let text = format!(
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
             <rdf:Description rdf:about=\"{at}\"/></rdf:RDF>"
        );
        fs::write(library.join(format!("{name}.xmp")), text).expect("written");
    }
    let before = files(&library);
    let apply: Vec<&str> = WRITE.into_iter().chain(["--apply"]).collect();
    planet(at).args(&apply).assert().success();
    let after = files(&library);
    let undo = ["library", "undo", "found.jsonl.journal"];
    planet(at).args(undo).assert().success();
    assert_eq!(files(&library), before);
    fs::remove_file(at.join("found.jsonl.journal")).expect("removed");
    for kill in 0..kills {
        let wait = Duration::from_millis(u64::from(kill) * 1500 / u64::from(kills));
        let forth = kill % 2 == 0;
        let _ = killed_after(at, if forth { &apply } else { &undo }, wait);
        for (name, bytes) in files(&library) {
            let known = [&before, &after].map(|all| all.get(&name));
            // What a killed process was writing under a temporary name is no file of the library.
            let is_temporary = name.rsplit('/').next().is_some_and(|it| it.starts_with(".planet-"));
            assert!(is_temporary || known.contains(&Some(&bytes)), "{name} after kill {kill}");
        }
    }
    planet(at).args(&apply).assert().success();
    assert!(files(&library) == after, "the second run completes");
    planet(at).args(undo).assert().success().stdout(contains("changed since          0"));
    assert!(files(&library) == before, "every byte is back");
}

#[test]
fn a_process_that_is_killed_leaves_every_sidecar_old_or_new() {
    kills(300, 6);
}

/// `cargo nextest run --workspace --test library_write --run-ignored all -E 'test(two_hundred)'`
#[test]
#[ignore = "takes minutes"]
fn two_hundred_kills_leave_every_sidecar_old_or_new() {
    kills(2000, 200);
}
