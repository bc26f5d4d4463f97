//! Training on graphics cards of any maker with burn, through Vulkan, Metal, DirectX 12, CUDA or
//! ROCm: the same network, optimizer and checkpoints as with every other backend, differentiated
//! by burn.
//!
//! Weights, the optimizer's numbers and batch norm's statistics stay on the card from step to
//! step; pixels go there and losses come back. burn looks for the quickest of its kernels the
//! first time that it meets a shape, so the first steps are slow.

mod device;
mod interpreter;
mod losses;
mod parameters;
mod rule;

use std::{collections::HashMap, fmt};

use burn_tensor::{Device, ExecutionError, Tensor, TensorData};
use planet::Activations;
use planet_data::PixelBatch;
use planet_net::{Network, Operation, OutputName, Shape, Weights};

pub(crate) use self::device::cards;
use self::{
    interpreter::{Interpreter, Mode, Passed, Tensors},
    losses::Losses,
    parameters::{Parameters, numbers, take_gradients},
};
use crate::{
    Backend, BackendError, Gradients, Optimizer, Precision, State, StepOptions, StepReport,
    backend::{OutputLoss, check_targets},
};

/// The backend of burn.
pub struct Burn {
    /// As it was asked for: `vulkan:1`.
    name: String,
    device: Device,
    interpreter: Interpreter,
    /// Height and width of the input.
    side: [usize; 2],
    classes: usize,
    parameters: Parameters,
    optimizer: Optimizer,
    /// Steps taken.
    steps: u64,
}

/// What a forward and a backward pass leave on the device.
struct Differentiated {
    losses: Losses,
    gradients: Tensors,
    statistics: Tensors,
}

impl Burn {
    /// A network with these weights, to be trained with this optimizer on a graphics card:
    /// `vulkan`, `metal`, `wgpu`, `cuda`, `rocm`, or the second one that such an interface has,
    /// `vulkan:1`.
    ///
    /// # Errors
    /// Weights that do not fit the network, a network over sequences, an interface that this
    /// build lacks, a card that is not there.
    pub fn new(
        network: &Network,
        weights: &Weights,
        optimizer: Optimizer,
        device: &str,
        precision: Precision,
    ) -> Result<Self, BackendError> {
        optimizer.check()?;
        weights.check(network)?;
        if precision != Precision::F32 {
            let what =
                format!("burn trains only in f32; on '{device}' it does not support '{precision}'");
            return Err(BackendError::Device(what));
        }
        let Shape::Image { height, width, .. } = network.input_shape() else {
            return Err(unsupported(network.input_name()));
        };
        let lstm = |operation: &Operation| matches!(operation, Operation::Lstm(_));
        if let Some(node) = network.nodes().iter().find(|node| lstm(node.operation())) {
            return Err(unsupported(node.name()));
        }
        let name = device.to_owned();
        let device = device::open(device)?;
        Ok(Self {
            name,
            interpreter: Interpreter::new(network, device.clone()),
            side: [height, width],
            classes: network.classes(),
            parameters: Parameters::new(network, weights, &optimizer, &device),
            device,
            optimizer,
            steps: 0,
        })
    }

    /// The batch on the device, `[photos, height, width, 3]`.
    fn pixels(&self, batch: &PixelBatch) -> Result<Tensor<4>, BackendError> {
        let [height, width] = [batch.height(), batch.width()];
        let photos = batch.photos();
        if [height, width] != self.side || photos == 0 {
            return Err(BackendError::Batch { photos, found: [height, width], wanted: self.side });
        }
        let pixels = TensorData::new(batch.values().to_vec(), [photos, 3, height, width]);
        Ok(Tensor::<4>::from_data(pixels, &self.device).permute([0, 2, 3, 1]))
    }

    /// Forward and backward, all of it only asked of the device.
    fn differentiate(
        &self,
        batch: &PixelBatch,
        options: &StepOptions,
        losses: impl FnOnce(&HashMap<OutputName, Tensor<2>>) -> Result<Losses, ExecutionError>,
    ) -> Result<Differentiated, BackendError> {
        let pixels = self.pixels(batch)?.autodiff();
        let leaves = self.parameters.leaves();
        let mode = Mode::Training { dropout: options.dropout };
        let Passed { outputs, statistics } = self.interpreter.forward(pixels, &leaves, mode);
        let losses = losses(&outputs).map_err(failed)?;
        let gradients = take_gradients(&leaves, &losses.whole);
        Ok(Differentiated { losses, gradients, statistics })
    }

    /// As [`Self::differentiate`], by the cross entropy with each photo's class.
    fn differentiate_classes(
        &self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<Differentiated, BackendError> {
        check_targets(batch.photos(), targets, self.classes)?;
        self.differentiate(batch, options, |outputs| {
            Ok(Losses::new(outputs, targets, options, &self.device))
        })
    }

    fn update(
        &mut self,
        differentiated: Differentiated,
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        let Differentiated { losses, gradients, statistics } = differentiated;
        let Self { parameters, optimizer, steps, .. } = self;
        let rate = options.learning_rate;
        // Asked for before the losses are waited for, so that the device need not wait for us.
        let next = parameters.stepped(gradients, statistics, optimizer, *steps + 1, rate);
        let report = losses.read().map_err(failed)?;
        if report.is_finite() {
            (*parameters, *steps) = (next, *steps + 1);
        }
        Ok(report)
    }
}

impl Backend for Burn {
    fn name(&self) -> String {
        format!("burn, {}, {}", self.name, device::card(&self.device))
    }

    fn step(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        let differentiated = self.differentiate_classes(batch, targets, options)?;
        self.update(differentiated, options)
    }

    fn step_by(
        &mut self,
        batch: &PixelBatch,
        loss: OutputLoss<'_>,
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        let differentiated = self.differentiate(batch, options, |outputs| {
            Losses::outside(outputs, loss, options, &self.device)
        })?;
        self.update(differentiated, options)
    }

    fn gradients(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<Gradients, BackendError> {
        let Differentiated { losses, gradients, statistics } =
            self.differentiate_classes(batch, targets, options)?;
        self.parameters.set_statistics(statistics);
        let gradients = self.parameters.read_tensors(&gradients).map_err(failed)?;
        Ok(Gradients { report: losses.read().map_err(failed)?, gradients })
    }

    fn forward(&mut self, batch: &PixelBatch) -> Result<Activations, BackendError> {
        let pixels = self.pixels(batch)?;
        let passed = self.interpreter.forward(pixels, &self.parameters.best(), Mode::Evaluation);
        let read = |output: &Tensor<2>| output.try_to_data().map(numbers).map_err(failed);
        let embedding = passed.outputs.get(&OutputName::Embedding);
        Ok(Activations {
            embeddings: embedding.map_or(Ok(Vec::new()), read)?,
            features: embedding.map_or(0, |it| it.dims()[1]),
            logits: read(&passed.outputs[&OutputName::Logits])?,
            classes: self.classes,
        })
    }

    fn state(&self) -> State {
        self.parameters.state(self.steps).expect("the device gives its memory")
    }

    fn load(&mut self, state: &State) -> Result<(), BackendError> {
        state.check(&self.optimizer, &self.state())?;
        self.steps = state.steps;
        self.parameters.load(state, &self.device);
        Ok(())
    }
}

impl fmt::Debug for Burn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Burn")
            .field("device", &self.device)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

fn unsupported(node: &str) -> BackendError {
    let what = "trains sequences elsewhere".to_owned();
    BackendError::Unsupported { backend: "burn".into(), node: node.into(), what }
}

fn failed(error: ExecutionError) -> BackendError {
    let what = format!("the GPU failed: {error}");
    BackendError::Run { what, source: error.into() }
}
