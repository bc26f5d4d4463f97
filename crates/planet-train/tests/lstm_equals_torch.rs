//! The fused LSTM against torch.nn.LSTM; golden/make_lstm.py made the file.

use burn::tensor::{Device, Tensor, TensorData};
use planet_train::{Direction, Lstm, LstmState, SequenceBatch, SequenceClassifier};
use safetensors::SafeTensors;

struct Golden {
    file: SafeTensors<'static>,
    device: Device,
}

impl Golden {
    fn read() -> Self {
        let file = SafeTensors::deserialize(include_bytes!("golden/lstm.safetensors"));
        Self { file: file.expect("a golden file"), device: Device::flex() }
    }

    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let view = self.file.tensor(name).expect("a tensor of the golden file");
        let bytes = view.data().chunks_exact(4);
        let values: Vec<f32> =
            bytes.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Tensor::from_data(TensorData::new(values, view.shape().to_vec()), &self.device)
    }

    /// Torch keeps weights as `[4 · hidden, inputs]`, and two biases.
    fn lstm(&self, direction: &str) -> Lstm {
        let name = |kind: &str| format!("{kind}_l0{direction}");
        Lstm {
            input: self.tensor::<2>(&name("weight_ih")).transpose(),
            recurrent: self.tensor::<2>(&name("weight_hh")).transpose(),
            bias: self.tensor::<1>(&name("bias_ih")) + self.tensor::<1>(&name("bias_hh")),
        }
    }
}

fn assert_close<const D: usize>(what: &str, ours: Tensor<D>, torch: Tensor<D>) {
    assert_eq!(ours.dims(), torch.dims(), "{what}");
    let worst: f32 = (ours - torch).abs().max().into_scalar();
    assert!(worst < 2e-6, "{what} differs by {worst}");
}

fn check(direction: Direction, suffix: &str, half: usize) {
    let golden = Golden::read();
    let lstm = golden.lstm(suffix);
    let hidden = lstm.hidden();
    let present: Tensor<2> = golden.tensor("present");
    let [time, albums] = present.dims();
    let start = LstmState::zero(albums, hidden, &golden.device);
    let pass = lstm.forward(golden.tensor("inputs"), &present, start, direction);

    // What lies past a sequence's end has no meaning; torch writes zeros there.
    let mask = present.reshape([time, albums, 1]);
    let wanted: Tensor<3> = golden.tensor("outputs");
    let outputs = pass.outputs.clone() * mask.clone();
    assert_close("outputs", outputs, wanted.narrow(2, half * hidden, hidden));
    let last: Tensor<3> = golden.tensor("hidden");
    assert_close("hidden", pass.last.hidden.clone(), last.narrow(0, half, 1).squeeze_dim(0));
    let last: Tensor<3> = golden.tensor("cell");
    assert_close("cell", pass.last.cell.clone(), last.narrow(0, half, 1).squeeze_dim(0));

    let of_outputs: Tensor<3> = golden.tensor("weight");
    let gradients = lstm.backward(pass, &(of_outputs.narrow(2, half * hidden, hidden) * mask));
    let torch = |kind: &str| golden.tensor::<2>(&format!("{kind}_l0{suffix}.gradient")).transpose();
    assert_close("input", gradients.input, torch("weight_ih"));
    assert_close("recurrent", gradients.recurrent, torch("weight_hh"));
    let bias: Tensor<1> = golden.tensor(&format!("bias_ih_l0{suffix}.gradient"));
    assert_close("bias", gradients.bias, bias);
}

#[test]
fn the_forward_lstm_answers_and_learns_as_torchs_does() {
    check(Direction::Forward, "", 0);
}

#[test]
fn the_backward_lstm_answers_and_learns_as_torchs_does() {
    check(Direction::Backward, "_reverse", 1);
}

#[test]
fn a_classifier_over_both_directions_learns_as_torchs_does() {
    let golden = Golden::read();
    let classifier = SequenceClassifier {
        lstms: vec![
            (Direction::Forward, golden.lstm("")),
            (Direction::Backward, golden.lstm("_reverse")),
        ],
        weight: golden.tensor::<2>("linear.weight").transpose(),
        bias: golden.tensor("linear.bias"),
    };
    let present: Tensor<2> = golden.tensor("present");
    let [time, albums] = present.dims();
    let zero = LstmState::zero(albums, classifier.lstms[0].1.hidden(), &golden.device);
    let start = vec![zero.clone(), zero];

    let inputs: Tensor<3> = golden.tensor("inputs");
    let (logits, _) = classifier.forward(inputs.clone(), &present, start.clone());
    let mask = present.clone().reshape([time, albums, 1]);
    assert_close("logits", logits * mask.clone(), golden.tensor::<3>("logits") * mask);

    let batch = SequenceBatch {
        inputs,
        present,
        targets: golden.tensor::<2>("targets").int(),
        weights: golden.tensor("weights"),
    };
    let step = classifier.step(batch, start);
    assert_close("loss", step.loss, golden.tensor("loss"));
    let torch = golden.tensor::<2>("linear.weight.gradient").transpose();
    assert_close("linear weight", step.gradients.weight, torch);
    assert_close("linear bias", step.gradients.bias, golden.tensor("linear.bias.gradient"));
    for (gradients, suffix) in step.gradients.lstms.into_iter().zip(["", "_reverse"]) {
        let torch = |kind: &str| format!("{kind}_l0{suffix}.gradient_of_loss");
        let input: Tensor<2> = golden.tensor(&torch("weight_ih"));
        assert_close("input", gradients.input, input.transpose());
        let recurrent: Tensor<2> = golden.tensor(&torch("weight_hh"));
        assert_close("recurrent", gradients.recurrent, recurrent.transpose());
        assert_close("bias", gradients.bias, golden.tensor(&torch("bias_ih")));
    }
}
