//! Losses, gradients, running statistics and three AdaGrad steps of every architecture beside
//! PyTorch's. golden/make_training.py made the files.

#[path = "../../planet-net/tests/golden/formula.rs"]
mod formula;
#[cfg(feature = "burn")]
#[path = "support/gpu.rs"]
mod gpu;

use planet_data::PixelBatch;
use planet_net::{Architecture, Array, Network, NetworkOptions, ParameterKind, Weights};
use planet_train::{Backend, Cpu, Optimizer, Rule, StepOptions};

/// Makes the backend that is held to PyTorch; nothing where this machine lacks what it needs.
type Begin = fn(&Network, &Weights, Optimizer) -> Option<Box<dyn Backend>>;

const PHOTOS: usize = 6;

struct Case {
    architecture: Architecture,
    side: usize,
    label_smoothing: f32,
}

impl Case {
    fn network(&self) -> Network {
        let options = NetworkOptions { size: [self.side; 2], classes: 10, auxiliary: true };
        self.architecture.network(options).expect("a network")
    }

    fn golden(&self) -> Weights {
        let path = format!(
            "{}/tests/golden/training-{}.safetensors",
            env!("CARGO_MANIFEST_DIR"),
            self.architecture
        );
        let bytes = std::fs::read(path).expect("the golden file");
        Weights::from_safetensors(&bytes).expect("safetensors").0
    }

    fn batch(&self) -> PixelBatch {
        let mut batch = PixelBatch::with_capacity(PHOTOS, self.side, self.side);
        let pixels = formula::photos(PHOTOS, self.side);
        pixels.chunks_exact(3 * self.side * self.side).for_each(|photo| batch.push(photo));
        batch
    }

    fn options(&self) -> StepOptions {
        StepOptions {
            learning_rate: 0.01,
            label_smoothing: self.label_smoothing,
            auxiliary_weight: 0.3,
            dropout: None,
        }
    }
}

/// The script's weights, and running statistics as new ones.
fn weights(network: &Network) -> Weights {
    let mut fixed: Weights = network
        .parameters()
        .filter(|parameter| parameter.kind == ParameterKind::Statistic)
        .map(|parameter| {
            let value = if parameter.name.ends_with("running_var") { 1.0 } else { 0.0 };
            (
                parameter.name.clone(),
                Array::new(parameter.shape.clone(), vec![value; parameter.count()]),
            )
        })
        .collect();
    for factor in ["factor", "auxiliary_factor"] {
        fixed.insert(factor, Array::new(vec![1], vec![1.0]));
    }
    formula::weights(network, &fixed)
}

/// Holds an array to the script's sample of it, within four times the error of PyTorch's own
/// f32 and a share of the largest value.
fn same(what: &str, found: &[f32], golden: &Weights, share: f32) {
    let wanted = golden.get(what).unwrap_or_else(|| panic!("the golden file has '{what}'"));
    let (error, wanted) = wanted.values().split_first().expect("an error and values");
    let largest = wanted.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let bound = 4.0 * error + share * largest + 1e-7;
    let sampled: Vec<&f32> = found.iter().step_by((found.len() / 32).max(1)).take(32).collect();
    assert_eq!(sampled.len(), wanted.len(), "{what}: as many values");
    for (at, (found, wanted)) in sampled.into_iter().zip(wanted).enumerate() {
        let off = (found - wanted).abs();
        assert!(off <= bound, "{what}: sample {at} is {found}, not {wanted} ± {bound}");
    }
}

/// `share`: rounding that a deep network may magnify by chance, since a ReLU at its bend goes one
/// way or the other.
fn trains_alike(
    begin: Begin,
    architecture: Architecture,
    side: usize,
    label_smoothing: f32,
    share: f32,
) {
    let case = Case { architecture, side, label_smoothing };
    let (network, golden, batch) = (case.network(), case.golden(), case.batch());
    let targets: Vec<u32> = (0..PHOTOS as u32).collect();
    let optimizer = Optimizer { rule: Rule::ADAGRAD, ..Optimizer::default() };
    let Some(mut backend) = begin(&network, &weights(&network), optimizer) else { return };
    let first = backend.gradients(&batch, &targets, &case.options()).expect("gradients");
    let after = backend.state().weights;
    for parameter in network.parameters() {
        let name = &parameter.name;
        if parameter.kind == ParameterKind::Statistic {
            same(
                &format!("after 1 {name}"),
                after.get(name).expect("held").values(),
                &golden,
                share,
            );
        } else {
            let gradient = first.gradients.get(name).expect("every trained parameter has one");
            same(&format!("gradient {name}"), gradient.values(), &golden, share);
        }
    }

    let backend = begin(&network, &weights(&network), optimizer);
    let mut backend = backend.expect("the first one is there too");
    for step in 0..3 {
        let report = backend.step(&batch, &targets, &case.options()).expect("a step");
        same(&format!("loss {step}"), &[report.loss as f32], &golden, share);
        match report.auxiliary {
            Some(loss) => same(&format!("auxiliary {step}"), &[loss as f32], &golden, share),
            None => assert!(golden.get("auxiliary 0").is_none(), "no auxiliary loss"),
        }
    }
    let after = backend.state().weights;
    for parameter in network.parameters() {
        let name = &parameter.name;
        same(&format!("after 3 {name}"), after.get(name).expect("held").values(), &golden, share);
    }
}

/// The shares, in the order of the tests, are each backend's own: a backend that sums in another
/// order than the script did turns other ReLUs at their bend.
macro_rules! trains_like_pytorch {
    ($backend:ident, $shares:expr, $begin:expr) => {
        mod $backend {
            use super::*;

            #[test]
            fn inception_mini_trains_like_pytorch() {
                trains_alike($begin, Architecture::InceptionMini, 64, 0.0, $shares[0]);
            }

            #[test]
            fn inception_bn_trains_like_pytorch() {
                trains_alike($begin, Architecture::InceptionBn, 128, 0.1, $shares[1]);
            }

            #[test]
            fn inception_v3_with_its_auxiliary_head_trains_like_pytorch() {
                trains_alike($begin, Architecture::InceptionV3, 299, 0.1, $shares[2]);
            }

            #[test]
            fn mobilenet_v3_trains_like_pytorch() {
                trains_alike($begin, Architecture::MobilenetV3Large, 96, 0.0, $shares[3]);
            }

            #[test]
            fn efficientnet_lite0_trains_like_pytorch() {
                trains_alike($begin, Architecture::EfficientnetLite0, 64, 0.0, $shares[4]);
            }
        }
    };
}

trains_like_pytorch!(cpu, [2e-5, 2e-2, 2e-3, 2e-4, 2e-4], |network, weights, optimizer| {
    Some(Box::new(Cpu::new(network, weights, optimizer).expect("a backend")))
});

#[cfg(feature = "torch")]
trains_like_pytorch!(torch, [2e-5, 2e-2, 3e-2, 2e-3, 2e-3], |network, weights, optimizer| {
    use planet_train::{Precision, Torch};
    let backend = Torch::new(network, weights, optimizer, "cpu", Precision::F32);
    Some(Box::new(backend.expect("a backend")))
});

// One ReLU or another is at its bend here, and goes the other way where sums are taken in another
// order: what lies behind it agrees within 2e-5, what lies before it does not. gpu_agrees.rs holds
// backends to 1e-5 where none is.
#[cfg(feature = "burn")]
trains_like_pytorch!(burn, [2e-2, 2e-2, 2e-2, 2e-4, 2e-2], |network, weights, optimizer| {
    use planet_train::{Burn, Precision};
    let backend = Burn::new(network, weights, optimizer, &gpu::device()?, Precision::F32);
    Some(Box::new(backend.expect("a backend")))
});
