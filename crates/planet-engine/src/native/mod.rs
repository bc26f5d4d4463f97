//! The engine of our own: the operators of our networks in 32 bits, on the CPU.

mod floats;
mod graph;
mod kernels;
mod operation;
mod operator;
mod plan;
mod session;

use std::path::Path;

use planet::{EngineError, EngineErrorKind, ModelPackage};

use self::{
    floats::Access,
    graph::{Graph, Refusal},
    kernels::Workers,
    session::NativeSession,
};
use crate::{OnnxEngine, Signature, Threads};

/// Its name, for people and in commands.
const NAME: &str = "native";

/// The engine of our own: it runs the networks that PlaNet writes in 32 bits, and others of the same
/// operators. Answers do not depend on the number of threads, nor on how photos are divided into
/// batches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native {
    /// Threads to use.
    pub threads: Threads,
}

impl Native {
    /// Its name.
    pub fn name(&self) -> &'static str {
        NAME
    }

    /// Loads a model for photos.
    ///
    /// # Errors
    /// A file that is missing or no ONNX model, an operator that this engine lacks, or inputs and
    /// outputs that the signature does not fit.
    pub fn open(&self, model: &Path, signature: &Signature) -> Result<OnnxEngine, EngineError> {
        self.load(model, signature, Access::Copy)
    }

    /// Loads a package's network. Its weights are mapped, not read: their hashes were checked, and
    /// they are replaced by renaming, never changed in place. Links, as in a local snapshot of a
    /// Hugging Face repository, are read.
    ///
    /// # Errors
    /// As [`Native::open`].
    pub fn open_package(&self, package: &ModelPackage) -> Result<OnnxEngine, EngineError> {
        let access = if package.model().is_symlink() { Access::Copy } else { Access::Map };
        self.load(&package.model(), &Signature::of(package.description()), access)
    }

    fn load(
        &self,
        model: &Path,
        signature: &Signature,
        access: Access,
    ) -> Result<OnnxEngine, EngineError> {
        let workers = Workers::new(self.threads)?;
        let graph = workers.enter(|| Graph::read(model, access, &workers));
        let session = graph
            .and_then(|graph| NativeSession::new(graph, workers.clone()).map_err(Refusal::Graph));
        let session = session.map_err(|refusal| {
            EngineError::new(EngineErrorKind::Model, NAME, explain(model, &refusal))
                .with_source(refusal)
        })?;
        OnnxEngine::new(Box::new(session), signature)
    }
}

fn explain(path: &Path, refusal: &Refusal) -> String {
    let path = path.display();
    match refusal {
        // Names the file itself.
        Refusal::Read(error) => error.to_string(),
        Refusal::Node { .. } => format!("cannot load {path}: {refusal}; try --engine rten"),
        Refusal::Graph(_) => format!("cannot load {path}: {refusal}"),
    }
}
