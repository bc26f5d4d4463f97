//! libtorch beside our own backend: the same steps from the same weights, runs that change over,
//! the same result for the same seed. `scripts/with-torch cargo test -p planet-train --features
//! torch`.
#![cfg(feature = "torch")]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../planet-net/tests/golden/formula.rs"]
mod formula;

use planet_data::PixelBatch;
use planet_net::{Architecture, Array, Network, NetworkOptions, Weights};
use planet_train::{
    Backend, BackendError, Cpu, Optimizer, Precision, Rule, State, StepOptions, Torch,
};

const SIDE: usize = 64;
const PHOTOS: usize = 16;
const CLASSES: usize = 10;

fn network() -> Network {
    let options = NetworkOptions { size: [SIDE; 2], classes: CLASSES, auxiliary: true };
    Architecture::InceptionMini.network(options).expect("a network")
}

/// Weights with which most ReLUs stay far from their bend, so that rounding, which differs from
/// backend to backend, does not turn one the other way and is then magnified step by step.
fn weights(network: &Network) -> Weights {
    let initial = Weights::initial(network, 0);
    let statistics = initial.iter().filter(|(name, _)| name.contains(".running_"));
    let mut fixed: Weights =
        statistics.map(|(name, array)| (name.to_owned(), array.clone())).collect();
    fixed.insert("factor", Array::new(vec![1], vec![1.0]));
    formula::weights(network, &fixed)
}

fn torch(optimizer: Optimizer, precision: Precision) -> Torch {
    let network = network();
    Torch::new(&network, &weights(&network), optimizer, "cpu", precision).expect("a backend")
}

fn cpu(optimizer: Optimizer) -> Cpu {
    let network = network();
    Cpu::new(&network, &weights(&network), optimizer).expect("a backend")
}

/// Photos whose colour tells the class under much noise, other ones at each step. Noise, so that
/// no two pixels tie where the greatest is looked for.
fn batch(step: usize) -> (PixelBatch, Vec<u32>) {
    let mut batch = PixelBatch::with_capacity(PHOTOS, SIDE, SIDE);
    let class = |photo: usize| (photo * 7 + step * 3) % CLASSES;
    for photo in 0..PHOTOS {
        let value = |at: usize| {
            let colour = class(photo) >> (at / (SIDE * SIDE)) & 3;
            let place = (at + (photo + step * PHOTOS) * 3 * SIDE * SIDE) as u64;
            let noise = place.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (place << 21);
            let noise = (noise.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1 << 24) as f32;
            0.4 * colour as f32 + noise - 1.0
        };
        batch.push(&(0..3 * SIDE * SIDE).map(value).collect::<Vec<_>>());
    }
    (batch, (0..PHOTOS).map(|photo| class(photo) as u32).collect())
}

fn options(dropout: Option<u64>) -> StepOptions {
    StepOptions { learning_rate: 0.001, label_smoothing: 0.1, auxiliary_weight: 0.3, dropout }
}

/// Losses of these steps.
fn train(backend: &mut dyn Backend, steps: std::ops::Range<usize>) -> Vec<f64> {
    let step = |step: usize| {
        let (batch, targets) = batch(step);
        backend.step(&batch, &targets, &options(None)).expect("a step").loss
    };
    steps.map(step).collect()
}

/// Root mean square of the difference over all parameters, as a share of that of the values.
fn apart(a: &Weights, b: &Weights) -> f64 {
    assert_eq!(a.len(), b.len());
    let (mut off, mut all) = (0.0, 0.0);
    for (name, a) in a.iter() {
        let b = b.get(name).expect("the same parameters");
        assert_eq!(a.shape(), b.shape(), "{name}");
        for (a, b) in a.values().iter().zip(b.values()) {
            off += f64::from(a - b).powi(2);
            all += f64::from(*a).powi(2);
        }
    }
    (off / all).sqrt()
}

/// Weights and average within `most`, the optimizer's numbers, which are squares of gradients or
/// follow each of them, within a hundred times that.
fn assert_close(found: &State, wanted: &State, most: f64) {
    assert_eq!((found.steps, found.slots.len()), (wanted.steps, wanted.slots.len()));
    assert_eq!(found.average.is_some(), wanted.average.is_some());
    let share = apart(&found.weights, &wanted.weights);
    assert!(share < most, "weights are {share:e} off");
    let share = apart(found.best_weights(), wanted.best_weights());
    assert!(share < most, "the average is {share:e} off");
    for (found, wanted) in found.slots.iter().zip(&wanted.slots) {
        let share = apart(found, wanted);
        assert!(share < 100.0 * most, "the optimizer's numbers are {share:e} off");
    }
}

#[test]
fn twenty_steps_of_both_backends_end_in_the_same_weights() {
    let (mut ours, mut theirs) =
        (cpu(Optimizer::default()), torch(Optimizer::default(), Precision::F32));
    let losses = train(&mut ours, 0..20).into_iter().zip(train(&mut theirs, 0..20));
    for (step, (ours, theirs)) in losses.enumerate() {
        assert!((ours - theirs).abs() < 2e-3 * ours, "step {step}: {ours} and {theirs}");
    }
    assert_close(&theirs.state(), &ours.state(), 1e-3);
}

#[test]
fn every_rule_steps_alike_with_decay_clipping_and_average() {
    for rule in [Rule::ADAGRAD, Rule::SGD, Rule::ADAMW] {
        let optimizer =
            Optimizer { rule, weight_decay: 0.01, clip_norm: Some(0.5), average: Some(0.9) };
        let (mut ours, mut theirs) = (cpu(optimizer), torch(optimizer, Precision::F32));
        train(&mut ours, 0..3);
        train(&mut theirs, 0..3);
        assert_close(&theirs.state(), &ours.state(), 1e-3);
    }
}

#[test]
fn a_run_goes_on_with_the_other_backend() {
    let optimizer = Optimizer { average: Some(0.9), ..Optimizer::default() };
    let (mut ours, mut theirs) = (cpu(optimizer), torch(optimizer, Precision::F32));
    train(&mut ours, 0..4);
    theirs.load(&ours.state()).expect("it fits");
    assert!(theirs.state() == ours.state(), "what was loaded is what was saved");
    train(&mut ours, 4..6);
    train(&mut theirs, 4..6);
    assert_close(&theirs.state(), &ours.state(), 1e-5);
    ours.load(&theirs.state()).expect("it fits");
    let (batch, _) = batch(9);
    let (ours, theirs) = (ours.forward(&batch), theirs.forward(&batch));
    let (ours, theirs) = (ours.expect("scores"), theirs.expect("scores"));
    assert_eq!((ours.features, ours.classes), (theirs.features, theirs.classes));
    let pairs = ours.logits.iter().zip(&theirs.logits);
    let pairs = pairs.chain(ours.embeddings.iter().zip(&theirs.embeddings));
    pairs.for_each(|(ours, theirs)| assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}"));
}

#[test]
fn the_same_seed_drops_the_same_values() {
    let state = |seed: u64| {
        let mut backend = torch(Optimizer::default(), Precision::F32);
        for step in 0..3 {
            let (batch, targets) = batch(step);
            let options = options(Some(seed + step as u64));
            backend.step(&batch, &targets, &options).expect("a step");
        }
        backend.state()
    };
    assert!(state(5) == state(5), "the same seed, other weights");
    assert!(state(5) != state(50), "another seed, the same weights");
}

#[test]
fn bf16_learns_as_f32_does_and_keeps_its_weights_in_f32() {
    let mut exact = torch(Optimizer::default(), Precision::F32);
    let mut rounded = torch(Optimizer::default(), Precision::Bf16);
    let exact = train(&mut exact, 0..20);
    let losses = train(&mut rounded, 0..20);
    assert!((exact[0] - losses[0]).abs() < 0.02, "{} and {}", exact[0], losses[0]);
    let end = |losses: &[f64]| losses[15..].iter().sum::<f64>() / 5.0;
    assert!((end(&exact) - end(&losses)).abs() < 0.2, "{} and {}", end(&exact), end(&losses));
    let state = rounded.state();
    let weights = state.weights.iter().flat_map(|(_, array)| array.values());
    let fine = weights.filter(|value| value.to_bits() & 0xffff != 0).count();
    assert!(fine > 100_000, "only {fine} weights are finer than bf16");
}

#[test]
fn a_loss_that_is_no_number_changes_no_weight() {
    let mut backend = torch(Optimizer::default(), Precision::F32);
    let mut broken = PixelBatch::with_capacity(2, SIDE, SIDE);
    broken.push(&[f32::NAN; 3 * SIDE * SIDE]);
    broken.push(&[0.0; 3 * SIDE * SIDE]);
    let before = backend.state();
    let report = backend.step(&broken, &[1, 2], &options(None)).expect("a report");
    assert!(!report.is_finite());
    let after = backend.state();
    let name = "Conv2d_1a_3x3.conv.weight";
    assert_eq!(after.weights.get(name), before.weights.get(name));
    assert_eq!((after.steps, after.slots), (before.steps, before.slots));
}

#[test]
fn devices_that_are_not_there_and_batches_that_do_not_fit_are_named() {
    let network = network();
    let weights = Weights::initial(&network, 0);
    for device in ["cuda:99", "cuda:x", "abacus"] {
        let error = Torch::new(&network, &weights, Optimizer::default(), device, Precision::F32)
            .expect_err("no such device")
            .to_string();
        assert!(error.contains(device), "{error}");
    }
    let mut backend = torch(Optimizer::default(), Precision::F32);
    let (batch, mut targets) = batch(0);
    targets[0] = CLASSES as u32;
    let error = backend.step(&batch, &targets, &options(None)).expect_err("no such class");
    assert!(matches!(error, BackendError::Class { class: 10, classes: 10 }), "{error}");
    let error = backend.step(&batch, &targets[1..], &options(None)).expect_err("a target short");
    assert!(matches!(error, BackendError::Targets { photos: 16, targets: 15 }), "{error}");
    let error = backend.forward(&PixelBatch::with_capacity(0, 8, 8)).expect_err("no photos");
    assert!(matches!(error, BackendError::Batch { photos: 0, .. }), "{error}");
}
