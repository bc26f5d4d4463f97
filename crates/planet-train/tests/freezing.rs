//! Training only the last layers: what is frozen stays as it is, to the last bit.

use planet_data::PixelBatch;
use planet_net::{Architecture, Network, NetworkOptions, Weights};
use planet_train::{Backend, Cpu, Optimizer, StepOptions};

const PHOTOS: usize = 4;
const SIDE: usize = 64;

fn network(architecture: Architecture, layer: Option<&str>) -> Network {
    let options = NetworkOptions { size: [SIDE; 2], classes: 10, auxiliary: false };
    let network = architecture.network(options).expect("a network");
    match layer {
        Some(layer) => network.freeze_until(layer).expect("a layer"),
        None => network,
    }
}

fn backend(network: &Network, weights: &Weights) -> Cpu {
    let optimizer = Optimizer { average: Some(0.9), ..Optimizer::default() };
    Cpu::new(network, weights, optimizer).expect("a backend")
}

fn batch() -> (PixelBatch, Vec<u32>) {
    let mut batch = PixelBatch::with_capacity(PHOTOS, SIDE, SIDE);
    for photo in 0..PHOTOS {
        let wave = |at: usize| ((photo + 1) as f32 * 0.37 * (at % 61) as f32).sin();
        batch.push(&(0..3 * SIDE * SIDE).map(wave).collect::<Vec<f32>>());
    }
    (batch, (0..PHOTOS as u32).collect())
}

const OPTIONS: StepOptions =
    StepOptions { learning_rate: 0.05, label_smoothing: 0.0, auxiliary_weight: 0.0, dropout: None };

#[test]
fn only_the_layers_from_the_named_one_on_change() {
    for (architecture, layer) in [
        (Architecture::InceptionMini, "Mixed_7b"),
        (Architecture::EfficientnetLite0, "_blocks.14"),
        (Architecture::MobilenetV3Large, "classifier"),
    ] {
        let network = network(architecture, Some(layer));
        let before = Weights::initial(&network, 3);
        let mut backend = backend(&network, &before);
        let (batch, targets) = batch();
        (0..2).for_each(|_| {
            backend.step(&batch, &targets, &OPTIONS).expect("a step");
        });
        let after = backend.state().weights;
        let first = network.nodes().iter().find(|node| node.name().starts_with(layer));
        let first = first.expect("the layer").name();
        let order: Vec<&str> = network.nodes().iter().map(|node| node.name()).collect();
        let place = |name: &str| order.iter().position(|node| *node == name).expect("a node");
        for (name, array) in before.iter() {
            let node = name.rsplit_once('.').expect("a node and a part").0;
            let is_same = after.get(name) == Some(array);
            assert_eq!(is_same, place(node) < place(first), "{architecture}: {name}");
        }
    }
}

#[test]
fn frozen_batch_norm_uses_its_running_statistics_so_that_the_loss_is_that_of_evaluation() {
    let frozen = network(Architecture::EfficientnetLite0, Some("_fc"));
    let weights = Weights::initial(&frozen, 5);
    let (batch, targets) = batch();
    let mut backend = backend(&frozen, &weights);
    let scores = backend.forward(&batch).expect("scores");
    let report = backend.step(&batch, &targets, &OPTIONS).expect("a step");
    let loss = |photo: usize| {
        let logits = scores.logits_of(photo);
        let sum: f64 = logits.iter().map(|it| f64::from(*it).exp()).sum();
        sum.ln() - f64::from(logits[targets[photo] as usize])
    };
    let mean = (0..PHOTOS).map(loss).sum::<f64>() / PHOTOS as f64;
    assert!((report.loss - mean).abs() < 1e-5, "{} and {mean}", report.loss);
}

#[test]
fn the_trained_layers_have_the_gradients_that_they_have_behind_the_same_values() {
    // Batch norm is frozen in one of the two, so that only a network without it in front of the
    // trained layer gives the same: the classifier's own gradient is known by hand.
    let frozen = network(Architecture::InceptionMini, Some("fc"));
    let weights = Weights::initial(&frozen, 5);
    let (batch, targets) = batch();
    let mut backend = backend(&frozen, &weights);
    let scores = backend.forward(&batch).expect("scores");
    let found = backend.gradients(&batch, &targets, &OPTIONS).expect("gradients").gradients;
    assert_eq!(found.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["fc.bias", "fc.weight"]);
    let mut wanted = vec![0.0f64; 10 * scores.features];
    for (photo, target) in targets.iter().enumerate() {
        let logits: Vec<f64> =
            scores.logits_of(photo).iter().map(|it| f64::from(*it).exp()).collect();
        let sum: f64 = logits.iter().sum();
        for (class, share) in logits.iter().map(|it| it / sum).enumerate() {
            let error = share - f64::from(u8::from(*target as usize == class));
            for (feature, value) in scores.embedding_of(photo).iter().enumerate() {
                wanted[class * scores.features + feature] +=
                    error * f64::from(*value) / PHOTOS as f64;
            }
        }
    }
    let found = found.get("fc.weight").expect("trained").values();
    for (found, wanted) in found.iter().zip(&wanted) {
        assert!((f64::from(*found) - wanted).abs() < 1e-5, "{found} and {wanted}");
    }
}

#[test]
fn a_run_with_frozen_layers_goes_on_from_its_own_state_alone() {
    let frozen = network(Architecture::InceptionMini, Some("Mixed_7a"));
    let weights = Weights::initial(&frozen, 5);
    let (batch, targets) = batch();
    let mut first = backend(&frozen, &weights);
    first.step(&batch, &targets, &OPTIONS).expect("a step");
    let mut second = backend(&frozen, &Weights::initial(&frozen, 6));
    second.load(&first.state()).expect("it fits");
    for backend in [&mut first, &mut second] {
        backend.step(&batch, &targets, &OPTIONS).expect("a step");
    }
    assert!(first.state() == second.state(), "both went on alike");
    let whole = network(Architecture::InceptionMini, None);
    assert!(backend(&whole, &weights).load(&first.state()).is_err(), "it lacks numbers");
}
