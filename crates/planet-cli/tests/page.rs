//! The page in Chromium: against a real server, and as a site without one. `scripts/check-browser` runs
//! these tests where npm and Chromium are.

#[path = "support/foreign.rs"]
mod foreign;
#[path = "support/server.rs"]
mod server;

use std::{path::Path, process::Command};

use foreign::planet;
use server::{Server, prepare, prepare_library};

/// A script of web/tests, which must end well.
fn node(script: &str) -> Command {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    let mut node = Command::new("node");
    node.current_dir(web).arg(script);
    node
}

#[test]
#[ignore = "needs npm and Chromium: scripts/check-browser"]
fn all_views_work_in_chromium_against_a_server() {
    let folder = prepare_library("40");
    let draw = ["world", "draw", "--photos", "40", "--size", "64", "-o", "known"];
    planet(folder.path()).args(draw).assert().success();
    let options = ["--library", "photos", "--match", "known/manifest.parquet"];
    let server = Server::start(folder.path(), &options);
    let status = node("tests/browser.mjs")
        .env("PLANET_URL", format!("http://{}/", server.address))
        .env("QUICK", "1")
        .status();
    assert!(status.expect("node runs").success());
}

#[test]
#[ignore = "needs npm and Chromium: scripts/check-browser"]
fn a_site_without_a_server_and_a_network_locates_photos_as_the_command_does() {
    let folder = prepare("12");
    let status = node("tests/alone.mjs")
        .env("PLANET", env!("CARGO_BIN_EXE_planet"))
        .env("MODEL", folder.path().join("model"))
        .env("PHOTOS", folder.path().join("photos"))
        .status();
    assert!(status.expect("node runs").success());
}
