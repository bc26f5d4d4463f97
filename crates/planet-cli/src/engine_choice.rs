use std::{
    num::NonZero,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use planet::{
    Classifier, CodeModel, Engine, EngineError, EngineErrorKind, FeatureModel, LabelModel,
    LocatorOptions, Model, ModelPackage,
};
use planet_data::Gazetteer;
use planet_engine::{
    Device, DeviceError, EngineKind, EngineOptions, OnnxEngine, OnnxRuntime, Signature, Threads,
};

use crate::{failure::Failure, onnxruntime};

/// What runs a model: shared by every command that looks at photos.
#[derive(Args, Clone, Debug)]
pub struct EngineChoice {
    /// Inference engine; `auto` uses ONNX Runtime if it is found, otherwise native where it can run the
    /// model, otherwise rten
    #[arg(long, value_enum, default_value = "auto")]
    pub engine: EngineName,
    /// Device for ONNX Runtime: auto, cpu, openvino, openvino:bf16, cuda:N, tensorrt:N, coreml,
    /// directml:N
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceName,
    /// Number of threads of the engine; by default one per core
    #[arg(long, alias = "workers", value_name = "N")]
    pub threads: Option<NonZero<usize>>,
    /// ONNX Runtime library to load, instead of searching for one
    #[arg(long, value_name = "FILE", env = "ORT_DYLIB_PATH")]
    pub onnxruntime: Option<PathBuf>,
}

/// Which library runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The fastest available engine
    Auto,
    /// Built in, CPU only: models in 32 bits, faster than rten
    Native,
    /// Built in, CPU only: all models
    Rten,
    /// ONNX Runtime, loaded at run time if it is installed
    Onnxruntime,
}

/// What it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceName {
    /// The first that works, in f32.
    Auto,
    /// This one or none.
    Only(Device),
}

impl FromStr for DeviceName {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        if text == "auto" { Ok(Self::Auto) } else { text.parse().map(Self::Only) }
    }
}

const INSTALL: &str = "install it with pip install onnxruntime (onnxruntime-openvino for CPUs with \
     AVX-512 or AMX), or name the library with --onnxruntime FILE; planet engine list shows what is \
     available";

impl EngineChoice {
    /// Loads a package's network into the engine that was chosen. Says so where no engine was chosen
    /// that gains nothing from a network in 8 bits.
    pub fn open_package(&self, package: &ModelPackage) -> Result<OnnxEngine, Failure> {
        let engine = self.options()?.open_package(package).map_err(failure)?;
        if package.description().quantization.is_some()
            && self.engine == EngineName::Auto
            && !engine.gains_from_8_bits()
        {
            anstream::eprintln!(
                "note: the model is in 8 bits, from which {} gains nothing: the model in 32 bits is \
                 faster here and more accurate. ONNX Runtime is faster: pip install onnxruntime",
                engine.name()
            );
        }
        Ok(engine)
    }

    /// Loads a package's network for its features into the engine that was chosen.
    pub fn open_features(&self, model: &FeatureModel) -> Result<OnnxEngine, Failure> {
        self.options()?.open_features(model).map_err(failure)
    }

    /// A package for labels with the engine that was chosen.
    pub fn open_classifier(&self, model: LabelModel) -> Result<Classifier, Failure> {
        self.options()?.open_classifier(model).map_err(failure)
    }

    /// Loads the network of a package for near-duplicates into the engine that was chosen.
    pub fn open_codes(&self, model: &CodeModel) -> Result<OnnxEngine, Failure> {
        self.options()?.open_codes(model).map_err(failure)
    }

    /// A package with the engine that was chosen.
    pub fn open_model(
        &self,
        package: ModelPackage,
        options: LocatorOptions,
        gazetteer: Arc<Gazetteer>,
    ) -> Result<Model, Failure> {
        let engine = Box::new(self.open_package(&package)?);
        Model::new(package, engine, options, gazetteer).map_err(Failure::new)
    }

    /// Loads any ONNX file into the engine that was chosen.
    pub fn open(&self, model: &Path, signature: &Signature) -> Result<OnnxEngine, Failure> {
        self.options()?.open(model, signature).map_err(failure)
    }

    /// The ONNX Runtime that was named or found.
    pub fn runtime(&self) -> Result<Option<OnnxRuntime>, Failure> {
        self.options()?
            .onnxruntime
            .map(|path| OnnxRuntime::load(&path).map_err(failure))
            .transpose()
    }

    /// What was chosen, for the library.
    pub fn options(&self) -> Result<EngineOptions, Failure> {
        let kind = match self.engine {
            EngineName::Native => EngineKind::Native,
            EngineName::Rten => EngineKind::Rten,
            EngineName::Auto if self.onnxruntime.is_none() => EngineKind::Auto,
            // A library that was named is asked for.
            EngineName::Auto | EngineName::Onnxruntime => EngineKind::OnnxRuntime,
        };
        let device = match self.device {
            DeviceName::Only(device) => Some(device),
            DeviceName::Auto => None,
        };
        if let (Some(name), Some(device)) =
            (kind.built_in(), device.filter(|it| *it != Device::Cpu))
        {
            let what = format!("{name} runs on the CPU only, not on {device}");
            return Err(Failure::usage(what).hint("use --engine onnxruntime"));
        }
        let onnxruntime = self.onnxruntime.clone().or_else(onnxruntime::find);
        Ok(EngineOptions { kind, onnxruntime, device, threads: Threads(self.threads) })
    }
}

fn failure(error: EngineError) -> Failure {
    let is_library = error.kind == EngineErrorKind::Library;
    let failure = Failure::new(error);
    if is_library { failure.hint(INSTALL) } else { failure }
}
