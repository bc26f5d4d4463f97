use std::{fmt, str::FromStr};

use crate::BackendError;

/// An interface to graphics cards, by the name of the devices that it opens: `vulkan`, and
/// `vulkan:1` for the second card. burn trains through it, in builds with the feature of that
/// name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuApi {
    /// Vulkan, Metal or DirectX 12, whichever the machine has.
    Wgpu,
    /// Vulkan.
    Vulkan,
    /// Apple's.
    Metal,
    /// NVIDIA's.
    Cuda,
    /// AMD's.
    Rocm,
}

impl GpuApi {
    /// Every interface.
    pub const ALL: [Self; 5] = [Self::Wgpu, Self::Vulkan, Self::Metal, Self::Cuda, Self::Rocm];

    /// The interface that opens a device: of `vulkan:1`, Vulkan.
    pub fn of(device: &str) -> Option<Self> {
        device.split(':').next()?.parse().ok()
    }

    /// Names of the cards that it finds, the first as `vulkan:0`.
    pub fn cards(self) -> Vec<String> {
        #[cfg(feature = "burn")]
        return crate::burn::cards(self);
        #[cfg(not(feature = "burn"))]
        Vec::new()
    }

    /// What to say where this build cannot open a device.
    pub(crate) fn missing(device: &str) -> BackendError {
        let api = Self::of(device).unwrap_or(Self::Vulkan);
        BackendError::Device(format!(
            "this build does not include the backend burn for '{device}'; build it with \
             `cargo build --release -p planet-cli --features {api}`"
        ))
    }

    /// Whether this build has it.
    pub fn is_built(self) -> bool {
        match self {
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Rocm => cfg!(feature = "rocm"),
        }
    }
}

impl fmt::Display for GpuApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Cuda => "cuda",
            Self::Rocm => "rocm",
        })
    }
}

impl FromStr for GpuApi {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|it| it.to_string() == name).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_says_through_what_it_is_opened_and_what_a_build_needs_for_it() {
        assert_eq!(GpuApi::of("vulkan:1"), Some(GpuApi::Vulkan));
        assert_eq!(GpuApi::of("metal"), Some(GpuApi::Metal));
        assert_eq!(GpuApi::of("cpu"), None);
        assert!(GpuApi::missing("rocm:2").to_string().contains("--features rocm"));
        assert!(GpuApi::missing("auto").to_string().contains("--features vulkan"));
    }

    #[cfg(not(feature = "burn"))]
    #[test]
    fn a_build_without_cards_finds_none() {
        assert!(GpuApi::ALL.into_iter().all(|api| !api.is_built() && api.cards().is_empty()));
    }
}
