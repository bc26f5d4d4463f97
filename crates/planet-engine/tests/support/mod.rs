//! What the engine's tests share: models with known weights, and the ONNX Runtime at hand.

use std::{fs::File, path::PathBuf, process::Command};

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

/// The library that `ORT_DYLIB_PATH` names, else that of the Python at hand. Without one the
/// ONNX Runtime half of a test does not run.
pub fn onnxruntime() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH") {
        return Some(path.into());
    }
    let code = "import glob, importlib.util as i; \
        f = i.find_spec('onnxruntime').submodule_search_locations[0]; \
        print(glob.glob(f + '/capi/*onnxruntime.*')[0])";
    let output = Command::new("python3").args(["-c", code]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| path.trim().into())
}

/// The greatest absolute difference; the lengths must agree.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
