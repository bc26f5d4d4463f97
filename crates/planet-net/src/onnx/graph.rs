use std::io::{self, Write};

use super::{
    data::{ExternalData, integers, scalar},
    fold::folded,
    message::Message,
    node::OnnxNode,
};
use crate::{
    Array, BatchNorm, Convolution, Linear, Lstm, Network, Node, NodeId, Operation, OutputName,
    Pool, PoolKind, Shape, Weights,
};

/// Names of the arrays with the limits of a ReLU6.
const CLIP: [&str; 2] = ["relu6.min", "relu6.max"];

/// Writes the nodes of a network one by one.
pub(super) struct Graph<'n, W> {
    network: &'n Network,
    weights: &'n Weights,
    data: ExternalData<W>,
    nodes: Vec<Message>,
    initializers: Vec<Message>,
}

impl<'n, W: Write> Graph<'n, W> {
    pub(super) fn new(network: &'n Network, weights: &'n Weights, data: ExternalData<W>) -> Self {
        Self { network, weights, data, nodes: Vec::new(), initializers: Vec::new() }
    }

    /// `GraphProto`.
    pub(super) fn message(mut self) -> io::Result<Message> {
        if self.network.nodes().iter().any(|node| *node.operation() == Operation::Relu6) {
            self.initializers.extend([scalar(CLIP[0], 0.0), scalar(CLIP[1], 6.0)]);
        }
        for (id, node) in self.network.nodes_with_ids() {
            self.node(id, node)?;
        }
        let network = self.network;
        let free = network.output(OutputName::Logits).is_none();
        let info = |name: &str, shape| value_info(name, shape, free);
        let input = info(network.input_name(), network.input_shape());
        let outputs = network.outputs().iter();
        let outputs = outputs.map(|&(name, id)| info(&name.to_string(), network.node(id).shape()));
        Ok(Message::default()
            .each(&self.nodes, |message, node| message.message(1, node))
            .string(2, network.name())
            .each(&self.initializers, |message, array| message.message(5, array))
            .message(11, &input)
            .each(outputs, |message, output| message.message(12, &output)))
    }

    fn node(&mut self, id: NodeId, node: &Node) -> io::Result<()> {
        let x: Vec<String> = node.inputs().iter().map(|&input| self.value(input)).collect();
        let written = match *node.operation() {
            Operation::Input => return Ok(()),
            // Written with the batch norm behind it.
            Operation::Convolution(_) if self.norm_behind(id).is_some() => return Ok(()),
            Operation::Convolution(it) => self.convolution(&it, node, &x[0])?,
            Operation::BatchNorm(it) => return self.batch_norm(it, id, node, &x[0]),
            Operation::Relu => OnnxNode::new("Relu", x),
            Operation::Relu6 => OnnxNode::new("Clip", [&*x[0], CLIP[0], CLIP[1]]),
            Operation::HardSwish => OnnxNode::new("HardSwish", x),
            Operation::HardSigmoid => {
                OnnxNode::new("HardSigmoid", x).float("alpha", 1.0 / 6.0).float("beta", 0.5)
            }
            Operation::Pool(it) => pool(&it, x),
            Operation::GlobalAveragePool => OnnxNode::new("GlobalAveragePool", x),
            Operation::Concat => {
                // The channels: behind the batch axis, or last in a sequence.
                let axis = if matches!(node.shape(), Shape::Sequence { .. }) { 2 } else { 1 };
                OnnxNode::new("Concat", x).integer("axis", axis)
            }
            Operation::Add => OnnxNode::new("Add", x),
            Operation::Multiply => OnnxNode::new("Mul", x),
            Operation::Dropout { .. } => OnnxNode::new("Identity", x),
            Operation::Flatten => OnnxNode::new("Flatten", x).integer("axis", 1),
            Operation::Linear(it) => self.linear(&it, node, &x[0])?,
            Operation::Lstm(it) => self.lstm(&it, node, &x[0])?,
        };
        self.push(&written, node.name(), &self.value(id));
        Ok(())
    }

    fn push(&mut self, node: &OnnxNode, name: &str, output: &str) {
        self.nodes.push(node.message(name, output));
    }

    /// Name of a node's value: the output's where it is one.
    fn value(&self, id: NodeId) -> String {
        let output = self.network.outputs().iter().find(|(_, node)| *node == id);
        output.map_or_else(|| self.network.node(id).name().to_owned(), |(name, _)| name.to_string())
    }

    /// The batch norm that alone takes a convolution's value.
    fn norm_behind(&self, id: NodeId) -> Option<&'n Node> {
        let mut consumers = self.network.consumers(id);
        let only = consumers.next().filter(|_| consumers.next().is_none())?;
        let is_output = self.network.outputs().iter().any(|(_, node)| *node == id);
        (matches!(only.operation(), Operation::BatchNorm(_)) && !is_output).then_some(only)
    }

    fn weight(&self, node: &Node, part: &str) -> &'n Array {
        let array = self.weights.get(&format!("{}.{part}", node.name()));
        array.expect("weights were checked against the network")
    }

    /// Stores an array and gives its name.
    fn store(&mut self, name: String, array: &Array) -> io::Result<String> {
        let tensor = self.data.tensor(&name, array.shape(), array.values())?;
        self.initializers.push(tensor);
        Ok(name)
    }

    fn store_part(&mut self, node: &Node, part: &str) -> io::Result<String> {
        self.store(format!("{}.{part}", node.name()), self.weight(node, part))
    }

    fn convolution(&mut self, it: &Convolution, node: &Node, x: &str) -> io::Result<OnnxNode> {
        let mut inputs = vec![x.to_owned(), self.store_part(node, "weight")?];
        if it.bias {
            inputs.push(self.store_part(node, "bias")?);
        }
        Ok(convolution(it, inputs))
    }

    fn batch_norm(&mut self, it: BatchNorm, id: NodeId, node: &Node, x: &str) -> io::Result<()> {
        let before = node.inputs()[0];
        let source = self.network.node(before);
        if let Operation::Convolution(conv) = source.operation()
            && self.norm_behind(before).is_some()
        {
            let (kernel, bias) = folded(source, conv, (node, it), self.weights);
            let inputs = vec![
                self.value(source.inputs()[0]),
                self.store(format!("{}.weight", source.name()), &kernel)?,
                self.store(format!("{}.bias", source.name()), &bias)?,
            ];
            self.push(&convolution(conv, inputs), source.name(), &self.value(id));
            return Ok(());
        }
        let mut inputs = vec![x.to_owned()];
        for part in ["weight", "bias", "running_mean", "running_var"] {
            inputs.push(self.store_part(node, part)?);
        }
        let written = OnnxNode::new("BatchNormalization", inputs).float("epsilon", it.eps);
        self.push(&written, node.name(), &self.value(id));
        Ok(())
    }

    fn linear(&mut self, it: &Linear, node: &Node, x: &str) -> io::Result<OnnxNode> {
        if let Shape::Features(_) = node.shape() {
            let weight = self.store_part(node, "weight")?;
            let inputs = [x.to_owned(), weight, self.store_part(node, "bias")?];
            return Ok(OnnxNode::new("Gemm", inputs).integer("transB", 1));
        }
        let weight = self.weight(node, "weight").values();
        let turned = (0..it.inputs * it.outputs)
            .map(|at| weight[at % it.outputs * it.inputs + at / it.outputs])
            .collect();
        let turned = Array::new(vec![it.inputs, it.outputs], turned);
        let weight = self.store(format!("{}.weight", node.name()), &turned)?;
        let product = format!("{}.product", node.name());
        self.push(&OnnxNode::new("MatMul", [x, &weight]), &product, &product);
        Ok(OnnxNode::new("Add", [product, self.store_part(node, "bias")?]))
    }

    /// `[batch, time, inputs]` → `[batch, time, directions × hidden]`. ONNX wants time first
    /// and the gates in the order input, output, forget, cell. Without lengths of the
    /// sequences, which not every engine takes: one album is one sequence.
    fn lstm(&mut self, it: &Lstm, node: &Node, x: &str) -> io::Result<OnnxNode> {
        let (name, directions) = (node.name(), it.directions());
        let weight = self.gates(it, node, &["weight_ih_l0"], it.inputs);
        let weight = self.store(format!("{name}.W"), &weight)?;
        let recurrent = self.gates(it, node, &["weight_hh_l0"], it.hidden);
        let recurrent = self.store(format!("{name}.R"), &recurrent)?;
        let bias = self.gates(it, node, &["bias_ih_l0", "bias_hh_l0"], 1);
        let bias = Array::new(vec![directions, 8 * it.hidden], bias.into_values());
        let bias = self.store(format!("{name}.B"), &bias)?;

        let time_first = format!("{name}.time_first");
        let turn = OnnxNode::new("Transpose", [x]).integers("perm", &[1, 0, 2]);
        self.push(&turn, &time_first, &time_first);
        let states = format!("{name}.states");
        let lstm = OnnxNode::new("LSTM", [&time_first, &weight, &recurrent, &bias])
            .integer("hidden_size", it.hidden)
            .text("direction", if it.bidirectional { "bidirectional" } else { "forward" });
        self.push(&lstm, &states, &states);
        let batch_first = format!("{name}.batch_first");
        let turn = OnnxNode::new("Transpose", [&states]).integers("perm", &[2, 0, 1, 3]);
        self.push(&turn, &batch_first, &batch_first);
        let shape = format!("{name}.shape");
        // 0 keeps an axis.
        self.initializers.push(integers(&shape, &[0, 0, (directions * it.hidden) as i64]));
        Ok(OnnxNode::new("Reshape", [batch_first, shape]))
    }

    /// Some parts of each direction with their gates in ONNX's order,
    /// `[directions, parts × 4 × hidden, width]`.
    fn gates(&self, it: &Lstm, node: &Node, parts: &[&str], width: usize) -> Array {
        let mut values = Vec::new();
        for way in &["", "_reverse"][..it.directions()] {
            for part in parts {
                let array = self.weight(node, &format!("{part}{way}")).values();
                // PyTorch: input, forget, cell, output.
                for gate in [0, 3, 1, 2] {
                    let size = it.hidden * width;
                    values.extend_from_slice(&array[gate * size..][..size]);
                }
            }
        }
        Array::new(vec![it.directions(), parts.len() * 4 * it.hidden, width], values)
    }
}

fn convolution(it: &Convolution, inputs: Vec<String>) -> OnnxNode {
    OnnxNode::new("Conv", inputs)
        .integers("kernel_shape", &it.kernel)
        .integers("strides", &it.stride)
        .integers("pads", &[it.padding, it.padding_after].concat())
        .integer("group", it.groups)
}

fn pool(it: &Pool, x: Vec<String>) -> OnnxNode {
    let node = match it.kind {
        PoolKind::Max => OnnxNode::new("MaxPool", x),
        PoolKind::Average => OnnxNode::new("AveragePool", x).integer("count_include_pad", 1),
    };
    node.integers("kernel_shape", &it.kernel)
        .integers("strides", &it.stride)
        .integers("pads", &[it.padding, it.padding].concat())
}

/// `ValueInfoProto`: f32 with a free batch axis; a sequence is one album of free length. Images
/// of a `free` size have free heights and widths too.
fn value_info(name: &str, shape: Shape, free_size: bool) -> Message {
    let free = |name: &str| Message::default().string(2, name);
    let fixed = |size: usize| Message::default().integer(1, size as i64);
    let axes = match shape {
        Shape::Image { channels, .. } if free_size => {
            // The map's sides follow the pixels'.
            let of = if name == "pixels" { "" } else { "map_" };
            let [height, width] = ["height", "width"].map(|side| free(&format!("{of}{side}")));
            vec![free("batch"), fixed(channels), height, width]
        }
        Shape::Image { channels, height, width } => {
            vec![free("batch"), fixed(channels), fixed(height), fixed(width)]
        }
        Shape::Features(features) => vec![free("batch"), fixed(features)],
        Shape::Sequence { features } => vec![fixed(1), free("time"), fixed(features)],
    };
    let shape = Message::default().each(&axes, |message, axis| message.message(1, axis));
    let tensor = Message::default().integer(1, 1).message(2, &shape); // FLOAT
    Message::default().string(1, name).message(2, &Message::default().message(1, &tensor))
}
