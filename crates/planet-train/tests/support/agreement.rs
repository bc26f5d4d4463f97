//! Steps that one backend takes beside another, and how far apart they end.

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../../planet-net/tests/golden/formula.rs"]
mod formula;

use planet_data::PixelBatch;
use planet_net::{
    Architecture, Array, Builder, Convolution, Linear, Network, NetworkOptions, OutputName, Shape,
    Weights,
};
use planet_train::{Backend, BackendError, Cpu, Loss, Optimizer, Rule, State, StepOptions};

pub const SIDE: usize = 64;
pub const PHOTOS: usize = 16;
pub const CLASSES: usize = 10;

pub fn network() -> Network {
    let options = NetworkOptions { size: [SIDE; 2], classes: CLASSES, auxiliary: true };
    Architecture::InceptionMini.network(options).expect("a network")
}

/// A small network with an auxiliary classifier, for losses that are computed outside.
#[allow(dead_code, reason = "shared with other tests")]
pub fn network_of_two_heads() -> Network {
    let mut net = Builder::new("two heads", Shape::image(3, [SIDE; 2]));
    let x = net.input();
    let stem = Convolution { stride: [4, 4], ..Convolution::new(3, 16, [5, 5]).same() };
    let x = net.convolution("stem", x, stem).expect("fits");
    let x = net.relu("stem.relu", x).expect("fits");
    let mut head = |name: &str, x| {
        let pooled = net.global_average_pool(&format!("{name}.pool"), x).expect("fits");
        let flat = net.flatten(&format!("{name}.flatten"), pooled).expect("fits");
        let linear = Linear { inputs: 16, outputs: CLASSES, deviation: 0.5 };
        net.linear(name, flat, linear).expect("fits")
    };
    let (logits, auxiliary) = (head("fc", x), head("AuxLogits", x));
    let net = net.output(OutputName::Logits, logits).output(OutputName::Auxiliary, auxiliary);
    net.build().expect("a network")
}

/// Five steps of a backend of the [`network_of_two_heads`] on a cross entropy that is computed from its
/// output end where our own steps do, which compute it within.
#[allow(dead_code, reason = "shared with other tests")]
pub fn steps_by_a_loss_of_the_output(theirs: &mut dyn Backend) {
    let network = network_of_two_heads();
    let ours = Cpu::new(&network, &weights(&network), Optimizer::default());
    let mut ours = ours.expect("a backend");
    let options = StepOptions { label_smoothing: 0.0, ..options(None) };
    for step in 0..5 {
        let (batch, targets) = batch(step);
        let mut loss = |scores: &mut [f32]| {
            let rows = scores.chunks_exact_mut(CLASSES).zip(&targets);
            let entropy = |(row, target): (&mut [f32], &u32)| {
                let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = row.iter().map(|score| (score - greatest).exp()).sum();
                let loss = sum.ln() + greatest - row[*target as usize];
                row.iter_mut().for_each(|it| *it = (*it - greatest).exp() / sum / PHOTOS as f32);
                row[*target as usize] -= 1.0 / PHOTOS as f32;
                Loss { loss, rank: 0 }
            };
            rows.map(entropy).collect()
        };
        let theirs = theirs.step_by(&batch, &mut loss, &options).expect("a step");
        let ours = ours.step(&batch, &targets, &options).expect("a step");
        let auxiliary = (ours.auxiliary.expect("a loss"), theirs.auxiliary.expect("a loss"));
        for (ours, theirs) in [(ours.loss, theirs.loss), auxiliary] {
            assert!((ours - theirs).abs() < 1e-3 * ours, "step {step}: {ours} and {theirs}");
        }
    }
    assert_close(&theirs.state(), &ours.state(), 1e-3);
    let before = theirs.state();
    let mut broken =
        |scores: &mut [f32]| vec![Loss { loss: f32::NAN, rank: 0 }; scores.len() / CLASSES];
    let report = theirs.step_by(&batch(0).0, &mut broken, &options).expect("a report");
    assert!(!report.is_finite());
    assert_eq!((theirs.state().steps, theirs.state().slots), (before.steps, before.slots));
}

/// Weights with which most ReLUs stay far from their bend, so that rounding, which differs from
/// backend to backend, does not turn one the other way and is then magnified step by step.
pub fn weights(network: &Network) -> Weights {
    let initial = Weights::initial(network, 0);
    let statistics = initial.iter().filter(|(name, _)| name.contains(".running_"));
    let mut fixed: Weights =
        statistics.map(|(name, array)| (name.to_owned(), array.clone())).collect();
    fixed.insert("factor", Array::new(vec![1], vec![1.0]));
    formula::weights(network, &fixed)
}

pub fn cpu(optimizer: Optimizer) -> Cpu {
    let network = network();
    Cpu::new(&network, &weights(&network), optimizer).expect("a backend")
}

/// Photos whose colour tells the class under much noise, other ones at each step. Noise, so that
/// no two pixels tie where the greatest is looked for.
pub fn batch(step: usize) -> (PixelBatch, Vec<u32>) {
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

pub fn options(dropout: Option<u64>) -> StepOptions {
    StepOptions { learning_rate: 0.001, label_smoothing: 0.1, auxiliary_weight: 0.3, dropout }
}

/// Losses of these steps.
pub fn train(backend: &mut dyn Backend, steps: std::ops::Range<usize>) -> Vec<f64> {
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
pub fn assert_close(found: &State, wanted: &State, most: f64) {
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

/// Twenty steps of a backend end where those of ours do.
pub fn ends_in_the_same_weights(theirs: &mut dyn Backend) {
    let mut ours = cpu(Optimizer::default());
    let losses = train(&mut ours, 0..20).into_iter().zip(train(theirs, 0..20));
    for (step, (ours, theirs)) in losses.enumerate() {
        assert!((ours - theirs).abs() < 2e-3 * ours, "step {step}: {ours} and {theirs}");
    }
    assert_close(&theirs.state(), &ours.state(), 1e-3);
}

/// Three steps of a backend by every rule end where those of ours do; `open` opens it.
pub fn steps_alike_by_every_rule<B: Backend>(open: impl Fn(Optimizer) -> Option<B>) {
    for rule in [Rule::ADAGRAD, Rule::SGD, Rule::ADAMW] {
        let optimizer =
            Optimizer { rule, weight_decay: 0.01, clip_norm: Some(0.5), average: Some(0.9) };
        let Some(mut theirs) = open(optimizer) else { return };
        let mut ours = cpu(optimizer);
        train(&mut ours, 0..3);
        train(&mut theirs, 0..3);
        assert_close(&theirs.state(), &ours.state(), 1e-3);
    }
}

/// The optimizer of [`takes_over`].
pub fn averaged() -> Optimizer {
    Optimizer { average: Some(0.9), ..Optimizer::default() }
}

/// A backend with the optimizer [`averaged`] goes on where ours stopped, and ours where it did.
pub fn takes_over(theirs: &mut dyn Backend) {
    let mut ours = cpu(averaged());
    train(&mut ours, 0..4);
    theirs.load(&ours.state()).expect("it fits");
    assert!(theirs.state() == ours.state(), "what was loaded is what was saved");
    train(&mut ours, 4..6);
    train(theirs, 4..6);
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

/// A step with a loss that is no number changes no trained weight and no number of the optimizer.
pub fn keeps_its_weights_without_a_loss(backend: &mut dyn Backend) {
    let mut broken = PixelBatch::with_capacity(2, SIDE, SIDE);
    broken.push(&[f32::NAN; 3 * SIDE * SIDE]);
    broken.push(&[0.0; 3 * SIDE * SIDE]);
    let before = backend.state();
    let report = backend.step(&broken, &[1, 2], &options(None)).expect("a report");
    assert!(!report.is_finite());
    let after = backend.state();
    let name = "Conv2d_1a_3x3.conv.weight";
    assert!(before.weights.get(name).is_some(), "no weight {name}");
    assert_eq!(after.weights.get(name), before.weights.get(name));
    assert_eq!((after.steps, after.slots), (before.steps, before.slots));
}

/// Batches and targets that do not fit the network are named.
pub fn names_what_does_not_fit(backend: &mut dyn Backend) {
    let (batch, mut targets) = batch(0);
    targets[0] = CLASSES as u32;
    let error = backend.step(&batch, &targets, &options(None)).expect_err("no such class");
    assert!(matches!(error, BackendError::Class { class: 10, classes: 10 }), "{error}");
    let error = backend.step(&batch, &targets[1..], &options(None)).expect_err("a target short");
    assert!(matches!(error, BackendError::Targets { photos: 16, targets: 15 }), "{error}");
    let error = backend.forward(&PixelBatch::with_capacity(0, 8, 8)).expect_err("no photos");
    assert!(matches!(error, BackendError::Batch { photos: 0, .. }), "{error}");
}
