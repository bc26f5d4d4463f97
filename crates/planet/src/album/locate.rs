use planet_data::{Monitor, PhotoRecord};

use super::{Album, AnswerError, Embeddings, PhotoProbabilities, Scheme, album_means};
use crate::{CellProbabilities, EngineError, Locator, Prediction, ProbabilityError};

/// Something that runs a network over sequences, such as an album's embeddings.
///
/// Implemented by the engines of `planet-engine` and by fakes in tests.
pub trait SequenceModel: Send {
    /// Scores of every step, `[steps, classes]`, of values `[steps, features]`.
    ///
    /// # Errors
    /// Values that are not whole steps, or a failure of the library underneath.
    fn run(&mut self, values: &[f32], features: usize) -> Result<Vec<f32>, EngineError>;
}

/// What albums are located from.
pub enum AlbumInput<'a> {
    /// The model's output on each photo, for [`Scheme::Single`] and averages.
    Probabilities(&'a PhotoProbabilities),
    /// An LSTM of the package and the photos' embeddings, for sequence schemes. The LSTM's scores
    /// need no temperature: the locator must have temperature 1.
    Sequence(&'a mut dyn SequenceModel, &'a Embeddings),
}

/// Why albums cannot be located.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlbumError {
    /// The LSTM failed, or gave another number of scores than its package states.
    #[error(transparent)]
    Answer(#[from] AnswerError<EngineError>),
    /// The hidden Markov model failed.
    #[error(transparent)]
    Hmm(Box<dyn std::error::Error + Send + Sync>),
    /// The monitor ended it.
    #[error("cancelled")]
    Cancelled,
}

/// Locates the photos of albums by a scheme that uses no known positions; `emit` gets each photo's
/// row and prediction. An averaging scheme that cuts albums averages its pieces.
///
/// # Errors
/// The LSTM fails, or the monitor ended it.
pub fn locate_albums(
    records: &[PhotoRecord],
    albums: &[Album],
    scheme: Scheme,
    input: AlbumInput<'_>,
    locator: &Locator,
    monitor: &dyn Monitor,
    mut emit: impl FnMut(usize, Prediction),
) -> Result<(), AlbumError> {
    monitor.expect(records.len() as u64);
    match input {
        AlbumInput::Probabilities(output) if scheme == Scheme::Single => {
            for (row, record) in records.iter().enumerate() {
                let own: Vec<f64> =
                    output.get(row).unwrap_or_default().into_iter().map(f64::from).collect();
                let own = CellProbabilities::from_weights(&own);
                emit(row, prediction(&record.photo, own.as_ref(), locator));
                monitor.advance(1);
            }
        }
        AlbumInput::Probabilities(output) => {
            for album in albums {
                album_means(
                    album,
                    scheme,
                    |row| output.get(row),
                    |row, mean| emit(row, prediction(&records[row].photo, mean, locator)),
                );
                monitor.advance(album.rows.len() as u64);
            }
        }
        AlbumInput::Sequence(network, embeddings) => {
            let features = embeddings.features();
            let shape = (features, locator.partition().len());
            for album in albums {
                if monitor.cancelled() {
                    return Err(AlbumError::Cancelled);
                }
                let photo = |at: usize| records[album.rows[at]].photo.as_str();
                let steps: Vec<Option<&[f32]>> =
                    (0..album.rows.len()).map(|at| embeddings.of(photo(at))).collect();
                let run = |values: &[f32]| network.run(values, features);
                scheme.answer(&steps, shape, run, |at, scores| {
                    let predicted = locator.predict(photo(at), scores);
                    let failed = |error| Prediction::failed(photo(at), error);
                    emit(album.rows[at], predicted.unwrap_or_else(failed));
                })?;
                monitor.advance(album.rows.len() as u64);
            }
        }
    }
    Ok(())
}

fn prediction(
    photo: &str,
    probabilities: Result<&CellProbabilities, &ProbabilityError>,
    locator: &Locator,
) -> Prediction {
    match probabilities {
        Ok(probabilities) => locator.of(photo, probabilities),
        Err(error) => Prediction::failed(photo, error),
    }
}
