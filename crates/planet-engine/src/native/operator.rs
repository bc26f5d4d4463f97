//! The operators of ONNX that this engine computes, from their nodes.

use planet_net::GraphNode;

use super::{
    floats::{Constants, Floats},
    kernels::{Affine, Convolution, Curve, Dense, Depthwise, Pool, PoolKind, Window},
    operation::Operation,
};

/// What a node computes, and how many of its inputs, from the first on, it reads as values.
///
/// # Errors
/// An operator or a form of it that is not supported, or weights that cannot be read.
pub(super) fn read(
    node: &GraphNode,
    constants: &Constants<'_>,
) -> Result<(Operation, usize), String> {
    if !node.is_of_onnx() {
        return Err("is not an operator of ONNX".to_owned());
    }
    let operation = match node.operator() {
        "Conv" => convolution(node, constants)?,
        "Gemm" => dense(node, constants)?,
        "BatchNormalization" => affine(node, constants)?,
        "MaxPool" | "AveragePool" => pool(node)?,
        "GlobalAveragePool" => plain(node, Operation::GlobalAverage)?,
        "Relu" => plain(node, Operation::Curve(Curve::RELU))?,
        "Clip" => clip(node, constants)?,
        "HardSwish" => plain(node, Operation::Curve(Curve::HardSwish))?,
        "HardSigmoid" => {
            knows(node, &["alpha", "beta"])?;
            let [slope, start] = [("alpha", 0.2), ("beta", 0.5)];
            let of = |(name, usual)| node.float(name).unwrap_or(usual);
            Operation::Curve(Curve::HardSigmoid { slope: of(slope), start: of(start) })
        }
        "Add" => plain(node, Operation::Add(Curve::Identity))?,
        "Mul" => plain(node, Operation::Multiply)?,
        "Concat" => {
            knows(node, &["axis"])?;
            must(node, "axis", None, 1)?;
            Operation::Concat
        }
        "Flatten" => {
            knows(node, &["axis"])?;
            must(node, "axis", Some(1), 1)?;
            Operation::Flatten
        }
        "Identity" => plain(node, Operation::Same)?,
        _ => return Err("is not supported".to_owned()),
    };
    let count = match (&operation, node.inputs().len()) {
        (Operation::Concat, count) => count,
        (Operation::Add(_) | Operation::Multiply, 2) => 2,
        (Operation::Add(_) | Operation::Multiply, count) => {
            return Err(format!("has {count} inputs"));
        }
        (_, 0) => return Err("has no input".to_owned()),
        _ => 1,
    };
    match node.inputs()[..count].iter().find(|name| constants.contains(name)) {
        Some(name) => Err(format!("reads the constant '{name}' as if it were computed")),
        None => Ok((operation, count)),
    }
}

fn convolution(node: &GraphNode, constants: &Constants<'_>) -> Result<Operation, String> {
    knows(node, &["kernel_shape", "strides", "pads", "group", "dilations", "auto_pad"])?;
    let (shape, weights) = constants.array::<4>(node.input(1))?;
    let [outputs, inputs, height, width] = shape;
    if shape.contains(&0) {
        return Err(format!("has weights of {shape:?}"));
    }
    let window = window(node, Some([height, width]))?;
    let bias = bias(node.input(2), outputs, constants)?;
    let groups = node.integer("group").unwrap_or(1);
    let curve = Curve::Identity;
    if groups == 1 {
        // The last vector of outputs is filled with zeros: a tall graph of one output a layer would
        // grow by that much.
        const MOST: usize = 1 << 31;
        if outputs.next_multiple_of(16).saturating_mul(inputs * window.taps()) > MOST / 4 {
            return Err("has more than 2 GB of weights".to_owned());
        }
        let shape = [outputs, inputs];
        let layer = Convolution::new(weights.values(), shape, &bias, window, curve);
        return Ok(Operation::Convolution(layer));
    }
    if inputs == 1 && usize::try_from(groups) == Ok(outputs) {
        return Ok(Operation::Depthwise(Depthwise::new(weights.values(), bias, window, curve)));
    }
    Err(format!("has {groups} groups, which is supported for one channel each only"))
}

fn dense(node: &GraphNode, constants: &Constants<'_>) -> Result<Operation, String> {
    knows(node, &["alpha", "beta", "transA", "transB"])?;
    must(node, "transA", Some(0), 0)?;
    if ["alpha", "beta"].iter().any(|name| node.float(name).is_some_and(|it| it != 1.0)) {
        return Err("has an alpha or beta that is not 1".to_owned());
    }
    let ([rows, columns], weights) = constants.array::<2>(node.input(1))?;
    if rows == 0 || columns == 0 {
        return Err(format!("has weights of {rows} × {columns}"));
    }
    let (outputs, inputs, weights) = match node.integer("transB").unwrap_or(0) {
        0 => (columns, rows, Floats::Held(transposed(weights.values(), columns))),
        _ => (rows, columns, weights),
    };
    let bias = bias(node.input(2), outputs, constants)?;
    Ok(Operation::Dense(Dense { weights, bias, inputs, curve: Curve::Identity }))
}

fn affine(node: &GraphNode, constants: &Constants<'_>) -> Result<Operation, String> {
    knows(node, &["epsilon", "momentum", "training_mode"])?;
    must(node, "training_mode", Some(0), 0)?;
    let mut parts = Vec::new();
    for at in 1..5 {
        let ([length], values) = constants.array::<1>(node.input(at))?;
        parts.push((length, values.into_held()));
    }
    let [(channels, scale), (_, shift), (_, mean), (_, variance)] = &parts[..] else {
        unreachable!("four arrays were read");
    };
    if parts.iter().any(|(length, _)| length != channels) {
        return Err("has arrays of different lengths".to_owned());
    }
    let epsilon = node.float("epsilon").unwrap_or(1e-5);
    let scale: Vec<f32> = scale
        .iter()
        .zip(variance)
        .map(|(scale, variance)| scale / (variance + epsilon).sqrt())
        .collect();
    let shift =
        shift.iter().zip(mean).zip(&scale).map(|((shift, mean), scale)| shift - mean * scale);
    let shift = shift.collect();
    Ok(Operation::Affine(Affine { scale, shift, curve: Curve::Identity }))
}

fn pool(node: &GraphNode) -> Result<Operation, String> {
    let known = ["kernel_shape", "strides", "pads", "auto_pad", "ceil_mode", "dilations"];
    let kind = if node.is("MaxPool") {
        knows(node, &[&known[..], &["storage_order"]].concat())?;
        PoolKind::Max
    } else {
        knows(node, &[&known[..], &["count_include_pad"]].concat())?;
        PoolKind::Average { padded: node.integer("count_include_pad").unwrap_or(0) != 0 }
    };
    must(node, "ceil_mode", Some(0), 0)?;
    let window = window(node, None)?;
    let widest = |axis: usize| window.before[axis].max(window.after[axis]);
    if (0..2).any(|axis| widest(axis) >= window.kernel[axis]) {
        return Err("has windows that see nothing but padding".to_owned());
    }
    Ok(Operation::Pool(Pool { window, kind }))
}

fn clip(node: &GraphNode, constants: &Constants<'_>) -> Result<Operation, String> {
    knows(node, &[])?;
    let limit = |at: usize, unlimited: f32| match node.input(at) {
        None => Ok(unlimited),
        Some(input) => {
            let ([], value) = constants.array::<0>(Some(input))?;
            Ok::<f32, String>(value.values()[0])
        }
    };
    let least = limit(1, f32::NEG_INFINITY)?;
    let greatest = limit(2, f32::INFINITY)?;
    if least.is_nan() || greatest.is_nan() {
        return Err("has a limit that is not a number".to_owned());
    }
    Ok(Operation::Curve(Curve::Clip { least, greatest }))
}

/// An operator without attributes.
fn plain(node: &GraphNode, operation: Operation) -> Result<Operation, String> {
    knows(node, &[])?;
    Ok(operation)
}

/// The window of a convolution or pool; a convolution's kernel is that of its weights.
fn window(node: &GraphNode, kernel: Option<[usize; 2]>) -> Result<Window, String> {
    if node.text("auto_pad").is_some_and(|it| it != "NOTSET") {
        return Err("has automatic padding".to_owned());
    }
    let list = |name: &str| -> Result<Vec<usize>, String> {
        let values = node.integers(name).into_iter().map(usize::try_from);
        values.collect::<Result<_, _>>().map_err(|_| format!("has {name} below 0"))
    };
    let pair = |name: &str| match list(name)?[..] {
        [] => Ok(None),
        // Beyond this no image could be, and sums of them could not be counted.
        [a, b] if (1..1 << 20).contains(&a) && (1..1 << 20).contains(&b) => Ok(Some([a, b])),
        _ => Err(format!("has {name} that are not two lengths")),
    };
    if pair("dilations")?.is_some_and(|it| it != [1, 1]) {
        return Err("has dilations".to_owned());
    }
    let stated = pair("kernel_shape")?;
    let kernel = match (kernel, stated) {
        (Some(kernel), stated) if stated.is_none_or(|it| it == kernel) => kernel,
        (None, Some(stated)) => stated,
        _ => return Err("has no kernel_shape, or not that of its weights".to_owned()),
    };
    let stride = pair("strides")?.unwrap_or([1, 1]);
    let (before, after) = match list("pads")?[..] {
        [] => ([0, 0], [0, 0]),
        [a, b, c, d] if [a, b, c, d].iter().all(|it| *it < 1 << 20) => ([a, b], [c, d]),
        _ => return Err("has pads that are not four lengths".to_owned()),
    };
    Ok(Window { kernel, stride, before, after })
}

/// One constant for each output; zeros where the node has none.
fn bias(name: Option<&str>, outputs: usize, constants: &Constants<'_>) -> Result<Vec<f32>, String> {
    let Some(name) = name else { return Ok(vec![0.0; outputs]) };
    let ([length], values) = constants.array::<1>(Some(name))?;
    if length == outputs {
        Ok(values.into_held())
    } else {
        Err(format!("has {length} constants for {outputs} outputs"))
    }
}

/// Refuses a node with an attribute whose meaning is not known here.
fn knows(node: &GraphNode, names: &[&str]) -> Result<(), String> {
    match node.attributes().find(|name| !names.contains(&name.as_str())) {
        Some(name) => Err(format!("has the attribute '{name}', which is not supported")),
        None => Ok(()),
    }
}

/// Refuses a node whose attribute is not this.
fn must(node: &GraphNode, name: &str, usual: Option<i64>, wanted: i64) -> Result<(), String> {
    match node.integer(name).or(usual) {
        Some(found) if found == wanted => Ok(()),
        Some(found) => Err(format!("has {name} {found}; only {wanted} is supported")),
        None => Err(format!("has no {name}")),
    }
}

/// Rows become columns of `[rows, columns]`.
fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    let column = |at: usize| values.iter().skip(at).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}
