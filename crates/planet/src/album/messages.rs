//! Messages between the photos of a hidden Markov model: the information of one photo about the
//! state of another.

use super::{
    Hmm, Observation,
    transition::{ANYWHERE, Transition},
};

/// A photo that others follow, and those that are attached to it.
#[derive(Debug)]
pub(super) struct Node {
    pub photo: usize,
    pub attached: Vec<usize>,
}

/// What is known of a node itself: a factor for each state.
pub(super) enum Factor {
    None,
    Dense(Vec<f64>),
}

/// A step and all later ones, as seen from before.
pub(super) struct Later<'a> {
    /// How likely they are from each state of the step, `[states]`, up to a factor.
    pub message: Vec<f64>,
    /// The step's posterior, `[states]`.
    pub posterior: Vec<f64>,
    /// The step's photo.
    pub photo: &'a Observation,
}

/// What the messages of one sequence have in common.
pub(super) struct Messages<'a> {
    hmm: Hmm<'a>,
    pub photos: &'a [Observation],
    /// Where transitions to anywhere lead, but for those home, `[states]`.
    prior: Vec<f64>,
}

impl<'a> Messages<'a> {
    pub(super) fn new(hmm: Hmm<'a>, photos: &'a [Observation]) -> Self {
        Self { hmm, photos, prior: hmm.states.prior(hmm.transitions.unseen_anywhere()) }
    }

    pub(super) fn photo(&self, node: &Node) -> &'a Observation {
        &self.photos[node.photo]
    }

    /// The state of a photo given those up to it: the one before it with its message, and what is
    /// known of itself.
    pub(super) fn forward(
        &self,
        before: Option<(&[f64], &Observation)>,
        photo: &Observation,
        factor: &Factor,
    ) -> Vec<f64> {
        let mut state = self.arriving(before, photo);
        apply_emission(factor, &mut state);
        state
    }

    /// The state of a photo by those before it alone.
    pub(super) fn arriving(
        &self,
        before: Option<(&[f64], &Observation)>,
        photo: &Observation,
    ) -> Vec<f64> {
        match before {
            Some((message, before)) => self.step(&self.transition(before, photo), message),
            None => {
                // Nothing is before it, and so no time is unknown.
                let transition = self.hmm.transitions.transition(Some(0), 1.0);
                let mut state = self.prior.clone();
                self.return_home(&transition, 1.0, &mut state);
                state
            }
        }
    }

    fn transition(&self, before: &Observation, photo: &Observation) -> Transition {
        let (seconds, alignment) = photo.since(before);
        self.hmm.transitions.transition(seconds, alignment)
    }

    fn step(&self, transition: &Transition, before: &[f64]) -> Vec<f64> {
        let mut state = vec![0.0; before.len()];
        self.hmm.states.forward(transition, before, &mut state);
        let far = transition.probabilities[ANYWHERE] * before.iter().sum::<f64>();
        self.return_home(transition, far, &mut state);
        state
    }

    /// How likely a step and all later ones are from each state of a photo before it.
    pub(super) fn backward(&self, later: &Later<'_>, before: &Observation) -> Vec<f64> {
        let transition = self.transition(before, later.photo);
        self.step_back(&transition, &later.message, Some(&later.posterior))
    }

    fn step_back(
        &self,
        transition: &Transition,
        weighted: &[f64],
        posterior: Option<&[f64]>,
    ) -> Vec<f64> {
        let mut message = vec![0.0; weighted.len()];
        self.hmm.states.backward(transition, weighted, posterior, &mut message);
        if let Some(home) = self.hmm.home {
            let seen_from = |from: &[f64]| -> f64 {
                from.iter().zip(weighted).map(|(chance, later)| chance * later).sum()
            };
            let more = seen_from(home) - seen_from(&self.prior);
            let more = transition.probabilities[ANYWHERE] * transition.return_probability * more;
            message.iter_mut().for_each(|it| *it = (*it + more).max(0.0));
        }
        normalise(&mut message);
        message
    }

    /// Of what arrived from anywhere by the prior, moves a share to where this person is at other
    /// times.
    fn return_home(&self, transition: &Transition, arrived: f64, state: &mut [f64]) {
        let Some(home) = self.hmm.home else { return };
        let share = arrived * transition.return_probability;
        for ((chance, home), prior) in state.iter_mut().zip(home).zip(&self.prior) {
            *chance = (*chance + share * (home - prior)).max(0.0);
        }
    }

    /// What is known of a node: its own emission and the messages of its attached photos.
    pub(super) fn factor(
        &self,
        node: &Node,
        emission: &impl Fn(usize, &mut [f64]) -> bool,
    ) -> Factor {
        let mut factor = self.own_factor(node.photo, emission);
        for attached in &node.attached {
            if let Some(message) = self.message_of(*attached, node.photo, emission) {
                match &mut factor {
                    Factor::None => factor = Factor::Dense(message),
                    Factor::Dense(all) => {
                        all.iter_mut().zip(message).for_each(|(all, it)| *all *= it);
                        normalise(all);
                    }
                }
            }
        }
        factor
    }

    fn own_factor(&self, photo: usize, emission: &impl Fn(usize, &mut [f64]) -> bool) -> Factor {
        let mut values = vec![0.0; self.hmm.states.len()];
        match &self.photos[photo].position {
            Some(likelihoods) => {
                likelihoods.iter().for_each(|(state, likelihood)| values[*state] = *likelihood);
                Factor::Dense(values)
            }
            None if emission(photo, &mut values) => Factor::Dense(values),
            None => Factor::None,
        }
    }

    /// The message of an attached photo to the one that it is attached to; `None` where
    /// nothing is known of it.
    fn message_of(
        &self,
        photo: usize,
        host: usize,
        emission: &impl Fn(usize, &mut [f64]) -> bool,
    ) -> Option<Vec<f64>> {
        let Factor::Dense(mut values) = self.own_factor(photo, emission) else {
            return None;
        };
        normalise(&mut values);
        let transition = self.transition(&self.photos[host], &self.photos[photo]);
        Some(self.step_back(&transition, &values, None))
    }

    /// The posterior of an attached photo, from that of the one that it is attached to.
    pub(super) fn attached(
        &self,
        photo: usize,
        host: usize,
        posterior: &[f64],
        emission: &impl Fn(usize, &mut [f64]) -> bool,
    ) -> Vec<f64> {
        let mut others = posterior.to_vec();
        if let Some(own) = self.message_of(photo, host, emission) {
            // A photo's own message must not be counted for itself again.
            others.iter_mut().zip(own).for_each(|(all, own)| *all /= own.max(f64::MIN_POSITIVE));
            normalise(&mut others);
        }
        let transition = self.transition(&self.photos[host], &self.photos[photo]);
        let mut state = self.step(&transition, &others);
        apply_emission(&self.own_factor(photo, emission), &mut state);
        state
    }
}

/// Multiplies by what is known of a photo itself. Where that contradicts everything before, it
/// counts alone.
pub(super) fn apply_emission(factor: &Factor, state: &mut [f64]) {
    if let Factor::Dense(likelihoods) = factor {
        let mut sum = 0.0;
        for (chance, likelihood) in state.iter_mut().zip(likelihoods) {
            *chance *= likelihood;
            sum += *chance;
        }
        if sum <= 0.0 {
            state.copy_from_slice(likelihoods);
        }
    }
    normalise(state);
}

/// To a sum of one; even chances where nothing is left.
pub(super) fn normalise(values: &mut [f64]) {
    let sum: f64 = values.iter().sum();
    if sum > 0.0 && sum.is_finite() {
        let scale = 1.0 / sum;
        match scale.is_finite() {
            true => values.iter_mut().for_each(|value| *value *= scale),
            false => values.iter_mut().for_each(|value| *value /= sum),
        }
    } else {
        values.fill(1.0 / values.len().max(1) as f64);
    }
}
