use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Binomial, Distribution};
use rayon::prelude::*;
use serde::Serialize;

use super::{
    bins::Bins,
    truth_table::{Grouping, Row, TruthTable},
};

/// Standard normal quantile of a two-sided interval of 95 %.
pub(super) const Z: f64 = 1.959_963_985;
/// The scale of GeoScore's decay in km: 5000 · exp(−d / 1492.7).
const GEOSCORE_KM: f64 = 1492.7;
/// The most that a photo can bring.
const GEOSCORE_MOST: f64 = 5000.0;

/// Test sets that are imagined: as many as can be within this number of photos drawn.
const MOST_DRAWN: usize = 4_000_000_000;
const FEWEST: usize = 200;

/// Ends of a 95 % confidence interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end; infinite where too many photos have no answer.
    #[serde(serialize_with = "finite")]
    pub high: f64,
}

/// JSON knows no infinity: null.
fn finite<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    value.is_finite().then_some(*value).serialize(serializer)
}

/// What a test set says, each with its interval; all of them are `None`, and the curve's empty,
/// where no test sets were drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Intervals {
    pub within: Option<[Interval; 5]>,
    /// First quartile, median, third quartile, in km.
    pub quartiles: Option<[Interval; 3]>,
    pub mean: Option<Interval>,
    pub geoscore: Option<Interval>,
    pub cell: Option<Interval>,
    /// At every edge of the bins.
    pub curve: Vec<Interval>,
}

/// The points that a photo brings whose answer is this far off: 5000 · exp(−d / 1492.7 km), as in
/// GeoGuessr.
pub fn geoscore(km: f64) -> f64 {
    GEOSCORE_MOST * (-km / GEOSCORE_KM).exp()
}

/// Draws test sets of the same size anew from this one, whole groups at a time, and takes the
/// middle 95 % of each figure (percentile bootstrap, Efron 1979). Works on counts of binned
/// errors: where photos stand alone, a set takes no longer for ten million than for ten.
pub(super) fn intervals(
    table: &mut TruthTable,
    bins: &Bins,
    resamples: usize,
    seed: u64,
) -> Intervals {
    if resamples == 0 {
        return Intervals::default();
    }
    by_group(table);
    let kind = |row: &Row| {
        let error = row.located().map(planet_geo::Distance::from_km);
        (row.group(), (2 * bins.of(error) + usize::from(row.right)) as u16)
    };
    let groups = Groups::new(2 * bins.len(), table.rows().iter().map(kind));
    let drawn = groups.resample(resamples, seed, |counts| Figures::of(counts, bins));
    let interval = |figure: &dyn Fn(&Figures) -> f64| interval(drawn.iter().map(figure));
    let three = |figure: &dyn Fn(&Figures, usize) -> f64| {
        let [a, b, c] = [0, 1, 2].map(|at| interval(&|it| figure(it, at)));
        Some([a?, b?, c?])
    };
    let five = |figure: &dyn Fn(&Figures, usize) -> f64| {
        let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|at| interval(&|it| figure(it, at)));
        Some([a?, b?, c?, d?, e?])
    };
    let edges = 0..bins.edges().len();
    Intervals {
        within: five(&|it, scale| it.within[scale]),
        quartiles: three(&|it, at| it.quartiles[at]),
        mean: interval(&|it| it.mean),
        geoscore: interval(&|it| it.geoscore),
        cell: interval(&|it| it.cell),
        curve: edges.filter_map(|edge| interval(&|it| it.curve[edge])).collect(),
    }
}

/// Photos of one group one after the other.
pub(super) fn by_group(table: &mut TruthTable) {
    if table.grouping() != Grouping::Photo {
        table.sort_by_key(|row| (row.group(), row.id()));
    }
}

/// The middle 95 % of some values; `None` where there is none.
pub(super) fn interval(values: impl Iterator<Item = f64>) -> Option<Interval> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let last = values.len().checked_sub(1)?;
        values.get((share * last as f64).round() as usize).copied()
    };
    Some(Interval { low: at(0.025)?, high: at(0.975)? })
}

/// Photos by the kind that counts of them, those of one group together.
pub(super) struct Groups {
    kinds: usize,
    /// Counts by kind of the photos that stand alone.
    alone: Vec<u64>,
    /// Kinds of the others, group after group.
    photos: Vec<u16>,
    /// Where each group begins in `photos`, and the end.
    starts: Vec<usize>,
}

impl Groups {
    /// From each photo's group, `None` for one alone, and its kind, below `kinds`; photos of one
    /// group come one after the other.
    pub(super) fn new(kinds: usize, photos: impl Iterator<Item = (Option<u32>, u16)>) -> Self {
        let mut alone = vec![0; kinds];
        let (mut grouped, mut starts, mut last) = (Vec::new(), Vec::new(), None);
        for (group, kind) in photos {
            if group.is_none() {
                alone[usize::from(kind)] += 1;
                continue;
            }
            if group != last {
                starts.push(grouped.len());
                last = group;
            }
            grouped.push(kind);
        }
        starts.push(grouped.len());
        Self { kinds, alone, photos: grouped, starts }
    }

    /// Figures of test sets that are drawn anew, from their counts by kind.
    pub(super) fn resample<T: Send>(
        &self,
        resamples: usize,
        seed: u64,
        figures: impl Fn(&[u64]) -> T + Sync,
    ) -> Vec<T> {
        let fit = MOST_DRAWN / self.photos.len().max(1);
        (0..resamples.min(fit.max(FEWEST)) as u64)
            .into_par_iter()
            .map(|resample| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                rng.set_stream(resample);
                figures(&self.draw(&mut rng))
            })
            .collect()
    }

    /// Counts by kind of a test set with as many groups, drawn with replacement.
    fn draw(&self, rng: &mut ChaCha8Rng) -> Vec<u64> {
        let mut counts = vec![0; self.kinds];
        let alone: u64 = self.alone.iter().sum();
        let groups = (self.starts.len() - 1) as u64;
        // How many of the draws fall on photos alone; each of these is a group of one.
        let share = alone as f64 / (alone + groups).max(1) as f64;
        let of_alone = binomial(alone + groups, share, rng);
        let (mut left, mut weight) = (of_alone, alone);
        for (count, &here) in counts.iter_mut().zip(&self.alone) {
            if left == 0 || here == 0 {
                continue;
            }
            let drawn = binomial(left, here as f64 / weight as f64, rng);
            *count += drawn;
            left -= drawn;
            weight -= here;
        }
        for _ in of_alone..alone + groups {
            let group = rng.random_range(0..groups as usize);
            for &kind in &self.photos[self.starts[group]..self.starts[group + 1]] {
                counts[usize::from(kind)] += 1;
            }
        }
        counts
    }
}

fn binomial(draws: u64, share: f64, rng: &mut ChaCha8Rng) -> u64 {
    let binomial = Binomial::new(draws, share.clamp(0.0, 1.0));
    binomial.expect("a share lies within 0..=1").sample(rng)
}

/// The figures of one test set.
struct Figures {
    within: [f64; 5],
    quartiles: [f64; 3],
    mean: f64,
    geoscore: f64,
    cell: f64,
    curve: Vec<f64>,
}

impl Figures {
    fn of(kinds: &[u64], bins: &Bins) -> Self {
        let counts: Vec<u64> = kinds.chunks_exact(2).map(|pair| pair[0] + pair[1]).collect();
        let right: u64 = kinds.iter().skip(1).step_by(2).sum();
        let photos = counts.iter().sum::<u64>().max(1) as f64;
        let (mut sum, mut located, mut score, mut so_far) = (0.0, 0.0, 0.0, 0.0);
        let mut curve = Vec::with_capacity(counts.len());
        for (bin, &count) in counts.iter().enumerate() {
            let Some(middle) = bins.middle(bin) else { break };
            let count = count as f64;
            sum += count * middle;
            located += count;
            score += count * geoscore(middle);
            so_far += count;
            curve.push(so_far / photos);
        }
        Self {
            within: bins.within(&counts).map(|count| count as f64 / photos),
            quartiles: [0.25, 0.5, 0.75]
                .map(|share| bins.quantile(&counts, share).unwrap_or(f64::INFINITY)),
            mean: sum / f64::max(located, 1.0),
            geoscore: score / photos,
            cell: right as f64 / photos,
            curve,
        }
    }
}

#[cfg(test)]
mod tests {
    use planet_geo::LatLng;

    use super::*;
    use crate::evaluation::Rules;

    fn origin() -> LatLng {
        LatLng::new(0.0, 0.0).expect("in range")
    }

    #[test]
    fn the_interval_holds_the_true_share_as_often_as_it_says() {
        let bins = Bins::new(Rules::default());
        let (mut rng, share) = (ChaCha8Rng::seed_from_u64(1), 0.3);
        let sets = 400;
        let covered = (0..sets).filter(|set| {
            let mut table = TruthTable::growing();
            for photo in 0..150 {
                let row = table.grow(&photo.to_string(), origin()).expect("new");
                let near = rng.random_bool(share);
                table.row_mut(row).error = if near { 10.0 } else { 5000.0 };
            }
            let city = intervals(&mut table, &bins, 300, *set).within.expect("sets were drawn")[1];
            (city.low..=city.high).contains(&share)
        });
        // 95 % of 400 is 380, with a standard deviation of 4.4.
        let covered = covered.count();
        assert!((364..=394).contains(&covered), "{covered} of {sets}");
    }

    #[test]
    fn alike_photos_of_one_album_count_as_little_more_than_one() {
        let bins = Bins::new(Rules::default());
        let set = |albums: bool| {
            let mut text = "photo,lat,lng,album\n".to_owned();
            for photo in 0..400 {
                let album = if albums { (photo / 20).to_string() } else { String::new() };
                text.push_str(&format!("{photo},0,0,{album}\n"));
            }
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("truth.csv");
            std::fs::write(&path, text).expect("written");
            let source = planet_data::table::TableSource { path, split: None };
            let mut table = TruthTable::read(&source, "category").expect("a table");
            for photo in 0..400 {
                let row = table.find(&photo.to_string()).expect("there");
                table.row_mut(row).error = if photo / 20 % 2 == 0 { 10.0 } else { 5000.0 };
            }
            let city = intervals(&mut table, &bins, 1000, 0).within.expect("sets were drawn")[1];
            city.high - city.low
        };
        let ratio = set(true) / set(false);
        assert!((3.2..6.0).contains(&ratio), "20 photos an album: about √20, {ratio}");
    }

    #[test]
    fn a_perfect_guess_brings_5000_points() {
        assert_eq!(geoscore(0.0), 5000.0);
        assert!((geoscore(1492.7) - 5000.0 / std::f64::consts::E).abs() < 1e-9);
    }
}
