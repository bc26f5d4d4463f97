use std::io::{self, Write};

use clap::Args;
use planet_engine::{Device, EngineOptions, Native, OnnxRuntime, Precision, Rten};
use planet_train::{BackendName, GpuApi};

use crate::{
    engine_choice::{EngineChoice, EngineName},
    failure::Failure,
};

/// `planet engine list [--onnxruntime FILE]`
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    choice: EngineChoice,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let runtime = arguments.choice.runtime();
    let mut out = io::stdout().lock();
    writeln!(out, "{:<14} built in, CPU, models in 32 bits", Native::default().name())?;
    writeln!(out, "{:<14} built in, CPU, all models", Rten::default().name())?;
    match &runtime {
        Ok(Some(runtime)) => {
            let devices: Vec<String> = runtime.devices().iter().map(Device::to_string).collect();
            let name = format!("ONNX Runtime {}", runtime.version());
            writeln!(out, "{name} {}", runtime.path().display())?;
            writeln!(out, "{:<14} {}", "  devices", devices.join(", "))?;
        }
        Ok(None) => writeln!(out, "ONNX Runtime   not found")?,
        Err(_) => writeln!(out, "ONNX Runtime   found, but it cannot be loaded")?,
    }
    let found = runtime.as_ref().ok().and_then(Option::as_ref);
    writeln!(out, "{:<14} {}", "default", used(arguments.choice.engine, found))?;
    writeln!(out, "{:<14} {}", "faster", faster(found))?;
    writeln!(out, "{:<14} {}", "8 bits", eight_bits(found))?;
    writeln!(out, "{:<14} {}", "training", can_train())?;
    runtime.map(|_| ())
}

fn used(engine: EngineName, runtime: Option<&OnnxRuntime>) -> String {
    match (engine, runtime) {
        (EngineName::Rten, _) => "rten".into(),
        (EngineName::Native, _) => "native".into(),
        (EngineName::Auto | EngineName::Onnxruntime, Some(runtime)) => {
            let devices: Vec<String> =
                EngineOptions::automatic_devices(runtime).iter().map(Device::to_string).collect();
            format!("ONNX Runtime on the first device that works: {}", devices.join(", "))
        }
        (EngineName::Auto | EngineName::Onnxruntime, None) => {
            "native for models that it can run, else rten".into()
        }
    }
}

fn faster(runtime: Option<&OnnxRuntime>) -> &'static str {
    let openvino = Device::OpenVino(Precision::F32);
    match runtime.map(OnnxRuntime::devices) {
        None => "pip install onnxruntime-openvino (any x86 CPU), or onnxruntime-gpu (NVIDIA)",
        Some(devices) if devices.contains(&openvino) && computes_bf16() => {
            "--device openvino:bf16 is about twice as fast on this CPU, with small rounding errors"
        }
        Some(devices) if devices.contains(&openvino) => {
            "no faster option is known: this CPU has no bf16 instructions"
        }
        Some(devices) if devices.len() == 1 => {
            "pip install onnxruntime-openvino in place of onnxruntime, on x86 CPUs with AVX-512"
        }
        Some(_) => "--device selects another device; planet engine bench MODEL compares them",
    }
}

/// What packages of `planet model quantize` gain here.
fn eight_bits(runtime: Option<&OnnxRuntime>) -> &'static str {
    match runtime {
        Some(_) => {
            "ONNX Runtime runs models in 8 bits faster than in 32 bits; rten does not, native runs none"
        }
        None => "rten runs models in 8 bits, but not faster than in 32 bits; ONNX Runtime does",
    }
}

/// Whether the CPU has instructions for bf16; without them OpenVINO only emulates it.
fn computes_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("bf16");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    false
}

/// Backends of `planet train`, burn with the graphics cards that `--device` may name.
fn can_train() -> String {
    let names = BackendName::ALL.map(|backend| match backend {
        _ if !backend.is_built() => {
            format!("{backend} (not in this build: see docs/training-backends.md)")
        }
        BackendName::Burn => format!("{backend} ({})", cards()),
        BackendName::Cpu | BackendName::Torch => backend.to_string(),
    });
    names.join(", ")
}

/// What each interface of this build finds.
fn cards() -> String {
    let found = GpuApi::ALL.into_iter().filter(|api| api.is_built()).map(|api| {
        match api.cards().join(", ").as_str() {
            "" => format!("{api}: no GPU"),
            cards => format!("{api}: {cards}"),
        }
    });
    found.collect::<Vec<_>>().join("; ")
}
