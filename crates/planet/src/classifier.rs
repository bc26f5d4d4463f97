use std::sync::Arc;

use planet_data::{Loader, LoaderError, LoaderOptions, Monitor, PhotoError, PhotoStore};
use thiserror::Error;

use crate::{
    Activations, BatchSize, Engine, EngineError, EngineErrorKind,
    inference::Inference,
    package::{LabelDescription, LabelModel, UnscoredError},
};

/// A package for labels with the engine that runs its network: scores of photos from 0 to 1, one for
/// each label.
///
/// `planet_engine::EngineOptions::open_classifier` opens one.
pub struct Classifier {
    model: LabelModel,
    engine: Box<dyn Engine>,
}

/// Why a photo has no scores.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClassifyPhotoError {
    /// It cannot be decoded.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// The network's output gives none.
    #[error(transparent)]
    Scores(#[from] UnscoredError),
}

/// Why classifying stopped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// The engine failed, or gives another number of scores than there are labels.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The photos cannot be loaded.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// The user ended it.
    #[error("cancelled")]
    Cancelled,
}

/// One photo's scores, `[labels]`, or why it has none.
pub type PhotoScores = Result<Vec<f32>, ClassifyPhotoError>;

impl Classifier {
    /// A package with an engine that has loaded its network.
    pub fn new(model: LabelModel, engine: Box<dyn Engine>) -> Self {
        Self { model, engine }
    }

    /// The package's description.
    pub fn description(&self) -> &LabelDescription {
        self.model.description()
    }

    /// Scores photos of a store, in their order, decoding ahead on other threads. Reports each photo to
    /// the monitor.
    ///
    /// # Errors
    /// The engine or the store fails, or the monitor ends it.
    pub fn classify(
        &mut self,
        store: Arc<dyn PhotoStore>,
        photos: &[String],
        monitor: &dyn Monitor,
    ) -> Result<Vec<PhotoScores>, ClassifyError> {
        let LabelDescription { preprocess, labels, activation, .. } = self.model.description();
        let loader =
            Loader::new(store, photos.to_vec(), preprocess.clone(), LoaderOptions::evaluation(1))?;
        let mut scored: Vec<(usize, PhotoScores)> = Vec::with_capacity(photos.len());
        let mut inference = Inference::new(self.engine.as_mut(), &loader, BatchSize::Auto);
        while let Some(batch) = inference.next_batch()? {
            if monitor.cancelled() {
                return Err(ClassifyError::Cancelled);
            }
            let activations = inference.run(&batch)?;
            let done = (batch.rows.len() + batch.failed.len()) as u64;
            if !batch.rows.is_empty() {
                check_count(&activations, labels.names().len(), inference.engine_name())?;
                scored.extend(batch.rows.iter().enumerate().map(|(at, &row)| {
                    (row, activation.scores(activations.logits_of(at)).map_err(Into::into))
                }));
            }
            let failed = batch.failed.into_iter();
            scored.extend(failed.map(|photo| (photo.row, Err(photo.error.into()))));
            monitor.advance(done);
        }
        scored.sort_by_key(|(row, _)| *row);
        Ok(scored.into_iter().map(|(_, scores)| scores).collect())
    }
}

fn check_count(activations: &Activations, labels: usize, engine: &str) -> Result<(), EngineError> {
    if activations.classes == labels {
        return Ok(());
    }
    let what = format!("returned {} scores for {labels} labels", activations.classes);
    Err(EngineError::new(EngineErrorKind::Model, engine, what))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use planet_data::{DiskStore, NoMonitor, Photo, PixelBatch, Preprocess, thumbnail_jpeg};

    use super::*;
    use crate::package::{Activation, LabelDraft, Labels, MODEL_FILE, NewLabels, Provenance};

    /// Gives the mean of each photo's values as the score of the first label.
    struct Mean {
        labels: usize,
    }

    impl Engine for Mean {
        fn name(&self) -> &str {
            "mean"
        }

        fn run(&mut self, batch: &PixelBatch) -> Result<Activations, EngineError> {
            let photo = batch.values().len() / batch.photos();
            let mut logits = vec![0.0; batch.photos() * self.labels];
            for (scores, values) in logits.chunks_mut(self.labels).zip(batch.values().chunks(photo))
            {
                scores[0] = values.iter().sum::<f32>() / photo as f32;
            }
            Ok(Activations { logits, classes: self.labels, ..Activations::default() })
        }
    }

    struct Interrupted;

    impl Monitor for Interrupted {
        fn expect(&self, _: u64) {}

        fn advance(&self, _: u64) {}

        fn cancelled(&self) -> bool {
            true
        }
    }

    fn classifier(folder: &Path, labels: usize) -> Classifier {
        let new = NewLabels::create(&folder.join("model")).expect("a folder");
        std::fs::write(new.folder().join(MODEL_FILE), "graph").expect("written");
        let preprocess = Preprocess { mean: [0.0; 3], std: [0.5; 3], ..Preprocess::inception(4) };
        let draft = LabelDraft {
            name: String::new(),
            labels: Labels::try_from(vec!["bright".to_owned(), "dark".to_owned()]).expect("labels"),
            preprocess,
            output: "scores".to_owned(),
            activation: Activation::None,
            provenance: Provenance::default(),
        };
        Classifier::new(new.finish(draft).expect("a package"), Box::new(Mean { labels }))
    }

    #[test]
    fn scores_come_in_the_order_of_the_photos_and_those_without_say_why() {
        let folder = tempfile::tempdir().expect("a folder");
        let ids: Vec<String> = (0..40).map(|number| format!("{number}.jpg")).collect();
        for (number, id) in ids.iter().enumerate() {
            let bytes = match number {
                // Of the 40 grey photos, every seventh is torn; those above 127 have no score.
                number if number % 7 == 3 => b"torn".to_vec(),
                number => {
                    let grey = Photo::from_rgb(8, 8, vec![4 * number as u8; 192]).expect("a photo");
                    thumbnail_jpeg(&grey, 8)
                }
            };
            std::fs::write(folder.path().join(id), bytes).expect("written");
        }
        let store: Arc<DiskStore> = Arc::new(DiskStore::new(folder.path()));
        let mut classifier = classifier(folder.path(), 2);
        let scored =
            classifier.classify(Arc::clone(&store) as _, &ids, &NoMonitor).expect("scores");
        assert_eq!(scored.len(), ids.len());
        for (number, scores) in scored.iter().enumerate() {
            let expected = 8.0 * number as f32 / 255.0;
            match scores {
                Ok(scores) => assert!((scores[0] - expected).abs() < 0.02, "{number}: {scores:?}"),
                Err(ClassifyPhotoError::Photo(_)) => assert_eq!(number % 7, 3),
                Err(ClassifyPhotoError::Scores(_)) => assert!(expected > 1.0, "{number}"),
            }
        }
        assert!(scored[39].is_err() && scored[30].is_ok());
        let ended = classifier.classify(store, &ids, &Interrupted);
        assert!(matches!(ended, Err(ClassifyError::Cancelled)));
    }

    #[test]
    fn an_engine_with_another_number_of_scores_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let grey = Photo::from_rgb(8, 8, vec![9; 192]).expect("a photo");
        std::fs::write(folder.path().join("a.jpg"), thumbnail_jpeg(&grey, 8)).expect("written");
        let store = Arc::new(DiskStore::new(folder.path()));
        let error = classifier(folder.path(), 3).classify(store, &["a.jpg".to_owned()], &NoMonitor);
        assert!(error.expect_err("three").to_string().contains("3 scores for 2 labels"));
    }
}
