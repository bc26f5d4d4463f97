use planet_data::PixelBox;

/// Probabilities nearer to 0 or 1 than this have the log-odds of it, so that all are finite.
const LEAST: f64 = 1e-9;

/// What a map's values are: the mean over the boxes that hide a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The target's probability: low is important (paper, section 3).
    Probability,
    /// By how much the probability falls: high is important.
    Drop,
    /// By how much the log-odds fall, in nats; finite even where a probability is 0 or 1.
    LogOdds,
}

impl Measure {
    /// Of the probability for the whole photo and with a box hidden.
    pub fn of(self, whole: f64, hidden: f64) -> f64 {
        match self {
            Self::Probability => hidden,
            Self::Drop => whole - hidden,
            Self::LogOdds => log_odds(whole) - log_odds(hidden),
        }
    }
}

fn log_odds(probability: f64) -> f64 {
    let probability = probability.clamp(LEAST, 1.0 - LEAST);
    probability.ln() - (1.0 - probability).ln()
}

/// A value for every pixel of a photo: exact, though kept only where boxes begin or end.
#[derive(Clone, Debug, PartialEq)]
pub struct OcclusionMap {
    /// Height and width of the photo.
    size: [u32; 2],
    /// Where the columns of fields begin; the last one is the photo's width.
    across: Vec<u32>,
    /// Where the rows of fields begin; the last one is the photo's height.
    down: Vec<u32>,
    /// `[rows, columns]` of fields.
    values: Vec<f64>,
}

impl OcclusionMap {
    /// The means of the boxes' values; a pixel that no box hides has no value (NaN).
    pub(super) fn new(
        size: [u32; 2],
        boxes: impl Iterator<Item = (PixelBox, f64)> + Clone,
    ) -> Self {
        let edges = |length: u32, of: &dyn Fn(PixelBox) -> [u32; 2]| {
            let mut edges: Vec<u32> = boxes.clone().flat_map(|(hidden, _)| of(hidden)).collect();
            edges.extend([0, length]);
            edges.sort_unstable();
            edges.dedup();
            edges
        };
        let down = edges(size[0], &|hidden| [hidden.top, hidden.top + hidden.height]);
        let across = edges(size[1], &|hidden| [hidden.left, hidden.left + hidden.width]);
        let columns = across.len() - 1;
        let mut sums = vec![(0.0, 0.0); (down.len() - 1) * columns];
        let place = |edges: &[u32], edge: u32| edges.partition_point(|other| *other < edge);
        for (hidden, value) in boxes {
            let columns_here =
                place(&across, hidden.left)..place(&across, hidden.left + hidden.width);
            for row in place(&down, hidden.top)..place(&down, hidden.top + hidden.height) {
                for (sum, count) in &mut sums[row * columns..][columns_here.clone()] {
                    *sum += value;
                    *count += 1.0;
                }
            }
        }
        let values = sums.into_iter().map(|(sum, count): (f64, f64)| sum / count).collect();
        Self { size, across, down, values }
    }

    /// The value of a pixel.
    ///
    /// # Panics
    /// When the photo has no such pixel.
    pub fn at(&self, column: u32, row: u32) -> f64 {
        assert!(row < self.size[0] && column < self.size[1], "no such pixel");
        let field = |edges: &[u32], at: u32| edges.partition_point(|edge| *edge <= at) - 1;
        self.values[field(&self.down, row) * (self.across.len() - 1) + field(&self.across, column)]
    }

    /// Means over the fields of a raster of `[rows, columns]` over the whole photo, row by row.
    /// A raster as large as the photo has the value of every pixel.
    pub fn raster(&self, [rows, columns]: [usize; 2]) -> Vec<f64> {
        let down = shares(&self.down, rows);
        let across = shares(&self.across, columns);
        let fields = self.across.len() - 1;
        let mut raster = Vec::with_capacity(rows * columns);
        for row in &down {
            for column in &across {
                let mut sum = 0.0;
                for &(y, height) in row {
                    for &(x, width) in column {
                        sum += height * width * self.values[y * fields + x];
                    }
                }
                raster.push(sum);
            }
        }
        raster
    }

    /// The least and the greatest value.
    pub fn range(&self) -> [f64; 2] {
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        [least, self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max)]
    }

    /// Rows and columns of a raster whose longer side is at most `longest`, as the photo is
    /// shaped; the photo's own where that is less.
    pub fn raster_size(&self, longest: u32) -> [usize; 2] {
        raster_size(self.size, longest)
    }
}

/// Height and width of a photo made small enough.
pub(super) fn raster_size(size: [u32; 2], longest: u32) -> [usize; 2] {
    let longer = size[0].max(size[1]);
    if longer <= longest {
        return size.map(|side| side as usize);
    }
    let scaled = |side: u32| f64::from(side) * f64::from(longest) / f64::from(longer);
    size.map(|side| (scaled(side).round() as usize).max(1))
}

/// For each of some equal parts of a length, which fields it lies over and with which share.
fn shares(edges: &[u32], parts: usize) -> Vec<Vec<(usize, f64)>> {
    let length = f64::from(edges[edges.len() - 1]);
    let part = |number: usize| {
        let (from, to) =
            (length * number as f64 / parts as f64, length * (number + 1) as f64 / parts as f64);
        let overlap = |(field, ends): (usize, &[u32])| {
            let over = to.min(f64::from(ends[1])) - from.max(f64::from(ends[0]));
            (over > 1e-9 * length).then_some((field, over / (to - from)))
        };
        edges.windows(2).enumerate().filter_map(overlap).collect()
    };
    (0..parts).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxes() -> Vec<(PixelBox, f64)> {
        let hidden = |left, top| PixelBox { left, top, width: 4, height: 3 };
        vec![(hidden(0, 0), 0.8), (hidden(3, 0), 0.4), (hidden(0, 2), 0.6), (hidden(3, 2), 0.1)]
    }

    #[test]
    fn a_pixel_has_the_mean_of_the_boxes_over_it() {
        let map = OcclusionMap::new([5, 7], boxes().into_iter());
        for row in 0..5 {
            for column in 0..7 {
                let over = |(hidden, _): &&(PixelBox, f64)| {
                    (hidden.left..hidden.left + 4).contains(&column)
                        && (hidden.top..hidden.top + 3).contains(&row)
                };
                let (boxes, mut values) = (boxes(), Vec::new());
                values.extend(boxes.iter().filter(over).map(|it| it.1));
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                assert!((map.at(column, row) - mean).abs() < 1e-12, "{column},{row}");
                let place = (row * 7 + column) as usize;
                assert!((map.raster([5, 7])[place] - mean).abs() < 1e-9);
            }
        }
        assert_eq!(map.range(), [0.1, 0.8]);
    }

    #[test]
    fn a_smaller_raster_keeps_the_mean() {
        let map = OcclusionMap::new([5, 7], boxes().into_iter());
        let mean = |raster: &[f64]| raster.iter().sum::<f64>() / raster.len() as f64;
        let whole = mean(&map.raster([5, 7]));
        for size in [[1, 1], [2, 3], [5, 7], [10, 14], [3, 2]] {
            assert!((mean(&map.raster(size)) - whole).abs() < 1e-9, "{size:?}");
        }
        assert_eq!(raster_size([3000, 4000], 128), [96, 128]);
        assert_eq!(raster_size([30, 40], 128), [30, 40]);
        assert_eq!(raster_size([1, 4000], 128), [1, 128]);
    }

    #[test]
    fn log_odds_stay_finite() {
        for (whole, hidden) in [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.5, 0.0)] {
            let fall = Measure::LogOdds.of(whole, hidden);
            assert!(fall.is_finite() && fall.abs() < 42.0, "{whole} {hidden}: {fall}");
        }
        assert!((Measure::LogOdds.of(0.75, 0.5) - 3f64.ln()).abs() < 1e-12);
        assert_eq!(Measure::Drop.of(0.75, 0.5), 0.25);
    }
}
