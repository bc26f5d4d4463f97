//! Training with libtorch, on the processor and on NVIDIA's cards: the same network, optimizer
//! and checkpoints as with every other backend, differentiated by libtorch.
//!
//! All parameters lie in one flat tensor, and the network's tensors are windows on it: channels
//! last by their strides, as cuDNN and oneDNN are quickest. With `bf16` convolutions and dense
//! layers read a rounded copy of the weights and give bf16; the weights themselves, batch norm's
//! parameters and statistics, the loss and the optimizer stay f32.

mod device;
mod feed;
mod interpreter;
mod parameters;
mod rule;

use std::{collections::HashMap, fmt};

use planet::Activations;
use planet_data::PixelBatch;
use planet_net::{Network, Operation, OutputName, ParameterKind, Shape, Weights};
use tch::{Device, Kind, Reduction, TchError, Tensor};

use self::{
    feed::Feed,
    interpreter::{Interpreter, Mode, Tensors},
    parameters::Parameters,
    rule::Slots,
};
use crate::{
    Backend, BackendError, Gradients, Optimizer, Precision, ProcessGroup, State, StepOptions,
    StepReport,
    backend::{OutputLoss, check_targets},
    group::{GradientSum, Summed},
    loss,
};

/// The backend of libtorch.
pub struct Torch {
    device: Device,
    precision: Precision,
    interpreter: Interpreter,
    /// Height and width of the input.
    side: [usize; 2],
    classes: usize,
    parameters: Parameters,
    /// All parameters, running statistics too.
    values: Tensor,
    /// With bf16, the rounded copy of those that decay: the matrices.
    rounded: Option<Tensor>,
    /// What the network computes with: windows on `values` and `rounded`.
    tensors: Tensors,
    optimizer: Optimizer,
    slots: Slots,
    /// The moving average of `values`, where one is kept.
    average: Option<Tensor>,
    feed: Feed,
    /// Steps taken.
    steps: u64,
    group: ProcessGroup,
    /// What makes gradients the mean over all ranks, where there are several.
    sum: Option<GradientSum>,
}

/// Losses of a batch, still on the device.
struct Losses {
    /// Mean loss with the weighted auxiliary one: what is differentiated.
    whole: Tensor,
    /// Each photo's loss, then each photo's rank, then the mean auxiliary loss where there is
    /// one.
    report: Tensor,
    auxiliary: bool,
}

impl Torch {
    /// A network with these weights, to be trained with this optimizer on a device: `auto`,
    /// `cpu`, `cuda` or `cuda:0`.
    ///
    /// # Errors
    /// Weights that do not fit the network, a network over sequences, a device that is not there.
    pub fn new(
        network: &Network,
        weights: &Weights,
        optimizer: Optimizer,
        device: &str,
        precision: Precision,
    ) -> Result<Self, BackendError> {
        optimizer.check()?;
        weights.check(network)?;
        let Shape::Image { height, width, .. } = network.input_shape() else {
            return Err(unsupported(network.input_name(), "trains sequences elsewhere"));
        };
        let lstm = |operation: &Operation| matches!(operation, Operation::Lstm(_));
        if let Some(node) = network.nodes().iter().find(|node| lstm(node.operation())) {
            return Err(unsupported(node.name(), "trains sequences elsewhere"));
        }
        let device = device::open(device)?;
        let parameters = Parameters::new(network);
        let values = parameters.flat(weights, device).map_err(failed)?;
        let begin = optimizer.begin(1).into_iter();
        let slots = begin
            .map(|first| {
                Tensor::f_full([parameters.trained], f64::from(first[0]), (Kind::Float, device))
            })
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let average = optimizer.average.map(|_| values.copy());
        let kind = match precision {
            Precision::F32 => Kind::Float,
            Precision::Bf16 => Kind::BFloat16,
        };
        let mut torch = Self {
            device,
            precision,
            interpreter: Interpreter::new(network, precision),
            side: [height, width],
            classes: network.classes(),
            parameters,
            values,
            rounded: None,
            tensors: HashMap::new(),
            optimizer,
            slots: Slots(slots),
            average,
            feed: Feed::new(device, kind),
            steps: 0,
            group: ProcessGroup::alone(),
            sum: None,
        };
        torch.rounded = torch.round(&torch.values).map_err(failed)?;
        torch.tensors = torch.windows(&torch.values, torch.rounded.as_ref()).map_err(failed)?;
        Ok(torch)
    }

    /// Trains together with others from now on: a step's gradient is the mean over all ranks'
    /// photos. With `sync_batch_norm`, so are batch norm's statistics.
    ///
    /// # Errors
    /// Another rank is gone; libtorch cannot sum on this device.
    pub fn join(
        &mut self,
        group: &ProcessGroup,
        sync_batch_norm: bool,
    ) -> Result<(), BackendError> {
        self.sum = None;
        self.group = group.clone();
        let flat = Tensor::f_zeros([self.parameters.trained], (Kind::Float, self.device));
        let flat = flat.map_err(failed)?;
        let parameters = self.parameters.trained().map(|place| {
            let (parameter, range) = (&self.tensors[&place.name], place.range());
            Ok(Summed { parameter, place: place.of(&flat)?, range })
        });
        let parameters = parameters.collect::<Result<_, _>>().map_err(failed)?;
        self.sum = group.gradient_sum(flat.shallow_clone(), parameters)?;
        let shared = sync_batch_norm && group.size() > 1;
        self.interpreter.share_statistics(shared.then(|| group.clone()));
        Ok(())
    }

    /// With bf16, the rounded matrices of a flat tensor.
    fn round(&self, values: &Tensor) -> Result<Option<Tensor>, TchError> {
        match self.precision {
            Precision::F32 => Ok(None),
            Precision::Bf16 => {
                let matrices = values.f_narrow(0, 0, self.parameters.decaying)?;
                Ok(Some(matrices.f_to_kind(Kind::BFloat16)?))
            }
        }
    }

    /// The network's tensors as windows on flat ones.
    fn windows(&self, values: &Tensor, rounded: Option<&Tensor>) -> Result<Tensors, TchError> {
        let window = |place: &parameters::Place| {
            let flat = rounded.filter(|_| place.decays()).unwrap_or(values);
            // `data` gives a tensor whose changes autograd does not count: what changes one
            // window spoils no other.
            let mut window = place.of(&flat.f_data()?)?.f_data()?;
            if rounded.is_some() && place.is_frozen_matrix() {
                window = window.f_to_kind(Kind::BFloat16)?;
            }
            window.f_set_requires_grad(place.kind == ParameterKind::Trained)
        };
        let places = self.parameters.places().iter();
        places.map(|place| Ok((place.name.clone(), window(place)?))).collect()
    }

    fn check(&self, batch: &PixelBatch) -> Result<(), BackendError> {
        let found = [batch.height(), batch.width()];
        if found == self.side && batch.photos() > 0 {
            return Ok(());
        }
        Err(BackendError::Batch { photos: batch.photos(), found, wanted: self.side })
    }

    /// Forward, all of it only asked of the device.
    fn outputs(
        &mut self,
        batch: &PixelBatch,
        options: &StepOptions,
    ) -> Result<HashMap<OutputName, Tensor>, TchError> {
        if let Some(seed) = options.dropout {
            tch::manual_seed(seed.cast_signed());
        }
        let mode = Mode::Training { dropout: options.dropout.is_some() };
        let pixels = self.feed.pixels(batch)?;
        self.interpreter.forward(pixels, &self.tensors, mode)
    }

    /// The cross entropies of a batch.
    fn losses(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<Losses, TchError> {
        let outputs = self.outputs(batch, options)?;
        let targets: Vec<i64> = targets.iter().map(|class| i64::from(*class)).collect();
        let targets = Tensor::f_from_slice(&targets)?.f_to(self.device)?;
        losses(&outputs, &targets, options)
    }

    /// Losses of the heads that are computed outside, from the scores. What is differentiated is a
    /// sum whose derivative by each score is the one that `loss` gives.
    fn losses_by(
        &mut self,
        batch: &PixelBatch,
        loss: OutputLoss<'_>,
        options: &StepOptions,
    ) -> Result<Losses, TchError> {
        let outputs = self.outputs(batch, options)?;
        let mut of = |scores: &Tensor| {
            let mut values = on_host(&scores.f_detach()?)?;
            let photos = loss(&mut values);
            let derivatives = Tensor::f_from_slice(&values)?.f_to(self.device)?;
            let sum = scores.f_mul(&derivatives.f_view_as(scores)?)?.f_sum(Kind::Float)?;
            Ok::<_, TchError>((photos, sum))
        };
        let (photos, mut whole) = of(&outputs[&OutputName::Logits])?;
        let mut row = StepReport::row_of(&photos);
        let auxiliary = outputs.get(&OutputName::Auxiliary);
        if let Some(scores) = auxiliary {
            let (photos, sum) = of(scores)?;
            row.push(loss::mean(&photos) as f32);
            whole = whole.f_add(&sum.f_mul_scalar(f64::from(options.auxiliary_weight))?)?;
        }
        let report = Tensor::f_from_slice(&row)?;
        Ok(Losses { whole, report, auxiliary: auxiliary.is_some() })
    }

    /// Forward and backward: the losses, the trained parameters' gradient as one flat tensor,
    /// and whether the loss is a number, on every rank.
    fn differentiate(
        &mut self,
        losses: Result<Losses, TchError>,
    ) -> Result<(StepReport, Tensor, bool), BackendError> {
        let losses = losses.map_err(failed)?;
        let trained = self.parameters.trained().map(|place| &self.tensors[&place.name]);
        let trained: Vec<&Tensor> = trained.collect();
        let backward = || Tensor::f_run_backward(&[&losses.whole], &trained, false, false);
        let Some(sum) = &self.sum else {
            let gradient = backward().and_then(|gradients| self.parameters.gather(&gradients));
            let gradient = gradient.map_err(failed)?;
            let report = losses.read().map_err(failed)?;
            let finite = report.is_finite();
            return Ok((report, gradient, finite));
        };
        sum.begin(&losses.whole)?;
        backward().map_err(|error| sum.explain(&error))?;
        let (mean, gradient) = sum.finish()?;
        Ok((losses.read().map_err(failed)?, gradient, mean.is_finite()))
    }

    fn update(&mut self, gradient: Tensor, options: &StepOptions) -> Result<(), TchError> {
        let _guard = tch::no_grad_guard();
        self.steps += 1;
        let Parameters { decaying, trained, .. } = self.parameters;
        self.optimizer.step_flat(
            &mut self.values.f_narrow(0, 0, trained)?,
            gradient,
            &mut self.slots,
            decaying,
            self.steps,
            options.learning_rate,
        )?;
        if let Some(average) = &mut self.average {
            self.optimizer.average_flat(average, &self.values, self.steps)?;
        }
        self.round_again()
    }

    /// Brings the rounded copy after the values.
    fn round_again(&mut self) -> Result<(), TchError> {
        match &mut self.rounded {
            Some(rounded) => {
                rounded.f_copy_(&self.values.f_narrow(0, 0, self.parameters.decaying)?)
            }
            None => Ok(()),
        }
    }

    fn activations(&mut self, batch: &PixelBatch) -> Result<Activations, TchError> {
        let _guard = tch::no_grad_guard();
        let pixels = self.feed.pixels(batch)?;
        let averaged = match &self.average {
            Some(average) => Some(self.windows(average, self.round(average)?.as_ref())?),
            None => None,
        };
        let tensors = averaged.as_ref().unwrap_or(&self.tensors);
        let outputs = self.interpreter.forward(pixels, tensors, Mode::Evaluation)?;
        let embedding = outputs.get(&OutputName::Embedding);
        Ok(Activations {
            embeddings: embedding.map_or(Ok(Vec::new()), on_host)?,
            features: embedding.map_or(Ok(0), |it| it.size2().map(|(_, count)| count as usize))?,
            logits: on_host(&outputs[&OutputName::Logits])?,
            classes: self.classes,
        })
    }
}

/// Losses of the heads, as `loss::cross_entropy` has them.
fn losses(
    outputs: &HashMap<OutputName, Tensor>,
    targets: &Tensor,
    options: &StepOptions,
) -> Result<Losses, TchError> {
    let smoothing = f64::from(options.label_smoothing);
    let of = |scores: &Tensor| {
        scores.f_cross_entropy_loss::<Tensor>(targets, None, Reduction::None, -100, smoothing)
    };
    let scores = &outputs[&OutputName::Logits];
    let photos = of(scores)?;
    let mut whole = photos.f_mean(Kind::Float)?;
    let plain = scores.f_detach()?;
    let of_target = plain.f_gather(1, &targets.f_unsqueeze(1)?, false)?;
    // NaN beats nothing, not even itself.
    let beaten = plain.f_ge_tensor(&of_target)?.f_sum_dim_intlist(1, false, Kind::Float)?;
    let ranks = beaten.f_sub_scalar(1.0)?.f_clamp_min(0.0)?;
    let mut report = vec![photos.f_detach()?, ranks];
    if let Some(scores) = outputs.get(&OutputName::Auxiliary) {
        let mean = of(scores)?.f_mean(Kind::Float)?;
        report.push(mean.f_detach()?.f_view([1])?);
        whole = whole.f_add(&mean.f_mul_scalar(f64::from(options.auxiliary_weight))?)?;
    }
    let auxiliary = report.len() > 2;
    Ok(Losses { whole, report: Tensor::f_cat(&report, 0)?, auxiliary })
}

impl Losses {
    /// Waits for the device.
    fn read(&self) -> Result<StepReport, TchError> {
        Ok(StepReport::of_row(on_host(&self.report)?, self.auxiliary))
    }
}

impl Backend for Torch {
    fn name(&self) -> String {
        format!("torch, {}, {}", device::name(self.device), self.precision)
    }

    fn step(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        self.check(batch)?;
        check_targets(batch.photos(), targets, self.classes)?;
        let losses = self.losses(batch, targets, options);
        let (report, gradient, finite) = self.differentiate(losses)?;
        if finite {
            self.update(gradient, options).map_err(failed)?;
        }
        Ok(report)
    }

    fn step_by(
        &mut self,
        batch: &PixelBatch,
        loss: OutputLoss<'_>,
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        self.check(batch)?;
        let losses = self.losses_by(batch, loss, options);
        let (report, gradient, finite) = self.differentiate(losses)?;
        if finite && report.is_finite() {
            self.update(gradient, options).map_err(failed)?;
        }
        Ok(report)
    }

    fn gradients(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<Gradients, BackendError> {
        self.check(batch)?;
        check_targets(batch.photos(), targets, self.classes)?;
        let losses = self.losses(batch, targets, options);
        let (report, gradient, _) = self.differentiate(losses)?;
        let gradients = self.parameters.read(&gradient).map_err(failed)?;
        Ok(Gradients { report, gradients })
    }

    fn forward(&mut self, batch: &PixelBatch) -> Result<Activations, BackendError> {
        self.check(batch)?;
        self.activations(batch).map_err(failed)
    }

    fn agree(&mut self) -> Result<(), BackendError> {
        for flat in [&self.values].into_iter().chain(&self.average) {
            let statistics = self.parameters.statistics(flat).map_err(failed)?;
            self.group.broadcast_tensor(&statistics)?;
        }
        Ok(())
    }

    fn looks_ahead(&self) -> bool {
        self.feed.looks_ahead()
    }

    fn expect(&mut self, batch: &PixelBatch) {
        self.feed.expect(batch);
    }

    fn state(&self) -> State {
        let read = |flat: &Tensor| self.parameters.read(flat).expect("the device gives its memory");
        State {
            steps: self.steps,
            weights: read(&self.values),
            slots: self.slots.0.iter().map(read).collect(),
            average: self.average.as_ref().map(read),
        }
    }

    fn load(&mut self, state: &State) -> Result<(), BackendError> {
        state.check(&self.optimizer, &self.state())?;
        let _guard = tch::no_grad_guard();
        self.steps = state.steps;
        let pairs = [(&self.values, &state.weights)].into_iter();
        let pairs = pairs.chain(self.slots.0.iter().zip(&state.slots));
        for (flat, weights) in pairs.chain(self.average.iter().zip(&state.average)) {
            self.parameters.write(flat, weights).map_err(failed)?;
        }
        self.round_again().map_err(failed)
    }
}

impl fmt::Debug for Torch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Torch")
            .field("device", &self.device)
            .field("precision", &self.precision)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

fn on_host(tensor: &Tensor) -> Result<Vec<f32>, TchError> {
    Vec::try_from(tensor.f_to(Device::Cpu)?.f_contiguous()?.f_view([-1])?)
}

fn unsupported(node: &str, what: &str) -> BackendError {
    BackendError::Unsupported { backend: "torch".into(), node: node.into(), what: what.into() }
}

/// What libtorch says, without the stack of C++ calls that follows it.
fn failed(error: TchError) -> BackendError {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let cure = if text.contains("out of memory") { "; use a smaller batch" } else { "" };
    BackendError::Run { what: format!("{first}{cure}"), source: error.into() }
}
