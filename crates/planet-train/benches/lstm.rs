//! One training step of an album model as the paper's: 2048 features, 512 hidden, 25 photos,
//! 16 albums, 26,263 classes. `bench/lstm.py` runs torch.nn.LSTM beside it.

use criterion::{Criterion, criterion_group, criterion_main};
use planet_net::{AlbumNetwork, Weights};
use planet_train::{Asked, LstmState, Optimizer, Packed, SequenceBatch, SequenceClassifier};

const SIZES: AlbumNetwork =
    AlbumNetwork { features: 2048, hidden: 512, classes: 26_263, bidirectional: false };
const TIME: usize = 25;
const ALBUMS: usize = 16;

fn step(criterion: &mut Criterion) {
    let network = SIZES.network().expect("built");
    let weights = Weights::initial(&network, 0);
    let classifier = SequenceClassifier::new(SIZES, &weights, Optimizer::default());
    let mut classifier = classifier.expect("the weights fit");
    let packed = Packed::new(&[TIME; ALBUMS]);
    let rows = packed.rows();
    let batch = SequenceBatch {
        packed,
        inputs: (0..rows * SIZES.features).map(|at| (at as f32 * 0.1).sin().abs()).collect(),
        asked: (0..rows).map(|row| Asked { row, class: 1, weight: 1.0 }).collect(),
    };
    let mut group = criterion.benchmark_group("lstm");
    group.sample_size(10);
    group.bench_function("forward and backward", |bencher| {
        bencher.iter(|| {
            let mut state = LstmState::zero(ALBUMS, SIZES.hidden);
            classifier.differentiate(&batch, &mut state, 0.0).expect("it fits").loss
        });
    });
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
