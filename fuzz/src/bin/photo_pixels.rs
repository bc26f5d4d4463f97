//! Pixels by PlaNet and by other decoders: the bytes as a file, and as a recipe for a JPEG, PNG or
//! TIFF that is sound, or of which some bytes are overwritten. The pixels must be the same: exactly
//! for PNG and TIFF, up to rounding and the enlarging of colours for JPEG.
//!
//! Run again on what was found, `KEEP=FILE` in the environment writes the file that was made of it.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../pixels.rs"]
mod pixels;

fuzz_target!(|bytes: &[u8]| {
    if bytes.len() > 60_000 {
        return;
    }
    pixels::compare(bytes);
    if let Some(made) = pixels::made(bytes) {
        if let Some(path) = std::env::var_os("KEEP") {
            std::fs::write(path, made.file()).expect("a file to keep");
        }
        made.check();
    }
});
