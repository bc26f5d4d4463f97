use burn_tensor::{Device, DeviceType};

use crate::{BackendError, GpuApi};

const NO_CARD: &str = "burn finds no GPU; check that its driver is installed";

/// The graphics card of this name: `vulkan` or `vulkan:0` is the first that Vulkan has, `auto`
/// the first that any interface of this build has.
pub(super) fn open(name: &str) -> Result<Device, BackendError> {
    let failed = |what: String| Err(BackendError::Device(what));
    if name == "auto" {
        let first = GpuApi::ALL.into_iter().filter_map(kind).flat_map(Device::enumerate).next();
        return first.map_or_else(|| failed(NO_CARD.to_owned()), Ok);
    }
    let Some(api) = GpuApi::of(name) else {
        let known = GpuApi::ALL.map(|it| it.to_string()).join(", ");
        return failed(format!(
            "no device '{name}': the devices of burn are {known}, each optionally followed by :1, :2 and so on"
        ));
    };
    let Some(kind) = kind(api) else {
        return Err(GpuApi::missing(name));
    };
    let number: usize = match name.split_once(':').map_or(Ok(0), |(_, number)| number.parse()) {
        Ok(number) => number,
        Err(_) => return failed(format!("no device '{name}': the first is {api}:0")),
    };
    let devices = Device::enumerate(kind);
    match devices.get(number) {
        Some(device) => Ok(device.clone()),
        None if devices.is_empty() => failed(format!(
            "no device '{name}': {api} finds no GPU; check that its driver is installed"
        )),
        None => {
            let names: Vec<String> = devices.iter().map(card).collect();
            let (count, names) = (names.len(), names.join(", "));
            failed(format!(
                "no device '{name}': {api} finds {count}, numbered from {api}:0: {names}"
            ))
        }
    }
}

/// Names of the cards that an interface finds.
pub(crate) fn cards(api: GpuApi) -> Vec<String> {
    kind(api).map_or_else(Vec::new, |kind| Device::enumerate(kind).iter().map(card).collect())
}

/// burn's name of an interface, where this build has it.
fn kind(api: GpuApi) -> Option<DeviceType> {
    match api {
        #[cfg(feature = "wgpu")]
        GpuApi::Wgpu => Some(DeviceType::Wgpu),
        #[cfg(feature = "vulkan")]
        GpuApi::Vulkan => Some(DeviceType::Vulkan),
        #[cfg(feature = "metal")]
        GpuApi::Metal => Some(DeviceType::Metal),
        #[cfg(feature = "cuda")]
        GpuApi::Cuda => Some(DeviceType::Cuda),
        #[cfg(feature = "rocm")]
        GpuApi::Rocm => Some(DeviceType::Rocm),
        #[allow(unreachable_patterns, reason = "some builds have them all")]
        _ => None,
    }
}

/// The card's own name.
pub(super) fn card(device: &Device) -> String {
    device.identity().map_or_else(|| "a GPU without a name".to_owned(), |it| it.name)
}
