use planet_data::PixelBatch;
use tch::{Device, Kind, TchError, Tensor};

/// Brings photos to the device: as they are through memory that the device reads by itself, and
/// there channels last.
pub(super) struct Feed {
    device: Device,
    /// What the network computes with.
    kind: Kind,
    /// Pinned memory of the last batch's shape, where the device is not the processor.
    pinned: Option<Tensor>,
}

impl Feed {
    pub(super) fn new(device: Device, kind: Kind) -> Self {
        Self { device, kind, pinned: None }
    }

    /// `[photos, 3, height, width]`, channels last by its strides.
    pub(super) fn pixels(&mut self, batch: &PixelBatch) -> Result<Tensor, TchError> {
        let host = borrowed(batch)?;
        let there = if self.device == Device::Cpu {
            host
        } else {
            // The step before this one has been waited for, and its copy with it.
            let device = self.device;
            let pinned = self.pinned(&host.size())?;
            pinned.f_copy_(&host)?;
            pinned.f_to_device_(device, Kind::Float, true, false)?
        };
        let last = there.f_permute([0, 2, 3, 1])?.f_to_kind(self.kind)?.f_contiguous()?;
        last.f_permute([0, 3, 1, 2])
    }

    fn pinned(&mut self, shape: &[i64]) -> Result<&mut Tensor, TchError> {
        if self.pinned.as_ref().is_none_or(|pinned| pinned.size() != shape) {
            let memory = Tensor::f_empty(shape, (Kind::Float, Device::Cpu))?;
            self.pinned = Some(memory.f_pin_memory(self.device)?);
        }
        Ok(self.pinned.as_mut().expect("it was just made"))
    }
}

/// The batch's own memory as a tensor, to be read while the batch is there.
#[allow(unsafe_code, reason = "libtorch takes a pointer; the shape is that of the values")]
fn borrowed(batch: &PixelBatch) -> Result<Tensor, TchError> {
    let shape = batch.shape().map(|side| side as i64);
    let values = batch.values().as_ptr().cast();
    // SAFETY: the values are `shape` f32 in a row, and `Feed::pixels` drops the tensor, or hands
    // out a copy of it, before the borrow ends.
    unsafe { Tensor::f_from_blob(values, &shape, &[], Kind::Float, Device::Cpu) }
}
