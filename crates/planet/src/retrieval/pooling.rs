use super::{
    descriptor::{add, normalise},
    recipe::Pooling,
};

/// One photo's image behind the last convolution, `[channels, height, width]`.
#[derive(Clone, Copy, Debug)]
pub struct FeatureMap<'a> {
    values: &'a [f32],
    height: usize,
    width: usize,
}

/// Values below it count as this in a generalised mean.
const LEAST: f32 = 1e-6;

/// Share of a region that its neighbour should cover.
const OVERLAP: f64 = 0.4;

/// A square of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    top: usize,
    left: usize,
    side: usize,
}

impl<'a> FeatureMap<'a> {
    /// A map of these sides.
    ///
    /// # Panics
    /// When a side is zero or the values are not a whole number of channels.
    pub fn new(values: &'a [f32], height: usize, width: usize) -> Self {
        let places = height * width;
        assert!(places > 0 && values.len().is_multiple_of(places), "whole channels");
        Self { values, height, width }
    }

    fn channels(&self) -> impl Iterator<Item = &'a [f32]> {
        self.values.chunks_exact(self.height * self.width)
    }

    /// The vectors of a pooling, `[channels]` each: one, or one for each region of R-MAC.
    pub(super) fn pooled(&self, pooling: Pooling) -> Vec<Vec<f32>> {
        match pooling {
            Pooling::Embedding => unreachable!("the embedding is no map"),
            Pooling::Average => vec![self.mean()],
            Pooling::Gem { power } => vec![self.generalised_mean(power)],
            Pooling::Rmac { levels } => self.regional_maxima(levels),
        }
    }

    /// Mean of each channel.
    pub fn mean(&self) -> Vec<f32> {
        let places = (self.height * self.width) as f64;
        let mean = |channel: &[f32]| channel.iter().map(|x| f64::from(*x)).sum::<f64>() / places;
        self.channels().map(|channel| mean(channel) as f32).collect()
    }

    /// Generalised mean of each channel.
    pub fn generalised_mean(&self, power: f32) -> Vec<f32> {
        let (power, places) = (f64::from(power), (self.height * self.width) as f64);
        let mean = |channel: &[f32]| {
            let sum: f64 = channel.iter().map(|x| f64::from(x.max(LEAST)).powf(power)).sum();
            (sum / places).powf(power.recip())
        };
        self.channels().map(|channel| mean(channel) as f32).collect()
    }

    /// Maximum of each channel in each region, `[regions][channels]`.
    pub fn regional_maxima(&self, levels: usize) -> Vec<Vec<f32>> {
        let maximum = |region: Region| {
            let rows = region.top..region.top + region.side;
            let most = |channel: &[f32]| {
                let row = |y: usize| &channel[y * self.width + region.left..][..region.side];
                rows.clone().flat_map(row).copied().fold(f32::NEG_INFINITY, f32::max)
            };
            self.channels().map(most).collect()
        };
        self.regions(levels).into_iter().map(maximum).collect()
    }

    /// R-MAC's vector without whitening: each region's maxima scaled to length 1, summed, scaled.
    pub fn rmac(&self, levels: usize) -> Vec<f32> {
        let mut sum = vec![0.0; self.values.len() / (self.height * self.width)];
        for mut region in self.regional_maxima(levels) {
            normalise(&mut region);
            add(&mut sum, &region);
        }
        normalise(&mut sum);
        sum
    }

    /// The regions of all levels. Level l has squares of side ⌊2w / (l + 1)⌋, w being the map's
    /// shorter side, l along it and m more along the longer side, m chosen so that neighbours of
    /// the first level overlap by about 40 %.
    fn regions(&self, levels: usize) -> Vec<Region> {
        let shorter = self.height.min(self.width);
        let longer = self.height.max(self.width);
        let more = more_along(shorter, longer);
        let mut regions = Vec::new();
        for level in 1..=levels {
            let side = (2 * shorter / (level + 1)).max(1);
            let (down, across) = match self.height <= self.width {
                true => (level, level + more),
                false => (level + more, level),
            };
            for top in starts(self.height, side, down) {
                regions.extend(starts(self.width, side, across).into_iter().map(|left| Region {
                    top,
                    left,
                    side,
                }));
            }
        }
        regions
    }
}

/// How many more regions stand along the longer side than along the shorter.
fn more_along(shorter: usize, longer: usize) -> usize {
    if longer == shorter {
        return 0;
    }
    let (shorter, longer) = (shorter as f64, longer as f64);
    let off = |steps: usize| {
        let step = (longer - shorter) / (steps - 1) as f64;
        ((shorter * shorter - shorter * step) / (shorter * shorter) - OVERLAP).abs()
    };
    (2..=7).min_by(|a, b| off(*a).total_cmp(&off(*b))).expect("there are steps") - 1
}

/// Beginnings of regions spread evenly along a side; a single one fills it.
fn starts(length: usize, side: usize, count: usize) -> Vec<usize> {
    let room = length.saturating_sub(side) as f64;
    let step = if count > 1 { room / (count - 1) as f64 } else { 0.0 };
    (0..count).map(|at| (at as f64 * step) as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_map_has_one_four_and_nine_regions() {
        let values = vec![0.0; 144];
        let map = FeatureMap::new(&values, 12, 12);
        let regions = map.regions(3);
        assert_eq!(regions.len(), 14);
        assert_eq!(regions[0], Region { top: 0, left: 0, side: 12 });
        assert_eq!(regions[1..5].iter().map(|it| it.side).collect::<Vec<_>>(), [8; 4]);
        assert_eq!(regions[13], Region { top: 6, left: 6, side: 6 });
    }

    #[test]
    fn a_wide_map_has_more_regions_along_its_width_and_each_lies_inside() {
        let values = vec![0.0; 24 * 32];
        let map = FeatureMap::new(&values, 24, 32);
        let regions = map.regions(3);
        assert_eq!(regions.len(), 2 + 6 + 12);
        assert!(regions.iter().all(|it| it.top + it.side <= 24 && it.left + it.side <= 32));
    }

    #[test]
    fn a_map_smaller_than_its_regions_levels_still_gives_finite_values() {
        let map = FeatureMap::new(&[1.0, -2.0], 1, 1);
        assert_eq!(map.regional_maxima(3)[0], [1.0, -2.0]);
        assert!(map.rmac(3).iter().all(|x| x.is_finite()));
        assert_eq!(map.generalised_mean(3.0)[1], 1e-6);
    }
}
