//! Photos a second of a whole training step: pixels to the device, forward, loss, backward,
//! AdaGrad, the losses back.
//!
//! `step_speed ARCHITECTURE SIDE BATCH CLASSES BACKEND DEVICE PRECISION [SECONDS]`, as in
//! `step_speed inception-v3 299 64 500 torch cuda:0 bf16`; bench/train.py runs it beside PyTorch.

#![allow(clippy::print_stdout, reason = "a program: it prints what it found")]

use std::{env, error::Error, time::Instant};

use planet_data::PixelBatch;
use planet_net::{Architecture, NetworkOptions, Weights};
use planet_train::{Backend, Cpu, Optimizer, Precision, StepOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (settings, seconds) = arguments.split_at_checked(7).ok_or("see the top of the source")?;
    let [architecture, side, photos, classes, backend, device, precision] = settings else {
        unreachable!("seven settings");
    };
    let (side, photos, classes) = (side.parse()?, photos.parse()?, classes.parse()?);
    let seconds = seconds.first().map_or(Ok(8.0), |seconds| seconds.parse::<f64>())?;
    // The auxiliary head's place wants a picture of the usual size.
    let architecture: Architecture = architecture.parse()?;
    let auxiliary = side >= architecture.usual_side();
    let network = architecture.network(NetworkOptions { size: [side; 2], classes, auxiliary })?;
    let weights = Weights::initial(&network, 0);
    let mut backend: Box<dyn Backend> = match &**backend {
        "cpu" => Box::new(Cpu::new(&network, &weights, Optimizer::default())?),
        _ => torch(&network, &weights, device, precision.parse()?)?,
    };
    // Two batches in turn: nothing is left over from the last step in any cache.
    let batches = [pixels(photos, side, 0), pixels(photos, side, 1)];
    let targets: Vec<u32> = (0..photos).map(|at| (at % classes) as u32).collect();
    let options = StepOptions {
        learning_rate: 0.045,
        label_smoothing: 0.0,
        auxiliary_weight: 0.3,
        dropout: Some(0),
    };
    let mut step = |at: usize| backend.step(&batches[at % 2], &targets, &options);
    for warm_up in 0..3 {
        step(warm_up)?;
    }
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || begin.elapsed().as_secs_f64() < seconds {
        let before = Instant::now();
        step(times.len())?;
        times.push(before.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!(
        "{:.2} photos/s, {:.2} ms a step, {}",
        photos as f64 / median,
        median * 1e3,
        backend.name()
    );
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

#[cfg(feature = "torch")]
fn torch(
    network: &planet_net::Network,
    weights: &Weights,
    device: &str,
    precision: Precision,
) -> Result<Box<dyn Backend>, Box<dyn Error>> {
    let optimizer = Optimizer::default();
    Ok(Box::new(planet_train::Torch::new(network, weights, optimizer, device, precision)?))
}

#[cfg(not(feature = "torch"))]
fn torch(
    _: &planet_net::Network,
    _: &Weights,
    _: &str,
    _: Precision,
) -> Result<Box<dyn Backend>, Box<dyn Error>> {
    Err("built without the feature torch".into())
}
