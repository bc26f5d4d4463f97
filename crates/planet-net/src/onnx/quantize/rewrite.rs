use std::collections::{HashMap, HashSet};

use super::{
    OutputAxis, QuantizationPlan, QuantizeError, QuantizedWeights, Range, Treatment,
    quantize_weights,
};
use crate::onnx::{
    graph_node::{GraphNode, attribute_name, integer_attribute},
    model::{OnnxModel, fresh},
    tensor::{GraphTensor, INT8, INT32, UINT8},
};

/// Puts quantised arrays and weights into a graph.
pub(super) struct Rewriter<'m> {
    old: &'m OnnxModel,
    plan: &'m QuantizationPlan,
    ranges: HashMap<&'m str, Range>,
    new: OnnxModel,
    /// Names that are taken.
    names: HashSet<String>,
    /// By array: its name behind DequantizeLinear.
    dequantized: HashMap<&'m str, String>,
}

impl<'m> Rewriter<'m> {
    pub(super) fn new(
        old: &'m OnnxModel,
        plan: &'m QuantizationPlan,
        ranges: HashMap<&'m str, Range>,
    ) -> Self {
        let mut new = old.clone();
        new.nodes.clear();
        let (names, dequantized) = (old.names(), HashMap::new());
        Self { old, plan, ranges, new, names, dequantized }
    }

    pub(super) fn rewrite(mut self) -> Result<OnnxModel, QuantizeError> {
        let (old, plan) = (self.old, self.plan);
        let made: HashSet<&str> =
            old.nodes.iter().flat_map(|node| &node.outputs).map(String::as_str).collect();
        for name in plan.arrays().filter(|name| !made.contains(name)) {
            self.quantize(name);
        }
        for (at, (node, treatment)) in old.nodes.iter().zip(&plan.nodes).enumerate() {
            let mut node = node.clone();
            match treatment {
                // The output in front of it took its name.
                Treatment::Cut(before) if self.is_cut_by_range(at) => {
                    debug_assert!(*before < at, "nodes are in order");
                    continue;
                }
                Treatment::Cut(_) => {}
                Treatment::Weighted(axis) => {
                    let scale = self.ranges[node.inputs[0].as_str()].scale().0;
                    self.quantize_weights(&mut node, *axis, scale)?;
                    self.read_dequantized(&mut node, |_| true);
                }
                Treatment::Passing => {
                    self.read_dequantized(&mut node, |_| true);
                    if let Some(channels) = plan.averages.get(&at) {
                        self.average_by_convolution(&mut node, *channels);
                    }
                }
                // What is computed in 32 bits is read in 32 bits.
                Treatment::Kept => {
                    self.read_dequantized(&mut node, |name| plan.computed.contains(name));
                }
            }
            self.take_name_behind(at, &mut node);
            let outputs = node.outputs.clone();
            self.new.nodes.push(node);
            for output in &outputs {
                if let Some(name) = plan.arrays().find(|name| name == output) {
                    self.quantize(name);
                }
            }
        }
        self.new.drop_unused();
        Ok(self.new)
    }

    /// Whether the range of a ReLU's output begins at zero, so that 8 bits cut below it.
    fn is_cut_by_range(&self, relu: usize) -> bool {
        let output = self.old.nodes[relu].outputs[0].as_str();
        self.ranges.get(output).is_some_and(|range| range.scale().1 == 0)
    }

    /// Where the ReLU behind a node is left out, the node gets its output's name.
    fn take_name_behind(&self, at: usize, node: &mut GraphNode) {
        let behind = self.plan.nodes.iter().position(|it| *it == Treatment::Cut(at));
        if let Some(relu) = behind.filter(|relu| self.is_cut_by_range(*relu)) {
            node.outputs.clone_from(&self.old.nodes[relu].outputs);
        }
    }

    fn read_dequantized(&self, node: &mut GraphNode, wanted: impl Fn(&str) -> bool) {
        for input in &mut node.inputs {
            if let Some(name) = self.dequantized.get(input.as_str()).filter(|_| wanted(input)) {
                input.clone_from(name);
            }
        }
    }

    /// QuantizeLinear and DequantizeLinear behind an array.
    fn quantize(&mut self, name: &'m str) {
        let (scale, zero) = self.ranges[name].scale();
        let scale = self.floats(&format!("{name}_scale"), vec![], &[scale]);
        let zero = self.add(&format!("{name}_zero_point"), vec![], UINT8, vec![zero]);
        let parts = [name.to_owned(), scale.clone(), zero.clone()];
        let quantized = self.node("QuantizeLinear", &format!("{name}_quantized"), parts, None);
        let parts = [quantized, scale, zero];
        let back = self.node("DequantizeLinear", &format!("{name}_dequantized"), parts, None);
        self.dequantized.insert(name, back);
    }

    /// Puts 8-bit weights in the place of a node's weights, and a 32-bit bias in that of its bias.
    fn quantize_weights(
        &mut self,
        node: &mut GraphNode,
        axis: OutputAxis,
        input_scale: f32,
    ) -> Result<(), QuantizeError> {
        let floats = |name: &String| {
            let values = self.old.tensors[name].floats()?;
            match values.iter().all(|value| value.is_finite()) {
                true => Ok(values),
                false => Err(QuantizeError::Weights(name.clone())),
            }
        };
        let shape = self.old.tensors[&node.inputs[1]].shape.clone();
        let weights = floats(&node.inputs[1])?;
        let bias = node.input(2).map(str::to_owned);
        let values = bias.as_ref().map(floats).transpose()?;
        let (at, outputs) = match axis {
            OutputAxis::First => (0, shape[0]),
            OutputAxis::Last => (shape.len() - 1, shape[shape.len() - 1]),
        };
        let QuantizedWeights { weights, scales, bias: rounded, bias_scales } =
            quantize_weights(&weights, outputs, axis, values.as_deref(), input_scale);

        let name = node.inputs[1].clone();
        let bytes = weights.into_iter().map(i8::cast_unsigned).collect();
        let parts = [
            self.add(&format!("{name}_quantized"), shape, INT8, bytes),
            self.floats(&format!("{name}_scale"), vec![outputs], &scales),
            self.add(&format!("{name}_zero_point"), vec![outputs], INT8, vec![0; outputs]),
        ];
        node.inputs[1] =
            self.node("DequantizeLinear", &format!("{name}_dequantized"), parts, Some(at));
        if let Some(name) = bias {
            let bytes = rounded.into_iter().flat_map(i32::to_le_bytes).collect();
            let parts = [
                self.add(&format!("{name}_quantized"), vec![outputs], INT32, bytes),
                self.floats(&format!("{name}_scale"), vec![outputs], &bias_scales),
            ];
            node.inputs[2] =
                self.node("DequantizeLinear", &format!("{name}_dequantized"), parts, Some(0));
        }
        Ok(())
    }

    /// Turns an average pool into a convolution of each channel with equal weights, which 8 bits represent
    /// exactly: ONNX Runtime's average pool in 8 bits is many times slower.
    fn average_by_convolution(&mut self, node: &mut GraphNode, channels: usize) {
        // Two products of it and 255 fit into 16 bits.
        const WEIGHT: u8 = 64;
        let kernel = node.integers("kernel_shape");
        let window: i64 = kernel.iter().product();
        let step = 1.0 / (window as f32 * f32::from(WEIGHT));
        let shape: Vec<usize> =
            [channels as i64, 1].iter().chain(&kernel).map(|it| *it as usize).collect();
        let count = shape.iter().product();
        let name = node.outputs[0].clone();
        let parts = [
            self.add(&format!("{name}_weights_quantized"), shape, INT8, vec![WEIGHT; count]),
            self.floats(&format!("{name}_weights_scale"), vec![channels], &vec![step; channels]),
            self.add(
                &format!("{name}_weights_zero_point"),
                vec![channels],
                INT8,
                vec![0; channels],
            ),
        ];
        let weights = self.node("DequantizeLinear", &format!("{name}_weights"), parts, Some(0));
        node.operator = "Conv".to_owned();
        node.inputs.push(weights);
        let shared = ["kernel_shape", "strides", "pads", "dilations"];
        node.attributes.retain(|bytes| shared.contains(&attribute_name(bytes).as_str()));
        node.attributes.push(integer_attribute("group", channels));
    }

    /// Adds a node with one output and gives the output's name.
    fn node<const N: usize>(
        &mut self,
        operator: &str,
        output: &str,
        inputs: [String; N],
        axis: Option<usize>,
    ) -> String {
        let output = fresh(&mut self.names, output);
        let attribute = axis.map(|axis| integer_attribute("axis", axis));
        self.new.nodes.push(GraphNode {
            operator: operator.to_owned(),
            name: output.clone(),
            inputs: inputs.to_vec(),
            outputs: vec![output.clone()],
            attributes: attribute.into_iter().collect(),
            ..GraphNode::default()
        });
        output
    }

    fn floats(&mut self, name: &str, shape: Vec<usize>, values: &[f32]) -> String {
        let name = fresh(&mut self.names, name);
        self.insert(GraphTensor::of_floats(name, shape, values))
    }

    fn add(&mut self, name: &str, shape: Vec<usize>, element_type: i64, bytes: Vec<u8>) -> String {
        let name = fresh(&mut self.names, name);
        self.insert(GraphTensor::new(name, shape, element_type, bytes))
    }

    fn insert(&mut self, tensor: GraphTensor) -> String {
        let name = tensor.name.clone();
        self.new.tensors.insert(name.clone(), tensor);
        name
    }
}
