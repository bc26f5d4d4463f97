//! `planet library clocks`: how far cameras' clocks are wrong.

use std::io::{self, Write};

use clap::Args;
use planet_library::{Library, PixelClock, clocks_by_pixels, clocks_by_tracks};
use serde_json::{Value, json};

use super::{features::FeatureArguments, photos, tracks::TrackArguments};
use crate::{engine_choice::EngineChoice, failure::Failure};

/// `planet library clocks DIR|M [--tracks FILE...]`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    source: photos::SourceArguments,
    #[command(flatten)]
    tracks: TrackArguments,
    #[command(flatten)]
    features: FeatureArguments,
    #[command(flatten)]
    engine: EngineChoice,
    /// Print the offsets as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let manifest = arguments.source.read()?;
    let records = &manifest.records;
    let estimates = match arguments.tracks.read()? {
        Some(tracks) => clocks_by_tracks(records, &tracks, arguments.tracks.limits()),
        None => Vec::new(),
    };
    let look_alikes = arguments.features.compute(&manifest, &arguments.engine)?;
    let by_pixels =
        look_alikes.map(|look_alikes| clocks_by_pixels(records, &look_alikes)).unwrap_or_default();
    let library = Library::new(records, None);
    let known = library.known_positions();
    let clocks = planet::album::Timeline::new(records, &known, Default::default());
    let mut out = io::stdout().lock();
    if arguments.json {
        let rows = estimates.iter().map(|it| {
            json!({
                "camera": it.offset.camera,
                "offset_s": it.offset.seconds,
                "confidence": it.confidence,
                "photos": it.photos,
                "jump": it.jump.as_ref().map(|(before, after, time)| {
                    json!({"before_s": before, "after_s": after, "time": time})
                }),
            })
        });
        let others: Vec<String> = clocks.clocks().iter().map(ToString::to_string).collect();
        let by_pixels: Vec<Value> = by_pixels.iter().map(row).collect();
        let all = json!({
            "by_tracks": rows.collect::<Vec<_>>(),
            "by_pixels": by_pixels,
            "by_photos": others,
        });
        writeln!(out, "{all:#}")?;
        return Ok(());
    }
    for estimate in &estimates {
        writeln!(out, "by tracks: {estimate}")?;
    }
    for clock in &by_pixels {
        writeln!(out, "by look-alikes: {clock}")?;
    }
    for clock in clocks.clocks() {
        writeln!(out, "by other photos: {clock}")?;
    }
    Ok(())
}

fn row(it: &PixelClock) -> Value {
    json!({
        "camera": it.offset.camera,
        "offset_s": it.offset.seconds,
        "reference": it.reference,
        "confidence": it.confidence,
        "photos": it.photos,
    })
}
