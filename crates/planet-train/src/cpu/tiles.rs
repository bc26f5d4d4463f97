use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::vectorised::arch;

/// Pixels of a tile. Sums over them are in f32, sums of tiles in f64.
const PIXELS: usize = 64;

/// A pass over pixels in which every channel is by itself. A tile is some pixels of as many
/// channels as a vector holds, so that what belongs to the channels stays in registers.
pub(super) trait Pass {
    /// Works on one tile. `WHOLE`: a whole vector of channels; otherwise the last ones, which are
    /// fewer.
    fn tile<S: Simd, const WHOLE: bool>(
        &mut self,
        simd: S,
        pixels: Range<usize>,
        channels: Range<usize>,
    );
}

/// Runs a pass tile by tile, all channels of the same pixels one after another.
pub(super) fn run(pixels: usize, channels: usize, pass: &mut impl Pass) {
    struct Tiles<'a, P> {
        pixels: usize,
        channels: usize,
        pass: &'a mut P,
    }
    impl<P: Pass> WithSimd for Tiles<'_, P> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for pixel in (0..self.pixels).step_by(PIXELS) {
                let pixels = pixel..(pixel + PIXELS).min(self.pixels);
                for channel in (0..self.channels).step_by(S::F32_LANES) {
                    let channels = channel..(channel + S::F32_LANES).min(self.channels);
                    if channels.len() == S::F32_LANES {
                        self.pass.tile::<S, true>(simd, pixels.clone(), channels);
                    } else {
                        self.pass.tile::<S, false>(simd, pixels.clone(), channels);
                    }
                }
            }
        }
    }
    arch().dispatch(Tiles { pixels, channels, pass });
}

/// A vector of channels; where they are fewer than a vector holds, zeros stand behind them.
#[inline(always)]
pub(super) fn load<S: Simd, const WHOLE: bool>(simd: S, from: &[f32]) -> S::f32s {
    if WHOLE { S::as_simd_f32s(from).0[0] } else { simd.partial_load_f32s(from) }
}

/// Puts as many numbers of a vector as there is room for.
#[inline(always)]
pub(super) fn store<S: Simd, const WHOLE: bool>(simd: S, to: &mut [f32], value: S::f32s) {
    if WHOLE {
        S::as_mut_simd_f32s(to).0[0] = value;
    } else {
        simd.partial_store_f32s(to, value);
    }
}
