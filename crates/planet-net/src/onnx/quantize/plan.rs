use std::collections::{BTreeMap, HashMap, HashSet};

use super::{OutputAxis, QuantizeError, QuantizeOptions, Range};
use crate::onnx::{graph_node::GraphNode, model::OnnxModel, tensor::FLOAT};

/// Least version of ONNX's operators whose DequantizeLinear has a step for every output.
const LEAST_OPSET: i64 = 13;

/// Operators without constants that 8 bits pass through where their inputs have them already.
const PASSING: [&str; 5] = ["MaxPool", "AveragePool", "Concat", "Add", "Mul"];

/// Operators whose inputs and output must have one range: they copy values.
const COPYING: [&str; 2] = ["MaxPool", "Concat"];

/// Which parts of a graph are to compute in 8 bits, and which arrays between them must be measured
/// for it.
#[derive(Clone, Debug)]
pub struct QuantizationPlan {
    /// By node: what becomes of it.
    pub(super) nodes: Vec<Treatment>,
    /// Arrays that become 8 bits, in the graph's order, each with the array whose range it shares.
    pub(super) arrays: Vec<(String, String)>,
    /// Arrays that only operators in 8 bits compute.
    pub(super) computed: HashSet<String>,
    /// Average pools, by node, that become convolutions, and how many channels they have.
    pub(super) averages: HashMap<usize, usize>,
}

/// What becomes of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It stays as it is.
    Kept,
    /// Its weights, an input of the graph, become 8 bits.
    Weighted(OutputAxis),
    /// It computes on arrays of 8 bits.
    Passing,
    /// It cuts the output of this node below zero, as the range of 8 bits does by itself.
    Cut(usize),
}

impl QuantizationPlan {
    /// Chooses what computes in 8 bits: convolutions and dense layers, and pools, sums, products and
    /// concatenations of their outputs.
    ///
    /// # Errors
    /// A graph that is in 8 or 16 bits already, of operators before version 13, or without a
    /// convolution or dense layer whose weights are constant numbers of 32 bits.
    pub fn new(model: &OnnxModel, options: QuantizeOptions) -> Result<Self, QuantizeError> {
        model.check_full_precision()?;
        if model.opset < LEAST_OPSET {
            return Err(QuantizeError::Opset(model.opset));
        }
        let planner = Planner::new(model, options);
        let plan = planner.plan();
        match plan.weighted() {
            0 => Err(QuantizeError::Nothing),
            _ => Ok(plan),
        }
    }

    /// Names of the arrays whose values must be measured.
    pub fn arrays(&self) -> impl Iterator<Item = &str> {
        self.arrays.iter().map(|(name, _)| name.as_str())
    }

    /// Convolutions and dense layers in 8 bits.
    pub fn weighted(&self) -> usize {
        self.nodes.iter().filter(|it| matches!(it, Treatment::Weighted(_))).count()
    }

    /// Names and numbers of the operators that stay in 32 bits.
    pub fn kept(&self, model: &OnnxModel) -> BTreeMap<String, usize> {
        let mut kept = BTreeMap::new();
        for (node, treatment) in model.nodes.iter().zip(&self.nodes) {
            if *treatment == Treatment::Kept {
                *kept.entry(node.operator.clone()).or_default() += 1;
            }
        }
        kept
    }

    /// The range of every array, those that share one joined.
    pub(super) fn joined(
        &self,
        ranges: &BTreeMap<String, Range>,
    ) -> Result<HashMap<&str, Range>, QuantizeError> {
        let mut joined: HashMap<&str, Range> = HashMap::new();
        for (name, shared) in &self.arrays {
            let range = ranges.get(name).ok_or_else(|| QuantizeError::NoRange(name.clone()))?;
            let union = joined.get(shared.as_str()).map_or(*range, |it| it.union(*range));
            joined.insert(shared, union);
        }
        Ok(self
            .arrays
            .iter()
            .map(|(name, shared)| (name.as_str(), joined[shared.as_str()]))
            .collect())
    }
}

/// What is known while a graph is gone through from its inputs to its outputs.
struct Planner<'m> {
    model: &'m OnnxModel,
    consumers: HashMap<&'m str, Vec<usize>>,
    nodes: Vec<Treatment>,
    /// Arrays that become 8 bits, in order.
    arrays: Vec<&'m str>,
    /// The array whose range another one shares.
    shared: HashMap<&'m str, &'m str>,
    computed: HashSet<&'m str>,
    /// Channels of the arrays of which they are known.
    channels: HashMap<&'m str, usize>,
}

impl<'m> Planner<'m> {
    fn new(model: &'m OnnxModel, options: QuantizeOptions) -> Self {
        let mut consumers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, node) in model.nodes.iter().enumerate() {
            node.inputs.iter().for_each(|input| consumers.entry(input).or_default().push(at));
        }
        let weights: Vec<_> = model.nodes.iter().map(|node| weights(model, node)).collect();
        let first = model.nodes.iter().position(|node| node.is("Conv"));
        let last =
            weights.iter().rposition(Option::is_some).filter(|at| !model.nodes[*at].is("Conv"));
        let is_kept =
            |at| options.keep_first && first == Some(at) || options.keep_last && last == Some(at);
        let nodes = weights.into_iter().enumerate().map(|(at, axis)| match axis {
            Some(axis) if !is_kept(at) => Treatment::Weighted(axis),
            _ => Treatment::Kept,
        });
        let nodes = nodes.collect();
        let (arrays, shared, computed) = (Vec::new(), HashMap::new(), HashSet::new());
        Self { model, consumers, nodes, arrays, shared, computed, channels: HashMap::new() }
    }

    fn plan(mut self) -> QuantizationPlan {
        let model = self.model;
        let mut averages = HashMap::new();
        for (at, node) in model.nodes.iter().enumerate() {
            match self.nodes[at] {
                Treatment::Weighted(_) => {
                    self.mark(&node.inputs[0]);
                    // A dense layer gives 32 bits.
                    if node.is("Conv") {
                        let output = self.output(at);
                        self.channels.insert(output, model.tensors[&node.inputs[1]].shape[0]);
                    }
                }
                Treatment::Kept if self.passes(node) => {
                    self.nodes[at] = Treatment::Passing;
                    node.inputs.iter().for_each(|input| self.mark(input));
                    let output = self.output(at);
                    if let Some(channels) = self.channels(node) {
                        self.channels.insert(output, channels);
                        if is_convolution(node) {
                            averages.insert(at, channels);
                        }
                    }
                    if COPYING.iter().any(|name| node.is(name)) {
                        node.inputs.iter().for_each(|input| self.share(input, output));
                    }
                }
                _ => {}
            }
        }
        let Self { nodes, arrays, shared, computed, .. } = self;
        let shared = |name| root(&shared, name).to_owned();
        QuantizationPlan {
            arrays: arrays.iter().map(|name| ((*name).to_owned(), shared(name))).collect(),
            computed: computed.into_iter().map(str::to_owned).collect(),
            nodes,
            averages,
        }
    }

    /// Channels of the output of a node without weights, where they are known.
    fn channels(&self, node: &GraphNode) -> Option<usize> {
        let mut inputs = node.inputs.iter().map(|name| self.channels.get(name.as_str()).copied());
        if node.is("Concat") {
            return if node.integer("axis") == Some(1) { inputs.sum() } else { None };
        }
        let first = inputs.next()??;
        inputs.all(|other| other == Some(first)).then_some(first)
    }

    /// Whether a node without weights gets an array that operators in 8 bits compute.
    fn passes(&self, node: &GraphNode) -> bool {
        let is_array = |name: &String| !name.is_empty() && !self.model.tensors.contains_key(name);
        PASSING.iter().any(|name| node.is(name))
            && node.outputs.len() == 1
            && !self.model.is_output(&node.outputs[0])
            && node.inputs.iter().all(is_array)
            && node.inputs.iter().any(|name| self.computed.contains(name.as_str()))
    }

    fn mark(&mut self, name: &'m str) {
        if !self.arrays.contains(&name) {
            self.arrays.push(name);
        }
    }

    /// Marks a node's output, or that of the ReLU behind it, and gives its name.
    fn output(&mut self, at: usize) -> &'m str {
        let model = self.model;
        let mut output = model.nodes[at].outputs[0].as_str();
        if let Some([next]) = self.consumers.get(output).map(Vec::as_slice)
            && self.cuts_at_zero(&model.nodes[*next])
            && !model.is_output(output)
            && !COPYING.iter().any(|name| model.nodes[at].is(name))
        {
            self.nodes[*next] = Treatment::Cut(at);
            output = &model.nodes[*next].outputs[0];
        }
        if !model.is_output(output) {
            self.mark(output);
            self.computed.insert(output);
        }
        output
    }

    /// Whether a node is a ReLU, or one with an upper end too: no value lies above that.
    fn cuts_at_zero(&self, node: &GraphNode) -> bool {
        let zero = |name: &str| {
            let tensor = self.model.tensors.get(name);
            tensor.is_some_and(|it| it.floats().is_ok_and(|values| values == [0.0]))
        };
        node.is("Relu") || node.is("Clip") && node.input(1).is_some_and(zero)
    }

    fn share(&mut self, a: &'m str, b: &'m str) {
        let (a, b) = (root(&self.shared, a), root(&self.shared, b));
        if a != b {
            self.shared.insert(b, a);
        }
    }
}

/// Whether an average pool over two axes is a convolution whose weights are all the same: every window
/// is divided by the same number.
fn is_convolution(node: &GraphNode) -> bool {
    let counts_padding = node.integer("count_include_pad") == Some(1)
        || node.integers("pads").iter().all(|pad| *pad == 0);
    node.is("AveragePool")
        && counts_padding
        && node.integers("kernel_shape").len() == 2
        && node.integer("ceil_mode").unwrap_or(0) == 0
        && !node.has("auto_pad")
}

fn root<'m>(shared: &HashMap<&'m str, &'m str>, mut name: &'m str) -> &'m str {
    while let Some(next) = shared.get(name) {
        name = next;
    }
    name
}

/// How the weights of a convolution or dense layer lie, where they are constants of f32 and the
/// operator has a form in 8 bits.
fn weights(model: &OnnxModel, node: &GraphNode) -> Option<OutputAxis> {
    let constant = |at: usize| {
        let tensor = model.tensors.get(node.input(at)?)?;
        (tensor.element_type == FLOAT && tensor.count().is_some_and(|it| it > 0)).then_some(tensor)
    };
    let is_array = !model.tensors.contains_key(node.input(0)?);
    let shape = &constant(1)?.shape;
    let is_one = |name| node.float(name).is_none_or(|value| value == 1.0);
    let axis = match node.operator.as_str() {
        "Conv" if node.is("Conv") && shape.len() > 2 => OutputAxis::First,
        "Gemm" if node.is("Gemm") && shape.len() == 2 && is_one("alpha") && is_one("beta") => {
            match (node.integer("transA").unwrap_or(0), node.integer("transB").unwrap_or(0)) {
                (0, 0) => OutputAxis::Last,
                (0, _) => OutputAxis::First,
                _ => return None,
            }
        }
        "MatMul" if node.is("MatMul") && shape.len() == 2 => OutputAxis::Last,
        _ => return None,
    };
    let outputs = if axis == OutputAxis::First { shape[0] } else { shape[shape.len() - 1] };
    let bias_fits = match node.input(2) {
        Some(_) => constant(2)?.shape == [outputs],
        None => true,
    };
    (is_array && bias_fits).then_some(axis)
}
