//! What the readers of tracks hand over, checked and counted.

use super::{Fix, TrackCounts, Visit, time::Stated};

/// Fixes closer in time than this to the one before them, in seconds, tell nothing new: somebody
/// on foot moves seven metres. This keeps a file of 1 GB within some ten megabytes.
const DENSEST: i64 = 5;
/// GPS begins on 1980-01-06; clocks that were never set say 1970.
const EARLIEST: i64 = 315_964_800;
/// The last second of the year 9999: what is later is no time, or one in another unit.
const LATEST: i64 = 253_402_300_799;
/// Accuracy of a fix whose file states none, in metres: a telephone's in a town.
const USUAL_ACCURACY: f64 = 15.0;
/// The same for a place that was visited: its middle, not where the photographer stood.
const USUAL_VISIT: f64 = 150.0;
/// No fix is taken to be more accurate, in metres.
const BEST_ACCURACY: f64 = 3.0;
/// Fixes less accurate than this, in metres, say nothing: they are those of a telephone cell.
const WORST_ACCURACY: f64 = 100_000.0;

/// Gathers the fixes and visits of files.
#[derive(Debug, Default)]
pub(super) struct Collector {
    pub fixes: Vec<Fix>,
    pub visits: Vec<Visit>,
    pub counts: TrackCounts,
}

impl Collector {
    /// A position in degrees at a time, with its error in metres where that is stated.
    pub(super) fn fix(&mut self, time: Stated, lat: f64, lng: f64, accuracy: Option<f64>) {
        self.counts.fixes += 1;
        let Some((lat, lng)) = self.checked([time; 2], lat, lng) else { return };
        let Some(accuracy) = self.accuracy(accuracy, USUAL_ACCURACY) else { return };
        let last = self.fixes.last().map_or(i64::MIN, |last| last.time);
        // Behind the one before only where times are out of order: such fixes are all kept.
        if (last..last.saturating_add(DENSEST)).contains(&time.seconds) && last != i64::MIN {
            return;
        }
        self.fixes.push(Fix { time: time.seconds, lat, lng, accuracy });
    }

    /// A stay at a place.
    pub(super) fn visit(
        &mut self,
        from: Stated,
        to: Stated,
        lat: f64,
        lng: f64,
        accuracy: Option<f64>,
    ) {
        self.counts.visits += 1;
        let Some((lat, lng)) = self.checked([from, to], lat, lng) else { return };
        let Some(accuracy) = self.accuracy(accuracy, USUAL_VISIT) else { return };
        if from.seconds > to.seconds {
            self.counts.incomplete += 1;
            return;
        }
        self.visits.push(Visit {
            place: Fix { time: from.seconds, lat, lng, accuracy },
            until: to.seconds,
        });
    }

    /// A point without a time or without coordinates.
    pub(super) fn incomplete(&mut self) {
        self.counts.incomplete += 1;
    }

    /// Coordinates in ten-millionths of a degree, if they are a place and the times are times.
    fn checked(&mut self, times: [Stated; 2], lat: f64, lng: f64) -> Option<(i32, i32)> {
        if times.iter().any(|time| time.seconds < EARLIEST) {
            self.counts.before_gps += 1;
            return None;
        }
        if times.iter().any(|time| time.seconds > LATEST) {
            self.counts.incomplete += 1;
            return None;
        }
        if lat == 0.0 && lng == 0.0 {
            self.counts.null_island += 1;
            return None;
        }
        if !(lat.abs() <= 90.0 && lng.abs() <= 180.0) {
            self.counts.off_earth += 1;
            return None;
        }
        self.counts.without_zone += u64::from(times.iter().any(|time| !time.has_zone));
        Some(((lat * 1e7).round() as i32, (lng * 1e7).round() as i32))
    }

    fn accuracy(&mut self, stated: Option<f64>, usual: f64) -> Option<f32> {
        let stated = stated.filter(|metres| *metres > 0.0 && metres.is_finite());
        let metres = stated.unwrap_or(usual).max(BEST_ACCURACY);
        if metres > WORST_ACCURACY {
            self.counts.inaccurate += 1;
            return None;
        }
        Some(metres as f32)
    }
}
