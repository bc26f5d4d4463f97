//! Photos a second of whole training steps, forward to AdaGrad, on photos from the processor's
//! memory as in training. One line of JSON on standard output; bench/train.py runs it.
//!
//! `step_speed BACKEND DEVICE PRECISION ARCHITECTURE SIZE BATCH CLASSES SECONDS`

use std::{
    error::Error,
    io::{self, Write},
    time::{Duration, Instant},
};

use planet_data::PixelBatch;
use planet_net::{Architecture, NetworkOptions, Weights};
use planet_train::{ProcessGroup, StepOptions, TrainConfig};

/// Steps that look for algorithms and ask for memory.
const WARM_UP: usize = 3;
/// Fewest steps that are timed.
const FEWEST: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [backend, device, precision, architecture, size, photos, classes, seconds] = &arguments[..]
    else {
        return Err("BACKEND DEVICE PRECISION ARCHITECTURE SIZE BATCH CLASSES SECONDS".into());
    };
    let (side, photos, classes): (usize, usize, usize) =
        (size.parse()?, photos.parse()?, classes.parse()?);
    let config = TrainConfig {
        backend: backend.parse()?,
        device: device.clone(),
        precision: precision.parse()?,
        ..TrainConfig::default()
    };
    let options = NetworkOptions { size: [side; 2], classes, auxiliary: true };
    let network = architecture.parse::<Architecture>()?.network(options)?;
    let mut backend =
        config.open_backend(&network, &Weights::initial(&network, 0), &ProcessGroup::alone())?;
    let batches = [0, 1].map(|seed| pixels(photos, side, seed));
    let targets: Vec<u32> = (0..photos).map(|photo| (photo % classes) as u32).collect();
    let end = Duration::from_secs_f64(seconds.parse()?);

    backend.expect(&batches[0]);
    let mut times = Vec::new();
    let mut begin = Instant::now();
    while times.len() < WARM_UP + FEWEST || begin.elapsed() < end {
        let before = Instant::now();
        let options = StepOptions {
            learning_rate: 0.045,
            label_smoothing: 0.0,
            auxiliary_weight: 0.3,
            dropout: Some(times.len() as u64),
        };
        backend.expect(&batches[(times.len() + 1) % 2]);
        let report = backend.step(&batches[times.len() % 2], &targets, &options)?;
        if !report.is_finite() {
            return Err("the loss is no number".into());
        }
        times.push(before.elapsed().as_secs_f64());
        if times.len() == WARM_UP {
            begin = Instant::now();
        }
    }
    let timed = &mut times[WARM_UP..];
    timed.sort_unstable_by(f64::total_cmp);
    let speed = photos as f64 / timed[timed.len() / 2];
    let name = backend.name();
    let steps = timed.len();
    writeln!(
        io::stdout(),
        "{{\"photos_a_second\": {speed:.2}, \"steps\": {steps}, \"name\": \"{name}\"}}"
    )?;
    Ok(())
}

fn pixels(photos: usize, side: usize, seed: usize) -> PixelBatch {
    let mut batch = PixelBatch::with_capacity(photos, side, side);
    for photo in 0..photos {
        let value = |at: usize| ((at * 31 + photo * 17 + seed * 7) % 255) as f32 / 127.5 - 1.0;
        batch.push(&(0..3 * side * side).map(value).collect::<Vec<_>>());
    }
    batch
}
