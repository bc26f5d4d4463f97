use std::{fmt, str::FromStr};

use planet_net::{Network, Weights};
use serde::{Deserialize, Serialize};

use crate::{Backend, BackendError, Cpu, InvalidSetting, ProcessGroup, TrainConfig, TrainError};

/// A backend by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendName {
    /// [`Cpu`], our own.
    #[default]
    Cpu,
    /// burn on graphics cards of any maker, in builds with the feature of a [`crate::GpuApi`].
    Burn,
    /// libtorch, in builds with the feature `torch`.
    Torch,
}

/// What convolutions and dense layers compute with. Weights, batch norm, loss and optimizer are
/// f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// IEEE single precision.
    #[default]
    F32,
    /// Its upper half, with libtorch.
    Bf16,
}

impl BackendName {
    /// Every backend.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Burn, Self::Torch];

    /// Whether this build has it.
    pub fn is_built(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Burn => cfg!(feature = "burn"),
            Self::Torch => cfg!(feature = "torch"),
        }
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Burn => "burn",
            Self::Torch => "torch",
        })
    }
}

impl FromStr for BackendName {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        let wrong = TrainError::from(InvalidSetting("the backends are cpu, burn and torch"));
        Self::ALL.into_iter().find(|it| it.to_string() == name).ok_or(wrong)
    }
}

impl FromStr for Precision {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        let wrong = TrainError::from(InvalidSetting("the precisions are f32 and bf16"));
        [Self::F32, Self::Bf16].into_iter().find(|it| it.to_string() == name).ok_or(wrong)
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

impl TrainConfig {
    /// The backend that trains, with these weights, together with others.
    ///
    /// # Errors
    /// A backend that this build lacks, or that trains in one process alone; a device or a
    /// precision that the backend does not know; weights that do not fit the network.
    pub fn open_backend(
        &self,
        network: &Network,
        weights: &Weights,
        group: &ProcessGroup,
    ) -> Result<Box<dyn Backend>, BackendError> {
        let (backend, processes) = (self.backend, group.size());
        if backend != BackendName::Torch && processes > 1 {
            return Err(BackendError::Device(format!(
                "the backend {backend} trains in one process, not in {processes}; use the backend \
                 torch",
            )));
        }
        match (backend, self.device.as_str(), self.precision) {
            (BackendName::Cpu, "auto" | "cpu", Precision::F32) => {
                Ok(Box::new(Cpu::new(network, weights, self.optimizer)?))
            }
            (BackendName::Cpu, "auto" | "cpu", precision) => Err(BackendError::Device(format!(
                "the backend cpu does not support the precision '{precision}'; use the backend torch"
            ))),
            (BackendName::Cpu, device, _) => Err(BackendError::Device(format!(
                "the backend cpu does not support the device '{device}'; use the backend burn or torch"
            ))),
            (BackendName::Burn, ..) => burn(self, network, weights),
            (BackendName::Torch, ..) => torch(self, network, weights, group),
        }
    }
}

#[cfg(feature = "torch")]
fn torch(
    config: &TrainConfig,
    network: &Network,
    weights: &Weights,
    group: &ProcessGroup,
) -> Result<Box<dyn Backend>, BackendError> {
    let TrainConfig { optimizer, precision, sync_batch_norm, .. } = config;
    let device = group.device(&config.device);
    let mut torch = crate::Torch::new(network, weights, *optimizer, &device, *precision)?;
    torch.join(group, *sync_batch_norm)?;
    Ok(Box::new(torch))
}

#[cfg(not(feature = "torch"))]
fn torch(
    _: &TrainConfig,
    _: &Network,
    _: &Weights,
    _: &ProcessGroup,
) -> Result<Box<dyn Backend>, BackendError> {
    let what = "this build does not include libtorch; build it with \
                `scripts/with-torch cargo build --release -p planet-cli --features torch`";
    Err(BackendError::Device(what.to_owned()))
}

#[cfg(feature = "burn")]
fn burn(
    config: &TrainConfig,
    network: &Network,
    weights: &Weights,
) -> Result<Box<dyn Backend>, BackendError> {
    let TrainConfig { optimizer, device, precision, .. } = config;
    Ok(Box::new(crate::Burn::new(network, weights, *optimizer, device, *precision)?))
}

#[cfg(not(feature = "burn"))]
fn burn(config: &TrainConfig, _: &Network, _: &Weights) -> Result<Box<dyn Backend>, BackendError> {
    Err(crate::GpuApi::missing(&config.device))
}
