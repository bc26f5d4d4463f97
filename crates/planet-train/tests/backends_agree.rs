//! libtorch beside our own backend: the same steps from the same weights, runs that change over,
//! the same result for the same seed. `scripts/with-torch cargo test -p planet-train --features
//! torch`.
#![cfg(feature = "torch")]

#[path = "support/agreement.rs"]
mod agreement;

use agreement::{
    averaged, batch, ends_in_the_same_weights, keeps_its_weights_without_a_loss,
    names_what_does_not_fit, network, network_of_two_heads, options, steps_alike_by_every_rule,
    steps_by_a_loss_of_the_output, takes_over, train, weights,
};
use planet_net::Weights;
use planet_train::{Backend, Optimizer, Precision, Torch};

fn torch(optimizer: Optimizer, precision: Precision) -> Torch {
    let network = network();
    Torch::new(&network, &weights(&network), optimizer, "cpu", precision).expect("a backend")
}

#[test]
fn twenty_steps_of_both_backends_end_in_the_same_weights() {
    ends_in_the_same_weights(&mut torch(Optimizer::default(), Precision::F32));
}

#[test]
fn a_loss_that_is_computed_outside_trains_alike() {
    let network = network_of_two_heads();
    let weights = weights(&network);
    let torch = Torch::new(&network, &weights, Optimizer::default(), "cpu", Precision::F32);
    steps_by_a_loss_of_the_output(&mut torch.expect("a backend"));
}

#[test]
fn every_rule_steps_alike_with_decay_clipping_and_average() {
    steps_alike_by_every_rule(|optimizer| Some(torch(optimizer, Precision::F32)));
}

#[test]
fn a_run_goes_on_with_the_other_backend() {
    takes_over(&mut torch(averaged(), Precision::F32));
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
    keeps_its_weights_without_a_loss(&mut torch(Optimizer::default(), Precision::F32));
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
    names_what_does_not_fit(&mut backend);
}
