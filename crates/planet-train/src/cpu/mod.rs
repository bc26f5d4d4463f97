//! Training on the processor, with gradients written out layer by layer.
//!
//! Values stand channels last, so that a convolution is a product of windows with weights, and
//! a branch writes straight into its place in the concatenation; batch norm and the ReLU behind
//! it are one pass. Values that are quick to compute are computed again for the gradients instead
//! of kept, what is not needed at the same time stands in the same memory, and no memory is asked
//! for between steps. A batch is cut into a fixed number of parts, so that results do
//! not depend on the number of threads.

mod convolution;
mod depthwise;
mod lifetimes;
mod linear;
mod memory;
mod normalise;
mod plan;
mod pointwise;
mod pool;
mod tiles;

use std::fmt;

use planet::Activations;
use planet_data::PixelBatch;
use planet_net::{Array, Network, Weights};
use rayon::prelude::*;

use self::{
    lifetimes::Step,
    memory::{Held, Memory, Scratch, View},
    plan::Plan,
};
use crate::{
    Backend, BackendError, Gradients, Optimizer, State, StepOptions, StepReport,
    backend::{OutputLoss, check_targets},
    loss::{self, Loss},
    optimizer::Learned,
    vectorised::vectorised,
};

/// Pieces that a batch is cut into. More than any laptop's cores, few enough that each has
/// photos for a good product.
const PARTS: usize = 8;

/// How a pass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Batch norm takes the batch's statistics; dropout drops where it has a seed.
    Training { dropout: Option<u64> },
    /// Batch norm takes the running statistics; nothing is dropped.
    Evaluation,
    /// Values that were not kept are computed again, as in training.
    Again,
}

/// One layer: what it computes, and the derivatives of what it computed last.
trait Layer: fmt::Debug + Send {
    fn forward(&mut self, memory: &mut Memory, mode: Mode);

    /// From the gradients of its outputs to those of its inputs and parameters.
    fn backward(&mut self, memory: &mut Memory);
}

/// The backend that every machine has.
pub struct Cpu {
    plan: Plan,
    memory: Memory,
    optimizer: Optimizer,
    /// The optimizer's numbers of each parameter, in the layers' layout.
    slots: Vec<Vec<Vec<f32>>>,
    /// The moving average of each parameter, where one is kept.
    average: Vec<Vec<f32>>,
    /// Steps taken.
    steps: u64,
}

impl Cpu {
    /// A network with these weights, to be trained with this optimizer.
    ///
    /// # Errors
    /// Weights that do not fit the network, or a node that this backend does not know.
    pub fn new(
        network: &Network,
        weights: &Weights,
        optimizer: Optimizer,
    ) -> Result<Self, BackendError> {
        optimizer.check()?;
        weights.check(network)?;
        let mut plan = Plan::new(network)?;
        let slabs = std::mem::take(&mut plan.slabs);
        let buffers = std::mem::take(&mut plan.buffers);
        let scratch = (0..PARTS).map(|_| Scratch::default()).collect();
        let parameters = plan.parameters.iter().map(|layout| {
            let values = weights.get(&layout.name).expect("the weights were checked").values();
            let count = if layout.trained { values.len() } else { 0 };
            Held { values: layout.inward(values), gradient: vec![0.0; count] }
        });
        let parameters = parameters.collect();
        let memory = Memory { photos: 0, parts: PARTS, slabs, buffers, parameters, scratch };
        let slots = plan.parameters.iter().zip(&memory.parameters).map(|(layout, held)| {
            if layout.trained { optimizer.begin(held.values.len()) } else { Vec::new() }
        });
        let slots = slots.collect();
        let average = match optimizer.average {
            Some(_) => memory.parameters.iter().map(|held| held.values.clone()).collect(),
            None => Vec::new(),
        };
        Ok(Self { plan, memory, optimizer, slots, average, steps: 0 })
    }

    /// Puts the pixels in, channels last.
    fn feed(&mut self, batch: &PixelBatch) -> Result<(), BackendError> {
        let View { height, width, .. } = self.plan.pixels;
        if (batch.height(), batch.width()) != (height, width) || batch.photos() == 0 {
            return Err(BackendError::Batch {
                photos: batch.photos(),
                found: [batch.height(), batch.width()],
                wanted: [height, width],
            });
        }
        self.memory.prepare(batch.photos());
        let pixels = height * width;
        self.memory.write(self.plan.pixels, |_, values, photos| {
            let photos = batch.values()[photos.start * pixels * 3..].chunks_exact(pixels * 3);
            for (values, photo) in values.chunks_exact_mut(pixels * 3).zip(photos) {
                for (pixel, value) in values.chunks_exact_mut(3).enumerate() {
                    for (channel, value) in value.iter_mut().enumerate() {
                        *value = photo[channel * pixels + pixel];
                    }
                }
            }
        });
        Ok(())
    }

    fn run(&mut self, mode: Mode) {
        in_pool(|| {
            for layer in &mut self.plan.layers {
                layer.forward(&mut self.memory, mode);
            }
        });
    }

    fn output(&self, view: View) -> &[f32] {
        self.memory.values(view, 0..self.memory.photos)
    }

    /// The loss of one head; its gradient goes where the backward pass begins.
    fn loss(&mut self, view: View, targets: &[u32], smoothing: f32, weight: f32) -> Vec<Loss> {
        let photos = self.memory.photos;
        let mut gradients = self.memory.take_gradients(view);
        let rows = self.output(view).par_chunks_exact(view.channels);
        let share = weight / photos as f32;
        let losses = rows
            .zip(gradients.par_chunks_exact_mut(view.channels))
            .zip(targets)
            .map(|((logits, gradient), target)| {
                gradient.copy_from_slice(logits);
                vectorised(|| loss::cross_entropy(gradient, *target, smoothing, share))
            })
            .collect();
        self.memory.return_gradients(view, gradients);
        losses
    }

    /// Forward and backward; the gradients then stand with the parameters.
    fn differentiate(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        check_targets(batch.photos(), targets, self.plan.logits.channels)?;
        self.feed(batch)?;
        self.run(Mode::Training { dropout: options.dropout });
        let smoothing = options.label_smoothing;
        let losses = self.loss(self.plan.logits, targets, smoothing, 1.0);
        let auxiliary = self.plan.auxiliary.map(|view| {
            let losses = self.loss(view, targets, smoothing, options.auxiliary_weight);
            loss::mean(&losses)
        });
        self.backward();
        Ok(StepReport::of(losses, auxiliary))
    }

    /// From the gradients of the outputs to those of the parameters.
    fn backward(&mut self) {
        in_pool(|| {
            for step in &self.plan.steps {
                match *step {
                    Step::Again(at) => self.plan.layers[at].forward(&mut self.memory, Mode::Again),
                    Step::Backward(at) => self.plan.layers[at].backward(&mut self.memory),
                }
            }
        });
    }

    /// As [`Self::differentiate`], by a loss that is computed from the output.
    fn differentiate_by(
        &mut self,
        batch: &PixelBatch,
        loss: OutputLoss<'_>,
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        self.feed(batch)?;
        self.run(Mode::Training { dropout: options.dropout });
        let losses = self.loss_outside(self.plan.logits, loss, 1.0);
        let auxiliary = self.plan.auxiliary.map(|view| {
            let losses = self.loss_outside(view, loss, options.auxiliary_weight);
            loss::mean(&losses)
        });
        self.backward();
        Ok(StepReport::of(losses, auxiliary))
    }

    /// The loss of one head by what computes it outside; its weighted gradient goes where the
    /// backward pass begins.
    fn loss_outside(&mut self, view: View, loss: OutputLoss<'_>, weight: f32) -> Vec<Loss> {
        let mut buffer = self.memory.take_gradients(view);
        let values = self.output(view);
        let gradients = &mut buffer[..values.len()];
        gradients.copy_from_slice(values);
        let losses = loss(gradients);
        if weight != 1.0 {
            gradients.iter_mut().for_each(|value| *value *= weight);
        }
        self.memory.return_gradients(view, buffer);
        losses
    }

    fn update(&mut self, options: &StepOptions) {
        self.steps += 1;
        let mut averages = self.average.iter_mut();
        let parameters = self.plan.parameters.iter().zip(&mut self.memory.parameters);
        let parameters = parameters.zip(&mut self.slots).map(|((layout, held), slots)| Learned {
            shape: &layout.shape,
            values: &mut held.values,
            gradient: layout.trained.then_some(&held.gradient),
            slots: slots.iter_mut().map(Vec::as_mut_slice).collect(),
            average: averages.next().map(Vec::as_mut_slice),
        });
        let mut parameters: Vec<Learned<'_>> = parameters.collect();
        in_pool(|| self.optimizer.step(&mut parameters, self.steps, options.learning_rate));
    }

    fn weights(&self, of: impl Fn(usize) -> Option<Vec<f32>>) -> Weights {
        let arrays = self.plan.parameters.iter().enumerate().filter_map(|(at, layout)| {
            let values = layout.outward(&of(at)?);
            Some((layout.name.clone(), Array::new(layout.shape.clone(), values)))
        });
        arrays.collect()
    }
}

/// Runs work on a thread of the pool. From there, the other threads are reached at little cost; a
/// thread outside would be put to sleep and woken once a layer.
fn in_pool(work: impl FnOnce() + Send) {
    rayon::scope(|_| work());
}

/// What trains, for people.
pub(crate) fn name() -> String {
    let threads = rayon::current_num_threads();
    format!("cpu, {threads} thread{}", if threads == 1 { "" } else { "s" })
}

impl Backend for Cpu {
    fn name(&self) -> String {
        name()
    }

    fn step(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        let report = self.differentiate(batch, targets, options)?;
        if report.is_finite() {
            self.update(options);
        }
        Ok(report)
    }

    fn step_by(
        &mut self,
        batch: &PixelBatch,
        loss: OutputLoss<'_>,
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        let report = self.differentiate_by(batch, loss, options)?;
        if report.is_finite() {
            self.update(options);
        }
        Ok(report)
    }

    fn gradients(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<Gradients, BackendError> {
        let report = self.differentiate(batch, targets, options)?;
        let of = |at: usize| {
            let trained = self.plan.parameters[at].trained;
            trained.then(|| self.memory.parameters[at].gradient.clone())
        };
        Ok(Gradients { report, gradients: self.weights(of) })
    }

    fn forward(&mut self, batch: &PixelBatch) -> Result<Activations, BackendError> {
        self.feed(batch)?;
        self.exchange_average();
        self.run(Mode::Evaluation);
        self.exchange_average();
        let embedding = self.plan.embedding;
        Ok(Activations {
            embeddings: embedding.map_or_else(Vec::new, |view| self.output(view).to_vec()),
            features: embedding.map_or(0, |view| view.channels),
            logits: self.output(self.plan.logits).to_vec(),
            classes: self.plan.logits.channels,
        })
    }

    fn state(&self) -> State {
        let weights = self.weights(|at| Some(self.memory.parameters[at].values.clone()));
        let slots = (0..self.optimizer.slots())
            .map(|slot| self.weights(|at| Some(self.slots[at].get(slot)?.clone())));
        let average =
            self.optimizer.average.map(|_| self.weights(|at| Some(self.average[at].clone())));
        State { steps: self.steps, weights, slots: slots.collect(), average }
    }

    fn load(&mut self, state: &State) -> Result<(), BackendError> {
        state.check(&self.optimizer, &self.state())?;
        self.steps = state.steps;
        for (at, layout) in self.plan.parameters.iter().enumerate() {
            let inward =
                |weights: &Weights| weights.get(&layout.name).map(|it| layout.inward(it.values()));
            let checked = "the state was checked";
            self.memory.parameters[at].values = inward(&state.weights).expect(checked);
            if layout.trained {
                let slots = state.slots.iter().map(|slot| inward(slot).expect(checked));
                self.slots[at] = slots.collect();
            }
            if let Some(average) = &state.average {
                self.average[at] = inward(average).expect(checked);
            }
        }
        Ok(())
    }
}

impl Cpu {
    /// Lets the averaged weights work in place of the last ones, or back.
    fn exchange_average(&mut self) {
        for (average, held) in self.average.iter_mut().zip(&mut self.memory.parameters) {
            std::mem::swap(average, &mut held.values);
        }
    }
}

impl fmt::Debug for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cpu")
            .field("layers", &self.plan.layers.len())
            .field("steps", &self.steps)
            .finish()
    }
}
