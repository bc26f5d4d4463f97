use std::path::Path;

use ort::{
    logging::LogLevel,
    session::{Session as Inner, builder::GraphOptimizationLevel},
    value::{TensorRef, ValueType},
};
use planet::{EngineError, EngineErrorKind};

use super::{Device, OnnxRuntime};
use crate::{
    Threads,
    session::{Input, Session},
};

/// A model in ONNX Runtime.
pub(super) struct OrtSession {
    inner: Inner,
    engine: String,
    inputs: Vec<Input>,
    outputs: Vec<String>,
}

impl OrtSession {
    pub(super) fn open(
        runtime: &OnnxRuntime,
        model: &Path,
        device: Device,
        threads: Threads,
    ) -> Result<Self, EngineError> {
        let engine = format!("ONNX Runtime {}, {device}", runtime.version());
        if !device.is_built_in() {
            let path = runtime.path().display();
            let what = format!("{path} was built without {device}");
            return Err(EngineError::new(EngineErrorKind::Library, engine, what));
        }
        let built = build(runtime, model, device, threads);
        let inner = built
            .map_err(|it| EngineError::new(EngineErrorKind::Model, &engine, explain(model, &it)))?;
        let inputs = inner.inputs().iter().map(|input| Input {
            name: input.name().to_owned(),
            shape: match input.dtype() {
                ValueType::Tensor { shape, .. } => {
                    Some(shape.iter().map(|&axis| usize::try_from(axis).ok()).collect())
                }
                _ => None,
            },
        });
        let inputs = inputs.collect();
        let outputs = inner.outputs().iter().map(|output| output.name().to_owned()).collect();
        Ok(Self { inner, engine, inputs, outputs })
    }
}

/// How ONNX Runtime says that it lacks an operator, or lacks it for this type or version.
const LACKING: [&str; 3] =
    ["is not a registered function/op", "Could not find an implementation", "No Op registered for"];

fn explain(model: &Path, error: &ort::Error) -> String {
    let mut what = format!("cannot load {}: {error}", model.display());
    if LACKING.iter().any(|words| what.contains(words)) {
        what.push_str(": this build does not support an operator of the model; try --engine rten");
    }
    what
}

fn build(
    runtime: &OnnxRuntime,
    model: &Path,
    device: Device,
    threads: Threads,
) -> ort::Result<Inner> {
    let mut builder = Inner::builder(&runtime.environment)?
        .with_log_level(LogLevel::Error)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        // Within a call, threads wait for work without sleeping. After it they would take the cores
        // from those that decode the next photos.
        .with_config_entry("session.force_spinning_stop", "1")?;
    if device == Device::Cpu && !may_be_quantised(model) {
        builder = builder.with_prepacking(false)?;
    }
    if let Some(threads) = threads.0 {
        builder = builder.with_intra_threads(threads.get())?;
    }
    if let Some(provider) = device.provider(threads) {
        builder = builder.with_execution_providers([provider])?;
    }
    builder.commit_from_file(model)
}

/// Names of operators, parts of which stand in every graph of 8 bits or 4.
const QUANTISED: [&[u8]; 2] = [b"QuantizeLinear", b"NBits"];

/// Whether weights should be packed: copied once more, in the order that products like best.
/// Products of 8 bits are a third slower without; products of f32 are not (`bench/engines.py`),
/// and 300 MB load in half the time and two thirds of the memory. A large graph has its weights
/// inside and is not searched.
fn may_be_quantised(model: &Path) -> bool {
    const LARGE: u64 = 16 << 20;
    let small = model.metadata().is_ok_and(|file| file.len() < LARGE);
    !small
        || std::fs::read(model).is_ok_and(|graph| {
            let holds = |name: &&[u8]| graph.windows(name.len()).any(|it| it == *name);
            QUANTISED.iter().any(holds)
        })
}

impl Session for OrtSession {
    fn engine(&self) -> &str {
        &self.engine
    }

    fn gains_from_8_bits(&self) -> bool {
        true
    }

    fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    fn outputs(&self) -> &[String] {
        &self.outputs
    }

    fn run(
        &mut self,
        input: &str,
        shape: &[usize],
        values: &[f32],
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, String> {
        let text = |it: ort::Error| it.to_string();
        let tensor = TensorRef::from_array_view((shape.to_vec(), values)).map_err(text)?;
        let found = self.inner.run(ort::inputs![input => tensor]).map_err(text)?;
        outputs
            .iter()
            .map(|&name| {
                let value = found
                    .get(name)
                    .ok_or(format!("the engine did not return the output '{name}'"))?;
                let (_, values) = value.try_extract_tensor::<f32>().map_err(text)?;
                Ok(values.to_vec())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_of_8_or_4_bits_and_large_files_may_be_quantised_others_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("model.onnx");
        let told = |graph: &[u8]| {
            std::fs::write(&path, graph).expect("written");
            may_be_quantised(&path)
        };
        assert!(!told(b"\x08\x08 Conv Relu Gemm"));
        assert!(told(b"\x08\x08 Conv DynamicQuantizeLinear"));
        assert!(told(b"\x08\x08 MatMulNBits Conv"));
        assert!(told(&vec![0; 17 << 20]));
    }
}
