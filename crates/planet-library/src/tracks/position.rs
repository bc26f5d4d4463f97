//! A person's position at a time between the recorded ones.

use planet_geo::{Distance, LatLng};

use super::{Fix, Tracks};

/// Faster than anybody travels, in metres per second: an airliner with the wind behind it.
const FASTEST: f64 = 350.0;
/// How fast a person may leave the line between two fixes and return, in metres per second:
/// on foot.
const WANDERING: f64 = 1.4;
/// How fast a person moves on after the last fix or before the first, in metres per second: in a
/// vehicle through a town.
const ONWARD: f64 = 5.0;
/// Share of the distance between two fixes by which a person may be off its middle at the middle of the time.
const DETOUR: f64 = 0.25;

/// How far between recorded positions others are worked out, as exiftool's `GeoMaxIntSecs` and
/// `GeoMaxExtSecs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackLimits {
    /// Longest time between two positions that is interpolated, in seconds.
    pub interpolated: i64,
    /// Longest time before the first or after the last position, in seconds, also of a gap that
    /// is not interpolated.
    pub extrapolated: i64,
}

impl Default for TrackLimits {
    /// Half an hour each, as exiftool.
    fn default() -> Self {
        Self { interpolated: 1800, extrapolated: 1800 }
    }
}

/// A person's position at a time, according to their tracks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackPosition {
    /// Where.
    pub position: LatLng,
    /// Radius that holds the truth in at least 68 of 100 cases; it grows with the time to the
    /// recorded positions.
    pub accuracy: Distance,
    /// Seconds to the nearest recorded position; 0 during a stay.
    pub seconds: i64,
}

impl Tracks {
    /// The person's position at a time, in seconds since 1970-01-01T00:00:00Z: between two recorded
    /// positions, or else at the one nearer in time; or, if that is more accurate, at the place of
    /// a stay. `None` where all are farther in time than the limits allow.
    pub fn at(&self, time: i64, limits: TrackLimits) -> Option<TrackPosition> {
        let after = self.fixes.partition_point(|fix| fix.time < time);
        let before = after.checked_sub(1).map(|at| &self.fixes[at]);
        let after = self.fixes.get(after);
        let between = before.zip(after).and_then(|(before, after)| {
            (after.time - before.time <= limits.interpolated).then(|| between(time, before, after))
        });
        let nearer = || {
            let near = [before, after].into_iter().flatten();
            let near = near.filter(|fix| (fix.time - time).abs() <= limits.extrapolated);
            near.min_by_key(|fix| (fix.time - time).abs()).map(|fix| onward(time, fix))
        };
        let recorded = between.or_else(nearer);
        let all = recorded.into_iter().chain(self.visits_at(time));
        all.min_by(|a, b| a.accuracy.m().total_cmp(&b.accuracy.m()))
    }

    /// The last recorded position before a time and the first after it, as far as they are within
    /// so many seconds.
    pub(crate) fn around(&self, time: i64, seconds: i64) -> Vec<LatLng> {
        let after = self.fixes.partition_point(|fix| fix.time < time);
        let ends = [after.checked_sub(1).map(|at| &self.fixes[at]), self.fixes.get(after)];
        let near = ends.into_iter().flatten().filter(|fix| (fix.time - time).abs() <= seconds);
        near.map(Fix::position).collect()
    }

    fn visits_at(&self, time: i64) -> impl Iterator<Item = TrackPosition> {
        let earliest = time - self.longest_visit;
        let from = self.visits.partition_point(|visit| visit.place.time < earliest);
        let to = self.visits.partition_point(|visit| visit.place.time <= time);
        self.visits[from..to].iter().filter(move |visit| visit.until >= time).map(|visit| {
            let accuracy = Distance::from_m(visit.place.accuracy());
            TrackPosition { position: visit.place.position(), accuracy, seconds: 0 }
        })
    }
}

/// On the great circle between two fixes, in proportion to the time. The errors of the fixes count
/// in the same proportion; in between the person may have left the line.
fn between(time: i64, before: &Fix, after: &Fix) -> TrackPosition {
    let (from, to) = ((time - before.time) as f64, (after.time - time) as f64);
    let gap = from + to;
    let share = if gap > 0.0 { from / gap } else { 0.0 };
    let way = before.position().distance_to(after.position()).m();
    let of_fixes = (1.0 - share) * before.accuracy() + share * after.accuracy();
    // Nothing at the ends, the most in the middle.
    let arch = share * (1.0 - share);
    let off = WANDERING * gap * arch + DETOUR * 4.0 * arch * way;
    TrackPosition {
        position: great_circle(before.position(), after.position(), share),
        accuracy: Distance::from_m(of_fixes.hypot(off)),
        seconds: from.min(to) as i64,
    }
}

/// At a fix, the less accurately the longer ago it is or the later it comes.
fn onward(time: i64, fix: &Fix) -> TrackPosition {
    let seconds = (time - fix.time).abs();
    TrackPosition {
        position: fix.position(),
        accuracy: Distance::from_m(fix.accuracy().hypot(ONWARD * seconds as f64)),
        seconds,
    }
}

/// A share of the way from one position to another.
fn great_circle(from: LatLng, to: LatLng, share: f64) -> LatLng {
    let (a, b) = (from.to_vector(), to.to_vector());
    let cosine: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
    let angle = cosine.clamp(-1.0, 1.0).acos();
    // Two that are the same but for rounding, or on opposite sides of the earth.
    if angle.sin() < 1e-9 {
        return if share < 0.5 { from } else { to };
    }
    let (of_from, of_to) = (((1.0 - share) * angle).sin(), (share * angle).sin());
    let middle = std::array::from_fn(|axis| of_from * a[axis] + of_to * b[axis]);
    LatLng::from_vector(middle).unwrap_or(from)
}

/// Removes fixes that cannot be reached from the one before and left for the one after, while the
/// way between those two is possible. Returns how many.
pub(super) fn without_jumps(fixes: &mut Vec<Fix>) -> u64 {
    let is_possible = |from: &Fix, to: &Fix| {
        let seconds = (to.time - from.time).max(1) as f64;
        let errors = from.accuracy() + to.accuracy();
        from.position().distance_to(to.position()).m() - errors <= FASTEST * seconds
    };
    let mut kept: usize = 0;
    for at in 0..fixes.len() {
        let fix = fixes[at];
        let before = kept.checked_sub(1).map(|at| fixes[at]);
        let after = fixes.get(at + 1).copied();
        let is_jump = match (before, after) {
            (Some(before), Some(after)) => {
                !is_possible(&before, &fix)
                    && !is_possible(&fix, &after)
                    && is_possible(&before, &after)
            }
            _ => false,
        };
        if !is_jump {
            fixes[kept] = fix;
            kept += 1;
        }
    }
    let jumps = fixes.len() - kept;
    fixes.truncate(kept);
    jumps as u64
}
