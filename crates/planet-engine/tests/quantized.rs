//! A network in 8 bits, as planet-net writes it, in both engines.

#[path = "support/library.rs"]
mod library;
#[path = "support/models.rs"]
mod models;

use std::{collections::BTreeMap, fs::File, path::Path};

use library::{distance, onnxruntime};
use models::{formula, golden, photos, write};
use planet::{Activations, Engine, EngineError, GraphEngine};
use planet_data::PixelBatch;
use planet_engine::{Device, OnnxEngine, OnnxRuntime, Rten, Signature, Threads};
use planet_net::{
    Architecture, Histogram, NetworkOptions, OnnxModel, QuantizationPlan, QuantizeOptions,
    RangeMethod,
};

const SIDE: usize = 96;
const CLASSES: usize = 10;

fn rten(model: &Path) -> Result<OnnxEngine, EngineError> {
    Rten::default().open(model, &Signature::default())
}

/// The network in 32 bits in one folder and in 8 bits in another, calibrated on these photos.
fn both(photos: &PixelBatch) -> [tempfile::TempDir; 2] {
    let architecture = Architecture::InceptionMini;
    let options = NetworkOptions { size: [SIDE; 2], classes: CLASSES, auxiliary: true };
    let network = architecture.network(options).expect("built");
    let full = write(&network, &formula::weights(&network, &golden(architecture.name())));
    let model = OnnxModel::read(&full.path().join("model.onnx")).expect("read");
    let plan = QuantizationPlan::new(&model, QuantizeOptions::default()).expect("a plan");
    let store = |model: &OnnxModel, folder: &Path| {
        let create = |name: &str| File::create(folder.join(name)).expect("created");
        let data = create("model.onnx.data");
        model.write("model.onnx.data", create("model.onnx"), data).expect("written");
    };
    let small = tempfile::tempdir().expect("a folder");
    let names: Vec<&str> = plan.arrays().filter(|name| *name != "pixels").collect();
    store(&model.with_outputs(names.iter().copied()), small.path());
    let mut engine = rten(&small.path().join("model.onnx")).expect("loaded");
    let values = engine.named(photos, &names).expect("ran");
    let values = values.iter().map(Vec::as_slice).chain([photos.values()]);
    let mut ranges = BTreeMap::new();
    for (name, values) in names.iter().chain(&["pixels"]).zip(values) {
        let mut histogram = Histogram::default();
        assert!(histogram.add(values), "{name}");
        ranges.insert((*name).to_owned(), histogram.range(RangeMethod::Percentile(99.99)));
    }
    store(&model.quantized(&plan, &ranges).expect("quantised"), small.path());
    [full, small]
}

/// Share of the clear answers whose best class is the same, and how many are clear.
fn agreement(full: &Activations, small: &Activations) -> (f64, usize) {
    let (mut clear, mut same) = (0, 0);
    for photo in 0..full.photos() {
        let ranked = |logits: &[f32]| {
            let mut classes: Vec<usize> = (0..logits.len()).collect();
            classes.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
            classes
        };
        let logits = full.logits_of(photo);
        let best = ranked(logits);
        if logits[best[0]] - logits[best[1]] >= 1.5f32.ln() {
            clear += 1;
            same += usize::from(best[0] == ranked(small.logits_of(photo))[0]);
        }
    }
    (same as f64 / f64::max(1.0, clear as f64), clear)
}

#[test]
fn a_network_in_8_bits_agrees_with_itself_in_32_bits_in_both_engines() {
    let batch = photos(64, SIDE);
    let [full, small] = both(&batch);
    let [full, small] = [full, small].map(|it| (it.path().join("model.onnx"), it));
    let reference = rten(&full.0).expect("loaded").run(&batch).expect("ran");
    let check = |name: &str, found: &Activations| {
        let (share, clear) = agreement(&reference, found);
        assert!(clear >= 16, "{name}: only {clear} photos are clear");
        assert!(share >= 0.97, "{name}: {share} of {clear}");
        let apart = distance(&found.logits, &reference.logits);
        assert!(apart > 0.0, "{name}: nothing was rounded");
    };
    let own = rten(&small.0).expect("rten runs it").run(&batch).expect("ran");
    check("rten", &own);
    let Some(library) = onnxruntime() else { return };
    let runtime = OnnxRuntime::load(&library).expect("loaded");
    let mut engine = runtime
        .open(&small.0, &Signature::default(), Device::Cpu, Threads::default())
        .expect("loaded");
    let found = engine.run(&batch).expect("ran");
    check("ONNX Runtime", &found);
    // Both round in the same places: what remains is a step here and there.
    let largest = own.logits.iter().fold(0.0f32, |most, it| most.max(it.abs()));
    let apart = distance(&own.logits, &found.logits) / largest;
    assert!(apart < 0.05, "the engines differ by {apart}");
}
