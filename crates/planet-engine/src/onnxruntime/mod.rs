mod device;
mod session;

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use ort::environment::Environment;
use planet::{EngineError, EngineErrorKind};

pub use self::device::{Device, DeviceError, Precision};
use self::session::OrtSession;
use crate::{OnnxEngine, SequenceEngine, Signature, Threads};

/// A process holds one ONNX Runtime for good: the C library cannot be unloaded.
static LOADED: Mutex<Option<OnnxRuntime>> = Mutex::new(None);

/// The ONNX Runtime library, loaded from a file.
#[derive(Clone)]
pub struct OnnxRuntime {
    path: PathBuf,
    version: String,
    environment: Environment,
}

impl OnnxRuntime {
    /// Loads the library of this path: `libonnxruntime.so`, `onnxruntime.dll`,
    /// `libonnxruntime.dylib`. Loading the same path again is free.
    ///
    /// Newer builds record their use for Microsoft from the moment that they are loaded, unless
    /// `ORT_DISABLE_TELEMETRY=1` stands in the environment: a program that wants none of it, as
    /// `planet` does, sets that before its first thread.
    ///
    /// # Errors
    /// A file that is no ONNX Runtime or is older than 1.24, or another one that the process
    /// has loaded already.
    pub fn load(path: &Path) -> Result<Self, EngineError> {
        let fail = |what: String| EngineError::new(EngineErrorKind::Library, "ONNX Runtime", what);
        let path = path
            .canonicalize()
            .map_err(|it| fail(format!("{}: {it}", path.display())).with_source(it))?;
        let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            if runtime.path == path {
                return Ok(runtime.clone());
            }
            let (old, new) = (runtime.path.display(), path.display());
            return Err(fail(format!(
                "{old} is already loaded; one process cannot also load {new}"
            )));
        }
        let builder = ort::init_from(&path).map_err(|it| fail(it.to_string()))?;
        // Older builds, for Windows, are told after they are loaded.
        let environment = builder.with_name("planet").with_telemetry(false).build();
        let environment = environment.map_err(|it| fail(it.to_string()))?;
        let version = version(&path, ort::info());
        let runtime = Self { path, version, environment };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The library's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The library's version: `1.24.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the library was built to run on, the one to prefer first.
    pub fn devices(&self) -> Vec<Device> {
        Device::KINDS.into_iter().filter(|device| device.is_built_in()).collect()
    }

    /// Loads a model for photos.
    ///
    /// # Errors
    /// A file that is missing or no ONNX model, an operator that the library lacks, a device
    /// that it was not built with or that is not there, or inputs and outputs that the
    /// signature does not fit.
    pub fn open(
        &self,
        model: &Path,
        signature: &Signature,
        device: Device,
        threads: Threads,
    ) -> Result<OnnxEngine, EngineError> {
        OnnxEngine::new(Box::new(OrtSession::open(self, model, device, threads)?), signature)
    }

    /// Loads a model for sequences, on the CPU.
    ///
    /// # Errors
    /// As [`OnnxRuntime::open`].
    pub fn open_sequence(
        &self,
        model: &Path,
        threads: Threads,
    ) -> Result<SequenceEngine, EngineError> {
        SequenceEngine::new(Box::new(OrtSession::open(self, model, Device::Cpu, threads)?))
    }
}

/// From the file's name, `libonnxruntime.so.1.24.1` or `libonnxruntime.1.24.1.dylib`, else from
/// the library's build information, `git-branch=rel-1.24.1, …`.
fn version(path: &Path, build: &str) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let digits = |text: &str| {
        let numbers = text.split('.').take_while(|part| part.parse::<u32>().is_ok());
        let numbers: Vec<&str> = numbers.collect();
        (numbers.len() > 1).then(|| numbers.join("."))
    };
    let in_name = name.match_indices('.').find_map(|(at, _)| digits(&name[at + 1..]));
    let in_build = || digits(build.split("git-branch=rel-").nth(1)?.split(',').next()?);
    in_name.or_else(in_build).unwrap_or_else(|| "of unknown version".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_files_name_or_from_its_build() {
        let of = |name: &str, build: &str| version(Path::new(name), build);
        assert_eq!(of("/lib/libonnxruntime.so.1.24.1", ""), "1.24.1");
        assert_eq!(of("/lib/libonnxruntime.1.25.0.dylib", ""), "1.25.0");
        let build = "ORT Build Info: git-branch=rel-1.30.2, git-commit-id=5, build type=Release";
        assert_eq!(of("onnxruntime.dll", build), "1.30.2");
        assert_eq!(of("onnxruntime.dll", "git-branch=main"), "of unknown version");
    }

    #[test]
    fn a_file_that_is_no_library_is_refused_and_nothing_panics() {
        let nowhere = OnnxRuntime::load(Path::new("/nowhere/libonnxruntime.so"));
        assert!(nowhere.is_err_and(|it| it.to_string().contains("/nowhere/libonnxruntime.so")));
        let text = tempfile::NamedTempFile::new().expect("a file");
        assert!(OnnxRuntime::load(text.path()).is_err());
    }
}
