//! The ONNX Runtime at hand, and how far two answers lie apart.

use std::{path::PathBuf, process::Command};

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
