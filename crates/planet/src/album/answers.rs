use super::{Album, Scheme};
use crate::{CellProbabilities, ProbabilityError};

impl Scheme {
    /// Runs a sequence network over one album and hands over each photo's scores, `[classes]`.
    ///
    /// `embeddings` are the photos' in the order of time, each `[features]`; a photo without one is
    /// an empty step and is answered through its neighbours. `run` turns the embeddings of a
    /// sequence's steps, `[steps, features]`, into scores `[steps, classes]`.
    ///
    /// # Errors
    /// What `run` returns.
    pub fn answer<E>(
        self,
        embeddings: &[Option<&[f32]>],
        features: usize,
        mut run: impl FnMut(&[f32]) -> Result<Vec<f32>, E>,
        mut take: impl FnMut(usize, &[f32]),
    ) -> Result<(), E> {
        for piece in self.pieces(embeddings.len()) {
            let steps = self.steps(piece.len());
            let mut fed = vec![0.0; steps.len() * features];
            for (step, values) in steps.iter().zip(fed.chunks_exact_mut(features)) {
                if let Some(embedding) = step.fed.and_then(|photo| embeddings[piece.start + photo])
                {
                    values.copy_from_slice(embedding);
                }
            }
            let scores = run(&fed)?;
            let classes = scores.len() / steps.len();
            for (step, scores) in steps.iter().zip(scores.chunks_exact(classes)) {
                if let Some(photo) = step.asked.filter(|_| step.counts) {
                    take(piece.start + photo, scores);
                }
            }
        }
        Ok(())
    }
}

/// The mean of the distributions of an album's photos, given to each of them: of the whole album,
/// or of each piece into which `pieces` cuts it. `of` gives a photo's own distribution,
/// `[classes]`; a photo without one has no part in the mean, and gets it all the same. Where no
/// photo of a piece has one, `take` gets an error for each.
pub fn album_means(
    album: &Album,
    pieces: Scheme,
    of: impl Fn(usize) -> Option<Vec<f32>>,
    mut take: impl FnMut(usize, Result<&CellProbabilities, &ProbabilityError>),
) {
    for piece in pieces.pieces(album.rows.len()) {
        let rows = &album.rows[piece];
        let mut sum: Vec<f64> = Vec::new();
        for own in rows.iter().filter_map(|row| of(*row)) {
            sum.resize(own.len(), 0.0);
            sum.iter_mut().zip(own).for_each(|(sum, it)| *sum += f64::from(it));
        }
        let mean = CellProbabilities::from_weights(&sum);
        rows.iter().for_each(|row| take(*row, mean.as_ref()));
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
        let Ok(()) = scheme.answer(&embeddings, 1, sums, |photo, scores| {
            assert!(answers[photo].is_nan(), "{photo} twice");
            answers[photo] = scores[0];
        });
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
