//! How far similarity tells the place.

use std::collections::HashMap;

use planet::album::StateSpace;
use planet_geo::{ClassId, Distance, LatLng};
use rayon::prelude::*;

use crate::LookAlikes;

/// Photos of a library by which similarity is calibrated: of more, every n-th.
const CALIBRATED: usize = 1000;
/// Known photos farther in time from a photo than this, in seconds, are no part of its occasion.
pub(crate) const APART: i64 = 36 * 3600;
/// Groups of photos by the similarity of the most similar known photo.
const BINS: usize = 8;
/// Photos for which the mean of all groups counts in the estimate of one.
const STRENGTH: f64 = 5.0;
const ROUNDS: usize = 30;

/// How look-alikes vote. These are tried.
const KERNELS: [Kernel; 12] = kernels();

/// The weight of a look-alike: `exp(sharpness × cosine) / crowd^balance`, where the crowd is the number
/// of known photos within 25 km of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Kernel {
    sharpness: f64,
    /// 0: each photo has a vote. 1: each place has as many votes as any other.
    balance: f64,
}

const fn kernels() -> [Kernel; 12] {
    let (sharpness, balance) = ([10.0, 20.0, 40.0, 80.0], [0.0, 0.5, 1.0]);
    let mut all = [Kernel { sharpness: 0.0, balance: 0.0 }; 12];
    let mut at = 0;
    while at < all.len() {
        all[at] = Kernel { sharpness: sharpness[at % 4], balance: balance[at / 4] };
        at += 1;
    }
    all
}

/// Known photos by their number, with their cosine, the most similar first.
pub(crate) type Ranked = Vec<(usize, f32)>;

/// A photo of known position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub row: usize,
    pub state: usize,
    pub position: LatLng,
    /// Its sequence and its time there.
    pub time: Option<(usize, i64)>,
}

impl Known {
    /// Whether this photo is surely of another occasion than one of this time.
    fn is_apart(&self, time: (usize, i64)) -> bool {
        self.time.is_some_and(|own| own.0 != time.0 || (own.1 - time.1).abs() > APART)
    }
}

/// What the look-alikes of a photo say of its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Votes {
    /// Cosine of the most similar one.
    pub best: f32,
    /// Probability that the photo was taken where one of them was.
    pub share: f64,
    /// Of each state that it then has, summing to one.
    pub states: Vec<(usize, f64)>,
    /// Row, state and position of the look-alikes, the most similar first.
    pub alike: Vec<(usize, usize, LatLng)>,
}

impl Votes {
    /// Multiplies likelihoods of the states by those of these votes, their probability over the
    /// prior, to the power of `weight`.
    pub(crate) fn apply(&self, weight: f64, prior: &[f64], likelihoods: &mut [f64]) {
        let rest = (1.0 - self.share).max(f64::MIN_POSITIVE);
        let own: Vec<f64> = self.states.iter().map(|(state, _)| likelihoods[*state]).collect();
        likelihoods.iter_mut().for_each(|it| *it *= rest.powf(weight));
        for ((state, share), own) in self.states.iter().zip(own) {
            let voted = self.share * share / prior[*state].max(f64::MIN_POSITIVE);
            likelihoods[*state] = own * (rest + voted).powf(weight);
        }
    }
}

/// How far similarity tells the place, learned from a library's own known photos: each is hidden
/// in turn.
///
/// A photo's distribution is a mixture of what its look-alikes say and of the prior. How often the
/// former is right depends on the similarity of the best one, and on whether photos of the same
/// occasion are among the known ones: they are far more alike than any others. Both cases are
/// learned; how often a photo without a time is of the first kind is estimated from the
/// similarities that such photos have (a mixture of two known distributions).
#[derive(Clone, Debug)]
pub(crate) struct SimilarityModel {
    /// Upper bounds of the bins but the last, ascending.
    bounds: Vec<f32>,
    /// With photos of the same occasion, and without.
    together: Case,
    apart: Case,
    /// How often a photo without a time has known photos of its occasion.
    share_together: f64,
    crowds: Crowds,
}

/// One case of the similarity model.
#[derive(Clone, Debug)]
struct Case {
    kernel: Kernel,
    /// How often look-alikes tell the place, by bin.
    right: Vec<f64>,
    /// Share of the photos in each bin.
    density: Vec<f64>,
}

/// A hidden known photo: how similar the best look-alike is, and the probability near the truth
/// by the look-alikes for each kernel, and by the prior.
struct Hidden {
    best: f32,
    voted: [f64; KERNELS.len()],
    prior: f64,
}

impl SimilarityModel {
    /// Learned from known photos; `untimed` are the rows of photos without a time that are to be
    /// located. `None` where fewer than 20 known photos have a vector.
    pub(crate) fn learn(
        look_alikes: &LookAlikes,
        known: &[Known],
        untimed: &[usize],
        states: &StateSpace,
        prior: &[f64],
    ) -> Option<Self> {
        let with_vector: Vec<&Known> =
            known.iter().filter(|it| look_alikes.vector(it.row).is_some()).collect();
        if with_vector.len() < 20 {
            return None;
        }
        let every = with_vector.len().div_ceil(CALIBRATED);
        let places = Places::of(known, states, prior);
        let crowds = Crowds::of(known, &places);
        let hide = |photo: &Known, apart: bool| {
            let wanted = |it: &Known| !apart || photo.time.is_some_and(|time| it.is_apart(time));
            let ranked = look_alikes.most_similar(photo.row, known, wanted);
            let best = ranked.first()?.1;
            let near = places.near(photo.position);
            let voted = KERNELS.map(|kernel| {
                let votes = shares(&ranked, known, kernel, &crowds);
                votes.iter().filter(|(state, _)| near.contains(state)).map(|it| it.1).sum()
            });
            let prior = near.iter().map(|state| prior[*state]).sum::<f64>().max(1e-9);
            Some(Hidden { best, voted, prior })
        };
        let hidden = |apart: bool| -> Vec<Hidden> {
            let photos = with_vector.par_iter().step_by(every);
            photos.filter_map(|photo| hide(photo, apart)).collect()
        };
        let (together, apart) = (hidden(false), hidden(true));
        let mut all: Vec<f32> = together.iter().chain(&apart).map(|it| it.best).collect();
        all.sort_by(f32::total_cmp);
        let bounds: Vec<f32> = (1..BINS).map(|bin| all[bin * all.len() / BINS]).collect();
        let [together, apart] = [together, apart].map(|hidden| Case::best(&hidden, &bounds));
        let mut model = Self { bounds, together, apart, share_together: 0.5, crowds };
        let best = |row: &usize| {
            let ranked = look_alikes.most_similar(*row, known, |_| true);
            Some(model.bin(ranked.first()?.1))
        };
        let every = untimed.len().div_ceil(CALIBRATED).max(1);
        let bins: Vec<usize> = untimed.par_iter().step_by(every).filter_map(best).collect();
        model.share_together = model.share_of(&bins);
        Some(model)
    }

    /// What the look-alikes say of a photo without a time.
    pub(crate) fn votes(
        &self,
        look_alikes: &LookAlikes,
        known: &[Known],
        row: usize,
    ) -> Option<Votes> {
        let ranked = look_alikes.most_similar(row, known, |_| true);
        let best = ranked.first()?.1;
        let bin = self.bin(best);
        let together = self.probability_together(bin, self.share_together);
        let cases = [(together, &self.together), (1.0 - together, &self.apart)];
        let mut states: Vec<(usize, f64)> = Vec::new();
        for (probability, case) in cases {
            for (state, share) in shares(&ranked, known, case.kernel, &self.crowds) {
                let share = probability * case.right[bin] * share;
                match states.iter_mut().find(|it| it.0 == state) {
                    Some(it) => it.1 += share,
                    None => states.push((state, share)),
                }
            }
        }
        let share: f64 = states.iter().map(|it| it.1).sum();
        states.iter_mut().for_each(|it| it.1 /= share.max(f64::MIN_POSITIVE));
        let alike = ranked.iter().map(|(number, _)| {
            let it = &known[*number];
            (it.row, it.state, it.position)
        });
        Some(Votes { best, share, states, alike: alike.collect() })
    }

    fn bin(&self, similarity: f32) -> usize {
        bin(&self.bounds, similarity)
    }

    fn probability_together(&self, bin: usize, share: f64) -> f64 {
        let together = share * self.together.density[bin];
        together / (together + (1.0 - share) * self.apart.density[bin])
    }

    /// The share of photos of the first kind under which these bins are most likely, by
    /// expectation and maximisation.
    fn share_of(&self, bins: &[usize]) -> f64 {
        let (together, apart) = (&self.together.density, &self.apart.density);
        mixed(bins, together, apart)
    }
}

/// The share of the first of two distributions over bins in a mixture of both under which
/// these bins are most likely, by expectation and maximisation.
fn mixed(bins: &[usize], first: &[f64], second: &[f64]) -> f64 {
    let mut share = 0.5;
    for _ in 0..ROUNDS {
        let probability = |bin: &usize| {
            let of_first = share * first[*bin];
            of_first / (of_first + (1.0 - share) * second[*bin])
        };
        let sum: f64 = bins.iter().map(probability).sum();
        share = (sum + 0.5 * STRENGTH) / (bins.len() as f64 + STRENGTH);
    }
    share
}

/// The share of the first of two sets of values in a mixture of both under which other values are
/// most likely, as far as eighths of all values tell.
pub(crate) fn share_of_first(values: &[f32], first: &[f32], second: &[f32]) -> f64 {
    let mut all: Vec<f32> = first.iter().chain(second).copied().collect();
    if all.is_empty() {
        return 0.5;
    }
    all.sort_by(f32::total_cmp);
    let bounds: Vec<f32> = (1..BINS).map(|bin| all[bin * all.len() / BINS]).collect();
    let density = |values: &[f32]| -> Vec<f64> {
        let mut counts = [1.0; BINS];
        values.iter().for_each(|value| counts[bin(&bounds, *value)] += 1.0);
        counts.iter().map(|count| count / (values.len() + BINS) as f64).collect()
    };
    let bins: Vec<usize> = values.iter().map(|value| bin(&bounds, *value)).collect();
    mixed(&bins, &density(first), &density(second))
}

impl Case {
    /// With the kernel under which the hidden photos are most likely.
    fn best(hidden: &[Hidden], bounds: &[f32]) -> Self {
        let fits = (0..KERNELS.len()).map(|kernel| Self::fit(hidden, kernel, bounds));
        let best = fits.max_by(|a, b| a.1.total_cmp(&b.1));
        best.expect("one is tried").0
    }

    /// How often look-alikes are right in each bin, by expectation and maximisation, and the
    /// logarithm of the likelihood.
    fn fit(hidden: &[Hidden], kernel: usize, bounds: &[f32]) -> (Self, f64) {
        let of_bin: Vec<Vec<&Hidden>> = (0..BINS)
            .map(|number| hidden.iter().filter(|it| bin(bounds, it.best) == number).collect())
            .collect();
        let responsibility = |it: &Hidden, right: f64| {
            let voted = right * it.voted[kernel];
            voted / (voted + (1.0 - right) * it.prior)
        };
        let maximised = |of: &[&Hidden], expected: f64| {
            let mut right = expected;
            for _ in 0..ROUNDS {
                let sum: f64 = of.iter().map(|it| responsibility(it, right)).sum();
                right = (sum + expected * STRENGTH) / (of.len() as f64 + STRENGTH);
            }
            right
        };
        let all: Vec<&Hidden> = hidden.iter().collect();
        let overall = maximised(&all, 0.5);
        let right: Vec<f64> = of_bin.iter().map(|of| maximised(of, overall)).collect();
        let likelihood = of_bin.iter().zip(&right).flat_map(|(of, right)| {
            let mixture = move |it: &&Hidden| right * it.voted[kernel] + (1.0 - right) * it.prior;
            of.iter().map(move |it| mixture(it).max(1e-12).ln())
        });
        let likelihood = likelihood.sum();
        let all = hidden.len() as f64 + BINS as f64;
        let density = of_bin.iter().map(|of| (of.len() as f64 + 1.0) / all).collect();
        (Self { kernel: KERNELS[kernel], right, density }, likelihood)
    }
}

fn bin(bounds: &[f32], similarity: f32) -> usize {
    bounds.partition_point(|bound| *bound <= similarity)
}

/// The share of each state in the votes of look-alikes.
fn shares(
    ranked: &Ranked,
    known: &[Known],
    Kernel { sharpness, balance }: Kernel,
    crowds: &Crowds,
) -> Vec<(usize, f64)> {
    let best = ranked.first().map_or(0.0, |it| it.1);
    let mut shares: Vec<(usize, f64)> = Vec::new();
    let mut sum = 0.0;
    for (number, similarity) in ranked {
        let state = known[*number].state;
        let crowd = crowds.0.get(&state).copied().unwrap_or(1.0);
        let weight = (sharpness * f64::from(similarity - best)).exp() / crowd.powf(balance);
        sum += weight;
        match shares.iter_mut().find(|it| it.0 == state) {
            Some(it) => it.1 += weight,
            None => shares.push((state, weight)),
        }
    }
    shares.iter_mut().for_each(|it| it.1 /= sum);
    shares
}

/// The places of known photos.
struct Places(Vec<(usize, LatLng)>);

impl Places {
    fn of(known: &[Known], states: &StateSpace, prior: &[f64]) -> Self {
        let mut all: Vec<usize> =
            known.iter().map(|it| it.state).filter(|it| *it < prior.len()).collect();
        all.sort_unstable();
        all.dedup();
        let point = |state: usize| states.partition().point(ClassId(state as u32));
        Self(all.into_iter().filter_map(|state| Some((state, point(state)?))).collect())
    }

    /// The states within 25 km.
    fn near(&self, position: LatLng) -> Vec<usize> {
        let is_near = |it: &&(usize, LatLng)| it.1.distance_to(position) <= Distance::from_km(25.0);
        self.0.iter().filter(is_near).map(|it| it.0).collect()
    }
}

/// Known photos within 25 km of each state that has any.
#[derive(Clone, Debug)]
struct Crowds(HashMap<usize, f64>);

impl Crowds {
    fn of(known: &[Known], places: &Places) -> Self {
        let mut photos: HashMap<usize, f64> = HashMap::new();
        known.iter().for_each(|it| *photos.entry(it.state).or_default() += 1.0);
        let crowd = |(state, point): &(usize, LatLng)| {
            let near = places.near(*point).into_iter();
            (*state, near.filter_map(|it| photos.get(&it)).sum::<f64>().max(1.0))
        };
        Self(places.0.iter().map(crowd).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Photos of places in a row of degrees, five on each of `days` days, `vector` for each.
    fn photos(days: usize, vector: impl Fn(usize, usize) -> Vec<f32>) -> (LookAlikes, Vec<Known>) {
        let position = |day: usize| LatLng::new((day % 10) as f64, 0.0).expect("in range");
        let known = |photo: usize| Known {
            row: photo,
            state: photo / 5 % 10,
            position: position(photo / 5),
            time: Some((0, (photo / 5) as i64 * 7 * 86_400 + photo as i64)),
        };
        let vectors = (0..days * 5).map(|photo| Some(vector(photo / 5, photo)));
        (LookAlikes::new(vectors), (0..days * 5).map(known).collect())
    }

    /// The states of these photos, and the photos with theirs.
    fn placed(known: Vec<Known>) -> (StateSpace, Vec<Known>) {
        let states = StateSpace::known(&known.iter().map(|it| it.position).collect::<Vec<_>>());
        let state = |it: &Known| states.state_of(it.position).expect("a place");
        let known = known.iter().map(|it| Known { state: state(it), ..*it }).collect();
        (states, known)
    }

    /// Points on a circle, near each other for one number and far for others.
    fn on_circle(number: usize, of: usize, off: f32) -> Vec<f32> {
        let angle = number as f32 / of as f32 * std::f32::consts::TAU + off;
        vec![angle.cos(), angle.sin()]
    }

    #[test]
    fn look_alikes_count_as_far_as_those_of_hidden_photos_tell_the_place() {
        // Each place looks alike on every day.
        let (alike, known) =
            photos(40, |day, photo| on_circle(day % 10, 10, 0.01 * (photo % 5) as f32));
        let (states, known) = placed(known);
        let prior = states.prior(0.5);
        let model = SimilarityModel::learn(&alike, &known, &[], &states, &prior).expect("learned");
        let hidden: Vec<Known> = known[5..].to_vec();
        let votes = model.votes(&alike, &hidden, 0).expect("it has a vector");
        assert!(votes.share > 0.8, "{votes:?}");
        assert!(votes.states[0].1 > 0.8 && votes.states[0].0 == known[0].state, "{votes:?}");
        let mut likelihoods = vec![1.0; states.len()];
        votes.apply(1.0, &prior, &mut likelihoods);
        let posterior = |state: usize| likelihoods[state] * prior[state];
        let sum: f64 = (0..states.len()).map(posterior).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        assert!(posterior(known[0].state) > 0.6);
        let mut without = vec![1.0; states.len()];
        votes.apply(0.0, &prior, &mut without);
        assert!(without.iter().all(|it| *it == 1.0), "no weight, no evidence");
    }

    #[test]
    fn the_share_of_a_mixture_is_found_from_its_values() {
        let first: Vec<f32> = (0..200).map(|it| it as f32 / 200.0).collect();
        let second: Vec<f32> = first.iter().map(|it| it + 0.5).collect();
        assert!(share_of_first(&first, &first, &second) > 0.9);
        assert!(share_of_first(&second, &first, &second) < 0.1);
        let both: Vec<f32> = first.iter().chain(&second).copied().collect();
        assert!((share_of_first(&both, &first, &second) - 0.5).abs() < 0.1);
    }

    #[test]
    fn photos_that_are_alike_only_on_one_day_tell_nothing_of_other_days() {
        // Each day looks like itself alone.
        let (alike, known) =
            photos(40, |day, photo| on_circle(day * 7 % 40, 40, 0.001 * (photo % 5) as f32));
        let (states, known) = placed(known);
        let prior = states.prior(0.5);
        // Photos without a time that look like none of the known ones.
        let untimed: Vec<usize> = (0..5).collect();
        let others: Vec<Known> = known[5..].to_vec();
        let model = SimilarityModel::learn(&alike, &others, &untimed, &states, &prior);
        let model = model.expect("learned");
        let strange = model.votes(&alike, &others, 0).expect("a vector");
        assert!(strange.share < 0.35, "{strange:?}");
        let sibling = model.votes(&alike, &known[1..], 0).expect("a vector");
        assert!(sibling.share > 0.7, "{sibling:?}");
    }
}
