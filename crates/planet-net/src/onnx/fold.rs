use crate::{Array, BatchNorm, Convolution, Node, Weights};

/// A convolution with the batch norm behind it multiplied in: weights and bias.
pub(super) fn folded(
    node: &Node,
    convolution: &Convolution,
    norm: (&Node, BatchNorm),
    weights: &Weights,
) -> (Array, Array) {
    let of = |node: &Node, part: &str| {
        let array = weights.get(&format!("{}.{part}", node.name()));
        array.expect("weights were checked against the network")
    };
    let (norm, BatchNorm { eps, .. }) = norm;
    let [scale, shift, mean, variance] =
        ["weight", "bias", "running_mean", "running_var"].map(|part| of(norm, part).values());
    let kernel = of(node, "weight");
    let bias = convolution.bias.then(|| of(node, "bias").values());

    let per_output = convolution.fan_in();
    let mut values = Vec::with_capacity(kernel.values().len());
    let mut constants = Vec::with_capacity(convolution.outputs);
    for channel in 0..convolution.outputs {
        // In f64, so that folding itself costs no digits.
        let at = |array: &[f32]| f64::from(array[channel]);
        let factor = at(scale) / (at(variance) + f64::from(eps)).sqrt();
        let row = &kernel.values()[channel * per_output..][..per_output];
        values.extend(row.iter().map(|&value| (f64::from(value) * factor) as f32));
        let constant = bias.map_or(0.0, at) - at(mean);
        constants.push((constant * factor + at(shift)) as f32);
    }
    (Array::new(kernel.shape().to_vec(), values), Array::new(vec![convolution.outputs], constants))
}
