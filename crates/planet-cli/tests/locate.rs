//! `planet locate` where something ends it, stands in its way or watches it.

#[path = "support/foreign.rs"]
mod foreign;

use std::{
    fs,
    path::Path,
    process::{Child, Command as Process, Stdio},
    thread,
    time::Duration,
};

use foreign::{import, planet, prepare};
use planet_geo::{CellId, LatLng, Level};
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn start(folder: &Path, arguments: &[&str], out: Stdio) -> Child {
    Process::new(env!("CARGO_BIN_EXE_planet"))
        .current_dir(folder)
        .args(["locate", "photos", "--model", "model", "--engine", "rten", "--batch", "1"])
        .args(arguments)
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .expect("started")
}

#[test]
fn whoever_has_read_enough_is_no_error() {
    let folder = prepare("40");
    for format in ["text", "jsonl", "csv", "geojson"] {
        let mut child = start(folder.path(), &["--format", format], Stdio::piped());
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("ended");
        assert!(ended.status.success(), "{format}: {ended:?}");
        assert!(ended.stderr.is_empty(), "{format}: {ended:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = prepare("4");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has one");
    let ended = start(folder.path(), &["--format", "jsonl"], full.into()).wait_with_output();
    let ended = ended.expect("ended");
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("cannot write to standard output"), "{said}");
}

/// As Ctrl-C does: what is done is kept, and --resume gives what a whole run gives.
#[cfg(unix)]
#[test]
fn a_run_that_the_user_ends_goes_on_where_it_stopped() {
    let folder = prepare("600");
    let folder = folder.path();
    let whole = ["-o", "whole.jsonl", "--map", "whole.svg"];
    let whole = start(folder, &whole, Stdio::null()).wait().expect("ended");
    assert!(whole.success());
    let child = start(folder, &["-o", "out.jsonl"], Stdio::null());
    let begun = || fs::metadata(folder.join("out.jsonl.part")).map_or(0, |it| it.len()) > 0;
    while !begun() {
        thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    assert!(Process::new("kill").args(["-INT", &pid]).status().expect("sent").success());
    let ended = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted") && said.contains("--resume"), "{said}");
    assert!(!folder.join("out.jsonl").exists());
    let refused = |arguments: &[&str], code: i32, what: &str| {
        let ended = start(folder, arguments, Stdio::null()).wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{said}");
        assert!(said.contains(what), "{said}");
    };
    refused(&["-o", "out.jsonl"], 1, "--resume");
    refused(&["-o", "out.jsonl", "--resume", "--top", "2"], 1, "was written with --top 5, not 2");
    let resumed = ["-o", "out.jsonl", "--resume", "--map", "resumed.svg"];
    let rest = start(folder, &resumed, Stdio::null()).wait();
    assert!(rest.expect("ended").success());
    // A complete output is neither begun again nor taken for one of other settings.
    refused(&["-o", "out.jsonl", "--resume"], 0, "is complete");
    let read = |name: &str| fs::read(folder.join(name)).expect("predictions");
    assert!(read("out.jsonl") == read("whole.jsonl"));
    assert!(read("resumed.svg") == read("whole.svg"), "earlier photos are on the map too");
}

/// `script` of util-linux gives a program a terminal.
#[cfg(target_os = "linux")]
#[test]
fn one_photo_at_a_terminal_has_a_small_map_and_several_have_none() {
    if Process::new("script").arg("--version").output().is_err() {
        return;
    }
    let folder = prepare("2");
    let photos = planet_data::photos_below(&folder.path().join("photos")).expect("photos");
    let at_a_terminal = |photos: &[String], environment: &str| {
        let planet = env!("CARGO_BIN_EXE_planet");
        let photos = photos.join(" ");
        let line = format!(
            "stty cols 100 rows 30; {environment} {planet} locate {photos} --model model --engine rten --no-names \
             2>/dev/null"
        );
        let output = Process::new("script")
            .current_dir(folder.path())
            .env_remove("NO_COLOR")
            .env("TERM", "xterm-256color")
            .args(["-qec", &line, "/dev/null"])
            .output()
            .expect("ran");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let one = at_a_terminal(&photos[..1], "");
    assert_eq!(one.matches("38;2;").count(), one.matches('▀').count(), "{one}");
    // 100 columns for 360 degrees, two rows a line for 140.
    assert_eq!(one.matches('▀').count(), 100 * 20, "{one}");
    assert!(one.contains("\u{1b}[1m"), "bold in {one}");
    assert!(!at_a_terminal(&photos, "").contains('▀'));
    let plain = at_a_terminal(&photos[..1], "NO_COLOR=1");
    assert!(!plain.contains('▀') && !plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn ground_is_a_country_a_box_or_a_polygon() {
    let folder = prepare("1");
    let folder = folder.path();
    let ring = "[[140,-40],[160,-40],[160,-20],[140,-20],[140,-40]]";
    let polygon = format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#);
    fs::write(folder.join("sydney.geojson"), polygon).expect("written");
    fs::write(folder.join("none.geojson"), r#"{"type":"Point"}"#).expect("written");
    let locate = |ground: &str| {
        let mut command = planet(folder);
        command.args(["locate", "photos", "--model", "model", "--engine", "rten", "--no-names"]);
        command.args(["--format", "csv", "--within", ground]);
        command.assert()
    };
    let paris = contains(",0,0,48.8584,2.2945,1\n");
    let sydney = contains(",0,1,-33.8568,151.2153,1\n");
    locate("fr").success().stdout(paris);
    locate("-40,140,-20,160").success().stdout(sydney.clone());
    locate("sydney.geojson").success().stdout(sydney);
    // Two of three classes: what is left sums to one.
    locate("0,-80,60,10").success().stdout(contains("151.2153").not());
    locate("none.geojson").code(1).stderr(contains("none.geojson: contains no Polygon"));
    locate("atlantis").code(2).stderr(contains("'atlantis' is neither an ISO country code"));
}

#[test]
fn a_compressed_output_is_compressed_and_a_name_must_fit_its_format() {
    let folder = prepare("2");
    let folder = folder.path();
    let locate = |arguments: &[&str]| {
        let mut command = planet(folder);
        command.args(["locate", "photos", "--model", "model", "--engine", "rten", "--no-names"]);
        command.args(arguments).assert()
    };
    locate(&["-o", "out.jsonl.gz"]).success();
    let start = fs::read(folder.join("out.jsonl.gz")).expect("written");
    assert_eq!(start[..2], [0x1f, 0x8b]);
    locate(&["-o", "out.txt", "--format", "text"]).success();
    let text = fs::read_to_string(folder.join("out.txt")).expect("written");
    assert!(text.contains("photos") && !text.contains('\u{1b}'), "{text}");
    locate(&["-o", "x.jsonl", "--format", "exiftool"]).code(2).stderr(contains("exiftool"));
    locate(&["-o", "x.csv", "--format", "exiftool"]).success();
    locate(&["--map", "x.pdf", "-o", "y.jsonl"]).code(2).stderr(contains("x.pdf"));
    assert!(!folder.join("y.jsonl").exists());
}

#[test]
fn what_is_no_photo_is_named_before_a_model_is_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let locate = |photo: &str| {
        let mut command = planet(folder);
        command.args(["locate", photo, "--model", "nowhere"]).assert()
    };
    locate("nosuch").code(1).stderr(contains("no such photo, folder or manifest"));
    locate("nosuch.csv").code(1).stderr(contains("no such manifest").and(contains("dataset scan")));
    locate("https://example.org/a.jpg").code(2).stderr(contains("does not download files"));
}

#[test]
fn a_country_wins_over_a_folder_of_its_name() {
    let folder = prepare("1");
    fs::create_dir(folder.path().join("FR")).expect("a folder");
    planet(folder.path())
        .args(["locate", "photos", "--model", "model", "--engine", "rten", "--no-names"])
        .args(["--format", "csv", "--within", "FR"])
        .assert()
        .success()
        .stdout(contains(",0,0,48.8584,2.2945,1\n"));
}

#[test]
fn a_reader_that_stops_early_is_no_error_for_completions() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Process::new(env!("CARGO_BIN_EXE_planet"))
        .current_dir(folder.path())
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("ended");
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn every_subcommand_has_a_manual_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    planet(at).args(["man", "-o", "man"]).assert().success();
    let page = |name: &str| fs::read_to_string(at.join("man").join(name)).unwrap_or_default();
    assert!(page("planet.1").contains(".TH planet 1"));
    let train = page("planet-album-train.1");
    assert!(train.contains("scheme") && train.contains("embeddings"), "{train}");
    let pages = fs::read_dir(at.join("man")).expect("pages").count();
    assert!(pages > 40, "{pages} pages");
    planet(at).arg("man").assert().success().stdout(contains(".TH planet 1"));
}

#[test]
fn without_a_model_the_ways_to_one_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let ways = || contains("planet demo").and(contains("planet train --photos"));
    for command in [["locate", "photo.jpg", "-o", "a.csv"], ["explain", "photo.jpg", "-o", "a.png"]]
    {
        planet(folder.path())
            .args(command)
            .assert()
            .code(2)
            .stderr(ways().and(contains("planet model import")));
    }
}

/// A JPEG without its EXIF, which states where it was taken.
fn without_exif(jpeg: &[u8]) -> Vec<u8> {
    let (start, mut rest) = jpeg.split_at(2);
    let mut stripped = start.to_vec();
    while let [0xFF, marker @ 0xC0..=0xFE, high, low, ..] = *rest {
        let (segment, behind) = rest.split_at(2 + usize::from(u16::from_be_bytes([high, low])));
        if marker != 0xE1 {
            stripped.extend(segment);
        }
        rest = behind;
        if marker == 0xDA {
            break;
        }
    }
    [stripped, rest.to_vec()].concat()
}

#[test]
fn what_is_coarser_than_the_level_asked_for_is_not_offered_for_writing() {
    let folder = prepare("9");
    let folder = folder.path();
    // Cells of a thousand kilometres, of whose photos nothing is known but the cell.
    let rows = [(48.9, 2.3), (-33.9, 151.2), (40.7, -74.0)].map(|(lat, lng)| {
        let place = LatLng::new(lat, lng).expect("in range");
        let cell = CellId::containing(place, Level::new(3).expect("a level"));
        let centre = cell.centre();
        format!("{},0,{},{},{1},{2}\n", cell.token(), centre.lat(), centre.lng())
    });
    let head = "# format=planet-partition-1\n# scheme=cells\n# point=centre\n\
                cell,photos,lat,lng,centre_lat,centre_lng\n";
    fs::write(folder.join("gallery.csv"), format!("{head}{}", rows.concat())).expect("cells");
    import(folder).assert().success();
    let authors = fs::read_dir(folder.join("photos")).expect("photos").flatten();
    for photo in authors.filter_map(|author| fs::read_dir(author.path()).ok()).flatten().flatten() {
        let jpeg = fs::read(photo.path()).expect("a photo");
        fs::write(photo.path(), without_exif(&jpeg)).expect("the photo");
    }
    let locate = |level: &[&str]| {
        let mut command = planet(folder);
        command.args(["locate", "photos", "--model", "model", "--engine", "rten", "--certain"]);
        command.args(["0.33", "--format", "exiftool"]).args(level).assert().success()
    };
    locate(&["--level", "continent"]).stderr(contains("9 positions written ("));
    for level in [&[][..], &["--level", "street"]] {
        let name = level.last().unwrap_or(&"city");
        locate(level)
            .stderr(contains("0 positions written; not written: 9 coarser than --level"))
            .stderr(contains(format!("--level {name} (")))
            .stdout(contains("photos/").not());
    }
}
