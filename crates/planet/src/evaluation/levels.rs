use planet_geo::Scale;
use serde::Serialize;

use super::{
    Interval,
    bootstrap::{Groups, by_group, interval},
    truth_table::{Row, Stated, TruthTable},
};

const LEVELS: usize = Scale::ALL.len();

/// One level at which answers were stated: whether the stated probabilities are correct.
///
/// With calibrated probabilities the mean of what was stated is the share of correct ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelScore {
    /// `street`, `city`, `region`, `country`, `continent`.
    pub level: &'static str,
    /// The level's radius in km.
    pub radius_km: f64,
    /// How often it was stated.
    pub stated: u64,
    /// Mean stated probability that the photo was taken within the radius of the stated position.
    pub mean_probability: f64,
    /// Share of these photos that were taken within it.
    pub correct: f64,
    /// 95 % interval of the share of correct ones.
    pub correct_interval: Option<Interval>,
    /// The mean stated probability less the share of correct ones: above 0 where too much is
    /// stated.
    pub gap: f64,
    /// Its 95 % interval; where it holds 0 the photos do not tell that anything is wrong.
    pub gap_interval: Option<Interval>,
}

/// Scores of the levels that were stated, from the finest; `counts` are, by level, how often it was
/// stated and correct, and the sum of the stated probabilities.
pub(super) fn scores(
    table: &mut TruthTable,
    counts: &[(u64, u64, f64); LEVELS],
    resamples: usize,
    seed: u64,
) -> Vec<LevelScore> {
    if counts.iter().all(|(stated, ..)| *stated == 0) {
        return Vec::new();
    }
    let drawn = match resamples {
        0 => Vec::new(),
        _ => {
            by_group(table);
            let kind = |row: &Row| (row.group(), row.stated.kind());
            let groups = Groups::new(Stated::KINDS, table.rows().iter().map(kind));
            groups.resample(resamples, seed, shares)
        }
    };
    let binned = shares(&kinds(table));
    let mut scores = Vec::new();
    for (at, (scale, &(stated, correct, sum))) in Scale::ALL.iter().zip(counts).enumerate() {
        if stated == 0 {
            continue;
        }
        let (mean, correct) = (sum / stated as f64, correct as f64 / stated as f64);
        // Test sets in which the level is not stated say nothing of it.
        let of_sets = || drawn.iter().filter_map(|levels| levels[at]);
        // Probabilities are binned for the bootstrap: what that moves is taken off again.
        let shift = binned[at].map_or(0.0, |[stated, _]| mean - stated);
        scores.push(LevelScore {
            level: scale.name(),
            radius_km: scale.radius().km(),
            stated,
            mean_probability: mean,
            correct,
            correct_interval: interval(of_sets().map(|[_, correct]| correct)),
            gap: mean - correct,
            gap_interval: interval(of_sets().map(|[stated, correct]| stated + shift - correct)),
        });
    }
    scores
}

fn kinds(table: &TruthTable) -> Vec<u64> {
    let mut kinds = vec![0; Stated::KINDS];
    table.rows().iter().for_each(|row| kinds[usize::from(row.stated.kind())] += 1);
    kinds
}

/// Mean stated probability and share of correct ones by level, from counts by kind; `None` for
/// levels that were not stated.
fn shares(kinds: &[u64]) -> [Option<[f64; 2]>; LEVELS] {
    let mut sums = [[0.0; 3]; LEVELS];
    for (kind, count) in kinds.iter().enumerate() {
        let Some((level, correct, probability)) = Stated::of_kind(kind) else { continue };
        let count = *count as f64;
        let here = [count, count * probability, if correct { count } else { 0.0 }];
        sums[level].iter_mut().zip(here).for_each(|(sum, it)| *sum += it);
    }
    sums.map(|[count, stated, correct]| (count > 0.0).then(|| [stated / count, correct / count]))
}
