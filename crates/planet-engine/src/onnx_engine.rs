use std::borrow::Cow;

use planet::{Activations, Engine, EngineError, EngineErrorKind, GraphEngine, ScoreKind};
use planet_data::{Layout, PixelBatch};

use crate::{
    session::Session,
    signature::{Resolved, Signature},
};

/// An ONNX model ready to look at photos, whichever library runs it.
pub struct OnnxEngine {
    session: Box<dyn Session>,
    signature: Resolved,
}

impl OnnxEngine {
    pub(crate) fn new(
        session: Box<dyn Session>,
        signature: &Signature,
    ) -> Result<Self, EngineError> {
        let signature = signature
            .resolve(&*session)
            .map_err(|what| EngineError::new(EngineErrorKind::Model, session.engine(), what))?;
        Ok(Self { session, signature })
    }

    /// Height and width of the photos that the model takes, where it says.
    pub fn size(&self) -> Option<[usize; 2]> {
        let shape = self.signature.input.shape.as_ref()?;
        let [height, width] = match self.signature.layout {
            Layout::Nchw => [shape[2]?, shape[3]?],
            Layout::Nhwc => [shape[1]?, shape[2]?],
        };
        Some([height, width])
    }

    /// Whether this engine runs networks in 8 bits faster than in 32.
    pub fn gains_from_8_bits(&self) -> bool {
        self.session.gains_from_8_bits()
    }

    /// Name of the output with the scores.
    pub fn scores_name(&self) -> &str {
        &self.signature.scores
    }

    /// Name of the output with the embedding, where there is one.
    pub fn embedding_name(&self) -> Option<&str> {
        self.signature.embedding.as_deref()
    }

    /// These outputs of some photos, in as many runs as the model's batch axis asks for.
    fn values(&mut self, batch: &PixelBatch, names: &[&str]) -> Result<Vec<Vec<f32>>, String> {
        let Resolved { input, layout, .. } = &self.signature;
        let [photos, channels, height, width] = batch.shape();
        let step = input.shape.as_ref().and_then(|shape| shape[0]).unwrap_or(photos).max(1);
        let pixels = match layout {
            Layout::Nchw => Cow::Borrowed(batch.values()),
            Layout::Nhwc => Cow::Owned(channels_last(batch)),
        };
        let shape = match layout {
            Layout::Nchw => [step, channels, height, width],
            Layout::Nhwc => [step, height, width, channels],
        };
        let photo = channels * height * width;
        let mut results = vec![Vec::new(); names.len()];
        for first in (0..photos).step_by(step) {
            let here = step.min(photos - first);
            let mut part = Cow::Borrowed(&pixels[first * photo..][..here * photo]);
            if here < step {
                part.to_mut().resize(step * photo, 0.0);
            }
            let found = self.session.run(&input.name, &shape, &part, names)?;
            for (result, (values, name)) in results.iter_mut().zip(found.iter().zip(names)) {
                if values.is_empty() || !values.len().is_multiple_of(step) {
                    let count = values.len();
                    return Err(format!("output '{name}' has {count} values for {step} photos"));
                }
                result.extend_from_slice(&values[..values.len() / step * here]);
            }
        }
        Ok(results)
    }

    /// [`OnnxEngine::values`] of a batch that fits the model.
    fn checked_values(
        &mut self,
        batch: &PixelBatch,
        names: &[&str],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        if batch.photos() == 0 {
            let what = "the batch has no photos";
            return Err(EngineError::new(EngineErrorKind::Input, self.name(), what));
        }
        if let Some([height, width]) = self.size()
            && (height, width) != (batch.height(), batch.width())
        {
            let (h, w) = (batch.height(), batch.width());
            let what = format!("the model requires photos of {height} × {width}, not {h} × {w}");
            return Err(EngineError::new(EngineErrorKind::Input, self.name(), what));
        }
        self.values(batch, names)
            .map_err(|what| EngineError::new(EngineErrorKind::Run, self.session.engine(), what))
    }
}

impl Engine for OnnxEngine {
    fn name(&self) -> &str {
        self.session.engine()
    }

    fn run(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError> {
        let names = [Some(self.signature.scores.clone()), self.signature.embedding.clone()];
        let names: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
        let mut values = self.checked_values(batch, &names)?.into_iter();
        let [mut logits, embeddings] = [(); 2].map(|()| values.next().unwrap_or_default());
        let photos = batch.photos();
        if self.signature.kind == ScoreKind::Probabilities {
            logits.iter_mut().for_each(|x| *x = x.ln());
        }
        let (classes, features) = (logits.len() / photos, embeddings.len() / photos);
        Ok(Activations { embeddings, features, logits, classes })
    }
}

impl GraphEngine for OnnxEngine {
    fn named(&mut self, batch: &PixelBatch, names: &[&str]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.checked_values(batch, names)
    }
}

/// `[photos, height, width, channels]`.
fn channels_last(batch: &PixelBatch) -> Vec<f32> {
    let [photos, channels, height, width] = batch.shape();
    let plane = height * width;
    let mut turned = Vec::with_capacity(batch.values().len());
    for photo in 0..photos {
        let planes = &batch.values()[photo * channels * plane..][..channels * plane];
        for at in 0..plane {
            turned.extend((0..channels).map(|channel| planes[channel * plane + at]));
        }
    }
    turned
}
