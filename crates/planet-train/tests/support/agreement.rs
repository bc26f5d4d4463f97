//! Steps that one backend takes beside another, and how far apart they end.

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../../planet-net/tests/golden/formula.rs"]
mod formula;

use planet_data::PixelBatch;
use planet_net::{Architecture, Array, Network, NetworkOptions, Weights};
use planet_train::{Backend, Cpu, Optimizer, State, StepOptions};

pub const SIDE: usize = 64;
pub const PHOTOS: usize = 16;
pub const CLASSES: usize = 10;

pub fn network() -> Network {
    let options = NetworkOptions { size: [SIDE; 2], classes: CLASSES, auxiliary: true };
    Architecture::InceptionMini.network(options).expect("a network")
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
