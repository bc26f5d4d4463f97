use crate::vectorised::{LANES, exponential};

/// The loss of one photo, and the rank of its correct class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Cross entropy in nats, label smoothing included.
    pub loss: f32,
    /// Classes that scored at least as high as the right one: 0 where it came first.
    pub rank: u32,
}

/// Cross entropy of one row of scores, `[classes]`, in whose place its derivative times `share`
/// comes. With label smoothing `s` the right class is asked for with probability
/// 1 − s + s/classes, each other with s/classes, as PyTorch's `CrossEntropyLoss` has it.
#[inline(always)]
pub(crate) fn cross_entropy(row: &mut [f32], target: u32, smoothing: f32, share: f32) -> Loss {
    let classes = row.len() as f32;
    let of_target = row[target as usize];
    let Survey { greatest, total, beaten } = survey(row, of_target);
    let sum = exponentials(row, greatest);
    let (scale, each) = (share / sum as f32, share * smoothing / classes);
    row.iter_mut().for_each(|value| *value = *value * scale - each);
    row[target as usize] -= share * (1.0 - smoothing);
    let logarithm = sum.ln() as f32 + greatest;
    let mean = (total / f64::from(classes)) as f32;
    Loss {
        loss: logarithm - (1.0 - smoothing) * of_target - smoothing * mean,
        // NaN beats nothing, not even itself.
        rank: beaten.saturating_sub(1),
    }
}

/// What there is to know of a row of scores before they are overwritten.
struct Survey {
    greatest: f32,
    total: f64,
    /// Scores at least as high as the right class's.
    beaten: u32,
}

#[inline(always)]
fn survey(row: &[f32], of_target: f32) -> Survey {
    let mut greatest = [f32::NEG_INFINITY; LANES];
    let mut total = [0.0f64; LANES];
    let mut beaten = [0u32; LANES];
    let mut add = |lane: usize, value: f32| {
        greatest[lane] = if value > greatest[lane] { value } else { greatest[lane] };
        total[lane] += f64::from(value);
        beaten[lane] += u32::from(value >= of_target);
    };
    let (blocks, rest) = row.as_chunks::<LANES>();
    blocks.iter().for_each(|block| (0..LANES).for_each(|lane| add(lane, block[lane])));
    rest.iter().enumerate().for_each(|(lane, value)| add(lane, *value));
    Survey {
        greatest: greatest.into_iter().fold(f32::NEG_INFINITY, f32::max),
        total: total.into_iter().sum(),
        beaten: beaten.into_iter().sum(),
    }
}

/// Puts the exponential of each score less the greatest in its place; gives their sum.
#[inline(always)]
fn exponentials(row: &mut [f32], greatest: f32) -> f64 {
    let mut sum = [0.0f64; LANES];
    let mut add = |lane: usize, value: &mut f32| {
        *value = exponential(*value - greatest);
        sum[lane] += f64::from(*value);
    };
    let (blocks, rest) = row.as_chunks_mut::<LANES>();
    blocks.iter_mut().for_each(|block| (0..LANES).for_each(|lane| add(lane, &mut block[lane])));
    rest.iter_mut().enumerate().for_each(|(lane, value)| add(lane, value));
    sum.into_iter().sum()
}

/// Classes that score at least as high as the right one, itself not counted. NaN beats nothing, not
/// even itself.
pub(crate) fn rank(scores: &[f32], target: usize) -> u32 {
    let beaten = scores.iter().filter(|it| **it >= scores[target]).count() as u32;
    beaten.saturating_sub(1)
}

/// Mean of the photos' losses.
pub(crate) fn mean(losses: &[Loss]) -> f64 {
    losses.iter().map(|it| f64::from(it.loss)).sum::<f64>() / losses.len() as f64
}
