//! Models of other people's making (`foreign/make_foreign.py`), and files that are none.

#[path = "support/library.rs"]
mod library;

use std::path::{Path, PathBuf};

use library::{distance, onnxruntime};
use planet::{Engine, EngineError};
use planet_data::{Layout, PixelBatch};
use planet_engine::{Device, OnnxEngine, OnnxRuntime, Rten, ScoreKind, Signature, Threads};

type Open = dyn Fn(&Path, &Signature) -> Result<OnnxEngine, EngineError>;

fn engines() -> Vec<Box<Open>> {
    let rten: Box<Open> = Box::new(|model, signature| Rten::default().open(model, signature));
    let mut engines = vec![rten];
    if let Some(library) = onnxruntime() {
        let runtime = OnnxRuntime::load(&library).expect("loaded");
        engines.push(Box::new(move |model, signature| {
            runtime.open(model, signature, Device::Cpu, Threads::default())
        }));
    }
    engines
}

fn foreign(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign").join(name)
}

/// Photos of 4 × 5 whose channels are constant.
fn batch(photos: &[[f32; 3]]) -> PixelBatch {
    let mut batch = PixelBatch::with_capacity(photos.len(), 4, 5);
    for photo in photos {
        batch.push(&photo.map(|value| [value; 20]).concat());
    }
    batch
}

fn refusal(open: &Open, model: &Path, signature: &Signature) -> String {
    open(model, signature).err().expect("refused").to_string()
}

#[test]
fn probabilities_channels_last_and_a_fixed_batch_are_all_understood() {
    let signature =
        Signature { kind: ScoreKind::Probabilities, layout: Layout::Nhwc, ..Signature::default() };
    for open in engines() {
        let mut engine = open(&foreign("channels_last.onnx"), &signature).expect("loaded");
        assert_eq!(engine.size(), Some([4, 5]));
        // Three photos through a model that takes two at a time.
        let batch = batch(&[[0.0, 1.0, 2.0], [5.0, 5.0, 5.0], [3.0, 0.0, 0.0]]);
        let found = engine.run(&batch).expect("ran");
        assert_eq!((found.photos(), found.classes, found.features), (3, 3, 0));
        let third = (1.0_f32 / 3.0).ln();
        assert!(distance(found.logits_of(1), &[third; 3]) < 1e-6, "{found:?}");
        let sum: f32 = [0.0, 1.0, 2.0].iter().map(|x: &f32| x.exp()).sum();
        let first = [-sum.ln(), 1.0 - sum.ln(), 2.0 - sum.ln()];
        assert!(distance(found.logits_of(0), &first) < 1e-6, "{found:?}");
        assert!(found.logits_of(2)[0] > found.logits_of(2)[1]);
    }
}

#[test]
fn photos_of_another_size_and_empty_batches_are_refused() {
    let signature = Signature { layout: Layout::Nhwc, ..Signature::default() };
    for open in engines() {
        let mut engine = open(&foreign("channels_last.onnx"), &signature).expect("loaded");
        let mut wrong = PixelBatch::with_capacity(1, 5, 4);
        wrong.push(&[0.0; 60]);
        let error = engine.run(&wrong).expect_err("refused").to_string();
        assert!(error.contains("4 × 5, not 5 × 4"), "{error}");
        assert!(engine.run(&PixelBatch::with_capacity(0, 4, 5)).is_err());
    }
}

#[test]
fn an_operator_that_an_engine_lacks_is_named_with_the_engine_and_the_other() {
    for (open, [own, other]) in engines()
        .iter()
        .zip([["rten 0.", "--engine onnxruntime"], ["ONNX Runtime 1.", "--engine rten"]])
    {
        let error = refusal(&**open, &foreign("unknown_operator.onnx"), &Signature::default());
        assert!(error.contains("Frobnicate"), "{error}");
        assert!(error.starts_with(own) && error.contains(other), "{error}");
    }
}

#[test]
fn outputs_that_are_not_named_or_not_there_are_asked_for() {
    for open in engines() {
        let model = foreign("two_outputs.onnx");
        let error = refusal(&*open, &model, &Signature::default());
        assert!(error.contains("first, second"), "{error}");
        let signature = Signature { scores: Some("third".into()), ..Signature::default() };
        assert!(refusal(&*open, &model, &signature).contains("no output 'third'"));
        let (scores, embedding) = (Some("first".into()), Some("second".into()));
        let signature = Signature { scores, embedding, ..Signature::default() };
        let mut engine = open(&model, &signature).expect("loaded");
        let found = engine.run(&batch(&[[1.0, -2.0, 3.0]])).expect("ran");
        assert_eq!((found.logits[20], found.embeddings[20]), (0.0, 2.0));
        let error = refusal(&*open, &foreign("two_inputs.onnx"), &Signature::default());
        assert!(error.contains("2 inputs (a, b)"), "{error}");
    }
}

#[test]
fn files_that_are_missing_no_models_or_cut_short_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = std::fs::read(foreign("channels_last.onnx")).expect("read");
    let junk = folder.path().join("junk.onnx");
    std::fs::write(&junk, b"this is no model").expect("written");
    let cut = folder.path().join("cut.onnx");
    std::fs::write(&cut, &whole[..whole.len() / 2]).expect("written");
    for open in engines() {
        for path in [&junk, &cut, &folder.path().join("missing.onnx"), folder.path()] {
            let error = refusal(&*open, path, &Signature::default());
            let name = path.file_name().expect("a name").to_string_lossy();
            assert!(error.contains(&*name), "{error}");
        }
    }
}

#[test]
fn a_device_that_the_library_lacks_is_refused() {
    let Some(library) = onnxruntime() else { return };
    let runtime = OnnxRuntime::load(&library).expect("loaded");
    let lacking = Device::KINDS.into_iter().find(|device| !runtime.devices().contains(device));
    let device = lacking.expect("no library has them all");
    let model = foreign("channels_last.onnx");
    let opened = runtime.open(&model, &Signature::default(), device, Threads::default());
    let error = opened.err().expect("refused").to_string();
    assert!(error.contains(&device.to_string()), "{error}");
}
