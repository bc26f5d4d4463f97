use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use crate::{Direction, Lstm, LstmGradients, LstmPass, LstmState};

/// An album model's trained part: one LSTM, or one for each direction, and a classifier over the
/// same cells as the photo model's (paper, section 5). The photo model itself is frozen, its
/// embeddings come in.
#[derive(Clone, Debug)]
pub struct SequenceClassifier {
    /// The directions; their outputs stand side by side in this order.
    pub lstms: Vec<(Direction, Lstm)>,
    /// `[directions · hidden, classes]`
    pub weight: Tensor<2>,
    /// `[classes]`
    pub bias: Tensor<1>,
}

/// Sequences with what is asked of them; time comes first, short ones are padded.
#[derive(Clone, Debug)]
pub struct SequenceBatch {
    /// `[time, albums, features]`
    pub inputs: Tensor<3>,
    /// 1 where a sequence has that step, else 0; `[time, albums]`.
    pub present: Tensor<2>,
    /// The right class, anything in range where none is asked for; `[time, albums]`.
    pub targets: Tensor<2, Int>,
    /// Weight of each step in the loss, 0 where no class is asked for or known;
    /// `[time, albums]`. At least one is above zero.
    pub weights: Tensor<2>,
}

/// What one batch says.
#[derive(Debug)]
pub struct SequenceStep {
    /// Weighted mean of the cross entropies, in nats; one value.
    pub loss: Tensor<1>,
    /// Derivatives of the loss.
    pub gradients: SequenceGradients,
    /// Each direction's state after the last step, for the next chunk of a long album.
    pub last: Vec<LstmState>,
}

/// Derivatives of the loss with respect to each weight of a [`SequenceClassifier`].
#[derive(Clone, Debug)]
pub struct SequenceGradients {
    /// One for each direction.
    pub lstms: Vec<LstmGradients>,
    /// `[directions · hidden, classes]`
    pub weight: Tensor<2>,
    /// `[classes]`
    pub bias: Tensor<1>,
}

impl SequenceClassifier {
    /// Scores of every step, `[time, albums, classes]`, and the states after the last one.
    /// `start` holds one state for each direction.
    pub fn forward(
        &self,
        inputs: Tensor<3>,
        present: &Tensor<2>,
        start: Vec<LstmState>,
    ) -> (Tensor<3>, Vec<LstmState>) {
        let [time, albums, _] = inputs.dims();
        let (states, passes) = self.states(inputs, present, start);
        let logits = states.matmul(self.weight.clone()) + self.bias.clone().unsqueeze();
        let classes = logits.dims()[1];
        let last = passes.into_iter().map(|pass| pass.last).collect();
        (logits.reshape([time, albums, classes]), last)
    }

    /// Loss and gradients of one batch.
    pub fn step(&self, batch: SequenceBatch, start: Vec<LstmState>) -> SequenceStep {
        let [time, albums, _] = batch.inputs.dims();
        let rows = time * albums;
        let (states, passes) = self.states(batch.inputs, &batch.present, start);
        let logits = states.clone().matmul(self.weight.clone()) + self.bias.clone().unsqueeze();
        let weights = batch.weights.reshape([rows, 1]);
        let share = weights.clone() / weights.sum().unsqueeze();
        let (loss, of_logits) = cross_entropy(logits, batch.targets.reshape([rows, 1]), share);

        let of_states = of_logits.clone().matmul(self.weight.clone().transpose());
        let hidden = of_states.dims()[1] / self.lstms.len();
        let of_states = of_states.reshape([time, albums, hidden * self.lstms.len()]);
        let last = passes.iter().map(|pass| pass.last.clone()).collect();
        let lstms = self.lstms.iter().zip(passes).enumerate().map(|(at, ((_, lstm), pass))| {
            lstm.backward(pass, &of_states.clone().narrow(2, at * hidden, hidden))
        });
        let gradients = SequenceGradients {
            lstms: lstms.collect(),
            weight: states.transpose().matmul(of_logits.clone()),
            bias: of_logits.sum_dim(0).squeeze_dim(0),
        };
        SequenceStep { loss, gradients, last }
    }

    /// What the LSTMs say at each step, `[time · albums, directions · hidden]`.
    fn states(
        &self,
        inputs: Tensor<3>,
        present: &Tensor<2>,
        start: Vec<LstmState>,
    ) -> (Tensor<2>, Vec<LstmPass>) {
        let [time, albums, _] = inputs.dims();
        let pairs = self.lstms.iter().zip(start);
        let passes: Vec<LstmPass> = pairs
            .map(|((direction, lstm), start)| {
                lstm.forward(inputs.clone(), present, start, *direction)
            })
            .collect();
        let outputs: Vec<_> = passes.iter().map(|pass| pass.outputs.clone()).collect();
        let states = Tensor::cat(outputs, 2);
        let width = states.dims()[2];
        (states.reshape([time * albums, width]), passes)
    }
}

/// Sum of each row's cross entropy times its share, one value, and its derivative with respect
/// to the scores, `[rows, classes]`. `targets` and `share` are `[rows, 1]`.
///
/// The scores are overwritten where the device allows it: with 26,000 classes they are what
/// takes the memory.
fn cross_entropy(
    logits: Tensor<2>,
    targets: Tensor<2, Int>,
    share: Tensor<2>,
) -> (Tensor<1>, Tensor<2>) {
    let greatest = logits.clone().max_dim(1);
    let shifted = logits - greatest;
    let of_target = shifted.clone().gather(1, targets.clone());
    let exponentials = shifted.exp();
    let sum = exponentials.clone().sum_dim(1);
    let loss = ((sum.clone().log() - of_target) * share.clone()).sum();
    let of_logits = exponentials * (share.clone() / sum);
    (loss, of_logits.scatter(1, targets, share.neg(), IndexingUpdateOp::Add))
}
