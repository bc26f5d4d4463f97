use planet::{EngineError, EngineErrorKind, album::SequenceModel};

use crate::session::Session;

/// An ONNX model over a sequence, such as an album's embeddings: `embedding`
/// `[1, time, features]` in, `logits` `[1, time, classes]` out.
pub struct SequenceEngine {
    session: Box<dyn Session>,
    input: String,
    features: Option<usize>,
}

impl SequenceEngine {
    pub(crate) fn new(session: Box<dyn Session>) -> Result<Self, EngineError> {
        let engine = session.engine().to_owned();
        let [input] = session.inputs() else {
            return Err(EngineError::new(
                EngineErrorKind::Model,
                &engine,
                "an album model must have one input",
            ));
        };
        let (name, shape) = (input.name.clone(), input.shape.clone());
        let features = match shape.as_deref() {
            None => None,
            Some([_, _, features]) => *features,
            Some(axes) => {
                let axes = axes.len();
                let what = format!("input '{name}' has {axes} axes, but a sequence has 3");
                return Err(EngineError::new(EngineErrorKind::Model, &engine, what));
            }
        };
        if !session.outputs().iter().any(|output| output == "logits") {
            let known = session.outputs().join(", ");
            return Err(EngineError::new(
                EngineErrorKind::Model,
                &engine,
                format!("no output is named 'logits': {known}"),
            ));
        }
        Ok(Self { session, input: name, features })
    }

    /// What runs the model.
    pub fn name(&self) -> &str {
        self.session.engine()
    }

    /// Features a step, where the model says.
    pub fn features(&self) -> Option<usize> {
        self.features
    }
}

impl SequenceModel for SequenceEngine {
    fn run(&mut self, values: &[f32], features: usize) -> Result<Vec<f32>, EngineError> {
        let wanted = self.features.unwrap_or(features);
        if features != wanted || features == 0 || !values.len().is_multiple_of(features) {
            let count = values.len();
            let what = format!(
                "the model requires {wanted} features per step, but received {count} values in steps of {features}"
            );
            return Err(EngineError::new(EngineErrorKind::Input, self.name(), what));
        }
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let steps = values.len() / features;
        let shape = [1, steps, features];
        let found = self.session.run(&self.input, &shape, values, &["logits"]);
        let found = found
            .map_err(|what| EngineError::new(EngineErrorKind::Run, self.session.engine(), what))?;
        let scores: Vec<f32> = found.into_iter().flatten().collect();
        if scores.is_empty() || !scores.len().is_multiple_of(steps) {
            let what = format!("{} scores for {steps} steps", scores.len());
            return Err(EngineError::new(EngineErrorKind::Run, self.name(), what));
        }
        Ok(scores)
    }
}
