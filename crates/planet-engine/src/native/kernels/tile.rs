use pulp::Simd;

use super::Curve;

/// What a tile of some pixels and outputs is computed from.
pub(super) struct Inputs {
    /// For each segment, where it begins for each pixel of the tile.
    pub(super) starts: *const *const f32,
    pub(super) segments: usize,
    /// Numbers of a segment that lie together.
    pub(super) length: usize,
}

/// Where a tile is written.
pub(super) struct Place {
    pub(super) first: *mut f32,
    /// Numbers from one pixel to the next.
    pub(super) step: usize,
    /// Pixels that are wanted; the tile computes the last of them again in place of others.
    pub(super) pixels: usize,
    pub(super) outputs: usize,
}

/// Sums of products for `ROWS` pixels and `VECTORS` vectors of outputs, which stay in registers
/// from the bias to the curve. Each output is summed in the order of the weights, one number after
/// the other, in every kind of tile.
///
/// # Safety
/// `inputs.starts` has `segments · ROWS` pointers, each to `length` numbers that can be read;
/// `weights` has `segments · length` times `VECTORS` vectors, `bias` has `VECTORS`; and the place
/// has `pixels <= ROWS` rows of `outputs` numbers, which no one else reads or writes meanwhile;
/// `outputs` is at most what `VECTORS` vectors hold, and more than what one vector fewer does.
#[inline(always)]
#[allow(unsafe_code, reason = "bounds are checked once a convolution, not once a multiplication")]
pub(super) unsafe fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    inputs: &Inputs,
    weights: *const f32,
    bias: *const f32,
    curve: Curve,
    place: &Place,
) {
    let lanes = S::F32_LANES;
    // SAFETY: all pointers stay within what the caller promised.
    unsafe {
        let vector = |from: *const f32| from.cast::<S::f32s>().read_unaligned();
        let start: [S::f32s; VECTORS] = std::array::from_fn(|v| vector(bias.add(v * lanes)));
        let mut sums = [start; ROWS];
        let mut weights = weights;
        for segment in 0..inputs.segments {
            let starts = inputs.starts.add(segment * ROWS);
            let from: [*const f32; ROWS] = std::array::from_fn(|row| *starts.add(row));
            for at in 0..inputs.length {
                let factors: [S::f32s; VECTORS] =
                    std::array::from_fn(|v| vector(weights.add(v * lanes)));
                for (from, sums) in from.iter().zip(&mut sums) {
                    let x = simd.splat_f32s(*from.add(at));
                    for (sum, factor) in sums.iter_mut().zip(factors) {
                        *sum = simd.mul_add_e_f32s(x, factor, *sum);
                    }
                }
                weights = weights.add(VECTORS * lanes);
            }
        }
        // Otherwise the compiler, to read them one by one below, keeps the sums in memory while they
        // grow, which takes twice as long.
        let sums = std::hint::black_box(sums);
        let whole = place.outputs / lanes;
        for (row, sums) in sums.iter().enumerate().take(place.pixels) {
            let to = place.first.add(row * place.step);
            for (v, sum) in sums.iter().enumerate() {
                let value = curve.of_vector(simd, *sum);
                let to = to.add(v * lanes);
                if v < whole {
                    to.cast::<S::f32s>().write_unaligned(value);
                } else {
                    let rest = place.outputs - v * lanes;
                    simd.partial_store_f32s(std::slice::from_raw_parts_mut(to, rest), value);
                }
            }
        }
    }
}
