use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use planet::{
    Classifier, CodeModel, EngineError, EngineErrorKind, FeatureModel, LabelModel, LocatorError,
    LocatorOptions, Model, ModelPackage, PackageError,
};
use planet_data::Gazetteer;

use crate::{
    Device, Native, OnnxEngine, OnnxRuntime, Precision, Rten, SequenceEngine, Signature, Threads,
};

/// Which library runs a model, on what, with how many threads.
///
/// ```no_run
/// use planet::LocatorOptions;
/// use planet_engine::EngineOptions;
///
/// // ONNX Runtime where its library is given and loads, else an engine that is built in.
/// let options = LocatorOptions::default();
/// let mut model = EngineOptions::default().open_model("model".as_ref(), options)?;
/// let prediction = model.locate_bytes("photo.jpg", &std::fs::read("photo.jpg")?)?;
/// println!("{:?}", prediction.best());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct EngineOptions {
    /// The library.
    pub kind: EngineKind,
    /// Where ONNX Runtime's library is; this crate does not search for it.
    pub onnxruntime: Option<PathBuf>,
    /// What ONNX Runtime runs on; `None` is the first device that works in 32 bits.
    pub device: Option<Device>,
    /// Threads that the engine uses.
    pub threads: Threads,
}

/// The libraries that run models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// ONNX Runtime if it loads, else our own engine if it can run the model, else rten.
    #[default]
    Auto,
    /// Our own, for networks over photos in 32 bits, CPU only. Networks over albums run in rten.
    Native,
    /// Built in, for all networks, CPU only.
    Rten,
    /// ONNX Runtime, or an error.
    OnnxRuntime,
}

impl EngineKind {
    /// The name of an engine that needs no library; `None` for the others.
    pub const fn built_in(self) -> Option<&'static str> {
        match self {
            Self::Native => Some("native"),
            Self::Rten => Some("rten"),
            Self::Auto | Self::OnnxRuntime => None,
        }
    }
}

/// An engine that needs no library.
#[derive(Clone, Copy)]
enum BuiltIn {
    Native(Native),
    Rten(Rten),
}

impl BuiltIn {
    fn open(self, model: &Path, signature: &Signature) -> Result<OnnxEngine, EngineError> {
        match self {
            Self::Native(native) => native.open(model, signature),
            Self::Rten(rten) => rten.open(model, signature),
        }
    }

    fn open_package(self, package: &ModelPackage) -> Result<OnnxEngine, EngineError> {
        match self {
            Self::Native(native) => native.open_package(package),
            Self::Rten(rten) => rten.open_package(package),
        }
    }
}

/// Why a model cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenModelError {
    /// The package is incomplete or damaged.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The engine cannot load its network.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// It cannot answer as it was asked to.
    #[error(transparent)]
    Locator(#[from] LocatorError),
}

impl EngineOptions {
    /// Opens a model package with its engine; `options` say what it answers.
    ///
    /// # Errors
    /// A package that is incomplete or damaged, an area without a class, or as
    /// [`EngineOptions::open`].
    pub fn open_model(
        &self,
        folder: &Path,
        options: LocatorOptions,
    ) -> Result<Model, OpenModelError> {
        let package = ModelPackage::open(folder)?;
        let engine = Box::new(self.open_package(&package)?);
        Ok(Model::new(package, engine, options, Arc::new(Gazetteer::new()))?)
    }

    /// Loads a package's network.
    ///
    /// # Errors
    /// As [`EngineOptions::open`].
    pub fn open_package(&self, package: &ModelPackage) -> Result<OnnxEngine, EngineError> {
        let signature = Signature::of(package.description());
        self.choose(&package.model(), &signature, |own| own.open_package(package))
    }

    /// Loads the network of a package for its features. Of a package without classes, the engine's
    /// scores are the embedding, and its embedding is the map.
    ///
    /// # Errors
    /// As [`EngineOptions::open`].
    pub fn open_features(&self, model: &FeatureModel) -> Result<OnnxEngine, EngineError> {
        match model {
            FeatureModel::Classifier(package) => self.open_package(package),
            FeatureModel::Features(..) => self.open(&model.model(), &Signature::of_features()),
        }
    }

    /// A package for labels with its engine.
    ///
    /// # Errors
    /// As [`EngineOptions::open`].
    pub fn open_classifier(&self, model: LabelModel) -> Result<Classifier, EngineError> {
        let engine = self.open(&model.model(), &Signature::of_labels(model.description()))?;
        Ok(Classifier::new(model, Box::new(engine)))
    }

    /// Loads the network of a package for near-duplicates; the engine's scores are the code.
    ///
    /// # Errors
    /// As [`EngineOptions::open`].
    pub fn open_codes(&self, model: &CodeModel) -> Result<OnnxEngine, EngineError> {
        self.open(&model.model(), &Signature::of_codes())
    }

    /// Loads any ONNX file over photos.
    ///
    /// # Errors
    /// A library or device that is not there but was asked for, a file that is no ONNX model, an
    /// operator that the library lacks, inputs or outputs that the signature does not fit.
    pub fn open(&self, model: &Path, signature: &Signature) -> Result<OnnxEngine, EngineError> {
        self.choose(model, signature, |own| own.open(model, signature))
    }

    /// Loads an ONNX file over sequences, which runs on the CPU.
    ///
    /// # Errors
    /// As [`EngineOptions::open`].
    pub fn open_sequence(&self, model: &Path) -> Result<SequenceEngine, EngineError> {
        match self.runtime()? {
            Some(runtime) => runtime.open_sequence(model, self.threads),
            None => self.rten().open_sequence(model),
        }
    }

    /// The devices that are tried where none is named, in this order, the plain CPU last: not those
    /// that round, nor TensorRT, which plans for minutes.
    pub fn automatic_devices(runtime: &OnnxRuntime) -> Vec<Device> {
        let suits = |device: &Device| {
            !matches!(device, Device::OpenVino(Precision::Bf16) | Device::TensorRt(_) | Device::Cpu)
        };
        runtime.devices().into_iter().filter(suits).chain([Device::Cpu]).collect()
    }

    fn choose(
        &self,
        model: &Path,
        signature: &Signature,
        open_own: impl Fn(BuiltIn) -> Result<OnnxEngine, EngineError>,
    ) -> Result<OnnxEngine, EngineError> {
        let Some(runtime) = self.runtime()? else {
            let native = BuiltIn::Native(Native { threads: self.threads });
            let rten = BuiltIn::Rten(self.rten());
            return match self.kind {
                EngineKind::Rten => open_own(rten),
                EngineKind::Native => open_own(native),
                // What ours refuses was not asked for: rten runs it, or says why it cannot.
                _ => open_own(native).or_else(|_| open_own(rten)),
            };
        };
        let open = |device| runtime.open(model, signature, device, self.threads);
        if let Some(device) = self.device {
            return open(device);
        }
        // A card that a library was built for may not be in this computer.
        let candidates = Self::automatic_devices(&runtime);
        let (last, others) = candidates.split_last().expect("the CPU is always a candidate");
        others.iter().find_map(|device| open(*device).ok()).map_or_else(|| open(*last), Ok)
    }

    /// The ONNX Runtime to use; `None` where an engine that is built in is to run the model.
    fn runtime(&self) -> Result<Option<OnnxRuntime>, EngineError> {
        let other_device = self.device.filter(|device| *device != Device::Cpu);
        let error = |what: String| EngineError::new(EngineErrorKind::Library, "ONNX Runtime", what);
        match (self.kind.built_in(), other_device) {
            (Some(name), Some(device)) => {
                let what = format!("runs on the CPU only, not on {device}");
                return Err(EngineError::new(EngineErrorKind::Library, name, what));
            }
            (Some(_), None) => return Ok(None),
            (None, _) => {}
        }
        let is_required = self.kind == EngineKind::OnnxRuntime || other_device.is_some();
        match self.onnxruntime.as_deref().map(OnnxRuntime::load) {
            Some(Ok(runtime)) => Ok(Some(runtime)),
            Some(Err(failure)) if is_required => Err(failure),
            None if is_required => Err(error("the library was not found".to_owned())),
            // The library that does not load was not asked for.
            Some(Err(_)) | None => Ok(None),
        }
    }

    fn rten(&self) -> Rten {
        Rten { threads: self.threads }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(options: &EngineOptions) -> EngineError {
        let opened = options.open("nowhere.onnx".as_ref(), &Signature::default());
        opened.err().expect("there is no such model")
    }

    #[test]
    fn a_library_that_was_asked_for_and_is_not_there_is_an_error() {
        let missing = Some(PathBuf::from("libonnxruntime-that-is-not-there.so"));
        for options in [
            EngineOptions { kind: EngineKind::OnnxRuntime, ..EngineOptions::default() },
            EngineOptions { device: Some(Device::Cuda(0)), ..EngineOptions::default() },
            EngineOptions {
                kind: EngineKind::OnnxRuntime,
                onnxruntime: missing.clone(),
                ..EngineOptions::default()
            },
        ] {
            assert_eq!(failure(&options).kind, EngineErrorKind::Library, "{options:?}");
        }
        // It was not asked for, so that rten is used in the end, which does not find the model.
        let options = EngineOptions { onnxruntime: missing, ..EngineOptions::default() };
        assert_eq!(failure(&options).kind, EngineErrorKind::Model);
    }

    #[test]
    fn engines_that_are_built_in_run_on_the_cpu_only() {
        for kind in [EngineKind::Native, EngineKind::Rten] {
            let device = Some(Device::Cuda(0));
            let options = EngineOptions { kind, device, ..EngineOptions::default() };
            assert!(failure(&options).to_string().contains("CPU only"));
            let options = EngineOptions { device: Some(Device::Cpu), ..options };
            assert_eq!(failure(&options).kind, EngineErrorKind::Model);
        }
    }
}
