use super::{
    fields::{Fields, Malformed, Value},
    message::Message,
};

/// One operation of a graph.
#[derive(Clone, Debug, Default)]
pub struct GraphNode {
    pub(super) operator: String,
    pub(super) domain: String,
    pub(super) name: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    /// `AttributeProto`s as they were read.
    pub(super) attributes: Vec<Vec<u8>>,
}

impl GraphNode {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut node = Self::default();
        for field in Fields::of(bytes) {
            match field? {
                (1, value) => node.inputs.push(value.text()?),
                (2, value) => node.outputs.push(value.text()?),
                (3, value) => node.name = value.text()?,
                (4, value) => node.operator = value.text()?,
                (5, value) => node.attributes.push(value.bytes()?.to_vec()),
                (7, value) => node.domain = value.text()?,
                // Notes for people, and what newer versions add.
                _ => {}
            }
        }
        Ok(node)
    }

    /// `NodeProto`.
    pub(super) fn message(&self) -> Message {
        let message = Message::default()
            .each(&self.inputs, |message, input| message.string(1, input))
            .each(&self.outputs, |message, output| message.string(2, output))
            .string(3, &self.name)
            .string(4, &self.operator)
            .each(&self.attributes, |message, attribute| message.bytes(5, attribute));
        if self.domain.is_empty() { message } else { message.string(7, &self.domain) }
    }

    /// What it computes: `Conv`.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// Its name; empty where it has none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the values that it gives.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Names of the values that it reads; empty for an input that is left out.
    pub fn inputs(&self) -> &[String] {
        &self.inputs
    }

    /// Whether it is this operator of ONNX itself.
    pub fn is(&self, operator: &str) -> bool {
        self.is_of_onnx() && self.operator == operator
    }

    /// Whether the operator is one of ONNX itself, not of another program's set.
    pub fn is_of_onnx(&self) -> bool {
        self.domain.is_empty() || self.domain == "ai.onnx"
    }

    /// An input that is there.
    pub fn input(&self, at: usize) -> Option<&str> {
        self.inputs.get(at).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// A whole number among the attributes.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name, 3)?.integer().ok()
    }

    /// Whole numbers among the attributes; empty without them.
    pub fn integers(&self, name: &str) -> Vec<i64> {
        let named = self.attributes.iter().filter(|bytes| attribute_name(bytes) == name);
        let fields = named.flat_map(|bytes| Fields::of(bytes).flatten());
        let lists = fields.filter(|(number, _)| *number == 8);
        lists.flat_map(|(_, value)| value.integers().unwrap_or_default()).collect()
    }

    /// A number among the attributes.
    pub fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name, 2)?.float().ok()
    }

    /// A text among the attributes.
    pub fn text(&self, name: &str) -> Option<String> {
        self.attribute(name, 4)?.text().ok()
    }

    /// A field of the attribute of this name.
    fn attribute(&self, name: &str, field: u64) -> Option<Value<'_>> {
        self.attributes.iter().find_map(|bytes| {
            let of = |wanted| {
                let mut fields = Fields::of(bytes).flatten();
                fields.find_map(|(number, value)| (number == wanted).then_some(value))
            };
            (of(1)?.bytes().ok()? == name.as_bytes()).then(|| of(field))?
        })
    }

    /// Names of the attributes.
    pub fn attributes(&self) -> impl Iterator<Item = String> {
        self.attributes.iter().map(|bytes| attribute_name(bytes))
    }

    /// Whether there is an attribute of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute == name)
    }

    /// Whether an attribute holds a graph, as those of control flow do.
    pub(super) fn has_graph(&self) -> bool {
        let fields = self.attributes.iter().flat_map(|bytes| Fields::of(bytes).flatten());
        fields.into_iter().any(|(number, _)| matches!(number, 6 | 11))
    }
}

/// `AttributeProto` of a whole number: name, integer, type INT.
pub(super) fn integer_attribute(name: &str, value: usize) -> Vec<u8> {
    Message::default().string(1, name).integer(3, value as i64).integer(20, 2).into_bytes()
}

/// The name of an `AttributeProto`; empty where it has none.
pub(super) fn attribute_name(bytes: &[u8]) -> String {
    let mut fields = Fields::of(bytes).flatten();
    let name = fields.find_map(|(number, value)| (number == 1).then(|| value.text().ok())?);
    name.unwrap_or_default()
}
