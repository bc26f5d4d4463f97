use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::{
    data::ExternalData,
    fields::{Fields, Malformed},
    graph_node::GraphNode,
    graph_value::GraphValue,
    message::Message,
    tensor::{FLOAT, GraphTensor},
};

/// Files with more bytes than this hold their weights themselves and cannot be read by ONNX's own
/// tools either.
const LARGEST: u64 = 1 << 31;

/// An ONNX graph of any program, read so that it can be changed and written again: nodes and the
/// names that connect them; constant arrays stay where they lie until they are needed.
#[derive(Clone, Debug)]
pub struct OnnxModel {
    pub(super) opset: i64,
    /// Nodes in an order in which each comes after those that it reads.
    pub(super) nodes: Vec<GraphNode>,
    pub(super) tensors: BTreeMap<String, GraphTensor>,
    inputs: Vec<GraphValue>,
    outputs: Vec<GraphValue>,
    /// The model's other fields as they were read, and the graph's.
    model_fields: Vec<u8>,
    graph_fields: Vec<u8>,
}

/// Why an ONNX graph cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OnnxReadError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// The file is no ONNX model, or not one that can be changed.
    #[error("{}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl OnnxModel {
    /// Reads a graph; files with weights beside it are only named.
    ///
    /// # Errors
    /// A file that cannot be read or is no ONNX model; a graph with control flow.
    pub fn read(path: &Path) -> Result<Self, OnnxReadError> {
        let failed = |source| OnnxReadError::File { path: path.to_owned(), source };
        let wrong = |what: String| OnnxReadError::Content { path: path.to_owned(), what };
        if fs::metadata(path).map_err(failed)?.len() > LARGEST {
            return Err(wrong("an ONNX file has at most 2 GB".to_owned()));
        }
        let bytes = fs::read(path).map_err(failed)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let model = Self::parse(&bytes, folder).map_err(|error| wrong(error.to_string()))?;
        if model.nodes.is_empty() {
            return Err(wrong(Malformed.to_string()));
        }
        match model.nodes.iter().find(|node| node.has_graph()) {
            Some(node) => Err(wrong(format!(
                "the operator {} (control flow) is not supported",
                node.operator
            ))),
            None => Ok(model),
        }
    }

    fn parse(bytes: &[u8], folder: &Path) -> Result<Self, Malformed> {
        let (mut graph, mut opset, mut rest) = (None, 0, Message::default());
        for field in Fields::of(bytes) {
            let (number, value) = field?;
            match number {
                7 => graph = Some(value.bytes()?),
                8 => {
                    opset = opset.max(version_of_onnx(value.bytes()?)?);
                    rest = rest.field(number, value);
                }
                _ => rest = rest.field(number, value),
            }
        }
        let mut model = Self {
            opset,
            nodes: Vec::new(),
            tensors: BTreeMap::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            model_fields: rest.into_bytes(),
            graph_fields: Vec::new(),
        };
        let mut rest = Message::default();
        for field in Fields::of(graph.ok_or(Malformed)?) {
            match field? {
                (1, value) => model.nodes.push(GraphNode::read(value.bytes()?)?),
                (5, value) => {
                    let tensor = GraphTensor::read(value.bytes()?, folder)?;
                    model.tensors.insert(tensor.name.clone(), tensor);
                }
                (11, value) => model.inputs.push(GraphValue::read(value.bytes()?)?),
                (12, value) => model.outputs.push(GraphValue::read(value.bytes()?)?),
                // Shapes of values inside: engines find them out again.
                (13, _) => {}
                (number, value) => rest = rest.field(number, value),
            }
        }
        model.graph_fields = rest.into_bytes();
        Ok(model)
    }

    /// Version of ONNX's own operators that the graph is written for; 0 where it does not say.
    pub fn opset(&self) -> i64 {
        self.opset
    }

    /// The operations, in an order in which each comes after those that it reads.
    pub fn nodes(&self) -> &[GraphNode] {
        &self.nodes
    }

    /// The constant array of this name.
    pub fn tensor(&self, name: &str) -> Option<&GraphTensor> {
        self.tensors.get(name)
    }

    /// Inputs that are no constants, in their order.
    pub fn inputs(&self) -> impl Iterator<Item = &GraphValue> {
        self.inputs.iter().filter(|input| !self.tensors.contains_key(&input.name))
    }

    /// Outputs in their order.
    pub fn outputs(&self) -> &[GraphValue] {
        &self.outputs
    }

    /// Name of the input with the pixels: the first that is no constant; empty without one.
    pub fn input_name(&self) -> &str {
        self.inputs().next().map_or("", |input| &input.name)
    }

    /// Whether a value is an output of the graph.
    pub(super) fn is_output(&self, name: &str) -> bool {
        self.outputs.iter().any(|output| output.name == name)
    }

    /// Every name of a value.
    pub(super) fn names(&self) -> HashSet<String> {
        let values = self.nodes.iter().flat_map(|node| node.inputs.iter().chain(&node.outputs));
        let inputs = self.inputs.iter().map(|input| &input.name);
        values.chain(inputs).chain(self.tensors.keys()).cloned().collect()
    }

    /// The same graph with these values inside it as further outputs, of f32 and any shape.
    #[must_use]
    pub fn with_outputs<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut model = self.clone();
        for name in names {
            if !model.is_output(name) {
                let tensor = Message::default().integer(1, FLOAT);
                let kind = Message::default().message(1, &tensor);
                let bytes = Message::default().string(1, name).message(2, &kind).into_bytes();
                model.outputs.push(GraphValue::new(name, bytes));
            }
        }
        model
    }

    /// The constant array of f16 that a node turns into f32, where it is such a node.
    pub fn widened(&self, node: &GraphNode) -> Option<&GraphTensor> {
        let is_widening = node.is("Cast") && node.integer("to") == Some(FLOAT);
        let tensor = self.tensors.get(node.input(0)?)?;
        (is_widening && tensor.is_of_halves()).then_some(tensor)
    }

    /// Leaves out arrays that no node reads, and inputs that named them.
    pub(super) fn drop_unused(&mut self) {
        let read = self.nodes.iter().flat_map(|node| &node.inputs);
        let used: HashSet<String> =
            read.chain(self.outputs.iter().map(|it| &it.name)).cloned().collect();
        let dropped: HashSet<String> =
            self.tensors.keys().filter(|name| !used.contains(*name)).cloned().collect();
        self.tensors.retain(|name, _| !dropped.contains(name));
        self.inputs.retain(|input| !dropped.contains(&input.name));
    }

    #[cfg(test)]
    pub(super) fn push_input(&mut self, input: GraphValue) {
        self.inputs.push(input);
    }

    /// Leaves out inputs by their names.
    pub(super) fn drop_inputs(&mut self, is_dropped: impl Fn(&str) -> bool) {
        self.inputs.retain(|input| !is_dropped(&input.name));
    }

    /// Writes the graph, and large arrays into a second file that the graph refers to as
    /// `data_name`.
    ///
    /// # Errors
    /// A file that cannot be written, or a file with weights that cannot be read.
    pub fn write(
        &self,
        data_name: &str,
        mut model: impl Write,
        mut data: impl Write,
    ) -> io::Result<()> {
        let mut external = ExternalData::new(&mut data, data_name);
        let mut graph = Message::default();
        for node in &self.nodes {
            graph = graph.message(1, &node.message());
        }
        for tensor in self.tensors.values() {
            graph = graph.message(5, &tensor.write(&mut external)?);
        }
        let infos = |field, values: &[GraphValue], graph: Message| {
            graph.each(values, |message, value| message.bytes(field, &value.bytes))
        };
        let graph = infos(12, &self.outputs, infos(11, &self.inputs, graph));
        let graph = graph.joined(&self.graph_fields);
        let message = Message::of(self.model_fields.clone()).message(7, &graph);
        model.write_all(&message.into_bytes())?;
        model.flush()?;
        data.flush()
    }
}

/// A name that nothing has yet, which begins like this; it is taken from now on.
pub(super) fn fresh(names: &mut HashSet<String>, name: &str) -> String {
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
    let free = candidates.find(|it| !names.contains(it)).expect("numbers do not end");
    names.insert(free.clone());
    free
}

/// The version of ONNX's own operators in an `OperatorSetIdProto`; 0 for another domain.
fn version_of_onnx(bytes: &[u8]) -> Result<i64, Malformed> {
    let (mut domain, mut version) = (String::new(), 0);
    for field in Fields::of(bytes) {
        match field? {
            (1, value) => domain = value.text()?,
            (2, value) => version = value.integer()?,
            _ => {}
        }
    }
    Ok(if domain.is_empty() || domain == "ai.onnx" { version } else { 0 })
}
