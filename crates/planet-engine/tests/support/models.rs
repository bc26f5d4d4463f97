//! Models with known weights, and their golden files.

use std::{fs::File, path::PathBuf};

use planet_data::PixelBatch;
use planet_net::{Network, OnnxInfo, Weights};
use tempfile::TempDir;

#[path = "../../../planet-net/tests/golden/formula.rs"]
pub mod formula;

/// The golden file of this name, made by `make_forward.py` of planet-net.
pub fn golden(name: &str) -> Weights {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../planet-net/tests/golden");
    let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).expect("a golden file");
    Weights::from_safetensors(&bytes).expect("a safetensors file").0
}

/// `model.onnx` and `model.onnx.data` in a folder of their own.
pub fn write(network: &Network, weights: &Weights) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let create = |name: &str| File::create(folder.path().join(name)).expect("created");
    let info = OnnxInfo { data_name: "model.onnx.data".into(), ..OnnxInfo::default() };
    let data = std::io::BufWriter::new(create("model.onnx.data"));
    network.write_onnx(weights, &info, create("model.onnx"), data).expect("written");
    folder
}

/// The synthetic photos of the golden files.
pub fn photos(count: usize, side: usize) -> PixelBatch {
    let mut batch = PixelBatch::with_capacity(count, side, side);
    formula::photos(count, side).chunks(3 * side * side).for_each(|photo| batch.push(photo));
    batch
}
