use std::{fmt, str::FromStr};

use ort::ep::{
    self, ArbitrarilyConfigurableExecutionProvider, ExecutionProvider, ExecutionProviderDispatch,
};
use thiserror::Error;

use crate::Threads;

/// What ONNX Runtime runs a model on, written `cpu`, `openvino`, `openvino:bf16`, `cuda`,
/// `cuda:1`, `tensorrt`, `coreml`, `directml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// ONNX Runtime's own kernels.
    Cpu,
    /// Intel's OpenVINO on the CPU, which is quick on AMD too.
    OpenVino(Precision),
    /// The NVIDIA card of this number.
    Cuda(u32),
    /// The NVIDIA card of this number through TensorRT, which first takes minutes to plan.
    TensorRt(u32),
    /// Apple's GPU and neural engine.
    CoreMl,
    /// Windows' graphics adapter of this number.
    DirectMl(u32),
}

/// Width of the numbers that products are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits with f32's range: twice as fast where the CPU has it. Logits that vary by 1
    /// between photos are off by up to 0.2 on random weights.
    Bf16,
}

/// A device that is written wrongly.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "'{0}' is not a device; the devices are cpu, openvino, openvino:bf16, cuda:N, tensorrt:N, coreml, directml:N"
)]
pub struct DeviceError(String);

impl Device {
    /// One of each kind, the one to prefer first: those that keep f32's digits and start
    /// quickly, graphics cards before the CPU.
    pub const KINDS: [Self; 7] = [
        Self::Cuda(0),
        Self::CoreMl,
        Self::DirectMl(0),
        Self::OpenVino(Precision::F32),
        Self::Cpu,
        Self::OpenVino(Precision::Bf16),
        Self::TensorRt(0),
    ];

    /// Whether the loaded library was built with it.
    pub(super) fn is_built_in(self) -> bool {
        let known = match self {
            Self::Cpu => return true,
            Self::OpenVino(_) => ep::OpenVINO::is_available(),
            Self::Cuda(_) => ep::CUDA::is_available(),
            Self::TensorRt(_) => ep::TensorRT::is_available(),
            Self::CoreMl => ep::CoreML::is_available(),
            Self::DirectMl(_) => ep::DirectML::is_available(),
        };
        known.unwrap_or(false)
    }

    /// The provider with its options; none for the plain CPU.
    pub(super) fn provider(self, threads: Threads) -> Option<ExecutionProviderDispatch> {
        // A card's number is small; ort counts them in i32.
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        let provider = match self {
            Self::Cpu => return None,
            Self::OpenVino(precision) => {
                let mut provider = ep::OpenVINO::default().with_device_type("CPU");
                if let Some(threads) = threads.0 {
                    provider = provider.with_num_threads(threads.get());
                }
                let hint = match precision {
                    Precision::F32 => "f32",
                    Precision::Bf16 => "bf16",
                };
                let config = format!(r#"{{"CPU": {{"INFERENCE_PRECISION_HINT": "{hint}"}}}}"#);
                provider.with_arbitrary_config("load_config", config).build()
            }
            // TF32 would cost the third digit of every product.
            Self::Cuda(n) => ep::CUDA::default().with_device_id(number(n)).with_tf32(false).build(),
            Self::TensorRt(n) => ep::TensorRT::default().with_device_id(number(n)).build(),
            Self::CoreMl => ep::CoreML::default().build(),
            Self::DirectMl(n) => ep::DirectML::default().with_device_id(number(n)).build(),
        };
        Some(provider.error_on_failure())
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, number) = match self {
            Self::Cpu => ("cpu", 0),
            Self::OpenVino(Precision::F32) => ("openvino", 0),
            Self::OpenVino(Precision::Bf16) => ("openvino:bf16", 0),
            Self::Cuda(n) => ("cuda", *n),
            Self::TensorRt(n) => ("tensorrt", *n),
            Self::CoreMl => ("coreml", 0),
            Self::DirectMl(n) => ("directml", *n),
        };
        if number == 0 { f.write_str(name) } else { write!(f, "{name}:{number}") }
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let error = || DeviceError(text.to_owned());
        let (name, detail) = text.split_once(':').unwrap_or((text, ""));
        let number = || match detail {
            "" => Ok(0),
            digits => digits.parse().map_err(|_| error()),
        };
        match (name, detail) {
            ("cpu", "") => Ok(Self::Cpu),
            ("openvino", "" | "f32") => Ok(Self::OpenVino(Precision::F32)),
            ("openvino", "bf16") => Ok(Self::OpenVino(Precision::Bf16)),
            ("cuda", _) => number().map(Self::Cuda),
            ("tensorrt", _) => number().map(Self::TensorRt),
            ("coreml", "") => Ok(Self::CoreMl),
            ("directml", _) => number().map(Self::DirectMl),
            _ => Err(error()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_they_are_written() {
        for device in Device::KINDS.into_iter().chain([Device::Cuda(3), Device::DirectMl(1)]) {
            assert_eq!(device.to_string().parse(), Ok(device));
        }
        for wrong in ["", "gpu", "cuda:x", "cuda:-1", "cpu:2", "openvino:int8"] {
            assert_eq!(wrong.parse::<Device>(), Err(DeviceError(wrong.into())));
        }
    }
}
