//! The pointwise part of an LSTM step, one album at a time. Gates stand in PyTorch's order:
//! input, forget, cell, output.

use crate::vectorised::{LANES, exponential};

/// Albums below which handing a step's work to another thread costs more than it saves.
pub(crate) const ALBUMS_A_TASK: usize = 8;

/// Numbers that are worked on at once.
type Block = [f32; LANES];

/// From the four gates before their activation, `[4 · hidden]`, which are activated in place,
/// and the old cell: the new cell, its tanh and the new hidden state, each `[hidden]`.
#[inline(always)]
pub(crate) fn forward(
    gates: &mut [f32],
    cell: &mut [f32],
    squashed: &mut [f32],
    hidden: &mut [f32],
) {
    let [input, forget, candidate, output] = quarters(gates);
    for at in (0..hidden.len()).step_by(LANES) {
        let i = map(load(input, at), sigmoid);
        let f = map(load(forget, at), sigmoid);
        let g = map(load(candidate, at), tanh);
        let o = map(load(output, at), sigmoid);
        let mut c = load(cell, at);
        (0..LANES).for_each(|lane| c[lane] = f[lane] * c[lane] + i[lane] * g[lane]);
        let s = map(c, tanh);
        let mut h = s;
        (0..LANES).for_each(|lane| h[lane] *= o[lane]);
        let places = [&mut *input, forget, candidate, output, cell, squashed, hidden];
        for (values, block) in places.into_iter().zip([i, f, g, o, c, s, h]) {
            store(values, at, block);
        }
    }
}

/// From what [`forward`] left (activated gates, tanh of the new cell), the old cell, and the
/// derivatives by the new hidden state and the new cell: those by the gates before their
/// activation, in the gates' place, and those by the old cell, in the new one's place.
#[inline(always)]
pub(crate) fn backward(
    gates: &mut [f32],
    squashed: &[f32],
    cell_before: &[f32],
    of_hidden: &[f32],
    of_cell: &mut [f32],
) {
    let [input, forget, candidate, output] = quarters(gates);
    for at in (0..of_hidden.len()).step_by(LANES) {
        let (mut i, mut f) = (load(input, at), load(forget, at));
        let (mut g, mut o) = (load(candidate, at), load(output, at));
        let (s, before) = (load(squashed, at), load(cell_before, at));
        let (of_h, mut of_c) = (load(of_hidden, at), load(of_cell, at));
        for lane in 0..LANES {
            let cell = of_c[lane] + of_h[lane] * o[lane] * (1.0 - s[lane] * s[lane]);
            o[lane] = of_h[lane] * s[lane] * o[lane] * (1.0 - o[lane]);
            let of_input = cell * g[lane] * i[lane] * (1.0 - i[lane]);
            g[lane] = cell * i[lane] * (1.0 - g[lane] * g[lane]);
            i[lane] = of_input;
            of_c[lane] = cell * f[lane];
            f[lane] = cell * before[lane] * f[lane] * (1.0 - f[lane]);
        }
        let places = [&mut *input, forget, candidate, output, of_cell];
        for (values, block) in places.into_iter().zip([i, f, g, o, of_c]) {
            store(values, at, block);
        }
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exponential(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (1.0 + exponential(2.0 * x))
}

#[inline(always)]
fn map(mut block: Block, f: impl Fn(f32) -> f32) -> Block {
    (0..LANES).for_each(|lane| block[lane] = f(block[lane]));
    block
}

/// The four gates of one album.
#[inline(always)]
fn quarters(gates: &mut [f32]) -> [&mut [f32]; 4] {
    let hidden = gates.len() / 4;
    let (first, second) = gates.split_at_mut(2 * hidden);
    let ((input, forget), (candidate, output)) =
        (first.split_at_mut(hidden), second.split_at_mut(hidden));
    [input, forget, candidate, output]
}

/// A block of values, filled up with zeros behind the last.
#[inline(always)]
fn load(values: &[f32], at: usize) -> Block {
    let rest = &values[at..];
    match rest.first_chunk() {
        Some(block) => *block,
        None => {
            let mut block = [0.0; LANES];
            block[..rest.len()].copy_from_slice(rest);
            block
        }
    }
}

#[inline(always)]
fn store(values: &mut [f32], at: usize, block: Block) {
    let rest = &mut values[at..];
    match rest.first_chunk_mut() {
        Some(place) => *place = block,
        None => rest.copy_from_slice(&block[..rest.len()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_and_tanh_are_right_to_a_ten_millionth_and_flat_at_the_ends() {
        for step in -20_000..20_000 {
            let x = step as f32 * 1e-3;
            let wide = f64::from(x);
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp())).abs() < 2e-7, "{x}");
            assert!((f64::from(tanh(x)) - wide.tanh()).abs() < 2e-7, "{x}");
        }
        assert_eq!([tanh(1e30), tanh(-1e30), sigmoid(1e30)], [1.0, -1.0, 1.0]);
        assert!(sigmoid(-1e30) < 1e-38 && sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
    }
}
