use std::{collections::BTreeMap, sync::Arc};

use planet_data::Gazetteer;
use planet_geo::{Distance, LatLng, PointIndex, Scale};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::{Library, LibraryError, Timed, nearest_in_time, photoprism};
use crate::LocatorOptions;

/// Longest run of photos that are hidden one after the other.
const RUN: usize = 12;
const DAY: i64 = 86_400;

/// How positions of a library are hidden to see whether they are found again: half of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hide {
    /// Runs of 1 to 12 photos, between runs that are shown.
    Runs,
    /// Whole days.
    Days,
}

impl Hide {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Runs, Self::Days];

    /// As on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Days => "days",
        }
    }

    /// The positions that stay known, one a record.
    pub fn shown(
        self,
        library: &Library<'_>,
        known: &[Option<LatLng>],
        seed: u64,
    ) -> Vec<Option<LatLng>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut shown = known.to_vec();
        for sequence in library.sequences() {
            let photos: Vec<usize> =
                (0..sequence.rows.len()).filter(|at| known[sequence.rows[*at]].is_some()).collect();
            let hidden = match self {
                Self::Runs => runs(photos.len(), &mut rng),
                Self::Days => {
                    let days =
                        photos.iter().map(|at| sequence.times[*at].map(|it| it.div_euclid(DAY)));
                    whole(&days.collect::<Vec<_>>(), &mut rng)
                }
            };
            for (at, hidden) in photos.into_iter().zip(hidden) {
                if hidden {
                    shown[sequence.rows[at]] = None;
                }
            }
        }
        shown
    }
}

/// Runs that are hidden and shown in turn, which of them first by chance.
fn runs(photos: usize, rng: &mut ChaCha8Rng) -> Vec<bool> {
    let mut hidden = Vec::with_capacity(photos + RUN);
    let mut hide = rng.random_bool(0.5);
    while hidden.len() < photos {
        let run = rng.random_range(1..=RUN);
        hidden.resize(hidden.len() + run, hide);
        hide = !hide;
    }
    hidden.truncate(photos);
    hidden
}

/// Half of the days; photos without a time are a day of their own.
fn whole(days: &[Option<i64>], rng: &mut ChaCha8Rng) -> Vec<bool> {
    let mut all: Vec<Option<i64>> = days.to_vec();
    all.sort_unstable();
    all.dedup();
    all.shuffle(rng);
    let of_day: BTreeMap<Option<i64>, bool> =
        all.iter().enumerate().map(|(at, day)| (*day, at % 2 == 0)).collect();
    days.iter().map(|day| of_day[day]).collect()
}

/// How well a way to locate found hidden positions again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Found {
    /// The way.
    pub way: String,
    /// Share of all hidden photos within 1, 25 and 200 km.
    pub within: [f64; 3],
    /// Median error of all hidden photos in km, those without an answer being farther than any.
    pub median_km: Option<f64>,
    /// Share that was answered.
    pub coverage: f64,
    /// Of answers that were stated as certain: their share of the hidden photos, the mean
    /// probability that was stated, and how often the truth lay within the stated radius.
    pub certain: Option<[f64; 3]>,
}

/// Hides half of the known positions and looks for them: by the hidden Markov model, by
/// PhotoPrism's rule, by the nearest known photo in time, and what the best choice among known
/// places would reach. Figures are means over the seeds.
///
/// # Errors
/// There is nothing to go by.
pub fn hide_and_seek(
    library: &Library<'_>,
    known: &[Option<LatLng>],
    how: Hide,
    seeds: u64,
) -> Result<Vec<Found>, LibraryError> {
    let mut rows: Vec<Found> = Vec::new();
    for seed in 0..seeds {
        // Seeds apart from those by which trust is found.
        let shown = how.shown(library, known, 1000 + seed);
        let hidden: Vec<usize> =
            (0..known.len()).filter(|row| known[*row].is_some() && shown[*row].is_none()).collect();
        let trial = [
            hmm(library, known, &shown, &hidden)?,
            rule("PhotoPrism's rule", photoprism, library, known, &shown, &hidden),
            rule("nearest known photo in time", nearest_in_time, library, known, &shown, &hidden),
            bound(known, &shown, &hidden),
        ];
        if rows.is_empty() {
            rows =
                trial.iter().map(|it| Found { way: it.way.clone(), ..Found::default() }).collect();
        }
        let share = 1.0 / seeds as f64;
        rows.iter_mut().zip(&trial).for_each(|(row, trial)| row.add(trial, share));
    }
    Ok(rows)
}

impl Found {
    fn add(&mut self, trial: &Self, share: f64) {
        for (sum, value) in self.within.iter_mut().zip(trial.within) {
            *sum += share * value;
        }
        self.coverage += share * trial.coverage;
        let sum = self.median_km.unwrap_or(0.0);
        self.median_km = Some(sum + share * trial.median_km.unwrap_or(f64::INFINITY));
        if let Some(stated) = trial.certain {
            let sums = self.certain.get_or_insert([0.0; 3]);
            sums.iter_mut().zip(stated).for_each(|(sum, value)| *sum += share * value);
        }
    }

    /// From each hidden photo's error.
    fn of(way: &str, errors: &[Option<Distance>]) -> Self {
        let count = errors.len().max(1) as f64;
        let within = [Scale::Street, Scale::City, Scale::Region].map(|scale| {
            let near = |error: &&Option<Distance>| error.is_some_and(|it| it <= scale.radius());
            errors.iter().filter(near).count() as f64 / count
        });
        let mut sorted: Vec<f64> =
            errors.iter().map(|error| error.map_or(f64::INFINITY, Distance::km)).collect();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().filter(|km| km.is_finite());
        let coverage = errors.iter().flatten().count() as f64 / count;
        Self { way: way.to_owned(), within, median_km: median, coverage, certain: None }
    }
}

fn hmm(
    library: &Library<'_>,
    known: &[Option<LatLng>],
    shown: &[Option<LatLng>],
    hidden: &[usize],
) -> Result<Found, LibraryError> {
    let trust = library.trust(shown);
    let options = LocatorOptions { names: false, ..LocatorOptions::default() };
    let mut errors = vec![None; known.len()];
    let (mut certain, mut stated, mut right) = (0.0, 0.0, 0.0);
    library.locate(shown, &trust, &options, &Arc::new(Gazetteer::new()), |row, prediction| {
        let Some(truth) = known[row].filter(|_| shown[row].is_none()) else { return };
        errors[row] = prediction.best().map(|best| best.position.distance_to(truth));
        if let Some(it) = &prediction.certain {
            certain += 1.0;
            stated += f64::from(it.probability);
            let hit = it.position.distance_to(truth) <= it.level.radius();
            right += f64::from(u8::from(hit));
        }
    })?;
    let errors: Vec<Option<Distance>> = hidden.iter().map(|row| errors[*row]).collect();
    let mut found = Found::of("hidden Markov model", &errors);
    let all = hidden.len().max(1) as f64;
    found.certain = (certain > 0.0).then(|| [certain / all, stated / certain, right / certain]);
    Ok(found)
}

fn rule(
    name: &str,
    rule: fn(&[Timed]) -> Vec<Option<LatLng>>,
    library: &Library<'_>,
    known: &[Option<LatLng>],
    shown: &[Option<LatLng>],
    hidden: &[usize],
) -> Found {
    let mut answers = vec![None; known.len()];
    for sequence in library.sequences() {
        let rows = sequence.rows.iter().zip(&sequence.times);
        let photos: Vec<Timed> =
            rows.map(|(row, time)| Timed { time: *time, position: shown[*row] }).collect();
        sequence.rows.iter().zip(rule(&photos)).for_each(|(row, answer)| answers[*row] = answer);
    }
    let error = |row: &usize| Some(answers[*row]?.distance_to(known[*row]?));
    Found::of(name, &hidden.iter().map(error).collect::<Vec<_>>())
}

/// Whoever picks the best of all known photos.
fn bound(known: &[Option<LatLng>], shown: &[Option<LatLng>], hidden: &[usize]) -> Found {
    let points: Vec<LatLng> = shown.iter().copied().flatten().collect();
    let index = PointIndex::new(points.iter().copied());
    let error = |row: &usize| {
        let truth = known[*row]?;
        Some(points[index.nearest(truth)? as usize].distance_to(truth))
    };
    Found::of("bound: the best known photo", &hidden.iter().map(error).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use planet_data::PhotoRecord;

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
    fn about_half_is_hidden_by_runs_of_at_most_12_or_by_whole_days() {
        let (records, known) = library();
        let library = Library::new(&records, None);
        for how in Hide::ALL {
            let shown = how.shown(&library, &known, 3);
            let hidden = shown.iter().filter(|it| it.is_none()).count();
            assert!((90..=190).contains(&hidden), "{} hides {hidden}", how.name());
            assert_eq!(shown, how.shown(&library, &known, 3));
            if how == Hide::Days {
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
        let rows = hide_and_seek(&library, &known, Hide::Runs, 2).expect("positions are known");
        let [hmm, photoprism, nearest, bound] = &rows[..] else { panic!("four ways") };
        for way in [hmm, photoprism, nearest] {
            assert!(way.within[1] > 0.8, "{way:?}");
            assert!(
                (0..3).all(|at| way.within[at] <= bound.within[at] + 1e-9),
                "{way:?} {bound:?}"
            );
        }
        let [_, stated, right] = hmm.certain.expect("some are certain");
        assert!((stated - right).abs() < 0.15, "{hmm:?}");
    }
}
