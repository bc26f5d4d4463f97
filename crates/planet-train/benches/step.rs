//! Images a second of a whole training step: forward, loss, backward, AdaGrad.
//! `cargo bench -p planet-train --bench step`; bench/train.py gives PyTorch's beside it.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use planet_data::PixelBatch;
use planet_net::{Architecture, NetworkOptions, Weights};
use planet_train::{Backend, Cpu, Optimizer, StepOptions};

const CLASSES: usize = 500;

fn pixels(photos: usize, side: usize) -> PixelBatch {
    let mut batch = PixelBatch::with_capacity(photos, side, side);
    for photo in 0..photos {
        let value = |at: usize| ((at * 31 + photo * 17) % 255) as f32 / 127.5 - 1.0;
        batch.push(&(0..3 * side * side).map(value).collect::<Vec<_>>());
    }
    batch
}

fn step(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    group.sample_size(10);
    let cases = [
        (Architecture::InceptionMini, 96, 64),
        (Architecture::InceptionV3, 128, 32),
        (Architecture::InceptionV3, 299, 16),
    ];
    for (architecture, side, photos) in cases {
        let options = NetworkOptions { size: [side; 2], classes: CLASSES, auxiliary: true };
        let network = architecture.network(options).expect("a network");
        let weights = Weights::initial(&network, 0);
        let mut backend = Cpu::new(&network, &weights, Optimizer::default()).expect("a backend");
        let batch = pixels(photos, side);
        let targets: Vec<u32> = (0..photos as u32).collect();
        let options = StepOptions {
            learning_rate: 0.045,
            label_smoothing: 0.0,
            auxiliary_weight: 0.3,
            dropout: Some(0),
        };
        group.throughput(Throughput::Elements(photos as u64));
        group.bench_function(BenchmarkId::new(architecture.name(), side), |b| {
            b.iter(|| backend.step(&batch, &targets, &options).expect("a step"));
        });
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
