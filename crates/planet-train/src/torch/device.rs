use tch::{Cuda, Device};

use crate::BackendError;

/// The device of this name: `auto` takes the first card that CUDA has, else the processor.
pub(super) fn open(name: &str) -> Result<Device, BackendError> {
    let cards = usize::try_from(Cuda::device_count()).unwrap_or(0);
    let device = match name.split_once(':').unwrap_or((name, "0")) {
        ("auto", _) if cards > 0 => Device::Cuda(0),
        ("auto" | "cpu", _) => Device::Cpu,
        ("cuda", number) => match number.parse() {
            Ok(number) if number < cards => Device::Cuda(number),
            Ok(_) => {
                let what = format!("no device '{name}': libtorch finds {cards} CUDA cards");
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

fn unknown(name: &str) -> BackendError {
    BackendError::Device(format!("no device '{name}' with libtorch: auto, cpu, cuda or cuda:0 …"))
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
