use super::{Range, RangeMethod};

/// Bins on each side of zero.
const HALF: usize = 2048;

/// Values that an array takes over many photos, counted in bins of equal width round zero. The
/// bins double in width when a value lies beyond them, so memory does not grow.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// `[2 × HALF]`, from −`limit` to `limit`.
    bins: Vec<u64>,
    limit: f32,
    lowest: f32,
    highest: f32,
    count: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let (lowest, highest) = (f32::INFINITY, f32::NEG_INFINITY);
        Self { bins: vec![0; 2 * HALF], limit: 0.0, lowest, highest, count: 0 }
    }
}

impl Histogram {
    /// Counts values; `false`, and nothing is counted, where one of them is not a finite number.
    #[must_use]
    pub fn add(&mut self, values: &[f32]) -> bool {
        let (mut lowest, mut highest, mut finite) = (self.lowest, self.highest, true);
        for &value in values {
            lowest = lowest.min(value);
            highest = highest.max(value);
            finite &= value.is_finite();
        }
        if !finite {
            return false;
        }
        (self.lowest, self.highest) = (lowest, highest);
        self.count += values.len() as u64;
        self.widen(lowest.abs().max(highest.abs()));
        if self.limit == 0.0 {
            self.bins[HALF] += values.len() as u64;
            return true;
        }
        let scale = HALF as f32 / self.limit;
        for &value in values {
            let bin = (value * scale + HALF as f32) as usize;
            self.bins[bin.min(2 * HALF - 1)] += 1;
        }
        true
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Doubles the bins' width until they reach as far as this.
    fn widen(&mut self, reach: f32) {
        if self.limit == 0.0 && reach.is_finite() {
            // So far all values are zero, and stay in the bin above zero.
            self.limit = reach;
        }
        while reach.is_finite() && self.limit < reach {
            let mut wider = vec![0; 2 * HALF];
            for (at, count) in self.bins.iter().enumerate() {
                wider[HALF / 2 + at / 2] += count;
            }
            self.bins = wider;
            self.limit *= 2.0;
        }
    }

    /// The range that 8 bits are to represent; without values, from 0 to 0.
    pub fn range(&self, method: RangeMethod) -> Range {
        if self.count == 0 {
            return Range::default();
        }
        let range = match method {
            RangeMethod::Percentile(share) => self.percentile(share),
            RangeMethod::Entropy => self.least_divergence(),
        };
        Range { low: range.low.max(self.lowest), high: range.high.min(self.highest) }
    }

    /// The range that holds this percentage of the values, as many left out on either side.
    fn percentile(&self, percent: f64) -> Range {
        let beyond = (1.0 - percent / 100.0) / 2.0 * self.count as f64;
        let edge = |bins: &mut dyn Iterator<Item = &u64>| {
            let mut sum = 0;
            bins.take_while(|count| {
                sum += **count;
                (sum as f64) <= beyond
            })
            .count()
        };
        let below = edge(&mut self.bins.iter());
        let above = 2 * HALF - edge(&mut self.bins.iter().rev());
        let at = |edge: usize| (edge as f32 - HALF as f32) / HALF as f32 * self.limit;
        Range { low: at(below), high: at(above) }
    }

    /// The range whose values, in as many steps as 8 bits have, resemble all of them the most:
    /// with the least Kullback–Leibler divergence (Migacz 2017). Values of both signs are cut at the
    /// same distance from zero.
    fn least_divergence(&self) -> Range {
        let (negative, positive) = self.bins.split_at(HALF);
        let levels = if self.lowest < 0.0 && self.highest > 0.0 { 128 } else { 256 };
        let mut folded: Vec<u64> = positive
            .iter()
            .zip(negative.iter().rev())
            .map(|(above, below)| above + below)
            .collect();
        // Zeros, half of all values behind a ReLU, are exact whatever the range is.
        folded[0] = folded[1];
        let candidates = (levels..=HALF).step_by(levels / 32);
        let best = candidates.min_by(|&a, &b| {
            divergence(&folded, a, levels).total_cmp(&divergence(&folded, b, levels))
        });
        let threshold = best.unwrap_or(HALF) as f32 / HALF as f32 * self.limit;
        Range { low: -threshold, high: threshold }
    }
}

/// How far the first `kept` bins, in so many levels, are from all bins with what lies beyond moved
/// into the last one.
fn divergence(bins: &[u64], kept: usize, levels: usize) -> f64 {
    let beyond: u64 = bins[kept..].iter().sum();
    let total: u64 = bins.iter().sum();
    let inside: u64 = bins[..kept].iter().sum();
    if inside == 0 {
        return f64::INFINITY;
    }
    let mut sum = 0.0;
    for level in 0..levels {
        let part = kept * level / levels..kept * (level + 1) / levels;
        let mass: u64 = bins[part.clone()].iter().sum();
        let occupied = bins[part.clone()].iter().filter(|count| **count > 0).count();
        for at in part {
            let moved = if at + 1 == kept { beyond } else { 0 };
            let p = (bins[at] + moved) as f64 / total as f64;
            let q = mass as f64 / occupied.max(1) as f64 / inside as f64;
            match (p > 0.0, bins[at] > 0) {
                (false, _) => {}
                (true, true) => sum += p * (p / q).ln(),
                // What was moved into an empty bin has no counterpart: as good as one value.
                (true, false) => sum += p * (p * inside as f64).ln(),
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[f32]) -> Histogram {
        let mut histogram = Histogram::default();
        assert!(histogram.add(values));
        histogram
    }

    /// `n` values in equal steps from 0 to 1, and one far out.
    fn with_outlier(n: usize, outlier: f32) -> Histogram {
        let values = (0..n).map(|at| at as f32 / n as f32).chain([outlier]);
        histogram(&values.collect::<Vec<_>>())
    }

    #[test]
    fn a_percentile_cuts_an_outlier_and_all_values_keep_it() {
        let histogram = with_outlier(100_000, 40.0);
        let cut = histogram.range(RangeMethod::Percentile(99.99));
        assert!(cut.low == 0.0 && (0.95..1.05).contains(&cut.high), "{cut:?}");
        let all = histogram.range(RangeMethod::Percentile(100.0));
        assert_eq!(all, Range { low: 0.0, high: 40.0 });
    }

    #[test]
    fn entropy_cuts_an_outlier_of_either_sign() {
        let cut = with_outlier(100_000, 40.0).range(RangeMethod::Entropy);
        assert!(cut.low == 0.0 && (0.9..8.0).contains(&cut.high), "{cut:?}");
        let values = (-50_000..50_000).map(|at| at as f32 / 5e4).chain([-40.0]);
        let cut = histogram(&values.collect::<Vec<_>>()).range(RangeMethod::Entropy);
        assert!((-8.0..-0.9).contains(&cut.low) && (0.9..=1.0).contains(&cut.high), "{cut:?}");
    }

    #[test]
    fn zeros_of_a_relu_do_not_narrow_the_range_of_entropy() {
        // The upper half of a bell, and as many zeros.
        let bell = (0..100_000).map(|at| 2.0 * (-2.0 * (1.0 - at as f32 / 1e5).ln()).sqrt());
        let zeros = std::iter::repeat_n(0.0, 100_000);
        let values: Vec<f32> = bell.clone().chain(zeros).collect();
        let range = histogram(&values).range(RangeMethod::Entropy);
        let beyond = bell.filter(|value| *value > range.high).count();
        assert!(beyond < 1000, "{beyond} of 100,000 lie beyond {range:?}");
    }

    #[test]
    fn bins_widen_without_losing_a_value() {
        let mut histogram = histogram(&[0.0, 0.0, 0.01, -0.02]);
        assert!(histogram.add(&[100.0, -3.0]));
        assert_eq!(histogram.bins.iter().sum::<u64>(), histogram.count());
        assert_eq!(histogram.count(), 6);
        let all = histogram.range(RangeMethod::Percentile(100.0));
        assert_eq!(all, Range { low: -3.0, high: 100.0 });
    }

    #[test]
    fn values_that_are_not_numbers_are_refused_and_constants_are_not() {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!Histogram::default().add(&[1.0, wrong]));
        }
        for constant in [0.0, 2.5, -2.5] {
            for method in [RangeMethod::Percentile(99.99), RangeMethod::Entropy] {
                let range = histogram(&[constant; 10]).range(method);
                assert!(range.low <= constant && constant <= range.high, "{constant}: {range:?}");
            }
        }
    }
}
