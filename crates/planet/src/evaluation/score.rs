use std::{cmp::Reverse, collections::HashMap};

use planet_data::Gazetteer;
use planet_geo::LatLng;
use serde::Serialize;

use super::{
    Grouping, Interval, Rules, TruthTable,
    bins::Bins,
    bootstrap::{self, geoscore},
    levels::{self, LevelScore},
    truth_table::Row,
};
use crate::calibration::expected_calibration_error;

/// Shares of photos for which the risk–coverage curve has a point.
const COVERAGES: usize = 100;

/// What became of the photos and of the lines about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Photos with a known position: the denominator of every share.
    pub photos: u64,
    /// Those with an answer.
    pub located: u64,
    /// Those of which the predictions say that there is no answer.
    pub failed: u64,
    /// Those that the predictions do not mention.
    pub missing: u64,
    /// Predictions for photos that came before; the first one counts.
    pub doubled: u64,
    /// Predictions for photos that the truth does not know.
    pub unknown: u64,
    /// Photos whose position the truth does not state; they are not scored.
    pub without_position: u64,
    /// Rows of the truth whose photo came before; the first one counts.
    pub truth_doubled: u64,
}

/// How good predictions are. Every share has all photos with a known position in its
/// denominator.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// How distances were measured and compared.
    pub rules: Rules,
    /// What became of the photos.
    pub counts: Counts,
    /// What the confidence intervals were drawn by.
    pub grouping: Grouping,
    /// Greatest number of answers that one photo has, at most 5: with one answer each, the best
    /// of more is no figure of its own.
    pub answers: usize,
    /// Share within the five scales by the best of the first 1 to 5 guesses, `[k − 1][scale]`.
    pub within: Vec<[f64; 5]>,
    /// 95 % intervals of the first guess; like every interval absent where none was asked for.
    pub within_interval: Option<[Interval; 5]>,
    /// The first guess's share within the scales if classes' points were their centres, as in
    /// the paper.
    pub within_by_centre: Option<[f64; 5]>,
    /// First quartile, median and third quartile of the error in km, photos without an answer
    /// being farther than any; absent where they fall among these.
    pub quartiles_km: [Option<f64>; 3],
    /// Their 95 % intervals.
    pub quartiles_interval: Option<[Interval; 3]>,
    /// Mean error of the located photos in km.
    pub mean_km: Option<f64>,
    /// Its 95 % interval.
    pub mean_interval: Option<Interval>,
    /// Mean of 5000 · exp(−d / 1492.7 km); no answer brings nothing.
    pub geoscore: f64,
    /// Its 95 % interval.
    pub geoscore_interval: Option<Interval>,
    /// Share whose right class comes first, and among the first five.
    pub cells: Option<[f64; 2]>,
    /// 95 % interval of the first.
    pub cell_interval: Option<Interval>,
    /// Whether country and continent are right.
    pub regions: Option<RegionScore>,
    /// How far confidence in the class is from the share of right ones, 0..=1.
    pub calibration_error: Option<f64>,
    /// The levels that were stated as certain, from the finest: how often, how sure, how often
    /// correct. Empty where the predictions state none.
    pub levels: Vec<LevelScore>,
    /// What abstaining brings.
    pub risk_coverage: Vec<RiskCoverage>,
    /// Photos by kind, the most frequent first.
    pub categories: Vec<CategoryScore>,
    /// Distances in km at which the curves have points.
    pub curve_km: Vec<f64>,
    /// Share of photos within each distance by the best of the first 1 to 5 guesses.
    pub curves: Vec<Vec<f64>>,
    /// 95 % intervals of the first.
    pub curve_interval: Vec<Interval>,
}

/// The error rate of the most confident answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RiskCoverage {
    /// Share of all photos that are answered.
    pub coverage: f64,
    /// Confidence of the least sure of them.
    pub confidence: f64,
    /// Share of the answers that lie outside each of the five scales.
    pub risk: [f64; 5],
}

/// Photos of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CategoryScore {
    /// As the truth names it.
    pub name: String,
    /// How many there are.
    pub photos: u64,
    /// Their median error in km; absent where half of them have no answer.
    pub median_km: Option<f64>,
    /// Share within the five scales.
    pub within: [f64; 5],
}

/// Whether answers lie in the right country.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RegionScore {
    /// Answers whose truth lies in a country.
    pub photos: u64,
    /// Share of them in the right country.
    pub country: f64,
    /// Share of them on the right continent.
    pub continent: f64,
    /// Pairs of true and answered country by code, `--` at sea, with their number, the most
    /// frequent first.
    pub confusion: Vec<(String, String, u64)>,
}

/// Counts of right countries.
#[derive(Clone, Debug, Default)]
pub(super) struct Regions {
    photos: u64,
    country: u64,
    continent: u64,
    confusion: Confusion,
}

impl Regions {
    pub(super) fn add(&mut self, gazetteer: &Gazetteer, answer: LatLng, truth: LatLng) {
        let Some(truth) = gazetteer.country(truth) else { return };
        self.photos += 1;
        let answer = gazetteer.country(answer);
        let code = answer.map_or("--", |answer| answer.code);
        self.country += u64::from(code == truth.code);
        let continent = answer.is_some_and(|answer| answer.continent == truth.continent);
        self.continent += u64::from(continent);
        *self.confusion.entry((truth.code, code)).or_default() += 1;
    }

    pub(super) fn finish(&self) -> RegionScore {
        let share = |count: u64| count as f64 / self.photos.max(1) as f64;
        let named =
            |(pair, count): (&(&str, &str), &u64)| (pair.0.to_owned(), pair.1.to_owned(), *count);
        let mut confusion: Vec<(String, String, u64)> = self.confusion.iter().map(named).collect();
        confusion.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
        RegionScore {
            photos: self.photos,
            country: share(self.country),
            continent: share(self.continent),
            confusion,
        }
    }
}

/// How often each country was taken for each other.
pub(super) type Confusion = HashMap<(&'static str, &'static str), u64>;

/// What was counted while predictions came.
pub(super) struct Tally {
    pub rules: Rules,
    pub counts: Counts,
    pub answers: usize,
    pub within: Vec<[f64; 5]>,
    pub curves: Vec<Vec<f64>>,
    pub centres: Option<[f64; 5]>,
    pub cells: Option<[f64; 2]>,
    /// By level: how often it was stated and correct, and the sum of what was stated.
    pub stated: [(u64, u64, f64); 5],
    pub regions: Option<RegionScore>,
    pub resamples: usize,
    pub seed: u64,
}

impl Score {
    /// Adds what follows from the photos' errors. The table is sorted in place, time and again:
    /// a copy of ten million errors would be as large as a quarter of it.
    pub(super) fn of(table: &mut TruthTable, bins: &Bins, tally: Tally) -> Self {
        let intervals = bootstrap::intervals(table, bins, tally.resamples, tally.seed);
        let levels = levels::scores(table, &tally.stated, tally.resamples, tally.seed);
        let calibration = tally.cells.and_then(|_| calibration(table));
        let risk_coverage = risk_coverage(table, tally.rules);
        // Errors are not negative: their bits grow as they do, then come infinity and NaN.
        table.sort_by_key(|row| (row.error.to_bits(), row.id()));
        let photos = table.len();
        let located = table.rows().partition_point(|row| row.located().is_some());
        let errors = || table.rows()[..located].iter().filter_map(Row::located);
        let error = |at: usize| table.rows()[..located].get(at).and_then(Row::located);
        let mean = errors().sum::<f64>() / located.max(1) as f64;
        let sum: f64 = errors().map(geoscore).sum();
        Self {
            rules: tally.rules,
            counts: tally.counts,
            grouping: table.grouping(),
            answers: tally.answers,
            within: tally.within,
            within_interval: intervals.within,
            within_by_centre: tally.centres,
            quartiles_km: [0.25, 0.5, 0.75].map(|share| quantile(error, photos, share)),
            quartiles_interval: intervals.quartiles,
            mean_km: (located > 0).then_some(mean),
            mean_interval: intervals.mean,
            geoscore: sum / photos.max(1) as f64,
            geoscore_interval: intervals.geoscore,
            cells: tally.cells,
            cell_interval: tally.cells.and(intervals.cell),
            regions: tally.regions,
            calibration_error: calibration,
            levels,
            risk_coverage,
            categories: categories(table, tally.rules),
            curve_km: bins.edges().to_vec(),
            curves: tally.curves,
            curve_interval: intervals.curve,
        }
    }
}

/// The value below which a share of `photos` lies, between two photos the middle of both, from
/// the values in growing order; the photos beyond these are farther than any. `None` where it
/// falls among them.
fn quantile(value: impl Fn(usize) -> Option<f64>, photos: usize, share: f64) -> Option<f64> {
    let at = share * photos.checked_sub(1)? as f64;
    let (lower, upper) = (value(at.floor() as usize)?, value(at.ceil() as usize)?);
    Some(lower + (upper - lower) * at.fract())
}

/// Mean gap between confidence and being right.
fn calibration(table: &TruthTable) -> Option<f64> {
    let sure = table.rows().iter().filter(|row| !row.confidence.is_nan());
    let answer = |row: &Row| (f64::from(row.confidence), row.right);
    expected_calibration_error(sure.map(answer))
}

/// Risk of the most confident answers, at a hundred shares of all photos; empty where
/// predictions state no probability.
fn risk_coverage(table: &mut TruthTable, rules: Rules) -> Vec<RiskCoverage> {
    let stated = |row: &Row| row.located().is_some() && !row.confidence.is_nan();
    // The most confident first; probabilities are not negative.
    table.sort_by_key(|row| {
        let confidence = stated(row).then(|| row.confidence.to_bits());
        (Reverse(confidence), row.id())
    });
    let sure = &table.rows()[..table.rows().partition_point(stated)];
    let photos = table.len().max(1);
    let (mut outside, mut at) = ([0u64; 5], 0);
    let mut curve = Vec::new();
    for step in 1..=COVERAGES {
        let answered = photos * step / COVERAGES;
        if answered == 0 || answered > sure.len() {
            continue;
        }
        for row in &sure[at..answered] {
            let within = scales(row, rules);
            outside.iter_mut().zip(within).for_each(|(count, it)| *count += u64::from(!it));
        }
        at = answered;
        curve.push(RiskCoverage {
            coverage: answered as f64 / photos as f64,
            confidence: f64::from(sure[answered - 1].confidence),
            risk: outside.map(|count| count as f64 / answered as f64),
        });
    }
    curve
}

fn scales(row: &Row, rules: Rules) -> [bool; 5] {
    row.located().map_or([false; 5], |km| rules.scales(planet_geo::Distance::from_km(km)))
}

/// From a table in the order of errors.
fn categories(table: &TruthTable, rules: Rules) -> Vec<CategoryScore> {
    let mut photos = vec![0; table.categories().len()];
    table.rows().iter().filter_map(Row::category).for_each(|it| photos[usize::from(it)] += 1);
    /// How many photos of a kind came so far, their errors in the middle, and those within.
    #[derive(Clone, Default)]
    struct Kind {
        so_far: usize,
        middle: [Option<f64>; 2],
        within: [u64; 5],
    }
    let mut kinds = vec![Kind::default(); photos.len()];
    for row in table.rows() {
        let Some(category) = row.category().map(usize::from) else { continue };
        let kind = &mut kinds[category];
        for (middle, at) in kind.middle.iter_mut().zip(middle(photos[category])) {
            if at == kind.so_far {
                *middle = row.located();
            }
        }
        kind.so_far += 1;
        let within = scales(row, rules);
        kind.within.iter_mut().zip(within).for_each(|(count, it)| *count += u64::from(it));
    }
    let named = table.categories().iter().zip(kinds).filter(|(_, kind)| kind.so_far > 0);
    let mut scores: Vec<CategoryScore> = named
        .map(|(name, kind)| {
            let [lower, upper] = kind.middle;
            CategoryScore {
                name: name.clone(),
                photos: kind.so_far as u64,
                median_km: lower.zip(upper).map(|(lower, upper)| f64::midpoint(lower, upper)),
                within: kind.within.map(|count| count as f64 / kind.so_far as f64),
            }
        })
        .collect();
    scores.sort_by(|a, b| b.photos.cmp(&a.photos).then_with(|| a.name.cmp(&b.name)));
    scores
}

/// Which of some photos in a row are in the middle: one or two.
fn middle(photos: usize) -> [usize; 2] {
    [photos.saturating_sub(1) / 2, photos / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_count_photos_without_an_answer_as_farther_than_any() {
        let errors = [1.0, 2.0, 3.0, 4.0];
        let quantile =
            |errors: &[f64], photos, share| quantile(|at| errors.get(at).copied(), photos, share);
        assert_eq!(quantile(&errors, 4, 0.5), Some(2.5));
        assert_eq!(quantile(&errors, 5, 0.5), Some(3.0));
        assert_eq!(quantile(&errors, 8, 0.5), None);
        assert_eq!(quantile(&errors, 9, 0.25), Some(3.0));
        assert_eq!(quantile(&[], 0, 0.5), None);
    }
}
