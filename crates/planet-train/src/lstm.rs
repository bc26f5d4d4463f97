use burn::tensor::{Device, Tensor, activation};

/// One direction of an LSTM layer, its four gates fused into one product a step.
///
/// The gradients are written out by hand (back-propagation through time) instead of being
/// recorded step by step: the products with the inputs and the weights' gradients then are one
/// large product each over all steps, which is where a processor is fast.
///
/// Gates stand in PyTorch's order: input, forget, cell, output. PyTorch's two biases always
/// occur as their sum, so there is one.
#[derive(Clone, Debug)]
pub struct Lstm {
    /// `[features, 4 · hidden]`
    pub input: Tensor<2>,
    /// `[hidden, 4 · hidden]`
    pub recurrent: Tensor<2>,
    /// `[4 · hidden]`
    pub bias: Tensor<1>,
}

/// What an LSTM remembers between two steps; zero at an album's start.
#[derive(Clone, Debug)]
pub struct LstmState {
    /// `[albums, hidden]`
    pub hidden: Tensor<2>,
    /// `[albums, hidden]`
    pub cell: Tensor<2>,
}

impl LstmState {
    /// The state at the start of `albums` albums.
    pub fn zero(albums: usize, hidden: usize, device: &Device) -> Self {
        let zeros = Tensor::zeros([albums, hidden], device);
        Self { hidden: zeros.clone(), cell: zeros }
    }
}

/// A pass over a batch of sequences: its answers, and what its gradients need.
#[derive(Debug)]
pub struct LstmPass {
    /// `[time, albums, hidden]`, in the order of the inputs.
    pub outputs: Tensor<3>,
    /// The state after each sequence's last step: where the next chunk of a long album begins.
    pub last: LstmState,
    /// `[time · albums, features]`
    inputs: Tensor<2>,
    steps: Vec<Step>,
    direction: Direction,
}

/// Which way a sequence is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the first photo to the last.
    Forward,
    /// From the last photo to the first.
    Backward,
}

/// Derivatives of the loss with respect to an [`Lstm`]'s weights, each of its weight's shape.
#[derive(Clone, Debug)]
pub struct LstmGradients {
    /// `[features, 4 · hidden]`
    pub input: Tensor<2>,
    /// `[hidden, 4 · hidden]`
    pub recurrent: Tensor<2>,
    /// `[4 · hidden]`
    pub bias: Tensor<1>,
}

/// What one step leaves for the gradients; every tensor is `[albums, hidden]`.
#[derive(Debug)]
struct Step {
    input_gate: Tensor<2>,
    forget_gate: Tensor<2>,
    candidate: Tensor<2>,
    output_gate: Tensor<2>,
    /// tanh of the new cell.
    squashed: Tensor<2>,
    before: LstmState,
    /// 1 where the sequence has this step, 0 where it is padding; `[albums, 1]`.
    present: Tensor<2>,
}

impl Lstm {
    /// Width of the state.
    pub fn hidden(&self) -> usize {
        self.recurrent.dims()[0]
    }

    /// Reads a batch of sequences.
    ///
    /// `inputs` is `[time, albums, features]`, padded; `present` is `[time, albums]`, 1 where a
    /// sequence has that step and 0 where it is padding. A padded step leaves the state as it
    /// is, so that short sequences end, or begin when read backwards, as if they were alone.
    pub fn forward(
        &self,
        inputs: Tensor<3>,
        present: &Tensor<2>,
        start: LstmState,
        direction: Direction,
    ) -> LstmPass {
        let [time, albums, features] = inputs.dims();
        let inputs = inputs.reshape([time * albums, features]);
        let projected = inputs.clone().matmul(self.input.clone()) + self.bias.clone().unsqueeze();
        let mut state = start;
        let mut steps = Vec::with_capacity(time);
        let mut outputs = Vec::with_capacity(time);
        for at in direction.order(time) {
            let gates = projected.clone().narrow(0, at * albums, albums);
            let mask = present.clone().narrow(0, at, 1).reshape([albums, 1]);
            let (step, next) = self.step(gates, mask, state);
            outputs.push(next.hidden.clone());
            steps.push(step);
            state = next;
        }
        if direction == Direction::Backward {
            outputs.reverse();
        }
        LstmPass { outputs: Tensor::stack(outputs, 0), last: state, inputs, steps, direction }
    }

    /// One step: `gates` is the inputs' share of the gates, `[albums, 4 · hidden]`.
    fn step(&self, gates: Tensor<2>, present: Tensor<2>, before: LstmState) -> (Step, LstmState) {
        let gates = gates + before.hidden.clone().matmul(self.recurrent.clone());
        let [input, forget, candidate, output] = quarters(gates);
        let input_gate = activation::sigmoid(input);
        let forget_gate = activation::sigmoid(forget);
        let candidate = activation::tanh(candidate);
        let output_gate = activation::sigmoid(output);
        let cell =
            forget_gate.clone() * before.cell.clone() + input_gate.clone() * candidate.clone();
        let squashed = activation::tanh(cell.clone());
        let hidden = output_gate.clone() * squashed.clone();
        let keep =
            |new: Tensor<2>, old: &Tensor<2>| old.clone() + (new - old.clone()) * present.clone();
        let next =
            LstmState { hidden: keep(hidden, &before.hidden), cell: keep(cell, &before.cell) };
        let step =
            Step { input_gate, forget_gate, candidate, output_gate, squashed, before, present };
        (step, next)
    }

    /// Gradients of a loss whose derivative with respect to the pass's outputs is
    /// `outputs`, `[time, albums, hidden]`; the derivative with respect to the last state is
    /// zero, since none flows back from a later chunk (truncated back-propagation).
    pub fn backward(&self, pass: LstmPass, outputs: &Tensor<3>) -> LstmGradients {
        let [time, albums, hidden] = outputs.dims();
        let order = pass.direction.order(time);
        let mut of_hidden = Tensor::zeros([albums, hidden], &outputs.device());
        let mut of_cell = of_hidden.clone();
        let mut of_gates = Vec::with_capacity(time);
        let mut before = Vec::with_capacity(time);
        let transposed = self.recurrent.clone().transpose();
        for (at, step) in order.into_iter().zip(pass.steps).rev() {
            let of_output = outputs.clone().narrow(0, at, 1).reshape([albums, hidden]);
            let (gates, kept_hidden, kept_cell) = step.backward(of_hidden + of_output, of_cell);
            of_hidden = kept_hidden + gates.clone().matmul(transposed.clone());
            of_cell = kept_cell;
            of_gates.push(gates);
            before.push(step.before.hidden);
        }
        // Steps were walked from the last read to the first; the inputs lie in album order.
        if pass.direction == Direction::Forward {
            of_gates.reverse();
            before.reverse();
        }
        let of_gates = Tensor::cat(of_gates, 0);
        LstmGradients {
            input: pass.inputs.transpose().matmul(of_gates.clone()),
            recurrent: Tensor::cat(before, 0).transpose().matmul(of_gates.clone()),
            bias: of_gates.sum_dim(0).squeeze_dim(0),
        }
    }
}

impl Step {
    /// From the derivatives with respect to the step's new state: those with respect to its
    /// gates before their activation, `[albums, 4 · hidden]`, and the parts that reach the old
    /// hidden state (past padding) and the old cell directly.
    fn backward(
        &self,
        of_hidden: Tensor<2>,
        of_cell: Tensor<2>,
    ) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
        let absent = self.present.clone().neg() + 1.0;
        let kept_hidden = of_hidden.clone() * absent.clone();
        let kept_cell = of_cell.clone() * absent;
        let of_hidden = of_hidden * self.present.clone();
        let of_cell = of_cell * self.present.clone()
            + of_hidden.clone() * self.output_gate.clone() * slope_of_tanh(&self.squashed);
        let of_output = of_hidden * self.squashed.clone() * slope_of_sigmoid(&self.output_gate);
        let of_input =
            of_cell.clone() * self.candidate.clone() * slope_of_sigmoid(&self.input_gate);
        let of_candidate =
            of_cell.clone() * self.input_gate.clone() * slope_of_tanh(&self.candidate);
        let of_forget =
            of_cell.clone() * self.before.cell.clone() * slope_of_sigmoid(&self.forget_gate);
        let gates = Tensor::cat(vec![of_input, of_forget, of_candidate, of_output], 1);
        (gates, kept_hidden, kept_cell + of_cell * self.forget_gate.clone())
    }
}

impl Direction {
    /// The steps of a sequence in the order in which they are read.
    fn order(self, time: usize) -> Vec<usize> {
        match self {
            Self::Forward => (0..time).collect(),
            Self::Backward => (0..time).rev().collect(),
        }
    }
}

/// The four gates of `[albums, 4 · hidden]`.
fn quarters(gates: Tensor<2>) -> [Tensor<2>; 4] {
    let hidden = gates.dims()[1] / 4;
    std::array::from_fn(|gate| gates.clone().narrow(1, gate * hidden, hidden))
}

/// Derivative of the sigmoid where its value is `value`.
fn slope_of_sigmoid(value: &Tensor<2>) -> Tensor<2> {
    value.clone() - value.clone() * value.clone()
}

/// Derivative of tanh where its value is `value`.
fn slope_of_tanh(value: &Tensor<2>) -> Tensor<2> {
    (value.clone() * value.clone()).neg() + 1.0
}
