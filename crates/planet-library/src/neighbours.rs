use planet_geo::{Distance, LatLng};

/// A photo in order of time, as the simple rules see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// Seconds on a clock that all photos share.
    pub time: Option<i64>,
    /// Its position, where that is known.
    pub position: Option<LatLng>,
}

/// How far PhotoPrism looks, in seconds: 36 hours.
const WINDOW: i64 = 36 * 3600;
/// Between positions farther apart than this it does not interpolate.
const APART: Distance = Distance::from_km(100.0);

/// Answers by the known photo that is nearest in time, at any distance in time; of two equally
/// near ones the earlier. A photo without a time has no answer.
pub fn nearest_in_time(photos: &[Timed]) -> Vec<Option<LatLng>> {
    let known = Known::of(photos);
    let answer = |photo: &Timed| {
        let (before, after) = known.around(photo.time?);
        nearer(photo.time?, before, after).map(|(_, position)| position)
    };
    photos.iter().map(answer).collect()
}

/// Answers by PhotoPrism's rule: known photos within 36 hours count; between two that lie less
/// than 100 km apart the position is interpolated in time, else it is the nearer one's. Without
/// one in the window there is no answer.
pub fn photoprism(photos: &[Timed]) -> Vec<Option<LatLng>> {
    let known = Known::of(photos);
    let answer = |photo: &Timed| {
        let time = photo.time?;
        let (before, after) = known.around(time);
        let near = |it: &Fix| (it.0 - time).abs() <= WINDOW;
        let (before, after) = (before.filter(near), after.filter(near));
        match (before, after) {
            (Some(a), Some(b)) if a.1.distance_to(b.1) < APART => Some(between(time, a, b)),
            _ => nearer(time, before, after).map(|(_, position)| position),
        }
    };
    photos.iter().map(answer).collect()
}

/// Time and position of a known photo.
type Fix = (i64, LatLng);

/// Known photos in order of time.
struct Known(Vec<Fix>);

impl Known {
    fn of(photos: &[Timed]) -> Self {
        let mut known: Vec<Fix> =
            photos.iter().filter_map(|photo| Some((photo.time?, photo.position?))).collect();
        known.sort_by_key(|(time, _)| *time);
        Self(known)
    }

    /// The last one before a time or at it, and the first one after it.
    fn around(&self, time: i64) -> (Option<Fix>, Option<Fix>) {
        let after = self.0.partition_point(|(known, _)| *known <= time);
        (after.checked_sub(1).map(|at| self.0[at]), self.0.get(after).copied())
    }
}

fn nearer(time: i64, before: Option<Fix>, after: Option<Fix>) -> Option<Fix> {
    match (before, after) {
        (Some(a), Some(b)) => Some(if time - a.0 <= b.0 - time { a } else { b }),
        (one, other) => one.or(other),
    }
}

/// On the straight way between two positions, at a time between theirs.
fn between(time: i64, a: Fix, b: Fix) -> LatLng {
    let share = (time - a.0) as f64 / (b.0 - a.0).max(1) as f64;
    let (from, to) = (a.1.to_vector(), b.1.to_vector());
    let middle = std::array::from_fn(|axis| from[axis] * (1.0 - share) + to[axis] * share);
    LatLng::from_vector(middle).expect("the two lie less than 100 km apart")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(hours: i64, lat: Option<f64>) -> Timed {
        let position = lat.map(|lat| LatLng::new(lat, 0.0).expect("in range"));
        Timed { time: Some(hours * 3600), position }
    }

    fn lats(answers: Vec<Option<LatLng>>) -> Vec<Option<i64>> {
        answers.into_iter().map(|it| it.map(|it| (it.lat() * 100.0).round() as i64)).collect()
    }

    #[test]
    fn the_rules_differ_between_near_positions_and_far_from_all() {
        let photos = [
            photo(0, Some(0.0)),
            photo(1, None),
            photo(4, Some(0.4)),
            photo(5, None),
            photo(10, Some(30.0)),
            photo(50, None),
            Timed { time: None, position: None },
        ];
        let nearest = lats(nearest_in_time(&photos));
        assert_eq!(
            [nearest[1], nearest[3], nearest[5], nearest[6]],
            [Some(0), Some(40), Some(3000), None]
        );
        let rule = lats(photoprism(&photos));
        assert_eq!([rule[1], rule[3], rule[5], rule[6]], [Some(10), Some(40), None, None]);
    }
}
