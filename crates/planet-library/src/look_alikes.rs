//! Photos located by the known photos that look like them.

use planet::{
    album::StateSpace,
    retrieval::{Extractor, RetrievalError, Role, Whitening},
};
use planet_data::{Monitor, PhotoRecord, PhotoStore};
use planet_geo::{ClassId, Distance, LatLng};
use rayon::prelude::*;

/// Principal components that are compared, each scaled to equal variance, and the photos that are
/// needed for each.
const COMPONENTS: usize = 128;
const PHOTOS_PER_COMPONENT: usize = 2;
/// Most similar known photos that say where a photo may be.
const VOTERS: usize = 32;
/// Photos of a library by which similarity is calibrated: of more, every n-th.
const CALIBRATED: usize = 1000;
/// Known photos farther in time from a photo than this, in seconds, are no part of its occasion.
const APART: i64 = 36 * 3600;
/// Groups of photos by the similarity of the most similar known photo.
const BINS: usize = 8;
/// By how much more a more similar photo counts: `exp(sharpness × cosine)`. These are tried.
const SHARPNESS: [f64; 6] = [5.0, 10.0, 20.0, 40.0, 80.0, 160.0];
/// Photos for which the mean of all groups counts in the estimate of one.
const STRENGTH: f64 = 5.0;
const ROUNDS: usize = 30;

/// What the photos of a library look like: a vector of features for each.
#[derive(Clone, Debug)]
pub struct LookAlikes {
    dimensions: usize,
    /// Place in `values` of each record's vector; `None` for a photo without one.
    places: Vec<Option<usize>>,
    /// `[vectors, dimensions]`, each of length 1.
    values: Vec<f32>,
}

impl LookAlikes {
    /// From a vector for each record, `[dimensions]`; `None` for photos without one.
    ///
    /// # Panics
    /// The vectors differ in length.
    pub fn new(vectors: impl IntoIterator<Item = Option<Vec<f32>>>) -> Self {
        let mut all = Self { dimensions: 0, places: Vec::new(), values: Vec::new() };
        for vector in vectors {
            let place = vector.map(|vector| {
                all.dimensions = vector.len();
                let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
                let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
                all.values.extend(vector.into_iter().map(|x| x * scale));
                all.values.len() / all.dimensions - 1
            });
            all.places.push(place);
        }
        let vectors = all.places.iter().flatten().count();
        assert_eq!(all.values.len(), vectors * all.dimensions, "vectors of one length");
        all
    }

    /// Computes the vectors of a library's photos, and whitens them by their own principal
    /// components. `on_failure` hears of photos that cannot be decoded.
    ///
    /// # Errors
    /// The recipe has several vectors for a photo or needs a whitening that was not learned, the
    /// engine fails, or the monitor ended it.
    pub fn compute(
        extractor: &mut Extractor,
        store: &dyn PhotoStore,
        records: &[PhotoRecord],
        monitor: &dyn Monitor,
        mut on_failure: impl FnMut(&str, &str),
    ) -> Result<Self, RetrievalError> {
        let photos: Vec<String> = records.iter().map(|it| it.photo.clone()).collect();
        let mut vectors = vec![None; photos.len()];
        extractor.describe(store, &photos, Role::Reference, monitor, |row, descriptor| {
            match descriptor {
                Ok(descriptor) if descriptor.len() == 1 => {
                    vectors[row] = Some(descriptor.values().to_vec());
                }
                Ok(_) => {
                    let what = "photos of a library are compared by one vector each".to_owned();
                    return Err(RetrievalError::Recipe(what));
                }
                Err(error) => on_failure(&photos[row], &error.to_string()),
            }
            Ok(())
        })?;
        Ok(Self::new(vectors).whitened())
    }

    /// With components of equal variance, as many as the photos allow; as they are where there are
    /// too few photos for one.
    fn whitened(self) -> Self {
        let photos = self.places.iter().flatten().count();
        let components = (photos / PHOTOS_PER_COMPONENT).min(COMPONENTS).min(self.dimensions);
        if components < 2 {
            return self;
        }
        match Whitening::learn(&self.values, self.dimensions, components) {
            Ok(whitening) => {
                let row = |row| self.vector(row).map(|vector| whitening.apply(vector));
                Self::new((0..self.places.len()).map(row))
            }
            // The photos differ in fewer directions, such as when most are equal.
            Err(_) => self,
        }
    }

    /// The known photo of these that looks most alike; `None` without a vector or a known photo.
    pub(crate) fn nearest(&self, row: usize, known: &[Option<LatLng>]) -> Option<LatLng> {
        let own = self.vector(row)?;
        let similarity = |(other, position): (usize, &Option<LatLng>)| {
            let vector = self.vector(other).filter(|_| other != row)?;
            Some((cosine(own, vector), (*position)?))
        };
        let all = known.iter().enumerate().filter_map(similarity);
        all.max_by(|a, b| a.0.total_cmp(&b.0)).map(|it| it.1)
    }

    fn vector(&self, row: usize) -> Option<&[f32]> {
        let place = self.places.get(row).copied().flatten()?;
        Some(&self.values[place * self.dimensions..][..self.dimensions])
    }

    /// The most similar of some known photos, the best first, as (number, cosine).
    fn most_similar(&self, row: usize, known: &[Known], wanted: impl Fn(&Known) -> bool) -> Ranked {
        let Some(own) = self.vector(row) else { return Vec::new() };
        let similarity = |(number, it): (usize, &Known)| {
            let other = self.vector(it.row).filter(|_| it.row != row && wanted(it))?;
            Some((number, cosine(own, other)))
        };
        let mut all: Ranked = known.iter().enumerate().filter_map(similarity).collect();
        let by_similarity =
            |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if all.len() > VOTERS {
            all.select_nth_unstable_by(VOTERS, by_similarity);
            all.truncate(VOTERS);
        }
        all.sort_by(by_similarity);
        all
    }
}

/// Of two vectors of length 1.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Known photos by their number, with their cosine, the most similar first.
type Ranked = Vec<(usize, f32)>;

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
    /// Probability that the photo was taken where one of them was.
    pub share: f64,
    /// Of each state that it then has, summing to one.
    pub states: Vec<(usize, f64)>,
    /// Row, state and position of the look-alikes, the most similar first.
    pub alike: Vec<(usize, usize, LatLng)>,
}

impl Votes {
    /// Multiplies likelihoods of the states by those of these votes: their probability over the
    /// prior.
    pub(crate) fn apply(&self, prior: &[f64], likelihoods: &mut [f64]) {
        let own: Vec<f64> = self.states.iter().map(|(state, _)| likelihoods[*state]).collect();
        likelihoods.iter_mut().for_each(|it| *it *= 1.0 - self.share);
        for ((state, share), own) in self.states.iter().zip(own) {
            likelihoods[*state] += own * self.share * share / prior[*state].max(f64::MIN_POSITIVE);
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
    sharpness: f64,
    /// Upper bounds of the bins but the last, ascending.
    bounds: Vec<f32>,
    /// With photos of the same occasion, and without.
    together: Bins,
    apart: Bins,
    /// How often a photo without a time has known photos of its occasion.
    share_together: f64,
}

/// One case of the similarity model.
#[derive(Clone, Debug)]
struct Bins {
    /// How often look-alikes tell the place, by bin.
    right: Vec<f64>,
    /// Share of the photos in each bin.
    density: Vec<f64>,
}

/// A hidden known photo: how similar the best look-alike is, and the probability near the truth
/// by the look-alikes for each sharpness, and by the prior.
struct Hidden {
    best: f32,
    voted: [f64; SHARPNESS.len()],
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
        let hide = |photo: &Known, apart: bool| {
            let wanted = |it: &Known| !apart || photo.time.is_some_and(|time| it.is_apart(time));
            let ranked = look_alikes.most_similar(photo.row, known, wanted);
            let best = ranked.first()?.1;
            let near = places.near(photo.position);
            let voted = SHARPNESS.map(|sharpness| {
                let votes = shares(&ranked, known, sharpness);
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
        let fit = |sharpness: usize| {
            let cases = [&together, &apart].map(|it| Bins::fit(it, sharpness, &bounds));
            (cases.iter().map(|it| it.1).sum::<f64>(), sharpness, cases)
        };
        let fits = (0..SHARPNESS.len()).map(fit);
        let (_, sharpness, [together, apart]) =
            fits.max_by(|a, b| a.0.total_cmp(&b.0)).expect("one is tried");
        let mut model = Self {
            sharpness: SHARPNESS[sharpness],
            bounds,
            together: together.0,
            apart: apart.0,
            share_together: 0.5,
        };
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
        let bin = self.bin(ranked.first()?.1);
        let together = self.probability_together(bin, self.share_together);
        let share = together * self.together.right[bin] + (1.0 - together) * self.apart.right[bin];
        let alike = ranked.iter().map(|(number, _)| {
            let it = &known[*number];
            (it.row, it.state, it.position)
        });
        let alike = alike.collect();
        Some(Votes { share, states: shares(&ranked, known, self.sharpness), alike })
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
        let mut share = 0.5;
        for _ in 0..ROUNDS {
            let sum: f64 = bins.iter().map(|bin| self.probability_together(*bin, share)).sum();
            share = (sum + 0.5 * STRENGTH) / (bins.len() as f64 + STRENGTH);
        }
        share
    }
}

impl Bins {
    /// How often look-alikes are right in each bin, by expectation and maximisation, and the
    /// logarithm of the likelihood.
    fn fit(hidden: &[Hidden], sharpness: usize, bounds: &[f32]) -> (Self, f64) {
        let of_bin: Vec<Vec<&Hidden>> = (0..BINS)
            .map(|number| hidden.iter().filter(|it| bin(bounds, it.best) == number).collect())
            .collect();
        let responsibility = |it: &Hidden, right: f64| {
            let voted = right * it.voted[sharpness];
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
            let mixture =
                move |it: &&Hidden| right * it.voted[sharpness] + (1.0 - right) * it.prior;
            of.iter().map(move |it| mixture(it).max(1e-12).ln())
        });
        let likelihood = likelihood.sum();
        let all = hidden.len() as f64 + BINS as f64;
        let density = of_bin.iter().map(|of| (of.len() as f64 + 1.0) / all).collect();
        (Self { right, density }, likelihood)
    }
}

fn bin(bounds: &[f32], similarity: f32) -> usize {
    bounds.partition_point(|bound| *bound <= similarity)
}

/// The share of each state in the votes of look-alikes.
fn shares(ranked: &Ranked, known: &[Known], sharpness: f64) -> Vec<(usize, f64)> {
    let best = ranked.first().map_or(0.0, |it| it.1);
    let mut shares: Vec<(usize, f64)> = Vec::new();
    let mut sum = 0.0;
    for (number, similarity) in ranked {
        let weight = (sharpness * f64::from(similarity - best)).exp();
        sum += weight;
        let state = known[*number].state;
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
        votes.apply(&prior, &mut likelihoods);
        let posterior = |state: usize| likelihoods[state] * prior[state];
        let sum: f64 = (0..states.len()).map(posterior).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        assert!(posterior(known[0].state) > 0.6);
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
