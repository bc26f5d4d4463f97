//! One training step of an album model as the paper's: 2048 features, 512 hidden, 25 photos,
//! 16 albums, 26,263 classes. `bench/lstm.py` runs torch.nn.LSTM beside it.

use burn::tensor::{Device, Distribution, Int, Tensor};
use criterion::{Criterion, criterion_group, criterion_main};
use planet_train::{Direction, Lstm, LstmState, SequenceBatch, SequenceClassifier};

const FEATURES: usize = 2048;
const HIDDEN: usize = 512;
const TIME: usize = 25;
const ALBUMS: usize = 16;
const CLASSES: usize = 26_263;

fn step(criterion: &mut Criterion) {
    let device = Device::flex();
    let random =
        |shape: [usize; 2]| Tensor::<2>::random(shape, Distribution::Uniform(-0.04, 0.04), &device);
    let lstm = Lstm {
        input: random([FEATURES, 4 * HIDDEN]),
        recurrent: random([HIDDEN, 4 * HIDDEN]),
        bias: Tensor::zeros([4 * HIDDEN], &device),
    };
    let classifier = SequenceClassifier {
        lstms: vec![(Direction::Forward, lstm)],
        weight: random([HIDDEN, CLASSES]),
        bias: Tensor::zeros([CLASSES], &device),
    };
    let batch = SequenceBatch {
        inputs: Tensor::random([TIME, ALBUMS, FEATURES], Distribution::Default, &device),
        present: Tensor::ones([TIME, ALBUMS], &device),
        targets: Tensor::<2, Int>::ones([TIME, ALBUMS], &device),
        weights: Tensor::ones([TIME, ALBUMS], &device),
    };
    let start = vec![LstmState::zero(ALBUMS, HIDDEN, &device)];
    let mut group = criterion.benchmark_group("lstm");
    group.sample_size(10);
    group.bench_function("forward and backward", |bencher| {
        bencher.iter(|| classifier.step(batch.clone(), start.clone()).loss.into_data());
    });
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
