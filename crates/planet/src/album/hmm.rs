use planet_data::Monitor;
use rayon::prelude::*;

use super::{
    StateSpace, TransitionModel,
    messages::{Factor, Later, Messages, Node, apply_emission, normalise},
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
    /// Whether nothing follows this photo: it has no time, and is attached to the last photo before it
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

/// Photos whose emissions are computed at the same time, before the messages between them.
const AHEAD: usize = 64;

/// A hidden Markov model of a person's photos in order: where each was taken, given all of them.
///
/// The states are a [`StateSpace`], how they change says a [`TransitionModel`]. Known positions
/// and a model's output are emissions.
///
/// A photo that nothing is known of, neither itself nor through those attached to it, is no step
/// of the chain: it lies between the last photo before it and the first one after it of which
/// something is known, and their transitions take the whole times to them. A burst of photos
/// without evidence does not make a move more likely; a step for each of them would
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
    /// lead there as often as the transition model has learned. `None` where it is unknown.
    pub home: Option<&'a [f64]>,
}

impl Hmm<'_> {
    /// The posterior of every photo's state given all photos: forward and backward pass (Rabiner
    /// 1989). `emit` gets each photo's distribution `[states]`, from the last photo to the first,
    /// but for attached photos, which come after the one that they are attached to.
    ///
    /// `emission` writes the likelihood of each state given a model's output for a photo, up to a
    /// factor, `[states]`, and returns whether it says anything; it is not asked where a position
    /// is known, and is asked two or three times, for several photos in parallel.
    ///
    /// Every √n-th forward message is kept, the others are computed again: 10,000 photos among
    /// 26,000 states take 100 MB. Short moves from and to places where the photo almost surely was
    /// not taken are left out, so that a step costs as much as there are likely places; the
    /// posterior changes by less than 10⁻⁵.
    ///
    /// # Errors
    /// The monitor ended it.
    pub fn posteriors(
        &self,
        photos: &[Observation],
        emission: impl Fn(usize, &mut [f64]) -> bool + Sync,
        monitor: &dyn Monitor,
        mut emit: impl FnMut(usize, &[f64]),
    ) -> Result<(), Cancelled> {
        let messages = Messages::new(*self, photos);
        let forward = forward_pass(&messages, &emission, monitor)?;
        let Forward { steps, between, kept, .. } = &forward;
        let mut walk = Walk { messages: &messages, emission: &emission, emit: &mut emit, monitor };
        let mut next: Option<Later<'_>> = None;
        let last = kept.len().checked_sub(1);
        let mut ready = last.map(|last| forward.chunk(last, &messages, &emission));
        while let Some(chunk) = ready.take() {
            // The forward messages before this chunk are computed at the same time.
            let (before, forward, messages, emission) =
                (&mut ready, &forward, &messages, &emission);
            let walked = rayon::in_place_scope(|scope| {
                if let Some(number) = chunk.number.checked_sub(1) {
                    scope.spawn(move |_| {
                        *before = Some(forward.chunk(number, messages, emission));
                    });
                }
                for (at, message) in chunk.messages.into_iter().enumerate().rev() {
                    let number = chunk.start + at;
                    let photo = messages.photo(&steps[number]);
                    let before = Some((&message[..], photo));
                    walk.between(&between[number + 1], before, next.as_ref())?;
                    let mut later = match &next {
                        Some(next) => messages.backward(next, photo),
                        None => vec![1.0; self.states.len()],
                    };
                    let mut posterior = message;
                    posterior.iter_mut().zip(&later).for_each(|(here, later)| *here *= later);
                    normalise(&mut posterior);
                    walk.emit(&steps[number], &posterior)?;
                    apply_emission(&chunk.factors[at], &mut later);
                    next = Some(Later { message: later, posterior, photo });
                }
                Ok(())
            });
            walked?;
        }
        walk.between(&between[0], None, next.as_ref())
    }
}

/// What the first pass finds.
struct Forward {
    /// The photos of which something is known.
    steps: Vec<Node>,
    /// Before, between and behind them those of which nothing is.
    between: Vec<Vec<Node>>,
    /// The forward message of every `size`-th step.
    kept: Vec<Vec<f64>>,
    size: usize,
}

/// The steps between two kept forward messages.
struct Chunk {
    number: usize,
    /// The first step.
    start: usize,
    /// What is known of each step itself.
    factors: Vec<Factor>,
    /// The forward message of each step.
    messages: Vec<Vec<f64>>,
}

impl Forward {
    /// Computes the forward messages of a chunk again.
    fn chunk(
        &self,
        number: usize,
        messages: &Messages<'_>,
        emission: &(impl Fn(usize, &mut [f64]) -> bool + Sync),
    ) -> Chunk {
        let start = number * self.size;
        let steps = &self.steps[start..(start + self.size).min(self.steps.len())];
        let factors: Vec<Factor> =
            steps.par_iter().map(|step| messages.factor(step, emission)).collect();
        let mut forward = vec![self.kept[number].clone()];
        for (at, factor) in factors.iter().enumerate().skip(1) {
            let before = Some((&forward[at - 1][..], messages.photo(&steps[at - 1])));
            forward.push(messages.forward(before, messages.photo(&steps[at]), factor));
        }
        Chunk { number, start, factors, messages: forward }
    }
}

fn forward_pass(
    messages: &Messages<'_>,
    emission: &(impl Fn(usize, &mut [f64]) -> bool + Sync),
    monitor: &dyn Monitor,
) -> Result<Forward, Cancelled> {
    let mut nodes = nodes(messages.photos).into_iter();
    let size = (nodes.len() as f64).sqrt().ceil().max(1.0) as usize;
    let (mut steps, mut between): (Vec<Node>, _) = (Vec::new(), vec![Vec::new()]);
    let (mut kept, mut message): (Vec<Vec<f64>>, Vec<f64>) = (Vec::new(), Vec::new());
    loop {
        if monitor.cancelled() {
            return Err(Cancelled);
        }
        let ahead: Vec<Node> = nodes.by_ref().take(AHEAD).collect();
        if ahead.is_empty() {
            return Ok(Forward { steps, between, kept, size });
        }
        let factors: Vec<Factor> =
            ahead.par_iter().map(|node| messages.factor(node, emission)).collect();
        for (node, factor) in ahead.into_iter().zip(factors) {
            if monitor.cancelled() {
                return Err(Cancelled);
            }
            if matches!(factor, Factor::None) {
                between.last_mut().expect("the first is there").push(node);
                continue;
            }
            let before = steps.last().map(|before| (&message[..], messages.photo(before)));
            message = messages.forward(before, messages.photo(&node), &factor);
            if steps.len() % size == 0 {
                kept.push(message.clone());
            }
            steps.push(node);
            between.push(Vec::new());
        }
    }
}

/// The backward pass, as it gives out posteriors.
struct Walk<'a, Emit, Emission> {
    messages: &'a Messages<'a>,
    emission: &'a Emission,
    emit: &'a mut Emit,
    monitor: &'a dyn Monitor,
}

impl<Emit, Emission> Walk<'_, Emit, Emission>
where
    Emit: FnMut(usize, &[f64]),
    Emission: Fn(usize, &mut [f64]) -> bool,
{
    /// Gives out a photo's posterior and those of the photos that are attached to it.
    fn emit(&mut self, node: &Node, posterior: &[f64]) -> Result<(), Cancelled> {
        if self.monitor.cancelled() {
            return Err(Cancelled);
        }
        (self.emit)(node.photo, posterior);
        for attached in &node.attached {
            let own = self.messages.attached(*attached, node.photo, posterior, self.emission);
            (self.emit)(*attached, &own);
        }
        Ok(())
    }

    /// Gives out the posteriors of photos of which nothing is known, the last one first: between
    /// a photo before them with its message and one after them.
    fn between(
        &mut self,
        nodes: &[Node],
        before: Option<(&[f64], &Observation)>,
        after: Option<&Later<'_>>,
    ) -> Result<(), Cancelled> {
        for node in nodes.iter().rev() {
            let photo = self.messages.photo(node);
            let mut posterior = self.messages.arriving(before, photo);
            if let Some(after) = after {
                let later = self.messages.backward(after, photo);
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

#[cfg(test)]
mod tests {
    use planet_data::NoMonitor;
    use planet_geo::{Keep, LatLng, Level, PhotoLeaves, Point, Uniform};

    use super::*;
    use crate::album::Fix;
    use crate::album::transition::ANYWHERE;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("in range")
    }

    fn states() -> StateSpace {
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
    fn leaving_out_unlikely_moves_hardly_changes_posteriors() {
        // A class every ten degrees, a hundred known places, and a model that is mostly right.
        let grid = (-8..=8).flat_map(|lat| (-17..18).map(move |lng| (lat * 10, lng * 10)));
        let geotags: PhotoLeaves =
            grid.map(|(lat, lng)| at(f64::from(lat), f64::from(lng))).collect();
        let uniform = Uniform {
            level: Level::new(5).expect("a level"),
            keep: Keep::From(1),
            point: Point::Mean,
            source: String::new(),
        };
        let model = uniform.build(&geotags).expect("cells");
        let place = |photo: usize| {
            let (trip, day) = ((photo / 40) as f64, (photo % 40) as f64);
            at((trip * 37.0) % 120.0 - 60.0 + day * 0.2, (trip * 71.0) % 300.0 - 150.0)
        };
        let known = |photo: usize| (photo / 7).is_multiple_of(2);
        let fixes: Vec<Fix> = (0..400).filter(|it| known(*it)).map(|it| place(it).into()).collect();
        let states = StateSpace::new(Some(&model), &fixes);
        let photos: Vec<Observation> = (0..400)
            .map(|photo| {
                let state = states.state_of(place(photo)).filter(|_| known(photo));
                Observation::at(Some(3_000 * photo as i64), state)
            })
            .collect();
        let emissions: Vec<Option<Vec<f64>>> = (0..400)
            .map(|photo| {
                let right = (photo % 5 != 0).then(|| model.class_of(place(photo))).flatten();
                let mut shares = vec![1e-7f32; model.len()];
                shares[right.map_or(photo % model.len(), |it| it.index())] = 0.6;
                let mut into = vec![0.0; states.len()];
                states.emission(&shares, 1.0, &mut into);
                Some(into)
            })
            .collect();
        let transitions = TransitionModel::default();
        let home = states.prior(0.5);
        let hmm = Hmm { states: &states, transitions: &transitions, home: Some(&home) };
        let found = posteriors(hmm, &photos, &emissions);
        let whole = states.clone().leaving_nothing_out();
        let wanted = posteriors(Hmm { states: &whole, ..hmm }, &photos, &emissions);
        let pairs = found.iter().flatten().zip(wanted.iter().flatten());
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst > 0.0, "something is left out");
        assert!(worst < 1e-5, "{worst}");
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
