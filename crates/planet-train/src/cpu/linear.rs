use super::{
    Layer, Mode,
    memory::{Memory, View},
};
use crate::product::{Matrix, Target};

/// A dense layer over features; weights are `[outputs, inputs]`.
#[derive(Debug)]
pub(super) struct Linear {
    pub(super) input: View,
    pub(super) output: View,
    pub(super) weight: usize,
    pub(super) bias: usize,
    /// Whether the gradient is accumulated instead of overwriting the buffer.
    pub(super) add: bool,
}

impl Layer for Linear {
    fn forward(&mut self, memory: &mut Memory, _: Mode) {
        let (photos, inputs, outputs) = (memory.photos, self.input.channels, self.output.channels);
        let mut values = memory.take_values(self.output);
        for row in values[..photos * outputs].chunks_exact_mut(outputs) {
            row.copy_from_slice(&memory.parameters[self.bias].values);
        }
        let input = Matrix::new(memory.values(self.input, 0..photos), photos, inputs, inputs);
        let weights = Matrix::new(&memory.parameters[self.weight].values, outputs, inputs, inputs);
        let target = Target::new(&mut values, photos, outputs, outputs);
        target.product(input, weights.transposed(), true, true);
        memory.return_values(self.output, values);
    }

    fn backward(&mut self, memory: &mut Memory) {
        let (photos, inputs, outputs) = (memory.photos, self.input.channels, self.output.channels);
        super::normalise::sum_pixels(memory, self.output, self.bias);
        let mut of_weights = std::mem::take(&mut memory.parameters[self.weight].gradient);
        let mut of_input = memory.take_gradients(self.input);
        let of_output =
            Matrix::new(memory.gradients(self.output, 0..photos), photos, outputs, outputs);
        let input = Matrix::new(memory.values(self.input, 0..photos), photos, inputs, inputs);
        let weights = Matrix::new(&memory.parameters[self.weight].values, outputs, inputs, inputs);
        let target = Target::new(&mut of_weights, outputs, inputs, inputs);
        target.product(of_output.transposed(), input, false, true);
        let target = Target::new(&mut of_input, photos, inputs, inputs);
        target.product(of_output, weights, self.add, true);
        memory.parameters[self.weight].gradient = of_weights;
        memory.return_gradients(self.input, of_input);
    }
}
