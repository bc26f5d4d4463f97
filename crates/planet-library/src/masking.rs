use std::{collections::BTreeMap, sync::Arc};

use planet::{Certain, LocatorOptions};
use planet_data::{Gazetteer, Monitor, PhotoRecord};
use planet_geo::{Distance, LatLng, PointIndex, Scale};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::{Library, LibraryError, Timed, nearest_in_time, photoprism};

/// Longest run of photos that are masked one after the other.
const RUN: usize = 12;
const DAY: i64 = 86_400;

/// How known positions of a library are masked to see whether they are found again: half of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Masking {
    /// Runs of 1 to 12 photos, between runs that are shown.
    Runs,
    /// Whole days.
    Days,
    /// Photos one by one, whose times are taken away too.
    Untimed,
    /// Whole days, whose times are taken away too.
    #[serde(rename = "untimed_days")]
    UntimedDays,
}

impl Masking {
    /// Those of photos with times.
    pub const ALL: [Self; 2] = [Self::Runs, Self::Days];
    /// Those of photos without times.
    pub const UNTIMED: [Self; 2] = [Self::Untimed, Self::UntimedDays];

    /// As on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Days => "days",
            Self::Untimed => "untimed",
            Self::UntimedDays => "untimed_days",
        }
    }

    /// The records as they are when the masked photos have no times; `None` where they keep them.
    pub(crate) fn records(
        self,
        records: &[PhotoRecord],
        known: &[Option<LatLng>],
        shown: &[Option<LatLng>],
    ) -> Option<Vec<PhotoRecord>> {
        if !Self::UNTIMED.contains(&self) {
            return None;
        }
        let record = |(row, record): (usize, &PhotoRecord)| {
            let mut record = record.clone();
            if known[row].is_some() && shown[row].is_none() {
                record.time = None;
            }
            record
        };
        Some(records.iter().enumerate().map(record).collect())
    }

    /// The positions that stay known, one a record: half of them.
    pub fn shown(
        self,
        library: &Library<'_>,
        known: &[Option<LatLng>],
        seed: u64,
    ) -> Vec<Option<LatLng>> {
        self.shown_of(library, known, 2, seed)
    }

    /// The positions that stay known: all but one in so many.
    pub(crate) fn shown_of(
        self,
        library: &Library<'_>,
        known: &[Option<LatLng>],
        of: u32,
        seed: u64,
    ) -> Vec<Option<LatLng>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut shown = known.to_vec();
        for sequence in library.timeline().sequences() {
            let photos: Vec<usize> =
                (0..sequence.rows.len()).filter(|at| known[sequence.rows[*at]].is_some()).collect();
            let masked = match self {
                Self::Runs => runs(photos.len(), of, &mut rng),
                Self::Untimed => {
                    (0..photos.len()).map(|_| rng.random_bool(1.0 / f64::from(of))).collect()
                }
                Self::Days | Self::UntimedDays => {
                    let days =
                        photos.iter().map(|at| sequence.times[*at].map(|it| it.div_euclid(DAY)));
                    whole(&days.collect::<Vec<_>>(), of, &mut rng)
                }
            };
            for (at, masked) in photos.into_iter().zip(masked) {
                if masked {
                    shown[sequence.rows[at]] = None;
                }
            }
        }
        shown
    }
}

/// Runs that are masked, one in so many photos, and those between them that are shown; which of them
/// first by chance.
fn runs(photos: usize, of: u32, rng: &mut ChaCha8Rng) -> Vec<bool> {
    let mut masked = Vec::with_capacity(photos + RUN);
    let mut mask = rng.random_bool(1.0 / f64::from(of));
    while masked.len() < photos {
        let run = rng.random_range(1..=RUN);
        let times = if mask { 1 } else { of as usize - 1 };
        masked.resize(masked.len() + times * run, mask);
        mask = !mask;
    }
    masked.truncate(photos);
    masked
}

/// One in so many days; photos without a time are a day of their own.
fn whole(days: &[Option<i64>], of: u32, rng: &mut ChaCha8Rng) -> Vec<bool> {
    let mut all: Vec<Option<i64>> = days.to_vec();
    all.sort_unstable();
    all.dedup();
    all.shuffle(rng);
    let of_day: BTreeMap<Option<i64>, bool> =
        all.iter().enumerate().map(|(at, day)| (*day, at % of as usize == 0)).collect();
    days.iter().map(|day| of_day[day]).collect()
}

/// How well a way to locate found masked positions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ValidationRow {
    /// The way.
    pub way: String,
    /// Share of all masked photos within 1, 25 and 200 km.
    pub within: [f64; 3],
    /// Median error of all masked photos in km, those without an answer being farther than any.
    pub median_km: Option<f64>,
    /// Share that was answered.
    pub coverage: f64,
    /// Of answers that were stated as certain: their share of the masked photos, the mean
    /// probability that was stated, and how often the truth lay within the stated radius. `None`
    /// where no answer of any seed was certain.
    pub certain: Option<[f64; 3]>,
    /// Mean stated probability of the certain answers minus the share of them that are right, and the ends of
    /// its 95 % interval, from days drawn anew (bootstrap). `None` where no answer was certain.
    pub overstated: Option<[f64; 3]>,
    /// Median radius of the certain answers in km.
    pub radius_km: Option<f64>,
    /// Mean interval score of the certain answers in km, less being better: the stated radius, and
    /// for a truth outside the distance to it over the stated probability of that (Gneiting and
    /// Raftery 2007). It does not reward large radii.
    pub interval_score_km: Option<f64>,
    /// Of the tenth, two tenths, … of the masked photos whose answers are most probable: the share
    /// within 25 km. `None` for ways that state no probability.
    pub within_by_coverage: Option<[f64; 10]>,
    /// The model's share within 25 km minus that of this way, and the ends of its 95 % interval, from
    /// days drawn anew (paired bootstrap). `None` for the model itself.
    pub model_gain: Option<[f64; 3]>,
}

/// How known positions are masked and found again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValidationOptions {
    /// Random maskings.
    pub seeds: u64,
    /// Least probability with which an answer is called certain at a level, as in
    /// [`LocatorOptions::certain`].
    pub certain: f64,
}

impl Default for ValidationOptions {
    /// Five, and the locator's own.
    fn default() -> Self {
        Self { seeds: 5, certain: LocatorOptions::default().certain }
    }
}

/// Masks half of the known positions and locates their photos: by the hidden Markov model, by
/// PhotoPrism's rule, by the nearest known photo in time, and what the best choice among known
/// places would reach; without times, by the most photographed place and the known photo that looks
/// most alike instead of the rules. Figures are means over the seeds; those of certain answers are
/// means over all certain answers.
///
/// # Errors
/// There is neither a model nor a known position, or the monitor ended it.
pub fn masked_validation(
    library: &Library<'_>,
    known: &[Option<LatLng>],
    how: Masking,
    options: &ValidationOptions,
    monitor: &dyn Monitor,
) -> Result<Vec<ValidationRow>, LibraryError> {
    let mut trials: Vec<Vec<Trial>> = Vec::new();
    let days = days(library);
    let mut masked_days: Vec<Vec<usize>> = Vec::new();
    for seed in 0..options.seeds {
        // Seeds apart from those by which the calibration is found.
        let shown = how.shown(library, known, 1000 + seed);
        let masked: Vec<usize> =
            (0..known.len()).filter(|row| known[*row].is_some() && shown[*row].is_none()).collect();
        if masked.is_empty() || masked.len() == known.iter().flatten().count() {
            continue;
        }
        let mut ways = Vec::new();
        if let Some(records) = how.records(library.records, known, &shown) {
            let untimed = library.with_records(&records);
            ways.push(hmm(&untimed, known, &shown, &masked, options.certain, monitor)?);
            if let Some(alike) = library.look_alikes {
                let nearest = |row: usize| alike.nearest(row, &shown);
                ways.push(answers("known photo that looks most alike", known, &masked, nearest));
            }
            let usual = most_photographed(&shown);
            ways.push(answers("most photographed place", known, &masked, |_| usual));
        } else {
            ways.push(hmm(library, known, &shown, &masked, options.certain, monitor)?);
            for (way, answer) in RULES {
                ways.push(rule(way, answer, library, known, &shown, &masked));
            }
        }
        ways.push(bound(known, &shown, &masked));
        trials.push(ways);
        masked_days.push(masked.iter().map(|row| days[*row]).collect());
    }
    let ways = trials.first().map_or(0, Vec::len);
    let rows = (0..ways).filter_map(|way| {
        let row = row(trials.iter().map(|trial| &trial[way]))?;
        let of_way = || trials.iter().map(|trial| &trial[way]).zip(&masked_days);
        let model = trials.iter().map(|trial| &trial[0]);
        let model_gain = (way > 0).then(|| gain(model.zip(of_way())));
        Some(ValidationRow { model_gain, overstated: overstated(of_way()), ..row })
    });
    Ok(rows.collect())
}

/// A number for each photo that those of its day and sequence have in common; photos without a time
/// are alone.
fn days(library: &Library<'_>) -> Vec<usize> {
    let mut days = vec![0; library.records.len()];
    let mut numbers: BTreeMap<(usize, i64), usize> = BTreeMap::new();
    let mut next = 0;
    for (number, sequence) in library.timeline().sequences().iter().enumerate() {
        for (row, time) in sequence.rows.iter().zip(&sequence.times) {
            let mut new = || {
                next += 1;
                next
            };
            days[*row] = match time {
                Some(time) => *numbers.entry((number, time.div_euclid(DAY))).or_insert_with(new),
                None => new(),
            };
        }
    }
    days
}

/// Times that days are drawn anew.
const RESAMPLES: usize = 2000;

/// How much more often the first of two ways is within 25 km than the second, with its interval. Each trial comes
/// with the days of its masked photos.
fn gain<'a>(trials: impl Iterator<Item = (&'a Trial, (&'a Trial, &'a Vec<usize>))>) -> [f64; 3] {
    let is_right = |error: &Option<Distance>| {
        f64::from(u8::from(error.is_some_and(|it| it <= Scale::City.radius())))
    };
    over_days(trials.flat_map(|(a, (b, days))| {
        let gains = a.errors.iter().zip(&b.errors).map(move |(a, b)| is_right(a) - is_right(b));
        days.iter().copied().zip(gains)
    }))
}

/// How much more is stated of certain answers than is right, with its interval.
fn overstated<'a>(trials: impl Iterator<Item = (&'a Trial, &'a Vec<usize>)>) -> Option<[f64; 3]> {
    let photos = trials.flat_map(|(trial, days)| {
        let gaps = trial.certain.overstated.iter().zip(days);
        gaps.filter_map(|(gap, day)| Some((*day, (*gap)?)))
    });
    let photos: Vec<(usize, f64)> = photos.collect();
    (!photos.is_empty()).then(|| over_days(photos.into_iter()))
}

/// The mean of values, each with its day, and the ends of its 95 % interval from days drawn anew.
fn over_days(values: impl Iterator<Item = (usize, f64)>) -> [f64; 3] {
    let mut of_days: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for (day, value) in values {
        let (sum, photos) = of_days.entry(day).or_default();
        *sum += value;
        *photos += 1.0;
    }
    let of_days: Vec<(f64, f64)> = of_days.into_values().collect();
    let mean = |of: &mut dyn Iterator<Item = (f64, f64)>| {
        let (sum, photos) = of.fold((0.0, 0.0), |all, it| (all.0 + it.0, all.1 + it.1));
        sum / photos
    };
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut drawn: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut days = (0..of_days.len()).map(|_| of_days[rng.random_range(0..of_days.len())]);
            mean(&mut days)
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let at = |share: f64| drawn[(share * (RESAMPLES - 1) as f64).round() as usize];
    [mean(&mut of_days.iter().copied()), at(0.025), at(0.975)]
}

type Rule = fn(&[Timed]) -> Vec<Option<LatLng>>;
const RULES: [(&str, Rule); 2] =
    [("PhotoPrism's rule", photoprism), ("nearest known photo in time", nearest_in_time)];

/// The known photo with the most others within 25 km; of more than a thousand, those at regular
/// distances are looked at.
fn most_photographed(shown: &[Option<LatLng>]) -> Option<LatLng> {
    let points: Vec<LatLng> = shown.iter().copied().flatten().collect();
    let sample = || points.iter().step_by(points.len().div_ceil(1000).max(1));
    let near = |middle: &LatLng| {
        sample().filter(|it| it.distance_to(*middle) <= Scale::City.radius()).count()
    };
    sample().max_by_key(|middle| near(middle)).copied()
}

/// How one way did with one seed.
struct Trial {
    way: &'static str,
    /// Error of each masked photo; `None` where there is no answer.
    errors: Vec<Option<Distance>>,
    /// Probability of each answer; empty where none is stated.
    probabilities: Vec<f32>,
    certain: CertainAnswers,
}

/// Sums over answers that were stated as certain.
#[derive(Clone, Default)]
struct CertainAnswers {
    count: f64,
    stated: f64,
    right: f64,
    /// Radius of each, in km.
    radii: Vec<f64>,
    /// Sum of the interval scores, in km.
    score: f64,
    /// Of each masked photo with a certain answer: what was stated, less 1 where it is right.
    overstated: Vec<Option<f64>>,
}

/// Least probability of a truth outside, so that no answer counts without limit.
const LEAST_OUTSIDE: f64 = 0.01;

impl CertainAnswers {
    /// What was stated, less 1 where it is right.
    fn add(&mut self, certain: &Certain, truth: LatLng) -> f64 {
        let (radius, stated) = (certain.level.radius().km(), f64::from(certain.probability));
        let away = certain.position.distance_to(truth).km();
        self.count += 1.0;
        self.stated += stated;
        let right = f64::from(u8::from(away <= radius));
        self.right += right;
        self.radii.push(radius);
        self.score += radius + (away - radius).max(0.0) / (1.0 - stated).max(LEAST_OUTSIDE);
        stated - right
    }
}

/// One way's figures; `None` without a trial.
fn row<'a>(trials: impl Iterator<Item = &'a Trial>) -> Option<ValidationRow> {
    let trials: Vec<&Trial> = trials.collect();
    let count = trials.len() as f64;
    let mean = |of: &dyn Fn(&Trial) -> f64| trials.iter().map(|it| of(it)).sum::<f64>() / count;
    let share = |trial: &Trial, of: &dyn Fn(&Option<Distance>) -> bool| {
        trial.errors.iter().filter(|error| of(error)).count() as f64 / trial.errors.len() as f64
    };
    let within = [Scale::Street, Scale::City, Scale::Region].map(|scale| {
        mean(&|trial| share(trial, &|error| error.is_some_and(|it| it <= scale.radius())))
    });
    let median = mean(&|trial| {
        let mut sorted: Vec<f64> =
            trial.errors.iter().map(|error| error.map_or(f64::INFINITY, Distance::km)).collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::INFINITY)
    });
    let masked: usize = trials.iter().map(|trial| trial.errors.len()).sum();
    let mut sums = CertainAnswers::default();
    let certain = trials.iter().map(|it| &it.certain);
    for CertainAnswers { count, stated, right, radii, score, .. } in certain {
        sums.count += count;
        sums.stated += stated;
        sums.right += right;
        sums.radii.extend(radii);
        sums.score += score;
    }
    sums.radii.sort_by(f64::total_cmp);
    Some(ValidationRow {
        way: trials.first()?.way.to_owned(),
        within,
        median_km: Some(median).filter(|km| km.is_finite()),
        coverage: mean(&|trial| share(trial, &Option::is_some)),
        certain: (sums.count > 0.0).then(|| {
            [sums.count / masked as f64, sums.stated / sums.count, sums.right / sums.count]
        }),
        radius_km: sums.radii.get(sums.radii.len() / 2).copied(),
        interval_score_km: (sums.count > 0.0).then(|| sums.score / sums.count),
        within_by_coverage: within_by_coverage(&trials),
        model_gain: None,
        overstated: None,
    })
}

fn within_by_coverage(trials: &[&Trial]) -> Option<[f64; 10]> {
    let is_right = |error: &Option<Distance>| error.is_some_and(|it| it <= Scale::City.radius());
    let mut answers: Vec<(f32, bool)> = trials
        .iter()
        .flat_map(|trial| trial.probabilities.iter().zip(&trial.errors))
        .map(|(probability, error)| (*probability, is_right(error)))
        .collect();
    answers.sort_by(|a, b| b.0.total_cmp(&a.0));
    let within = |tenths: usize| {
        let answered = &answers[..(tenths * answers.len()).div_ceil(10)];
        answered.iter().filter(|it| it.1).count() as f64 / answered.len() as f64
    };
    (!answers.is_empty()).then(|| std::array::from_fn(|tenth| within(tenth + 1)))
}

fn hmm(
    library: &Library<'_>,
    known: &[Option<LatLng>],
    shown: &[Option<LatLng>],
    masked: &[usize],
    certain: f64,
    monitor: &dyn Monitor,
) -> Result<Trial, LibraryError> {
    let options = LocatorOptions { names: false, certain, ..LocatorOptions::default() };
    let calibration = library.calibrate(shown, &options, monitor)?;
    let mut errors = vec![None; known.len()];
    let mut probabilities = vec![0.0; known.len()];
    let mut certain = CertainAnswers::default();
    let mut overstated = vec![None; known.len()];
    let gazetteer = Arc::new(Gazetteer::new());
    library.locate(shown, &calibration, &options, &gazetteer, monitor, |row, prediction| {
        let Some(truth) = known[row].filter(|_| shown[row].is_none()) else { return };
        errors[row] = prediction.best().map(|best| best.position.distance_to(truth));
        let probability = prediction.best().and_then(|best| best.probability);
        probabilities[row] = probability.unwrap_or_default();
        if let Some(it) = &prediction.certain {
            overstated[row] = Some(certain.add(it, truth));
        }
    })?;
    certain.overstated = masked.iter().map(|row| overstated[*row]).collect();
    let errors = masked.iter().map(|row| errors[*row]).collect();
    let probabilities = masked.iter().map(|row| probabilities[*row]).collect();
    Ok(Trial { way: "hidden Markov model", errors, probabilities, certain })
}

fn rule(
    way: &'static str,
    rule: Rule,
    library: &Library<'_>,
    known: &[Option<LatLng>],
    shown: &[Option<LatLng>],
    masked: &[usize],
) -> Trial {
    let mut all = vec![None; known.len()];
    for sequence in library.timeline().sequences() {
        let rows = sequence.rows.iter().zip(&sequence.times);
        let photos: Vec<Timed> =
            rows.map(|(row, time)| Timed { time: *time, position: shown[*row] }).collect();
        sequence.rows.iter().zip(rule(&photos)).for_each(|(row, answer)| all[*row] = answer);
    }
    answers(way, known, masked, |row| all[row])
}

/// A way that gives each masked photo an answer and states no probability.
fn answers(
    way: &'static str,
    known: &[Option<LatLng>],
    masked: &[usize],
    answer: impl Fn(usize) -> Option<LatLng>,
) -> Trial {
    let error = |row: &usize| Some(answer(*row)?.distance_to(known[*row]?));
    let errors = masked.iter().map(error).collect();
    Trial { way, errors, probabilities: Vec::new(), certain: CertainAnswers::default() }
}

/// The best known photo, chosen with knowledge of the truth: an upper bound.
fn bound(known: &[Option<LatLng>], shown: &[Option<LatLng>], masked: &[usize]) -> Trial {
    let points: Vec<LatLng> = shown.iter().copied().flatten().collect();
    let index = PointIndex::new(points.iter().copied());
    let best = |row: usize| Some(points[index.nearest(known[row]?)? as usize]);
    answers("upper bound: the best known photo", known, masked, best)
}

#[cfg(test)]
mod tests {
    use planet_data::{NoMonitor, PhotoRecord};

    use super::*;

    fn library() -> (Vec<PhotoRecord>, Vec<Option<LatLng>>) {
        let record = |photo: u32| PhotoRecord {
            photo: photo.to_string(),
            time: Some(format!("2021-03-{:02}T{:02}:00:00", 1 + photo / 10, 8 + photo % 10)),
            ..PhotoRecord::default()
        };
        let known = |photo: u32| LatLng::new(f64::from(photo / 30), 0.0).ok();
        ((0..280).map(record).collect(), (0..280).map(known).collect())
    }

    #[test]
    fn about_half_is_masked_by_runs_of_at_most_12_or_by_whole_days() {
        let (records, known) = library();
        let library = Library::new(&records, None);
        for how in Masking::ALL {
            let shown = how.shown(&library, &known, 3);
            let masked = shown.iter().filter(|it| it.is_none()).count();
            assert!((90..=190).contains(&masked), "{} masks {masked}", how.name());
            assert_eq!(shown, how.shown(&library, &known, 3));
            if how == Masking::Days {
                assert!(
                    shown
                        .chunks(10)
                        .all(|day| day.iter().all(Option::is_some)
                            || day.iter().all(Option::is_none))
                );
            } else {
                let longest = shown.split(Option::is_some).map(<[_]>::len).max();
                assert!(longest <= Some(RUN), "{longest:?}");
            }
        }
    }

    #[test]
    fn what_neighbours_know_is_found_and_nothing_beats_the_bound() {
        let (records, known) = library();
        let library = Library::new(&records, None);
        let two = ValidationOptions { seeds: 2, ..ValidationOptions::default() };
        let rows = masked_validation(&library, &known, Masking::Runs, &two, &NoMonitor)
            .expect("positions are known");
        let [hmm, photoprism, nearest, bound] = &rows[..] else { panic!("four ways") };
        for way in [hmm, photoprism, nearest] {
            assert!(way.within[1] > 0.8, "{way:?}");
            assert!(
                (0..3).all(|at| way.within[at] <= bound.within[at] + 1e-9),
                "{way:?} {bound:?}"
            );
        }
        let [_, stated, right] = hmm.certain.expect("some are certain");
        // Places that are not known keep a share of the probability, though here no photo is there.
        assert!((right - 0.2..right + 0.05).contains(&stated), "{hmm:?}");
    }

    #[test]
    fn seeds_without_a_certain_answer_do_not_lower_the_means_of_certain_ones() {
        let at = |lat: f64| LatLng::new(lat, 0.0).expect("in range");
        let error = Some(at(0.0).distance_to(at(0.1)));
        let trial = |certain| Trial {
            way: "it",
            errors: vec![error; 4],
            probabilities: Vec::new(),
            certain,
        };
        let mut some = CertainAnswers::default();
        let certain = Certain {
            level: Scale::City,
            name: String::new(),
            position: at(0.0),
            probability: 0.8,
        };
        some.add(&certain, at(0.1));
        some.add(&certain, at(0.0));
        let trials = [trial(some), trial(CertainAnswers::default())];
        let [share, stated, right] =
            row(trials.iter()).and_then(|row| row.certain).expect("some are certain");
        assert!((share - 0.25).abs() < 1e-12 && (stated - 0.8).abs() < 1e-6 && right == 1.0);
        let missed = {
            let mut missed = CertainAnswers::default();
            missed.add(&certain, at(1.0));
            missed.score
        };
        let wanted = 25.0 + 5.0 * (at(0.0).distance_to(at(1.0)).km() - 25.0);
        assert!((missed - wanted).abs() < 1e-3, "{missed} {wanted}");
        let none = [trial(CertainAnswers::default())];
        assert_eq!(row(none.iter()).expect("a trial").certain, None);
    }
}
