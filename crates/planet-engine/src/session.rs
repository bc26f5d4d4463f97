/// A loaded ONNX model of any engine: f32 in, f32 out.
pub(crate) trait Session: Send {
    /// The library and what it runs on, for people.
    fn engine(&self) -> &str;

    /// Whether networks in 8 bits run faster than in 32.
    fn gains_from_8_bits(&self) -> bool;

    /// Inputs in the model's order.
    fn inputs(&self) -> &[Input];

    /// Names of the outputs in the model's order.
    fn outputs(&self) -> &[String];

    /// Runs the model once and gives the values of the outputs asked for.
    fn run(
        &mut self,
        input: &str,
        shape: &[usize],
        values: &[f32],
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, String>;
}

/// One input of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) name: String,
    /// Lengths of the axes, `None` where they are free; `None` for all where the model does
    /// not say.
    pub(crate) shape: Option<Vec<Option<usize>>>,
}
