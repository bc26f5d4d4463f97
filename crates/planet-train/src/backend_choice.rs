use std::{fmt, str::FromStr};

use planet_net::{Network, Weights};
use serde::{Deserialize, Serialize};

use crate::{Backend, BackendError, Cpu, Group, TrainConfig, TrainError};

/// A backend by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackendName {
    /// [`Cpu`], our own.
    #[default]
    Cpu,
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
    pub const ALL: [Self; 2] = [Self::Cpu, Self::Torch];

    /// Whether this build has it.
    pub fn is_built(self) -> bool {
        self == Self::Cpu || cfg!(feature = "torch")
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Torch => "torch",
        })
    }
}

impl FromStr for BackendName {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        let wrong = TrainError::Value("the backends are cpu and torch");
        Self::ALL.into_iter().find(|it| it.to_string() == name).ok_or(wrong)
    }
}

impl FromStr for Precision {
    type Err = TrainError;

    fn from_str(name: &str) -> Result<Self, TrainError> {
        let wrong = TrainError::Value("the precisions are f32 and bf16");
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
        group: &Group,
    ) -> Result<Box<dyn Backend>, BackendError> {
        if self.backend == BackendName::Cpu && group.size() > 1 {
            return Err(BackendError::Device(format!(
                "the backend cpu trains in one process, not in {}: the backend torch does",
                group.size()
            )));
        }
        match (self.backend, self.device.as_str(), self.precision) {
            (BackendName::Cpu, "auto" | "cpu", Precision::F32) => {
                Ok(Box::new(Cpu::new(network, weights, self.optimizer)?))
            }
            (BackendName::Cpu, "auto" | "cpu", precision) => Err(BackendError::Device(format!(
                "the backend cpu has no precision '{precision}': the backend torch has"
            ))),
            (BackendName::Cpu, device, _) => Err(BackendError::Device(format!(
                "the backend cpu has no device '{device}': the backend torch may have"
            ))),
            (BackendName::Torch, ..) => torch(self, network, weights, group),
        }
    }
}

#[cfg(feature = "torch")]
fn torch(
    config: &TrainConfig,
    network: &Network,
    weights: &Weights,
    group: &Group,
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
    _: &Group,
) -> Result<Box<dyn Backend>, BackendError> {
    let what = "this build has no libtorch: build it with \
                `scripts/with-torch cargo build --release -p planet-cli --features torch`";
    Err(BackendError::Device(what.to_owned()))
}
