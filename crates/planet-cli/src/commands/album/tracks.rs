//! `--tracks`: GPS tracks and location histories as evidence for a library.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use planet::album::Fix;
use planet_data::{CaptureTime, PhotoRecord};
use planet_library::{
    ClockOffset, ClockUncertainty, TrackError, TrackLimits, Tracked, Tracks, clocks_by_tracks,
    with_offsets,
};

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
    /// The tracks, if any were named. What was read is printed on standard error.
    pub fn read(&self) -> Result<Option<Tracks>, Failure> {
        if self.tracks.is_empty() {
            return Ok(None);
        }
        let tracks = Tracks::read(&self.tracks).map_err(failure)?;
        anstream::eprintln!("tracks: {}", tracks.counts());
        Ok(Some(tracks))
    }

    pub fn limits(&self) -> TrackLimits {
        TrackLimits { interpolated: self.track_gap, extrapolated: self.track_reach }
    }

    /// Where the tracks say that each photo was taken; empty where they contradict the
    /// known positions and are not used.
    pub fn tracked(
        &self,
        tracks: &Tracks,
        Corrected { records, uncertain }: &Corrected,
    ) -> Vec<Option<Fix>> {
        let tracked = Tracked::with_clocks(records, tracks, self.limits(), uncertain);
        let (compared, contradicting) = (tracked.compared, tracked.contradicting);
        if !tracked.is_believed() {
            anstream::eprintln!(
                "the tracks are not used: they contradict {contradicting} of {compared} known \
                 positions; check the cameras' clocks, and whether the tracks are this person's"
            );
            return Vec::new();
        }
        anstream::eprintln!(
            "tracks locate {} of {} photos, {} of them by local time without a zone; \
             {contradicting} of {compared} known positions contradict them",
            tracked.count(),
            records.len(),
            tracked.by_local_time
        );
        tracked.fixes
    }
}

/// Confidence from which an estimated offset is applied.
const ACCEPTED: f64 = 0.9;

#[derive(Args, Debug)]
pub struct ClockArguments {
    /// Add this to the times of a camera, for example 'Canon EOS 70D=-1:30:00'; repeatable
    #[arg(long, value_name = "CAMERA=+H:MM:SS")]
    clock: Vec<ClockOffset>,
    /// Whether cameras' offsets are estimated from the tracks and applied if the confidence is at
    /// least 90 %
    #[arg(long, value_enum, default_value = "off")]
    clocks: ClocksName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClocksName {
    /// Times are used as they are, except for those of --clock
    Off,
    /// Offsets are estimated from the tracks
    Auto,
}

/// Photos with corrected times.
pub struct Corrected {
    pub records: Vec<PhotoRecord>,
    /// Clocks that were estimated, and may be wrong all the same.
    uncertain: Vec<ClockUncertainty>,
}

impl ClockArguments {
    /// The photos with corrected times. What is applied is printed on standard error.
    pub fn corrected(
        &self,
        records: &[PhotoRecord],
        tracks: Option<(&Tracks, TrackLimits)>,
    ) -> Result<Corrected, Failure> {
        let mut offsets = self.clock.clone();
        let mut uncertain = Vec::new();
        let cameras = |it: &ClockOffset| {
            records.iter().any(|record| record.camera.as_ref() == Some(&it.camera))
        };
        if let Some(unknown) = offsets.iter().find(|it| !cameras(it)) {
            return Err(Failure::usage(format!("no photo is by a camera '{}'", unknown.camera))
                .hint("planet library clocks prints the names of the cameras"));
        }
        match (self.clocks, tracks) {
            (ClocksName::Auto, None) => {
                return Err(Failure::usage("--clocks auto needs --tracks"));
            }
            (ClocksName::Auto, Some((tracks, limits))) => {
                for estimate in clocks_by_tracks(records, tracks, limits) {
                    let is_given = offsets.iter().any(|it| it.camera == estimate.offset.camera);
                    let is_sure = estimate.confidence >= ACCEPTED && estimate.jump.is_none();
                    let is_applied = is_sure && !is_given;
                    let what = if is_applied { "applied" } else { "not applied" };
                    anstream::eprintln!("clock {what}: {estimate}");
                    if !is_given {
                        uncertain.extend(estimate.uncertainty(is_applied));
                    }
                    if is_applied {
                        offsets.push(estimate.offset);
                    }
                }
            }
            (ClocksName::Off, _) => {}
        }
        let has_zone = |record: &PhotoRecord| {
            record
                .time
                .as_deref()
                .and_then(CaptureTime::parse)
                .is_some_and(|it| it.instant.is_some())
        };
        let in_utc = tracks.is_some() || records.iter().any(has_zone);
        Ok(Corrected { records: with_offsets(records, &offsets, in_utc), uncertain })
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
