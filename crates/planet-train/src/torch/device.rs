use std::sync::OnceLock;

use libloading::Library;
use tch::{Cuda, Device};

use crate::BackendError;

/// The device of this name: `auto` takes the first card that CUDA has, else the processor;
/// `auto:3` is what the fourth process of a machine takes, whether it sees all cards or its own.
pub(super) fn open(name: &str) -> Result<Device, BackendError> {
    let cards = if name == "cpu" { 0 } else { cards() };
    let device = match name.split_once(':').unwrap_or((name, "0")) {
        ("auto", number) if cards > 0 => {
            Device::Cuda(number.parse::<usize>().map_err(|_| unknown(name))? % cards)
        }
        ("auto" | "cpu", _) => Device::Cpu,
        ("cuda", number) => match number.parse() {
            Ok(number) if number < cards => Device::Cuda(number),
            Ok(_) => {
                let what = format!("no device '{name}': libtorch finds {cards} CUDA GPUs");
                return Err(BackendError::Device(what));
            }
            Err(_) => return Err(unknown(name)),
        },
        _ => return Err(unknown(name)),
    };
    if device.is_cuda() {
        // Shapes stay the same from step to step: the quickest algorithm is worth looking for.
        Cuda::cudnn_set_benchmark(true);
    }
    Ok(device)
}

/// How many cards CUDA has. libtorch's part for CUDA is loaded here and not linked, so that a
/// binary runs with a libtorch that has none.
fn cards() -> usize {
    static CUDA: OnceLock<Option<Library>> = OnceLock::new();
    #[allow(unsafe_code, reason = "libtorch's own library only registers itself")]
    // SAFETY: it is of the version that tch was built with, or else the loader refuses it, and it
    // stays loaded until the process ends.
    let cuda = CUDA.get_or_init(|| unsafe { Library::new(LIBRARY) }.ok());
    match cuda {
        Some(_) => usize::try_from(Cuda::device_count()).unwrap_or(0),
        None => 0,
    }
}

const LIBRARY: &str = if cfg!(windows) { "torch_cuda.dll" } else { "libtorch_cuda.so" };

fn unknown(name: &str) -> BackendError {
    BackendError::Device(format!(
        "libtorch has no device '{name}'; use auto, cpu, cuda, or cuda:0 and so on"
    ))
}

/// For people.
pub(super) fn name(device: Device) -> String {
    match device {
        Device::Cuda(number) => format!("cuda:{number}"),
        _ => {
            let threads = tch::get_num_threads();
            format!("cpu, {threads} thread{}", if threads == 1 { "" } else { "s" })
        }
    }
}
