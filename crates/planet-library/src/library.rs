use std::sync::Arc;

use planet::{
    Evidence, EvidenceKind, Locator, LocatorOptions, Place, Prediction, WithinError,
    album::{Cancelled, Clock, Fix, HmmModel, People, Timeline, TransitionModel},
};
use planet_data::{Gazetteer, Monitor, PhotoRecord};
use planet_geo::{Distance, LatLng, Partition, Scale};
use rayon::prelude::*;

use crate::{
    Calibration, LookAlikes,
    answer::Answers,
    parts::{Part, Parts},
    prepared::{HOME_PHOTOS, Photo},
};

/// Photos whose answers are computed at the same time.
const AT_ONCE: usize = 64;

/// A person's photos, to be located by time, by known positions, and by a model's output.
pub struct Library<'a> {
    pub(crate) records: &'a [PhotoRecord],
    pub(crate) people: People,
    timeline: Timeline,
    pub(crate) output: Option<ModelOutput<'a>>,
    pub(crate) model: HmmModel,
    /// Where tracks say that each photo was taken; empty without tracks.
    tracked: Vec<Option<Fix>>,
    pub(crate) look_alikes: Option<&'a LookAlikes>,
}

/// What is asked of a library.
#[derive(Clone, Copy)]
struct Asked<'a> {
    known: &'a [Option<LatLng>],
    calibration: &'a Calibration,
    options: &'a LocatorOptions,
    gazetteer: &'a Arc<Gazetteer>,
    monitor: &'a dyn Monitor,
}

/// A model's output for the photos of a library.
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

/// Why a library cannot be located.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// There is neither a model nor a known position.
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
    /// The photos of a manifest, one person's, and a model's output for them.
    pub fn new(records: &'a [PhotoRecord], output: Option<ModelOutput<'a>>) -> Self {
        let (people, model) = (People::default(), HmmModel::default());
        let timeline = Timeline::new(records, &[], people);
        Self { records, people, timeline, output, model, tracked: Vec::new(), look_alikes: None }
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

    /// Takes what the photos look like as evidence for those that have no time.
    pub fn with_look_alikes(self, look_alikes: &'a LookAlikes) -> Self {
        Self { look_alikes: Some(look_alikes), ..self }
    }

    /// The same library of other records for the same photos.
    pub(crate) fn with_records<'b>(&'b self, records: &'b [PhotoRecord]) -> Library<'b> {
        Library {
            records,
            timeline: Timeline::new(records, &[], self.people),
            people: self.people,
            output: self.output,
            model: self.model.clone(),
            tracked: self.tracked.clone(),
            look_alikes: self.look_alikes,
        }
    }

    /// The photos in order, as far as their times tell without any position.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// The positions that are evidence, one per record: estimates are not.
    pub fn known_positions(&self) -> Vec<Option<LatLng>> {
        self.records.iter().map(PhotoRecord::known_position).collect()
    }

    /// Locates every photo. `known` are the positions that are evidence, one per record: those
    /// photos are where they are, as accurately as their record says. Libraries of more than 10,000
    /// photos without a model's output or look-alikes are located in parts, which know the photos
    /// beside them and the places of some others. Predictions come part by part and sequence by
    /// sequence, from the last photo to the first; `emit` gets each with its row. Returns how
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
        let Parts { parts, clocks } = self.parts(known);
        let steps = |part: &Part| part.photos() + part.photos().min(HOME_PHOTOS);
        monitor.expect(parts.iter().map(steps).sum::<usize>() as u64);
        let asked = Asked { known, calibration, options, gazetteer, monitor };
        if let [whole] = &parts[..] {
            self.locate_part(whole, asked, &mut emit)?;
            return Ok(clocks);
        }
        for parts in parts.chunks(rayon::current_num_threads()) {
            let located = |part: &Part| {
                let mut located = Vec::new();
                self.locate_part(part, asked, &mut |row, it| located.push((row, it)))?;
                Ok(located)
            };
            let all: Result<Vec<Vec<(usize, Prediction)>>, LibraryError> =
                parts.par_iter().map(located).collect();
            all?.into_iter().flatten().for_each(|(row, prediction)| emit(row, prediction));
        }
        Ok(clocks)
    }

    fn locate_part(
        &self,
        part: &Part,
        Asked { known, calibration, options, gazetteer, monitor }: Asked<'_>,
        emit: &mut dyn FnMut(usize, Prediction),
    ) -> Result<(), LibraryError> {
        let prepared = self.prepare(part, known)?;
        let partition = Arc::new(prepared.states.partition().clone());
        let locator = Locator::new(partition, 1.0, options.clone(), Arc::clone(gazetteer))?;
        let answers = Answers::new(&prepared, locator, calibration.margin, options, gazetteer);
        let predict = |photo: Photo<'_>, posterior: &[f64]| {
            let row = photo.row;
            let levels = &calibration.levels[photo.nearness];
            let fix = self.fix(row, known);
            let id = &self.records[row].photo;
            let mut prediction = answers.prediction(id, photo, posterior, levels, fix);
            if known[row].is_none() && !prediction.candidates.is_empty() {
                let names = Some(&**gazetteer).filter(|_| options.names);
                let transitions = &prepared.transitions;
                prediction.evidence =
                    self.evidence(photo, known, transitions, calibration.weights.output, names);
            }
            (row, prediction)
        };
        let mut predict_all = |waiting: &mut Vec<(Photo<'_>, Vec<f64>)>| {
            let found: Vec<(usize, Prediction)> = std::mem::take(waiting)
                .into_par_iter()
                .map(|(photo, posterior)| predict(photo, &posterior))
                .collect();
            found.into_iter().for_each(|(row, prediction)| emit(row, prediction));
        };
        let homes = self.homes(&prepared, calibration.weights, monitor)?;
        let mut waiting = Vec::with_capacity(AT_ONCE);
        self.posteriors(&prepared, &homes, calibration.weights, monitor, |photo, posterior| {
            waiting.push((photo, posterior.to_vec()));
            if waiting.len() == AT_ONCE {
                predict_all(&mut waiting);
            }
        })?;
        predict_all(&mut waiting);
        Ok(())
    }

    /// What the answer for a photo rests on: its track, the known photos before and after it, the
    /// one that looks most alike, and the model. Each counts as surely as it alone would tell the place within about 30 km: the
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
        if let Some((votes, (row, _, position))) =
            photo.votes.and_then(|votes| Some((votes, votes.alike.first()?)))
        {
            let place = names.map(|names| Place::of(*position, names).at_level(Scale::City));
            let (photo, place) = (self.records[*row].photo.clone(), place.unwrap_or_default());
            all.push((EvidenceKind::LookAlike { photo, place }, votes.share));
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
}
