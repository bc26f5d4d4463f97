//! `planet engine` from outside.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::{prelude::PredicateBooleanExt, str::contains};

fn planet() -> Command {
    let mut command = Command::cargo_bin("planet").expect("built");
    command.env_remove("ORT_DYLIB_PATH");
    command
}

fn bench(model: impl AsRef<Path>) -> Command {
    let mut command = planet();
    command.args(["engine", "bench", "--engine", "rten", "--seconds", "0.1"]).arg(model.as_ref());
    command
}

fn foreign(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../planet-engine/tests/foreign").join(name)
}

#[test]
fn engines_that_are_built_in_are_always_listed() {
    let listed = planet().args(["engine", "list"]).assert().success();
    listed.stdout(contains("rten 0.27")).stdout(contains("native  "));
}

#[test]
fn the_engine_that_was_asked_for_is_timed_and_no_other() {
    let both = planet()
        .args(["engine", "bench", "--seconds", "0.1"])
        .arg(foreign("one_output.onnx"))
        .assert()
        .success();
    both.stdout(contains("rten 0.27")).stdout(contains("native "));
    let model = foreign("unknown_operator.onnx");
    planet()
        .args(["engine", "bench", "--seconds", "0.1", "--engine", "native"])
        .arg(model)
        .assert()
        .code(1)
        .stdout(
            contains("native cpu").and(contains("Frobnicate")).and(contains("rten 0.27").not()),
        );
}

#[test]
fn a_library_that_is_not_there_is_an_error_that_names_it() {
    planet()
        .args(["engine", "list", "--onnxruntime", "/nowhere/libonnxruntime.so"])
        .assert()
        .code(1)
        .stderr(contains("/nowhere/libonnxruntime.so"))
        .stderr(contains("hint:"));
}

/// Of ONNX Runtime too, where it is here.
#[test]
fn no_engine_leaves_anything_in_the_users_home() {
    let home = tempfile::tempdir().expect("a folder");
    let assert = planet()
        .env_remove("ORT_DISABLE_TELEMETRY")
        .env_remove("XDG_CACHE_HOME")
        .env("HOME", home.path())
        .args(["engine", "bench", "--json", "--seconds", "0.1"])
        .arg(foreign("one_output.onnx"))
        .assert()
        .success();
    let left = home.path().read_dir().expect("it is there").count();
    assert_eq!(left, 0, "{}", String::from_utf8_lossy(&assert.get_output().stdout));
}

#[test]
fn rten_runs_on_nothing_but_the_cpu() {
    let model = foreign("one_output.onnx");
    bench(&model)
        .args(["--json", "--device", "cuda"])
        .assert()
        .code(2)
        .stderr(contains("--engine onnxruntime"));
    bench(&model).args(["--device", "gpu"]).assert().code(2).stderr(contains("openvino:bf16"));
}

#[test]
fn a_model_is_timed() {
    bench(foreign("one_output.onnx")).assert().success().stdout(contains("rten 0.27"));
}

#[test]
fn a_model_that_does_not_load_is_named_with_the_reason() {
    bench(foreign("two_outputs.onnx")).assert().code(1).stdout(contains("first, second"));
    bench(foreign("unknown_operator.onnx")).assert().code(1).stdout(contains("Frobnicate"));
    bench("nowhere.onnx").assert().code(1).stdout(contains("nowhere.onnx"));
}
