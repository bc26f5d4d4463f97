//! The backends train alike, and a run that one began goes on with the other.
//! `scripts/with-torch cargo test -p planet-train --features torch`
#![cfg(feature = "torch")]

use planet_data::PixelBatch;
use planet_net::{Architecture, Network, NetworkOptions, ParameterKind, Weights};
use planet_train::{
    Backend, BackendError, Cpu, Optimizer, Precision, Rule, State, StepOptions, Torch,
};

const SIDE: usize = 64;
const PHOTOS: usize = 16;
const CLASSES: usize = 5;

fn network() -> Network {
    let options = NetworkOptions { size: [SIDE; 2], classes: CLASSES, auxiliary: true };
    Architecture::InceptionMini.network(options).expect("a network")
}

/// Noise, brighter or darker by class, another batch at each step. Noise has no two equal values,
/// between which a pooling window could choose one way or the other.
fn batch(step: usize) -> (PixelBatch, Vec<u32>) {
    let mut batch = PixelBatch::with_capacity(PHOTOS, SIDE, SIDE);
    let targets: Vec<u32> = (0..PHOTOS).map(|at| ((at * 7 + step * 3) % CLASSES) as u32).collect();
    for (at, class) in targets.iter().enumerate() {
        let mut state = (step * PHOTOS + at) as u64 + 1;
        let noise = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0 + 0.4 * *class as f32
        };
        batch.push(&(0..3 * SIDE * SIDE).map(noise).collect::<Vec<_>>());
    }
    (batch, targets)
}

fn options(learning_rate: f64) -> StepOptions {
    StepOptions { learning_rate, label_smoothing: 0.1, auxiliary_weight: 0.4, dropout: None }
}

fn cpu(optimizer: Optimizer) -> Cpu {
    let network = network();
    Cpu::new(&network, &Weights::initial(&network, 3), optimizer).expect("a backend")
}

fn torch(optimizer: Optimizer, precision: Precision) -> Torch {
    let network = network();
    let weights = Weights::initial(&network, 3);
    Torch::new(&network, &weights, optimizer, "cpu", precision).expect("a backend")
}

fn train(backend: &mut dyn Backend, steps: std::ops::Range<usize>, rate: f64) -> Vec<f64> {
    let mut losses = Vec::new();
    for step in steps {
        let (batch, targets) = batch(step);
        losses.push(backend.step(&batch, &targets, &options(rate)).expect("a step").loss);
    }
    losses
}

/// How far apart two sets of weights are, as a share of the way from `begin` to the first.
fn apart(begin: &Weights, a: &Weights, b: &Weights) -> f64 {
    let way = |from: &Weights, to: &Weights| {
        let squares = from.iter().flat_map(|(name, from)| {
            let to = to.get(name).expect("the same parameters");
            assert_eq!(from.shape(), to.shape());
            from.values().iter().zip(to.values()).map(|(a, b)| f64::from(a - b).powi(2))
        });
        squares.sum::<f64>().sqrt()
    };
    way(a, b) / way(begin, a)
}

fn with(rule: Rule) -> Optimizer {
    Optimizer { rule, weight_decay: 1e-3, clip_norm: Some(3.0), average: Some(0.9) }
}

#[test]
fn twenty_steps_end_in_the_same_losses_and_weights() {
    for (rule, rate) in [(Rule::ADAGRAD, 0.005), (Rule::SGD, 0.005), (Rule::ADAMW, 0.0002)] {
        let (mut cpu, mut torch) = (cpu(with(rule)), torch(with(rule), Precision::F32));
        let (a, b) = (train(&mut cpu, 0..20, rate), train(&mut torch, 0..20, rate));
        for (step, (a, b)) in a.iter().zip(&b).enumerate() {
            // Rounding grows from step to step, as it does between any two orders of summation.
            let bound = [1e-6, 1e-4, 2e-3].get(step).copied().unwrap_or(0.05);
            assert!((a - b).abs() < bound * a, "{rule:?}: loss {step} is {b}, not {a}");
        }
        assert!(a[19] < 0.8 * a[0], "{rule:?}: nothing is learned: {a:?}");
        let (a, b) = (cpu.state(), torch.state());
        assert_eq!(a.steps, b.steps);
        let begin = Weights::initial(&network(), 3);
        let off = apart(&begin, &a.weights, &b.weights);
        assert!(off < 0.08, "{rule:?}: weights are {off} apart");
        let kept = |state: &State| state.average.clone().expect("kept");
        let off = apart(&begin, &kept(&a), &kept(&b));
        assert!(off < 0.08, "{rule:?}: averages are {off} apart");
    }
}

#[test]
fn a_state_goes_from_one_backend_to_the_other_and_back_unchanged() {
    let optimizer = with(Rule::ADAMW);
    let (mut here, mut there) = (cpu(optimizer), torch(optimizer, Precision::F32));
    train(&mut here, 0..5, 0.001);
    let state: State = here.state();
    there.load(&state).expect("it fits");
    assert!(there.state() == state, "not the same numbers");
    let (a, b) = (train(&mut here, 5..8, 0.001), train(&mut there, 5..8, 0.001));
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() < 1e-3 * a, "{b} is not {a}");
    }
    here.load(&there.state()).expect("it fits");
    let photos = batch(9).0;
    let (a, b) = (here.forward(&photos).expect("a"), there.forward(&photos).expect("b"));
    assert_eq!((a.features, a.classes), (b.features, b.classes));
    for (a, b) in a.logits.iter().zip(&b.logits).chain(a.embeddings.iter().zip(&b.embeddings)) {
        assert!((a - b).abs() < 1e-3, "{b} is not {a}");
    }
}

#[test]
fn the_same_seed_ends_in_the_same_weights_with_dropout() {
    let run = || {
        let mut backend = torch(with(Rule::ADAGRAD), Precision::F32);
        for step in 0..3 {
            let (batch, targets) = batch(step);
            let options = StepOptions { dropout: Some(step as u64), ..options(0.02) };
            backend.step(&batch, &targets, &options).expect("a step");
        }
        backend.state()
    };
    assert!(run() == run(), "not the same weights");
}

#[test]
fn bf16_learns_the_same_and_keeps_its_weights_in_f32() {
    let mut exact = torch(with(Rule::ADAGRAD), Precision::F32);
    let mut coarse = torch(with(Rule::ADAGRAD), Precision::Bf16);
    let (a, b) = (train(&mut exact, 0..20, 0.02), train(&mut coarse, 0..20, 0.02));
    assert!((a[0] - b[0]).abs() < 0.02 * a[0], "{} is not {}", b[0], a[0]);
    assert!(b[19] < 0.8 * b[0], "nothing is learned: {b:?}");
    let network = network();
    let trained = network.parameters().filter(|it| it.kind == ParameterKind::Trained);
    let weights = coarse.state().weights;
    let finer = trained
        .flat_map(|it| weights.get(&it.name).expect("held").values().to_vec())
        .any(|value| value.to_bits() & 0xffff != 0);
    assert!(finer, "weights were rounded to bf16");
}

#[test]
fn a_loss_that_is_no_number_changes_nothing() {
    let mut backend = torch(with(Rule::SGD), Precision::F32);
    let (_, targets) = batch(0);
    let before = backend.state();
    let mut broken = PixelBatch::with_capacity(PHOTOS, SIDE, SIDE);
    (0..PHOTOS).for_each(|_| broken.push(&[f32::NAN; 3 * SIDE * SIDE]));
    assert!(!backend.step(&broken, &targets, &options(0.1)).expect("a report").is_finite());
    let after = backend.state();
    let trained = |name: &str| !name.contains("running_");
    let same = before
        .weights
        .iter()
        .filter(|(name, _)| trained(name))
        .all(|(name, array)| after.weights.get(name).expect("held") == array);
    assert!(same && after.steps == before.steps && after.slots == before.slots);
}

#[test]
fn a_device_that_is_not_there_is_named() {
    let network = network();
    let weights = Weights::initial(&network, 0);
    for device in ["cuda:99", "abacus"] {
        let error = Torch::new(&network, &weights, ADAGRAD, device, Precision::F32)
            .expect_err("no such device");
        assert!(matches!(error, BackendError::Device(_)));
        assert!(error.to_string().contains(device), "{error}");
    }
}

const ADAGRAD: Optimizer =
    Optimizer { rule: Rule::ADAGRAD, weight_decay: 0.0, clip_norm: None, average: None };
