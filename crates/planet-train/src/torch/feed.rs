use std::{
    collections::VecDeque,
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use planet_data::PixelBatch;
use tch::{Device, Kind, TchError, Tensor};

/// Brings photos to the device, channels last. Where that is not the processor, a thread of its
/// own brings those of the next step while this one computes.
pub(super) struct Feed {
    /// What the network computes with.
    kind: Kind,
    carrier: Option<Carrier>,
}

/// The thread, and what it was asked for and has not handed over, in order.
struct Carrier {
    ask: Sender<PixelBatch>,
    came: Receiver<Result<Tensor, TchError>>,
    asked: VecDeque<PixelBatch>,
}

impl Feed {
    pub(super) fn new(device: Device, kind: Kind) -> Self {
        let carrier = (device != Device::Cpu).then(|| Carrier::new(device, kind));
        Self { kind, carrier }
    }

    pub(super) fn looks_ahead(&self) -> bool {
        self.carrier.is_some()
    }

    /// Begins to bring a batch.
    pub(super) fn expect(&mut self, batch: &PixelBatch) {
        if let Some(carrier) = &mut self.carrier {
            carrier.begin(batch);
        }
    }

    /// `[photos, 3, height, width]`, channels last by its strides.
    pub(super) fn pixels(&mut self, batch: &PixelBatch) -> Result<Tensor, TchError> {
        match &mut self.carrier {
            Some(carrier) => carrier.end(batch),
            None => channels_last(&borrowed(batch)?, self.kind),
        }
    }
}

impl Carrier {
    fn new(device: Device, kind: Kind) -> Self {
        let (ask, asked) = mpsc::channel::<PixelBatch>();
        let (come, came) = mpsc::channel();
        thread::spawn(move || {
            // The device reads pinned memory by itself, even while the next batch is written: to
            // the other of the two, whose step has been waited for.
            let mut pinned = [None, None];
            for batch in asked {
                let brought = bring(&batch, &mut pinned[0], device, kind);
                pinned.swap(0, 1);
                drop(batch);
                if come.send(brought).is_err() {
                    break;
                }
            }
        });
        Self { ask, came, asked: VecDeque::new() }
    }

    fn begin(&mut self, batch: &PixelBatch) {
        // A thread that is gone shows when its answer is waited for.
        if self.ask.send(batch.clone()).is_ok() {
            self.asked.push_back(batch.clone());
        }
    }

    fn end(&mut self, batch: &PixelBatch) -> Result<Tensor, TchError> {
        let same = |asked: &PixelBatch| std::ptr::eq(asked.values(), batch.values());
        if !self.asked.front().is_some_and(same) {
            // What was expected did not come to pass.
            for _ in self.asked.drain(..) {
                drop(self.came.recv());
            }
            self.begin(batch);
        }
        self.asked.pop_front();
        let gone = |_| TchError::Torch("the thread that loads photos has ended".to_owned());
        self.came.recv().map_err(gone)?
    }
}

/// Copies a batch to the device through pinned memory, without waiting for the device.
fn bring(
    batch: &PixelBatch,
    pinned: &mut Option<Tensor>,
    device: Device,
    kind: Kind,
) -> Result<Tensor, TchError> {
    let host = borrowed(batch)?;
    let mut memory = match pinned.take() {
        Some(memory) if memory.size() == host.size() => memory,
        _ => Tensor::f_empty(host.size(), (Kind::Float, Device::Cpu))?.f_pin_memory(device)?,
    };
    memory.f_copy_(&host)?;
    let there = memory.f_to_device_(device, Kind::Float, true, false)?;
    *pinned = Some(memory);
    channels_last(&there, kind)
}

fn channels_last(pixels: &Tensor, kind: Kind) -> Result<Tensor, TchError> {
    pixels.f_permute([0, 2, 3, 1])?.f_to_kind(kind)?.f_contiguous()?.f_permute([0, 3, 1, 2])
}

/// The batch's own memory as a tensor, to be read while the batch is there.
#[allow(unsafe_code, reason = "libtorch takes a pointer; the shape is that of the values")]
fn borrowed(batch: &PixelBatch) -> Result<Tensor, TchError> {
    let shape = batch.shape().map(|side| side as i64);
    let values = batch.values().as_ptr().cast();
    // SAFETY: the values are `shape` f32 in a row, and the caller drops the tensor, or
    // all but copies of it, while the batch is still there.
    unsafe { Tensor::f_from_blob(values, &shape, &[], Kind::Float, Device::Cpu) }
}
