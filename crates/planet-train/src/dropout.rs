use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Fills in what dropout multiplies a photo's numbers by, pixel by pixel, channels last: zero, or
/// what keeps their mean. The same on every backend that draws here. `node`: its place in the
/// network, so that no two nodes drop alike.
pub(crate) fn draw(factors: &mut [f32], probability: f32, seed: u64, node: usize, photo: usize) {
    let keep = 1.0 - probability;
    let of_node = (node as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ of_node);
    random.set_stream(photo as u64);
    factors.fill_with(|| if random.random::<f32>() < keep { 1.0 / keep } else { 0.0 });
}

/// Another seed for each step (splitmix64's mixing).
pub(crate) fn seed_of(seed: u64, step: u64) -> u64 {
    let mut z = seed ^ step.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
