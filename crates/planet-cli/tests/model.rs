//! `planet model` from outside.

use assert_cmd::Command;
use predicates::str::contains;

fn planet() -> Command {
    Command::cargo_bin("planet").expect("built")
}

#[test]
fn inception_v3_over_the_papers_cells_is_shown_with_its_parameters() {
    planet()
        .args(["model", "show", "inception-v3"])
        .assert()
        .success()
        .stdout(contains("75,598,455"))
        .stdout(contains("Mixed_7c"));
    planet()
        .args(["model", "show", "inception-v3", "--auxiliary", "--classes", "26263"])
        .assert()
        .success()
        .stdout(contains("98,352,398"));
}

#[test]
fn an_unknown_architecture_is_a_usage_error_with_the_list() {
    let names = contains("inception-v3, inception-bn, inception-mini, mobilenet-v3-large");
    planet().args(["model", "show", "resnet"]).assert().code(2).stderr(names);
    planet().args(["model", "show", "inception-v3", "--size", "64"]).assert().code(2);
    planet().args(["model", "show", "inception-v3", "--classes", "0"]).assert().code(2);
}
