use std::{fs, path::Path, sync::Arc};

use planet::{EngineError, EngineErrorKind, ModelPackage, package::WEIGHTS_FILE};
use rten::{
    Dimension, LoadError, LoadErrorKind, Model, ModelOptions, RunOptions, ThreadPool, Value,
    ValueView,
};

use crate::{
    OnnxEngine, SequenceEngine, Signature, Threads,
    session::{Input, Session},
};

/// Our name for it, with the version that Cargo.lock holds to.
const NAME: &str = "rten 0.27";

/// The engine that is built in: no library to find, CPU only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rten {
    /// Threads to use.
    pub threads: Threads,
}

impl Rten {
    /// Its name and version.
    pub fn name(&self) -> &'static str {
        NAME
    }

    /// Loads a model for photos.
    ///
    /// # Errors
    /// A file that is missing or no ONNX model, an operator that rten lacks, or inputs and
    /// outputs that the signature does not fit.
    pub fn open(&self, model: &Path, signature: &Signature) -> Result<OnnxEngine, EngineError> {
        OnnxEngine::new(Box::new(self.session(model, read)?), signature)
    }

    /// Loads a package's network. Its files are mapped, not read: their hashes were checked, and
    /// they are replaced by renaming, never changed in place. Links, as in a local snapshot of a
    /// Hugging Face repository, are read.
    ///
    /// # Errors
    /// As [`Rten::open`].
    pub fn open_package(&self, package: &ModelPackage) -> Result<OnnxEngine, EngineError> {
        let load = if package.model().is_symlink() { read_linked } else { map };
        let session = self.session(&package.model(), load)?;
        OnnxEngine::new(Box::new(session), &Signature::of(package.description()))
    }

    /// Loads a model for sequences.
    ///
    /// # Errors
    /// As [`Rten::open`].
    pub fn open_sequence(&self, model: &Path) -> Result<SequenceEngine, EngineError> {
        SequenceEngine::new(Box::new(self.session(model, read)?))
    }

    fn session(
        &self,
        path: &Path,
        load: fn(&Path) -> Result<Model, LoadError>,
    ) -> Result<RtenSession, EngineError> {
        let model = load(path).map_err(|it| {
            EngineError::new(EngineErrorKind::Model, NAME, explain(path, &it)).with_source(it)
        })?;
        let name = |id| model.node_info(id).and_then(|node| node.name().map(str::to_owned));
        let inputs = model.input_ids().iter().filter_map(|&id| {
            let fixed = |axis: Dimension| match axis {
                Dimension::Fixed(length) => Some(length),
                Dimension::Symbolic(_) => None,
            };
            let shape = model.node_info(id)?.shape();
            let shape = shape.map(|axes| axes.into_iter().map(fixed).collect());
            Some(Input { name: name(id)?, shape })
        });
        let inputs = inputs.collect();
        let outputs = model.output_ids().iter().filter_map(|&id| name(id)).collect();
        let pool = self.threads.0.map(|n| Arc::new(ThreadPool::with_num_threads(n.get())));
        Ok(RtenSession { model, inputs, outputs, pool })
    }
}

struct RtenSession {
    model: Model,
    inputs: Vec<Input>,
    outputs: Vec<String>,
    pool: Option<Arc<ThreadPool>>,
}

fn options() -> ModelOptions {
    let mut options = ModelOptions::with_all_ops();
    options.prepack_weights(true);
    options
}

/// Any file: another program may write into it at any time.
fn read(path: &Path) -> Result<Model, LoadError> {
    options().load_file(path)
}

/// A package's file.
#[allow(
    unsafe_code,
    reason = "mapping is what makes a 300 MB model start at once; a package's files are \
              replaced by renaming, never changed in place, so the mapped bytes stay"
)]
fn map(path: &Path) -> Result<Model, LoadError> {
    // SAFETY: see the reason above.
    unsafe { options().load_mmap(path) }
}

/// A package's file that is a link. rten looks for the weights beside the file that the link leads
/// to, where they have another name.
fn read_linked(path: &Path) -> Result<Model, LoadError> {
    let weights = fs::read(path.with_file_name(WEIGHTS_FILE));
    let (Ok(graph), Ok(weights)) = (fs::read(path), weights) else { return read(path) };
    options().external_data(WEIGHTS_FILE, weights).load(graph)
}

fn explain(path: &Path, error: &LoadError) -> String {
    let path = path.display();
    match error.kind() {
        LoadErrorKind::OperatorInvalid => format!(
            "{path}: {error}: rten does not support an operator of the model; try ONNX Runtime \
             (pip install onnxruntime, then --engine onnxruntime)"
        ),
        LoadErrorKind::UnknownFileType | LoadErrorKind::ParseError => {
            format!("{path} is not an ONNX model: {error}")
        }
        _ => format!("cannot load {path}: {error}"),
    }
}

impl Session for RtenSession {
    fn engine(&self) -> &str {
        NAME
    }

    /// It runs convolutions in 32 bits (BENCHMARKS.md, "8 bits").
    fn gains_from_8_bits(&self) -> bool {
        false
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
        let input = self.model.node_id(input).map_err(|it| it.to_string())?;
        let value = ValueView::from_shape(shape, values).map_err(|it| it.to_string())?;
        let ids: Result<Vec<_>, _> = outputs.iter().map(|name| self.model.node_id(name)).collect();
        let ids = ids.map_err(|it| it.to_string())?;
        let options = RunOptions::default().with_thread_pool(self.pool.clone());
        let found = self.model.run(vec![(input, value.into())], &ids, Some(options));
        let found = found.map_err(|it| it.to_string())?;
        let floats = |(value, name): (Value, &&str)| {
            let tensor = value.into_tensor::<f32>();
            tensor.map(|it| it.into_data()).ok_or(format!("output '{name}' is not of f32"))
        };
        found.into_iter().zip(outputs).map(floats).collect()
    }
}
