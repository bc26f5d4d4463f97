use planet_data::Monitor;

use super::{
    StateSpace, TransitionModel,
    transition::{ANYWHERE, Transition},
};

/// The likelihood of some states, those that are not named being impossible; the first is the
/// most likely.
pub type Emission = Vec<(usize, f64)>;

/// What is known of one photo of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Likelihood of each state by its known position; `None` where that is not known.
    pub position: Option<Emission>,
    /// When it was taken, in seconds on the timeline of its sequence; `None` where that is
    /// unknown.
    pub time: Option<i64>,
    /// The clock that its time is from. Times of one clock are compared as they are.
    pub clock: usize,
    /// Probability that this clock is aligned with the others as supposed.
    pub alignment: f64,
    /// Whether nothing follows this photo: it has no time, and hangs on the last photo before it
    /// that is not attached itself. The next photo follows that one too.
    pub attached: bool,
}

impl Observation {
    /// A photo at a time, in seconds, by the one clock of all photos.
    pub fn at(time: Option<i64>, position: Option<usize>) -> Self {
        let position = position.map(|state| vec![(state, 1.0)]);
        Self { position, time, clock: 0, alignment: 1.0, attached: false }
    }

    /// Seconds from a photo to this one, where both times are known, and the probability that
    /// their clocks are aligned as supposed.
    pub(super) fn since(&self, before: &Self) -> (Option<i64>, f64) {
        let seconds = self.time.zip(before.time).map(|(to, from)| to - from);
        let alignment =
            if self.clock == before.clock { 1.0 } else { self.alignment * before.alignment };
        (seconds, alignment)
    }
}

/// The user ended the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Cancelled;

/// A hidden Markov model of somebody's photos in order: where each was taken, given all of them.
///
/// The states are a [`StateSpace`], how they change says a [`TransitionModel`]. Known positions
/// and a model's output are emissions.
///
/// A photo that nothing is known of, neither itself nor through those attached to it, is no step
/// of the chain: it lies between the last photo before it and the first one after it of which
/// something is known, and their transitions take the whole times to them. A burst of photos
/// without evidence is no reason to believe that somebody moved; a step for each of them would
/// make it one, since each step has some probability to move however short it is.
///
/// ```
/// use planet::album::{Hmm, Observation, StateSpace, TransitionModel};
/// use planet_data::NoMonitor;
/// use planet_geo::LatLng;
///
/// let (rome, oslo) = (LatLng::new(41.9, 12.5)?, LatLng::new(59.9, 10.75)?);
/// let states = StateSpace::known(&[rome, oslo]);
/// let in_rome = states.state_of(rome);
/// // Known, unknown five minutes later, known again ten minutes later.
/// let photos = [
///     Observation::at(Some(0), in_rome),
///     Observation::at(Some(300), None),
///     Observation::at(Some(900), in_rome),
/// ];
/// let transitions = TransitionModel::default();
/// let hmm = Hmm { states: &states, transitions: &transitions, home: None };
/// let mut middle = 0.0;
/// hmm.posteriors(&photos, |_, _| false, &NoMonitor, |photo, posterior| {
///     if photo == 1 {
///         middle = posterior[in_rome.expect("Rome is known")];
///     }
/// })?;
/// assert!(middle > 0.95);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Hmm<'a> {
    /// The states.
    pub states: &'a StateSpace,
    /// How they change.
    pub transitions: &'a TransitionModel,
    /// Where this person is at other times, `[states]`, summing to one: transitions to anywhere
    /// lead there as often as the transition model has learned. `None` where nobody knows.
    pub home: Option<&'a [f64]>,
}

/// A photo that others follow, and those that are attached to it.
#[derive(Debug)]
struct Node {
    photo: usize,
    attached: Vec<usize>,
}

/// What is known of a node itself: a factor for each state.
enum Factor {
    None,
    Dense(Vec<f64>),
}

impl Hmm<'_> {
    /// The exact posterior of every photo's state given all photos: forward and backward pass
    /// (Rabiner 1989). `emit` gets each photo's distribution `[states]`, from the last photo to
    /// the first, but for attached photos, which come after the one that they are attached to.
    ///
    /// `emission` writes the likelihood of each state given a model's output for a photo, up to a
    /// factor, `[states]`, and returns whether it says anything; it is not asked where a position
    /// is known, and is asked three or four times.
    ///
    /// Every √n-th forward message is kept, the others are computed again: 10,000 photos among
    /// 26,000 states take 50 MB.
    ///
    /// # Errors
    /// The monitor ended it.
    pub fn posteriors(
        &self,
        photos: &[Observation],
        mut emission: impl FnMut(usize, &mut [f64]) -> bool,
        monitor: &dyn Monitor,
        mut emit: impl FnMut(usize, &[f64]),
    ) -> Result<(), Cancelled> {
        let (steps, between) = self.steps(photos, &mut emission, monitor)?;
        let at = |step: usize| &photos[steps[step].photo];
        let chunk = (steps.len() as f64).sqrt().ceil().max(1.0) as usize;
        let mut kept: Vec<Vec<f64>> = Vec::new();
        let mut state = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            if monitor.cancelled() {
                return Err(Cancelled);
            }
            let factor = self.factor(step, photos, &mut emission);
            let before = number.checked_sub(1).map(|before| (&state[..], at(before)));
            state = self.forward_message(before, at(number), &factor);
            if number % chunk == 0 {
                kept.push(state.clone());
            }
        }
        let mut walk =
            Walk { hmm: self, photos, emission: &mut emission, emit: &mut emit, monitor };
        // The likelihood of the next step's photo and all later ones, with that photo.
        let mut next: Option<(Vec<f64>, &Observation)> = None;
        for (number, first) in kept.into_iter().enumerate().rev() {
            let start = number * chunk;
            let end = (start + chunk).min(steps.len());
            let factors: Vec<Factor> = steps[start..end]
                .iter()
                .map(|step| self.factor(step, photos, walk.emission))
                .collect();
            let mut messages = vec![first];
            for number in start + 1..end {
                let before = messages.last().expect("the first is there");
                let before = Some((&before[..], at(number - 1)));
                messages.push(self.forward_message(before, at(number), &factors[number - start]));
            }
            for number in (start..end).rev() {
                let message = messages.pop().expect("one per step");
                let after = next.as_ref().map(|(message, photo)| (&message[..], *photo));
                walk.between(&between[number + 1], Some((&message, at(number))), after)?;
                let mut later = match after {
                    Some(after) => self.backward_message(after, at(number)),
                    None => vec![1.0; self.states.len()],
                };
                let mut posterior = message;
                posterior.iter_mut().zip(&later).for_each(|(here, later)| *here *= later);
                normalise(&mut posterior);
                walk.emit(&steps[number], &posterior)?;
                apply_emission(&factors[number - start], &mut later);
                next = Some((later, at(number)));
            }
        }
        let after = next.as_ref().map(|(message, photo)| (&message[..], *photo));
        walk.between(&between[0], None, after)
    }

    /// The photos of which something is known, and before, between and behind them those of which
    /// nothing is.
    fn steps(
        &self,
        photos: &[Observation],
        emission: &mut impl FnMut(usize, &mut [f64]) -> bool,
        monitor: &dyn Monitor,
    ) -> Result<(Vec<Node>, Vec<Vec<Node>>), Cancelled> {
        let (mut steps, mut between) = (Vec::new(), vec![Vec::new()]);
        let mut unused = vec![0.0; self.states.len()];
        for node in nodes(photos) {
            if monitor.cancelled() {
                return Err(Cancelled);
            }
            let mut of_node = std::iter::once(&node.photo).chain(&node.attached);
            match of_node.any(|it| photos[*it].position.is_some() || emission(*it, &mut unused)) {
                true => {
                    steps.push(node);
                    between.push(Vec::new());
                }
                false => between.last_mut().expect("the first is there").push(node),
            }
        }
        Ok((steps, between))
    }

    /// The state of a photo given those up to it: the one before it with its message, and what is
    /// known of itself.
    fn forward_message(
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
    fn arriving(&self, before: Option<(&[f64], &Observation)>, photo: &Observation) -> Vec<f64> {
        let mut state = vec![0.0; self.states.len()];
        match before {
            Some((message, before)) => {
                self.step(&self.transition(before, photo), message, &mut state);
            }
            None => {
                // Nothing is before it, and so no time is unknown.
                let transition = self.transitions.transition(Some(0), 1.0);
                state = self.states.prior(transition.unseen[ANYWHERE]);
                self.return_home(&transition, 1.0, &mut state);
            }
        }
        state
    }

    fn transition(&self, before: &Observation, photo: &Observation) -> Transition {
        let (seconds, alignment) = photo.since(before);
        self.transitions.transition(seconds, alignment)
    }

    fn step(&self, transition: &Transition, before: &[f64], state: &mut [f64]) {
        self.states.forward(transition, before, state);
        let far = transition.probabilities[ANYWHERE] * before.iter().sum::<f64>();
        self.return_home(transition, far, state);
    }

    /// How likely a photo and all later ones are from each state of a photo before it; its own
    /// message has them from each of its own states.
    fn backward_message(
        &self,
        (later, photo): (&[f64], &Observation),
        before: &Observation,
    ) -> Vec<f64> {
        let mut message = vec![0.0; later.len()];
        self.step_back(&self.transition(before, photo), later, &mut message);
        normalise(&mut message);
        message
    }

    fn step_back(&self, transition: &Transition, weighted: &[f64], message: &mut [f64]) {
        self.states.backward(transition, weighted, message);
        let Some(home) = self.home else { return };
        let seen_from = |from: &[f64]| -> f64 {
            from.iter().zip(weighted).map(|(chance, later)| chance * later).sum()
        };
        let prior = self.states.prior(transition.unseen[ANYWHERE]);
        let more = seen_from(home) - seen_from(&prior);
        let more = transition.probabilities[ANYWHERE] * transition.return_probability * more;
        message.iter_mut().for_each(|it| *it = (*it + more).max(0.0));
    }

    /// Of what arrived from anywhere by the prior, moves a share to where this person is at other
    /// times.
    fn return_home(&self, transition: &Transition, arrived: f64, state: &mut [f64]) {
        let Some(home) = self.home else { return };
        let share = arrived * transition.return_probability;
        let prior = self.states.prior(transition.unseen[ANYWHERE]);
        for ((chance, home), prior) in state.iter_mut().zip(home).zip(&prior) {
            *chance = (*chance + share * (home - prior)).max(0.0);
        }
    }

    /// What is known of a node: its own emission, and what its attached photos say of it.
    fn factor(
        &self,
        node: &Node,
        photos: &[Observation],
        emission: &mut impl FnMut(usize, &mut [f64]) -> bool,
    ) -> Factor {
        let mut factor = self.own_factor(node.photo, photos, emission);
        for attached in &node.attached {
            if let Some(message) = self.message_of(*attached, node.photo, photos, emission) {
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

    fn own_factor(
        &self,
        photo: usize,
        photos: &[Observation],
        emission: &mut impl FnMut(usize, &mut [f64]) -> bool,
    ) -> Factor {
        let mut values = vec![0.0; self.states.len()];
        match &photos[photo].position {
            Some(likelihoods) => {
                likelihoods.iter().for_each(|(state, likelihood)| values[*state] = *likelihood);
                Factor::Dense(values)
            }
            None if emission(photo, &mut values) => Factor::Dense(values),
            None => Factor::None,
        }
    }

    /// What an attached photo says of the state of the one that it is attached to; `None` where
    /// it knows nothing itself.
    fn message_of(
        &self,
        photo: usize,
        host: usize,
        photos: &[Observation],
        emission: &mut impl FnMut(usize, &mut [f64]) -> bool,
    ) -> Option<Vec<f64>> {
        let Factor::Dense(mut values) = self.own_factor(photo, photos, emission) else {
            return None;
        };
        normalise(&mut values);
        let mut message = vec![0.0; values.len()];
        self.step_back(&self.transition(&photos[host], &photos[photo]), &values, &mut message);
        normalise(&mut message);
        Some(message)
    }

    /// The posterior of an attached photo, from that of the one that it is attached to.
    fn attached(
        &self,
        photo: usize,
        host: usize,
        photos: &[Observation],
        posterior: &[f64],
        emission: &mut impl FnMut(usize, &mut [f64]) -> bool,
    ) -> Vec<f64> {
        let mut others = posterior.to_vec();
        if let Some(own) = self.message_of(photo, host, photos, emission) {
            // What this photo itself said must not come back to it.
            others.iter_mut().zip(own).for_each(|(all, own)| *all /= own.max(f64::MIN_POSITIVE));
            normalise(&mut others);
        }
        let mut state = vec![0.0; others.len()];
        self.step(&self.transition(&photos[host], &photos[photo]), &others, &mut state);
        apply_emission(&self.own_factor(photo, photos, emission), &mut state);
        state
    }
}

/// The backward pass, as it gives out posteriors.
struct Walk<'a, Emit, Emission> {
    hmm: &'a Hmm<'a>,
    photos: &'a [Observation],
    emission: &'a mut Emission,
    emit: &'a mut Emit,
    monitor: &'a dyn Monitor,
}

impl<Emit, Emission> Walk<'_, Emit, Emission>
where
    Emit: FnMut(usize, &[f64]),
    Emission: FnMut(usize, &mut [f64]) -> bool,
{
    /// Gives out a photo's posterior and those of the photos that are attached to it.
    fn emit(&mut self, node: &Node, posterior: &[f64]) -> Result<(), Cancelled> {
        if self.monitor.cancelled() {
            return Err(Cancelled);
        }
        (self.emit)(node.photo, posterior);
        for attached in &node.attached {
            let own =
                self.hmm.attached(*attached, node.photo, self.photos, posterior, self.emission);
            (self.emit)(*attached, &own);
        }
        Ok(())
    }

    /// Gives out the posteriors of photos of which nothing is known, the last one first: between
    /// a photo before them and one after them with their messages.
    fn between(
        &mut self,
        nodes: &[Node],
        before: Option<(&[f64], &Observation)>,
        after: Option<(&[f64], &Observation)>,
    ) -> Result<(), Cancelled> {
        for node in nodes.iter().rev() {
            let photo = &self.photos[node.photo];
            let mut posterior = self.hmm.arriving(before, photo);
            if let Some(after) = after {
                let later = self.hmm.backward_message(after, photo);
                posterior.iter_mut().zip(later).for_each(|(here, later)| *here *= later);
            }
            normalise(&mut posterior);
            self.emit(node, &posterior)?;
        }
        Ok(())
    }
}

fn nodes(photos: &[Observation]) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::new();
    for (photo, observation) in photos.iter().enumerate() {
        match nodes.last_mut().filter(|_| observation.attached) {
            Some(node) => node.attached.push(photo),
            None => nodes.push(Node { photo, attached: Vec::new() }),
        }
    }
    nodes
}

/// Multiplies by what is known of a photo itself. Where that contradicts everything before, it
/// counts alone.
fn apply_emission(factor: &Factor, state: &mut [f64]) {
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
fn normalise(values: &mut [f64]) {
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

#[cfg(test)]
mod tests {
    use planet_data::NoMonitor;
    use planet_geo::LatLng;

    use super::*;

    fn states() -> StateSpace {
        let at = |lat: f64, lng: f64| LatLng::new(lat, lng).expect("in range");
        StateSpace::known(&[at(0.0, 0.0), at(40.0, 0.0), at(40.0, 0.0)])
    }

    fn posteriors(
        hmm: Hmm<'_>,
        photos: &[Observation],
        emissions: &[Option<Vec<f64>>],
    ) -> Vec<Vec<f64>> {
        let mut all = vec![Vec::new(); photos.len()];
        let emission = |photo: usize, into: &mut [f64]| {
            emissions[photo].as_ref().is_some_and(|values| {
                into.copy_from_slice(values);
                true
            })
        };
        hmm.posteriors(photos, emission, &NoMonitor, |photo, posterior| {
            all[photo] = posterior.to_vec();
        })
        .expect("nobody ends it");
        all
    }

    /// The probability of one path through the states.
    fn path_probability(
        hmm: Hmm<'_>,
        photos: &[Observation],
        emissions: &[Option<Vec<f64>>],
        path: &[usize],
    ) -> f64 {
        let unseen = hmm.transitions.transition(None, 1.0).unseen;
        let prior = hmm.states.prior(unseen[ANYWHERE]);
        let anywhere = |state: usize, returns: f64| {
            hmm.home
                .map_or(prior[state], |home| (1.0 - returns) * prior[state] + returns * home[state])
        };
        let mut probability = 1.0;
        let mut before: Option<usize> = None;
        for (at, photo) in photos.iter().enumerate() {
            let (seconds, alignment) =
                before.map_or((Some(0), 1.0), |before| photo.since(&photos[before]));
            let transition = hmm.transitions.transition(seconds, alignment);
            let returns = transition.return_probability;
            probability *= match before {
                None => anywhere(path[at], returns),
                Some(before) => {
                    let mut likelihoods = hmm.states.likelihoods(path[before], path[at], &unseen);
                    likelihoods[ANYWHERE] = anywhere(path[at], returns);
                    let kinds = transition.probabilities.iter().zip(likelihoods);
                    kinds.map(|(a, b)| a * b).sum::<f64>()
                }
            };
            probability *= match (&photo.position, &emissions[at]) {
                (Some(known), _) => known.iter().find(|it| it.0 == path[at]).map_or(0.0, |it| it.1),
                (None, Some(values)) => values[path[at]],
                (None, None) => 1.0,
            };
            if !photo.attached {
                before = Some(at);
            }
        }
        probability
    }

    /// Of each photo, every path through its own states and those of the photos of which
    /// something is known, one by one.
    fn by_trying_all(
        hmm: Hmm<'_>,
        photos: &[Observation],
        emissions: &[Option<Vec<f64>>],
    ) -> Vec<Vec<f64>> {
        let host = |photo: usize| (0..photo).rev().find(|it| !photos[*it].attached);
        let known = |photo: usize| photos[photo].position.is_some() || emissions[photo].is_some();
        let posterior = |photo: usize| {
            let mut kept: Vec<usize> = (0..photos.len()).filter(|it| known(*it)).collect();
            kept.push(photo);
            let hosts = kept.iter().filter(|it| photos[**it].attached).filter_map(|it| host(*it));
            kept.extend(hosts.collect::<Vec<_>>());
            kept.sort_unstable();
            kept.dedup();
            let of = |it: &usize| (photos[*it].clone(), emissions[*it].clone());
            let (of_kept, emissions): (Vec<_>, Vec<_>) = kept.iter().map(of).unzip();
            let at = kept.iter().position(|it| *it == photo).expect("it is kept");
            every_path(hmm, &of_kept, &emissions).swap_remove(at)
        };
        (0..photos.len()).map(posterior).collect()
    }

    fn every_path(
        hmm: Hmm<'_>,
        photos: &[Observation],
        emissions: &[Option<Vec<f64>>],
    ) -> Vec<Vec<f64>> {
        let states = hmm.states.len();
        let mut sums = vec![vec![0.0; states]; photos.len()];
        for number in 0..states.pow(photos.len() as u32) {
            let path: Vec<usize> =
                (0..photos.len()).map(|at| number / states.pow(at as u32) % states).collect();
            let probability = path_probability(hmm, photos, emissions, &path);
            path.iter().enumerate().for_each(|(at, state)| sums[at][*state] += probability);
        }
        sums.iter_mut().for_each(|sums| normalise(sums));
        sums
    }

    #[test]
    fn posteriors_are_those_of_trying_every_path() {
        let states = states();
        let photo = |position, time| Observation::at(time, position);
        let mut photos = [
            photo(None, Some(0)),
            photo(Some(1), Some(30)),
            photo(None, None),
            photo(None, None),
            photo(None, Some(400)),
            photo(None, None),
            photo(None, Some(930)),
            photo(None, Some(90_000)),
        ];
        // Photos hang on others, one follows by a doubtful clock, one is known roughly.
        [2, 3, 5].iter().for_each(|it| photos[*it].attached = true);
        (photos[6].clock, photos[6].alignment) = (1, 0.7);
        photos[1].position = Some(vec![(1, 1.0), (0, 0.2)]);
        let mut emissions = vec![None; 8];
        emissions[2] = Some((0..10).map(|it| 0.1 + f64::from(it % 3)).collect());
        emissions[6] = Some((0..10).map(|it| f64::from(it % 4)).collect());
        let home: Vec<f64> = [vec![0.6, 0.1], vec![0.3 / 8.0; 8]].concat();
        for home in [None, Some(&home[..])] {
            let hmm = Hmm { states: &states, transitions: &TransitionModel::default(), home };
            let found = posteriors(hmm, &photos, &emissions);
            let wanted = by_trying_all(hmm, &photos, &emissions);
            assert!(found.iter().zip(&wanted).all(|(a, b)| a.len() == b.len()));
            for (found, wanted) in found.iter().flatten().zip(wanted.iter().flatten()) {
                assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
            }
        }
    }

    #[test]
    fn photos_that_nothing_is_known_of_change_nothing_for_the_others() {
        let states = states();
        let hmm = Hmm { states: &states, transitions: &TransitionModel::default(), home: None };
        let known = [(0, Some(0)), (36_000, None), (86_400, Some(1))];
        let alone = known.map(|(time, position)| Observation::at(Some(time), position));
        let burst = (36_001..36_400).map(|time| Observation::at(Some(time), None));
        let mut crowded = alone[..2].to_vec();
        crowded.extend(burst.chain([alone[2].clone()]));
        let of = |photos: &[Observation]| {
            posteriors(hmm, photos, &vec![None; photos.len()]).swap_remove(1)
        };
        let (alone, crowded) = (of(&alone), of(&crowded));
        assert!(alone.iter().zip(&crowded).all(|(a, b)| (a - b).abs() < 1e-12));
        // Ten hours are less than fourteen.
        assert!(alone[0] > alone[1], "{alone:?}");
    }

    #[test]
    fn ten_thousand_photos_neither_vanish_nor_overflow() {
        let states = states();
        let hmm = Hmm { states: &states, transitions: &TransitionModel::default(), home: None };
        let mut photos: Vec<Observation> =
            (0..10_000).map(|photo| Observation::at(Some(10 * photo), None)).collect();
        photos[5000] = Observation::at(Some(50_000), Some(1));
        let mut emission = vec![1e-200; 10];
        emission[0] = 1e-180;
        let found = posteriors(hmm, &photos, &vec![Some(emission); 10_000]);
        assert!(found.iter().all(|it| (it.iter().sum::<f64>() - 1.0).abs() < 1e-9));
        assert_eq!(found[5000][1], 1.0);
        assert!(found[0][0] > 0.99);
        assert!(posteriors(hmm, &[], &[]).is_empty());
    }

    #[test]
    fn the_first_request_to_end_is_heard_within_a_photo() {
        struct Ended;
        impl Monitor for Ended {
            fn expect(&self, _: u64) {}
            fn advance(&self, _: u64) {}
            fn cancelled(&self) -> bool {
                true
            }
        }
        let states = states();
        let hmm = Hmm { states: &states, transitions: &TransitionModel::default(), home: None };
        let photos = vec![Observation::at(None, None); 3];
        let asked = |_: usize, _: &mut [f64]| panic!("nothing is computed any more");
        assert_eq!(hmm.posteriors(&photos, asked, &Ended, |_, _| {}), Err(Cancelled));
    }
}
