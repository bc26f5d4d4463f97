use std::collections::HashMap;

use planet_net::{BatchNorm, Network, Node, Operation, OutputName, PoolKind};
use tch::{Kind, TchError, Tensor};

use crate::{Precision, ProcessGroup};

/// How a pass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Batch norm takes the batch's statistics and moves the running ones; dropout drops.
    Training { dropout: bool },
    /// Batch norm takes the running statistics; nothing is dropped.
    Evaluation,
}

/// A network as libtorch's operations.
pub(super) struct Interpreter {
    network: Network,
    precision: Precision,
    /// How many nodes read each node; one more where it leaves the network.
    readers: Vec<usize>,
    /// The ranks whose photos batch norm takes its statistics of, where not the own alone.
    shared: Option<ProcessGroup>,
}

/// Each parameter's tensor, by its name.
pub(super) type Tensors = HashMap<String, Tensor>;

impl Interpreter {
    pub(super) fn new(network: &Network, precision: Precision) -> Self {
        let mut readers = vec![0; network.nodes().len()];
        for node in network.nodes() {
            node.inputs().iter().for_each(|input| readers[input.index()] += 1);
        }
        network.outputs().iter().for_each(|(_, node)| readers[node.index()] += 1);
        Self { network: network.clone(), precision, readers, shared: None }
    }

    /// Batch norm takes its statistics of all ranks' photos from now on, or of its own.
    pub(super) fn share_statistics(&mut self, group: Option<ProcessGroup>) {
        self.shared = group;
    }

    /// The network's outputs of pixels `[photos, 3, height, width]`, each f32.
    pub(super) fn forward(
        &self,
        pixels: Tensor,
        tensors: &Tensors,
        mode: Mode,
    ) -> Result<HashMap<OutputName, Tensor>, TchError> {
        let mut left = self.readers.clone();
        let mut values: Vec<Option<Tensor>> = Vec::with_capacity(left.len());
        values.push(Some(pixels));
        for node in &self.network.nodes()[1..] {
            // The last reader takes a value, so that its memory is freed once it is no longer needed.
            let inputs: Vec<Tensor> = node
                .inputs()
                .iter()
                .map(|input| {
                    let at = input.index();
                    left[at] -= 1;
                    let value = if left[at] == 0 {
                        values[at].take()
                    } else {
                        values[at].as_ref().map(Tensor::shallow_clone)
                    };
                    value.expect("inputs come before their readers")
                })
                .collect();
            values.push(Some(self.node(node, inputs, tensors, mode)?));
        }
        let outputs = self.network.outputs().iter().map(|(name, node)| {
            let value = values[node.index()].as_ref().expect("nobody took it");
            Ok((*name, value.f_flatten(1, -1)?.f_to_kind(Kind::Float)?))
        });
        outputs.collect()
    }

    fn node(
        &self,
        node: &Node,
        mut inputs: Vec<Tensor>,
        tensors: &Tensors,
        mode: Mode,
    ) -> Result<Tensor, TchError> {
        let parameter = |part: &str| &tensors[&format!("{}.{part}", node.name())];
        let training = mode != Mode::Evaluation && !node.is_frozen();
        let input = &inputs[0];
        match *node.operation() {
            Operation::Convolution(it) => {
                let bias = it.bias.then(|| self.narrowed(parameter("bias"))).transpose()?;
                let [stride, mut padding] = [it.stride, it.padding].map(both);
                let groups = it.groups as i64;
                let mut input = input.shallow_clone();
                if !it.is_evenly_padded() {
                    // The last axis comes first.
                    let ([top, left], [below, right]) = (padding, both(it.padding_after));
                    input = input.f_constant_pad_nd([left, right, top, below])?;
                    padding = [0, 0];
                }
                input.f_conv2d(parameter("weight"), bias, stride, padding, [1, 1], groups)
            }
            Operation::BatchNorm(it) if training && self.shared.is_some() => {
                self.shared_batch_norm(input, it, parameter)
            }
            Operation::BatchNorm(it) => input.f_batch_norm(
                Some(parameter("weight")),
                Some(parameter("bias")),
                Some(parameter("running_mean")),
                Some(parameter("running_var")),
                training,
                it.momentum.into(),
                it.eps.into(),
                true,
            ),
            Operation::Relu if self.may_overwrite(node) => inputs[0].f_relu_(),
            Operation::Relu => input.f_relu(),
            Operation::Relu6 => input.f_relu6(),
            Operation::HardSwish => input.f_hardswish(),
            Operation::HardSigmoid => input.f_hardsigmoid(),
            Operation::Pool(it) => {
                let [kernel, stride, padding] = [it.kernel, it.stride, it.padding].map(both);
                match it.kind {
                    PoolKind::Max => input.f_max_pool2d(kernel, stride, padding, [1, 1], false),
                    PoolKind::Average => {
                        input.f_avg_pool2d(kernel, stride, padding, false, true, None)
                    }
                }
            }
            Operation::GlobalAveragePool => input.f_adaptive_avg_pool2d([1, 1]),
            Operation::Concat => Tensor::f_cat(&inputs, 1),
            Operation::Add => input.f_add(&inputs[1]),
            Operation::Multiply => input.f_mul(&inputs[1]),
            Operation::Dropout { probability } => {
                input.f_dropout(probability.into(), mode == Mode::Training { dropout: true })
            }
            Operation::Flatten => input.f_flatten(1, -1),
            Operation::Linear(_) => {
                input.f_linear(parameter("weight"), Some(self.narrowed(parameter("bias"))?))
            }
            Operation::Input | Operation::Lstm(_) => {
                unreachable!("the input comes first, and sequences are refused beforehand")
            }
        }
    }

    /// Batch norm with the statistics of all ranks' photos, in f32: moments about the running
    /// mean, which all ranks have alike, so that little is lost when squares are subtracted.
    fn shared_batch_norm<'a>(
        &self,
        input: &Tensor,
        options: BatchNorm,
        parameter: impl Fn(&str) -> &'a Tensor,
    ) -> Result<Tensor, TchError> {
        let group = self.shared.as_ref().expect("asked for where statistics are shared");
        let channels = [1, -1, 1, 1];
        let [mut mean, mut variance] =
            ["running_mean", "running_var"].map(|part| parameter(part).shallow_clone());
        let centre = mean.copy();
        let moved = input.f_to_kind(Kind::Float)?.f_sub(&centre.f_view(channels)?)?;
        let photos = [0, 2, 3];
        let sums = [
            moved.f_sum_dim_intlist(&photos[..], false, Kind::Float)?,
            moved.f_square()?.f_sum_dim_intlist(&photos[..], false, Kind::Float)?,
        ];
        let all = group
            .sum_with_gradient(&Tensor::f_cat(&sums, 0)?)
            .map_err(|error| TchError::Torch(error.to_string()))?;
        let count = (moved.numel() as i64 / centre.numel() as i64 * group.size() as i64) as f64;
        let moments = all.f_div_scalar(count)?.f_chunk(2, 0)?;
        let spread = moments[1].f_sub(&moments[0].f_square()?)?;
        tch::no_grad(|| {
            let momentum = f64::from(options.momentum);
            let _ = mean.f_add_(&moments[0].f_mul_scalar(momentum)?)?;
            let unbiased = spread.f_mul_scalar(count / (count - 1.0))?;
            variance.f_lerp_(&unbiased, momentum).map(|_| ())
        })?;
        let scale = spread.f_add_scalar(f64::from(options.eps))?.f_rsqrt()?;
        let scale = scale.f_mul(parameter("weight"))?;
        let shift = parameter("bias").f_sub(&moments[0].f_mul(&scale)?)?;
        let normal = moved.f_mul(&scale.f_view(channels)?)?.f_add(&shift.f_view(channels)?)?;
        normal.f_to_kind(input.kind())
    }

    /// Whether a ReLU may write over its input: nothing else reads it, and what made it does not
    /// need its result again on the way back.
    fn may_overwrite(&self, relu: &Node) -> bool {
        let input = relu.inputs()[0];
        let forgets = matches!(
            self.network.node(input).operation(),
            Operation::BatchNorm(_) | Operation::Convolution(_)
        );
        forgets && self.readers[input.index()] == 1
    }

    /// A bias as its operation computes.
    fn narrowed(&self, bias: &Tensor) -> Result<Tensor, TchError> {
        match self.precision {
            Precision::F32 => Ok(bias.shallow_clone()),
            Precision::Bf16 => bias.f_to_kind(Kind::BFloat16),
        }
    }
}

fn both(sides: [usize; 2]) -> [i64; 2] {
    sides.map(|side| side as i64)
}
