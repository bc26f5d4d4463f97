use std::{collections::BTreeMap, fs::File, path::Path};

use super::*;
use crate::{Builder, Convolution, Linear, Network, OnnxInfo, OutputName, Pool, Shape, Weights};

/// Two branches behind a convolution: one with a ReLU, one with a max pool; a classifier.
fn network() -> Network {
    let build = || -> Result<Network, crate::NetworkError> {
        let mut net = Builder::new("two-branches", Shape::image(3, [8, 8]));
        let conv = |inputs, outputs| Convolution::new(inputs, outputs, [3, 3]).same().biased();
        let x = net.convolution("first", net.input(), conv(3, 8))?;
        let x = net.relu("first.relu", x)?;
        let a = net.convolution("branch", x, conv(8, 4))?;
        let a = net.relu("branch.relu", a)?;
        let b = net.pool("pool", x, Pool::max(3, 1).same())?;
        let x = net.concat("concat", &[a, b])?;
        let x = net.global_average_pool("mean", x)?;
        let x = net.flatten("flatten", x)?;
        let logits = net.linear("fc", x, Linear { inputs: 12, outputs: 5, deviation: 0.5 })?;
        net.output(OutputName::Embedding, x).output(OutputName::Logits, logits).build()
    };
    build().expect("a network")
}

fn written(folder: &Path, weights: &Weights) -> OnnxModel {
    let create = |name: &str| File::create(folder.join(name)).expect("created");
    let info = OnnxInfo { data_name: "weights".into(), ..OnnxInfo::default() };
    network().write_onnx(weights, &info, create("model"), create("weights")).expect("written");
    OnnxModel::read(&folder.join("model")).expect("read")
}

fn ranges(plan: &QuantizationPlan, low: f32) -> BTreeMap<String, Range> {
    plan.arrays().map(|name| (name.to_owned(), Range { low, high: 2.0 })).collect()
}

fn operators(model: &OnnxModel) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    model.nodes.iter().for_each(|node| *counts.entry(node.operator.as_str()).or_default() += 1);
    counts
}

fn quantized(weights: &Weights) -> Result<OnnxModel, QuantizeError> {
    let folder = tempfile::tempdir().expect("a folder");
    let model = written(folder.path(), weights);
    let plan = QuantizationPlan::new(&model, QuantizeOptions::default())?;
    model.quantized(&plan, &ranges(&plan, 0.0))
}

#[test]
fn a_graph_that_is_read_and_written_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = written(folder.path(), &Weights::initial(&network(), 0));
    let again = folder.path().join("again");
    let create = |path: &Path| File::create(path).expect("created");
    let data = folder.path().join("again.data");
    model.write("again.data", create(&again), create(&data)).expect("written");
    let again = OnnxModel::read(&again).expect("read");
    assert_eq!(operators(&again), operators(&model));
    for (name, tensor) in &model.tensors {
        assert_eq!(again.tensors[name].floats().ok(), tensor.floats().ok(), "{name}");
    }
    let names =
        |model: &OnnxModel| model.names().into_iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(names(&again), names(&model));
}

#[test]
fn convolutions_pool_and_concat_become_8_bits_and_relus_disappear() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = written(folder.path(), &Weights::initial(&network(), 0));
    let plan = QuantizationPlan::new(&model, QuantizeOptions::default()).expect("a plan");
    assert_eq!(plan.weighted(), 3);
    let kept: Vec<String> = plan.kept(&model).into_keys().collect();
    assert_eq!(kept, ["Flatten", "GlobalAveragePool"]);
    let found = model.quantized(&plan, &ranges(&plan, 0.0)).expect("quantised");
    let counts = operators(&found);
    assert_eq!(counts.get("Relu"), None, "the range from zero cuts by itself");
    assert_eq!(counts["QuantizeLinear"], plan.arrays().count());
    // Each array, and weights and bias of each layer.
    assert_eq!(counts["DequantizeLinear"], plan.arrays().count() + 6);
    assert!(
        found
            .tensors
            .values()
            .all(|it| it.shape.iter().product::<usize>() < 9 || it.element_type != 1)
    );
    // An array below zero keeps the ReLU in front of it.
    let found = model.quantized(&plan, &ranges(&plan, -1.0)).expect("quantised");
    assert_eq!(operators(&found)["Relu"], 2);
}

#[test]
fn an_average_pool_becomes_a_convolution_of_each_channel() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = written(folder.path(), &Weights::initial(&network(), 0));
    let pool = model.nodes.iter_mut().find(|node| node.is("MaxPool")).expect("a pool");
    let integer = |name: &str, value| {
        crate::onnx::message::Message::default().string(1, name).integer(3, value).into_bytes()
    };
    pool.operator = "AveragePool".into();
    let average = |model: &OnnxModel| {
        let plan = QuantizationPlan::new(model, QuantizeOptions::default()).expect("a plan");
        let found = model.quantized(&plan, &ranges(&plan, 0.0)).expect("quantised");
        let node = found.nodes.iter().find(|node| node.outputs == ["pool"]).expect("there").clone();
        (node, found)
    };
    // Without its padding a window at the edge is divided by less than one inside.
    assert!(average(&model).0.is("AveragePool"));
    let pool = model.nodes.iter_mut().find(|node| node.is("AveragePool")).expect("a pool");
    pool.attributes.push(integer("count_include_pad", 1));
    let (node, found) = average(&model);
    assert!(node.is("Conv") && node.integer("group") == Some(8) && !node.has("count_include_pad"));
    assert_eq!(node.integers("kernel_shape"), [3, 3]);
    assert_eq!(found.tensors["pool_weights_quantized"].shape, [8, 1, 3, 3]);
    let step = found.tensors["pool_weights_scale"].floats().expect("steps");
    assert!(step.iter().all(|step| (64.0 * step - 1.0 / 9.0).abs() < 1e-8), "{step:?}");
}

#[test]
fn values_that_are_copied_share_one_range() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = written(folder.path(), &Weights::initial(&network(), 0));
    let plan = QuantizationPlan::new(&model, QuantizeOptions::default()).expect("a plan");
    let mut measured = ranges(&plan, 0.0);
    measured.insert("branch.relu".to_owned(), Range { low: 0.0, high: 7.0 });
    let joined = plan.joined(&measured).expect("joined");
    for name in ["branch.relu", "pool", "concat", "first.relu"] {
        assert_eq!(joined[name].high, 7.0, "{name}");
    }
    assert_eq!(joined["pixels"].high, 2.0);
}

#[test]
fn what_is_to_keep_32_bits_keeps_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = written(folder.path(), &Weights::initial(&network(), 0));
    let keep = QuantizeOptions { keep_first: true, keep_last: true };
    let plan = QuantizationPlan::new(&model, keep).expect("a plan");
    assert_eq!((plan.weighted(), plan.kept(&model)["Gemm"], plan.kept(&model)["Conv"]), (1, 1, 1));
    assert!(plan.arrays().all(|name| name != "pixels"));
}

#[test]
fn a_network_is_not_quantised_twice() {
    let once = quantized(&Weights::initial(&network(), 0)).expect("quantised");
    let again = QuantizationPlan::new(&once, QuantizeOptions::default());
    assert!(matches!(again, Err(QuantizeError::Already(_))), "{again:?}");
}

#[test]
fn a_channel_of_zeros_is_quantised_and_weights_that_are_not_numbers_are_refused() {
    let mut weights = Weights::initial(&network(), 0);
    weights.get_mut("branch.weight").expect("there").values_mut()[..72].fill(0.0);
    assert!(quantized(&weights).is_ok());
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = written(folder.path(), &weights);
    let broken = crate::onnx::tensor::GraphTensor::of_floats(
        "fc.weight".into(),
        vec![5, 12],
        &[f32::NAN; 60],
    );
    model.tensors.insert("fc.weight".into(), broken);
    let plan = QuantizationPlan::new(&model, QuantizeOptions::default()).expect("a plan");
    let found = model.quantized(&plan, &ranges(&plan, 0.0));
    assert!(matches!(found, Err(QuantizeError::Weights(name)) if name == "fc.weight"));
}

#[test]
fn an_operator_that_is_not_known_stays_in_32_bits_and_reads_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = written(folder.path(), &Weights::initial(&network(), 0));
    let pool = model.nodes.iter_mut().find(|node| node.is("MaxPool")).expect("a pool");
    (pool.operator, pool.domain) = ("Frobnicate".into(), "somebody.else".into());
    let plan = QuantizationPlan::new(&model, QuantizeOptions::default()).expect("a plan");
    assert_eq!(plan.kept(&model)["Frobnicate"], 1);
    let found = model.quantized(&plan, &ranges(&plan, 0.0)).expect("quantised");
    let strange = found.nodes.iter().find(|node| node.operator == "Frobnicate").expect("there");
    assert_eq!(strange.inputs, ["first.relu_dequantized"]);
}

#[test]
fn truncated_files_are_errors_and_nothing_panics() {
    let folder = tempfile::tempdir().expect("a folder");
    written(folder.path(), &Weights::initial(&network(), 0));
    let bytes = std::fs::read(folder.path().join("model")).expect("read");
    let cut = folder.path().join("cut");
    for end in (0..bytes.len()).step_by(7) {
        std::fs::write(&cut, &bytes[..end]).expect("written");
        // A file that ends between two fields of the model may lack only its metadata.
        let _ = OnnxModel::read(&cut)
            .map(|model| QuantizationPlan::new(&model, QuantizeOptions::default()));
    }
    std::fs::write(&cut, b"no graph").expect("written");
    assert!(OnnxModel::read(&cut).expect_err("no graph").to_string().contains("not an ONNX model"));
    // Weights that are cut off are named.
    std::fs::write(folder.path().join("weights"), b"short").expect("written");
    let model = OnnxModel::read(&folder.path().join("model")).expect("the graph is whole");
    let plan = QuantizationPlan::new(&model, QuantizeOptions::default()).expect("a plan");
    let error = model.quantized(&plan, &ranges(&plan, 0.0)).expect_err("no weights");
    assert!(error.to_string().contains("truncated at the array"), "{error}");
}
