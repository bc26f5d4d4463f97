use std::collections::HashMap;

use burn_tensor::{
    Device, Tensor, TensorData, activation, module,
    ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions, PadMode},
};
use planet_net::{
    BatchNorm, Convolution, Network, Node, NodeId, Operation, OutputName, Pool, PoolKind,
};

use crate::dropout;

/// How a pass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Batch norm takes the batch's statistics; dropout drops where it has a seed.
    Training { dropout: Option<u64> },
    /// Batch norm takes the running statistics; nothing is dropped.
    Evaluation,
}

/// A network as burn's operations. Every value between nodes is an image, channels last as burn's
/// kernels are quickest: `[photos, height, width, channels]`; features are one of a single pixel.
pub(super) struct Interpreter {
    network: Network,
    device: Device,
    /// How many nodes read each node; one more where it leaves the network.
    readers: Vec<usize>,
}

/// Parameters by their names, each a row of all its numbers, a convolution's weights channels
/// last.
pub(super) type Tensors = HashMap<String, Tensor<1>>;

/// What a pass gives.
pub(super) struct Passed {
    /// `[photos, numbers]` each.
    pub(super) outputs: HashMap<OutputName, Tensor<2>>,
    /// In training, batch norm's new running statistics by their names.
    pub(super) statistics: Tensors,
}

impl Interpreter {
    pub(super) fn new(network: &Network, device: Device) -> Self {
        let mut readers = vec![0; network.nodes().len()];
        for node in network.nodes() {
            node.inputs().iter().for_each(|input| readers[input.index()] += 1);
        }
        network.outputs().iter().for_each(|(_, node)| readers[node.index()] += 1);
        Self { network: network.clone(), device, readers }
    }

    /// The network's outputs of pixels `[photos, height, width, 3]`.
    pub(super) fn forward(&self, pixels: Tensor<4>, tensors: &Tensors, mode: Mode) -> Passed {
        let mut left = self.readers.clone();
        let mut pass = Pass { device: &self.device, tensors, mode, statistics: HashMap::new() };
        let mut values: Vec<Option<Tensor<4>>> = Vec::with_capacity(left.len());
        values.push(Some(pixels));
        for (place, node) in self.network.nodes().iter().enumerate().skip(1) {
            // The last reader takes a value, so that its memory is freed once it is no longer needed.
            let take = |at: usize| {
                left[at] -= 1;
                let value = if left[at] == 0 { values[at].take() } else { values[at].clone() };
                value.expect("inputs come before their readers")
            };
            let inputs = node.inputs().iter().map(|input| input.index()).map(take).collect();
            values.push(Some(pass.node(place, node, inputs)));
        }
        let output = |&(name, node): &(OutputName, NodeId)| {
            let value = values[node.index()].clone().expect("nobody took it");
            (name, value.flatten::<2>(1, 3))
        };
        let outputs = self.network.outputs().iter().map(output).collect();
        Passed { outputs, statistics: pass.statistics }
    }
}

/// One pass on its way.
struct Pass<'a> {
    device: &'a Device,
    tensors: &'a Tensors,
    mode: Mode,
    statistics: Tensors,
}

impl Pass<'_> {
    /// `place`: the node's in its network.
    fn node(&mut self, place: usize, node: &Node, mut inputs: Vec<Tensor<4>>) -> Tensor<4> {
        if let Operation::Concat = node.operation() {
            return Tensor::cat(inputs, 3);
        }
        let mut next = || inputs.pop().expect("the network was checked");
        match *node.operation() {
            Operation::Convolution(it) => self.convolution(node, it, next()),
            Operation::BatchNorm(it) => self.batch_norm(node, it, next()),
            Operation::Relu => activation::relu(next()),
            Operation::Relu6 => next().clamp(0.0, 6.0),
            Operation::HardSwish => activation::hard_swish(next()),
            Operation::HardSigmoid => activation::hard_sigmoid(next(), 1.0 / 6.0, 0.5),
            Operation::Pool(it) => pool(it, next()),
            Operation::GlobalAveragePool => next().mean_dims(&[1, 2]),
            Operation::Add => next() + next(),
            Operation::Multiply => next() * next(),
            Operation::Dropout { probability } => self.dropout(place, probability, next()),
            Operation::Flatten => flatten(next()),
            Operation::Linear(it) => {
                let input = next();
                let photos = input.dims()[0];
                let weight = self.parameter(node, "weight").reshape([it.outputs, it.inputs]);
                let bias = self.parameter(node, "bias").reshape([1, it.outputs]);
                let product = input.reshape([photos, it.inputs]).matmul(weight.transpose());
                (product + bias).reshape([photos, 1, 1, it.outputs])
            }
            Operation::Input | Operation::Concat | Operation::Lstm(_) => {
                unreachable!("input and concat were met before, and sequences refused")
            }
        }
    }

    fn parameter(&self, node: &Node, suffix: &str) -> Tensor<1> {
        let name = format!("{}.{suffix}", node.name());
        self.tensors.get(&name).expect("every parameter has a tensor").clone()
    }

    fn convolution(&self, node: &Node, it: Convolution, input: Tensor<4>) -> Tensor<4> {
        let [kh, kw] = it.kernel;
        let weight = self.parameter(node, "weight");
        let weight = weight.reshape([it.outputs, kh, kw, it.inputs / it.groups]);
        let bias = it.bias.then(|| self.parameter(node, "bias"));
        let (input, padding) = match it.is_evenly_padded() {
            true => (input, it.padding),
            false => {
                let sides = |axis: usize| (it.padding[axis], it.padding_after[axis]);
                let pairs = [(0, 0), sides(0), sides(1), (0, 0)];
                (input.pad(pairs, PadMode::Constant(0.0)), [0, 0])
            }
        };
        let options = ConvOptions::new(it.stride, padding, [1, 1], it.groups);
        channels_last(module::conv2d(channels_first(input), channels_first(weight), bias, options))
    }

    fn batch_norm(&mut self, node: &Node, it: BatchNorm, input: Tensor<4>) -> Tensor<4> {
        let shape @ [photos, height, width, channels] = input.dims();
        let [weight, bias, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
            .map(|suffix| self.parameter(node, suffix).reshape([1, 1, channels]));
        let input = input.reshape([photos, height * width, channels]);
        if self.mode == Mode::Evaluation || node.is_frozen() {
            let factor = weight / (variance + it.eps).sqrt();
            return ((input - mean) * factor + bias).reshape(shape);
        }
        let batch_mean = over_channels(input.clone());
        // The variance does not change with the mean it is taken round, to first order, so that
        // the mean's own derivative goes through `bias` alone, and costs no pass over the images.
        let fixed = batch_mean.clone().detach();
        let centred = input - fixed.clone();
        let batch_variance = over_channels(centred.clone() * centred.clone());
        let factor = weight / (batch_variance.clone() + it.eps).sqrt();
        let bias = bias + (fixed - batch_mean.clone()) * factor.clone();

        // PyTorch keeps the unbiased variance; of a single value there is none.
        let count = (photos * height * width) as f64;
        let unbiased = batch_variance.inner() * (count / (count - 1.0).max(1.0));
        let mut move_running = |suffix: &str, running: Tensor<3>, batch: Tensor<3>| {
            let moved = running.clone() + (batch - running) * it.momentum;
            self.statistics.insert(format!("{}.{suffix}", node.name()), moved.reshape([channels]));
        };
        move_running("running_mean", mean, batch_mean.inner());
        move_running("running_var", variance, unbiased);
        (centred * factor + bias).reshape(shape)
    }

    fn dropout(&self, place: usize, probability: f32, input: Tensor<4>) -> Tensor<4> {
        let Mode::Training { dropout: Some(seed) } = self.mode else { return input };
        let shape @ [photos, height, width, channels] = input.dims();
        let a_photo = height * width * channels;
        let mut factors = vec![0.0; photos * a_photo];
        for (photo, factors) in factors.chunks_exact_mut(a_photo).enumerate() {
            dropout::draw(factors, probability, seed, place, photo);
        }
        input * Tensor::from_data(TensorData::new(factors, shape), self.device)
    }
}

/// Mean of each channel, `[1, 1, channels]`, of images `[photos, pixels, channels]`: photo by
/// photo first, since the device is quick where a sum has many results.
fn over_channels(images: Tensor<3>) -> Tensor<3> {
    images.mean_dim(1).mean_dim(0)
}

fn pool(it: Pool, input: Tensor<4>) -> Tensor<4> {
    let input = channels_first(input);
    channels_last(match it.kind {
        PoolKind::Max => {
            let options = MaxPoolOptions::new(it.kernel);
            module::max_pool2d(input, options.with_stride(it.stride).with_padding(it.padding))
        }
        PoolKind::Average => {
            let options = AvgPoolOptions::new(it.kernel).with_count_include_pad(true);
            module::avg_pool2d(input, options.with_stride(it.stride).with_padding(it.padding))
        }
    })
}

/// Channel by channel, row by row, as an image of one pixel.
fn flatten(image: Tensor<4>) -> Tensor<4> {
    let [photos, height, width, channels] = image.dims();
    channels_first(image).reshape([photos, 1, 1, channels * height * width])
}

/// The view that burn's convolutions and pools take, and give; memory stays as it is.
fn channels_first(image: Tensor<4>) -> Tensor<4> {
    image.permute([0, 3, 1, 2])
}

fn channels_last(image: Tensor<4>) -> Tensor<4> {
    image.permute([0, 2, 3, 1])
}
