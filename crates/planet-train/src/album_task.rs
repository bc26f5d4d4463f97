use std::{collections::HashSet, ops::Range, time::Duration};

use planet::album::{Scheme, Step};
use planet_geo::Partition;
use planet_net::Network;
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{
    AlbumConfig, AlbumSamples, Asked, BackendError, LstmState, Packed, ProcessGroup, SequenceBatch,
    SequenceClassifier, State, StepOptions, StepReport, TrainError, TrainMonitor, Validation,
    album_samples::AlbumPhoto,
    feature_scaling::FeatureScaling,
    loss,
    task::{Learnt, Task},
    validation::{self, Counts},
};

/// Batches among which albums are sorted by length, so that those of a batch are alike.
const BATCHES_A_SORT: usize = 8;

/// Training on albums: sequences of embeddings, in chunks of steps.
pub(crate) struct AlbumTask {
    config: AlbumConfig,
    partition: Partition,
    classifier: SequenceClassifier,
    /// What the network reads in place of the embeddings.
    scaling: FeatureScaling,
    training: AlbumSamples,
    validation: Option<AlbumSamples>,
    /// Pieces to learn from: album and photos in it.
    pieces: Vec<Piece>,
    /// Photos that are asked for in an epoch.
    asked: usize,
    /// The epoch's batches, and the next of them.
    order: Vec<Vec<Piece>>,
    next: usize,
}

/// Photos of an album that are one sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    album: usize,
    photos: Range<usize>,
    /// Whether it is read from its last photo to its first.
    reversed: bool,
}

impl AlbumTask {
    pub(crate) fn new(
        config: AlbumConfig,
        partition: Partition,
        training: AlbumSamples,
        validation: Option<AlbumSamples>,
    ) -> Result<Self, TrainError> {
        let sizes = config.sizes(training.embeddings.features(), partition.len());
        let weights = config.initial_weights(&sizes.network()?);
        let classifier = SequenceClassifier::new(sizes, &weights, config.optimizer)?
            .with_dropout(config.dropout, config.seed);
        let scaling = scaling(&training);
        let can_ask = |piece: &Piece| count_asked(&training, piece);
        let pieces: Vec<Piece> =
            pieces(config.scheme, &training).into_iter().filter(|it| can_ask(it) > 0).collect();
        let asked = pieces.iter().map(can_ask).sum();
        if asked == 0 {
            let (photos, outside) = (training.photos(), training.outside());
            let without_position = training.without_position();
            return Err(TrainError::NoPhotos { photos, without_position, outside });
        }
        let validation = validation.filter(|samples| samples.photos() > samples.without_position());
        let (order, next) = (Vec::new(), 0);
        let task = Self {
            config,
            partition,
            classifier,
            scaling,
            training,
            validation,
            pieces,
            asked,
            order,
            next,
        };
        Ok(task)
    }

    /// An epoch's batches: shuffled, then sorted by length among a few batches' pieces; some are
    /// reversed.
    fn shuffled(&self, epoch: u64) -> Vec<Vec<Piece>> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(epoch);
        let mut order = self.pieces.clone();
        order.shuffle(&mut rng);
        for part in order.chunks_mut(self.config.batch * BATCHES_A_SORT) {
            part.sort_by_key(|piece| piece.photos.len());
        }
        let mut batches: Vec<Vec<Piece>> =
            order.chunks(self.config.batch).map(<[Piece]>::to_vec).collect();
        batches.shuffle(&mut rng);
        for piece in batches.iter_mut().flatten() {
            piece.reversed = rng.random_bool(self.config.reverse);
        }
        batches
    }
}

impl Task for AlbumTask {
    fn network(&self) -> &Network {
        self.classifier.network()
    }

    fn backend(&self) -> String {
        crate::cpu::name()
    }

    fn photos(&self) -> usize {
        self.asked
    }

    fn batches(&self) -> usize {
        self.pieces.len().div_ceil(self.config.batch)
    }

    fn photos_an_epoch(&self) -> u64 {
        self.asked as u64
    }

    fn begin(&mut self, epoch: u64, batch: usize) -> Result<(), TrainError> {
        self.order = self.shuffled(epoch);
        self.next = batch;
        Ok(())
    }

    fn next(&mut self, options: &StepOptions) -> Result<Option<Learnt>, TrainError> {
        let Some(batch) = self.order.get(self.next) else { return Ok(None) };
        self.next += 1;
        let sequences = Sequences::new(&self.config, &self.scaling, &self.training, batch);
        let mut state = LstmState::zero(batch.len(), self.config.hidden);
        let mut whole = StepReport { loss: 0.0, auxiliary: None, photos: Vec::new() };
        let mut steps = 0;
        for chunk in sequences.chunks() {
            let (batch, counted) = sequences.batch(chunk, self.config.first_pass);
            state.truncate(batch.packed.sequences());
            let (rate, smoothing) = (options.learning_rate, options.label_smoothing);
            let report = self.classifier.step(&batch, &mut state, rate, smoothing)?;
            if !report.is_finite() {
                whole.loss = report.loss;
                break;
            }
            steps += u64::from(!batch.asked.is_empty());
            let photos = report.photos.into_iter().zip(counted).filter(|it| it.1);
            whole.photos.extend(photos.map(|it| it.0));
        }
        if whole.loss.is_finite() {
            whole.loss = loss::mean(&whole.photos);
        }
        let (failed, waiting) = (Vec::new(), Duration::ZERO);
        Ok(Some(Learnt { report: whole, steps, failed, waiting }))
    }

    fn last_photos(&self) -> Vec<String> {
        let last = self.next.checked_sub(1).and_then(|at| self.order.get(at)).into_iter().flatten();
        let photos = last.flat_map(|it| &self.training.albums[it.album][it.photos.clone()]);
        photos.map(|photo| photo.id.clone()).collect()
    }

    fn validates(&self) -> bool {
        self.validation.is_some()
    }

    fn validate(&mut self, monitor: &dyn TrainMonitor) -> Result<Option<Validation>, TrainError> {
        let Some(samples) = &self.validation else { return Ok(None) };
        let mut pieces = pieces(self.config.scheme, samples);
        pieces.sort_by_key(|piece| piece.photos.len());
        let mut counts = Counts::default();
        let kept = kept(samples, self.partition.len(), self.config.seed);
        for pieces in pieces.chunks(self.config.batch) {
            let sequences = Sequences::new(&self.config, &self.scaling, samples, pieces);
            let mut state = LstmState::zero(pieces.len(), self.config.hidden);
            for chunk in sequences.chunks() {
                if monitor.cancelled() {
                    return Ok(None);
                }
                let (batch, photos) = sequences.evaluated(chunk);
                state.truncate(batch.packed.sequences());
                self.classifier.forward(&batch, &mut state, |at, scores| {
                    let photo = photos[at];
                    let Some(truth) = photo.position else { return };
                    match samples.embeddings.of(&photo.id) {
                        None => counts.failed(),
                        Some(_) => {
                            let class = photo.class.map(|class| class.0);
                            let keep = kept.contains(photo.id.as_str());
                            counts.photo(scores, class, truth, &self.partition, keep);
                        }
                    }
                })?;
            }
        }
        Ok(Some(counts.finish(self.partition.len(), &ProcessGroup::alone())?))
    }

    fn state(&self) -> State {
        let mut state = self.classifier.state();
        for weights in [&mut state.weights].into_iter().chain(&mut state.average) {
            self.scaling.insert_into(weights);
        }
        state
    }

    fn load(&mut self, state: &State) -> Result<(), BackendError> {
        self.scaling = FeatureScaling::beside(&state.weights)?;
        self.classifier.load(state)
    }
}

/// Of the photos that are learned from.
fn scaling(samples: &AlbumSamples) -> FeatureScaling {
    let embeddings = &samples.embeddings;
    let photos = samples.albums.iter().flatten();
    FeatureScaling::of(embeddings.features(), photos.filter_map(|photo| embeddings.of(&photo.id)))
}

/// Ids of the photos whose scores are kept for fitting a temperature.
fn kept(samples: &AlbumSamples, classes: usize, seed: u64) -> HashSet<&str> {
    let photos: Vec<&AlbumPhoto> = samples.albums.iter().flatten().collect();
    let of: Vec<_> = photos.iter().map(|photo| photo.class).collect();
    let rows = validation::kept_rows(&of, classes, seed);
    rows.into_iter().map(|row| photos[row].id.as_str()).collect()
}

/// The sequences of all albums.
fn pieces(scheme: Scheme, samples: &AlbumSamples) -> Vec<Piece> {
    let albums = samples.albums.iter().enumerate();
    let pieces = albums.flat_map(|(album, photos)| {
        let pieces = scheme.pieces(photos.len()).into_iter();
        pieces.map(move |photos| Piece { album, photos, reversed: false })
    });
    pieces.collect()
}

/// Photos of a piece that there is something to learn from.
fn count_asked(samples: &AlbumSamples, piece: &Piece) -> usize {
    let photos = samples.albums[piece.album][piece.photos.clone()].iter();
    photos.filter(|photo| target(samples, photo).is_some()).count()
}

/// The class that a photo teaches: none without a position, outside every cell, or where the
/// photo could not be decoded.
fn target(samples: &AlbumSamples, photo: &AlbumPhoto) -> Option<u32> {
    samples.embeddings.of(&photo.id)?;
    photo.class.map(|class| class.0)
}

/// Sequences of a batch, the longest first.
struct Sequences<'a> {
    scaling: &'a FeatureScaling,
    samples: &'a AlbumSamples,
    sequences: Vec<Sequence<'a>>,
    /// Steps through which gradients flow.
    chunk: usize,
}

struct Sequence<'a> {
    photos: &'a [AlbumPhoto],
    reversed: bool,
    steps: Vec<Step>,
}

impl<'a> Sequence<'a> {
    /// The photo at a place of the sequence.
    fn photo(&self, at: usize) -> &'a AlbumPhoto {
        &self.photos[if self.reversed { self.photos.len() - 1 - at } else { at }]
    }
}

impl<'a> Sequences<'a> {
    fn new(
        config: &AlbumConfig,
        scaling: &'a FeatureScaling,
        samples: &'a AlbumSamples,
        pieces: &[Piece],
    ) -> Self {
        let scheme = config.scheme;
        let sequence = |piece: &Piece| {
            let photos = &samples.albums[piece.album][piece.photos.clone()];
            Sequence { photos, reversed: piece.reversed, steps: scheme.steps(photos.len()) }
        };
        let mut sequences: Vec<Sequence<'a>> = pieces.iter().map(sequence).collect();
        sequences.sort_by_key(|sequence| std::cmp::Reverse(sequence.steps.len()));
        let chunk = if scheme.bidirectional() {
            usize::MAX
        } else {
            config.chunk.saturating_mul(scheme.passes())
        };
        Self { scaling, samples, sequences, chunk }
    }

    /// The steps, in pieces that are learned from at once.
    fn chunks(&self) -> Vec<Range<usize>> {
        let longest = self.sequences.first().map_or(0, |sequence| sequence.steps.len());
        let chunk = self.chunk.min(longest).max(1);
        (0..longest).step_by(chunk).map(|from| from..(from + chunk).min(longest)).collect()
    }

    /// Some steps, to learn from; which of what is asked counts as a photo's answer.
    fn batch(&self, chunk: Range<usize>, first_pass: bool) -> (SequenceBatch, Vec<bool>) {
        let mut counted = Vec::new();
        let batch = self.pack(chunk, |step, photo| {
            let class = target(self.samples, photo).filter(|_| step.counts || first_pass)?;
            counted.push(step.counts);
            Some(class)
        });
        (batch, counted)
    }

    /// Some steps for evaluation: every photo's answer, and the photos in the answers' order.
    fn evaluated(&self, chunk: Range<usize>) -> (SequenceBatch, Vec<&'a AlbumPhoto>) {
        let mut photos = Vec::new();
        let batch = self.pack(chunk, |step, photo| {
            step.counts.then(|| photos.push(photo))?;
            Some(0)
        });
        (batch, photos)
    }

    /// Some steps; `ask` says which class is asked for where a photo is.
    fn pack(
        &self,
        chunk: Range<usize>,
        mut ask: impl FnMut(&Step, &'a AlbumPhoto) -> Option<u32>,
    ) -> SequenceBatch {
        let lengths: Vec<usize> = self
            .sequences
            .iter()
            .map(|sequence| sequence.steps.len().min(chunk.end).saturating_sub(chunk.start))
            .collect();
        let packed = Packed::new(&lengths);
        let embeddings = &self.samples.embeddings;
        let features = embeddings.features();
        let mut inputs = Vec::with_capacity(packed.rows() * features);
        let mut asked = Vec::new();
        for at in 0..packed.steps() {
            for (row, sequence) in packed.step(at).zip(&self.sequences) {
                let step = &sequence.steps[chunk.start + at];
                let fed = step.fed.and_then(|photo| embeddings.of(&sequence.photo(photo).id));
                match fed {
                    Some(embedding) => inputs.extend_from_slice(embedding),
                    None => inputs.resize(inputs.len() + features, 0.0),
                }
                if let Some(photo) = step.asked
                    && let Some(class) = ask(step, sequence.photo(photo))
                {
                    asked.push(Asked { row, class, weight: 1.0 });
                }
            }
        }
        self.scaling.apply(&mut inputs);
        SequenceBatch { packed, inputs, asked }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use planet::album::Embeddings;
    use planet_geo::ClassId;

    use super::*;

    /// An album of photos 0, 1, 2 and 3, whose embeddings and classes are their numbers.
    fn samples() -> AlbumSamples {
        let mut embeddings = Embeddings::new("drawn".to_owned(), 1);
        let photo = |number: u32| AlbumPhoto {
            id: number.to_string(),
            position: None,
            class: Some(ClassId(number)),
        };
        let album: Vec<AlbumPhoto> = (0..4).map(photo).collect();
        for (number, photo) in album.iter().enumerate() {
            embeddings.add(&photo.id, &[number as f32]);
        }
        AlbumSamples { embeddings: Arc::new(embeddings), albums: vec![album] }
    }

    #[test]
    fn a_reversed_piece_has_its_photos_and_what_is_asked_in_reverse() {
        let samples = samples();
        let scaling = FeatureScaling::of(1, [[1.0].as_slice(), &[-1.0]].into_iter());
        for (scheme, reversed, inputs, classes) in [
            (Scheme::Blstm, false, vec![1.0, 2.0, 3.0], vec![1, 2, 3]),
            (Scheme::Blstm, true, vec![3.0, 2.0, 1.0], vec![3, 2, 1]),
            (Scheme::LstmOffset1, true, vec![3.0, 2.0, 1.0, 0.0], vec![3, 2, 1]),
        ] {
            let config = AlbumConfig { scheme, ..AlbumConfig::default() };
            let piece = Piece { album: 0, photos: 1..4, reversed };
            let sequences = Sequences::new(&config, &scaling, &samples, &[piece]);
            let [whole] = sequences.chunks().try_into().expect("one chunk");
            let (batch, counted) = sequences.batch(whole, false);
            assert_eq!(batch.inputs, inputs, "{scheme}");
            let asked: Vec<u32> = batch.asked.iter().map(|asked| asked.class).collect();
            assert_eq!((asked, counted), (classes, vec![true; 3]), "{scheme}");
        }
    }
}
