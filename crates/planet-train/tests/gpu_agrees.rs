//! burn on a graphics card, or Vulkan on the processor, beside our own backend: the same steps
//! from the same weights, runs that change over, the same dropout for the same seed.
//! docs/training-backends.md says how to run it.
#![cfg(feature = "burn")]

#[path = "support/agreement.rs"]
mod agreement;
#[path = "support/gpu.rs"]
mod gpu;

use agreement::{CLASSES, SIDE, assert_close, batch, cpu, network, options, train, weights};
use planet_data::PixelBatch;
use planet_train::{
    Backend, BackendError, BackendName, Burn, Optimizer, Precision, ProcessGroup, Rule, TrainConfig,
};

fn burn(optimizer: Optimizer) -> Option<Burn> {
    let network = network();
    let device = gpu::device()?;
    let burn = Burn::new(&network, &weights(&network), optimizer, &device, Precision::F32);
    Some(burn.expect("a backend"))
}

#[test]
fn twenty_steps_on_the_card_end_in_the_same_weights() {
    let Some(mut theirs) = burn(Optimizer::default()) else { return };
    let mut ours = cpu(Optimizer::default());
    let losses = train(&mut ours, 0..20).into_iter().zip(train(&mut theirs, 0..20));
    for (step, (ours, theirs)) in losses.enumerate() {
        assert!((ours - theirs).abs() < 2e-3 * ours, "step {step}: {ours} and {theirs}");
    }
    assert_close(&theirs.state(), &ours.state(), 1e-3);
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
    for rule in [Rule::ADAGRAD, Rule::SGD, Rule::ADAMW] {
        let optimizer =
            Optimizer { rule, weight_decay: 0.01, clip_norm: Some(0.5), average: Some(0.9) };
        let Some(mut theirs) = burn(optimizer) else { return };
        let mut ours = cpu(optimizer);
        train(&mut ours, 0..3);
        train(&mut theirs, 0..3);
        assert_close(&theirs.state(), &ours.state(), 1e-3);
    }
}

#[test]
fn a_run_goes_on_with_the_other_backend() {
    let optimizer = Optimizer { average: Some(0.9), ..Optimizer::default() };
    let Some(mut theirs) = burn(optimizer) else { return };
    let mut ours = cpu(optimizer);
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
    let mut broken = PixelBatch::with_capacity(2, SIDE, SIDE);
    broken.push(&[f32::NAN; 3 * SIDE * SIDE]);
    broken.push(&[0.0; 3 * SIDE * SIDE]);
    let before = backend.state();
    let report = backend.step(&broken, &[1, 2], &options(None)).expect("a report");
    assert!(!report.is_finite());
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
    let (batch, mut targets) = batch(0);
    targets[0] = CLASSES as u32;
    let error = backend.step(&batch, &targets, &options(None)).expect_err("no such class");
    assert!(matches!(error, BackendError::Class { class: 10, classes: 10 }), "{error}");
    let error = backend.step(&batch, &targets[1..], &options(None)).expect_err("a target short");
    assert!(matches!(error, BackendError::Targets { photos: 16, targets: 15 }), "{error}");
    let error = backend.forward(&PixelBatch::with_capacity(0, 8, 8)).expect_err("no photos");
    assert!(matches!(error, BackendError::Batch { photos: 0, .. }), "{error}");
}
