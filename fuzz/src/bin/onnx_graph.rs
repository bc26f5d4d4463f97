//! Whatever an ONNX file holds: our own engine runs it on a small photo, or refuses it.
#![no_main]

use std::num::NonZero;

use libfuzzer_sys::fuzz_target;
use planet::Engine;
use planet_data::PixelBatch;
use planet_engine::{Native, Signature, Threads};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, bytes).expect("written");
    let native = Native { threads: Threads(NonZero::new(1)) };
    let Ok(mut engine) = native.open(&path, &Signature::default()) else { return };
    let [height, width] = engine.size().unwrap_or([8, 8]);
    if height.saturating_mul(width) > 1 << 16 {
        return;
    }
    let mut batch = PixelBatch::with_capacity(1, height, width);
    batch.push(&vec![0.5; 3 * height * width]);
    // It may need another number of channels, or more memory than it is given.
    let _ = engine.run(&batch);
});
