use super::message::Message;

/// One ONNX node in the making.
pub(super) struct OnnxNode {
    operator: &'static str,
    inputs: Vec<String>,
    attributes: Vec<Message>,
}

impl OnnxNode {
    pub(super) fn new(
        operator: &'static str,
        inputs: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let inputs = inputs.into_iter().map(Into::into).collect();
        Self { operator, inputs, attributes: Vec::new() }
    }

    pub(super) fn integer(mut self, name: &str, value: usize) -> Self {
        let attribute = Message::default().string(1, name).integer(3, value as i64);
        self.attributes.push(attribute.integer(20, 2)); // INT
        self
    }

    pub(super) fn float(mut self, name: &str, value: f32) -> Self {
        let attribute = Message::default().string(1, name).float(2, value);
        self.attributes.push(attribute.integer(20, 1)); // FLOAT
        self
    }

    pub(super) fn text(mut self, name: &str, value: &str) -> Self {
        let attribute = Message::default().string(1, name).string(4, value);
        self.attributes.push(attribute.integer(20, 3)); // STRING
        self
    }

    pub(super) fn integers(mut self, name: &str, values: &[usize]) -> Self {
        let attribute = Message::default()
            .string(1, name)
            .each(values, |message, &value| message.integer(8, value as i64));
        self.attributes.push(attribute.integer(20, 7)); // INTS
        self
    }

    /// `NodeProto`, with one output, named after it.
    pub(super) fn message(&self, name: &str, output: &str) -> Message {
        Message::default()
            .each(&self.inputs, |message, input| message.string(1, input))
            .string(2, output)
            .string(3, name)
            .string(4, self.operator)
            .each(&self.attributes, |message, attribute| message.message(5, attribute))
    }
}
