//! A classifier of another project with random weights, and the commands around it.
#![allow(dead_code, reason = "each test uses its part")]

use std::{fs, fs::File, path::Path};

use assert_cmd::Command;
use planet::{ModelPackage, package::OnnxMetadata};
use planet_net::{Architecture, NetworkOptions, OnnxInfo, Weights};

/// The command, at work in a folder.
pub fn planet(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("planet").expect("the binary of this package");
    command.current_dir(folder);
    command
}

/// A foreign classifier over three positions: `theirs.onnx` with its weights, `gallery.csv`.
pub fn foreign(folder: &Path, classes: usize) {
    write_network(folder, classes, Vec::new());
    fs::write(
        folder.join("gallery.csv"),
        "# format=planet-partition-1\n# scheme=gallery\n# point=mean\n\
         cell,photos,lat,lng,centre_lat,centre_lng\n\
         ,0,48.8584,2.2945,48.8584,2.2945\n,0,-33.8568,151.2153,-33.8568,151.2153\n\
         ,0,40.6892,-74.0445,40.6892,-74.0445\n",
    )
    .expect("a gallery");
}

/// Writes the classifier again with the metadata that PlaNet's own files have: those of the
/// package `model`.
pub fn write_with_metadata(folder: &Path) {
    let package = ModelPackage::open(&folder.join("model")).expect("a package");
    let description = package.description();
    let metadata = OnnxMetadata {
        preprocess: description.preprocess.clone(),
        temperature: description.temperature,
        level_calibration: description.level_calibration,
        partition_fingerprint: description.partition_fingerprint.clone(),
    };
    write_network(folder, description.classes, metadata.entries());
}

fn write_network(folder: &Path, classes: usize, metadata: Vec<(String, String)>) {
    let options = NetworkOptions { size: [32, 48], classes, auxiliary: false };
    let network = Architecture::InceptionMini.network(options).expect("a network");
    let mut weights = Weights::initial(&network, 0);
    for name in ["fc.weight", "Conv2d_1a_3x3.conv.weight"] {
        let array = weights.get_mut(name).expect("a weight");
        array.values_mut().iter_mut().for_each(|value| *value *= 8.0);
    }
    let info = OnnxInfo { data_name: "theirs.onnx.data".into(), metadata, ..OnnxInfo::default() };
    let create = |name: &str| File::create(folder.join(name)).expect("a file");
    network
        .write_onnx(&weights, &info, create("theirs.onnx"), create("theirs.onnx.data"))
        .expect("written");
}

/// Makes the package `model` of them.
pub fn import(folder: &Path) -> Command {
    let mut command = planet(folder);
    command
        .args(["model", "import", "theirs.onnx", "--partition", "gallery.csv"])
        .args(["--input-size", "32x48", "--fit", "centre-crop", "--engine", "rten"])
        .args(["--mean", "0.5,0.5,0.5", "--std", "0.25, 0.25, 0.25"])
        .args(["--note", "random weights", "-o", "model"]);
    command
}

/// A package of random weights and a given number of synthetic photos.
pub fn prepare(photos: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    foreign(folder.path(), 3);
    import(folder.path()).assert().success();
    planet(folder.path())
        .args(["world", "draw", "--photos", photos, "--size", "64", "-o", "photos"])
        .assert()
        .success();
    folder
}
