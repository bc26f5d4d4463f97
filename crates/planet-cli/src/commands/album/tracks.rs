//! `--tracks`: GPS tracks and location histories as evidence for a library.

use std::path::PathBuf;

use clap::Args;
use planet::album::Fix;
use planet_data::PhotoRecord;
use planet_library::{TrackError, TrackLimits, Tracked, Tracks};

use crate::failure::Failure;

#[derive(Args, Debug)]
pub struct TrackArguments {
    /// GPS tracks and location histories: GPX, KML, GeoJSON, Google Timeline, or folders of them
    #[arg(long, value_name = "FILE|DIR", num_args = 1..)]
    tracks: Vec<PathBuf>,
    /// Longest time between two recorded positions that is interpolated
    #[arg(long, value_name = "SECONDS", default_value_t = 1800, value_parser = clap::value_parser!(i64).range(0..=86_400))]
    track_gap: i64,
    /// Longest time before or after a recorded position for which it is used
    #[arg(long, value_name = "SECONDS", default_value_t = 1800, value_parser = clap::value_parser!(i64).range(0..=86_400))]
    track_reach: i64,
}

impl TrackArguments {
    /// Where the tracks say that each photo was taken; empty without tracks. What was read is
    /// printed on standard error.
    pub fn tracked(&self, records: &[PhotoRecord]) -> Result<Vec<Option<Fix>>, Failure> {
        if self.tracks.is_empty() {
            return Ok(Vec::new());
        }
        let tracks = Tracks::read(&self.tracks).map_err(failure)?;
        anstream::eprintln!("tracks: {}", tracks.counts());
        let limits = TrackLimits { interpolated: self.track_gap, extrapolated: self.track_reach };
        let tracked = Tracked::of(records, &tracks, limits);
        let (compared, contradicting) = (tracked.compared, tracked.contradicting);
        if !tracked.is_believed() {
            anstream::eprintln!(
                "the tracks are not used: they contradict {contradicting} of {compared} known \
                 positions; check the cameras' clocks, and whether the tracks are this person's"
            );
            return Ok(Vec::new());
        }
        anstream::eprintln!(
            "tracks locate {} of {} photos, {} of them by local time without a zone; \
             {contradicting} of {compared} known positions contradict them",
            tracked.count(),
            records.len(),
            tracked.by_local_time
        );
        Ok(tracked.fixes)
    }
}

fn failure(error: TrackError) -> Failure {
    let failure = Failure::new(&error);
    match error {
        TrackError::Other { .. } | TrackError::Empty { .. } => failure.hint(
            "planet reads GPX, KML, GeoJSON and Google's location history; gpsbabel converts other \
             formats to GPX",
        ),
        TrackError::Damaged { .. } => failure.hint("export or copy the file again"),
        _ => failure,
    }
}
