use std::error::Error;

use planet_data::PixelBatch;

/// Something that runs a network: pixels in, activations out.
///
/// Implemented by the engines of `planet-engine` and by fakes in tests.
pub trait Engine: Send {
    /// What runs the network, for people: `rten 0.27`, `ONNX Runtime 1.24, CPU`.
    fn name(&self) -> &str;

    /// Runs the network once over a batch of any size.
    ///
    /// # Errors
    /// A batch of the wrong size, or a failure of the library underneath.
    fn run(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError>;

    /// [`Engine::run`], with its result checked against the batch: a model may give fewer values
    /// than it states, and nothing may be read beyond them.
    ///
    /// # Errors
    /// As [`Engine::run`], and values that are not so many for every photo.
    fn run_checked(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError> {
        let activations = self.run(batch)?;
        let photos = batch.photos();
        let Activations { embeddings, features, logits, classes } = &activations;
        for (what, values, each) in
            [("scores", logits.len(), *classes), ("features", embeddings.len(), *features)]
        {
            if photos.checked_mul(each) != Some(values) {
                let what = format!("returned {values} {what} for {photos} photos with {each} each");
                return Err(EngineError::new(EngineErrorKind::Run, self.name(), what));
            }
        }
        Ok(activations)
    }
}

/// An engine that gives every output of its graph by name, in 32 bits.
pub trait GraphEngine: Engine {
    /// Runs the network once over a batch and gives these outputs, each `[photos, …]`.
    ///
    /// # Errors
    /// As [`Engine::run`], and an output that the graph does not have or that is not in 32 bits.
    fn named(&mut self, batch: &PixelBatch, names: &[&str]) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// A network's two outputs for a batch of photos.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activations {
    /// The layer below the classifier, `[photos, features]`; empty where a model has none.
    pub embeddings: Vec<f32>,
    /// Features a photo; 0 where a model has no embedding.
    pub features: usize,
    /// Scores before the softmax, `[photos, classes]`. A model that gives probabilities has
    /// their logarithms here.
    pub logits: Vec<f32>,
    /// Classes a photo.
    pub classes: usize,
}

impl Activations {
    /// Number of photos.
    pub fn photos(&self) -> usize {
        self.logits.len() / self.classes.max(1)
    }

    /// One photo's scores, `[classes]`.
    pub fn logits_of(&self, photo: usize) -> &[f32] {
        &self.logits[photo * self.classes..][..self.classes]
    }

    /// One photo's embedding, `[features]`.
    pub fn embedding_of(&self, photo: usize) -> &[f32] {
        &self.embeddings[photo * self.features..][..self.features]
    }
}

/// Why an engine could not be made or gave no answer.
#[derive(Debug, thiserror::Error)]
#[error("{engine}: {what}")]
#[non_exhaustive]
pub struct EngineError {
    /// What kind of failure it is.
    pub kind: EngineErrorKind,
    /// The engine's name.
    pub engine: String,
    /// What happened, and the cure where one is known.
    pub what: String,
    /// The error of the library underneath, where it gives one.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of failure an engine met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineErrorKind {
    /// The library or device is not there, or not as it must be.
    Library,
    /// The model's file cannot be read, or does not fit its description.
    Model,
    /// The photos or values given do not fit the model.
    Input,
    /// The library failed at the work itself.
    Run,
}

impl EngineError {
    /// Without an error underneath.
    pub fn new(kind: EngineErrorKind, engine: impl Into<String>, what: impl Into<String>) -> Self {
        Self { kind, engine: engine.into(), what: what.into(), source: None }
    }

    /// With the error underneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Activations);

    impl Engine for Fixed {
        fn name(&self) -> &str {
            "fixed"
        }

        fn run(&mut self, _: &PixelBatch) -> Result<Activations, EngineError> {
            Ok(self.0.clone())
        }
    }

    #[test]
    fn an_engine_that_gives_too_few_or_too_many_values_is_an_error() {
        let mut batch = PixelBatch::with_capacity(2, 1, 1);
        (0..2).for_each(|_| batch.push(&[0.0; 3]));
        let run = |logits: usize, embeddings: usize| {
            let (logits, embeddings) = (vec![0.0; logits], vec![0.0; embeddings]);
            Fixed(Activations { embeddings, features: 2, logits, classes: 3 }).run_checked(&batch)
        };
        assert!(run(6, 4).is_ok());
        for (logits, embeddings) in [(5, 4), (7, 4), (0, 4), (6, 3), (6, 0)] {
            let error = run(logits, embeddings).expect_err("not so many");
            assert!(error.to_string().contains("for 2 photos"), "{error}");
        }
    }
}
