use planet_geo::Distance;
use serde::Serialize;

use super::{
    Interval, Score, Scorer,
    bootstrap::{Groups, interval},
    truth_table::Row,
};

/// Kinds of errors: within each of the five scales but no finer one, and beyond all.
const LEVELS: usize = 6;

/// Two systems on the same photos.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The first one.
    pub a: Score,
    /// The second one.
    pub b: Score,
    /// Photos that both were asked for.
    pub photos: u64,
    /// At the five scales.
    pub scales: [Difference; 5],
    /// Photos that the first one put nearer.
    pub a_nearer: u64,
    /// Photos that the second one put nearer.
    pub b_nearer: u64,
}

/// How much more the first one located within a scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// Share of the first less share of the second.
    pub difference: f64,
    /// 95 % interval by drawing the same photos for both (paired bootstrap): where it holds zero
    /// the photos do not tell which is better. Absent where none was asked for.
    pub interval: Option<Interval>,
    /// What the interval says.
    pub verdict: Verdict,
    /// Photos that only the first one located.
    pub only_a: u64,
    /// Photos that only the second one located.
    pub only_b: u64,
}

/// Which of two systems locates more photos within a scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The first one: the whole interval of the difference lies above zero.
    A,
    /// The second one: the whole interval lies below zero.
    B,
    /// These photos do not tell.
    #[default]
    Undecided,
}

impl Verdict {
    fn of(interval: Option<Interval>) -> Self {
        match interval {
            Some(Interval { low, .. }) if low > 0.0 => Self::A,
            Some(Interval { high, .. }) if high < 0.0 => Self::B,
            _ => Self::Undecided,
        }
    }
}

impl Comparison {
    /// Compares two scorers that were fed with the predictions of two systems under one set of
    /// rules.
    pub fn of(a: Scorer<'_>, b: Scorer<'_>, resamples: usize, seed: u64) -> Self {
        let rules = a.rules();
        let ((a, of_a), (b, of_b)) = (a.finish_with_table(), b.finish_with_table());
        let mut others = of_b.rows().iter().peekable();
        let mut both: Vec<(&Row, &Row)> = of_a
            .rows()
            .iter()
            .filter_map(|row| {
                while others.next_if(|other| other.id() < row.id()).is_some() {}
                others.next_if(|other| other.id() == row.id()).map(|other| (row, other))
            })
            .collect();
        let level = |row: &Row| {
            let Some(km) = row.located() else { return LEVELS - 1 };
            let within = rules.scales(Distance::from_km(km));
            within.iter().position(|it| *it).unwrap_or(LEVELS - 1)
        };
        let kind = |(a, b): &(&Row, &Row)| (a.group(), (LEVELS * level(a) + level(b)) as u16);
        // The photos of one group one after the other.
        both.sort_unstable_by_key(|(row, _)| (row.group(), row.id()));
        let groups = Groups::new(LEVELS * LEVELS, both.iter().map(kind));
        let differences =
            groups.resample(resamples, seed, |kinds| [0, 1, 2, 3, 4].map(|at| Only::of(kinds, at)));
        let mut kinds = vec![0; LEVELS * LEVELS];
        both.iter().for_each(|pair| kinds[usize::from(kind(pair).1)] += 1);
        let scales = std::array::from_fn(|at| {
            let only = Only::of(&kinds, at);
            let drawn = differences.iter().map(|scales| scales[at].difference());
            let interval = interval(drawn);
            Difference {
                difference: only.difference(),
                verdict: Verdict::of(interval),
                interval,
                only_a: only.a,
                only_b: only.b,
            }
        });
        let error = |row: &Row| row.located().unwrap_or(f64::INFINITY);
        let nearer = |near: &dyn Fn(f64, f64) -> bool| {
            both.iter().filter(|(a, b)| near(error(a), error(b))).count() as u64
        };
        let (a_nearer, b_nearer) = (nearer(&|a, b| a < b), nearer(&|a, b| b < a));
        Self { a, b, photos: both.len() as u64, scales, a_nearer, b_nearer }
    }
}

/// Photos within a scale for one system only.
#[derive(Clone, Copy)]
struct Only {
    a: u64,
    b: u64,
    photos: u64,
}

impl Only {
    fn of(kinds: &[u64], scale: usize) -> Self {
        let mut only = Self { a: 0, b: 0, photos: 0 };
        for (kind, count) in kinds.iter().enumerate() {
            let (a, b) = (kind / LEVELS <= scale, kind % LEVELS <= scale);
            only.photos += count;
            only.a += if a && !b { *count } else { 0 };
            only.b += if b && !a { *count } else { 0 };
        }
        only
    }

    fn difference(self) -> f64 {
        (self.a as f64 - self.b as f64) / self.photos.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::LatLng;

    use super::*;
    use crate::{
        Candidate, Prediction,
        evaluation::{ScorerOptions, TruthTable},
    };

    fn scorer(answers: &[(&str, f64)]) -> Scorer<'static> {
        let mut scorer = Scorer::new(TruthTable::growing(), ScorerOptions::default());
        for (photo, lat) in answers {
            let position = LatLng::new(*lat, 0.0).expect("in range");
            scorer.add(&Prediction {
                photo: (*photo).to_owned(),
                truth: LatLng::new(0.0, 0.0).ok(),
                candidates: vec![Candidate::at(position)],
                ..Prediction::default()
            });
        }
        scorer
    }

    #[test]
    fn photos_are_paired_by_id_and_counted_where_one_system_alone_is_right() {
        // 0.1° is 11 km, 1° is 111 km.
        let a = scorer(&[("x", 0.1), ("y", 1.0), ("z", 0.1), ("only a's", 0.0)]);
        let b = scorer(&[("z", 0.1), ("y", 0.1), ("x", 30.0), ("only b's", 0.0)]);
        let comparison = Comparison::of(a, b, 200, 0);
        assert_eq!(comparison.photos, 3);
        assert_eq!((comparison.a_nearer, comparison.b_nearer), (1, 1));
        let city = comparison.scales[1];
        assert_eq!((city.only_a, city.only_b, city.difference), (1, 1, 0.0));
        let region = comparison.scales[2];
        assert_eq!((region.only_a, region.only_b), (1, 0));
        assert!((region.difference - 1.0 / 3.0).abs() < 1e-12);
        let interval = region.interval.expect("200 sets were drawn");
        assert!(interval.low >= 0.0 && interval.high <= 1.0);
    }

    #[test]
    fn the_better_system_is_named_where_its_interval_leaves_zero_out_and_nowhere_else() {
        let photos: Vec<String> = (0..200).map(|photo| photo.to_string()).collect();
        // 11 km off against 111 km off, and one photo in which it is the other way round.
        let answers = |near: f64, far: f64| -> Vec<(&str, f64)> {
            let off = |at: usize| if at == 0 { far } else { near };
            photos.iter().enumerate().map(|(at, photo)| (photo.as_str(), off(at))).collect()
        };
        let compare = |resamples| {
            Comparison::of(scorer(&answers(0.1, 1.0)), scorer(&answers(1.0, 0.1)), resamples, 0)
        };
        let verdicts = compare(500).scales.map(|scale| scale.verdict);
        use Verdict::{A, Undecided};
        assert_eq!(verdicts, [Undecided, A, Undecided, Undecided, Undecided]);
        let back = Comparison::of(scorer(&answers(1.0, 0.1)), scorer(&answers(0.1, 1.0)), 500, 0);
        assert_eq!(back.scales[1].verdict, Verdict::B);
        // Without an interval nothing is decided.
        assert_eq!(compare(0).scales[1].interval, None);
        assert_eq!(compare(0).scales[1].verdict, Undecided);
    }
}
