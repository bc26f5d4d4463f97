use rayon::prelude::*;

use crate::{
    Packed, gates,
    product::{Matrix, Target},
    vectorised::vectorised,
};

/// One direction of an LSTM layer, its four gates fused into one product a step. It borrows its
/// weights, in PyTorch's layout and gate order: input, forget, cell, output.
///
/// The gradients are written out by hand (back-propagation through time): the products with the
/// inputs and the weights' gradients are one large product each over all steps, which is where
/// a processor is fast, and derivatives replace values that are no longer needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lstm<'a> {
    pub(crate) features: usize,
    pub(crate) hidden: usize,
    pub(crate) direction: Direction,
    /// `[4 · hidden, features]`
    pub(crate) input: &'a [f32],
    /// `[4 · hidden, hidden]`
    pub(crate) recurrent: &'a [f32],
    /// Of the inputs' and of the state's product, each `[4 · hidden]`: PyTorch has two.
    pub(crate) biases: [&'a [f32]; 2],
}

/// Which way a sequence is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the first photo to the last.
    Forward,
    /// From the last photo to the first.
    Backward,
}

/// What an LSTM remembers between two steps; zero at an album's start.
#[derive(Clone, Debug, PartialEq)]
pub struct LstmState {
    /// Width of the state.
    width: usize,
    /// `[albums, width]`
    hidden: Vec<f32>,
    /// `[albums, width]`
    cell: Vec<f32>,
}

impl LstmState {
    /// The state at the start of `albums` albums.
    pub fn zero(albums: usize, width: usize) -> Self {
        Self { width, hidden: vec![0.0; albums * width], cell: vec![0.0; albums * width] }
    }

    /// Leaves the first so many albums: the others have ended.
    pub fn truncate(&mut self, albums: usize) {
        self.hidden.truncate(albums * self.width);
        self.cell.truncate(albums * self.width);
    }

    /// Each album's hidden state, `[albums, width]`.
    pub fn hidden(&self) -> &[f32] {
        &self.hidden
    }

    /// Each album's cell, `[albums, width]`.
    pub fn cell(&self) -> &[f32] {
        &self.cell
    }
}

/// What a pass leaves for the gradients; all row by row as the inputs.
pub(crate) struct Pass {
    /// The gates, activated; `[rows, 4 · hidden]`.
    gates: Vec<f32>,
    /// tanh of the new cells; `[rows, hidden]`.
    squashed: Vec<f32>,
    hidden_before: Vec<f32>,
    cell_before: Vec<f32>,
    /// The new hidden states: the answer; `[rows, hidden]`.
    pub(crate) outputs: Vec<f32>,
}

/// Where derivatives of the loss by an LSTM's weights go, each of its weight's shape.
pub(crate) struct LstmGradients<'a> {
    pub(crate) input: &'a mut [f32],
    pub(crate) recurrent: &'a mut [f32],
    pub(crate) bias: &'a mut [f32],
}

impl Lstm<'_> {
    /// Reads a batch of sequences, `inputs` `[rows, features]`, from `state`, which is left
    /// behind each sequence's last read step.
    pub(crate) fn forward(&self, inputs: &[f32], packed: &Packed, state: &mut LstmState) -> Pass {
        let (rows, hidden, wide) = (packed.rows(), self.hidden, 4 * self.hidden);
        let mut pass = Pass {
            gates: self.projected(inputs, rows),
            squashed: vec![0.0; rows * hidden],
            hidden_before: vec![0.0; rows * hidden],
            cell_before: vec![0.0; rows * hidden],
            outputs: vec![0.0; rows * hidden],
        };
        let recurrent = transposed(self.recurrent, wide, hidden);
        let recurrent = Matrix::new(&recurrent, hidden, wide, wide);
        for step in self.direction.order(packed.steps()) {
            let at = packed.step(step);
            let albums = at.len();
            let gates = &mut pass.gates[at.start * wide..at.end * wide];
            let states = Matrix::new(&state.hidden, albums, hidden, hidden);
            Target::new(gates, albums, wide, wide).product(states, recurrent, true, true);
            let states = at.start * hidden..at.end * hidden;
            let (hiddens, cells) =
                (&mut state.hidden[..states.len()], &mut state.cell[..states.len()]);
            pass.hidden_before[states.clone()].copy_from_slice(hiddens);
            pass.cell_before[states.clone()].copy_from_slice(cells);
            gates
                .par_chunks_exact_mut(wide)
                .zip(cells.par_chunks_exact_mut(hidden))
                .zip(pass.squashed[states.clone()].par_chunks_exact_mut(hidden))
                .zip(hiddens.par_chunks_exact_mut(hidden))
                .with_min_len(gates::ALBUMS_A_TASK)
                .for_each(|(((gates, cell), squashed), hidden)| {
                    vectorised(|| gates::forward(gates, cell, squashed, hidden));
                });
            pass.outputs[states].copy_from_slice(hiddens);
        }
        pass
    }

    /// The inputs' share of the gates, with the biases; `[rows, 4 · hidden]`.
    fn projected(&self, inputs: &[f32], rows: usize) -> Vec<f32> {
        let wide = 4 * self.hidden;
        let [first, second] = self.biases;
        let bias: Vec<f32> = first.iter().zip(second).map(|(a, b)| a + b).collect();
        let mut gates = bias.repeat(rows);
        let inputs = Matrix::new(inputs, rows, self.features, self.features);
        let weights = Matrix::new(self.input, wide, self.features, self.features);
        let target = Target::new(&mut gates, rows, wide, wide);
        target.product(inputs, weights.transposed(), true, true);
        gates
    }

    /// Gradients of a loss whose derivative by the pass's outputs is `of_outputs`,
    /// `[rows, hidden]`; that by the last state is zero, since none flows back from a later
    /// chunk (truncated back-propagation).
    pub(crate) fn backward(
        &self,
        inputs: &[f32],
        packed: &Packed,
        mut pass: Pass,
        mut of_outputs: Vec<f32>,
        gradients: LstmGradients<'_>,
    ) {
        let (rows, hidden, wide) = (packed.rows(), self.hidden, 4 * self.hidden);
        let mut of_hidden = vec![0.0; packed.sequences() * hidden];
        let mut of_cell = of_hidden.clone();
        let recurrent = Matrix::new(self.recurrent, wide, hidden, hidden);
        for step in self.direction.order(packed.steps()).into_iter().rev() {
            let at = packed.step(step);
            let states = at.start * hidden..at.end * hidden;
            let gates = &mut pass.gates[at.start * wide..at.end * wide];
            let of_state = &mut of_hidden[..states.len()];
            gates
                .par_chunks_exact_mut(wide)
                .zip(pass.squashed[states.clone()].par_chunks_exact(hidden))
                .zip(pass.cell_before[states.clone()].par_chunks_exact(hidden))
                .zip(of_state.par_chunks_exact(hidden))
                .zip(of_outputs[states.clone()].par_chunks_exact_mut(hidden))
                .zip(of_cell[..states.len()].par_chunks_exact_mut(hidden))
                .with_min_len(gates::ALBUMS_A_TASK)
                .for_each(|(((((gates, squashed), before), of_state), of_output), of_cell)| {
                    vectorised(|| {
                        for (of_output, of_state) in of_output.iter_mut().zip(of_state) {
                            *of_output += of_state;
                        }
                        gates::backward(gates, squashed, before, of_output, of_cell);
                    });
                });
            let gates = Matrix::new(gates, at.len(), wide, wide);
            let target = Target::new(of_state, at.len(), hidden, hidden);
            target.product(gates, recurrent, false, true);
        }
        let of_gates = Matrix::new(&pass.gates, rows, wide, wide).transposed();
        let inputs = Matrix::new(inputs, rows, self.features, self.features);
        let before = Matrix::new(&pass.hidden_before, rows, hidden, hidden);
        let LstmGradients { input, recurrent, bias } = gradients;
        Target::new(input, wide, self.features, self.features)
            .product(of_gates, inputs, false, true);
        Target::new(recurrent, wide, hidden, hidden).product(of_gates, before, false, true);
        bias.fill(0.0);
        add_rows(&pass.gates, bias);
    }
}

impl Direction {
    /// The steps of a sequence in the order in which they are read.
    fn order(self, steps: usize) -> Vec<usize> {
        match self {
            Self::Forward => (0..steps).collect(),
            Self::Backward => (0..steps).rev().collect(),
        }
    }
}

/// Adds all rows of a matrix to one row.
pub(crate) fn add_rows(values: &[f32], sums: &mut [f32]) {
    const COLUMNS: usize = 1024;
    let width = sums.len();
    sums.par_chunks_mut(COLUMNS).enumerate().for_each(|(piece, sums)| {
        vectorised(|| {
            for row in values.chunks_exact(width) {
                for (sum, value) in sums.iter_mut().zip(&row[piece * COLUMNS..]) {
                    *sum += value;
                }
            }
        });
    });
}

/// Rows as columns, moved: a product with few rows then reads it without packing it.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const TILE: usize = 16;
    let mut turned = vec![0.0; values.len()];
    turned.par_chunks_mut(TILE * rows).enumerate().for_each(|(piece, turned)| {
        let first = piece * TILE;
        for (row, values) in values.chunks_exact(columns).enumerate() {
            for (column, turned) in turned.chunks_exact_mut(rows).enumerate() {
                turned[row] = values[first + column];
            }
        }
    });
    turned
}
