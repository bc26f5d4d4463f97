//! A library made ready for the hidden Markov model, and its posteriors.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
};

use planet::album::{Cancelled, Fix, Hmm, Observation, Sequence, StateSpace, TransitionModel};
use planet_data::Monitor;
use planet_geo::LatLng;
use rayon::prelude::*;

use crate::{
    Library, LibraryError,
    choice::Visited,
    parts::{Part, Piece},
    similarity::{APART, Known, SimilarityModel, Votes},
};

/// Hours to the nearest known photo that are calibrated alike: up to each of these, beyond all,
/// and where a time is unknown.
const NEAR: [i64; 8] =
    [900, 3_600, 3 * 3_600, 8 * 3_600, 16 * 3_600, 36 * 3_600, 4 * 86_400, 14 * 86_400];
/// From here on the nearest known photo is rather of another occasion: more than eight hours away.
pub(crate) const OTHER_OCCASION: usize = 4;
/// With photos without a time, and those of them that look-alikes more likely tell than not.
pub(crate) const NEARNESSES: usize = NEAR.len() + 3;
pub(crate) const UNTIMED: usize = NEAR.len() + 1;
pub(crate) const ALIKE: usize = NEAR.len() + 2;
/// Photos that the prior counts for in the home distribution, and the most photos from which that
/// is estimated: of larger libraries, pieces at regular distances.
const HOME_STRENGTH: f64 = 5.0;
pub(crate) const HOME_PHOTOS: usize = 2000;
/// Known photos before one that are searched for one of another occasion.
const FARTHEST: usize = 1000;
/// Photos of a piece that stands for a larger library.
const PIECE: usize = 200;

/// States, sequences and how people move, for one set of known positions: built once and used
/// for every weight of the model's output.
pub(crate) struct Prepared {
    pub(crate) states: Arc<StateSpace>,
    pub(crate) transitions: TransitionModel,
    stretches: Vec<Stretch>,
    /// What look-alikes say of photos, by their rows.
    pub(crate) votes: Arc<HashMap<usize, Votes>>,
    /// The probability of each state before anything is seen.
    prior: Arc<Vec<f64>>,
}

#[derive(Clone)]
struct Stretch {
    /// Which of all sequences it is, or is a piece of.
    number: usize,
    sequence: Sequence,
    /// Photos of it whose posteriors are given out.
    located: Range<usize>,
    observations: Vec<Observation>,
    /// For each photo how near in time the nearest known one is.
    nearness: Vec<usize>,
    places: Arc<Visited>,
}

/// How much evidence from pixels counts, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Weights {
    /// A model's output.
    pub(crate) output: f64,
    /// Look-alikes of photos without a time.
    pub(crate) alike: f64,
}

/// A photo whose posterior is given out.
#[derive(Clone, Copy)]
pub(crate) struct Photo<'a> {
    pub(crate) row: usize,
    pub(crate) time: Option<i64>,
    /// How near in time the nearest known photo is.
    pub(crate) nearness: usize,
    /// The known photos of its sequence.
    pub(crate) places: &'a Visited,
    /// What its look-alikes say, where it is located by them.
    pub(crate) votes: Option<&'a Votes>,
}

impl Photo<'_> {
    /// Within a state, the position of the known photo that looks most alike, or else of the one
    /// that is nearest in time.
    pub(crate) fn position_at(&self, state: usize) -> Option<LatLng> {
        let alike = self.votes.and_then(|votes| votes.alike.iter().find(|it| it.1 == state));
        let nearest = || self.places.nearest_at(state, self.time?);
        alike.map(|it| it.2).or_else(nearest)
    }
}

/// The home distribution of each person, `[sequences][states]`, each summing to one.
pub(crate) type Homes = Vec<Vec<f64>>;

impl Library<'_> {
    /// Everything that does not depend on the weight of the model's output.
    pub(crate) fn prepare(
        &self,
        part: &Part,
        known: &[Option<LatLng>],
    ) -> Result<Prepared, LibraryError> {
        let fix = |row: usize| self.fix(row, known);
        let own = part.pieces.iter().flat_map(|piece| &piece.sequence.rows);
        let own = own.filter_map(|row| fix(*row));
        let fixes: Vec<Fix> = part.usual.iter().copied().chain(own).collect();
        let states = match &self.output {
            None if fixes.is_empty() => return Err(LibraryError::NothingKnown),
            None => StateSpace::new(None, &fixes),
            Some(output) => {
                let states = StateSpace::new(Some(output.partition), &fixes);
                match output.prior {
                    Some(prior) => states.with_prior(prior),
                    None => states,
                }
            }
        };
        let stretches: Vec<Stretch> = part
            .pieces
            .iter()
            .enumerate()
            .map(|(number, Piece { sequence, located })| Stretch {
                number,
                located: located.clone(),
                observations: sequence.observations(|row| states.emission_of(fix(row)?)),
                nearness: nearness(sequence, fix),
                places: Arc::new(Visited::new(sequence, &states, fix, |row| known[row].is_some())),
                sequence: sequence.clone(),
            })
            .collect();
        let observations: Vec<Vec<Observation>> =
            stretches.iter().map(|it| it.observations.clone()).collect();
        let transitions = self.model.transitions.learned_from(&states, &observations);
        let order = self.order(&stretches, |row| states.state_of(fix(row)?.position));
        let transitions = transitions.with_order_learned(&states, &order);
        let prior = states.prior(transitions.unseen_anywhere());
        let votes = self.votes(&stretches, &states, &prior, fix);
        let (states, votes, prior) = (Arc::new(states), Arc::new(votes), Arc::new(prior));
        Ok(Prepared { states, transitions, stretches, votes, prior })
    }

    /// What the order of the files tells of places: for each known photo with a time its state and
    /// that of the known one that stands before it in its album, and of the last one before it that
    /// is of another occasion. Photos without a time are of the one kind or of the other.
    fn order(
        &self,
        stretches: &[Stretch],
        state: impl Fn(usize) -> Option<usize>,
    ) -> Vec<(usize, usize)> {
        type Album<'a> = (usize, Option<&'a str>, Option<&'a str>);
        let mut albums: BTreeMap<Album<'_>, Vec<(usize, i64, usize)>> = BTreeMap::new();
        for Stretch { number, sequence, .. } in stretches {
            for (row, time) in sequence.rows.iter().zip(&sequence.times) {
                if let Some((time, state)) = time.zip(state(*row)) {
                    let record = &self.records[*row];
                    let album = (*number, record.author.as_deref(), record.album.as_deref());
                    albums.entry(album).or_default().push((*row, time, state));
                }
            }
        }
        let mut pairs = Vec::new();
        for photos in albums.values_mut() {
            photos.sort_unstable();
            for (at, (_, time, to)) in photos.iter().enumerate() {
                let before = || photos[..at].iter().rev();
                let apart = before().take(FARTHEST).find(|it| (it.1 - time).abs() > APART);
                pairs.extend(before().next().into_iter().chain(apart).map(|it| (it.2, *to)));
            }
        }
        pairs
    }

    /// What look-alikes say of the photos that have no time.
    fn votes(
        &self,
        stretches: &[Stretch],
        states: &StateSpace,
        prior: &[f64],
        fix: impl Fn(usize) -> Option<Fix>,
    ) -> HashMap<usize, Votes> {
        let Some(look_alikes) = self.look_alikes else { return HashMap::new() };
        let (mut known, mut wanted) = (Vec::new(), Vec::new());
        for Stretch { number, sequence, .. } in stretches {
            for (at, row) in sequence.rows.iter().copied().enumerate() {
                let time = sequence.times[at].map(|time| (*number, time));
                match fix(row) {
                    Some(Fix { position, .. }) => {
                        let state = states.state_of(position);
                        known.extend(state.map(|state| Known { row, state, position, time }));
                    }
                    None if time.is_none() => wanted.push(row),
                    None => {}
                }
            }
        }
        if wanted.is_empty() {
            return HashMap::new();
        }
        let Some(model) = SimilarityModel::learn(look_alikes, &known, &wanted, states, prior)
        else {
            return HashMap::new();
        };
        let votes = |row: &usize| Some((*row, model.votes(look_alikes, &known, *row)?));
        wanted.par_iter().filter_map(votes).collect()
    }

    /// The home distribution of each person: the mean of the posteriors of their photos, computed
    /// without a home distribution.
    pub(crate) fn homes(
        &self,
        prepared: &Prepared,
        weights: Weights,
        monitor: &dyn Monitor,
    ) -> Result<Homes, Cancelled> {
        let mut prior = prepared.prior.to_vec();
        prior.iter_mut().for_each(|it| *it *= HOME_STRENGTH);
        let sequences = prepared.stretches.iter().map(|it| it.number + 1).max().unwrap_or(0);
        let mut homes = vec![prior; sequences];
        let mut photos = vec![HOME_STRENGTH; sequences];
        let pieces = prepared.limited(HOME_PHOTOS).stretches;
        let sums: Vec<Vec<f64>> = pieces
            .par_iter()
            .map(|piece| {
                let mut sum = vec![0.0; prepared.states.len()];
                self.stretch(prepared, piece, None, weights, monitor, |_, posterior| {
                    sum.iter_mut().zip(posterior).for_each(|(sum, it)| *sum += it);
                })?;
                Ok(sum)
            })
            .collect::<Result<_, _>>()?;
        for (piece, sum) in pieces.iter().zip(sums) {
            homes[piece.number].iter_mut().zip(sum).for_each(|(home, it)| *home += it);
            photos[piece.number] += piece.observations.len() as f64;
        }
        for (home, photos) in homes.iter_mut().zip(photos) {
            home.iter_mut().for_each(|it| *it /= photos);
        }
        Ok(homes)
    }

    /// Every photo's distribution over the states.
    pub(crate) fn posteriors<'p>(
        &self,
        prepared: &'p Prepared,
        homes: &Homes,
        weights: Weights,
        monitor: &dyn Monitor,
        mut emit: impl FnMut(Photo<'p>, &[f64]),
    ) -> Result<(), Cancelled> {
        for stretch in &prepared.stretches {
            let Stretch { number, sequence, located, nearness, places, .. } = stretch;
            let home = homes.get(*number).map(Vec::as_slice);
            self.stretch(prepared, stretch, home, weights, monitor, |photo, posterior| {
                if !located.contains(&photo) {
                    return;
                }
                let (row, time) = (sequence.rows[photo], sequence.times[photo]);
                let votes = prepared.votes.get(&row).filter(|_| weights.alike > 0.0);
                let nearness = match votes {
                    Some(votes) if votes.share >= 0.5 => ALIKE,
                    _ => nearness[photo],
                };
                emit(Photo { row, time, nearness, places, votes }, posterior);
            })?;
        }
        Ok(())
    }

    /// The distributions of one stretch; `emit` gets the number of each photo in it.
    fn stretch(
        &self,
        prepared: &Prepared,
        stretch: &Stretch,
        home: Option<&[f64]>,
        weights: Weights,
        monitor: &dyn Monitor,
        mut emit: impl FnMut(usize, &[f64]),
    ) -> Result<(), Cancelled> {
        let Prepared { states, transitions, .. } = prepared;
        let emission = |photo: usize, into: &mut [f64]| {
            let row = stretch.sequence.rows[photo];
            let output = self.output.as_ref().filter(|_| weights.output > 0.0);
            let found = output.and_then(|it| (it.probabilities)(row));
            let votes = prepared.votes.get(&row).filter(|_| weights.alike > 0.0);
            match &found {
                Some(probabilities) => states.emission(probabilities, weights.output, into),
                None => into.fill(1.0),
            }
            if let Some(votes) = votes {
                votes.apply(weights.alike, &prepared.prior, into);
            }
            found.is_some() || votes.is_some()
        };
        let hmm = Hmm { states, transitions, home };
        hmm.posteriors(&stretch.observations, emission, monitor, |photo, posterior| {
            monitor.advance(1);
            emit(photo, posterior);
        })
    }
}

impl Prepared {
    /// The same for about so many photos, where there are more: stretches at regular distances.
    pub(crate) fn limited(&self, photos: usize) -> Self {
        let all: usize = self.stretches.iter().map(|it| it.observations.len()).sum();
        let stretches = match all <= photos {
            true => self.stretches.clone(),
            false => {
                let mut cut: Vec<Stretch> = self.stretches.iter().flat_map(Stretch::cut).collect();
                let wanted = photos.div_ceil(PIECE).max(1);
                let of = cut.len();
                let chosen = (0..wanted.min(of)).map(|at| at * of / wanted.min(of));
                let chosen: Vec<usize> = chosen.collect();
                let mut number = 0;
                cut.retain(|_| {
                    number += 1;
                    chosen.contains(&(number - 1))
                });
                cut
            }
        };
        Self {
            states: Arc::clone(&self.states),
            transitions: self.transitions.clone(),
            stretches,
            votes: Arc::clone(&self.votes),
            prior: Arc::clone(&self.prior),
        }
    }
}

impl Stretch {
    /// Pieces of at most [`PIECE`] photos.
    fn cut(&self) -> Vec<Self> {
        let starts = (0..self.observations.len()).step_by(PIECE);
        let piece = |start: usize| {
            let end = (start + PIECE).min(self.observations.len());
            Self {
                number: self.number,
                sequence: self.sequence.window(start, end),
                located: 0..end - start,
                observations: self.observations[start..end].to_vec(),
                nearness: self.nearness[start..end].to_vec(),
                places: Arc::clone(&self.places),
            }
        };
        starts.map(piece).collect()
    }
}

/// For each photo how near in time the nearest known one is.
fn nearness(sequence: &Sequence, fix: impl Fn(usize) -> Option<Fix>) -> Vec<usize> {
    let times = sequence.rows.iter().zip(&sequence.times);
    let mut evidence: Vec<i64> = times.filter_map(|(row, time)| fix(*row).and(*time)).collect();
    evidence.sort_unstable();
    let nearness = |time: &Option<i64>| {
        let Some(time) = *time else { return UNTIMED };
        let after = evidence.partition_point(|known| *known < time);
        let sides = [after.checked_sub(1), Some(after)];
        let away = sides.iter().flatten().filter_map(|at| evidence.get(*at));
        let nearest = away.map(|known| (known - time).abs()).min().unwrap_or(i64::MAX);
        NEAR.partition_point(|near| *near < nearest)
    };
    sequence.times.iter().map(nearness).collect()
}
