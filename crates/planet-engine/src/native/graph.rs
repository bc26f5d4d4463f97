use std::{collections::HashMap, path::Path};

use planet_net::{GraphNode, OnnxModel, OnnxReadError};

use super::{
    floats::{Access, Constants},
    kernels::Workers,
    operation::Operation,
    operator,
};
use crate::session::Input;

/// The oldest version of ONNX's operators whose forms are known here: since then the limits of Clip
/// are inputs.
const OLDEST: i64 = 11;

/// Number of a value of a graph.
pub(super) type Value = usize;

/// A graph whose every operation this engine computes, its weights as it needs them.
#[derive(Debug)]
pub(super) struct Graph {
    pub(super) inputs: Vec<Input>,
    /// Names and values of the outputs.
    pub(super) outputs: Vec<(String, Value)>,
    /// Each comes after those that it reads.
    pub(super) layers: Vec<Layer>,
    /// Number of values; the first are the inputs.
    pub(super) values: usize,
}

/// One operation of a graph.
#[derive(Debug)]
pub(super) struct Layer {
    /// The node's name, for people.
    pub(super) name: String,
    pub(super) operation: Operation,
    pub(super) inputs: Vec<Value>,
    pub(super) output: Value,
}

/// Why this engine does not run a graph.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Read(#[from] OnnxReadError),
    #[error("the node '{node}' ({operator}) {what}")]
    Node { node: String, operator: String, what: String },
    #[error("{0}")]
    Graph(String),
}

impl Graph {
    /// Reads a graph and its weights.
    ///
    /// # Errors
    /// A file that cannot be read or is no ONNX model, and an operator that is not supported.
    pub(super) fn read(path: &Path, access: Access, workers: &Workers) -> Result<Self, Refusal> {
        let model = OnnxModel::read(path)?;
        if model.opset() < OLDEST {
            let what = format!(
                "its operators are of version {}; versions from {OLDEST} on are supported",
                model.opset()
            );
            return Err(Refusal::Graph(what));
        }
        let constants = Constants::new(&model, access);
        let nodes: Vec<&GraphNode> =
            model.nodes().iter().filter(|node| !constants.has_read(node)).collect();
        let operations = workers.map(nodes.len(), |at| operator::read(nodes[at], &constants));
        let inputs = model
            .inputs()
            .map(|input| Input { name: input.name().to_owned(), shape: input.shape() });
        let mut names = Names::default();
        let inputs: Vec<Input> = inputs.collect();
        for input in &inputs {
            names.define(&input.name).map_err(Refusal::Graph)?;
        }
        let mut layers = Vec::with_capacity(nodes.len());
        for (node, operation) in nodes.into_iter().zip(operations) {
            let layer = operation.and_then(|(operation, read)| names.layer(node, operation, read));
            layers.push(layer.map_err(|what| Refusal::Node {
                node: label(node),
                operator: node.operator().to_owned(),
                what,
            })?);
        }
        let outputs = model.outputs().iter().map(|output| {
            let value = names.0.get(output.name()).copied();
            let missing = || format!("no node gives the output '{}'", output.name());
            Ok((output.name().to_owned(), value.ok_or_else(missing)?))
        });
        let outputs = outputs.collect::<Result<_, _>>().map_err(Refusal::Graph)?;
        let mut graph = Self { inputs, outputs, layers, values: names.0.len() };
        graph.join_curves();
        Ok(graph)
    }

    pub(super) fn is_output(&self, value: Value) -> bool {
        self.outputs.iter().any(|(_, output)| *output == value)
    }

    /// Lets operations apply the curve behind them, where nothing else reads what they give.
    fn join_curves(&mut self) {
        let mut readers = vec![0; self.values];
        self.layers.iter().flat_map(|layer| &layer.inputs).for_each(|value| readers[*value] += 1);
        let mut kept: Vec<Layer> = Vec::with_capacity(self.layers.len());
        // The layer that gives each value.
        let mut sources: HashMap<Value, usize> = HashMap::new();
        for layer in std::mem::take(&mut self.layers) {
            let source = match (&layer.operation, &layer.inputs[..]) {
                (Operation::Curve(_), [value])
                    if readers[*value] == 1 && !self.is_output(*value) =>
                {
                    sources.get(value).copied()
                }
                _ => None,
            };
            if let (Some(at), Operation::Curve(curve)) = (source, &layer.operation)
                && let Some(behind) = kept[at].operation.curve_mut()
                && *behind == Default::default()
            {
                *behind = *curve;
                kept[at].output = layer.output;
                sources.insert(layer.output, at);
                continue;
            }
            sources.insert(layer.output, kept.len());
            kept.push(layer);
        }
        self.layers = kept;
    }
}

/// The values that are defined, by name.
#[derive(Default)]
struct Names(HashMap<String, Value>);

impl Names {
    fn define(&mut self, name: &str) -> Result<Value, String> {
        let value = self.0.len();
        match self.0.insert(name.to_owned(), value) {
            None => Ok(value),
            Some(_) => Err(format!("the value '{name}' is defined twice")),
        }
    }

    /// A layer that reads these inputs of a node.
    fn layer(
        &mut self,
        node: &GraphNode,
        operation: Operation,
        read: usize,
    ) -> Result<Layer, String> {
        let value = |name: &String| {
            self.0.get(name).copied().ok_or_else(|| format!("reads '{name}', which nothing gives"))
        };
        let inputs = node.inputs()[..read].iter().map(value).collect::<Result<_, _>>()?;
        let [output] = node.outputs() else {
            let given = node.outputs().iter().filter(|it| !it.is_empty()).count();
            return Err(format!("gives {given} values instead of one"));
        };
        Ok(Layer { name: label(node), operation, inputs, output: self.define(output)? })
    }
}

/// A node's name, or where it has none that of the value that it gives.
fn label(node: &GraphNode) -> String {
    match node.name() {
        "" => node.outputs().first().cloned().unwrap_or_default(),
        name => name.to_owned(),
    }
}
