use planet_net::{Network, Weights};

use crate::{Backend, BackendError, Cpu, Precision, TrainConfig};

/// The backend that a config asks for, on its device.
///
/// # Errors
/// A backend, device or precision that this build or this machine does not have.
pub(crate) fn backend(
    config: &TrainConfig,
    network: &Network,
    weights: &Weights,
) -> Result<Box<dyn Backend>, BackendError> {
    let TrainConfig { backend, device, precision, optimizer, .. } = config;
    let missing = |what: String| Err(BackendError::Device(what));
    match (&**backend, &**device) {
        ("auto" | "cpu", "auto" | "cpu") if *precision == Precision::F32 => {
            Ok(Box::new(Cpu::new(network, weights, *optimizer)?))
        }
        ("auto" | "cpu", "auto" | "cpu") => {
            missing(format!("the backend cpu computes in f32, not in {precision}: --backend torch"))
        }
        ("torch", _) => torch(config, network, weights),
        ("auto", other) if other.starts_with("cuda") => torch(config, network, weights),
        ("auto" | "cpu", other) => missing(format!(
            "the backend {backend} knows no device '{other}': auto, cpu, or cuda:0 with torch"
        )),
        (other, _) => missing(format!("no backend '{other}': auto, cpu, torch")),
    }
}

/// What can train in this build on this machine, for people: each backend with its devices.
pub fn backends() -> Vec<String> {
    #[cfg(feature = "torch")]
    let libtorch = {
        let cards = (0..crate::torch::cuda_devices()).map(|number| format!(", cuda:{number}"));
        Some(format!("torch (libtorch: cpu{})", cards.collect::<String>()))
    };
    #[cfg(not(feature = "torch"))]
    let libtorch = None;
    ["cpu (built in)".to_owned()].into_iter().chain(libtorch).collect()
}

#[cfg(feature = "torch")]
fn torch(
    config: &TrainConfig,
    network: &Network,
    weights: &Weights,
) -> Result<Box<dyn Backend>, BackendError> {
    let TrainConfig { device, precision, optimizer, .. } = config;
    Ok(Box::new(crate::Torch::new(network, weights, *optimizer, device, *precision)?))
}

#[cfg(not(feature = "torch"))]
fn torch(_: &TrainConfig, _: &Network, _: &Weights) -> Result<Box<dyn Backend>, BackendError> {
    let what = "this build has no libtorch: scripts/with-torch cargo build --features torch";
    Err(BackendError::Device(what.to_owned()))
}
