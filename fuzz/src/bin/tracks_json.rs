//! Google's location history in its four shapes, and GeoJSON: positions, or an error with the file's name.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../tracks.rs"]
mod tracks;

fuzz_target!(|bytes: &[u8]| tracks::check("fuzz.json", bytes));
