use planet_geo::{Distance, Scale};

use super::Rules;

/// Bins a decade of distance.
const A_DECADE: i32 = 64;

/// From 10 m to half the earth's circumference, in powers of ten of km.
const LEAST: i32 = -2;
const GREATEST_KM: f64 = 20_038.0;

/// Bins of error, equal in ratio, with the five scales' radii among their edges: shares within a
/// scale are exact, and a bootstrap need not look at photos.
#[derive(Clone, Debug)]
pub(super) struct Bins {
    rules: Rules,
    /// Upper edges in km, growing.
    edges: Vec<f64>,
    /// Bins up to this one lie within a scale.
    scales: [usize; 5],
}

impl Bins {
    pub(super) fn new(rules: Rules) -> Self {
        let mut edges: Vec<f64> = (0..)
            .map(|step| 10f64.powf(f64::from(LEAST) + f64::from(step) / f64::from(A_DECADE)))
            .take_while(|edge| *edge < GREATEST_KM)
            .filter(|edge| Scale::ALL.iter().all(|it| (edge / it.radius().km() - 1.0).abs() > 1e-9))
            .chain(Scale::ALL.iter().map(|scale| scale.radius().km()))
            .chain([GREATEST_KM])
            .collect();
        edges.sort_by(f64::total_cmp);
        let scales = Scale::ALL.map(|scale| {
            let radius = scale.radius().km();
            edges.iter().position(|edge| *edge == radius).expect("the scales are edges")
        });
        Self { rules, edges, scales }
    }

    /// Upper edges in km.
    pub(super) fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// Number of bins: one an edge, and the last one for photos without an answer.
    pub(super) fn len(&self) -> usize {
        self.edges.len() + 1
    }

    /// The bin of an error; `None` is a photo without an answer.
    pub(super) fn of(&self, error: Option<Distance>) -> usize {
        let Some(error) = error else { return self.edges.len() };
        let below = |edge: &f64| !self.rules.within(error, Distance::from_km(*edge));
        self.edges.partition_point(below).min(self.edges.len() - 1)
    }

    /// A bin's middle in km; `None` for photos without an answer.
    pub(super) fn middle(&self, bin: usize) -> Option<f64> {
        let upper = *self.edges.get(bin)?;
        let lower = if bin == 0 { 0.0 } else { self.edges[bin - 1] };
        Some(f64::midpoint(lower, upper))
    }

    /// Counts within the five scales.
    pub(super) fn within(&self, counts: &[u64]) -> [u64; 5] {
        self.scales.map(|last| counts[..=last].iter().sum())
    }

    /// The error below which a share of all photos lies, within its bin by proportion, in km;
    /// `None` where photos without an answer begin before.
    pub(super) fn quantile(&self, counts: &[u64], share: f64) -> Option<f64> {
        let wanted = counts.iter().sum::<u64>() as f64 * share;
        let mut below = 0.0;
        for (bin, &count) in counts.iter().enumerate() {
            let next = below + count as f64;
            if next >= wanted && count > 0 {
                let upper = *self.edges.get(bin)?;
                let lower = if bin == 0 { 0.0 } else { self.edges[bin - 1] };
                return Some(lower + (upper - lower) * (wanted - below) / count as f64);
            }
            below = next;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::Bound;

    #[test]
    fn the_scales_are_edges_so_that_shares_within_them_are_exact() {
        let below = Rules { bound: Bound::Below, ..Rules::default() };
        for (rules, wanted) in [(Rules::default(), [1, 1, 2, 3, 3]), (below, [0, 1, 1, 3, 3])] {
            let bins = Bins::new(rules);
            let mut counts = vec![0; bins.len()];
            for error in [Some(1.0), Some(200.0), Some(749.999), Some(2500.1), None] {
                counts[bins.of(error.map(Distance::from_km))] += 1;
            }
            assert_eq!(bins.within(&counts), wanted, "{rules}");
            assert_eq!(counts[bins.len() - 1], 1);
        }
    }

    #[test]
    fn quantiles_fall_within_a_bin_of_the_true_ones() {
        let bins = Bins::new(Rules::default());
        let mut counts = vec![0; bins.len()];
        for km in 1..=1000 {
            counts[bins.of(Some(Distance::from_km(f64::from(km))))] += 1;
        }
        let median = bins.quantile(&counts, 0.5).expect("all are located");
        assert!((median / 500.0 - 1.0).abs() < 0.04, "{median}");
        counts[bins.len() - 1] += 2000;
        assert_eq!(bins.quantile(&counts, 0.5), None);
    }
}
