use std::{
    num::NonZero,
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{Args, ValueEnum};
use planet::ModelPackage;
use planet_engine::{
    Device, DeviceError, OnnxEngine, OnnxRuntime, Precision, Rten, SequenceEngine, Signature,
    Threads,
};

use crate::{failure::Failure, onnxruntime};

/// What runs a model: shared by every command that looks at photos.
#[derive(Args, Clone, Debug)]
pub struct EngineChoice {
    /// Inference engine; `auto` uses ONNX Runtime if it is found, otherwise rten
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
    /// Built in, CPU only
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

const INSTALL: &str = "install it with pip install onnxruntime (onnxruntime-openvino for CPUs with AVX-512 or \
     AMX), or name the library with --onnxruntime FILE";

impl EngineChoice {
    /// Loads a package's network into the engine that was chosen.
    pub fn open_package(&self, package: &ModelPackage) -> Result<OnnxEngine, Failure> {
        let rten = || self.rten().open_package(package).map_err(Failure::new);
        self.choose(&package.model(), &Signature::of(package.description()), rten)
    }

    /// Loads any ONNX file into the engine that was chosen.
    pub fn open(&self, model: &Path, signature: &Signature) -> Result<OnnxEngine, Failure> {
        let rten = || self.rten().open(model, signature).map_err(Failure::new);
        self.choose(model, signature, rten)
    }

    fn choose(
        &self,
        model: &Path,
        signature: &Signature,
        rten: impl Fn() -> Result<OnnxEngine, Failure>,
    ) -> Result<OnnxEngine, Failure> {
        let device = match (self.engine, self.device) {
            (EngineName::Rten, DeviceName::Only(device)) if device != Device::Cpu => {
                let what = format!("rten runs on the CPU only, not on {device}");
                return Err(Failure::usage(what).hint("use --engine onnxruntime"));
            }
            (EngineName::Rten, _) => return rten(),
            (_, DeviceName::Only(device)) => Some(device),
            (_, DeviceName::Auto) => None,
        };
        let wanted = self.engine == EngineName::Onnxruntime
            || self.onnxruntime.is_some()
            || device.is_some_and(|device| device != Device::Cpu);
        match self.runtime() {
            Ok(Some(runtime)) => match device {
                Some(device) => self.on(&runtime, device, model, signature),
                None => self.first_that_works(&runtime, model, signature),
            },
            Ok(None) if wanted => Err(Failure::new("ONNX Runtime was not found").hint(INSTALL)),
            Ok(None) => rten(),
            Err(failure) if wanted => Err(failure),
            // A library that was only stumbled upon is nobody's wish.
            Err(_) => rten(),
        }
    }

    /// Loads a model over sequences, which runs on the CPU.
    pub fn open_sequence(&self, model: &Path) -> Result<SequenceEngine, Failure> {
        let threads = Threads(self.threads);
        let rten = || self.rten().open_sequence(model).map_err(Failure::new);
        let wanted = self.engine == EngineName::Onnxruntime || self.onnxruntime.is_some();
        if self.engine == EngineName::Rten {
            return rten();
        }
        match self.runtime() {
            Ok(Some(runtime)) => runtime.open_sequence(model, threads).map_err(Failure::new),
            Ok(None) if wanted => Err(Failure::new("ONNX Runtime was not found").hint(INSTALL)),
            Err(failure) if wanted => Err(failure),
            Ok(None) | Err(_) => rten(),
        }
    }

    /// The ONNX Runtime that was named or found.
    pub fn runtime(&self) -> Result<Option<OnnxRuntime>, Failure> {
        let Some(path) = self.onnxruntime.clone().or_else(onnxruntime::find) else {
            return Ok(None);
        };
        OnnxRuntime::load(&path).map(Some).map_err(|error| Failure::new(error).hint(INSTALL))
    }

    fn rten(&self) -> Rten {
        Rten { threads: Threads(self.threads) }
    }

    fn on(
        &self,
        runtime: &OnnxRuntime,
        device: Device,
        model: &Path,
        signature: &Signature,
    ) -> Result<OnnxEngine, Failure> {
        let opened = runtime.open(model, signature, device, Threads(self.threads));
        opened.map_err(|error| {
            Failure::new(error).hint("planet engine list shows the available engines and devices")
        })
    }

    /// A card that a library was built for may not be in this computer.
    fn first_that_works(
        &self,
        runtime: &OnnxRuntime,
        model: &Path,
        signature: &Signature,
    ) -> Result<OnnxEngine, Failure> {
        let candidates = automatic(runtime);
        let last = candidates.len() - 1;
        for device in &candidates[..last] {
            if let Ok(engine) = self.on(runtime, *device, model, signature) {
                return Ok(engine);
            }
        }
        self.on(runtime, candidates[last], model, signature)
    }
}

/// The devices that `auto` tries in this order, the plain CPU last: not those that round, nor
/// TensorRT, which plans for minutes.
pub fn automatic(runtime: &OnnxRuntime) -> Vec<Device> {
    let own = |device: &Device| {
        !matches!(device, Device::OpenVino(Precision::Bf16) | Device::TensorRt(_) | Device::Cpu)
    };
    runtime.devices().into_iter().filter(own).chain([Device::Cpu]).collect()
}
