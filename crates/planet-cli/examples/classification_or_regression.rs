//! Compares classification with regression (paper, section 3): one network is trained to name the cell of a
//! photo, to give its position as a unit vector, or to give a von Mises–Fisher distribution over the sphere,
//! and locates new photos. Prints a Markdown table: percent of the photos within each scale, median error.
//!
//! All three learn from the photos inside a cell, by the same steps and with the same optimizer:
//!
//! - `cells`: cross entropy over the partition's classes; the answer is the point of the most probable cell;
//! - `unit-vector`: three outputs, o; the loss is 1 − x · o/|o| for a photo at x, half the squared chord; the
//!   answer is o/|o|;
//! - `von-mises-fisher`: a fourth output is the logarithm of the concentration κ; the loss is −log of the density
//!   κ exp(κ x · o/|o|) / (4π sinh κ); the answer is o/|o|, the mean and the mode.
//!
//! `cargo run --release --example classification_or_regression -- --dataset MANIFEST --test MANIFEST
//! --partition CELLS [--head cells|unit-vector|von-mises-fisher] [--epochs N] [--seeds N] [--learning-rate R]`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints its results")]

use std::{error::Error, f64::consts::PI, path::PathBuf, sync::Arc};

use clap::{Parser, ValueEnum};
use planet::{Accuracy, Activations};
use planet_data::{
    DiskStore, Loader, LoaderOptions, Manifest, PhotoStore, Preprocess,
    table::{self, TableSource},
};
use planet_geo::{Distance, LatLng, Partition, Scale};
use planet_net::{Architecture, NetworkOptions, Weights};
use planet_train::{Backend, Cpu, Loss, Optimizer, StepOptions};

/// Logarithms of the least and greatest concentration: at the least the density is e² = 7 times as high at the
/// mean as opposite, at the greatest the standard deviation is 10 km along either axis. Below, the direction has
/// almost no slope, and a network that once comes there stays there.
const LOG_KAPPA: [f64; 2] = [0.0, 13.0];

#[derive(Parser)]
struct Arguments {
    /// Photos to learn from (FILE or FILE:SPLIT)
    #[arg(long)]
    dataset: String,
    /// Photos to locate
    #[arg(long)]
    test: String,
    /// Partition of the classifier, and the place of all photos that are learned from
    #[arg(long)]
    partition: PathBuf,
    /// Side of the input in pixels
    #[arg(long, default_value_t = 64)]
    size: usize,
    #[arg(long, default_value_t = 8)]
    epochs: u64,
    /// Only this kind of head
    #[arg(long, value_enum)]
    head: Option<Head>,
    /// Networks of each kind, with the seeds 0, 1, …
    #[arg(long, default_value_t = 2)]
    seeds: u64,
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Learning rate at the beginning; it falls to 0 by half a cosine
    #[arg(long, default_value_t = 0.1)]
    learning_rate: f64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Head {
    Cells,
    UnitVector,
    VonMisesFisher,
}

impl Head {
    const ALL: [Self; 3] = [Self::Cells, Self::UnitVector, Self::VonMisesFisher];

    const fn name(self) -> &'static str {
        match self {
            Self::Cells => "cells",
            Self::UnitVector => "unit-vector",
            Self::VonMisesFisher => "von-mises-fisher",
        }
    }

    fn outputs(self, partition: &Partition) -> usize {
        match self {
            Self::Cells => partition.len(),
            Self::UnitVector => 3,
            Self::VonMisesFisher => 4,
        }
    }

    /// Where a photo with these outputs was taken; the outputs are of finite weights.
    fn answer(self, outputs: &[f32], partition: &Partition) -> Option<LatLng> {
        if self != Self::Cells {
            return LatLng::from_vector(direction(outputs).0);
        }
        let best = (0..).zip(outputs).max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        partition.point(planet_geo::ClassId(best.0))
    }
}

/// The unit vector of the first three outputs, and their length.
fn direction(outputs: &[f32]) -> ([f64; 3], f64) {
    let vector: [f64; 3] = std::array::from_fn(|at| f64::from(outputs[at]));
    let length = dot(&vector, &vector).sqrt().max(1e-12);
    (vector.map(|it| it / length), length)
}

fn dot(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The loss of a photo at `truth`, and its derivative by each output.
fn differentiate(outputs: &[f32], truth: &[f64; 3]) -> (f64, Vec<f64>) {
    let (mean, length) = direction(outputs);
    let cosine = dot(&mean, truth);
    // By the outputs of the direction, for a loss that falls by the cosine.
    let turn = |at: usize| -(truth[at] - cosine * mean[at]) / length;
    let Some(log_kappa) = outputs.get(3) else {
        return (1.0 - cosine, (0..3).map(turn).collect());
    };
    let log_kappa = f64::from(*log_kappa);
    let [least, greatest] = LOG_KAPPA;
    let kappa = log_kappa.clamp(least, greatest).exp();
    // log(sinh κ / κ) − κ is finite for every κ, and its derivative is coth κ − 1/κ − 1.
    let log_norm = ((-(-2.0 * kappa).exp_m1()) / (2.0 * kappa)).ln();
    let loss = (4.0 * PI).ln() + log_norm + kappa * (1.0 - cosine);
    let concentration = 1.0 / kappa.tanh() - 1.0 / kappa - cosine;
    let by_log_kappa = kappa * concentration;
    // Outside, only what leads back.
    let leaves = if by_log_kappa > 0.0 { log_kappa <= least } else { log_kappa >= greatest };
    let by_log_kappa = if leaves { 0.0 } else { by_log_kappa };
    (loss, (0..3).map(|at| kappa * turn(at)).chain([by_log_kappa]).collect())
}

/// Photos of known position, in the order of their manifest.
struct Set {
    store: Arc<dyn PhotoStore>,
    photos: Vec<String>,
    positions: Vec<LatLng>,
}

impl Set {
    fn read(source: &str) -> Result<Self, Box<dyn Error>> {
        let manifest = Manifest::load(&TableSource::parse(source), None)?;
        let store = Arc::new(DiskStore::new(manifest.root));
        let known = manifest.records.into_iter();
        let known = known.filter_map(|it| Some((it.known_position()?, it.photo)));
        let (positions, photos) = known.unzip();
        Ok(Self { store, photos, positions })
    }

    fn loader(&self, size: usize, options: LoaderOptions) -> Result<Loader, Box<dyn Error>> {
        let preprocess = Preprocess::inception(size);
        Ok(Loader::new(self.store.clone(), self.photos.clone(), preprocess, options)?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let path = &arguments.partition;
    let partition = Partition::read(table::open_text(path)?, &path.to_string_lossy())?;
    let mut training = Set::read(&arguments.dataset)?;
    let inside: Vec<bool> =
        training.positions.iter().map(|it| partition.class_of(*it).is_some()).collect();
    let mut rows = inside.iter();
    training.photos.retain(|_| *rows.next().expect("one each"));
    let mut rows = inside.iter();
    training.positions.retain(|_| *rows.next().expect("one each"));
    let test = Set::read(&arguments.test)?;
    let names = Scale::ALL.map(Scale::name).join(" | ");
    println!("| | {names} | median, km |\n|---|---|---|---|---|---|---|");
    for head in Head::ALL.into_iter().filter(|it| arguments.head.is_none_or(|only| only == *it)) {
        for seed in 0..arguments.seeds {
            let mut distances = run(&arguments, head, seed, &partition, &training, &test)?;
            let mut accuracy = Accuracy::default();
            distances.iter().for_each(|it| accuracy.add([*it]));
            distances.sort_by(Distance::total_cmp);
            let median = distances[distances.len() / 2].km();
            let shares = accuracy.shares(1).map(|share| format!("{:.1}", 100.0 * share));
            println!("| {}, seed {seed} | {} | {median:.0} |", head.name(), shares.join(" | "));
        }
    }
    Ok(())
}

/// Trains one network; how far it is from each test photo, which is half the earth's circumference where the
/// photo cannot be decoded.
fn run(
    arguments: &Arguments,
    head: Head,
    seed: u64,
    partition: &Partition,
    training: &Set,
    test: &Set,
) -> Result<Vec<Distance>, Box<dyn Error>> {
    let classes = head.outputs(partition);
    let options = NetworkOptions { size: [arguments.size; 2], classes, auxiliary: false };
    let network = Architecture::InceptionMini.network(options)?;
    let optimizer = Optimizer { average: Some(0.999), ..Optimizer::default() };
    let mut backend = Cpu::new(&network, &Weights::initial(&network, seed), optimizer)?;
    let loader = training.loader(arguments.size, LoaderOptions::training(arguments.batch, seed))?;
    let steps = arguments.epochs * loader.batches_per_epoch() as u64;
    let mut step = 0;
    for epoch in 0..arguments.epochs {
        let mut losses = Vec::new();
        for batch in loader.epoch(epoch, 0) {
            let batch = batch?;
            let turn = PI * step as f64 / steps as f64;
            let options = StepOptions {
                learning_rate: 0.5 * arguments.learning_rate * (1.0 + turn.cos()),
                label_smoothing: 0.0,
                auxiliary_weight: 0.0,
                dropout: Some(step),
            };
            let truths = batch.rows.iter().map(|row| training.positions[*row]);
            let report = if head == Head::Cells {
                let class = |it| partition.class_of(it).expect("it is inside").0;
                let targets: Vec<u32> = truths.map(class).collect();
                backend.step(&batch.pixels, &targets, &options)?
            } else {
                let truths: Vec<[f64; 3]> = truths.map(LatLng::to_vector).collect();
                let mut loss = |outputs: &mut [f32]| -> Vec<Loss> {
                    let rows = outputs.chunks_exact_mut(classes).zip(&truths);
                    let of_row = |(row, truth): (&mut [f32], &[f64; 3])| {
                        let (loss, derivative) = differentiate(row, truth);
                        let share = 1.0 / truths.len() as f64;
                        row.iter_mut()
                            .zip(derivative)
                            .for_each(|(it, by)| *it = (share * by) as f32);
                        Loss { loss: loss as f32, rank: 0 }
                    };
                    rows.map(of_row).collect()
                };
                backend.step_by(&batch.pixels, &mut loss, &options)?
            };
            losses.push(report.loss);
            step += 1;
        }
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        eprintln!("{}, seed {seed}, epoch {epoch}: loss {mean:.4}", head.name());
    }
    let farthest = Distance::from_km(20_015.0);
    let mut distances = vec![farthest; test.photos.len()];
    let loader = test.loader(arguments.size, LoaderOptions::evaluation(arguments.batch))?;
    for batch in loader.epoch(0, 0) {
        let batch = batch?;
        let outputs: Activations = backend.forward(&batch.pixels)?;
        for (at, row) in batch.rows.iter().enumerate() {
            let answer = head.answer(outputs.logits_of(at), partition);
            distances[*row] = answer.map_or(farthest, |it| it.distance_to(test.positions[*row]));
        }
    }
    Ok(distances)
}
