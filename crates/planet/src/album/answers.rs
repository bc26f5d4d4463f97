use thiserror::Error;

use super::{Album, Scheme};
use crate::{CellProbabilities, ProbabilityError};

/// Why a sequence network gives no answers.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum AnswerError<E> {
    /// The network failed.
    #[error(transparent)]
    Network(E),
    /// Its package says that photos have no embedding.
    #[error("the model's embeddings have no features; the package is damaged: export it again")]
    NoFeatures,
    /// It returns another number of scores than one for each step and class.
    #[error(
        "the album model returned {found} scores for {steps} photos with {classes} classes; \
         its file does not belong to this package: export it again"
    )]
    Scores {
        /// Steps of the sequence.
        steps: usize,
        /// Classes of the package.
        classes: usize,
        /// Scores that were returned.
        found: usize,
    },
    /// A photo's embedding has another length.
    #[error("an embedding has {found} values, but the model requires {features}")]
    Embedding {
        /// Of the model.
        features: usize,
        /// Of the photo.
        found: usize,
    },
}

impl Scheme {
    /// Runs a sequence network over one album and hands over each photo's scores, `[classes]`.
    ///
    /// `shape` is the number of features and of classes. `embeddings` are the photos' in the order of time, each `[features]`; a photo without one is
    /// an empty step and is answered through its neighbours. `run` turns the embeddings of a
    /// sequence's steps, `[steps, features]`, into scores `[steps, classes]`.
    ///
    /// # Errors
    /// What `run` returns, or lengths that do not fit.
    pub fn answer<E>(
        self,
        embeddings: &[Option<&[f32]>],
        (features, classes): (usize, usize),
        mut run: impl FnMut(&[f32]) -> Result<Vec<f32>, E>,
        mut emit: impl FnMut(usize, &[f32]),
    ) -> Result<(), AnswerError<E>> {
        if features == 0 {
            return Err(AnswerError::NoFeatures);
        }
        let wrong = |embedding: &&[f32]| embedding.len() != features;
        if let Some(wrong) = embeddings.iter().flatten().copied().find(wrong) {
            return Err(AnswerError::Embedding { features, found: wrong.len() });
        }
        for piece in self.pieces(embeddings.len()) {
            let steps = self.steps(piece.len());
            let mut fed = vec![0.0; steps.len() * features];
            for (step, values) in steps.iter().zip(fed.chunks_exact_mut(features)) {
                if let Some(embedding) = step.fed.and_then(|photo| embeddings[piece.start + photo])
                {
                    values.copy_from_slice(embedding);
                }
            }
            let scores = run(&fed).map_err(AnswerError::Network)?;
            if classes == 0 || scores.len() != steps.len() * classes {
                let (steps, found) = (steps.len(), scores.len());
                return Err(AnswerError::Scores { steps, classes, found });
            }
            for (step, scores) in steps.iter().zip(scores.chunks_exact(classes)) {
                if let Some(photo) = step.asked.filter(|_| step.counts) {
                    emit(piece.start + photo, scores);
                }
            }
        }
        Ok(())
    }
}

/// Divides the album with [`Scheme::pieces`] of the scheme `pieces`, and calls `emit` for every
/// photo with the mean of the distributions of its piece. `of` takes a row of [`Album::rows`] and
/// returns the distribution of the photo in that row, `[classes]`. A photo without one does not
/// count in the mean, but receives it.
/// If no photo of a piece has one, `emit` receives an error for each of its photos.
pub fn album_means(
    album: &Album,
    pieces: Scheme,
    of: impl Fn(usize) -> Option<Vec<f32>>,
    mut emit: impl FnMut(usize, Result<&CellProbabilities, &ProbabilityError>),
) {
    for piece in pieces.pieces(album.rows.len()) {
        let rows = &album.rows[piece];
        let mut sum: Vec<f64> = Vec::new();
        for own in rows.iter().filter_map(|row| of(*row)) {
            sum.resize(own.len(), 0.0);
            sum.iter_mut().zip(own).for_each(|(sum, it)| *sum += f64::from(it));
        }
        let mean = CellProbabilities::from_weights(&sum);
        rows.iter().for_each(|row| emit(*row, mean.as_ref()));
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// An album of five photos, of which the third cannot be read; "networks" of one class whose
    /// score at a step is the sum of all that came so far.
    fn answers(scheme: Scheme) -> Vec<f32> {
        let values: Vec<[f32; 1]> = (1..=5).map(|it| [it as f32]).collect();
        let embeddings: Vec<Option<&[f32]>> =
            values.iter().map(|value| (value[0] != 3.0).then_some(value.as_slice())).collect();
        let sums = |fed: &[f32]| -> Result<Vec<f32>, Infallible> {
            let mut sum = 0.0;
            Ok(fed
                .iter()
                .map(|it| {
                    sum += it;
                    sum
                })
                .collect())
        };
        let mut answers = vec![f32::NAN; 5];
        scheme
            .answer(&embeddings, (1, 1), sums, |photo, scores| {
                assert!(answers[photo].is_nan(), "{photo} twice");
                answers[photo] = scores[0];
            })
            .expect("one score per step");
        answers
    }

    #[test]
    fn every_photo_is_answered_from_the_step_that_its_scheme_asks_at() {
        assert_eq!(answers(Scheme::Lstm), [1.0, 3.0, 3.0, 7.0, 12.0]);
        assert_eq!(answers(Scheme::LstmOffset1), [3.0, 3.0, 7.0, 12.0, 12.0]);
        assert_eq!(answers(Scheme::LstmOffset2), [3.0, 7.0, 12.0, 12.0, 12.0]);
        assert_eq!(answers(Scheme::LstmRepeat), [13.0, 15.0, 15.0, 19.0, 24.0]);
        assert_eq!(answers(Scheme::LstmRepeat25), [13.0, 15.0, 15.0, 19.0, 24.0]);
    }

    #[test]
    fn scores_of_another_number_than_steps_and_classes_are_an_error_and_no_panic() {
        let value = [1.0f32];
        let embeddings: Vec<Option<&[f32]>> = vec![Some(&value); 3];
        let answer = |shape, scores: usize| {
            let run = move |_: &[f32]| -> Result<Vec<f32>, Infallible> { Ok(vec![0.0; scores]) };
            Scheme::Lstm.answer(&embeddings, shape, run, |_, _| {})
        };
        assert_eq!(answer((1, 2), 6), Ok(()));
        for found in [0, 1, 3, 5, 7] {
            let wanted = AnswerError::Scores { steps: 3, classes: 2, found };
            assert_eq!(answer((1, 2), found), Err(wanted));
        }
        assert_eq!(answer((0, 2), 6), Err(AnswerError::NoFeatures));
        assert_eq!(answer((2, 2), 6), Err(AnswerError::Embedding { features: 2, found: 1 }));
        assert!(answer((1, 0), 0).is_err());
    }

    #[test]
    fn a_mean_is_of_the_photos_that_can_be_read_and_for_all() {
        let album = Album { author: None, name: None, rows: vec![4, 2, 7], times: vec![None; 3] };
        let of =
            |row: usize| (row != 2).then(|| if row == 4 { vec![1.0, 0.0] } else { vec![0.5, 0.5] });
        let mut taken = Vec::new();
        album_means(&album, Scheme::Average, of, |row, mean| {
            taken.push((row, mean.expect("a mean").values().to_vec()));
        });
        let mean = vec![0.75, 0.25];
        assert_eq!(taken, [(4, mean.clone()), (2, mean.clone()), (7, mean)]);
        album_means(&album, Scheme::Average, |_| None, |_, mean| assert!(mean.is_err()));
    }
}
