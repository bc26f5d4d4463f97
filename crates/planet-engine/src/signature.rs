use planet::{ModelDescription, ScoreKind, package::LabelDescription};
use planet_data::Layout;

use crate::session::{Input, Session};

/// What of an ONNX model to feed and to read. The default is what our own packages hold:
/// `pixels` in, `logits` and `embedding` out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name of the output with the classes' scores; `None` takes `logits` or, in a model with
    /// one output, that one.
    pub scores: Option<String>,
    /// What the scores are.
    pub kind: ScoreKind,
    /// Name of the output with the embedding; `None` takes `embedding` where there is one.
    pub embedding: Option<String>,
    /// Order of the input's axes.
    pub layout: Layout,
}

impl Default for Signature {
    fn default() -> Self {
        let (scores, embedding) = (None, None);
        Self { scores, kind: ScoreKind::Logits, embedding, layout: Layout::Nchw }
    }
}

/// A signature with every name found in one model.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) input: Input,
    pub(crate) scores: String,
    pub(crate) kind: ScoreKind,
    pub(crate) embedding: Option<String>,
    pub(crate) layout: Layout,
}

impl Signature {
    /// The network as a model package describes it.
    pub fn of(description: &ModelDescription) -> Self {
        let outputs = &description.outputs;
        Self {
            scores: Some(outputs.scores.clone()),
            kind: outputs.kind,
            embedding: outputs.embedding.clone(),
            layout: description.preprocess.layout,
        }
    }

    /// What a package without classes gives: the embedding in the place of scores, the map in that
    /// of the embedding.
    pub fn of_features() -> Self {
        let [embedding, map] = ["embedding", "map"].map(|name| Some(name.to_owned()));
        Self { scores: embedding, embedding: map, ..Self::default() }
    }

    /// What a package for labels gives, as it comes out of the network.
    pub fn of_labels(description: &LabelDescription) -> Self {
        let scores = Some(description.output.clone());
        Self { scores, layout: description.preprocess.layout, ..Self::default() }
    }

    /// What a package for near-duplicates gives: the code in the place of scores.
    pub fn of_codes() -> Self {
        Self { scores: Some("code".to_owned()), ..Self::default() }
    }

    pub(crate) fn resolve(&self, session: &dyn Session) -> Result<Resolved, String> {
        let input = match session.inputs() {
            [input] => input.clone(),
            inputs => {
                let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
                return Err(format!(
                    "the model has {} inputs ({}); it must have one, for pixels",
                    names.len(),
                    names.join(", ")
                ));
            }
        };
        if let Some(shape) = &input.shape
            && shape.len() != 4
        {
            let (name, axes) = (&input.name, shape.len());
            return Err(format!("input '{name}' has {axes} axes, but pixels have 4"));
        }
        let outputs = session.outputs();
        let has = |name: &str| outputs.iter().any(|output| output == name);
        let known = || outputs.join(", ");
        let scores = match (&self.scores, outputs) {
            (Some(name), _) if has(name) => name.clone(),
            (Some(name), _) => {
                return Err(format!(
                    "the model has no output '{name}'; its outputs are {}",
                    known()
                ));
            }
            (None, _) if has("logits") => "logits".to_owned(),
            (None, [only]) => only.clone(),
            (None, _) => {
                let known = known();
                return Err(format!(
                    "no output is named 'logits'; name the output with the scores: {known}"
                ));
            }
        };
        let embedding = match &self.embedding {
            Some(name) if has(name) => Some(name.clone()),
            Some(name) => {
                return Err(format!(
                    "the model has no output '{name}'; its outputs are {}",
                    known()
                ));
            }
            None => has("embedding").then(|| "embedding".to_owned()),
        };
        Ok(Resolved { input, scores, kind: self.kind, embedding, layout: self.layout })
    }
}
