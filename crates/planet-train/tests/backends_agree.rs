//! libtorch beside our own backend: the same steps from the same weights, runs that change over,
//! the same result for the same seed. `scripts/with-torch cargo test -p planet-train --features
//! torch`.
#![cfg(feature = "torch")]

#[path = "support/agreement.rs"]
mod agreement;

use agreement::{CLASSES, SIDE, assert_close, batch, cpu, network, options, train, weights};
use planet_data::PixelBatch;
use planet_net::Weights;
use planet_train::{Backend, BackendError, Optimizer, Precision, Rule, Torch};

fn torch(optimizer: Optimizer, precision: Precision) -> Torch {
    let network = network();
    Torch::new(&network, &weights(&network), optimizer, "cpu", precision).expect("a backend")
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
