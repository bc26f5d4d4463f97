use std::collections::HashMap;

use planet_net::{Network, Node, Operation, OutputName, PoolKind};
use tch::Tensor;

use crate::BackendError;

/// How a pass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Batch norm takes the batch's statistics and moves the running ones.
    Training { dropout: bool },
    /// Batch norm takes the running statistics; nothing is dropped.
    Evaluation,
}

/// Computes a network's outputs from pixels `[photos, 3, height, width]`.
pub(super) fn run(
    network: &Network,
    parameters: &HashMap<&str, Tensor>,
    pixels: Tensor,
    mode: Mode,
) -> Result<HashMap<OutputName, Tensor>, BackendError> {
    let nodes = network.nodes();
    let mut readers = vec![0usize; nodes.len()];
    let inputs = nodes.iter().flat_map(Node::inputs).copied();
    let leaving = network.outputs().iter().map(|(_, node)| *node);
    inputs.chain(leaving).for_each(|node| readers[node.index()] += 1);

    let mut values: Vec<Option<Tensor>> = nodes.iter().map(|_| None).collect();
    values[0] = Some(pixels);
    for (at, node) in nodes.iter().enumerate().skip(1) {
        let alone = node.inputs().first().is_some_and(|input| {
            let before = nodes[input.index()].operation();
            readers[input.index()] == 1 && matches!(before, Operation::BatchNorm(_))
        });
        let inputs: Vec<&Tensor> = node
            .inputs()
            .iter()
            .map(|input| values[input.index()].as_ref().expect("nodes come after their inputs"))
            .collect();
        let value = compute(node, &inputs, parameters, mode, alone)?;
        values[at] = Some(value);
        for input in node.inputs() {
            readers[input.index()] -= 1;
            if readers[input.index()] == 0 {
                values[input.index()] = None;
            }
        }
    }
    let outputs = network
        .outputs()
        .iter()
        .filter_map(|(name, node)| Some((*name, values[node.index()].as_ref()?.shallow_clone())));
    Ok(outputs.collect())
}

/// One node's value. `alone`: its input is a batch norm's result that nobody else reads, and
/// may be overwritten.
fn compute(
    node: &Node,
    inputs: &[&Tensor],
    parameters: &HashMap<&str, Tensor>,
    mode: Mode,
    alone: bool,
) -> Result<Tensor, BackendError> {
    let parameter = |suffix: &str| &parameters[&*format!("{}.{suffix}", node.name())];
    let input = inputs[0];
    let pair = |sides: [usize; 2]| sides.map(|side| side as i64);
    Ok(match node.operation() {
        Operation::Convolution(it) => {
            let bias = match it.bias {
                true => Some(parameter("bias").f_to_kind(input.kind())?),
                false => None,
            };
            let (stride, padding) = (pair(it.stride), pair(it.padding));
            let groups = it.groups as i64;
            input.f_conv2d(parameter("weight"), bias, stride, padding, [1, 1], groups)?
        }
        Operation::BatchNorm(it) => input.f_batch_norm(
            Some(parameter("weight")),
            Some(parameter("bias")),
            Some(parameter("running_mean")),
            Some(parameter("running_var")),
            matches!(mode, Mode::Training { .. }),
            f64::from(it.momentum),
            f64::from(it.eps),
            true,
        )?,
        Operation::Relu if alone => input.shallow_clone().f_relu_()?,
        Operation::Relu => input.f_relu()?,
        Operation::HardSwish => input.f_hardswish()?,
        Operation::HardSigmoid => input.f_hardsigmoid()?,
        Operation::Pool(it) => {
            let (kernel, stride, padding) = (pair(it.kernel), pair(it.stride), pair(it.padding));
            match it.kind {
                PoolKind::Max => input.f_max_pool2d(kernel, stride, padding, [1, 1], false)?,
                PoolKind::Average => {
                    input.f_avg_pool2d(kernel, stride, padding, false, true, None::<i64>)?
                }
            }
        }
        Operation::GlobalAveragePool => input.f_adaptive_avg_pool2d([1, 1])?,
        Operation::Concat => Tensor::f_cat(inputs, 1)?,
        Operation::Add => input.f_add(inputs[1])?,
        Operation::Multiply => input.f_mul(inputs[1])?,
        Operation::Dropout { probability } => {
            let drops = mode == Mode::Training { dropout: true };
            input.f_dropout(f64::from(*probability), drops)?
        }
        Operation::Flatten => input.f_flatten(1, -1)?,
        Operation::Linear(_) => {
            let bias = parameter("bias").f_to_kind(input.kind())?;
            input.f_linear(parameter("weight"), Some(bias))?
        }
        Operation::Input | Operation::Lstm(_) => {
            return Err(BackendError::Unsupported {
                backend: "libtorch".to_owned(),
                node: node.name().to_owned(),
                what: "trains networks on photos; albums train on the processor".to_owned(),
            });
        }
    })
}
