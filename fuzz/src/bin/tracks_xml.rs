//! GPX and KML: positions, or an error with the file's name.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../tracks.rs"]
mod tracks;

fuzz_target!(|bytes: &[u8]| tracks::check("fuzz.gpx", bytes));
