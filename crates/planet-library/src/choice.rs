//! Which place is the answer for a photo.

use std::collections::HashMap;

use planet::{
    CellProbabilities,
    album::{Fix, Sequence, StateSpace},
};
use planet_geo::{ClassId, LatLng, Scale};

use crate::prepared::Photo;

/// Scales at which an answer is meant to be right.
pub(crate) const SCALES: [Scale; 3] = [Scale::Street, Scale::City, Scale::Region];
/// Most probable places that answers are weighed by, and those that they are chosen from.
const WEIGHED: usize = 64;
const CHOSEN_FROM: usize = 8;
/// How much better than the nearest known photo another place must be, where too little is known
/// of a library to find it out.
pub(crate) const USUAL_MARGIN: f64 = 1.5;
/// Standard errors by which what is won must exceed nothing. Photos of one place are won and lost
/// together, so that one is too few.
const CERTAINTY: f64 = 2.0;

/// The known photos of a sequence in order of time: all, and those of each state.
#[derive(Debug, Default)]
pub(crate) struct Visited {
    all: Vec<(i64, LatLng, usize)>,
    of_state: HashMap<usize, Vec<(i64, LatLng, usize)>>,
    /// Time and row of the photos whose own position is known.
    known: Vec<(i64, usize)>,
}

impl Visited {
    pub(crate) fn new(
        sequence: &Sequence,
        states: &StateSpace,
        fix: impl Fn(usize) -> Option<Fix>,
        is_known: impl Fn(usize) -> bool,
    ) -> Self {
        let photos = sequence.rows.iter().zip(&sequence.times);
        let mut all: Vec<(i64, LatLng, usize)> = photos
            .filter_map(|(row, time)| {
                let position = fix(*row)?.position;
                Some(((*time)?, position, states.state_of(position)?))
            })
            .collect();
        all.sort_by_key(|photo| photo.0);
        let mut of_state: HashMap<usize, Vec<_>> = HashMap::new();
        all.iter().for_each(|photo| of_state.entry(photo.2).or_default().push(*photo));
        let photos = sequence.rows.iter().zip(&sequence.times);
        let known = photos.filter(|(row, _)| is_known(**row));
        let mut known: Vec<(i64, usize)> =
            known.filter_map(|(row, time)| Some(((*time)?, *row))).collect();
        known.sort_unstable();
        Self { all, of_state, known }
    }

    /// Time and row of the last known photo before a time or at it, and of the first one after it.
    pub(crate) fn around(&self, time: i64) -> impl Iterator<Item = (i64, usize)> + '_ {
        let after = self.known.partition_point(|known| known.0 <= time);
        let sides = [after.checked_sub(1), Some(after)];
        sides.into_iter().flatten().filter_map(|at| self.known.get(at).copied())
    }

    /// Of the known photos of a state the position of the one that is nearest in time: who is
    /// at a place of a kilometre is likely to be where they were last, not at its middle.
    pub(crate) fn nearest_at(&self, state: usize, time: i64) -> Option<LatLng> {
        nearest(self.of_state.get(&state)?, time).map(|photo| photo.1)
    }
}

/// The photo that is nearest to a time; of two equally near ones the earlier.
fn nearest(photos: &[(i64, LatLng, usize)], time: i64) -> Option<(i64, LatLng, usize)> {
    let after = photos.partition_point(|photo| photo.0 <= time);
    let near = [after.checked_sub(1), Some(after)].into_iter().flatten();
    near.filter_map(|at| photos.get(at)).min_by_key(|photo| (photo.0 - time).abs()).copied()
}

/// The two answers that a photo may have: the place that is expected to be right most often at
/// the three scales together, and that of the known photo nearest in time.
///
/// Which of them it is decides how much better the first is expected to be. The nearest photo is
/// what everybody would say, and it is wrong to leave it for a difference that is less than the
/// error of the model; how much that is shows each library by its masked photos.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// The state expected to be right most often, and how often, 0 to 3.
    pub(crate) best: (usize, f64),
    /// The same of the known photo nearest in time; `None` where there is none.
    pub(crate) nearest: Option<(usize, f64)>,
}

impl Choice {
    /// `probabilities` are the posterior at the scale of streets. `None` where no place is
    /// possible.
    pub(crate) fn of(
        states: &StateSpace,
        posterior: &[f64],
        probabilities: &CellProbabilities,
        photo: Photo<'_>,
    ) -> Option<Self> {
        let point = |state: usize| states.partition().point(ClassId(state as u32));
        let top = probabilities.top(WEIGHED).into_iter();
        let points: Vec<(usize, LatLng)> =
            top.filter_map(|(class, _)| Some((class.index(), point(class.index())?))).collect();
        let masses = SCALES.map(|scale| (scale, states.marginal(posterior, scale)));
        let worth = |middle: LatLng| -> f64 {
            let within = |(scale, mass): &(Scale, Vec<f64>)| -> f64 {
                let near = points.iter().filter(|it| it.1.distance_to(middle) <= scale.radius());
                near.map(|(state, _)| mass[*state]).sum()
            };
            masses.iter().map(within).sum()
        };
        let chosen_from = points.iter().take(CHOSEN_FROM);
        let best = chosen_from
            .map(|(state, middle)| (*state, worth(*middle)))
            .reduce(|best, next| if next.1 > best.1 + 1e-9 { next } else { best })?;
        let nearest = photo
            .time
            .and_then(|time| nearest(&photo.places.all, time))
            .and_then(|(_, _, state)| Some((state, worth(point(state)?))));
        Some(Self { best, nearest })
    }

    /// How many times better than the nearest photo the best place is expected to be.
    pub(crate) fn ratio(&self) -> f64 {
        self.nearest.map_or(f64::INFINITY, |nearest| self.best.1 / nearest.1.max(1e-9))
    }

    /// The answer, if the best place must be so many times better than the nearest photo.
    pub(crate) fn state(&self, margin: f64) -> usize {
        match self.nearest {
            Some((nearest, _)) if self.ratio() <= margin => nearest,
            _ => self.best.0,
        }
    }
}

/// What would have been won on a masked photo by the best place instead of the nearest one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gain {
    /// How many times better the best place was expected to be.
    pub(crate) ratio: f64,
    /// At how many of the scales it was right, less those at which the nearest one was.
    pub(crate) scales: f64,
}

/// The margin under which most is won, if that is more than chance: the sum of the gains must
/// exceed two of its standard errors, which count each as if it were alone. Never, `INFINITY`, where
/// nothing is won; [`USUAL_MARGIN`] where no masked photo has two answers.
pub(crate) fn margin(mut gains: Vec<Gain>) -> f64 {
    if gains.is_empty() {
        return USUAL_MARGIN;
    }
    gains.sort_by(|a, b| b.ratio.total_cmp(&a.ratio));
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut best = (0.0, f64::INFINITY);
    for (at, gain) in gains.iter().enumerate() {
        sum += gain.scales;
        squares += gain.scales * gain.scales;
        let next = gains.get(at + 1).map_or(1.0, |next| next.ratio);
        let surely = sum - CERTAINTY * squares.sqrt();
        if surely > best.0 && next < gain.ratio {
            best = (surely, 0.5 * (next + gain.ratio));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gains(all: &[(f64, f64)]) -> Vec<Gain> {
        all.iter().map(|(ratio, scales)| Gain { ratio: *ratio, scales: *scales }).collect()
    }

    #[test]
    fn the_margin_lies_where_most_is_won_and_is_endless_where_nothing_is() {
        let mut all: Vec<(f64, f64)> = (0..20).map(|it| (3.0 + f64::from(it), 1.0)).collect();
        all.extend((0..20).map(|it| (1.0 + f64::from(it) / 20.0, -1.0)));
        let margin_of = |all: &[(f64, f64)]| margin(gains(all));
        assert!((1.95..3.0).contains(&margin_of(&all)), "{}", margin_of(&all));
        let losses: Vec<(f64, f64)> = all.iter().map(|(ratio, _)| (*ratio, -1.0)).collect();
        assert_eq!(margin_of(&losses), f64::INFINITY);
        // One success is chance.
        assert_eq!(margin_of(&[(5.0, 1.0)]), f64::INFINITY);
        assert_eq!(margin_of(&[]), USUAL_MARGIN);
    }
}
