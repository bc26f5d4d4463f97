use std::sync::Arc;

use planet::{
    Evidence, EvidenceKind, Locator, LocatorOptions, Place, Prediction, WithinError,
    album::{
        Cancelled, Clock, Fix, Hmm, HmmModel, Observation, People, Sequence, StateSpace, Timeline,
        TransitionModel,
    },
};
use planet_data::{Gazetteer, Monitor, PhotoRecord};
use planet_geo::{Distance, LatLng, Partition, Scale};

use crate::{Calibration, answer::Speaker, choice::Visited};

/// Hours to the nearest known photo that are calibrated alike: up to each of these, beyond all,
/// and where a time is unknown.
const NEAR: [i64; 8] =
    [900, 3_600, 3 * 3_600, 8 * 3_600, 16 * 3_600, 36 * 3_600, 4 * 86_400, 14 * 86_400];
pub(crate) const NEARNESSES: usize = NEAR.len() + 2;
/// Photos that the prior counts for in where somebody usually is.
const HOME_STRENGTH: f64 = 5.0;
/// Photos of a stretch that stands for a larger library.
const STRETCH: usize = 200;

/// Somebody's photos, to be located by time, by known positions, and by a model's output.
pub struct Library<'a> {
    records: &'a [PhotoRecord],
    people: People,
    timeline: Timeline,
    output: Option<ModelOutput<'a>>,
    model: HmmModel,
    /// Where tracks say that each photo was taken; empty without tracks.
    tracked: Vec<Option<Fix>>,
}

/// What a model says of photos.
#[derive(Clone, Copy)]
pub struct ModelOutput<'a> {
    /// Its classes.
    pub partition: &'a Partition,
    /// Probability of each class, `[classes]`, for a row of the records; `None` for a photo that
    /// cannot be read.
    pub probabilities: &'a (dyn Fn(usize) -> Option<Vec<f32>> + Sync),
    /// What it expects of each class before it sees a photo, `[classes]`, summing to one; `None`
    /// where this is the share of the class's training photos.
    pub prior: Option<&'a [f64]>,
}

/// States, sequences and how people move, for one set of known positions: built once and used
/// for every weight of the model's output.
pub(crate) struct Prepared {
    pub(crate) states: Arc<StateSpace>,
    transitions: TransitionModel,
    clocks: Vec<Clock>,
    stretches: Vec<Stretch>,
}

#[derive(Clone)]
struct Stretch {
    sequence: Sequence,
    observations: Vec<Observation>,
    /// For each photo how near in time the nearest known one is.
    nearness: Vec<usize>,
    places: Arc<Visited>,
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
}

/// Why a library cannot be located.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// Neither a model nor a position to go by.
    #[error("no photo has a known position and no model was given, so no photo can be located")]
    NothingKnown,
    /// The area that answers are limited to.
    #[error(transparent)]
    Within(#[from] WithinError),
    /// The monitor ended it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl<'a> Library<'a> {
    /// The photos of a manifest, one person's, and what a model says of them.
    pub fn new(records: &'a [PhotoRecord], output: Option<ModelOutput<'a>>) -> Self {
        let (people, model) = (People::default(), HmmModel::default());
        let timeline = Timeline::new(records, &[], people);
        Self { records, people, timeline, output, model, tracked: Vec::new() }
    }

    /// Whose photos these are.
    pub fn with_people(self, people: People) -> Self {
        Self { people, timeline: Timeline::new(self.records, &[], people), ..self }
    }

    /// Begins with what was learned from others instead of with the prior; the library's own
    /// known positions teach the rest.
    pub fn with_model(self, model: HmmModel) -> Self {
        Self { model, ..self }
    }

    /// Takes what tracks say of where each photo was taken, one per record, as evidence for the
    /// photos that have no known position and for their neighbours.
    pub fn with_tracked(self, tracked: Vec<Option<Fix>>) -> Self {
        Self { tracked, ..self }
    }

    /// The photos in order, as far as their times tell without any position.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The positions that are evidence, one per record: estimates are not.
    pub fn known_positions(&self) -> Vec<Option<LatLng>> {
        self.records.iter().map(PhotoRecord::known_position).collect()
    }

    pub(crate) fn model(&self) -> &HmmModel {
        &self.model
    }

    pub(crate) fn has_model(&self) -> bool {
        self.output.is_some()
    }

    /// Locates every photo. `known` are the positions that are evidence, one per record: those
    /// photos are where they are, as accurately as their record says. Predictions come sequence
    /// by sequence, from the last photo to the first; `emit` gets each with its row. Returns how
    /// the clocks of the photos were aligned.
    ///
    /// # Errors
    /// Without a model there must be a known position; an area that holds no class; the monitor
    /// ended it.
    pub fn locate(
        &self,
        known: &[Option<LatLng>],
        calibration: &Calibration,
        options: &LocatorOptions,
        gazetteer: &Arc<Gazetteer>,
        monitor: &dyn Monitor,
        mut emit: impl FnMut(usize, Prediction),
    ) -> Result<Vec<Clock>, LibraryError> {
        let prepared = self.prepare(known)?;
        let partition = Arc::new(prepared.states.partition().clone());
        let locator = Locator::new(partition, 1.0, options.clone(), Arc::clone(gazetteer))?;
        let mut speaker = Speaker::new(&prepared, locator, calibration.margin, options, gazetteer);
        monitor.expect(2 * self.records.len() as u64);
        self.posteriors(&prepared, calibration.weight, monitor, |photo, posterior| {
            let row = photo.row;
            let levels = &calibration.levels[photo.nearness];
            let fix = self.fix(row, known);
            let id = &self.records[row].photo;
            let mut prediction = speaker.prediction(id, photo, posterior, levels, fix);
            if known[row].is_none() && !prediction.candidates.is_empty() {
                let names = Some(&**gazetteer).filter(|_| options.names);
                let transitions = &prepared.transitions;
                let all = self.evidence(photo, known, transitions, calibration.weight, names);
                prediction.evidence = all;
            }
            emit(row, prediction);
        })?;
        Ok(prepared.clocks)
    }

    /// What the answer for a photo rests on: its track, the known photos before and after it, and
    /// the model. Each counts as surely as it alone would tell the place within about 30 km: the
    /// network by its most probable class and by the weight of its output.
    fn evidence(
        &self,
        photo: Photo<'_>,
        known: &[Option<LatLng>],
        transitions: &TransitionModel,
        weight: f64,
        names: Option<&Gazetteer>,
    ) -> Vec<Evidence> {
        let mut all: Vec<(EvidenceKind, f64)> = Vec::new();
        if self.tracked.get(photo.row).is_some_and(Option::is_some) {
            all.push((EvidenceKind::Track, 1.0));
        }
        for (time, row) in photo.time.iter().flat_map(|time| photo.places.around(*time)) {
            let (Some(own), Some(position)) = (photo.time, known[row]) else { continue };
            let place = names.map(|names| Place::of(position, names).at_level(Scale::City));
            let kind = EvidenceKind::Neighbour {
                photo: self.records[row].photo.clone(),
                minutes: (own - time) as f64 / 60.0,
                place: place.unwrap_or_default(),
            };
            all.push((kind, transitions.near_after((own - time).abs())));
        }
        let output = self.output.filter(|_| weight > 0.0);
        if let Some(probabilities) = output.and_then(|it| (it.probabilities)(photo.row)) {
            let best = probabilities.into_iter().fold(0.0, f32::max);
            all.push((EvidenceKind::Model, weight * f64::from(best)));
        }
        let sum: f64 = all.iter().map(|it| it.1).sum();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        let share = |worth: f64| if sum > 0.0 { (worth / sum) as f32 } else { 0.0 };
        all.into_iter().map(|(kind, worth)| Evidence { kind, share: share(worth) }).collect()
    }

    /// What tells a photo's position: its own known position, with the accuracy that the record
    /// states for it, or else the track's.
    pub(crate) fn fix(&self, row: usize, known: &[Option<LatLng>]) -> Option<Fix> {
        let Some(position) = known[row] else { return self.tracked.get(row).copied().flatten() };
        let stated = self.records[row].accuracy_m.filter(|metres| *metres > 0.0);
        Some(Fix { position, accuracy: stated.map(Distance::from_m) })
    }

    /// Everything that does not depend on the weight of the model's output.
    pub(crate) fn prepare(&self, known: &[Option<LatLng>]) -> Result<Prepared, LibraryError> {
        let fix = |row: usize| self.fix(row, known);
        let fixes: Vec<Fix> = (0..known.len()).filter_map(fix).collect();
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
        let timeline = Timeline::new(self.records, known, self.people);
        let stretches: Vec<Stretch> = timeline
            .sequences()
            .iter()
            .map(|sequence| Stretch {
                observations: sequence.observations(|row| states.emission_of(fix(row)?)),
                nearness: nearness(sequence, fix),
                places: Arc::new(Visited::new(sequence, &states, fix, |row| known[row].is_some())),
                sequence: sequence.clone(),
            })
            .collect();
        let observations: Vec<Vec<Observation>> =
            stretches.iter().map(|it| it.observations.clone()).collect();
        let transitions = self.model.transitions.learned_from(&states, &observations);
        let clocks = timeline.clocks().to_vec();
        Ok(Prepared { states: Arc::new(states), transitions, clocks, stretches })
    }

    /// Every photo's distribution over the states.
    pub(crate) fn posteriors(
        &self,
        prepared: &Prepared,
        weight: f64,
        monitor: &dyn Monitor,
        mut emit: impl FnMut(Photo<'_>, &[f64]),
    ) -> Result<(), Cancelled> {
        let states = &prepared.states;
        for Stretch { sequence, observations, nearness, places } in &prepared.stretches {
            let emission = |photo: usize, into: &mut [f64]| {
                let output = self.output.as_ref().filter(|_| weight > 0.0);
                let found = output.and_then(|it| (it.probabilities)(sequence.rows[photo]));
                found.is_some_and(|probabilities| {
                    states.emission(&probabilities, weight, into);
                    true
                })
            };
            let hmm = Hmm { states, transitions: &prepared.transitions, home: None };
            // Twice: the first time tells where this person usually is.
            let mut home: Vec<f64> = states.prior(prepared.transitions.unseen_anywhere());
            home.iter_mut().for_each(|it| *it *= HOME_STRENGTH);
            hmm.posteriors(observations, emission, monitor, |_, posterior| {
                monitor.advance(1);
                home.iter_mut().zip(posterior).for_each(|(sum, it)| *sum += it);
            })?;
            let all = HOME_STRENGTH + observations.len() as f64;
            home.iter_mut().for_each(|it| *it /= all);
            let hmm = Hmm { home: Some(&home), ..hmm };
            hmm.posteriors(observations, emission, monitor, |photo, posterior| {
                monitor.advance(1);
                let (row, time) = (sequence.rows[photo], sequence.times[photo]);
                emit(Photo { row, time, nearness: nearness[photo], places }, posterior);
            })?;
        }
        Ok(())
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
                let wanted = photos.div_ceil(STRETCH).max(1);
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
            clocks: self.clocks.clone(),
            stretches,
        }
    }
}

impl Stretch {
    /// Pieces of at most [`STRETCH`] photos.
    fn cut(&self) -> Vec<Self> {
        let starts = (0..self.observations.len()).step_by(STRETCH);
        let piece = |start: usize| {
            let end = (start + STRETCH).min(self.observations.len());
            Self {
                sequence: self.sequence.window(start, end),
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
        let Some(time) = *time else { return NEARNESSES - 1 };
        let after = evidence.partition_point(|known| *known < time);
        let sides = [after.checked_sub(1), Some(after)];
        let away = sides.iter().flatten().filter_map(|at| evidence.get(*at));
        let nearest = away.map(|known| (known - time).abs()).min().unwrap_or(i64::MAX);
        NEAR.partition_point(|near| *near < nearest)
    };
    sequence.times.iter().map(nearness).collect()
}
