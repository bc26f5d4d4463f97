//! A person's way from photo to photo.

use planet_geo::{EARTH_RADIUS_KM, LatLng};
use rand::{Rng, RngExt};

/// How fast one travels, in metres per second, on ways of up to so many kilometres: on foot, in a
/// vehicle, by air.
const SPEEDS: [(f64, f64); 3] = [(3.0, 1.3), (500.0, 20.0), (f64::INFINITY, 230.0)];
/// For a photo one stands still for so many seconds before and after it, if there is as much time:
/// at most a quarter of that to the next photo.
const STANDING: i64 = 120;
/// Greatest bow of a way, as a share of its length, and how much the speed varies.
const BOW: f64 = 0.08;
const VARIATION: f64 = 0.3;

/// A stay at one place or a way between two, which are then different.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Leg {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) from: i64,
    /// Seconds since then; later than `from`.
    pub(crate) to: i64,
    pub(crate) start: LatLng,
    pub(crate) end: LatLng,
    /// How far to the side of the great circle its middle lies, as a share of its length.
    bow: f64,
}

impl Leg {
    fn stay(from: i64, to: i64, place: LatLng) -> Self {
        Self { from, to, start: place, end: place, bow: 0.0 }
    }

    pub(crate) fn is_stay(&self) -> bool {
        self.start == self.end
    }

    /// Where one is at a time of the leg.
    pub(crate) fn at(&self, time: i64) -> LatLng {
        if self.is_stay() || time <= self.from {
            return self.start;
        }
        if time >= self.to {
            return self.end;
        }
        let passed = (time - self.from) as f64 / (self.to - self.from) as f64;
        let turn = std::f64::consts::TAU * passed;
        let share = passed - VARIATION * turn.sin() / std::f64::consts::TAU;
        let (a, b) = (self.start.to_vector(), self.end.to_vector());
        let across = cross(a, b);
        let length = across.iter().map(|x| x * x).sum::<f64>().sqrt();
        // Places on opposite sides of the earth have no great circle.
        if length < 1e-12 {
            return if share < 0.5 { self.start } else { self.end };
        }
        let angle = length.atan2(dot(a, b));
        let (of_a, of_b) = (((1.0 - share) * angle).sin(), (share * angle).sin());
        let aside = self.bow * angle * (std::f64::consts::PI * share).sin();
        let point = std::array::from_fn(|i| {
            let along = (of_a * a[i] + of_b * b[i]) / angle.sin();
            aside.cos() * along + aside.sin() * across[i] / length
        });
        LatLng::from_vector(point).unwrap_or(self.start)
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// The way through places at given times, in their order: one stays, leaves at some time so as to
/// arrive in time, and stays again. Stays that follow one another at one place are one.
pub(crate) fn way(moments: &[(i64, LatLng)], rng: &mut impl Rng) -> Vec<Leg> {
    let mut legs: Vec<Leg> = Vec::new();
    let mut add = |leg: Leg| match legs.last_mut() {
        _ if leg.to <= leg.from => {}
        Some(last) if last.is_stay() && leg.is_stay() && last.end == leg.end => last.to = leg.to,
        _ => legs.push(leg),
    };
    for pair in moments.windows(2) {
        let [(from, start), (to, end)] = [pair[0], pair[1]];
        let km = start.distance_to(end).km().min(std::f64::consts::PI * EARTH_RADIUS_KM);
        let speed = SPEEDS.iter().find(|(most, _)| km <= *most).map_or(230.0, |it| it.1);
        let standing = STANDING.min((to - from) / 4);
        let most = to - from - 2 * standing;
        let needed = ((1000.0 * km / speed).ceil() as i64).min(most);
        let leave = from + standing + rng.random_range(0..=most - needed);
        let bow = rng.random_range(-BOW..BOW);
        add(Leg::stay(from, leave, start));
        if start != end {
            add(Leg { from: leave, to: leave + needed, start, end, bow });
        }
        add(Leg::stay(leave + needed, to, end));
    }
    legs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Purpose, stream};

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("in range")
    }

    #[test]
    fn one_is_at_each_place_at_its_time_and_never_faster_than_an_aircraft() {
        let moments = [
            (0, at(48.0, 11.0)),
            (600, at(48.0, 11.0)),
            (3_600, at(48.01, 11.0)),
            (90_000, at(45.0, 9.0)),
            (400_000, at(-33.0, 151.0)),
        ];
        for seed in 0..20 {
            let legs = way(&moments, &mut stream(seed, Purpose::Tracks, 0));
            assert!(legs.windows(2).all(|pair| pair[0].to == pair[1].from));
            let position = |time: i64| {
                let leg = legs.iter().find(|leg| (leg.from..=leg.to).contains(&time));
                leg.expect("no gap").at(time)
            };
            for (time, place) in moments {
                assert!(position(time).distance_to(place).m() < 0.01, "at {time}");
            }
            for time in (0..399_940).step_by(60) {
                let metres = position(time).distance_to(position(time + 60)).m();
                assert!(metres < 60.0 * 350.0, "{metres} m in the minute from {time}");
            }
        }
    }
}
