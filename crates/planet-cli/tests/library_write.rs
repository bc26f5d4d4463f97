//! `planet library write`, `undo`, `status` and `forget`: nothing is lost, whatever ends them.

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
             \"evidence\":[{{\"kind\":\"neighbour\",\"share\":0.8}},{{\"kind\":\"model\",\"share\":0.2}}]}}\n"
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
    assert!(page.contains("neighbour 80 %, model 20 %") && page.contains("data:image/jpeg"));

    planet(at).args(WRITE).args(["--apply"]).assert().success();
    let written = files(&library);
    let sidecar =
        |name: &str| String::from_utf8_lossy(&written[&format!("{name}.xmp")]).into_owned();
    assert!(sidecar(&names[7]).contains("xmp:Rating=\"5\""));
    let method = "PlaNet estimate (city, 90 %): neighbour 80 %, model 20 %";
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
