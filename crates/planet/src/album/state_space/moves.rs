use super::StateSpace;
use crate::album::transition::{ANYWHERE, KINDS, Transition};

/// What is too little to be computed in a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Negligible {
    /// Part of what arrives by transitions to anywhere that is not worth adding to it.
    pub(super) arrival: f64,
    /// Posterior probability of a place that nothing earlier depends on.
    pub(super) posterior: f64,
}

pub(super) const NEGLIGIBLE: Negligible = Negligible { arrival: 1e-3, posterior: 1e-14 };

impl StateSpace {
    /// The probabilities before anything is seen, where so many of the photos are taken at
    /// places that no known photo shows; they sum to one.
    pub fn prior(&self, unseen: f64) -> Vec<f64> {
        let mut prior = vec![0.0; self.len()];
        self.spread_anywhere(1.0, unseen, &mut prior);
        prior
    }

    /// Probability of a transition of each kind from a state to another, given the kind.
    pub(in crate::album) fn likelihoods(
        &self,
        from: usize,
        to: usize,
        unseen: &[f64; KINDS],
    ) -> [f64; KINDS] {
        let [from_point, to_point] = [from, to].map(|state| self.point_of(state));
        std::array::from_fn(|kind| match kind {
            0 => f64::from(u8::from(from == to)),
            ANYWHERE => self.prior_of(to, unseen[ANYWHERE]),
            _ if self.reaches[kind - 1].is_nowhere(from_point) => {
                self.prior_of(to, unseen[ANYWHERE])
            }
            _ if self.is_unknown_place(to) && to / self.visits.len() != kind => 0.0,
            _ => {
                let unknown = to < self.classes || self.is_unknown_place(to);
                let reach = &self.reaches[kind - 1];
                reach.likelihood(from_point, to_point, unknown, unseen[kind])
                    * self.visits[to_point]
            }
        })
    }

    fn is_unknown_place(&self, state: usize) -> bool {
        state >= self.visits.len()
    }

    /// The class or known place at whose point a state lies.
    fn point_of(&self, state: usize) -> usize {
        state % self.visits.len()
    }

    fn prior_of(&self, state: usize, unseen: f64) -> f64 {
        let unseen = self.unseen_share(unseen);
        let visits = self.visits[self.point_of(state)];
        if state < self.classes {
            return unseen * visits;
        }
        match state / self.visits.len() {
            0 => (1.0 - unseen) * visits,
            ANYWHERE => unseen * visits,
            _ => 0.0,
        }
    }

    /// Everything is at a class where no place is known.
    fn unseen_share(&self, unseen: f64) -> f64 {
        if self.places() == 0 { 1.0 } else { unseen }
    }

    /// Adds so much probability, spread by how often everything is visited.
    fn spread_anywhere(&self, amount: f64, unseen: f64, to: &mut [f64]) {
        let points = self.visits.len();
        let unseen = amount * self.unseen_share(unseen);
        let known = amount - unseen;
        let (of_classes, rest) = to.split_at_mut(self.classes);
        let (of_known, rest) = rest.split_at_mut(self.places());
        let (class_visits, place_visits) = self.visits.split_at(self.classes);
        of_classes.iter_mut().zip(class_visits).for_each(|(to, visits)| *to += unseen * visits);
        of_known.iter_mut().zip(place_visits).for_each(|(to, visits)| *to += known * visits);
        if self.classes == 0 {
            let last = &mut rest[(ANYWHERE - 1) * points..];
            last.iter_mut().zip(place_visits).for_each(|(to, visits)| *to += unseen * visits);
        }
    }

    /// Mean of a function of the states, weighed as [`StateSpace::spread_anywhere`] spreads.
    fn mean_anywhere(&self, values: &[f64], unseen: f64) -> f64 {
        let sum = |values: &[f64], visits: &[f64]| -> f64 {
            values.iter().zip(visits).map(|(a, b)| a * b).sum()
        };
        let unseen = self.unseen_share(unseen);
        let points = self.visits.len();
        let (class_visits, place_visits) = self.visits.split_at(self.classes);
        let known = sum(&values[self.classes..points], place_visits);
        let unknown = match self.classes {
            0 => sum(&values[ANYWHERE * points..], place_visits),
            _ => sum(&values[..self.classes], class_visits),
        };
        (1.0 - unseen) * known + unseen * unknown
    }

    /// One step forward in time, `[states]` to `[states]`.
    pub(in crate::album) fn forward(&self, transition: &Transition, from: &[f64], to: &mut [f64]) {
        let points = self.visits.len();
        let stay = transition.probabilities[0];
        to.iter_mut().zip(from).for_each(|(to, from)| *to = stay * from);
        // States at one point move alike.
        let mut at_points = from[..points].to_vec();
        for unknown in from[points..].chunks_exact(points) {
            at_points.iter_mut().zip(unknown).for_each(|(sum, it)| *sum += it);
        }
        let all: f64 = at_points.iter().sum();
        let mut anywhere = transition.probabilities[ANYWHERE] * all;
        let least = self.least_arrival(transition, anywhere);
        let leaving = at_points.iter().copied().enumerate().zip(&self.peaks);
        let leaving: Vec<(usize, f64)> =
            leaving.filter(|((_, value), peak)| value * *peak > least).map(|it| it.0).collect();
        for kind in 1..ANYWHERE {
            let probability = transition.probabilities[kind];
            let reach = &self.reaches[kind - 1];
            let nowhere = reach.nowhere().iter().map(|point| at_points[*point]).sum::<f64>();
            anywhere += probability * nowhere;
            let (here, rest) = to.split_at_mut(points);
            let of_kind = match self.classes {
                0 => &mut rest[(kind - 1) * points..][..points],
                _ => &mut [][..],
            };
            reach.forward(
                probability,
                transition.unseen[kind],
                &leaving,
                least,
                |point, arriving| here[point] += self.visits[point] * arriving,
                |point, arriving| {
                    if let Some(to) = of_kind.get_mut(point) {
                        *to += self.visits[point] * arriving;
                    }
                },
            );
        }
        self.spread_anywhere(anywhere, transition.unseen[ANYWHERE], to);
    }

    /// What arrives at a place, over how often it is visited, and changes nothing there: a small
    /// part of what arrives everywhere by transitions to anywhere. Unknown places that are no
    /// classes have no such arrivals, and count everything.
    fn least_arrival(&self, transition: &Transition, anywhere: f64) -> f64 {
        if self.classes == 0 {
            return 0.0;
        }
        let unseen = self.unseen_share(transition.unseen[ANYWHERE]);
        let least = if self.places() == 0 { unseen } else { unseen.min(1.0 - unseen) };
        self.negligible.arrival * (1.0 - transition.return_probability) * anywhere * least
    }

    /// One step backward: what is seen later, as seen from each state. `posterior` is that of the
    /// later photo, where it is known: short moves to where it almost surely was not taken are
    /// left out, which changes no earlier posterior by more than what it has there.
    pub(in crate::album) fn backward(
        &self,
        transition: &Transition,
        from: &[f64],
        posterior: Option<&[f64]>,
        to: &mut [f64],
    ) {
        let points = self.visits.len();
        let counting: Vec<usize> = match posterior {
            None => (0..points).collect(),
            Some(posterior) => {
                let counts = |it: &f64| *it > self.negligible.posterior;
                let mut counting: Vec<usize> = posterior
                    .chunks(points)
                    .flat_map(|of_kind| {
                        of_kind.iter().enumerate().filter(|it| counts(it.1)).map(|it| it.0)
                    })
                    .collect();
                counting.sort_unstable();
                counting.dedup();
                counting
            }
        };
        let stay = transition.probabilities[0];
        let anywhere = self.mean_anywhere(from, transition.unseen[ANYWHERE]);
        let mut moved = vec![transition.probabilities[ANYWHERE] * anywhere; points];
        for kind in 1..ANYWHERE {
            let probability = transition.probabilities[kind];
            let reach = &self.reaches[kind - 1];
            // Where there is a model its classes are the unknown places.
            let unknown = if self.classes == 0 { &from[kind * points..][..points] } else { from };
            reach.nowhere().iter().for_each(|point| moved[*point] += probability * anywhere);
            reach.backward(
                probability,
                transition.unseen[kind],
                &self.visits,
                &counting,
                (from, unknown),
                |point, seen| moved[point] += seen,
            );
        }
        for (to, from) in to.chunks_mut(points).zip(from.chunks(points)) {
            for ((to, from), moved) in to.iter_mut().zip(from).zip(&moved) {
                *to = stay * from + moved;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Fix,
            tests::{model, places},
        },
        *,
    };
    use crate::album::TransitionModel;

    /// The whole matrix, row by row.
    fn matrix(states: &StateSpace, transition: &Transition) -> Vec<Vec<f64>> {
        let row = |from: usize| {
            let to = |to| {
                let likelihoods = states.likelihoods(from, to, &transition.unseen);
                transition.probabilities.iter().zip(likelihoods).map(|(a, b)| a * b).sum()
            };
            (0..states.len()).map(to).collect()
        };
        (0..states.len()).map(row).collect()
    }

    #[test]
    fn steps_are_products_with_the_whole_matrix_whose_rows_sum_to_one() {
        let fixes: Vec<Fix> = places().into_iter().map(Fix::from).collect();
        let transition = TransitionModel::default().transition(Some(90_000), 1.0);
        for states in [
            StateSpace::new(None, &fixes),
            StateSpace::new(Some(&model()), &fixes),
            StateSpace::new(Some(&model()), &[]),
        ] {
            let matrix = matrix(&states, &transition);
            for row in &matrix {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            }
            let from: Vec<f64> = (0..states.len()).map(|it| (it as f64).sin().powi(2)).collect();
            let (mut forward, mut backward) = (vec![0.0; from.len()], vec![0.0; from.len()]);
            states.forward(&transition, &from, &mut forward);
            states.backward(&transition, &from, None, &mut backward);
            for state in 0..states.len() {
                let wanted: f64 = (0..from.len()).map(|it| from[it] * matrix[it][state]).sum();
                assert!((forward[state] - wanted).abs() < 1e-12);
                let wanted: f64 = (0..from.len()).map(|it| from[it] * matrix[state][it]).sum();
                assert!((backward[state] - wanted).abs() < 1e-12);
            }
            assert!((states.prior(0.4).iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
