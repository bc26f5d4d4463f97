//! `planet partition` from end to end.

use std::{fmt::Write, fs, path::Path};

use assert_cmd::Command;
use predicates::{prelude::*, str::contains};
use tempfile::TempDir;

fn planet(folder: &Path) -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("planet");
    command.current_dir(folder).arg("partition");
    command
}

/// A folder with 2,000 photos round eight places and a few far from all.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::from("photo,lat,lng,split\n");
    for photo in 0..2000_u32 {
        let place = f64::from(photo % 8);
        let turn = f64::from(photo) * 2.4;
        let reach = f64::from(photo) / 2000.0;
        let lat = place * 10.0 - 35.0 + reach * turn.sin();
        let lng = place * 40.0 - 150.0 + reach * turn.cos();
        let split = if photo % 4 == 0 { "validation" } else { "train" };
        writeln!(text, "{photo}.jpg,{lat:.5},{lng:.5},{split}").expect("a string");
    }
    text.push_str("far.jpg,80,0,train\nnone.jpg,,,train\nnorth.jpg,95,0,train\n");
    fs::write(folder.path().join("photos.csv"), text).expect("written");
    folder
}

fn built(folder: &Path) -> Command {
    let mut command = planet(folder);
    command.args(["build", "photos.csv", "-o", "p.csv", "--split-above", "100"]);
    command.args(["--keep-from", "10"]);
    command
}

fn json(command: &mut Command) -> serde_json::Value {
    let output = command.arg("--json").assert().success();
    serde_json::from_slice(&output.get_output().stdout).expect("JSON")
}

#[test]
fn build_writes_a_partition_and_names_what_it_skipped() {
    let folder = folder();
    built(folder.path())
        .assert()
        .success()
        .stdout(contains("photos outside  "))
        .stderr(contains("skipped 1 row without a position; the first: photos.csv:2003:"))
        .stderr(contains("skipped 1 row with a latitude beyond ±90; the first: photos.csv:2004:"));
    let text = fs::read_to_string(folder.path().join("p.csv")).expect("written");
    assert!(
        text.starts_with("# format=planet-partition-1\n# scheme=adaptive\n# split_above=100\n")
    );
    assert!(text.contains("# source=photos.csv\n"));
    let classes = text.lines().filter(|line| !line.starts_with('#')).count() - 1;
    let summary = json(planet(folder.path()).args(["show", "p.csv"]));
    assert_eq!(summary["classes"], classes);
    let photos = summary["photos"].as_u64().expect("a count");
    assert_eq!(photos + summary["photos_outside"].as_u64().expect("a count"), 2001);
    planet(folder.path())
        .args(["show", "p.csv"])
        .assert()
        .success()
        .stdout(contains(format!("classes         {classes}\n")));
}

#[test]
fn strict_ends_at_the_first_bad_row_and_leaves_no_file() {
    let folder = folder();
    built(folder.path())
        .arg("--strict")
        .assert()
        .code(1)
        .stderr(contains("photos.csv:2003: the row has no position"))
        .stderr(contains("hint:"));
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
}

#[test]
fn a_split_standard_input_and_compressed_files_give_the_same_partition() {
    let folder = folder();
    let build = |arguments: &[&str], stdin: &str| {
        let mut command = planet(folder.path());
        command.arg("build").args(arguments).args(["--split-above", "100", "-o", "-"]);
        let output = command.write_stdin(stdin.to_owned()).assert().success();
        let text = String::from_utf8(output.get_output().stdout.clone()).expect("text");
        let lines = text.lines().filter(|line| !line.starts_with("# source"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let text = fs::read_to_string(folder.path().join("photos.csv")).expect("read");
    let train = text.lines().filter(|line| !line.ends_with("validation"));
    let train = train.map(|line| format!("{line}\n")).collect::<String>();
    let split = build(&["photos.csv:train"], "");
    assert_eq!(build(&["-"], &train), split);
    assert_eq!(build(&["-", "--lat-column", "lat", "--lng-column", "3"], &train), split);
    planet(folder.path())
        .args(["map", "-", "-o", "q.csv.gz"])
        .write_stdin(split.clone())
        .assert()
        .success();
    assert_eq!(
        json(planet(folder.path()).args(["show", "q.csv.gz"])),
        json(planet(folder.path()).args(["show", "-"]).write_stdin(split)),
    );
}

#[test]
fn uniform_keeps_the_cells_of_one_level() {
    let folder = folder();
    planet(folder.path())
        .args(["uniform", "photos.csv", "--level", "4", "-o", "p.csv"])
        .assert()
        .success()
        .stdout(contains("photos inside   2001 (100.00 %)"));
    let summary = json(planet(folder.path()).args(["show", "p.csv"]));
    let levels: Vec<&String> = summary["levels"].as_object().expect("levels").keys().collect();
    assert_eq!(levels, ["4"]);
}

#[test]
fn maps_are_written_in_every_format_and_a_region_is_for_pictures() {
    let folder = folder();
    built(folder.path()).assert().success();
    let starts: [(&str, &[u8]); 4] = [
        ("m.svg", b"<svg"),
        ("m.png", b"\x89PNG"),
        ("m.geojson", b"{\"type\""),
        ("m.kml", b"<?xml"),
    ];
    for (name, start) in starts {
        planet(folder.path()).args(["map", "p.csv", "-o", name]).assert().success();
        let bytes = fs::read(folder.path().join(name)).expect("written");
        assert!(bytes.starts_with(start), "{name}");
    }
    let map = |name: &str, region: &str| {
        let mut command = planet(folder.path());
        command.args(["map", "p.csv", "-o", name, "--region", region]).assert()
    };
    map("r.svg", "-40,-160,-30,-140").success();
    map("r.kml", "-40,-160,-30,-140").code(2);
    map("r.svg", "5,0,1,9").code(2);
    planet(folder.path())
        .args(["map", "p.csv", "-o", "m.gif"])
        .assert()
        .code(2)
        .stderr(contains(".png"));
}

#[test]
fn ceiling_tells_the_own_cell_from_any_class() {
    let folder = folder();
    built(folder.path()).assert().success();
    let ceiling = ["ceiling", "p.csv", "photos.csv"];
    let shares = json(planet(folder.path()).args(ceiling));
    assert_eq!(shares["positions"], 2001);
    for scale in ["street", "city", "region", "country", "continent"] {
        let share = |of: &str| shares[of][scale].as_f64().expect("a share");
        assert!(share("own_cell") <= share("any_class"), "{scale}");
    }
    assert!(shares["any_class"]["region"].as_f64() > Some(0.99));
    let printed = planet(folder.path()).args(ceiling).assert().success();
    printed.stdout(contains("street (1 km)").and(contains("any class")));
}

#[test]
fn compare_counts_shared_finer_and_coarser_cells() {
    let folder = folder();
    built(folder.path()).assert().success();
    planet(folder.path())
        .args(["build", "photos.csv", "-o", "q.csv", "--split-above", "30", "--keep-from", "10"])
        .assert()
        .success();
    planet(folder.path())
        .args(["compare", "p.csv", "p.csv"])
        .assert()
        .success()
        .stdout(contains("same classes, same order, same points"));
    planet(folder.path())
        .args(["compare", "p.csv", "q.csv"])
        .assert()
        .success()
        .stdout(contains("different").and(contains("inside one of the other")));
}

#[test]
fn merge_leaves_so_many_classes_with_all_cells_and_photos() {
    let folder = folder();
    built(folder.path()).assert().success();
    let merge = |classes: &str, output: &str| {
        let mut command = planet(folder.path());
        command.args(["merge", "p.csv", "--classes", classes, "--seed", "3", "-o", output]);
        command.assert()
    };
    merge("9", "merged.csv").success().stdout(contains("classes         9"));
    let shown = json(planet(folder.path()).args(["show", "merged.csv"]));
    let whole = json(planet(folder.path()).args(["show", "p.csv"]));
    assert_eq!((&shown["scheme"], &shown["classes"]), (&"merged".into(), &9.into()));
    assert_eq!(shown["photos"], whole["photos"]);
    assert!(shown["photos"].as_u64() > Some(1000));
    planet(folder.path())
        .args(["compare", "p.csv", "merged.csv"])
        .assert()
        .success()
        .stdout(contains(format!("{:<28}{:>14}{:>14}", "  outside the other", 0, 0)));
    merge("9999", "never.csv").code(1).stderr(contains("cannot be merged into 9999"));
    assert!(!folder.path().join("never.csv").exists());
}

#[test]
fn rules_that_contradict_each_other_are_a_usage_error_before_anything_is_read() {
    let folder = folder();
    let build = |arguments: &[&str]| {
        let mut command = planet(folder.path());
        command.args(["build", "nowhere.csv", "-o", "p.csv"]).args(arguments).assert()
    };
    build(&["--split-above", "10", "--keep-from", "50"])
        .code(2)
        .stderr(contains("every cell would be dropped").and(contains("hint:")));
    build(&["--min-level", "9", "--max-level", "4"]).code(2).stderr(contains("hint:"));
    build(&["--max-level", "31"]).code(2);
    build(&[]).code(1).stderr(contains("nowhere.csv"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_the_old_file_and_no_other() {
    use std::{
        io::Write,
        process::{Command as Process, Stdio},
    };

    let folder = folder();
    fs::write(folder.path().join("p.csv"), "old").expect("written");
    let mut child = Process::new(assert_cmd::cargo::cargo_bin!("planet"))
        .current_dir(folder.path())
        .args(["partition", "build", "-", "-o", "p.csv", "--overwrite"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stdin = child.stdin.take().expect("piped");
    // Rows without end: only the interrupt ends the work, and then the pipe.
    let rows = "45.5,7.25\n".repeat(10_000);
    let mut sent = stdin.write_all(b"lat,lng\n");
    for round in 0.. {
        if sent.is_err() {
            break;
        }
        sent = stdin.write_all(rows.as_bytes());
        if round == 20 {
            let kill = Process::new("kill").args(["-INT", &child.id().to_string()]).status();
            assert!(kill.expect("kill runs").success());
        }
    }
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cancelled"));
    assert_eq!(fs::read(folder.path().join("p.csv")).expect("read"), b"old");
    assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 2);
}
