use super::{LocalFeatures, alignment::Similarity, grey::Grey, orientation::Orientation};

/// Side of a block that is compared, in pixels of the picture of 160.
const BLOCK: usize = 12;
/// Pixels between the blocks' upper left corners.
const STEP: usize = 10;
/// Least standard deviation of a block that shows something, of 255.
const TEXTURE: f32 = 3.0;
/// Least correlation of two blocks by which the alignment is made more exact.
const SIMILAR: f32 = 0.6;
/// Least correlation of two blocks that show the same.
const ALIKE: f32 = 0.8;
/// How far blocks are looked for, in pixels, each time that the alignment is made more exact.
const REACHES: [i32; 3] = [3, 2, 2];
/// How far a block may lie from where the alignment puts it, in pixels.
const EXACT: f32 = 0.5;
/// Least number of blocks that a copy shares, and their least share of those that were compared.
const LEAST_ALIKE: usize = 6;
const LEAST_SHARE: f32 = 0.3;
/// Greatest median distance of a copy's blocks from where the alignment puts them, in pixels. Those
/// of other shots of a place lie farther off, for parallax or perspective (docs/clean-sets.md).
const MOST_OFF: f32 = 0.15;

/// How two photos compare where they lie on one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Agreement {
    /// Blocks that show something and lie in both photos.
    pub(super) compared: usize,
    /// Those that show the same at the same place.
    pub(super) alike: usize,
}

/// From places of the known photo's small picture to those of the other photo's: (x, y) goes to
/// ([0][0] x + [0][1] y + [0][2], [1][0] x + [1][1] y + [1][2]).
#[derive(Clone, Copy, Debug)]
struct Affine([[f32; 3]; 2]);

/// A block that was found in the other picture.
struct Found {
    /// Its middle.
    at: [f32; 2],
    /// From where the alignment puts it to where it was found, in pixels.
    displacement: [f32; 2],
    correlation: f32,
}

impl Found {
    fn is_alike(&self) -> bool {
        self.correlation >= ALIKE
    }

    fn off(&self) -> f32 {
        self.displacement[0].hypot(self.displacement[1])
    }
}

/// Compares two photos block by block, after their alignment was made as exact as it can be; `None` if
/// neither is a copy of the other.
pub(super) fn compare(
    asked: &LocalFeatures,
    orientation: Orientation,
    known: &LocalFeatures,
    similarity: &Similarity,
) -> Option<Agreement> {
    let changed = orientation.size(asked.size);
    let back = orientation.inverse();
    let mut affine = Affine::through(|place| {
        let known: [f32; 2] =
            std::array::from_fn(|axis| place[axis] * known.size[axis] / known.small.size()[axis]);
        let asked_at = back.point(similarity.back(known), changed);
        std::array::from_fn(|axis| asked_at[axis] * asked.small.size()[axis] / asked.size[axis])
    });
    let is_enough = |alike: usize, compared: usize| {
        alike >= LEAST_ALIKE && alike as f32 >= LEAST_SHARE * compared as f32
    };
    for reach in REACHES {
        let (compared, found) = blocks(&known.small, &asked.small, &affine, reach);
        if !is_enough(found.len(), compared) {
            return None;
        }
        affine = affine.after(&Affine::fitted(&found)?);
    }
    let (compared, mut found) = blocks(&known.small, &asked.small, &affine, 1);
    found.retain(Found::is_alike);
    let mut off: Vec<f32> = found.iter().map(Found::off).collect();
    off.sort_by(f32::total_cmp);
    let alike = off.iter().filter(|it| **it <= EXACT).count();
    let is_exact = off.get(off.len() / 2).is_some_and(|median| *median <= MOST_OFF);
    (is_exact && is_enough(alike, compared)).then_some(Agreement { compared, alike })
}

/// The blocks that show something and lie in both pictures: how many, and those that are found.
fn blocks(known: &Grey, asked: &Grey, affine: &Affine, reach: i32) -> (usize, Vec<Found>) {
    let Grey { width, height, .. } = *known;
    // The other picture as it lies on the known one; NaN where it has no pixels.
    let place = |at: usize| affine.apply([(at % width) as f32 + 0.5, (at / width) as f32 + 0.5]);
    let seen = (0..width * height).map(|at| asked.at(place(at)).unwrap_or(f32::NAN)).collect();
    let seen = Seen { width, height, values: seen };
    let mut compared = 0;
    let mut found = Vec::new();
    for top in (0..(height + 1).saturating_sub(BLOCK)).step_by(STEP) {
        for left in (0..(width + 1).saturating_sub(BLOCK)).step_by(STEP) {
            let block = Block::of(known, [left, top]);
            let Some([_, deviation]) = seen.correlation(&block, [0, 0]) else { continue };
            if block.deviation.max(deviation) < TEXTURE {
                continue;
            }
            compared += 1;
            found.extend(seen.find(&block, reach));
        }
    }
    (compared, found)
}

/// A block of the known picture.
struct Block {
    /// Its upper left corner.
    corner: [usize; 2],
    /// Brightness less its mean.
    values: [f32; BLOCK * BLOCK],
    /// Standard deviation of the brightness.
    deviation: f32,
}

const PIXELS: f32 = (BLOCK * BLOCK) as f32;

impl Block {
    fn of(picture: &Grey, [left, top]: [usize; 2]) -> Self {
        let mut values = [0.0; BLOCK * BLOCK];
        for (y, row) in values.chunks_exact_mut(BLOCK).enumerate() {
            let pixels = &picture.pixels[(top + y) * picture.width + left..][..BLOCK];
            row.iter_mut().zip(pixels).for_each(|(value, pixel)| *value = f32::from(*pixel));
        }
        let mean = values.iter().sum::<f32>() / PIXELS;
        values.iter_mut().for_each(|it| *it -= mean);
        let variance = values.iter().map(|it| it * it).sum::<f32>() / PIXELS;
        Self { corner: [left, top], values, deviation: variance.sqrt() }
    }
}

/// The picture that is asked about, as it lies on the known one.
struct Seen {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Seen {
    /// Correlation of a block with what lies `shift` pixels aside of its place, −1..=1, and the
    /// standard deviation there; `None` where there is nothing.
    fn correlation(&self, block: &Block, shift: [i32; 2]) -> Option<[f32; 2]> {
        let [left, top] = [0, 1].map(|axis| {
            block.corner[axis].checked_add_signed(shift[axis] as isize).unwrap_or(usize::MAX)
        });
        if left > self.width - BLOCK || top > self.height - BLOCK {
            return None;
        }
        // Sums by column, which the compiler makes vectors of.
        let [mut sums, mut squares, mut products] = [[0.0_f32; BLOCK]; 3];
        for (y, own) in block.values.as_chunks::<BLOCK>().0.iter().enumerate() {
            let row = &self.values[(top + y) * self.width + left..][..BLOCK];
            for x in 0..BLOCK {
                sums[x] += row[x];
                squares[x] += row[x] * row[x];
                products[x] += own[x] * row[x];
            }
        }
        let [sum, squares, products] = [sums, squares, products].map(|it| it.iter().sum::<f32>());
        if sum.is_nan() {
            return None;
        }
        let deviation = (squares / PIXELS - (sum / PIXELS).powi(2)).max(0.0).sqrt();
        // A block without any texture correlates with nothing.
        let scale = block.deviation.max(1.0) * deviation.max(1.0);
        Some([products / PIXELS / scale, deviation])
    }

    /// Where the block is found at most `reach` pixels from its place, if at all.
    fn find(&self, block: &Block, reach: i32) -> Option<Found> {
        let correlation = |dx, dy| self.correlation(block, [dx, dy]).map(|[it, _]| it);
        let shifts = (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| [dx, dy]));
        let (most, [dx, dy]) = shifts
            .filter_map(|[dx, dy]| Some((correlation(dx, dy)?, [dx, dy])))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(most, _)| *most >= SIMILAR)?;
        // Between pixels: the top of the parabola through the neighbours.
        let top = |before: Option<f32>, after: Option<f32>| {
            let (Some(before), Some(after)) = (before, after) else { return 0.0 };
            let bend = before + after - 2.0 * most;
            if bend < -1e-6 { ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5) } else { 0.0 }
        };
        let x = top(correlation(dx - 1, dy), correlation(dx + 1, dy));
        let y = top(correlation(dx, dy - 1), correlation(dx, dy + 1));
        let at = block.corner.map(|it| it as f32 + BLOCK as f32 / 2.0);
        let displacement = [dx as f32 + x, dy as f32 + y];
        Some(Found { at, displacement, correlation: most })
    }
}

impl Affine {
    /// The map that does with three places what an affine function does.
    fn through(function: impl Fn([f32; 2]) -> [f32; 2]) -> Self {
        let [origin, x, y] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]].map(function);
        Self([0, 1].map(|axis| [x[axis] - origin[axis], y[axis] - origin[axis], origin[axis]]))
    }

    fn apply(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        self.0.map(|[of_x, of_y, shift]| of_x * x + of_y * y + shift)
    }

    /// This map after another one.
    fn after(&self, first: &Self) -> Self {
        Self::through(|place| self.apply(first.apply(place)))
    }

    /// The map from blocks' places to where they were found, by least squares; blocks that lie far
    /// off are left out, and it is fitted again.
    fn fitted(found: &[Found]) -> Option<Self> {
        const ROUNDS: usize = 4;
        let mut kept: Vec<&Found> = found.iter().collect();
        let mut map = None;
        for _ in 0..ROUNDS {
            let fit = Self::least_squares(&kept)?;
            let off = |it: &Found| {
                let [x, y] = fit.apply(it.at);
                (x - it.at[0] - it.displacement[0]).hypot(y - it.at[1] - it.displacement[1])
            };
            let mut distances: Vec<f32> = found.iter().map(off).collect();
            distances.sort_by(f32::total_cmp);
            let limit = (2.0 * distances[distances.len() / 2]).max(EXACT);
            kept = found.iter().filter(|it| off(it) <= limit).collect();
            map = Some(fit);
        }
        map
    }

    /// `None` where the blocks lie in one line, or there are too few.
    fn least_squares(found: &[&Found]) -> Option<Self> {
        // Normal equations about the mean place.
        let count = found.len() as f64;
        let places = |axis: usize| found.iter().map(move |it| f64::from(it.at[axis]));
        let mean = [0, 1].map(|axis| places(axis).sum::<f64>() / count);
        let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
        let mut sums = [[0.0_f64; 3]; 2];
        for it in found {
            let [x, y] = [0, 1].map(|axis| f64::from(it.at[axis]) - mean[axis]);
            (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
            for (sums, moved) in sums.iter_mut().zip(it.displacement.map(f64::from)) {
                *sums = [sums[0] + x * moved, sums[1] + y * moved, sums[2] + moved];
            }
        }
        let determinant = xx * yy - xy * xy;
        // A deviation of one pixel across the line through them.
        if found.len() < 3 || determinant <= count * xx.max(yy) {
            return None;
        }
        let mut map = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
        for (row, [x, y, sum]) in map.iter_mut().zip(sums) {
            let (of_x, of_y) = ((yy * x - xy * y) / determinant, (xx * y - xy * x) / determinant);
            row[0] += of_x as f32;
            row[1] += of_y as f32;
            row[2] = (sum / count - of_x * mean[0] - of_y * mean[1]) as f32;
        }
        Some(Self(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_fitted_to_where_blocks_were_found_though_some_lie_elsewhere() {
        let truth = Affine([[1.01, 0.02, -0.7], [-0.015, 0.99, 0.4]]);
        let found: Vec<Found> = (0..60)
            .map(|number| {
                let at = [(number % 10 * 15) as f32, (number / 10 * 18) as f32];
                let [x, y] = truth.apply(at);
                let aside = if number % 7 == 0 { 3.0 } else { 0.0 };
                let displacement = [x - at[0] + aside, y - at[1] - aside];
                Found { at, displacement, correlation: 0.9 }
            })
            .collect();
        let Affine(fitted) = Affine::fitted(&found).expect("enough blocks");
        for (fitted, truth) in fitted.concat().into_iter().zip(truth.0.concat()) {
            assert!((fitted - truth).abs() < 1e-4, "{fitted} for {truth}");
        }
        let in_line: Vec<Found> = found.into_iter().filter(|it| it.at[1] == 0.0).collect();
        assert!(Affine::fitted(&in_line).is_none());
        assert!(Affine::fitted(&[]).is_none());
    }
}
