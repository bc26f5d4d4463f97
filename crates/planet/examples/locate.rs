//! Locates photos with a model package, such as the one that `planet demo` trains:
//! `cargo run --release --example locate -- demo/model PHOTO...`
#![allow(clippy::print_stdout, reason = "an example is a program")]
use std::{error::Error, fs};

use planet::LocatorOptions;
use planet_engine::EngineOptions;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: locate MODEL PHOTO...")?;
    let options = LocatorOptions::default();
    let mut model = EngineOptions::default().open_model(folder.as_ref(), options)?;
    for photo in arguments {
        let prediction = model.locate_bytes(&photo, &fs::read(&photo)?)?;
        for candidate in &prediction.candidates {
            let share = 100.0 * candidate.probability.unwrap_or_default();
            let place = candidate.place.as_ref().map(ToString::to_string).unwrap_or_default();
            println!("{photo}: {share:5.1} %  {}  {place}", candidate.position);
        }
    }
    Ok(())
}
