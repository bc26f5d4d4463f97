use pulp::{Simd, WithSimd};

use super::{Aligned, arch};

/// Vectors of outputs that a tile computes at most.
pub(super) const MOST_VECTORS: usize = 3;

/// Weights of a convolution in the order in which tiles read them: panels of outputs; in each, for
/// every tap and input, the weights of its outputs side by side.
#[derive(Debug, Default)]
pub(super) struct Packed {
    values: Aligned,
    panels: Vec<Panel>,
}

/// Some outputs of a convolution, side by side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    /// The first output.
    pub(super) first: usize,
    /// Outputs, without those that fill the last vector.
    pub(super) outputs: usize,
    pub(super) vectors: usize,
    /// Where its weights begin.
    start: usize,
}

/// f32 that a vector of this processor holds.
pub(super) fn lanes() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    arch().dispatch(Lanes)
}

impl Packed {
    /// Of weights `[outputs, inputs, taps]`.
    pub(super) fn new(weights: &[f32], [outputs, inputs, taps]: [usize; 3]) -> Self {
        let lanes = lanes();
        let depth = inputs * taps;
        let panels = panels(outputs, lanes, depth);
        let vectors: usize = panels.iter().map(|panel| panel.vectors).sum();
        let mut values = Aligned::zeros(vectors * lanes * depth);
        for panel in &panels {
            let width = panel.vectors * lanes;
            let rows = &weights[panel.first * depth..][..panel.outputs * depth];
            let to = &mut values.values_mut()[panel.start..][..width * depth];
            fill(to, rows, width, [panel.outputs, inputs, taps]);
        }
        Self { values, panels }
    }

    pub(super) fn panels(&self) -> &[Panel] {
        &self.panels
    }

    /// The weights of a panel, from which all of its vectors are read.
    pub(super) fn of(&self, panel: &Panel) -> &[f32] {
        &self.values.values()[panel.start..]
    }
}

/// Cuts outputs into panels of as equal a number of vectors as they can have.
fn panels(outputs: usize, lanes: usize, depth: usize) -> Vec<Panel> {
    let vectors = outputs.div_ceil(lanes);
    let count = vectors.div_ceil(MOST_VECTORS);
    let mut done = 0;
    (0..count)
        .map(|at| {
            let here = (vectors - done).div_ceil(count - at);
            let first = done * lanes;
            let panel = Panel {
                first,
                outputs: (outputs - first).min(here * lanes),
                vectors: here,
                start: first * depth,
            };
            done += here;
            panel
        })
        .collect()
}

/// Turns `[outputs, inputs, taps]` into `[taps, inputs, width]`, some inputs at a time, so that what
/// is written stays in the cache until all outputs have been.
fn fill(to: &mut [f32], from: &[f32], width: usize, [outputs, inputs, taps]: [usize; 3]) {
    let together = (128 / taps).max(1);
    for first in (0..inputs).step_by(together) {
        let end = (first + together).min(inputs);
        for output in 0..outputs {
            let row = &from[output * inputs * taps..][first * taps..end * taps];
            for (input, row) in (first..end).zip(row.chunks_exact(taps)) {
                for (tap, weight) in row.iter().enumerate() {
                    to[(tap * inputs + input) * width + output] = *weight;
                }
            }
        }
    }
}
