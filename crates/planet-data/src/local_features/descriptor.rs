use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{grey::Grey, orientation::Orientation};

/// Greatest distance of a compared place from the keypoint along either axis, in pixels.
const RADIUS: i32 = 14;
/// Half the side of the square over which brightness is averaged.
const SMOOTHING: usize = 2;
/// Pixels round a keypoint that a descriptor needs.
pub(super) const MARGIN: usize = RADIUS as usize + SMOOTHING;
/// Comparisons of which mirroring and turning make eight times as many.
const BASE: usize = 32;
/// Least squared distance of two places that are compared.
const APART: i32 = 25;

/// 256 comparisons of brightness round a keypoint: 32 for each orientation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descriptor([u32; 8]);

impl Descriptor {
    /// Bits that differ, 0..=256.
    pub(super) fn distance(&self, other: &Self) -> u32 {
        // Two words at a time: most processors count the bits of 64.
        let bits = |at: usize| {
            let of = |words: &[u32; 8]| u64::from(words[at]) << 32 | u64::from(words[at + 1]);
            (of(&self.0) ^ of(&other.0)).count_ones()
        };
        bits(0) + bits(2) + bits(4) + bits(6)
    }

    /// The descriptor of the same keypoint in a picture that is mirrored or turned, by
    /// [`Orientation::sources`].
    pub(super) fn reordered(&self, sources: &[usize; 8]) -> Self {
        Self(sources.map(|it| self.0[it]))
    }

    /// The bits with these numbers, 0..256, as a number.
    pub(super) fn key(&self, bits: &[u8]) -> usize {
        let bit = |at: u8| (self.0[usize::from(at / 32)] >> (at % 32) & 1) as usize;
        bits.iter().fold(0, |key, at| key << 1 | bit(*at))
    }
}

/// Makes descriptors.
pub(super) struct Describer {
    /// Pairs of places, for each orientation and base comparison.
    pairs: Vec<[[i32; 2]; 2]>,
}

impl Describer {
    pub(super) fn new() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        // The sum of three even numbers is nearly normal: a deviation of a half of the radius.
        let mut place = || {
            [(); 2].map(|()| {
                let sum: i32 = (0..3).map(|_| random.random_range(-RADIUS..=RADIUS)).sum();
                (sum / 2).clamp(-RADIUS, RADIUS)
            })
        };
        let mut base = Vec::with_capacity(BASE);
        while base.len() < BASE {
            let pair: [[i32; 2]; 2] = [place(), place()];
            if (0..2).map(|axis| (pair[0][axis] - pair[1][axis]).pow(2)).sum::<i32>() >= APART {
                base.push(pair);
            }
        }
        let of = |it: &Orientation| {
            let it = *it;
            base.iter().map(move |pair| pair.map(|place| it.apply(place))).collect::<Vec<_>>()
        };
        Self { pairs: Orientation::ALL.iter().flat_map(of).collect() }
    }

    /// The descriptor of a keypoint at least [`MARGIN`] from every edge.
    pub(super) fn describe(&self, picture: &Smooth, [x, y]: [usize; 2]) -> Descriptor {
        let at = |[dx, dy]: [i32; 2]| {
            let (x, y) = (x.strict_add_signed(dx as isize), y.strict_add_signed(dy as isize));
            picture.sums[y * picture.width + x]
        };
        let mut words = [0; 8];
        for (word, pairs) in words.iter_mut().zip(self.pairs.chunks_exact(BASE)) {
            *word = pairs.iter().fold(0, |word, [a, b]| word << 1 | u32::from(at(*a) < at(*b)));
        }
        Descriptor(words)
    }
}

/// Sums of brightness over 5 × 5 pixels, `[height, width]`; 0 along the edges.
pub(super) struct Smooth {
    width: usize,
    sums: Vec<u16>,
}

/// What [`Describer::describe`] compares.
pub(super) fn smooth(picture: &Grey) -> Smooth {
    let Grey { width, height, ref pixels } = *picture;
    let mut rows = vec![0_u16; width * height];
    for (row, sums) in pixels.chunks_exact(width).zip(rows.chunks_exact_mut(width)) {
        let sums = sums.iter_mut().skip(SMOOTHING);
        for (window, sum) in row.windows(2 * SMOOTHING + 1).zip(sums) {
            *sum = window.iter().map(|it| u16::from(*it)).sum();
        }
    }
    let mut sums = vec![0_u16; width * height];
    for y in SMOOTHING..height.saturating_sub(SMOOTHING) {
        for x in 0..width {
            let column = (y - SMOOTHING..=y + SMOOTHING).map(|y| rows[y * width + x]);
            sums[y * width + x] = column.sum();
        }
    }
    Smooth { width, sums }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_features::tests::drawn;

    #[test]
    fn the_descriptor_of_a_mirrored_or_turned_picture_is_known_from_that_of_the_picture() {
        let picture = Grey::of(&drawn(3, [61, 61]), 61);
        let describer = Describer::new();
        let own = describer.describe(&smooth(&picture), [30, 30]);
        for orientation in Orientation::ALL {
            let mut pixels = vec![0; 61 * 61];
            for (at, pixel) in picture.pixels.iter().enumerate() {
                let [x, y] = orientation.apply([at as i32 % 61 - 30, at as i32 / 61 - 30]);
                pixels[((y + 30) * 61 + x + 30) as usize] = *pixel;
            }
            let changed = Grey { pixels, ..picture.clone() };
            let described = describer.describe(&smooth(&changed), [30, 30]);
            assert_eq!(described, own.reordered(&orientation.sources()), "{orientation:?}");
        }
        assert_ne!(own, own.reordered(&Orientation::ALL[1].sources()));
    }
}
