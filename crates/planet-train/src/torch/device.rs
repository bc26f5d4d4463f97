use std::sync::OnceLock;

use libloading::{Library, library_filename};
use tch::{Cuda, Device, Kind};

use crate::{BackendError, Precision};

/// Graphics cards that libtorch can use.
pub(crate) fn cuda_devices() -> usize {
    static CUDA: OnceLock<Option<Library>> = OnceLock::new();
    // The linker leaves out a library that nobody calls by name: it announces itself when it is
    // loaded. A libtorch without it sees no cards.
    #[allow(unsafe_code, reason = "the library belongs to the libtorch that is in use")]
    CUDA.get_or_init(|| unsafe {
        // SAFETY: what runs when it is loaded is PyTorch's own registration.
        Library::new(library_filename("torch_cuda")).ok()
    });
    if Cuda::is_available() { usize::try_from(Cuda::device_count()).unwrap_or(0) } else { 0 }
}

/// The device of a name: `auto`, `cpu`, `cuda`, `cuda:1`.
pub(super) fn find(name: &str) -> Result<Device, BackendError> {
    let cards = cuda_devices();
    let number = match name {
        "cpu" => return Ok(Device::Cpu),
        "auto" if cards == 0 => return Ok(Device::Cpu),
        "auto" | "cuda" => Some(0),
        other => other.strip_prefix("cuda:").and_then(|number| number.parse().ok()),
    };
    match number {
        Some(number) if number < cards => Ok(Device::Cuda(number)),
        Some(_) => {
            Err(BackendError::Device(format!("no device '{name}': libtorch sees {cards} cards")))
        }
        None => {
            let what = format!("libtorch knows no device '{name}': auto, cpu, cuda, cuda:1");
            Err(BackendError::Device(what))
        }
    }
}

/// Sets what holds for the whole process.
pub(super) fn prepare(device: Device) {
    match device {
        // Photos are all of one size: looking for the fastest kernel pays.
        Device::Cuda(_) => Cuda::cudnn_set_benchmark(true),
        _ => tch::set_num_threads(i32::try_from(rayon::current_num_threads()).unwrap_or(1)),
    }
}

impl Precision {
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::F32 => Kind::Float,
            Self::Bf16 => Kind::BFloat16,
        }
    }
}
