use std::sync::{Arc, OnceLock};

use planet_data::{Country, Gazetteer};
use planet_geo::{ClassId, Distance, LatLng, Partition, Scale};

use super::{
    Candidate, Certain, Decision, LevelCalibration, Place, PredictedRegion, Prediction,
    RegionCalibration, Within, WithinError,
    decision::ExpectedScore,
    discs::{Disc, Discs},
    spread::Spread,
};
use crate::{CellProbabilities, ProbabilityError, package::ModelDescription};

/// What to say of each photo.
#[derive(Clone, Debug)]
pub struct LocatorOptions {
    /// Candidates per photo.
    pub top: usize,
    /// Minimum probability for reporting a level, above 0 and at most 1.
    pub certain: f64,
    /// Area to which answers are limited.
    pub within: Option<Within>,
    /// Whether to name places.
    pub names: bool,
    /// Which candidate is the first.
    pub decision: Decision,
    /// Share of photos, 0.01..=0.99, whose region of cells is to contain their place; `None` for no regions.
    pub region: Option<f64>,
}

/// Why a model cannot answer as it was asked to.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LocatorError {
    /// No class lies in the requested area.
    #[error(transparent)]
    Within(#[from] WithinError),
    /// There is nothing from which regions could follow.
    #[error(
        "the model states no regions: it was exported without validation photos, or by a version of before \
         regions"
    )]
    NoRegions,
    /// The guarantee of regions is about all photos.
    #[error("regions cannot be combined with an area that answers are limited to")]
    RegionsWithin,
}

impl Default for LocatorOptions {
    /// Five candidates with names, the most probable one first, certain from one half on.
    fn default() -> Self {
        Self {
            top: 5,
            certain: 0.5,
            within: None,
            names: true,
            decision: Decision::Cell,
            region: None,
        }
    }
}

/// Turns a network's scores into predictions: softmax with the model's temperature, the best
/// classes with their places, the finest level that is certain.
///
/// Made once for a model and shared by all threads.
///
/// ```
/// use std::sync::Arc;
/// use planet::{Locator, LocatorOptions};
/// use planet_data::Gazetteer;
/// use planet_geo::{CellId, Class, ClassKind, Partition, PartitionInfo};
///
/// let class = |cell: CellId| {
///     let centre = Some(cell.centre());
///     Class { kind: ClassKind::Cells(vec![cell]), photos: 1, mean: centre, centre, scatter: None }
/// };
/// let classes = vec![class("477eb1".parse()?), class("487604".parse()?)];
/// let partition = Partition::new(PartitionInfo::default(), classes)?;
/// let options = LocatorOptions::default();
/// let locator = Locator::new(Arc::new(partition), 1.0, options, Arc::new(Gazetteer::new()))?;
/// let prediction = locator.predict("photo.jpg", &[3.0, 0.0])?;
/// assert_eq!(prediction.candidates[0].cell, "477eb1");
/// // A cell of 10 km: how its photos scatter is unknown, so that they may lie anywhere in it.
/// assert_eq!(prediction.certain.expect("95 % in one cell").level.name(), "city");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Locator {
    partition: Arc<Partition>,
    temperature: f32,
    levels: LevelCalibration,
    regions: RegionCalibration,
    options: LocatorOptions,
    /// For every class, whether it may be an answer; `None` where all may.
    allowed: Option<Vec<bool>>,
    /// Number of classes without a point.
    placeless: usize,
    discs: Discs,
    /// Where that decides.
    expected_score: Option<ExpectedScore>,
    /// Tokens, radius and place of every class that was a candidate so far.
    known: Vec<OnceLock<Known>>,
    gazetteer: Arc<Gazetteer>,
}

#[derive(Clone)]
struct Known {
    cell: String,
    radius: Distance,
    place: Option<Place>,
}

/// All that answers need of a class: with the network's scores and the calibration, another
/// program can say what [`Locator`] says.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassFacts {
    /// The class as a candidate, without a probability.
    pub candidate: Candidate,
    /// English name of its continent; empty where it has none.
    pub continent: &'static str,
    /// From its point to the farthest place where its photos may lie.
    pub reach: Distance,
    /// Shares of its photos within the radii of [`Scale::ALL`] of its point.
    pub shares: [f64; Scale::ALL.len()],
}

impl Locator {
    /// For a model with these classes and this temperature.
    ///
    /// # Errors
    /// No class lies in the requested area.
    pub fn new(
        partition: Arc<Partition>,
        temperature: f32,
        options: LocatorOptions,
        gazetteer: Arc<Gazetteer>,
    ) -> Result<Self, WithinError> {
        let allowed = match &options.within {
            Some(ground) => Some(ground.classes(&partition, &gazetteer)?),
            None => None,
        };
        let discs = Discs::new(&partition);
        let by_score = options.decision == Decision::Score;
        let expected_score = by_score.then(|| ExpectedScore::new(&partition));
        let placeless = partition.classes().iter().filter(|class| class.mean.is_none()).count();
        let known = (0..partition.len()).map(|_| OnceLock::new()).collect();
        let levels = LevelCalibration::default();
        Ok(Self {
            partition,
            temperature,
            levels,
            regions: RegionCalibration::default(),
            options,
            allowed,
            placeless,
            discs,
            expected_score,
            known,
            gazetteer,
        })
    }

    /// For a model package's network: its temperature, and the calibration of its levels and regions.
    ///
    /// # Errors
    /// As [`Locator::new`]; regions of a model that states none, or within an area.
    pub fn for_model(
        model: &ModelDescription,
        partition: Arc<Partition>,
        options: LocatorOptions,
        gazetteer: Arc<Gazetteer>,
    ) -> Result<Self, LocatorError> {
        if options.region.is_some() && options.within.is_some() {
            return Err(LocatorError::RegionsWithin);
        }
        if options.region.is_some() && model.region_calibration.is_empty() {
            return Err(LocatorError::NoRegions);
        }
        let locator = Self::new(partition, model.temperature, options, gazetteer)?;
        let regions = model.region_calibration.clone();
        Ok(Self { regions, ..locator.with_levels(model.level_calibration) })
    }

    /// The same with what validation photos say of the model's probabilities at each level: a
    /// level is certain where its calibrated probability reaches the share asked for.
    #[must_use]
    pub fn with_levels(self, levels: LevelCalibration) -> Self {
        Self { levels, ..self }
    }

    /// Names of places, and countries.
    pub fn gazetteer(&self) -> &Gazetteer {
        &self.gazetteer
    }

    /// The same, to be shared.
    pub fn shared_gazetteer(&self) -> Arc<Gazetteer> {
        Arc::clone(&self.gazetteer)
    }

    /// The classes.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// A probability for every class, of one photo's scores `[classes]`. Outside the ground that
    /// was asked for it is zero, and the rest sums to one.
    ///
    /// # Errors
    /// Scores that are no distribution (NaN), or too few or many of them.
    pub fn probabilities(&self, logits: &[f32]) -> Result<CellProbabilities, ProbabilityError> {
        if logits.len() != self.partition.len() {
            let (stated, found) = (self.partition.len(), logits.len());
            return Err(ProbabilityError::Classes { stated, found });
        }
        let Some(allowed) = &self.allowed else {
            return CellProbabilities::from_logits(logits, self.temperature);
        };
        let masked: Vec<f32> = logits
            .iter()
            .zip(allowed)
            .map(
                |(&logit, &inside)| {
                    if inside || logit.is_nan() { logit } else { f32::NEG_INFINITY }
                },
            )
            .collect();
        CellProbabilities::from_logits(&masked, self.temperature)
    }

    /// The prediction for a photo with these scores `[classes]`.
    ///
    /// # Errors
    /// Scores that are no distribution (NaN), or too few or many of them.
    pub fn predict(&self, photo: &str, logits: &[f32]) -> Result<Prediction, ProbabilityError> {
        self.predict_top(photo, logits, None)
    }

    /// The same with another number of candidates than [`LocatorOptions::top`].
    ///
    /// # Errors
    /// As [`Locator::predict`].
    pub fn predict_top(
        &self,
        photo: &str,
        logits: &[f32],
        top: Option<usize>,
    ) -> Result<Prediction, ProbabilityError> {
        let probabilities = self.probabilities(logits)?;
        Ok(self.of_top(photo, &probabilities, top.unwrap_or(self.options.top)))
    }

    /// The prediction for a photo with these probabilities.
    pub fn of(&self, photo: &str, probabilities: &CellProbabilities) -> Prediction {
        self.of_top(photo, probabilities, self.options.top)
    }

    fn of_top(&self, photo: &str, probabilities: &CellProbabilities, top: usize) -> Prediction {
        // Classes that mean "none of these" are no places: some more, in case they are among them.
        let ranked = probabilities.top(top.saturating_add(self.placeless));
        let decided = self.decided(probabilities);
        let others =
            ranked.into_iter().filter(|(class, _)| decided.is_none_or(|it| it.0 != *class));
        let candidates = decided
            .into_iter()
            .chain(others)
            .filter(|(_, probability)| *probability > 0.0)
            .filter_map(|(class, probability)| self.candidate(class, probability))
            .take(top)
            .collect();
        let certain = self.certain(probabilities);
        let region = self.options.region.map(|share| self.region(probabilities, share));
        Prediction { photo: photo.to_owned(), candidates, certain, region, ..Prediction::default() }
    }

    /// The cells that contain the place of this share of photos.
    fn region(&self, probabilities: &CellProbabilities, share: f64) -> PredictedRegion {
        let classes = self.regions.classes(probabilities, share);
        let cells = || classes.iter().flat_map(|class| self.partition.class(*class).cells());
        PredictedRegion {
            share,
            cells: cells().map(|cell| cell.token()).collect(),
            area_km2: cells().map(|cell| cell.area_km2()).sum(),
            classes,
        }
    }

    /// The class that is the first candidate, with its probability; `None` where it is the most
    /// probable one.
    fn decided(&self, probabilities: &CellProbabilities) -> Option<(ClassId, f32)> {
        let class = match (self.options.decision, &self.expected_score) {
            (Decision::Within(scale), _) => {
                self.discs.densest(probabilities.values(), scale, 0.0)?.class
            }
            (_, Some(expected)) => expected.best(&probabilities.top(self.partition.len()))?,
            (_, None) => return None,
        };
        Some((class, probabilities.values()[class.index()]))
    }

    /// Probability within each level's radius of a position: of each class the share of its
    /// photos that lies there.
    pub fn within(&self, probabilities: &CellProbabilities, position: LatLng) -> [f64; 5] {
        self.discs.within(probabilities.values(), position)
    }

    /// The most probable class that is a place.
    pub(crate) fn best(&self, probabilities: &CellProbabilities) -> Option<(ClassId, f32)> {
        let mut ranked = probabilities.top(1 + self.placeless).into_iter();
        ranked.find(|(class, _)| self.partition.point(*class).is_some())
    }

    /// What is known of a class as an answer; `None` where it is no place.
    pub(crate) fn candidate(&self, class: ClassId, probability: f32) -> Option<Candidate> {
        let position = self.partition.point(class)?;
        let known = self.known[class.index()].get_or_init(|| self.look_up(class));
        let Known { cell, radius, place } = known.clone();
        let probability = Some(probability);
        Some(Candidate { class: Some(class), cell, probability, position, radius, place })
    }

    /// What answers need of a class; `None` where it is no place.
    pub fn facts(&self, class: ClassId) -> Option<ClassFacts> {
        let candidate = Candidate { probability: None, ..self.candidate(class, 0.0)? };
        let code = candidate.place.as_ref().map_or("", |place| place.country_code.as_str());
        Some(ClassFacts {
            continent: Country::of_code(code).map_or("", |country| country.continent),
            candidate,
            reach: Distance::from_km(Spread::reach_km(&self.partition, class)),
            shares: self.partition.shares_within(class),
        })
    }

    fn look_up(&self, class: ClassId) -> Known {
        let tokens = self.partition.class(class).cells().iter().map(|cell| cell.token());
        let point = self.partition.point(class).filter(|_| self.options.names);
        Known {
            cell: tokens.collect::<Vec<_>>().join(" "),
            radius: self.partition.radius(class),
            place: point.map(|point| Place::of(point, &self.gazetteer)),
        }
    }

    /// Middle and probability of the disc of a level's radius that holds the most, if that is at
    /// least this share.
    pub fn densest(
        &self,
        probabilities: &CellProbabilities,
        level: Scale,
        share: f64,
    ) -> Option<(LatLng, f64)> {
        let disc = self.discs.densest(probabilities.values(), level, share)?;
        Some((self.partition.point(disc.class).expect("discs lie round points"), disc.mass))
    }

    fn disc(&self, probabilities: &CellProbabilities, level: Scale) -> Option<Disc> {
        let share = self.options.certain;
        if share > 1.0 {
            return None;
        }
        self.discs.densest(probabilities.values(), level, self.levels.needed(level, share))
    }

    fn certain(&self, probabilities: &CellProbabilities) -> Option<Certain> {
        let found = |level: Scale| Some((level, self.disc(probabilities, level)?));
        let (level, disc) = Scale::ALL.into_iter().find_map(found)?;
        let probability = self.levels.calibrated(level, disc.mass);
        let position = self.partition.point(disc.class).expect("discs lie round points");
        let place = if self.options.names {
            self.known[disc.class.index()].get_or_init(|| self.look_up(disc.class)).place.as_ref()
        } else {
            None
        };
        let name = place.map_or_else(String::new, |place| place.at_level(level));
        Some(Certain { level, name, position, probability: probability as f32 })
    }
}
