//! The prediction for a photo, from its distribution over the states.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use planet::{
    Candidate, CellProbabilities, Certain, LevelCalibration, Locator, LocatorOptions, Place,
    Prediction,
    album::{Fix, StateSpace},
};
use planet_data::Gazetteer;
use planet_geo::{ClassId, Distance, LatLng, Scale};

use crate::{
    choice::Choice,
    prepared::{Photo, Prepared},
};

/// Turns distributions over states into predictions.
pub(crate) struct Answers<'a> {
    states: &'a StateSpace,
    locator: Locator,
    /// See [`crate::Calibration`].
    margin: f64,
    options: &'a LocatorOptions,
    gazetteer: &'a Gazetteer,
    /// Names of the places that were stated so far, by the bits of their position.
    places: Mutex<HashMap<[u64; 2], Place>>,
}

impl<'a> Answers<'a> {
    pub(crate) fn new(
        prepared: &'a Prepared,
        locator: Locator,
        margin: f64,
        options: &'a LocatorOptions,
        gazetteer: &'a Gazetteer,
    ) -> Self {
        let (states, places) = (&*prepared.states, Mutex::default());
        Self { states, locator, margin, options, gazetteer, places }
    }

    /// `levels` says what the probability of a disc of each scale is worth; `fix` is what tells
    /// the photo's own position.
    pub(crate) fn prediction(
        &self,
        id: &str,
        photo: Photo<'_>,
        posterior: &[f64],
        levels: &LevelCalibration,
        fix: Option<Fix>,
    ) -> Prediction {
        let marginal = self.states.marginal(posterior, Scale::Street);
        let probabilities = match CellProbabilities::from_weights(&marginal) {
            Ok(probabilities) => probabilities,
            Err(error) => return Prediction::failed(id, error),
        };
        let mut prediction = self.locator.of(id, &probabilities);
        // A known position needs no correction by how often masked ones were found.
        let identity = LevelCalibration::default();
        let levels = if fix.is_some() { &identity } else { levels };
        prediction.certain = self.certain(posterior, levels, fix);
        if fix.is_none()
            && let Some(choice) = Choice::of(self.states, posterior, &probabilities, photo)
        {
            let state = choice.state(self.margin);
            self.put_first(state, &mut prediction.candidates, &probabilities);
        }
        for candidate in &mut prediction.candidates {
            self.restore(candidate, photo, fix);
        }
        prediction
    }

    /// Puts the candidate of this state first, as a new one where it is none yet.
    fn put_first(
        &self,
        state: usize,
        candidates: &mut Vec<Candidate>,
        probabilities: &CellProbabilities,
    ) {
        let is_it = |it: &Candidate| it.class.map(ClassId::index) == Some(state);
        let at = candidates.iter().position(is_it).or_else(|| {
            let class = ClassId(state as u32);
            let position = self.states.partition().point(class)?;
            candidates.push(Candidate {
                class: Some(class),
                probability: Some(probabilities.values()[state]),
                place: self.options.names.then(|| Place::of(position, self.gazetteer)),
                ..Candidate::at(position)
            });
            Some(candidates.len() - 1)
        });
        if let Some(at) = at {
            candidates[..=at].rotate_right(1);
            candidates.truncate(self.options.top.max(1));
        }
    }

    /// Known places are no classes of the model's, and a known position is stated as it is, not
    /// as the mean of its place.
    fn restore(&self, candidate: &mut Candidate, photo: Photo<'_>, fix: Option<Fix>) {
        let state = candidate.class.map(ClassId::index);
        if fix.is_none()
            && let Some(position) = state.and_then(|state| photo.position_at(state))
        {
            candidate.position = position;
        }
        if let Some(fix) = fix.filter(|fix| state == self.state(fix)) {
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
        &self,
        posterior: &[f64],
        levels: &LevelCalibration,
        fix: Option<Fix>,
    ) -> Option<Certain> {
        for level in Scale::ALL {
            let marginal = self.states.marginal(posterior, level);
            let probabilities = CellProbabilities::from_weights(&marginal).ok()?;
            let least = levels.needed(level, self.options.certain);
            let Some((mut position, mass)) = self.locator.densest(&probabilities, level, least)
            else {
                continue;
            };
            let probability = levels.calibrated(level, mass);
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

    fn name(&self, position: LatLng, level: Scale) -> String {
        if !self.options.names {
            return String::new();
        }
        let key = [position.lat().to_bits(), position.lng().to_bits()];
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(key).or_insert_with(|| Place::of(position, self.gazetteer));
        place.at_level(level)
    }
}
