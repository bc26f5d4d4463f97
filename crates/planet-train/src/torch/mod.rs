//! Training on libtorch: graphics cards, and PyTorch's kernels on the processor.
//!
//! Trained weights stand in two flat tensors, those that are multiplied with and those that are
//! added, running statistics in a third. The network sees them cut into parameters, channels
//! last by strides. So a step casts all weights to bf16 at once, their gradients come back as one
//! tensor, the optimizer is a few operations whatever the network, and many machines sum their
//! gradients without packing them.

mod device;
mod flat;
mod forward;
mod update;

use std::{collections::HashMap, fmt};

use planet::Activations;
use planet_data::PixelBatch;
use planet_net::{Network, OutputName, Parameter, ParameterKind, Weights};
use tch::{Device, Kind, Reduction, TchError, Tensor};

pub(crate) use self::device::cuda_devices;
use self::flat::Flat;
use crate::{
    Backend, BackendError, Gradients, Loss, Optimizer, Precision, State, StepOptions, StepReport,
    loss,
};

impl From<TchError> for BackendError {
    fn from(error: TchError) -> Self {
        // libtorch's message goes on with a trace of its own functions.
        let text = error.to_string();
        let end = text.find("\nException raised from").unwrap_or(text.len());
        Self::Device(format!("libtorch: {}", text[..end].trim()))
    }
}

/// The backend on libtorch.
pub struct Torch {
    network: Network,
    device: Device,
    precision: Precision,
    optimizer: Optimizer,
    /// Weights that values are multiplied with; they decay, and are cast.
    matrices: Flat,
    /// Biases, and batch norm's scales and shifts.
    vectors: Flat,
    /// Batch norm's running means and variances.
    statistics: Flat,
    /// Page-locked memory, from which pixels go to a graphics card while it computes.
    staging: Option<Tensor>,
    steps: u64,
}

// SAFETY: libtorch's tensors may be used from any one thread at a time.
#[allow(unsafe_code, reason = "tch says the same of each tensor")]
unsafe impl Send for Torch {}

impl Torch {
    /// A network with these weights on a device (`auto`, `cpu`, `cuda`, `cuda:1`).
    ///
    /// # Errors
    /// Weights that do not fit the network; a device that is not there; a sequence network.
    pub fn new(
        network: &Network,
        weights: &Weights,
        optimizer: Optimizer,
        device: &str,
        precision: Precision,
    ) -> Result<Self, BackendError> {
        weights.check(network)?;
        let device = device::find(device)?;
        device::prepare(device);
        let chosen = |which: fn(&Parameter) -> bool| network.parameters().filter(which).collect();
        let matrices = chosen(|it| it.kind == ParameterKind::Trained && it.shape.len() > 1);
        let vectors = chosen(|it| it.kind == ParameterKind::Trained && it.shape.len() == 1);
        let statistics = chosen(|it| it.kind == ParameterKind::Statistic);
        let flat =
            |parameters, trained| Flat::new(parameters, weights, trained, &optimizer, device);
        Ok(Self {
            network: network.clone(),
            device,
            precision,
            optimizer,
            matrices: flat(matrices, true)?,
            vectors: flat(vectors, true)?,
            statistics: flat(statistics, false)?,
            staging: None,
            steps: 0,
        })
    }

    fn groups(&self) -> [&Flat; 3] {
        [&self.matrices, &self.vectors, &self.statistics]
    }

    /// Pixels on the device, channels last, in the precision that is computed in.
    fn feed(&mut self, batch: &PixelBatch) -> Result<Tensor, BackendError> {
        let planet_net::Shape::Image { height, width, .. } = self.network.input_shape() else {
            return Err(BackendError::Device("libtorch trains networks on photos".to_owned()));
        };
        if (batch.height(), batch.width()) != (height, width) || batch.photos() == 0 {
            return Err(BackendError::Batch {
                photos: batch.photos(),
                found: [batch.height(), batch.width()],
                wanted: [height, width],
            });
        }
        let size = [batch.photos(), 3, height, width].map(|side| side as i64);
        // SAFETY: the values are as many as the size says, and are copied before this returns.
        #[allow(unsafe_code, reason = "libtorch reads the batch in place")]
        let pixels = unsafe {
            let values = batch.values().as_ptr().cast();
            Tensor::f_from_blob(values, &size, &flat::strides(&size), Kind::Float, Device::Cpu)?
        };
        let pixels = pixels.f_permute([0, 2, 3, 1])?;
        let kind = self.precision.kind();
        let moved = if self.device.is_cuda() {
            // The copy from the last batch is done: its loss has been read since.
            let mut staging = match self.staging.take() {
                Some(staging) if staging.size() == pixels.size() => staging,
                _ => {
                    let staging = Tensor::f_empty(pixels.size(), (kind, Device::Cpu))?;
                    staging.f_pin_memory(self.device)?
                }
            };
            staging.f_copy_(&pixels)?;
            let moved = staging.f_to_device_(self.device, kind, true, false)?;
            self.staging = Some(staging);
            moved
        } else {
            pixels.f_to_kind(kind)?.f_contiguous()?
        };
        Ok(moved.f_permute([0, 3, 1, 2])?)
    }

    /// The parameters by name, as the network is to compute with them.
    fn parameters(
        &self,
        matrices: &Tensor,
        vectors: &Tensor,
        statistics: &Tensor,
    ) -> Result<HashMap<&str, Tensor>, TchError> {
        let matrices = matrices.f_to_kind(self.precision.kind())?;
        let mut parameters = self.matrices.views(&matrices)?;
        parameters.extend(self.vectors.views(vectors)?);
        parameters.extend(self.statistics.views(statistics)?);
        Ok(parameters.into_iter().collect())
    }

    /// Forward and backward; gradients of matrices and vectors.
    fn differentiate(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<(StepReport, [Tensor; 2]), BackendError> {
        let classes = self.network.classes();
        if let Some(class) = targets.iter().find(|it| **it as usize >= classes) {
            return Err(BackendError::Class { class: *class, classes });
        }
        if targets.len() != batch.photos() {
            return Err(BackendError::Targets { photos: batch.photos(), targets: targets.len() });
        }
        let pixels = self.feed(batch)?;
        let targets: Vec<i64> = targets.iter().map(|class| i64::from(*class)).collect();
        let targets = Tensor::f_from_slice(&targets)?.f_to(self.device)?;
        if let Some(seed) = options.dropout {
            tch::manual_seed(seed.cast_signed());
        }
        let leaves = [&self.matrices.values, &self.vectors.values];
        let parameters = self.parameters(leaves[0], leaves[1], &self.statistics.values)?;
        let mode = forward::Mode::Training { dropout: options.dropout.is_some() };
        let outputs = forward::run(&self.network, &parameters, pixels, mode)?;

        let smoothing = f64::from(options.label_smoothing);
        let each = |logits: &Tensor| {
            let none = None::<&Tensor>;
            logits.f_cross_entropy_loss(&targets, none, Reduction::None, -100, smoothing)
        };
        let logits = outputs[&OutputName::Logits].f_to_kind(Kind::Float)?;
        let losses = each(&logits)?;
        let mut total = losses.f_mean(None::<Kind>)?;
        let mut auxiliary = None;
        if let Some(logits) = outputs.get(&OutputName::Auxiliary) {
            let loss = each(&logits.f_to_kind(Kind::Float)?)?.f_mean(None::<Kind>)?;
            total = total + &loss * f64::from(options.auxiliary_weight);
            auxiliary = Some(loss);
        }
        let gradients = Tensor::f_run_backward(&[total], &leaves, false, false)?;
        let [matrices, vectors] =
            <[Tensor; 2]>::try_from(gradients).expect("one gradient for each leaf");

        // Read once everything is on its way: until here nothing waits for the device.
        let report = report(&losses, auxiliary.as_ref(), &logits, &targets)?;
        Ok((report, [matrices, vectors]))
    }
}

/// What the step came to, in one transfer from the device.
fn report(
    losses: &Tensor,
    auxiliary: Option<&Tensor>,
    logits: &Tensor,
    targets: &Tensor,
) -> Result<StepReport, TchError> {
    let _guard = tch::no_grad_guard();
    let of_target = logits.f_gather(1, &targets.f_unsqueeze(1)?, false)?;
    let beaten = logits.f_ge_tensor(&of_target)?.f_sum_dim_intlist(1, false, Kind::Float)?;
    let auxiliary_values = match auxiliary {
        Some(loss) => loss.f_reshape([1])?,
        None => losses.f_narrow(0, 0, 0)?,
    };
    let all = Tensor::f_cat(&[losses, &beaten, &auxiliary_values], 0)?;
    let all = Vec::<f32>::try_from(&all.f_to(Device::Cpu)?)?;
    let photos = targets.size()[0] as usize;
    let photos: Vec<Loss> = (0..photos)
        .map(|at| Loss {
            loss: all[at],
            // NaN beats nothing, not even itself.
            rank: (all[photos + at] as u32).saturating_sub(1),
        })
        .collect();
    let auxiliary = auxiliary.map(|_| f64::from(all[2 * photos.len()]));
    Ok(StepReport { loss: loss::mean(&photos), auxiliary, photos })
}

impl Backend for Torch {
    fn name(&self) -> String {
        let device = match self.device {
            Device::Cuda(number) => format!("cuda:{number}"),
            _ => {
                let threads = tch::get_num_threads();
                format!("cpu, {threads} thread{}", if threads == 1 { "" } else { "s" })
            }
        };
        format!("libtorch {device}, {}", self.precision)
    }

    fn step(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<StepReport, BackendError> {
        let (report, gradients) = self.differentiate(batch, targets, options)?;
        if report.is_finite() {
            self.update(gradients, options.learning_rate)?;
        }
        Ok(report)
    }

    fn gradients(
        &mut self,
        batch: &PixelBatch,
        targets: &[u32],
        options: &StepOptions,
    ) -> Result<Gradients, BackendError> {
        let (report, [matrices, vectors]) = self.differentiate(batch, targets, options)?;
        let mut gradients = self.matrices.weights(&matrices)?;
        gradients.extend(self.vectors.weights(&vectors)?);
        Ok(Gradients { report, gradients: gradients.into_iter().collect() })
    }

    fn forward(&mut self, batch: &PixelBatch) -> Result<Activations, BackendError> {
        let _guard = tch::no_grad_guard();
        let pixels = self.feed(batch)?;
        let [matrices, vectors, statistics] = self.groups().map(Flat::best);
        let parameters = self.parameters(matrices, vectors, statistics)?;
        let outputs = forward::run(&self.network, &parameters, pixels, forward::Mode::Evaluation)?;
        let values = |name| -> Result<Vec<f32>, TchError> {
            let Some(output) = outputs.get(&name) else { return Ok(Vec::new()) };
            let output: &Tensor = output;
            Vec::try_from(&output.f_to_kind(Kind::Float)?.f_to(Device::Cpu)?.f_flatten(0, -1)?)
        };
        let embeddings = values(OutputName::Embedding)?;
        Ok(Activations {
            features: embeddings.len() / batch.photos(),
            embeddings,
            logits: values(OutputName::Logits)?,
            classes: self.network.classes(),
        })
    }

    fn state(&self) -> State {
        self.read().expect("the device gives back what it holds")
    }

    fn load(&mut self, state: &State) -> Result<(), BackendError> {
        state.check(&self.optimizer, &self.read()?.weights)?;
        self.steps = state.steps;
        for group in [&mut self.matrices, &mut self.vectors, &mut self.statistics] {
            group.load(state)?;
        }
        Ok(())
    }
}

impl Torch {
    fn read(&self) -> Result<State, TchError> {
        let all = |of: &dyn Fn(&Flat) -> Option<&Tensor>| -> Result<Weights, TchError> {
            let mut arrays = Vec::new();
            for group in self.groups() {
                if let Some(values) = of(group) {
                    arrays.extend(group.weights(values)?);
                }
            }
            Ok(arrays.into_iter().collect())
        };
        let slots = (0..self.optimizer.slots()).map(|slot| all(&|group| group.slots.get(slot)));
        Ok(State {
            steps: self.steps,
            weights: all(&|group| Some(&group.values))?,
            slots: slots.collect::<Result<_, _>>()?,
            average: match self.optimizer.average {
                Some(_) => Some(all(&|group| group.average.as_ref())?),
                None => None,
            },
        })
    }
}

impl fmt::Debug for Torch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Torch")
            .field("device", &self.device)
            .field("precision", &self.precision)
            .field("steps", &self.steps)
            .finish()
    }
}
