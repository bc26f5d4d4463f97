use std::{
    collections::{HashMap, HashSet},
    ops::Range,
    sync::Arc,
};

use planet::{CellProbabilities, LevelCalibration, Locator, LocatorOptions, album::StateSpace};
use planet_data::{Gazetteer, Monitor};
use planet_geo::{ClassId, Distance, LatLng, Scale};
use rayon::prelude::*;

use crate::{
    Library, LibraryError, Masking,
    choice::{self, Choice, Gain, SCALES, USUAL_MARGIN},
    parts::Part,
    prepared::{Homes, NEARNESSES, OTHER_OCCASION, Photo, Prepared, UNTIMED, Weights},
    similarity::share_of_first,
};

/// Weights of a model's output, and of look-alikes, that are tried.
const WEIGHTS: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
const DAY: i64 = 86_400;
/// One position in so many is masked in runs, so that about as many stay known as when the library is located:
/// with fewer known ones the model is less sure of itself, and the curve found would overstate.
const OF: u32 = 4;
/// One day in so many is masked: fewer would hardly ever leave photos that are many days from a known one.
const OF_DAYS: u32 = 2;
/// Times that positions are masked in each way.
const TRIALS: u64 = 8;
/// Photos of a trial: of larger libraries, stretches are taken at regular distances. Weights are
/// tried on fewer, since each is a pass of its own.
const TRIAL_PHOTOS: usize = 2000;
const WEIGHT_PHOTOS: usize = 600;
/// Parts of a large library in which positions are masked.
const TRIAL_PARTS: usize = 4;

/// How far the model's output and stated probabilities are trusted, found by masking known
/// positions and locating their photos.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// How much the model's output and look-alikes count.
    pub(crate) weights: Weights,
    /// By nearness in time of a known photo: how often the probability within a level's radius is
    /// right.
    pub(crate) levels: [LevelCalibration; NEARNESSES],
    /// How many times better than the known photo nearest in time another place must be expected
    /// to be, to be the answer instead.
    pub(crate) margin: f64,
}

impl Calibration {
    /// The model's output counts with this weight, 0 to 1, and stated probabilities are used as
    /// they are.
    pub fn uncalibrated(weight: f64) -> Self {
        let weights = Weights { output: weight, alike: 1.0 };
        Self { weights, levels: [LevelCalibration::default(); NEARNESSES], margin: USUAL_MARGIN }
    }
}

/// The disc of each level that would be stated for a photo: the probability inside, and whether it
/// holds the truth.
type Stated = [Option<(f64, bool)>; 5];

/// What a masked photo shows of the answers.
struct Masked<'a> {
    row: usize,
    /// Whose it is, and its day where it has a time.
    occasion: Option<(Option<&'a str>, i64)>,
    nearness: usize,
    stated: Stated,
    gain: Option<Gain>,
}

/// Known positions of which some are masked, and what follows from the others.
struct Trial {
    how: Masking,
    /// The positions that stay known, one per record.
    shown: Vec<Option<LatLng>>,
    prepared: Prepared,
    homes: Arc<Homes>,
}

impl Trial {
    /// The same for about so many photos.
    fn limited(&self, photos: usize) -> Self {
        let (shown, homes) = (self.shown.clone(), Arc::clone(&self.homes));
        Self { how: self.how, shown, prepared: self.prepared.limited(photos), homes }
    }
}

impl Library<'_> {
    /// Finds the weights of the model's output and of look-alikes, and how far stated probabilities are
    /// right: known positions are masked by runs and by days, and their photos located from the others;
    /// where photos without a time are to be located, also with their times taken away. With too few
    /// of them stated probabilities are used as they are. The states of each trial, and
    /// where people usually are in it, are computed once for all weights. What is stated is right as often as
    /// it says where the photos are then located with the same options: a level is stated where no finer one is
    /// certain.
    ///
    /// # Errors
    /// The monitor ended it.
    pub fn calibrate(
        &self,
        known: &[Option<LatLng>],
        options: &LocatorOptions,
        monitor: &dyn Monitor,
    ) -> Result<Calibration, LibraryError> {
        let mut ways = Masking::ALL.to_vec();
        let is_untimed =
            |row: usize| self.records[row].time.is_none() && self.fix(row, known).is_none();
        if self.look_alikes.is_some() || (0..known.len()).any(is_untimed) {
            ways.extend(Masking::UNTIMED);
        }
        let trials: Vec<(Masking, Vec<Option<LatLng>>)> = (0..TRIALS)
            .flat_map(|seed| {
                ways.iter().map(move |how| (*how, how.shown_of(self, known, of(*how), seed)))
            })
            .filter(|(_, shown)| shown.iter().any(Option::is_some))
            .collect();
        let mut calibration = Calibration::uncalibrated(self.model.weight);
        let maskings = trials.len();
        let trials = self.trials(known, trials, monitor)?;
        let photos = TRIAL_PHOTOS * maskings / trials.len().max(1);
        if self.output.is_some() && !trials.is_empty() {
            calibration.weights.output = self.best_weight(&trials, known, monitor)?;
        }
        let one_by_one = self.one_by_one(&trials, known)?;
        if self.look_alikes.is_some() {
            calibration.weights.alike =
                self.best_alike(&trials, known, one_by_one, calibration.weights, monitor)?;
        }
        let masked: Vec<(Masking, Vec<Masked<'_>>)> = trials
            .par_iter()
            .map(|trial| {
                let limited = trial.limited(photos);
                Ok((trial.how, self.masked(&limited, known, calibration.weights, monitor)?))
            })
            .collect::<Result<_, LibraryError>>()?;
        calibration.levels = levels(&masked, one_by_one, options.certain);
        let masked = masked.iter().flat_map(|(_, masked)| masked);
        calibration.margin = choice::margin(masked.filter_map(|it| it.gain).collect());
        Ok(calibration)
    }

    fn trials(
        &self,
        known: &[Option<LatLng>],
        shown: Vec<(Masking, Vec<Option<LatLng>>)>,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Trial>, LibraryError> {
        let of_masking = |(how, shown): (Masking, Vec<Option<LatLng>>)| {
            let records = how.records(self.records, known, &shown);
            let untimed = records.as_ref().map(|records| self.with_records(records));
            let library = untimed.as_ref().unwrap_or(self);
            let parts = library.parts(&shown).parts;
            let step = parts.len().div_ceil(TRIAL_PARTS);
            let trial = |part: &Part| {
                let prepared = library.prepare(part, &shown)?;
                let weights = Calibration::uncalibrated(self.model.weight).weights;
                let homes = Arc::new(self.homes(&prepared, weights, monitor)?);
                Ok(Trial { how, shown: shown.clone(), prepared, homes })
            };
            parts.par_iter().step_by(step).map(trial).collect()
        };
        let trials: Result<Vec<Vec<Trial>>, LibraryError> =
            shown.into_par_iter().map(of_masking).collect();
        Ok(trials?.into_iter().flatten().collect())
    }

    /// Of one trial: what would be stated for masked photos, and whether it is right.
    fn masked(
        &self,
        Trial { shown, prepared, homes, .. }: &Trial,
        known: &[Option<LatLng>],
        weights: Weights,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Masked<'_>>, LibraryError> {
        let states = &prepared.states;
        let options = LocatorOptions { names: false, ..LocatorOptions::default() };
        let partition = Arc::new(states.partition().clone());
        let locator = Locator::new(partition, 1.0, options, Arc::new(Gazetteer::new()))?;
        let mut masked = Vec::new();
        self.posteriors(prepared, homes, weights, monitor, |photo, posterior| {
            let row = photo.row;
            let Some(truth) = known[row].filter(|_| self.fix(row, shown).is_none()) else {
                return;
            };
            let disc = |scale: Scale| {
                let marginal = states.marginal(posterior, scale);
                let probabilities = CellProbabilities::from_weights(&marginal).ok()?;
                let least = LevelCalibration::LEAST;
                let (middle, mass) = locator.densest(&probabilities, scale, least)?;
                Some((mass, middle.distance_to(truth) <= scale.radius()))
            };
            let (nearness, stated) = (photo.nearness, Scale::ALL.map(disc));
            let gain = gain(states, posterior, photo, truth);
            let day = photo.time.map(|time| time.div_euclid(DAY));
            let occasion = day.map(|day| (self.records[row].author.as_deref(), day));
            masked.push(Masked { row, occasion, nearness, stated, gain });
        })?;
        Ok(masked)
    }

    /// The weight of the model's output under which the photos of known positions that are not
    /// shown are located best: `known` are all of them, `shown` those of each trial.
    ///
    /// # Errors
    /// There is neither a model nor a known position, or the monitor ended it.
    pub fn weight(
        &self,
        shown: Vec<Vec<Option<LatLng>>>,
        known: &[Option<LatLng>],
        monitor: &dyn Monitor,
    ) -> Result<f64, LibraryError> {
        let shown = shown.into_iter().map(|shown| (Masking::Runs, shown)).collect();
        self.best_weight(&self.trials(known, shown, monitor)?, known, monitor)
    }

    fn best_weight(
        &self,
        trials: &[Trial],
        known: &[Option<LatLng>],
        monitor: &dyn Monitor,
    ) -> Result<f64, LibraryError> {
        let limited: Vec<Trial> = trials.iter().map(|it| it.limited(WEIGHT_PHOTOS)).collect();
        let pairs: Vec<(usize, usize)> = (0..WEIGHTS.len())
            .flat_map(|weight| (0..limited.len()).map(move |trial| (weight, trial)))
            .collect();
        let sums: Vec<f64> = pairs
            .par_iter()
            .map(|(weight, trial)| {
                let weights = Weights { output: WEIGHTS[*weight], alike: 1.0 };
                self.log_likelihood(&limited[*trial], known, weights, monitor)
            })
            .collect::<Result<_, _>>()?;
        let of_weight = |weight: usize| -> f64 {
            pairs.iter().zip(&sums).filter(|(pair, _)| pair.0 == weight).map(|(_, sum)| sum).sum()
        };
        let best = (0..WEIGHTS.len()).max_by(|a, b| of_weight(*a).total_cmp(&of_weight(*b)));
        Ok(best.map_or(1.0, |best| WEIGHTS[best]))
    }

    /// Of the photos without a time that are to be located, the share that are like known photos masked
    /// one by one, with others of their occasion known, rather than like those masked by whole
    /// days: by how much the most similar known photo of each looks alike.
    fn one_by_one(&self, trials: &[Trial], known: &[Option<LatLng>]) -> Result<f64, LibraryError> {
        if self.look_alikes.is_none() || trials.is_empty() {
            return Ok(0.5);
        }
        let parts = self.parts(known).parts;
        let mut own = Vec::new();
        for part in &parts {
            own.extend(self.prepare(part, known)?.votes.values().map(|votes| votes.best));
        }
        let masked = |wanted: Masking| -> Vec<f32> {
            let of_way = trials.iter().filter(|trial| trial.how == wanted);
            let votes = of_way.flat_map(|trial| trial.prepared.votes.iter());
            votes.filter(|(row, _)| known[**row].is_some()).map(|(_, votes)| votes.best).collect()
        };
        Ok(share_of_first(&own, &masked(Masking::Untimed), &masked(Masking::UntimedDays)))
    }

    /// The weight of look-alikes under which photos whose times were taken away are located best: none,
    /// where the order of the files tells as much.
    fn best_alike(
        &self,
        trials: &[Trial],
        known: &[Option<LatLng>],
        one_by_one: f64,
        weights: Weights,
        monitor: &dyn Monitor,
    ) -> Result<f64, LibraryError> {
        let untimed = trials.iter().filter(|trial| Masking::UNTIMED.contains(&trial.how));
        let limited: Vec<Trial> = untimed.map(|trial| trial.limited(WEIGHT_PHOTOS)).collect();
        let sum = |alike: &f64| -> Result<f64, LibraryError> {
            let weights = Weights { alike: *alike, ..weights };
            let of_trial = |trial: &Trial| {
                let sum = self.log_likelihood(trial, known, weights, monitor)?;
                let is_single = trial.how == Masking::Untimed;
                Ok(sum * if is_single { one_by_one } else { 1.0 - one_by_one })
            };
            limited.par_iter().map(of_trial).sum()
        };
        let sums: Vec<f64> = WEIGHTS.iter().map(sum).collect::<Result<_, LibraryError>>()?;
        let best = (0..WEIGHTS.len()).max_by(|a, b| sums[*a].total_cmp(&sums[*b]));
        Ok(best.map_or(1.0, |best| WEIGHTS[best]))
    }

    /// Sum over masked photos of the logarithm of the probability near the truth.
    fn log_likelihood(
        &self,
        Trial { shown, prepared, homes, .. }: &Trial,
        known: &[Option<LatLng>],
        weights: Weights,
        monitor: &dyn Monitor,
    ) -> Result<f64, LibraryError> {
        let states = &prepared.states;
        let points: Vec<Option<[f64; 3]>> = (0..states.partition().len() as u32)
            .map(|class| Some(states.partition().point(planet_geo::ClassId(class))?.to_vector()))
            .collect();
        let near = (Distance::from_km(25.0).km() / planet_geo::EARTH_RADIUS_KM).cos();
        let mut sum = 0.0;
        self.posteriors(prepared, homes, weights, monitor, |photo, posterior| {
            let row = photo.row;
            let Some(truth) = known[row].filter(|_| shown[row].is_none()) else { return };
            let truth = truth.to_vector();
            let inside = |(point, _): &(&Option<[f64; 3]>, &f64)| {
                point.is_some_and(|point| (0..3).map(|i| point[i] * truth[i]).sum::<f64>() >= near)
            };
            let mass: f64 = points.iter().zip(posterior).filter(inside).map(|(_, it)| it).sum();
            sum += mass.max(1e-4).ln();
        })?;
        Ok(sum)
    }
}

/// One position in how many a trial masks.
fn of(how: Masking) -> u32 {
    match how {
        Masking::Days => OF_DAYS,
        Masking::Runs | Masking::Untimed | Masking::UntimedDays => OF,
    }
}

/// The curves of each nearness. A range of nearness has few photos, so that its curve is held to that of all
/// photos that are at least as near in time to a known one, or at least as far, where that is rather of another
/// occasion; and that to the curve of the range before: the farther, the fewer masked photos there are, and the
/// less often they are right.
fn levels(
    masked: &[(Masking, Vec<Masked<'_>>)],
    one_by_one: f64,
    certain: f64,
) -> [LevelCalibration; NEARNESSES] {
    let of_day = together(masked.iter().map(|(_, masked)| masked));
    let fitted = |range: &Range<usize>, expected: &LevelCalibration| {
        let stated = stated(masked, range, one_by_one);
        let together = of_day * times_masked(masked, range);
        LevelCalibration::of_discs(&stated, expected, together, certain)
    };
    let of_all = fitted(&(0..NEARNESSES), &LevelCalibration::default());
    let mut levels = [of_all; NEARNESSES];
    let mut nearer = of_all;
    for (nearness, level) in levels.iter_mut().enumerate().take(OTHER_OCCASION).rev() {
        nearer = fitted(&(0..nearness + 1), &nearer);
        *level = fitted(&(nearness..nearness + 1), &nearer);
    }
    let mut farther = of_all;
    for (nearness, level) in levels.iter_mut().enumerate().take(UNTIMED) {
        farther = fitted(&(nearness..UNTIMED), &farther);
        if nearness >= OTHER_OCCASION {
            *level = fitted(&(nearness..nearness + 1), &farther);
        }
    }
    let untimed = fitted(&(UNTIMED..NEARNESSES), &of_all);
    for (nearness, level) in levels.iter_mut().enumerate().skip(UNTIMED) {
        *level = fitted(&(nearness..nearness + 1), &untimed);
    }
    levels
}

/// What was stated of the photos of a range of nearness. Of those without a time, as many of each masking as
/// the photos to be located resemble it.
fn stated(
    masked: &[(Masking, Vec<Masked<'_>>)],
    range: &Range<usize>,
    one_by_one: f64,
) -> Vec<Stated> {
    let most = one_by_one.max(1.0 - one_by_one);
    let mut stated = Vec::new();
    for (how, masked) in masked {
        let share = match how {
            Masking::Runs | Masking::Days => 1.0,
            Masking::Untimed => one_by_one / most,
            Masking::UntimedDays => (1.0 - one_by_one) / most,
        };
        let inside = masked.iter().filter(|photo| range.contains(&photo.nearness));
        stated.extend(thinned(inside.map(|photo| photo.stated), share));
    }
    stated
}

/// How many photos are right or wrong together: of the trials of which each has these masked photos, how many
/// others of a photo's day the mean photo is masked with, itself counted.
fn together<'a>(trials: impl Iterator<Item = &'a Vec<Masked<'a>>>) -> f64 {
    let (mut photos, mut squares) = (0, 0);
    for masked in trials {
        let mut days: HashMap<_, usize> = HashMap::new();
        for photo in masked {
            match photo.occasion {
                Some(occasion) => *days.entry(occasion).or_default() += 1,
                None => squares += 1,
            }
        }
        photos += masked.len();
        squares += days.values().map(|count| count * count).sum::<usize>();
    }
    squares as f64 / photos.max(1) as f64
}

/// How often the mean photo of a range of nearness is masked: its answers are alike, so that all of them
/// say little more than one.
fn times_masked(masked: &[(Masking, Vec<Masked<'_>>)], range: &Range<usize>) -> f64 {
    let all = masked.iter().flat_map(|(_, masked)| masked);
    let rows: Vec<usize> =
        all.filter(|photo| range.contains(&photo.nearness)).map(|photo| photo.row).collect();
    let photos: HashSet<usize> = rows.iter().copied().collect();
    rows.len() as f64 / photos.len().max(1) as f64
}

/// So large a share of some values, 0 to 1, at regular distances.
fn thinned<T>(values: impl Iterator<Item = T>, share: f64) -> impl Iterator<Item = T> {
    let passed = move |count: usize| (count as f64 * share) as usize;
    values.enumerate().filter(move |(at, _)| passed(*at) != passed(*at + 1)).map(|it| it.1)
}

/// What would be won by the best place instead of the nearest known photo; `None` where they are
/// one, or there is none.
fn gain(states: &StateSpace, posterior: &[f64], photo: Photo<'_>, truth: LatLng) -> Option<Gain> {
    let marginal = states.marginal(posterior, Scale::Street);
    let probabilities = CellProbabilities::from_weights(&marginal).ok()?;
    let choice = Choice::of(states, posterior, &probabilities, photo)?;
    let (best, nearest) = (choice.best.0, choice.nearest?.0);
    if best == nearest {
        return None;
    }
    let right = |state: usize| {
        let position = photo.position_at(state);
        let position = position.or(states.partition().point(ClassId(state as u32)))?;
        let away = position.distance_to(truth);
        Some(SCALES.iter().filter(|scale| away <= scale.radius()).count() as f64)
    };
    Some(Gain { ratio: choice.ratio(), scales: right(best)? - right(nearest)? })
}

#[cfg(test)]
mod tests {
    use planet_data::{NoMonitor, PhotoRecord};

    use super::*;

    #[test]
    fn calibration_falls_where_masked_photos_are_not_where_they_were_searched() {
        // At home on every second day, and on each day between at another place: neighbours of the
        // same day are right; where a whole day is masked, both neighbours say that it was at home.
        let records: Vec<PhotoRecord> = (0..40 * 20)
            .map(|photo| {
                let (day, minute) = (photo / 20, photo % 20);
                let (month, day) = (1 + day / 28, 1 + day % 28);
                let time = Some(format!("2021-{month:02}-{day:02}T12:{minute:02}:00"));
                PhotoRecord { photo: photo.to_string(), time, ..PhotoRecord::default() }
            })
            .collect();
        let place = |day: usize| match day % 2 {
            0 => LatLng::new(48.0, 10.0),
            _ => LatLng::new(day as f64 * 2.0 - 40.0, 10.0),
        };
        let known: Vec<Option<LatLng>> = (0..40 * 20).map(|photo| place(photo / 20).ok()).collect();
        let calibration =
            Library::new(&records, None).calibrate(&known, &LocatorOptions::default(), &NoMonitor);
        let calibration = calibration.expect("nobody ends it");
        // Within a quarter of an hour the finest level stays about what it was, another day it falls; 40 days
        // pull neither all the way.
        let [near, _, _, _, _, another_day, ..] = calibration.levels;
        let near = near.calibrated(Scale::Street, 0.8);
        let another_day = another_day.calibrated(Scale::City, 0.8);
        assert!(near > 0.75, "{near}");
        assert!(another_day < 0.6, "{another_day}");
    }
}
