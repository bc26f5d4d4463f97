use std::ops::Range;

use planet_net::{AlbumNetwork, Array, Network, Weights};
use rayon::prelude::*;

use crate::{
    BackendError, Gradients, Loss, LstmState, Optimizer, Packed, State, StepReport, TrainError,
    dropout, loss,
    lstm::{Direction, Lstm, LstmGradients, Pass, add_rows},
    optimizer::Learned,
    product::{Matrix, Target},
    vectorised::vectorised,
};

/// Rows of scores that stand in memory at once; with 26,000 classes they are 54 MB.
const ROWS: usize = 512;

/// Trains an album model: one LSTM, or one for each direction, and a classifier over the same
/// cells as the photo model's (paper, section 5). The photo model itself is frozen, its
/// embeddings come in.
///
/// Weights stand in PyTorch's layout under its names; forward, loss and gradients equal
/// `torch.nn.LSTM`'s. Scores are computed only where a class is asked for, and their
/// derivatives come in their place. Results do not depend on the number of threads.
///
/// With dropout, the classifier learns from states some of whose numbers are zero; the recurrent
/// connections are left alone (Zaremba, Sutskever and Vinyals 2014).
pub struct SequenceClassifier {
    sizes: AlbumNetwork,
    network: Network,
    /// In the network's order: four of each direction's LSTM, then the classifier's two.
    parameters: Vec<Held>,
    optimizer: Optimizer,
    dropout: Option<Dropout>,
    /// Steps taken.
    steps: u64,
    /// Scores of some rows, kept between steps.
    scores: Vec<f32>,
}

/// Which numbers of the classifier's states are dropped follows from this and the step.
#[derive(Clone, Copy)]
struct Dropout {
    /// Above 0 and below 1.
    probability: f32,
    seed: u64,
}

/// A parameter at work.
struct Held {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
    gradient: Vec<f32>,
    /// The optimizer's numbers.
    slots: Vec<Vec<f32>>,
    /// The moving average, where one is kept.
    average: Option<Vec<f32>>,
}

/// Sequences with what is asked of them.
#[derive(Clone, Debug)]
pub struct SequenceBatch {
    /// How the sequences stand in `inputs`.
    pub packed: Packed,
    /// `[rows, features]`
    pub inputs: Vec<f32>,
    /// What is asked, in any order; the loss is the weighted mean of their cross entropies.
    pub asked: Vec<Asked>,
}

/// A step that is asked for its photo's class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// Row of the step.
    pub row: usize,
    /// The right class.
    pub class: u32,
    /// Weight in the loss, above 0.
    pub weight: f32,
}

impl SequenceClassifier {
    /// A network with these weights, to be trained with this optimizer.
    ///
    /// # Errors
    /// Weights that do not fit the network.
    pub fn new(
        sizes: AlbumNetwork,
        weights: &Weights,
        optimizer: Optimizer,
    ) -> Result<Self, TrainError> {
        optimizer.check()?;
        let network = sizes.network()?;
        weights.check(&network)?;
        let parameters = network.parameters().map(|parameter| {
            let values = weights.get(&parameter.name).expect("the weights were checked").values();
            Held {
                name: parameter.name,
                shape: parameter.shape,
                gradient: vec![0.0; values.len()],
                slots: optimizer.begin(values.len()),
                average: optimizer.average.map(|_| values.to_vec()),
                values: values.to_vec(),
            }
        });
        let parameters = parameters.collect();
        let (dropout, scores) = (None, Vec::new());
        Ok(Self { sizes, network, parameters, optimizer, dropout, steps: 0, scores })
    }

    /// Drops each number of the states that the classifier sees with this probability in
    /// [`SequenceClassifier::step`] and the gradients, others in each step; those that stay are
    /// divided by 1 − `probability`. At 0 nothing is dropped.
    ///
    /// # Panics
    /// `probability` is not from 0 to below 1.
    #[must_use]
    pub fn with_dropout(mut self, probability: f32, seed: u64) -> Self {
        assert!((0.0..1.0).contains(&probability), "dropout must be from 0 to below 1");
        self.dropout = (probability > 0.0).then_some(Dropout { probability, seed });
        self
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Its sizes.
    pub fn sizes(&self) -> AlbumNetwork {
        self.sizes
    }

    /// One step: forward, loss, backward, update. `state` is where the sequences stand, and is
    /// left behind their last step; none flows back into it. A second direction begins at zero
    /// at each sequence's end, so two-directional sequences must be whole.
    ///
    /// Where nothing is asked, the sequences are only read. Where the loss is not finite,
    /// nothing is updated. The reports' `photos` stand in the order of what was asked.
    ///
    /// # Errors
    /// A batch that does not fit the network.
    pub fn step(
        &mut self,
        batch: &SequenceBatch,
        state: &mut LstmState,
        rate: f64,
        smoothing: f32,
    ) -> Result<StepReport, BackendError> {
        let report = self.differentiate(batch, state, smoothing)?;
        if report.is_finite() && !report.photos.is_empty() {
            self.steps += 1;
            let parameters = self.parameters.iter_mut().map(|held| Learned {
                shape: &held.shape,
                values: &mut held.values,
                gradient: Some(&held.gradient),
                slots: held.slots.iter_mut().map(Vec::as_mut_slice).collect(),
                average: held.average.as_deref_mut(),
            });
            let mut parameters: Vec<Learned<'_>> = parameters.collect();
            self.optimizer.step(&mut parameters, self.steps, rate);
        }
        Ok(report)
    }

    /// The gradients that a step would use, by parameter.
    ///
    /// # Errors
    /// As [`SequenceClassifier::step`].
    pub fn gradients(
        &mut self,
        batch: &SequenceBatch,
        state: &mut LstmState,
        smoothing: f32,
    ) -> Result<Gradients, BackendError> {
        let report = self.differentiate(batch, state, smoothing)?;
        Ok(Gradients { report, gradients: self.weights(|held| Some(held.gradient.clone())) })
    }

    /// Scores of the rows that are asked for, with averaged weights where an average is kept;
    /// `take` gets each one's place in `asked` and its scores, `[classes]`.
    ///
    /// # Errors
    /// As [`SequenceClassifier::step`].
    pub fn forward(
        &mut self,
        batch: &SequenceBatch,
        state: &mut LstmState,
        mut take: impl FnMut(usize, &[f32]),
    ) -> Result<(), BackendError> {
        self.check(batch, state)?;
        self.exchange_average();
        let passes = self.read(batch, state);
        for (piece, asked) in batch.asked.chunks(ROWS).enumerate() {
            let states = self.gather(&passes, asked);
            let mut scores = std::mem::take(&mut self.scores);
            self.score(&states, asked.len(), &mut scores);
            for (at, scores) in scores.chunks_exact(self.sizes.classes).enumerate() {
                take(piece * ROWS + at, scores);
            }
            self.scores = scores;
        }
        self.exchange_average();
        Ok(())
    }

    /// Everything that a checkpoint must hold.
    pub fn state(&self) -> State {
        let slots = (0..self.optimizer.slots())
            .map(|slot| self.weights(|held| held.slots.get(slot).cloned()));
        State {
            steps: self.steps,
            weights: self.weights(|held| Some(held.values.clone())),
            slots: slots.collect(),
            average: self.optimizer.average.map(|_| self.weights(|held| held.average.clone())),
        }
    }

    /// Goes back to a state.
    ///
    /// # Errors
    /// A state of another network or optimizer.
    pub fn load(&mut self, state: &State) -> Result<(), BackendError> {
        state.check(&self.optimizer, &self.state())?;
        self.steps = state.steps;
        for held in &mut self.parameters {
            let of = |weights: &Weights| {
                weights.get(&held.name).expect("the state was checked").values().to_vec()
            };
            let slots = state.slots.iter().map(of).collect();
            let average = state.average.as_ref().map(of);
            (held.values, held.slots, held.average) = (of(&state.weights), slots, average);
        }
        Ok(())
    }

    /// Forward and backward without an update: the loss and the gradients of
    /// [`SequenceClassifier::gradients`], which stay inside.
    ///
    /// # Errors
    /// As [`SequenceClassifier::step`].
    pub fn differentiate(
        &mut self,
        batch: &SequenceBatch,
        state: &mut LstmState,
        smoothing: f32,
    ) -> Result<StepReport, BackendError> {
        self.check(batch, state)?;
        let passes = self.read(batch, state);
        let total: f64 = batch.asked.iter().map(|asked| f64::from(asked.weight)).sum();
        let width = self.width();
        let mut losses = Vec::with_capacity(batch.asked.len());
        let mut of_outputs = vec![vec![0.0; batch.packed.rows() * self.sizes.hidden]; passes.len()];
        self.classifier().iter_mut().for_each(|held| held.gradient.fill(0.0));
        for (piece, asked) in batch.asked.chunks(ROWS).enumerate() {
            let mut states = self.gather(&passes, asked);
            let first = piece * ROWS;
            let factors = self.factors(first..first + asked.len());
            if let Some(factors) = &factors {
                multiply(&mut states, factors);
            }
            let mut scores = std::mem::take(&mut self.scores);
            self.score(&states, asked.len(), &mut scores);
            losses.extend(cross_entropies(&mut scores, asked, smoothing, total));
            let mut of_states = self.classify_backward(&states, &scores, asked.len());
            if let Some(factors) = &factors {
                multiply(&mut of_states, factors);
            }
            for (asked, of_states) in asked.iter().zip(of_states.chunks_exact(width)) {
                let hidden = self.sizes.hidden;
                for (of_outputs, of_state) in
                    of_outputs.iter_mut().zip(of_states.chunks_exact(hidden))
                {
                    // A row may be asked twice.
                    let row = &mut of_outputs[asked.row * hidden..][..hidden];
                    row.iter_mut().zip(of_state).for_each(|(sum, value)| *sum += value);
                }
            }
            self.scores = scores;
        }
        self.lstms_backward(batch, passes, of_outputs);
        let weighted = batch.asked.iter().zip(&losses);
        let loss: f64 =
            weighted.map(|(it, loss)| f64::from(it.weight) * f64::from(loss.loss)).sum();
        let loss = if batch.asked.is_empty() { 0.0 } else { loss / total };
        Ok(StepReport { loss, auxiliary: None, photos: losses })
    }

    /// Both directions' passes. The second begins at zero, from each sequence's end.
    fn read(&self, batch: &SequenceBatch, state: &mut LstmState) -> Vec<Pass> {
        let passes = (0..self.directions()).map(|direction| {
            let mut zero;
            let state = match direction {
                0 => &mut *state,
                _ => {
                    zero = LstmState::zero(batch.packed.sequences(), self.sizes.hidden);
                    &mut zero
                }
            };
            self.lstm(direction).forward(&batch.inputs, &batch.packed, state)
        });
        passes.collect()
    }

    /// What dropout multiplies states by in the next step, where it drops; `asked`: what they are
    /// asked for.
    fn factors(&self, asked: Range<usize>) -> Option<Vec<f32>> {
        let Dropout { probability, seed } = self.dropout?;
        let seed = dropout::seed_of(seed, self.steps);
        let mut factors = vec![0.0; asked.len() * self.width()];
        factors.par_chunks_exact_mut(self.width()).zip(asked).for_each(|(factors, at)| {
            dropout::draw(factors, probability, seed, 0, at);
        });
        Some(factors)
    }

    /// What the LSTMs say where something is asked, `[asked, directions · hidden]`.
    fn gather(&self, passes: &[Pass], asked: &[Asked]) -> Vec<f32> {
        let hidden = self.sizes.hidden;
        let mut states = Vec::with_capacity(asked.len() * self.width());
        for Asked { row, .. } in asked {
            for pass in passes {
                states.extend_from_slice(&pass.outputs[row * hidden..][..hidden]);
            }
        }
        states
    }

    /// Scores of states, `[rows, classes]`.
    fn score(&self, states: &[f32], rows: usize, scores: &mut Vec<f32>) {
        let (width, classes) = (self.width(), self.sizes.classes);
        let [weight, bias] = self.parameters.last_chunk().expect("a classifier's two");
        scores.resize(rows * classes, 0.0);
        scores.par_chunks_exact_mut(classes).for_each(|row| row.copy_from_slice(&bias.values));
        let states = Matrix::new(states, rows, width, width);
        let weight = Matrix::new(&weight.values, classes, width, width);
        let target = Target::new(scores, rows, classes, classes);
        target.product(states, weight.transposed(), true, true);
    }

    /// Adds to the classifier's gradients; gives the derivatives by its states,
    /// `[rows, directions · hidden]`.
    fn classify_backward(&mut self, states: &[f32], of_scores: &[f32], rows: usize) -> Vec<f32> {
        let (width, classes) = (self.width(), self.sizes.classes);
        let [weight, bias] = self.classifier();
        let of = Matrix::new(of_scores, rows, classes, classes);
        let states = Matrix::new(states, rows, width, width);
        let target = Target::new(&mut weight.gradient, classes, width, width);
        target.product(of.transposed(), states, true, true);
        add_rows(of_scores, &mut bias.gradient);
        let mut of_states = vec![0.0; rows * width];
        let weight = Matrix::new(&weight.values, classes, width, width);
        Target::new(&mut of_states, rows, width, width).product(of, weight, false, true);
        of_states
    }

    fn lstms_backward(
        &mut self,
        batch: &SequenceBatch,
        passes: Vec<Pass>,
        of_outputs: Vec<Vec<f32>>,
    ) {
        for (direction, (pass, of_outputs)) in passes.into_iter().zip(of_outputs).enumerate() {
            let first = 4 * direction;
            let mut gradients: [Vec<f32>; 3] = std::array::from_fn(|part| {
                std::mem::take(&mut self.parameters[first + part].gradient)
            });
            let [input, recurrent, bias] = &mut gradients;
            let places = LstmGradients { input, recurrent, bias };
            let lstm = self.lstm(direction);
            lstm.backward(&batch.inputs, &batch.packed, pass, of_outputs, places);
            // The two biases always occur as their sum.
            self.parameters[first + 3].gradient.copy_from_slice(&gradients[2]);
            for (part, gradient) in gradients.into_iter().enumerate() {
                self.parameters[first + part].gradient = gradient;
            }
        }
    }

    fn lstm(&self, direction: usize) -> Lstm<'_> {
        let part = |part: usize| self.parameters[4 * direction + part].values.as_slice();
        Lstm {
            features: self.sizes.features,
            hidden: self.sizes.hidden,
            direction: if direction == 0 { Direction::Forward } else { Direction::Backward },
            input: part(0),
            recurrent: part(1),
            biases: [part(2), part(3)],
        }
    }

    fn directions(&self) -> usize {
        1 + usize::from(self.sizes.bidirectional)
    }

    /// What the classifier sees of a step.
    fn width(&self) -> usize {
        self.directions() * self.sizes.hidden
    }

    fn classifier(&mut self) -> &mut [Held; 2] {
        self.parameters.last_chunk_mut().expect("a classifier's two")
    }

    /// Lets the averaged weights work in place of the last ones, or back.
    fn exchange_average(&mut self) {
        for held in &mut self.parameters {
            if let Some(average) = &mut held.average {
                std::mem::swap(average, &mut held.values);
            }
        }
    }

    fn check(&self, batch: &SequenceBatch, state: &LstmState) -> Result<(), BackendError> {
        let AlbumNetwork { features, hidden, classes, .. } = self.sizes;
        let (rows, sequences) = (batch.packed.rows(), batch.packed.sequences());
        if batch.inputs.len() != rows * features {
            let found = batch.inputs.len();
            return Err(BackendError::Inputs { found, rows, features });
        }
        if state.hidden().len() != sequences * hidden {
            let found = state.hidden().len();
            return Err(BackendError::Inputs { found, rows: sequences, features: hidden });
        }
        match batch.asked.iter().find(|it| it.class as usize >= classes || it.row >= rows) {
            Some(Asked { class, .. }) => Err(BackendError::Class { class: *class, classes }),
            None => Ok(()),
        }
    }

    fn weights(&self, of: impl Fn(&Held) -> Option<Vec<f32>>) -> Weights {
        let arrays = self.parameters.iter();
        let arrays = arrays.filter_map(|held| {
            Some((held.name.clone(), Array::new(held.shape.clone(), of(held)?)))
        });
        arrays.collect()
    }
}

fn multiply(values: &mut [f32], factors: &[f32]) {
    values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
}

/// The loss of each row of scores, in whose place its derivative comes.
fn cross_entropies(scores: &mut [f32], asked: &[Asked], smoothing: f32, total: f64) -> Vec<Loss> {
    let classes = scores.len() / asked.len();
    let rows = scores.par_chunks_exact_mut(classes).zip(asked);
    let losses = rows.map(|(row, asked)| {
        let share = (f64::from(asked.weight) / total) as f32;
        vectorised(|| loss::cross_entropy(row, asked.class, smoothing, share))
    });
    losses.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: AlbumNetwork =
        AlbumNetwork { features: 4, hidden: 3, classes: 5, bidirectional: true };

    fn weights() -> Weights {
        let network = SIZES.network().expect("built");
        let mut weights = Weights::initial(&network, 0);
        for parameter in network.parameters() {
            let values = weights.get_mut(&parameter.name).expect("a parameter").values_mut();
            let first = parameter.name.len();
            values.iter_mut().zip(first..).for_each(|(it, at)| *it = 0.7 * (at as f32).sin());
        }
        weights
    }

    fn classifier(dropout: f32) -> SequenceClassifier {
        let classifier = SequenceClassifier::new(SIZES, &weights(), Optimizer::default());
        classifier.expect("they fit").with_dropout(dropout, 3)
    }

    fn batch() -> SequenceBatch {
        let packed = Packed::new(&[3, 2]);
        let inputs = (0..packed.rows() * SIZES.features).map(|at| (at as f32).cos()).collect();
        let asked = |row| Asked { row, class: row as u32, weight: 1.0 };
        SequenceBatch { asked: (0..packed.rows()).map(asked).collect(), packed, inputs }
    }

    fn zero() -> LstmState {
        LstmState::zero(2, SIZES.hidden)
    }

    #[test]
    fn with_dropout_gradients_are_the_derivatives_of_the_loss_that_is_reported() {
        let mut ours = classifier(0.4);
        let found = ours.gradients(&batch(), &mut zero(), 0.0).expect("it fits");
        let without = classifier(0.0).gradients(&batch(), &mut zero(), 0.0).expect("it fits");
        assert!((found.report.loss - without.report.loss).abs() > 1e-3, "nothing was dropped");
        let state = ours.state();
        let half = 1e-2;
        let mut loss = |name: &str, at: usize, by: f32| {
            let mut moved = state.clone();
            moved.weights.get_mut(name).expect("a parameter").values_mut()[at] += by;
            ours.load(&moved).expect("it fits");
            ours.gradients(&batch(), &mut zero(), 0.0).expect("it fits").report.loss
        };
        for (name, gradient) in found.gradients.iter() {
            for (at, by_weight) in gradient.values().iter().enumerate() {
                let slope = (loss(name, at, half) - loss(name, at, -half)) / f64::from(2.0 * half);
                let by_weight = f64::from(*by_weight);
                assert!((slope - by_weight).abs() < 5e-4, "{name} {at}: {by_weight}, not {slope}");
            }
        }
    }

    #[test]
    fn each_step_drops_other_numbers_and_an_answer_drops_none() {
        let mut ours = classifier(0.4);
        let mut losses = [0, 1].map(|_| {
            // A rate of 0, so that only what is dropped differs.
            ours.step(&batch(), &mut zero(), 0.0, 0.0).expect("it fits").loss
        });
        losses.sort_by(f64::total_cmp);
        assert!(losses[1] - losses[0] > 1e-3, "{losses:?}");
        let answers = |mut classifier: SequenceClassifier| {
            let mut answers = Vec::new();
            let take = |_: usize, scores: &[f32]| answers.extend_from_slice(scores);
            classifier.forward(&batch(), &mut zero(), take).expect("it fits");
            answers
        };
        assert_eq!(answers(ours), answers(classifier(0.0)));
    }

    #[test]
    fn what_stays_makes_up_for_what_is_dropped() {
        let ours = classifier(0.25);
        let factors = ours.factors(0..2000).expect("it drops");
        assert_eq!(factors.len(), 2000 * 6);
        assert!(factors.iter().all(|it| *it == 0.0 || *it == 1.0 / 0.75));
        let mean = factors.iter().sum::<f32>() / factors.len() as f32;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        assert!(classifier(0.0).factors(0..1).is_none());
    }
}
