use std::{collections::HashMap, sync::Arc};

use planet::{
    Candidate, CellProbabilities, Certain, Locator, LocatorOptions, Place, Prediction, WithinError,
    album::{
        Cancelled, Clock, Fix, Hmm, HmmModel, Observation, People, Sequence, StateSpace, Timeline,
        TransitionModel,
    },
};
use planet_data::{Gazetteer, Monitor, PhotoRecord};
use planet_geo::{ClassId, Distance, LatLng, Partition, Scale};

use crate::Calibration;

/// Hours to the nearest known photo that are calibrated alike: up to each of these, beyond all,
/// and where a time is unknown.
const NEAR: [i64; 3] = [3_600, 8 * 3_600, 36 * 3_600];
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
        Self { records, people, timeline, output, model }
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
        let mut speaker = Speaker {
            states: &prepared.states,
            locator,
            options,
            gazetteer,
            places: HashMap::new(),
        };
        monitor.expect(2 * self.records.len() as u64);
        self.posteriors(&prepared, calibration.weight, monitor, |row, nearness, posterior| {
            let levels = &calibration.levels[nearness];
            let fix = known[row].map(|position| self.fix(row, position));
            emit(row, speaker.prediction(&self.records[row].photo, posterior, levels, fix));
        })?;
        Ok(prepared.clocks)
    }

    /// A known position with the accuracy that the record states for it.
    fn fix(&self, row: usize, position: LatLng) -> Fix {
        let stated = self.records[row].accuracy_m.filter(|metres| *metres > 0.0);
        Fix { position, accuracy: stated.map(Distance::from_m) }
    }

    /// Everything that does not depend on the weight of the model's output.
    pub(crate) fn prepare(&self, known: &[Option<LatLng>]) -> Result<Prepared, LibraryError> {
        let fix = |row: usize| known[row].map(|position| self.fix(row, position));
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
                nearness: nearness(sequence, known),
                sequence: sequence.clone(),
            })
            .collect();
        let observations: Vec<Vec<Observation>> =
            stretches.iter().map(|it| it.observations.clone()).collect();
        let transitions = self.model.transitions.learned_from(&states, &observations);
        let clocks = timeline.clocks().to_vec();
        Ok(Prepared { states: Arc::new(states), transitions, clocks, stretches })
    }

    /// Every photo's distribution over the states, with its row and how near in time a known
    /// photo is.
    pub(crate) fn posteriors(
        &self,
        prepared: &Prepared,
        weight: f64,
        monitor: &dyn Monitor,
        mut emit: impl FnMut(usize, usize, &[f64]),
    ) -> Result<(), Cancelled> {
        let states = &prepared.states;
        for Stretch { sequence, observations, nearness } in &prepared.stretches {
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
                emit(sequence.rows[photo], nearness[photo], posterior);
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
            }
        };
        starts.map(piece).collect()
    }
}

/// Turns distributions over states into predictions.
struct Speaker<'a> {
    states: &'a StateSpace,
    locator: Locator,
    options: &'a LocatorOptions,
    gazetteer: &'a Gazetteer,
    /// Names of the places that were stated so far, by the bits of their position.
    places: HashMap<[u64; 2], Place>,
}

impl Speaker<'_> {
    /// `levels` says for each scale how often what is stated is right; `fix` is the photo's own
    /// known position.
    fn prediction(
        &mut self,
        photo: &str,
        posterior: &[f64],
        levels: &[f64; 5],
        fix: Option<Fix>,
    ) -> Prediction {
        let marginal = self.states.marginal(posterior, Scale::Street);
        let probabilities = match CellProbabilities::from_weights(&marginal) {
            Ok(probabilities) => probabilities,
            Err(error) => return Prediction::failed(photo, error),
        };
        let mut prediction = self.locator.of(photo, &probabilities);
        // A known position needs no correction by how often masked ones were found.
        let levels = if fix.is_some() { &[1.0; 5] } else { levels };
        prediction.certain = self.certain(posterior, levels, fix);
        for candidate in &mut prediction.candidates {
            self.restore(candidate, fix);
        }
        prediction
    }

    /// Known places are no classes of the model's, and a known position is stated as it is, not
    /// as the mean of its place.
    fn restore(&mut self, candidate: &mut Candidate, fix: Option<Fix>) {
        if let Some(fix) = fix.filter(|fix| candidate.class.map(ClassId::index) == self.state(fix))
        {
            candidate.position = fix.position;
            candidate.radius = fix.accuracy.unwrap_or(Distance::ZERO);
            if self.options.names {
                candidate.place = Some(Place::of(fix.position, self.gazetteer));
            }
        }
        candidate.class = candidate.class.filter(|it| it.index() < self.states.classes());
    }

    fn state(&self, fix: &Fix) -> Option<usize> {
        self.states.state_of(fix.position)
    }

    /// The finest level whose densest disc is certain enough.
    fn certain(
        &mut self,
        posterior: &[f64],
        levels: &[f64; 5],
        fix: Option<Fix>,
    ) -> Option<Certain> {
        for (level, factor) in Scale::ALL.into_iter().zip(levels) {
            let marginal = self.states.marginal(posterior, level);
            let probabilities = CellProbabilities::from_weights(&marginal).ok()?;
            let Some((mut position, mass)) = self.locator.densest(&probabilities, level) else {
                continue;
            };
            let probability = mass * factor;
            if probability < self.options.certain {
                continue;
            }
            if let Some(fix) = fix
                && let Some(own) = self.state(&fix)
                && self.states.partition().point(ClassId(own as u32)) == Some(position)
            {
                position = fix.position;
            }
            let name = self.name(position, level);
            return Some(Certain { level, name, position, probability: probability as f32 });
        }
        None
    }

    fn name(&mut self, position: LatLng, level: Scale) -> String {
        if !self.options.names {
            return String::new();
        }
        let key = [position.lat().to_bits(), position.lng().to_bits()];
        let place = self.places.entry(key).or_insert_with(|| Place::of(position, self.gazetteer));
        place.at_level(level)
    }
}

/// For each photo how near in time the nearest known one is.
fn nearness(sequence: &Sequence, known: &[Option<LatLng>]) -> Vec<usize> {
    let times = sequence.rows.iter().zip(&sequence.times);
    let mut evidence: Vec<i64> = times.filter_map(|(row, time)| known[*row].and(*time)).collect();
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
