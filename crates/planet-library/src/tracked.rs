//! Where tracks say that the photos of a library were taken.

use planet::album::Fix;
use planet_data::{CaptureTime, PhotoRecord};
use planet_geo::Distance;

use crate::{ClockUncertainty, TrackLimits, TrackPosition, Tracks};

/// Local time is at most so many hours behind and ahead of the time by the sun: zones are wide,
/// and summer time adds an hour.
const BEHIND_SUN: f64 = 1.2;
const AHEAD_OF_SUN: f64 = 2.8;
/// Known positions that must be compared with tracks before these can be called another person's.
const COMPARED: usize = 5;
/// A position contradicts a track where it is farther away than so many times its accuracy, and
/// than this.
const CONTRADICTS: f64 = 4.0;
const CONTRADICTS_FROM: Distance = Distance::from_km(1.0);
/// Share of the likely times of a photo at which the track must be known.
const COVERED: f64 = 0.8;

/// Where tracks say that photos were taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracked {
    /// Of each photo, in the order of the records; `None` where no track says it, or the tracks are
    /// not used.
    pub fixes: Vec<Option<Fix>>,
    /// Photos without a zone that were located by local time.
    pub by_local_time: usize,
    /// Photos whose own known position was compared with the tracks.
    pub compared: usize,
    /// Those of them whose position contradicts the tracks.
    pub contradicting: usize,
}

impl Tracked {
    /// Looks each photo's time up in the tracks.
    ///
    /// A time without a zone is local time, of which the zone follows from where the track was at
    /// that time: within an hour or two. The answer is one of the positions at those times, with an
    /// accuracy that covers them all, so that it is exact while somebody stays and rough while they
    /// travel. Tracks that contradict more than half of at least five known positions are somebody
    /// else's, or the clocks are wrong: they are not used.
    pub fn of(records: &[PhotoRecord], tracks: &Tracks, limits: TrackLimits) -> Self {
        Self::with_clocks(records, tracks, limits, &[])
    }

    /// The same with cameras whose clocks are not known exactly: the answer for their photos covers the
    /// positions at all times that are likely, or most of them where the track has gaps.
    pub fn with_clocks(
        records: &[PhotoRecord],
        tracks: &Tracks,
        limits: TrackLimits,
        clocks: &[ClockUncertainty],
    ) -> Self {
        let mut tracked = Self::default();
        for record in records {
            let time = record.time.as_deref().and_then(CaptureTime::parse);
            let clock = clocks.iter().find(|it| record.camera.as_ref() == Some(&it.camera));
            let found = time.and_then(|time| match (clock, time.instant) {
                (Some(clock), instant) => {
                    by_likely_times(instant.unwrap_or(time.clock), clock, tracks, limits)
                }
                (None, Some(instant)) => tracks.at(instant, limits),
                (None, None) => by_local_time(time.clock, tracks, limits),
            });
            let is_local = clock.is_none() && time.is_some_and(|it| it.instant.is_none());
            tracked.by_local_time += usize::from(found.is_some() && is_local);
            if let Some((found, own)) = found.zip(record.known_position()) {
                let allowed = CONTRADICTS * found.accuracy.m();
                let away = own.distance_to(found.position);
                tracked.compared += 1;
                tracked.contradicting +=
                    usize::from(away > CONTRADICTS_FROM && away > Distance::from_m(allowed));
            }
            tracked
                .fixes
                .push(found.map(|it| Fix { position: it.position, accuracy: Some(it.accuracy) }));
        }
        if !tracked.is_believed() {
            tracked.fixes.fill(None);
        }
        tracked
    }

    /// Whether the tracks are this person's, and the clocks right, as far as known positions tell.
    pub fn is_believed(&self) -> bool {
        self.compared < COMPARED || 2 * self.contradicting <= self.compared
    }

    /// Photos that tracks locate.
    pub fn count(&self) -> usize {
        self.fixes.iter().flatten().count()
    }
}

/// By every zone that the place at that time may have.
pub(crate) fn by_local_time(
    clock: i64,
    tracks: &Tracks,
    limits: TrackLimits,
) -> Option<TrackPosition> {
    let quarters = -12 * 4..=14 * 4;
    let possible = quarters.filter_map(|quarters| {
        let found = tracks.at(clock - 900 * quarters, limits)?;
        let ahead = quarters as f64 / 4.0 - found.position.lng() / 15.0;
        (-BEHIND_SUN..=AHEAD_OF_SUN).contains(&ahead).then_some(found)
    });
    covering(&possible.collect::<Vec<_>>())
}

fn by_likely_times(
    time: i64,
    clock: &ClockUncertainty,
    tracks: &Tracks,
    limits: TrackLimits,
) -> Option<TrackPosition> {
    let at = |offset: &i64| tracks.at(time + offset, limits);
    let possible: Vec<TrackPosition> = clock.offsets.iter().filter_map(at).collect();
    let enough = possible.len() as f64 >= COVERED * clock.offsets.len() as f64;
    enough.then(|| covering(&possible)).flatten()
}

/// The one of these from which the farthest is nearest, with an accuracy that covers all.
fn covering(possible: &[TrackPosition]) -> Option<TrackPosition> {
    let farthest = |from: &TrackPosition| {
        let away = possible
            .iter()
            .map(|it| from.position.distance_to(it.position).m().hypot(it.accuracy.m()));
        away.fold(0.0, f64::max)
    };
    let (metres, found) =
        possible.iter().map(|it| (farthest(it), it)).min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(TrackPosition { accuracy: Distance::from_m(metres), ..*found })
}
