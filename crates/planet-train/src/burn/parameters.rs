use std::collections::HashMap;

use burn_tensor::{Device, ExecutionError, Tensor, TensorData, Transaction};
use planet_net::{Array, Network, ParameterKind, Weights};

use super::interpreter::Tensors;
use crate::{Optimizer, State};

/// Every parameter on the device, in the network's order. Each is a row of all its numbers, so
/// that the optimizer needs not know of shapes; a convolution's weights stand channels last in it.
#[derive(Clone)]
pub(super) struct Parameters(Vec<Parameter>);

/// One parameter.
#[derive(Clone)]
struct Parameter {
    name: String,
    shape: Vec<usize>,
    trained: bool,
    values: Tensor<1>,
    /// The optimizer's numbers; running statistics have none.
    slots: Vec<Tensor<1>>,
    /// The moving average, where one is kept.
    average: Option<Tensor<1>>,
}

impl Parameters {
    /// A network's parameters with these weights, before the first step.
    pub(super) fn new(
        network: &Network,
        weights: &Weights,
        optimizer: &Optimizer,
        device: &Device,
    ) -> Self {
        let parameter = |it: planet_net::Parameter| {
            let array = weights.get(&it.name).expect("the weights were checked");
            let values = inward(array, device);
            let trained = it.kind == ParameterKind::Trained;
            let slots = if trained { optimizer.begin(1) } else { Vec::new() };
            let begun = |slot: Vec<f32>| {
                Tensor::full([it.shape.iter().product::<usize>()], slot[0], device)
            };
            let slots = slots.into_iter().map(begun).collect();
            let average = optimizer.average.map(|_| values.clone());
            Parameter { name: it.name, shape: it.shape, trained, values, slots, average }
        };
        Self(network.parameters().map(parameter).collect())
    }

    /// What the network trains with: each trained parameter begins a graph of derivatives.
    pub(super) fn leaves(&self) -> Tensors {
        let leaf = |it: &Parameter| match it.trained {
            true => it.values.clone().autodiff().require_grad(),
            false => it.values.clone(),
        };
        self.0.iter().map(|it| (it.name.clone(), leaf(it))).collect()
    }

    /// What the network is used with: averaged weights where an average is kept.
    pub(super) fn best(&self) -> Tensors {
        let best = |it: &Parameter| it.average.as_ref().unwrap_or(&it.values).clone();
        self.0.iter().map(|it| (it.name.clone(), best(it))).collect()
    }

    /// Puts batch norm's new statistics in.
    pub(super) fn set_statistics(&mut self, mut statistics: Tensors) {
        for it in &mut self.0 {
            if let Some(values) = statistics.remove(&it.name) {
                it.values = values;
            }
        }
    }

    /// The parameters after a step; `step` counts from 1.
    pub(super) fn stepped(
        &self,
        mut gradients: Tensors,
        statistics: Tensors,
        optimizer: &Optimizer,
        step: u64,
        rate: f64,
    ) -> Self {
        let mut next = self.clone();
        next.set_statistics(statistics);
        let in_order = self.0.iter().filter_map(|it| gradients.get(&it.name));
        let scale = optimizer.clip(in_order);
        for it in &mut next.0 {
            if let Some(gradient) = gradients.remove(&it.name) {
                let gradient = match &scale {
                    Some(scale) => gradient * scale.clone(),
                    None => gradient,
                };
                // Biases and batch norm's parameters do not decay.
                let (values, decays) = (it.values.clone(), it.shape.len() > 1);
                let stepped = optimizer.stepped(values, gradient, &it.slots, decays, step, rate);
                (it.values, it.slots) = (stepped.values, stepped.slots);
            }
            let averaged = |average| optimizer.averaged(average, it.values.clone(), step);
            it.average = it.average.take().map(averaged);
        }
        next
    }

    /// Waits for the device and gives all that a checkpoint must hold.
    pub(super) fn state(&self, steps: u64) -> Result<State, ExecutionError> {
        let slot = |slot: usize| self.read(|it| it.slots.get(slot));
        let slots = self.0.iter().map(|it| it.slots.len()).max().unwrap_or(0);
        let averages = self.0.iter().any(|it| it.average.is_some());
        Ok(State {
            steps,
            weights: self.read(|it| Some(&it.values))?,
            slots: (0..slots).map(slot).collect::<Result<_, _>>()?,
            average: averages.then(|| self.read(|it| it.average.as_ref())).transpose()?,
        })
    }

    /// One tensor of each parameter, on the host.
    fn read<'a>(
        &'a self,
        of: impl Fn(&'a Parameter) -> Option<&'a Tensor<1>>,
    ) -> Result<Weights, ExecutionError> {
        let asked = self.0.iter().filter_map(|it| Some((it, of(it)?.clone())));
        let (asked, rows): (Vec<&Parameter>, Vec<Tensor<1>>) = asked.unzip();
        let rows = rows.into_iter().zip(&asked).map(|(row, it)| outward(row, &it.shape));
        let read = rows.fold(Transaction::default(), Transaction::register).try_execute()?;
        let array = |(data, it): (TensorData, &Parameter)| {
            (it.name.clone(), Array::new(it.shape.clone(), numbers(data)))
        };
        Ok(read.into_iter().zip(asked).map(array).collect())
    }

    /// Goes back to a state, which was checked.
    pub(super) fn load(&mut self, state: &State, device: &Device) {
        let load = |weights: &Weights, name: &str| {
            inward(weights.get(name).expect("the state was checked"), device)
        };
        for it in &mut self.0 {
            it.values = load(&state.weights, &it.name);
            if it.trained {
                it.slots = state.slots.iter().map(|slot| load(slot, &it.name)).collect();
            }
            it.average = state.average.as_ref().map(|average| load(average, &it.name));
        }
    }

    /// Gradients, or other tensors by the parameters' names, on the host.
    pub(super) fn read_tensors(&self, tensors: &Tensors) -> Result<Weights, ExecutionError> {
        self.read(|it| tensors.get(&it.name))
    }
}

/// A parameter as PyTorch has it, as its row on the device.
fn inward(array: &Array, device: &Device) -> Tensor<1> {
    let (values, shape) = (array.values().to_vec(), array.shape());
    match *shape {
        [outputs, inputs, height, width] => {
            let data = TensorData::new(values, [outputs, inputs, height, width]);
            Tensor::<4>::from_data(data, device)
                .permute([0, 2, 3, 1])
                .reshape([array.values().len()])
        }
        _ => Tensor::from_data(TensorData::new(values, [array.values().len()]), device),
    }
}

/// The row of a parameter of this shape, in PyTorch's order.
fn outward(row: Tensor<1>, shape: &[usize]) -> Tensor<1> {
    match *shape {
        [outputs, inputs, height, width] => {
            let count = row.dims()[0];
            row.reshape([outputs, height, width, inputs]).permute([0, 3, 1, 2]).reshape([count])
        }
        _ => row,
    }
}

/// What a tensor of f32 holds.
pub(super) fn numbers(data: TensorData) -> Vec<f32> {
    data.try_into_vec().expect("the device computes with f32")
}

/// The trained parameters' gradients, taken out of a graph of derivatives.
pub(super) fn take_gradients(leaves: &Tensors, loss: &Tensor<1>) -> HashMap<String, Tensor<1>> {
    let mut gradients = loss.backward();
    let trained = leaves.iter().filter(|(_, leaf)| leaf.is_require_grad());
    let take = |(name, leaf): (&String, &Tensor<1>)| {
        // What no output depends on has no gradient.
        let none = || leaf.clone().inner().zeros_like();
        (name.clone(), leaf.grad_remove(&mut gradients).unwrap_or_else(none))
    };
    trained.map(take).collect()
}
