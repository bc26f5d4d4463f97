use std::{collections::HashSet, fmt};

use crate::{NetworkError, Operation, Parameter, Shape};

/// A network as data: nodes in an order in which each comes after its inputs, shapes checked.
///
/// Made by a [`Builder`](crate::Builder) or an [`Architecture`](crate::Architecture); read by
/// backends, which interpret it, and by the ONNX writer.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    name: String,
    input_name: String,
    pub(crate) nodes: Vec<Node>,
    outputs: Vec<(OutputName, NodeId)>,
}

/// One step of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    name: String,
    operation: Operation,
    inputs: Vec<NodeId>,
    shape: Shape,
    pub(crate) frozen: bool,
}

/// Place of a node in [`Network::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

/// What leaves a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutputName {
    /// The layer below the classifier, `[features]`.
    Embedding,
    /// Scores before the softmax, `[classes]`.
    Logits,
    /// Scores of the auxiliary classifier, `[classes]`: in training only.
    Auxiliary,
    /// The last convolution's image, `[channels, height, width]`: in networks without classes.
    Map,
    /// Numbers whose signs are a code's bits, `[bits]`: in networks for codes.
    Code,
}

impl fmt::Display for OutputName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedding => "embedding",
            Self::Logits => "logits",
            Self::Auxiliary => "auxiliary",
            Self::Map => "map",
            Self::Code => "code",
        })
    }
}

impl NodeId {
    /// The input.
    pub(crate) const FIRST: Self = Self(0);

    /// Row in [`Network::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

impl Node {
    /// Unique in its network; a prefix of its parameters' names.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it computes.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The nodes whose values it takes, all before it.
    pub fn inputs(&self) -> &[NodeId] {
        &self.inputs
    }

    /// Shape of its value.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Whether training leaves it as it is: its parameters do not change, and batch norm takes its
    /// running statistics. No node before a frozen one is trained.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// What it needs to be given or to learn, in PyTorch's order; often nothing.
    pub fn parameters(&self) -> Vec<Parameter> {
        Parameter::of(self)
    }
}

impl Network {
    /// Only the input, `pixels` for photos and `embedding` for sequences of them.
    pub(crate) fn new(name: &str, input: Shape) -> Self {
        let input_name = match input {
            Shape::Image { .. } => "pixels",
            Shape::Features(_) | Shape::Sequence { .. } => "embedding",
        };
        let node = Node {
            name: input_name.into(),
            operation: Operation::Input,
            inputs: Vec::new(),
            shape: input,
            frozen: false,
        };
        let (name, input_name) = (name.into(), input_name.into());
        Self { name, input_name, nodes: vec![node], outputs: Vec::new() }
    }

    pub(crate) fn push(
        &mut self,
        name: &str,
        operation: Operation,
        inputs: &[NodeId],
    ) -> Result<NodeId, NetworkError> {
        let shapes: Vec<Shape> = inputs.iter().map(|&id| self.node(id).shape).collect();
        let shape = operation.output(&shapes).map_err(|what| NetworkError::Node {
            node: name.into(),
            operation: operation.name(),
            what,
        })?;
        let (name, inputs, frozen) = (name.into(), inputs.to_vec(), false);
        self.nodes.push(Node { name, operation, inputs, shape, frozen });
        Ok(NodeId(self.nodes.len() - 1))
    }

    pub(crate) fn set_output(&mut self, output: OutputName, node: NodeId) {
        self.outputs.retain(|(name, _)| *name != output);
        self.outputs.push((output, node));
        self.outputs.sort_unstable();
    }

    pub(crate) fn check(&self) -> Result<(), NetworkError> {
        let mut names = HashSet::new();
        if let Some(node) = self.nodes.iter().find(|node| !names.insert(&node.name)) {
            return Err(NetworkError::DuplicateName(node.name.clone()));
        }
        if self.output(OutputName::Logits).is_none() {
            return Err(NetworkError::NoLogits(self.name.clone()));
        }
        Ok(())
    }

    /// The architecture's name: `inception-v3`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Name of the input in ONNX: `pixels` or `embedding`.
    pub fn input_name(&self) -> &str {
        &self.input_name
    }

    /// Shape of the input without the batch axis.
    pub fn input_shape(&self) -> Shape {
        self.nodes[0].shape
    }

    /// All nodes, the input first, each after its inputs.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All nodes with their ids.
    pub fn nodes_with_ids(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index), node))
    }

    /// One node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The outputs: embedding, logits, auxiliary, map, code, those that there are, in this order.
    pub fn outputs(&self) -> &[(OutputName, NodeId)] {
        &self.outputs
    }

    /// The node behind one output, where the network has it.
    pub fn output(&self, output: OutputName) -> Option<NodeId> {
        self.outputs.iter().find(|(name, _)| *name == output).map(|&(_, node)| node)
    }

    /// Number of classes, 0 in a network without them ([`Network::features_only`]).
    pub fn classes(&self) -> usize {
        self.output(OutputName::Logits).map_or(0, |node| self.node(node).shape.channels())
    }

    /// Length of the embedding, 0 where there is none.
    pub fn features(&self) -> usize {
        self.output(OutputName::Embedding).map_or(0, |node| self.node(node).shape.channels())
    }

    /// Every parameter, node by node.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter> {
        self.nodes.iter().flat_map(Node::parameters)
    }

    /// The network without what only training needs: the auxiliary classifier and dropout.
    pub fn inference(&self) -> Self {
        self.keeping(|output| output != OutputName::Auxiliary)
    }

    /// The nodes that these outputs need, without dropout.
    pub(crate) fn keeping(&self, keep: impl Fn(OutputName) -> bool) -> Self {
        let mut wanted = vec![false; self.nodes.len()];
        wanted[0] = true;
        for (_, node) in self.outputs.iter().filter(|(output, _)| keep(*output)) {
            wanted[node.0] = true;
        }
        for index in (0..self.nodes.len()).rev() {
            if wanted[index] {
                self.nodes[index].inputs.iter().for_each(|input| wanted[input.0] = true);
            }
        }
        let mut place = vec![NodeId(0); self.nodes.len()];
        let mut nodes = Vec::new();
        for (index, node) in self.nodes.iter().enumerate().filter(|&(index, _)| wanted[index]) {
            let inputs: Vec<NodeId> = node.inputs.iter().map(|input| place[input.0]).collect();
            if let (Operation::Dropout { .. }, [input]) = (&node.operation, &inputs[..]) {
                place[index] = *input;
                continue;
            }
            place[index] = NodeId(nodes.len());
            nodes.push(Node { inputs, ..node.clone() });
        }
        let outputs = self.outputs.iter().filter(|(output, _)| keep(*output));
        let outputs = outputs.map(|&(output, node)| (output, place[node.0])).collect();
        Self { name: self.name.clone(), input_name: self.input_name.clone(), nodes, outputs }
    }
}
