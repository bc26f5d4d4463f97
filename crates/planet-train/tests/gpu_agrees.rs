//! burn on a graphics card, or Vulkan on the processor, beside our own backend: the same steps
//! from the same weights, runs that change over, the same dropout for the same seed.
//! docs/training-backends.md says how to run it.
#![cfg(feature = "burn")]

#[path = "support/agreement.rs"]
mod agreement;
#[path = "support/gpu.rs"]
mod gpu;

use agreement::{
    averaged, batch, cpu, ends_in_the_same_weights, keeps_its_weights_without_a_loss,
    names_what_does_not_fit, network, network_of_two_heads, options, steps_alike_by_every_rule,
    steps_by_a_loss_of_the_output, takes_over, train, weights,
};
use planet_train::{Backend, BackendName, Burn, Optimizer, Precision, ProcessGroup, TrainConfig};

fn burn(optimizer: Optimizer) -> Option<Burn> {
    let network = network();
    let device = gpu::device()?;
    let burn = Burn::new(&network, &weights(&network), optimizer, &device, Precision::F32);
    Some(burn.expect("a backend"))
}

#[test]
fn twenty_steps_on_the_card_end_in_the_same_weights() {
    let Some(mut theirs) = burn(Optimizer::default()) else { return };
    ends_in_the_same_weights(&mut theirs);
}

#[test]
fn a_loss_that_is_computed_outside_trains_alike() {
    let Some(device) = gpu::device() else { return };
    let network = network_of_two_heads();
    let weights = weights(&network);
    let burn = Burn::new(&network, &weights, Optimizer::default(), &device, Precision::F32);
    steps_by_a_loss_of_the_output(&mut burn.expect("a backend"));
}

#[test]
fn a_config_opens_the_first_card_that_is_there() {
    let Some(_) = gpu::device() else { return };
    let network = network();
    let mut config = TrainConfig { backend: BackendName::Burn, ..TrainConfig::default() };
    let open = |config: &TrainConfig| {
        config.open_backend(&network, &weights(&network), &ProcessGroup::alone())
    };
    let mut backend = open(&config).expect("auto");
    assert!(backend.name().starts_with("burn, auto, "), "{}", backend.name());
    assert!(train(&mut *backend, 0..1)[0].is_finite());
    config.precision = Precision::Bf16;
    let error = open(&config).err().expect("burn has f32 alone").to_string();
    assert!(error.contains("bf16"), "{error}");
}

#[test]
fn every_rule_steps_alike_with_decay_clipping_and_average() {
    steps_alike_by_every_rule(burn);
}

#[test]
fn a_run_goes_on_with_the_other_backend() {
    let Some(mut theirs) = burn(averaged()) else { return };
    takes_over(&mut theirs);
}

#[test]
fn a_seed_drops_the_same_values_as_on_the_processor() {
    let Some(mut theirs) = burn(Optimizer::default()) else { return };
    let mut ours = cpu(Optimizer::default());
    let (batch, targets) = batch(0);
    let mut losses = |seed: u64| {
        let options = options(Some(seed));
        let ours = ours.gradients(&batch, &targets, &options).expect("gradients").report;
        let theirs = theirs.gradients(&batch, &targets, &options).expect("gradients").report;
        (ours.loss, theirs.loss)
    };
    let first = losses(5);
    let second = losses(50);
    assert!((first.0 - second.0).abs() > 1e-3, "the seeds drop alike: {first:?}");
    for (ours, theirs) in [first, second] {
        assert!((ours - theirs).abs() < 1e-4, "{ours} and {theirs}");
    }
}

#[test]
fn a_loss_that_is_no_number_changes_nothing() {
    let Some(mut backend) = burn(Optimizer::default()) else { return };
    let before = backend.state();
    keeps_its_weights_without_a_loss(&mut backend);
    assert!(backend.state() == before, "something has changed");
}

#[test]
fn devices_that_are_not_there_and_batches_that_do_not_fit_are_named() {
    let Some(mut backend) = burn(Optimizer::default()) else { return };
    let network = network();
    let card = gpu::device().expect("there was one");
    for device in [format!("{card}:99"), format!("{card}:x"), "abacus".to_owned()] {
        let weights = weights(&network);
        let error = Burn::new(&network, &weights, Optimizer::default(), &device, Precision::F32)
            .expect_err("no such device")
            .to_string();
        assert!(error.contains(&device) && error.contains(&card), "{error}");
    }
    names_what_does_not_fit(&mut backend);
}
