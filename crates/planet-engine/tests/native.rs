//! Our own engine beside rten and, where it is found, ONNX Runtime: every architecture at small sizes, graphs that it does not run, and
//! files that are damaged.

#[path = "support/library.rs"]
mod library;
#[allow(dead_code, reason = "golden files are for the tests of golden.rs")]
#[path = "support/models.rs"]
mod models;

use std::{fs, num::NonZero, path::Path};

use library::{distance, onnxruntime};
use models::{photos, write};
use planet::{Activations, Engine, GraphEngine};
use planet_data::PixelBatch;
use planet_engine::{
    Device, EngineOptions, Native, OnnxEngine, OnnxRuntime, Rten, Signature, Threads,
};
use planet_net::{
    Architecture, Array, Builder, Convolution, Network, NetworkOptions, OnnxModel, Operation,
    OutputName, Pool, Shape, Weights,
};
use tempfile::TempDir;

/// Greatest difference as a share of the greatest number.
const TOLERANCE: f32 = 1e-4;

fn threads(count: usize) -> Threads {
    Threads(NonZero::new(count))
}

fn native(model: &Path, count: usize) -> OnnxEngine {
    Native { threads: threads(count) }.open(model, &Signature::default()).expect("loaded")
}

fn rten(model: &Path) -> OnnxEngine {
    Rten { threads: threads(1) }.open(model, &Signature::default()).expect("loaded")
}

/// A network with weights that leave no constant and no running statistic as in a new network.
fn written(network: &Network) -> TempDir {
    let initial = Weights::initial(network, 5);
    let weights = initial.iter().map(|(name, array)| {
        let wave = |at: usize| ((at + name.len()) as f32 * 0.7).sin();
        let is_constant = name.ends_with("bias") || name.ends_with("running_mean");
        let values = array.values().iter().enumerate().map(|(at, value)| match is_constant {
            true => 0.2 * wave(at),
            false if name.ends_with("running_var") => 1.0 + 0.5 * wave(at),
            false => *value,
        });
        (name.to_owned(), Array::new(array.shape().to_vec(), values.collect()))
    });
    write(network, &weights.collect())
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    let greatest = b.iter().fold(f32::MIN_POSITIVE, |most, it| most.max(it.abs()));
    assert!(a.iter().chain(b).all(|it| it.is_finite()), "a number is not finite");
    distance(a, b) / greatest
}

fn agree(what: &str, found: &Activations, expected: &Activations) {
    let logits = apart(&found.logits, &expected.logits);
    let embeddings = apart(&found.embeddings, &expected.embeddings);
    assert!(logits < TOLERANCE && embeddings < TOLERANCE, "{what}: {logits}, {embeddings}");
}

fn photos_of(count: usize, [height, width]: [usize; 2]) -> PixelBatch {
    let mut batch = PixelBatch::with_capacity(count, height, width);
    for photo in 0..count {
        let pixel = |at: usize| ((at * (2 * photo + 3)) as f32 * 0.37).sin();
        batch.push(&(0..3 * height * width).map(pixel).collect::<Vec<_>>());
    }
    batch
}

#[test]
fn every_architecture_gives_the_other_engines_answers_at_odd_sizes_and_in_batches() {
    for architecture in Architecture::ALL {
        let least = architecture.least_side();
        for size in [[least, least + 7], [least + 13, least + 4]] {
            let options = NetworkOptions { size, classes: 37, auxiliary: false };
            let network = architecture.network(options).expect("built");
            let folder = written(&network);
            let model = folder.path().join("model.onnx");
            let (mut own, mut rten) = (native(&model, 2), rten(&model));
            for count in [1, 3, 8] {
                let batch = photos_of(count, size);
                let found = own.run(&batch).expect("ran");
                let expected = rten.run(&batch).expect("ran");
                agree(&format!("{architecture} at {size:?}, {count}"), &found, &expected);
            }
            let Some(library) = onnxruntime() else { continue };
            let runtime = OnnxRuntime::load(&library).expect("loaded");
            let opened = runtime.open(&model, &Signature::default(), Device::Cpu, threads(1));
            let batch = photos_of(3, size);
            let expected = opened.expect("loaded").run(&batch).expect("ran");
            let found = own.run(&batch).expect("ran");
            agree(&format!("{architecture} at {size:?} in ONNX Runtime"), &found, &expected);
        }
    }
}

#[test]
fn answers_do_not_depend_on_threads_or_on_how_photos_are_divided() {
    for architecture in [Architecture::InceptionMini, Architecture::MobilenetV3Large] {
        let options = NetworkOptions { size: [64, 49], classes: 37, auxiliary: false };
        let folder = written(&architecture.network(options).expect("built"));
        let model = folder.path().join("model.onnx");
        let batch = photos_of(5, [64, 49]);
        let whole = native(&model, 1).run(&batch).expect("ran");
        for count in 2..=5 {
            assert_eq!(native(&model, count).run(&batch).expect("ran"), whole, "{architecture}");
        }
        let mut engine = native(&model, 2);
        for photo in 0..5 {
            let mut one = PixelBatch::with_capacity(1, 64, 49);
            let size = batch.values().len() / 5;
            one.push(&batch.values()[photo * size..][..size]);
            let found = engine.run(&one).expect("ran");
            assert_eq!(found.logits, whole.logits_of(photo), "{architecture}, photo {photo}");
        }
    }
}

#[test]
fn a_network_for_features_takes_photos_of_any_size_and_gives_its_map() {
    for architecture in [Architecture::InceptionMini, Architecture::EfficientnetLite0] {
        let network = architecture.usual(5).expect("built").features_only().expect("features");
        let folder = written(&network);
        let model = folder.path().join("model.onnx");
        let open = |own: bool| {
            let signature = Signature::of_features();
            if own {
                Native::default().open(&model, &signature)
            } else {
                Rten::default().open(&model, &signature)
            }
        };
        let [mut own, mut rten] = [open(true), open(false)].map(|it| it.expect("loaded"));
        for size in [[32, 32], [70, 41], [33, 96]] {
            let batch = photos_of(2, size);
            let expected = rten.run(&batch).expect("ran");
            agree(&format!("{architecture}, {size:?}"), &own.run(&batch).expect("ran"), &expected);
        }
        let batch = photos_of(2, [40, 56]);
        let (map, both) = (own.named(&batch, &["map"]), own.named(&batch, &["embedding", "map"]));
        assert_eq!(map.expect("ran")[0], both.expect("ran")[1]);
    }
}

/// A network of one of each window, on an image whose sides and channels fit no vector.
fn windows(size: [usize; 2]) -> Network {
    let mut net = Builder::new("windows", Shape::image(3, size));
    let pixels = net.input();
    let lopsided =
        Convolution { padding: [2, 0], padding_after: [0, 1], ..Convolution::new(3, 19, [3, 2]) };
    let first = net.convolution("first", pixels, lopsided.biased().stride(2)).expect("fits");
    let depthwise = Convolution::new(19, 19, [5, 3]).same().groups(19).biased();
    let second = net.convolution("second", first, depthwise).expect("fits");
    let mean = net.pool("mean", second, Pool::average(3, 1).same()).expect("fits");
    let most = net.pool("most", second, Pool::max(3, 1).same()).expect("fits");
    let normal = net
        .batch_norm("normal", mean, planet_net::BatchNorm { eps: 1e-3, momentum: 0.1 })
        .expect("fits");
    let bent = net.apply("bent", Operation::HardSwish, &[normal]).expect("fits");
    let sum = net.apply("sum", Operation::Add, &[bent, most]).expect("fits");
    let product = net.apply("product", Operation::Multiply, &[sum, second]).expect("fits");
    // The mean is read twice, and `first` by others too: they are copied into their places.
    let both = net.concat("both", &[sum, product, second, first]).expect("fits");
    let outer = net.concat("outer", &[both, mean]).expect("fits");
    let narrow = Convolution::new(95, 7, [2, 3]).biased().stride(3);
    let last = net.convolution("last", outer, narrow).expect("fits");
    let embedding = net.flatten("flatten", last).expect("fits");
    let inputs = net.shape(embedding).channels();
    let head = planet_net::Linear { inputs, outputs: 5, deviation: 0.1 };
    let logits = net.linear("fc", embedding, head).expect("fits");
    net.output(OutputName::Embedding, embedding)
        .output(OutputName::Logits, logits)
        .build()
        .expect("built")
}

#[test]
fn every_kind_of_window_and_a_value_with_many_readers_give_rtens_answers() {
    for size in [[16, 16], [13, 21], [31, 9]] {
        let folder = written(&windows(size));
        let model = folder.path().join("model.onnx");
        for count in [1, 3, 8] {
            let batch = photos_of(count, size);
            let expected = rten(&model).run(&batch).expect("ran");
            for workers in [1, 2] {
                let found = native(&model, workers).run(&batch).expect("ran");
                agree(&format!("{size:?}, {count}"), &found, &expected);
            }
        }
    }
}

#[test]
fn an_output_or_pixels_that_the_model_does_not_have_are_an_error() {
    let network = Architecture::InceptionMini.usual(3).expect("built");
    let folder = written(&network);
    let mut engine = native(&folder.path().join("model.onnx"), 1);
    let error = engine.named(&photos(1, 96), &["nothing"]).expect_err("refused").to_string();
    assert!(error.contains("no output 'nothing'"), "{error}");
    let error = engine.run(&photos(1, 80)).expect_err("refused").to_string();
    assert!(error.contains("96 × 96, not 80 × 80"), "{error}");
}

#[test]
fn a_graph_with_an_operator_that_it_lacks_is_refused_by_its_node_and_left_to_rten() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/channels_last.onnx");
    let refused = Native::default().open(&path, &Signature::default());
    let error = refused.err().expect("refused").to_string();
    assert!(error.starts_with("native: ") && error.contains("channels_last.onnx"), "{error}");
    assert!(error.contains("the node '") && error.contains("is not supported"), "{error}");
    assert!(error.contains("--engine rten"), "{error}");
    let opened = EngineOptions::default().open(&path, &Signature::default()).expect("loaded");
    assert!(opened.name().starts_with("rten"));
}

#[test]
fn without_onnx_runtime_our_own_networks_run_in_our_own_engine() {
    let network = Architecture::InceptionMini.usual(3).expect("built");
    let folder = written(&network);
    let model = folder.path().join("model.onnx");
    let opened = EngineOptions::default().open(&model, &Signature::default()).expect("loaded");
    assert_eq!(opened.name(), "native");
}

/// Greatest difference as a share of the greatest number, where weights were rounded to 16 bits: each by at
/// most 1/2048 of itself.
const TOLERANCE_OF_16_BITS: f32 = 4e-3;

/// The same network with weights in 16 bits.
fn halved(model: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let create = |name: &str| fs::File::create(folder.path().join(name)).expect("created");
    let halved = OnnxModel::read(model).expect("read").halved().expect("halved");
    assert!(halved.kept.is_empty() && halved.arrays > 0, "{:?}", halved.kept);
    let (graph, data) = (create("model.onnx"), create("model.onnx.data"));
    halved.model.write("model.onnx.data", graph, data).expect("written");
    folder
}

#[test]
fn weights_in_16_bits_give_the_answers_of_32_within_their_rounding_in_every_engine() {
    for architecture in Architecture::ALL {
        let side = architecture.least_side();
        let options = NetworkOptions { size: [side, side + 5], classes: 37, auxiliary: false };
        let full = written(&architecture.network(options).expect("built"));
        let small = halved(&full.path().join("model.onnx"));
        let size =
            |it: &TempDir| fs::metadata(it.path().join("model.onnx.data")).expect("there").len();
        let share = size(&small) as f64 / size(&full) as f64;
        assert!((0.49..0.53).contains(&share), "{architecture}: {share} of the size");

        let batch = photos_of(3, [side, side + 5]);
        let [full, small] = [full, small].map(|it| (it.path().join("model.onnx"), it));
        let expected = native(&full.0, 2).run(&batch).expect("ran");
        let close = |engine: &str, found: &Activations| {
            let logits = apart(&found.logits, &expected.logits);
            let embeddings = apart(&found.embeddings, &expected.embeddings);
            assert!(
                logits < TOLERANCE_OF_16_BITS && embeddings < TOLERANCE_OF_16_BITS,
                "{architecture} in {engine}: {logits}, {embeddings}"
            );
            assert!(logits > 0.0, "{architecture} in {engine}: nothing was rounded");
        };
        let own = native(&small.0, 2).run(&batch).expect("ran");
        close("native", &own);
        let found = rten(&small.0).run(&batch).expect("ran");
        close("rten", &found);
        // The engines compute the same network.
        agree(&format!("{architecture} in rten"), &own, &found);
        let Some(library) = onnxruntime() else { continue };
        let runtime = OnnxRuntime::load(&library).expect("loaded");
        let opened = runtime.open(&small.0, &Signature::default(), Device::Cpu, threads(1));
        let found = opened.expect("loaded").run(&batch).expect("ran");
        close("ONNX Runtime", &found);
        agree(&format!("{architecture} in ONNX Runtime"), &own, &found);
    }
}

#[test]
fn weights_in_16_bits_that_are_cut_off_or_not_all_there_are_an_error() {
    let full = written(&Architecture::InceptionMini.usual(3).expect("built"));
    let folder = halved(&full.path().join("model.onnx"));
    let [model, data] = ["model.onnx", "model.onnx.data"].map(|it| folder.path().join(it));
    let open = || Native::default().open(&model, &Signature::default());
    assert!(open().is_ok());
    let weights = fs::read(&data).expect("read");
    for length in [0, weights.len() / 2, weights.len() - 1] {
        fs::write(&data, &weights[..length]).expect("written");
        let error = open().err().expect("refused").to_string();
        assert!(error.contains("model.onnx.data") && error.contains("truncated"), "{error}");
    }
    fs::write(&data, &weights).expect("written");
    let whole = fs::read(&model).expect("read");
    for length in (0..whole.len()).step_by(97) {
        fs::write(&model, &whole[..length]).expect("written");
        assert!(open().is_err(), "{length} bytes");
    }
}

/// Every prefix of the graph, and graphs in which one byte is another, give an answer or an error.
#[test]
fn damaged_graphs_and_weights_are_errors_and_nothing_panics() {
    let folder = written(&windows([16, 16]));
    let model = folder.path().join("model.onnx");
    let whole = fs::read(&model).expect("read");
    let batch = photos_of(1, [16, 16]);
    let try_out = |bytes: &[u8]| {
        fs::write(&model, bytes).expect("written");
        let opened = Native { threads: threads(1) }.open(&model, &Signature::default());
        opened.and_then(|mut engine| engine.run(&batch)).map(drop)
    };
    for length in (0..whole.len()).step_by(7) {
        assert!(try_out(&whole[..length]).is_err(), "{length} bytes");
    }
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            // Names and notes may be others; what matters is that it ends.
            let _: Result<(), _> = try_out(&damaged);
        }
    }
    fs::write(&model, &whole).expect("written");
    let data = folder.path().join("model.onnx.data");
    let weights = fs::read(&data).expect("read");
    fs::write(&data, &weights[..weights.len() - 4]).expect("written");
    let error = try_out(&whole).expect_err("refused").to_string();
    assert!(error.contains("model.onnx.data") && error.contains("truncated"), "{error}");
}
