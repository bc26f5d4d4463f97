//! The album model's gradients against torch.nn.LSTM's; golden/make_lstm.py made the file.

use planet_net::{AlbumNetwork, Array, Weights};
use planet_train::{Asked, LstmState, Optimizer, Packed, SequenceBatch, SequenceClassifier};

/// Golden sequences of 6, 2 and 4 steps, the longest first as we pack them.
const ORDER: [usize; 3] = [0, 2, 1];
const LENGTHS: [usize; 3] = [6, 4, 2];
const SIZES: AlbumNetwork =
    AlbumNetwork { features: 5, hidden: 3, classes: 7, bidirectional: true };

fn golden() -> Weights {
    let bytes = include_bytes!("golden/lstm.safetensors");
    Weights::from_safetensors(bytes).expect("a golden file").0
}

/// The golden weights of one or both directions under our names, and the classifier's.
fn weights(golden: &Weights, bidirectional: bool) -> Weights {
    let lstm = golden.iter().filter(|(name, _)| {
        let ours = name.starts_with("weight_") || name.starts_with("bias_");
        ours && !name.contains(".gradient") && (bidirectional || !name.ends_with("_reverse"))
    });
    let mut weights: Weights =
        lstm.map(|(name, array)| (format!("lstm.{name}"), array.clone())).collect();
    for part in ["weight", "bias"] {
        let array = golden.get(&format!("linear.{part}")).expect("a golden array");
        weights.insert(format!("fc.{part}"), array.clone());
    }
    weights
}

/// Rows of a padded golden array, `[6, 3, …]`, as they are packed.
fn packed(array: &Array) -> Vec<f32> {
    let width: usize = array.shape()[2..].iter().product();
    let mut values = Vec::new();
    for step in 0..LENGTHS[0] {
        for (sequence, length) in ORDER.into_iter().zip(LENGTHS) {
            if step < length {
                values.extend_from_slice(&array.values()[(step * 3 + sequence) * width..][..width]);
            }
        }
    }
    values
}

fn assert_close(what: &str, ours: &[f32], torch: &[f32]) {
    assert_eq!(ours.len(), torch.len(), "{what}");
    let worst = ours.iter().zip(torch).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 2e-6, "{what} differs by {worst}");
}

/// The golden batch; its steps without weight are not asked.
fn batch(golden: &Weights) -> SequenceBatch {
    let get = |name: &str| packed(golden.get(name).expect("a golden array"));
    let asked = get("weights").into_iter().zip(get("targets")).enumerate();
    let asked = asked.filter(|(_, (weight, _))| *weight > 0.0);
    SequenceBatch {
        packed: Packed::new(&LENGTHS),
        inputs: get("inputs"),
        asked: asked
            .map(|(row, (weight, class))| Asked { row, class: class as u32, weight })
            .collect(),
    }
}

#[test]
fn a_classifier_over_both_directions_answers_and_learns_as_torchs_does() {
    let golden = golden();
    let weights = weights(&golden, true);
    let mut ours = SequenceClassifier::new(SIZES, &weights, Optimizer::default()).expect("fits");
    let batch = batch(&golden);
    let mut state = LstmState::zero(3, 3);
    let all = |row| Asked { row, class: 0, weight: 1.0 };
    let everything =
        SequenceBatch { asked: (0..batch.packed.rows()).map(all).collect(), ..batch.clone() };
    let mut logits = vec![Vec::new(); batch.packed.rows()];
    ours.forward(&everything, &mut state, |row, scores| logits[row] = scores.to_vec())
        .expect("it fits");
    assert_close("logits", &logits.concat(), &packed(golden.get("logits").expect("golden")));

    let mut state = LstmState::zero(3, 3);
    let found = ours.gradients(&batch, &mut state, 0.0).expect("it fits");
    let torch = |name: &str| golden.get(name).expect("a golden array").values();
    assert_close("loss", &[found.report.loss as f32], torch("loss"));
    for (name, gradient) in found.gradients.iter() {
        let torch = match name.strip_prefix("fc.") {
            Some(part) => torch(&format!("linear.{part}.gradient")),
            None => torch(&format!("{}.gradient_of_loss", name.trim_start_matches("lstm."))),
        };
        assert_close(name, gradient.values(), torch);
    }
    assert_eq!(found.gradients.len(), 10);
}

#[test]
fn the_state_left_behind_is_torchs_at_each_sequences_end() {
    let golden = golden();
    let sizes = AlbumNetwork { bidirectional: false, ..SIZES };
    let mut weights = weights(&golden, false);
    // The golden classifier sees both directions; here it is not asked.
    weights.insert("fc.weight", Array::new(vec![7, 3], vec![0.0; 21]));
    let mut ours = SequenceClassifier::new(sizes, &weights, Optimizer::default()).expect("fits");
    let mut state = LstmState::zero(3, 3);
    let batch = SequenceBatch { asked: Vec::new(), ..batch(&golden) };
    ours.step(&batch, &mut state, 0.1, 0.0).expect("it fits");
    assert_eq!(ours.state().weights, weights, "nothing was asked, so nothing is learned");
    // `[directions, albums, hidden]`, the forward direction first.
    let last = |name: &str| -> Vec<f32> {
        let values = golden.get(name).expect("a golden array").values();
        ORDER.iter().flat_map(|sequence| values[sequence * 3..][..3].to_vec()).collect()
    };
    assert_close("hidden", state.hidden(), &last("hidden"));
    assert_close("cell", state.cell(), &last("cell"));
}

#[test]
fn chunks_with_a_state_carried_over_answer_as_the_whole() {
    let golden = golden();
    let sizes = AlbumNetwork { bidirectional: false, ..SIZES };
    let network = sizes.network().expect("built");
    let weights = Weights::initial(&network, 5);
    let mut ours = SequenceClassifier::new(sizes, &weights, Optimizer::default()).expect("fits");
    let inputs = packed(golden.get("inputs").expect("golden"));
    let mut read = |from: usize, to: usize, state: &mut LstmState| {
        let lengths: Vec<usize> =
            LENGTHS.iter().map(|it| it.min(&to).saturating_sub(from)).collect();
        let piece = Packed::new(&lengths);
        let whole = Packed::new(&LENGTHS);
        let rows = whole.step(from).start..whole.step(to - 1).end;
        let asked = (0..piece.rows()).map(|row| Asked { row, class: 0, weight: 1.0 }).collect();
        let inputs = inputs[rows.start * 5..rows.end * 5].to_vec();
        state.truncate(piece.sequences());
        let mut logits = Vec::new();
        let batch = SequenceBatch { packed: piece, inputs, asked };
        ours.forward(&batch, state, |_, scores| logits.extend_from_slice(scores)).expect("fits");
        logits
    };
    let whole = read(0, 6, &mut LstmState::zero(3, 3));
    let mut state = LstmState::zero(3, 3);
    let pieces = [read(0, 3, &mut state), read(3, 5, &mut state), read(5, 6, &mut state)].concat();
    assert_close("logits", &pieces, &whole);
}

#[test]
fn gradients_are_the_same_bits_whatever_the_number_of_threads() {
    let sizes = AlbumNetwork { features: 70, hidden: 33, classes: 1300, bidirectional: true };
    let weights = Weights::initial(&sizes.network().expect("built"), 3);
    let lengths: Vec<usize> = (1..40).rev().collect();
    let packed = Packed::new(&lengths);
    let rows = packed.rows();
    let batch = SequenceBatch {
        inputs: (0..rows * 70).map(|at| (at as f32 * 0.37).sin()).collect(),
        asked: (0..rows)
            .map(|row| Asked { row, class: (row * 7 % 1300) as u32, weight: 1.0 })
            .collect(),
        packed,
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| {
            let ours = SequenceClassifier::new(sizes, &weights, Optimizer::default());
            let mut state = LstmState::zero(39, 33);
            ours.expect("fits").gradients(&batch, &mut state, 0.1).expect("fits")
        })
    };
    let one = on(1);
    assert!(one == on(2) && one == on(5), "other bits");
}
