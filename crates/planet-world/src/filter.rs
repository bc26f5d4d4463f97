//! Exact inference along an album: the posterior of each photo's place given all its photos.

use crate::{
    cues::Cues,
    journeys::{Journeys, Step},
};

/// What a model may know when it says where a photo was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The photo alone.
    Single,
    /// All photos, whose single answers are averaged: no ideal, but what averaging can reach.
    Mean,
    /// The photo and those before it: the ideal of a one-directional model.
    Forward,
    /// As [`View::Forward`], and the next photo: the ideal of a label offset of one.
    Lag1,
    /// As [`View::Forward`], and the next two photos.
    Lag2,
    /// The whole album: the ideal of a bidirectional model or of one that reads it twice.
    Whole,
    /// As [`View::Forward`], on pieces of at most 25 photos.
    Forward25,
    /// As [`View::Whole`], on pieces of at most 25 photos.
    Whole25,
}

impl View {
    /// All views.
    pub const ALL: [Self; 8] = [
        Self::Single,
        Self::Mean,
        Self::Forward,
        Self::Lag1,
        Self::Lag2,
        Self::Whole,
        Self::Forward25,
        Self::Whole25,
    ];

    /// Name in tables: `single`, `mean`, `forward`, `lag-1`, `lag-2`, `whole`, `forward-25`,
    /// `whole-25`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Mean => "mean",
            Self::Forward => "forward",
            Self::Lag1 => "lag-1",
            Self::Lag2 => "lag-2",
            Self::Whole => "whole",
            Self::Forward25 => "forward-25",
            Self::Whole25 => "whole-25",
        }
    }

    /// Whether capture times can change its answer.
    pub const fn heeds_times(self) -> bool {
        !matches!(self, Self::Single | Self::Mean)
    }
}

/// The paper's -25 schemes cut albums into pieces of that many photos (paper, section 5).
pub const PIECE: usize = 25;

/// P(place | what a view knows) of each photo of an album: `[photo][place]`.
pub type Posteriors = Vec<Vec<f64>>;

/// A weight for every state: at home, or on a trip at a place (in the journeys' order).
#[derive(Clone)]
struct States {
    /// `[home]`
    home: Vec<f64>,
    /// `[home, order]`
    trip: Vec<f64>,
    /// Sum of all weights. Each step divides by it, so that the weights of a long album leave
    /// the range of a double as little as those of a short one.
    total: f64,
}

/// Weight of each [`Step`]: its chance, times the density of the time that it took.
type StepWeights = [f64; Step::ALL.len()];

impl Journeys {
    /// Posteriors of an album's photos for each view, in the order of [`View::ALL`].
    ///
    /// `minutes` are those between a photo and the one before it, one fewer than photos; without
    /// them the album's order is all that is known. Views that heed no times are the same in
    /// both cases.
    ///
    /// # Panics
    /// When there is no photo, or not one duration fewer than photos.
    pub fn posteriors(&self, album: &[Cues], minutes: Option<&[f64]>) -> Vec<(View, Posteriors)> {
        assert!(!album.is_empty(), "an album holds at least one photo");
        let singles: Posteriors = album.iter().map(|cues| self.world.posterior(cues)).collect();
        let mean = vec![mean(&singles); album.len()];
        let evidence: Vec<Vec<f64>> = album.iter().map(|cues| self.evidence(cues)).collect();
        let weights = step_weights(album.len(), minutes);
        let whole = self.pass(&evidence, &weights, true);
        let (mut forward_25, mut whole_25) = (Posteriors::new(), Posteriors::new());
        for (start, piece) in evidence.chunks(PIECE).enumerate() {
            // The first photo of a piece knows nothing of the one before it.
            let first = start * PIECE;
            let part = self.pass(piece, &weights[first..first + piece.len() - 1], false);
            forward_25.extend(part.forward);
            whole_25.extend(part.whole);
        }
        vec![
            (View::Single, singles),
            (View::Mean, mean),
            (View::Forward, whole.forward),
            (View::Lag1, whole.lag1),
            (View::Lag2, whole.lag2),
            (View::Whole, whole.whole),
            (View::Forward25, forward_25),
            (View::Whole25, whole_25),
        ]
    }

    /// P(cues | place) in the journeys' order, but for a common factor.
    fn evidence(&self, cues: &Cues) -> Vec<f64> {
        let by_place = self.world.likelihood(cues);
        self.order.iter().map(|id| by_place[id.index()]).collect()
    }

    /// Forward over all photos, then backward, keeping what each view wants on the way; the
    /// views that look a step or two ahead only with `lags`.
    /// `weights[i]` lead from photo i to photo i + 1.
    fn pass(&self, evidence: &[Vec<f64>], weights: &[StepWeights], lags: bool) -> Pass {
        let mut forward: Vec<States> = Vec::with_capacity(evidence.len());
        for (photo, seen) in evidence.iter().enumerate() {
            forward.push(match photo.checked_sub(1) {
                None => self.start(seen),
                Some(before) => self.ahead(&forward[before], &weights[before], seen),
            });
        }
        let mut pass = Pass::default();
        let ones = || {
            let trip = vec![1.0; self.homes.len() * self.order.len()];
            States { home: vec![1.0; self.homes.len()], trip, total: 1.0 }
        };
        // What follows a photo: all photos, the next one, the next two.
        let (mut all, mut next, mut next_two) = (ones(), ones(), ones());
        for photo in (0..evidence.len()).rev() {
            let behind = photo + 1 < evidence.len();
            if behind {
                self.back(&mut all, &evidence[photo + 1], &weights[photo]);
            }
            if behind && lags {
                next_two = std::mem::replace(&mut next, ones());
                self.back(&mut next_two, &evidence[photo + 1], &weights[photo]);
                self.back(&mut next, &evidence[photo + 1], &weights[photo]);
            }
            let states = &forward[photo];
            pass.forward.push(self.places(states, None));
            pass.whole.push(self.places(states, Some(&all)));
            if lags {
                pass.lag1.push(self.places(states, Some(&next)));
                pass.lag2.push(self.places(states, Some(&next_two)));
            }
        }
        pass.reverse();
        pass
    }

    /// At the first photo.
    fn start(&self, seen: &[f64]) -> States {
        let at_home = Self::at_home();
        let mut home = Vec::with_capacity(self.homes.len());
        let mut trip = Vec::with_capacity(self.homes.len() * self.order.len());
        for (row, &(_, share)) in self.homes.iter().enumerate() {
            home.push(at_home * share * seen[self.home_positions[row]]);
            let away = self.away_from(row);
            trip.extend(
                away.iter().zip(seen).map(|(away, seen)| (1.0 - at_home) * share * away * seen),
            );
        }
        let total = home.iter().sum::<f64>() + trip.iter().sum::<f64>();
        States { home, trip, total }
    }

    /// One step on, to a photo in which something is seen. A step costs some operations for each
    /// home and place: a move within a region goes through the region's sum.
    fn ahead(&self, from: &States, weights: &StepWeights, seen: &[f64]) -> States {
        let [stay_home, depart, stay, moved, returned] = weights.map(|w| w / from.total);
        let places = self.order.len();
        let mut home = Vec::with_capacity(from.home.len());
        let mut trip = Vec::with_capacity(from.trip.len());
        let mut total = 0.0;
        for (index, (row, at_home)) in from.trip.chunks_exact(places).zip(&from.home).enumerate() {
            let (trips, depart) = (self.trips_from(index), depart * at_home);
            let mut away = 0.0;
            for region in &self.regions {
                let here = &row[region.clone()];
                let in_region: f64 = here.iter().sum();
                away += in_region;
                let moved = moved * in_region;
                for position in region.clone() {
                    let arrived = moved * self.arrivals[position] + depart * trips[position];
                    trip.push((stay * row[position] + arrived) * seen[position]);
                }
            }
            total += trip[index * places..].iter().sum::<f64>();
            let back = (stay_home * at_home + returned * away) * seen[self.home_positions[index]];
            total += back;
            home.push(back);
        }
        States { home, trip, total }
    }

    /// One step back: the likelihood of the next photo and all later ones from each earlier state.
    fn back(&self, states: &mut States, seen: &[f64], weights: &StepWeights) {
        let [stay_home, depart, stay, moved, returned] = weights.map(|w| w / states.total);
        let places = self.order.len();
        let mut total = 0.0;
        let rows = states.trip.chunks_exact_mut(places).zip(&mut states.home);
        for (index, (row, at_home)) in rows.enumerate() {
            row.iter_mut().zip(seen).for_each(|(weight, seen)| *weight *= seen);
            *at_home *= seen[self.home_positions[index]];
            let gone: f64 = self.trips_from(index).iter().zip(&*row).map(|(t, w)| t * w).sum();
            let back_home = returned * *at_home;
            for region in &self.regions {
                let here = &mut row[region.clone()];
                let arrivals = &self.arrivals[region.clone()];
                let arrived: f64 = arrivals.iter().zip(&*here).map(|(a, w)| a * w).sum();
                let common = moved * arrived + back_home;
                here.iter_mut().for_each(|weight| *weight = stay * *weight + common);
            }
            *at_home = stay_home * *at_home + depart * gone;
            total += *at_home + row.iter().sum::<f64>();
        }
        states.total = total;
    }

    /// P(place) of weighted states, `[place]`, given also what follows.
    fn places(&self, states: &States, behind: Option<&States>) -> Vec<f64> {
        let mut by_order = vec![0.0; self.order.len()];
        let places = self.order.len();
        for home in 0..self.homes.len() {
            let row = &states.trip[home * places..][..places];
            match behind {
                None => by_order.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight),
                Some(behind) => {
                    let behind = &behind.trip[home * places..][..places];
                    let pairs = row.iter().zip(behind);
                    by_order.iter_mut().zip(pairs).for_each(|(sum, (a, b))| *sum += a * b);
                }
            }
            let factor = behind.map_or(1.0, |behind| behind.home[home]);
            by_order[self.home_positions[home]] += states.home[home] * factor;
        }
        let total: f64 = by_order.iter().sum();
        let mut by_place = vec![0.0; places];
        for (id, weight) in self.order.iter().zip(by_order) {
            by_place[id.index()] = weight / total;
        }
        by_place
    }
}

/// Posteriors of the four views of one pass.
#[derive(Default)]
struct Pass {
    forward: Posteriors,
    lag1: Posteriors,
    lag2: Posteriors,
    whole: Posteriors,
}

impl Pass {
    fn reverse(&mut self) {
        for posteriors in [&mut self.forward, &mut self.lag1, &mut self.lag2, &mut self.whole] {
            posteriors.reverse();
        }
    }
}

fn step_weights(photos: usize, minutes: Option<&[f64]>) -> Vec<StepWeights> {
    match minutes {
        None => vec![Step::ALL.map(Step::probability); photos - 1],
        Some(minutes) => {
            assert_eq!(minutes.len() + 1, photos, "a duration lies between two photos");
            let weight = |minutes: f64| Step::ALL.map(|s| s.probability() * s.density(minutes));
            minutes.iter().map(|&minutes| weight(minutes)).collect()
        }
    }
}

fn mean(posteriors: &[Vec<f64>]) -> Vec<f64> {
    let mut mean = vec![0.0; posteriors[0].len()];
    for posterior in posteriors {
        for (sum, probability) in mean.iter_mut().zip(posterior) {
            *sum += probability / posteriors.len() as f64;
        }
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        WorldParameters,
        seed::{Purpose, stream},
        world::World,
    };

    /// Every sequence of states of a small world, one by one, with its weight.
    fn by_enumeration(
        journeys: &Journeys,
        evidence: &[Vec<f64>],
        weights: &[StepWeights],
        known: usize,
        asked: usize,
    ) -> Vec<f64> {
        let places = journeys.order.len();
        let mut result = vec![0.0; places];
        // State `places` is at home, the others are on a trip.
        let states = places + 1;
        for home in 0..journeys.homes.len() {
            let at_home = journeys.home_positions[home];
            let region = |p: usize| journeys.regions.iter().find(|r| r.contains(&p)).expect("one");
            let step =
                |from: usize, to: usize, [stay_home, depart, stay, moved, back]: StepWeights| match (
                    from == places,
                    to == places,
                ) {
                    (true, true) => stay_home,
                    (true, false) => depart * journeys.trips_from(home)[to],
                    (false, true) => back,
                    (false, false) => {
                        let near = region(from).contains(&to);
                        let arrival = if near { journeys.arrivals[to] } else { 0.0 };
                        moved * arrival + if from == to { stay } else { 0.0 }
                    }
                };
            let start = journeys.away_from(home);
            for code in 0..states.pow(known as u32) {
                let path: Vec<usize> =
                    (0..known).map(|t| code / states.pow(t as u32) % states).collect();
                let position = |state: usize| if state == places { at_home } else { state };
                let mut weight = journeys.homes[home].1
                    * match path[0] {
                        first if first == places => Journeys::at_home(),
                        first => (1.0 - Journeys::at_home()) * start[first],
                    };
                for t in 0..known {
                    weight *= evidence[t][position(path[t])];
                    if t > 0 {
                        weight *= step(path[t - 1], path[t], weights[t - 1]);
                    }
                }
                result[journeys.order[position(path[asked])].index()] += weight;
            }
        }
        let total: f64 = result.iter().sum();
        result.iter().map(|weight| weight / total).collect()
    }

    #[test]
    fn every_view_equals_the_sum_over_all_sequences_of_states() {
        let parameters = WorldParameters { places: 5, ..WorldParameters::new(1) };
        let world = World::draw(parameters).expect("a world");
        let journeys = Journeys::new(&world);
        assert!(journeys.homes.len() > 1);
        let mut rng = stream(3, Purpose::Album, 0);
        let album: Vec<Cues> = (0..4)
            .map(|_| {
                let place = world.draw_place(&mut rng);
                world.draw_cues(place, &mut rng)
            })
            .collect();
        for minutes in [None, Some([12.0, 900.0, 4000.0])] {
            let views = journeys.posteriors(&album, minutes.as_ref().map(|m| &m[..]));
            let evidence: Vec<_> = album.iter().map(|cues| journeys.evidence(cues)).collect();
            let weights = step_weights(4, minutes.as_ref().map(|m| &m[..]));
            for (view, posteriors) in views {
                for (photo, posterior) in posteriors.iter().enumerate() {
                    let known = match view {
                        View::Forward | View::Forward25 => photo + 1,
                        View::Lag1 => (photo + 2).min(4),
                        View::Lag2 => (photo + 3).min(4),
                        View::Whole | View::Whole25 => 4,
                        View::Single | View::Mean => continue,
                    };
                    let exact = by_enumeration(&journeys, &evidence, &weights, known, photo);
                    for (a, b) in posterior.iter().zip(exact) {
                        assert!((a - b).abs() < 1e-9, "{view:?} {photo}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_album_without_cues_leaves_the_popularity_and_pieces_start_anew() {
        let parameters = WorldParameters { places: 60, ..WorldParameters::new(0) };
        let world = World::draw(parameters).expect("a world");
        let journeys = Journeys::new(&world);
        let bare = Cues::bare(crate::cue::Scene::Pet);
        for (view, posteriors) in journeys.posteriors(&[bare; 27], None) {
            for posterior in posteriors {
                for (place, probability) in world.places().iter().zip(posterior) {
                    assert!((place.popularity - probability).abs() < 1e-8, "{view:?}");
                }
            }
        }
        let mut rng = stream(4, Purpose::Album, 0);
        let mut album = [bare; 27];
        album[24] = world.draw_cues(crate::PlaceId(30), &mut rng);
        let views = journeys.posteriors(&album, None);
        let of = |wanted| &views.iter().find(|(view, _)| *view == wanted).expect("a view").1;
        assert!((of(View::Forward25)[25][7] - world.places()[7].popularity).abs() < 1e-8);
        assert!(of(View::Forward)[25] != of(View::Forward25)[25]);
    }
}
