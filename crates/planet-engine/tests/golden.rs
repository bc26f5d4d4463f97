//! Networks written as ONNX and run by every engine, against PyTorch's own layers
//! (golden files of planet-net, made by `make_forward.py`).

#[path = "support/library.rs"]
mod library;
#[path = "support/models.rs"]
mod models;

use library::{distance, onnxruntime};
use models::{formula, golden, photos, write};
use planet::{Activations, Engine, album::SequenceModel};
use planet_engine::{Device, Native, OnnxRuntime, Rten, Signature, Threads};
use planet_net::{
    AlbumNetwork, Architecture, Builder, Linear, Lstm, Network, NetworkOptions, OutputName, Shape,
    Weights,
};

/// How far f32 may stray on logits that vary by about 1 between photos.
const TOLERANCE: f32 = 1e-4;
/// The same as a share of the greatest logit, where that is far from 0.
const SHARE: f32 = 2e-5;

fn built(architecture: Architecture) -> (Network, Weights, Weights) {
    let size = [architecture.usual_side(); 2];
    let options = NetworkOptions { size, classes: 10, auxiliary: true };
    let network = architecture.network(options).expect("built");
    let golden = golden(architecture.name());
    let weights = formula::weights(&network, &golden);
    (network, weights, golden)
}

fn check(what: &str, found: &Activations, golden: &Weights) {
    let of = |name: &str| golden.get(name).expect("in the golden file").values();
    let logits = distance(&found.logits, of("logits"));
    let embeddings = distance(&found.embeddings, of("embedding"));
    let greatest = of("logits").iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let allowed = TOLERANCE.max(SHARE * greatest);
    assert!(logits < allowed, "{what}: logits differ by {logits}");
    assert!(embeddings < TOLERANCE, "{what}: embeddings differ by {embeddings}");
}

fn agree(architecture: Architecture) {
    let (network, weights, golden) = built(architecture);
    let folder = write(&network, &weights);
    let model = folder.path().join("model.onnx");
    let batch = photos(3, architecture.usual_side());

    let mut rten = Rten::default().open(&model, &Signature::default()).expect("loaded");
    check("rten", &rten.run(&batch).expect("ran"), &golden);
    let mut native = Native::default().open(&model, &Signature::default()).expect("loaded");
    check("native", &native.run(&batch).expect("ran"), &golden);

    let Some(library) = onnxruntime() else { return };
    let runtime = OnnxRuntime::load(&library).expect("loaded");
    for device in [Device::Cpu, Device::OpenVino(planet_engine::Precision::F32)] {
        if runtime.devices().contains(&device) {
            let opened = runtime.open(&model, &Signature::default(), device, Threads::default());
            let found = opened.expect("loaded").run(&batch).expect("ran");
            check(&device.to_string(), &found, &golden);
        }
    }
}

#[test]
fn inception_v3_agrees_with_torchvision() {
    agree(Architecture::InceptionV3);
}

#[test]
fn inception_bn_agrees_with_pytorch() {
    agree(Architecture::InceptionBn);
}

#[test]
fn inception_mini_agrees_with_pytorch() {
    agree(Architecture::InceptionMini);
}

#[test]
fn mobilenet_v3_large_agrees_with_torchvision() {
    agree(Architecture::MobilenetV3Large);
}

#[test]
fn efficientnet_lite0_agrees_with_the_package_that_its_weights_come_from() {
    agree(Architecture::EfficientnetLite0);
}

#[test]
fn the_larger_efficientnets_agree_with_the_package_that_their_names_come_from() {
    agree(Architecture::EfficientnetLite1);
    agree(Architecture::EfficientnetLite2);
}

/// `scripts/fetch-backbone` makes the weights:
/// `cargo nextest run -p planet-engine --run-ignored only -E 'test(fetched_weights)'`.
#[test]
#[ignore = "needs target/backbone/efficientnet-lite0.safetensors, which scripts/fetch-backbone makes"]
fn the_fetched_weights_give_the_embeddings_and_logits_of_their_own_package() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/backbone/efficientnet-lite0.safetensors"
    );
    let bytes = std::fs::read(path).expect("run scripts/fetch-backbone first");
    let (weights, _) = Weights::from_safetensors(&bytes).expect("safetensors");
    let network = Architecture::EfficientnetLite0.usual(1000).expect("built");
    let folder = write(&network, &weights);
    let model = folder.path().join("model.onnx");
    let mut rten = Rten::default().open(&model, &Signature::default()).expect("loaded");
    let found = rten.run(&photos(3, 224)).expect("ran");
    check("rten", &found, &golden("efficientnet-lite0-imagenet"));
}

/// Values inside the network, block by block: rten gives them by name.
#[test]
fn every_block_agrees_with_pytorch() {
    for architecture in [Architecture::InceptionMini, Architecture::InceptionBn] {
        blocks(architecture, ".concat");
    }
    blocks(Architecture::InceptionV3, ".concat");
}

fn blocks(architecture: Architecture, suffix: &str) {
    let (network, weights, golden) = built(architecture);
    let folder = write(&network, &weights);
    let mut options = rten::ModelOptions::with_all_ops();
    options.enable_optimization(false);
    let model = options.load_file(folder.path().join("model.onnx")).expect("loaded");
    let batch = photos(3, architecture.usual_side());
    let names: Vec<&str> =
        golden.iter().filter_map(|(name, _)| name.strip_prefix("block ")).collect();
    assert!(names.len() >= 7, "{names:?}");
    let id = |name: &str| model.node_id(name).expect("a value of this name");
    let wanted: Vec<_> = names.iter().map(|name| id(&format!("{name}{suffix}"))).collect();
    let pixels = rten::ValueView::from_shape(batch.shape(), batch.values()).expect("pixels");
    let found = model.run(vec![(id("pixels"), pixels.into())], &wanted, None).expect("ran");
    for (name, value) in names.iter().zip(found) {
        let values = value.into_tensor::<f32>().expect("f32").into_data();
        let step = (values.len() / 64).max(1);
        let sample: Vec<f32> = values.into_iter().step_by(step).take(64).collect();
        let expected = golden.get(&format!("block {name}")).expect("a block").values();
        let off = distance(&sample, expected);
        assert!(off < TOLERANCE, "{architecture}, {name}: values differ by {off}");
    }
}

#[test]
fn lstms_of_either_kind_agree_with_pytorch() {
    let golden = golden("lstm");
    for bidirectional in [false, true] {
        let mut net = Builder::new("album", Shape::Sequence { features: 6 });
        let lstm = Lstm { inputs: 6, hidden: 5, bidirectional };
        let input = net.input();
        let x = net.lstm("lstm", input, lstm).expect("fits");
        let head = Linear { inputs: 5 * lstm.directions(), outputs: 4, deviation: 0.01 };
        let logits = net.linear("fc", x, head).expect("fits");
        let network = net.output(OutputName::Logits, logits).build().expect("built");
        let weights = formula::weights(&network, &Weights::default());
        let folder = write(&network, &weights);
        let model = folder.path().join("model.onnx");
        let album = formula::uniform("album", 42);
        let expected = if bidirectional { "both" } else { "forward" };
        let expected = golden.get(expected).expect("in the golden file").values();

        let mut rten = Rten::default().open_sequence(&model).expect("loaded");
        assert_eq!(rten.features(), Some(6));
        let off = distance(&rten.run(&album, 6).expect("ran"), expected);
        assert!(off < 1e-5, "rten: {off}");
        let Some(library) = onnxruntime() else { continue };
        let runtime = OnnxRuntime::load(&library).expect("loaded");
        let mut ort = runtime.open_sequence(&model, Threads::default()).expect("loaded");
        let off = distance(&ort.run(&album, 6).expect("ran"), expected);
        assert!(off < 1e-5, "ONNX Runtime: {off}");
    }
}

/// One album a run, whatever its length: no engine is told the lengths of sequences. The golden
/// file is planet-train's, made by its `make_lstm.py`.
#[test]
fn albums_of_different_lengths_get_pytorchs_answers_from_both_engines() {
    let bytes = include_bytes!("../../planet-train/tests/golden/lstm.safetensors");
    let (golden, _) = Weights::from_safetensors(bytes).expect("a golden file");
    let get = |name: &str| golden.get(name).expect("in the golden file");
    let sizes = AlbumNetwork { features: 5, hidden: 3, classes: 7, bidirectional: true };
    let network = sizes.network().expect("built");
    let weights = network.parameters().map(|parameter| {
        let torch = parameter.name.replace("lstm.", "").replace("fc.", "linear.");
        (parameter.name, get(&torch).clone())
    });
    let folder = write(&network, &weights.collect());
    let model = folder.path().join("model.onnx");
    let mut engines = vec![Rten::default().open_sequence(&model).expect("loaded")];
    if let Some(library) = onnxruntime() {
        let runtime = OnnxRuntime::load(&library).expect("loaded");
        engines.push(runtime.open_sequence(&model, Threads::default()).expect("loaded"));
    }
    // Three albums side by side, padded: `[6, 3, …]`.
    let column = |name: &str, album: usize, length: usize, width: usize| -> Vec<f32> {
        let rows = get(name).values().chunks(width).skip(album).step_by(3).take(length);
        rows.flatten().copied().collect()
    };
    for engine in &mut engines {
        for (album, length) in [6, 2, 4].into_iter().enumerate() {
            let found = engine.run(&column("inputs", album, length, 5), 5).expect("ran");
            let off = distance(&found, &column("logits", album, length, 7));
            assert!(off < 1e-5, "{}, {length} photos: {off}", engine.name());
        }
    }
}

#[test]
fn bf16_keeps_the_best_class_and_stays_within_three_tenths() {
    let Some(library) = onnxruntime() else { return };
    let runtime = OnnxRuntime::load(&library).expect("loaded");
    let device = Device::OpenVino(planet_engine::Precision::Bf16);
    if !runtime.devices().contains(&device) {
        return;
    }
    let (network, weights, golden) = built(Architecture::InceptionV3);
    let folder = write(&network, &weights);
    let model = folder.path().join("model.onnx");
    let opened = runtime.open(&model, &Signature::default(), device, Threads::default());
    let found = opened.expect("loaded").run(&photos(3, 299)).expect("ran");
    let expected = golden.get("logits").expect("in the golden file").values();
    let off = distance(&found.logits, expected);
    assert!(off < 0.3, "logits differ by {off}");
    for (photo, expected) in expected.chunks(10).enumerate() {
        let best = |row: &[f32]| (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b]));
        assert_eq!(best(found.logits_of(photo)), best(expected));
    }
}

#[test]
fn weights_that_are_missing_or_cut_short_are_refused_when_the_model_is_loaded() {
    let network = Architecture::InceptionMini.usual(3).expect("built");
    let folder = write(&network, &Weights::initial(&network, 0));
    let (model, data) = (folder.path().join("model.onnx"), folder.path().join("model.onnx.data"));
    let runtime = onnxruntime().map(|library| OnnxRuntime::load(&library).expect("loaded"));
    let refused = || {
        let signature = Signature::default();
        let [rten, native] =
            [Rten::default().open(&model, &signature), Native::default().open(&model, &signature)];
        for opened in [rten, native] {
            let error = opened.err().expect("refused").to_string();
            assert!(error.contains("model.onnx"), "{error}");
        }
        if let Some(runtime) = &runtime {
            let signature = Signature::default();
            let opened = runtime.open(&model, &signature, Device::Cpu, Threads::default());
            assert!(opened.is_err());
        }
    };
    let whole = std::fs::read(&data).expect("read");
    std::fs::write(&data, &whole[..whole.len() / 2]).expect("written");
    refused();
    std::fs::remove_file(&data).expect("removed");
    refused();
}
