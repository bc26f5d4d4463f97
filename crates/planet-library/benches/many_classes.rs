//! Time over as many classes as the paper's: a prediction from scores, and a library of 10,000
//! photos with a model. One run each, since a library takes minutes:
//!
//! `cargo bench --workspace --bench many_classes`
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{sync::Arc, time::Instant};

use planet::{Locator, LocatorOptions};
use planet_data::{Gazetteer, NoMonitor, PhotoRecord};
use planet_geo::{CellId, Class, ClassKind, LatLng, Partition, PartitionInfo};
use planet_library::{Library, ModelOutput};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// All cells of this level: 24,576.
const LEVEL: u32 = 6;
const PHOTOS: usize = 10_000;
const PREDICTIONS: usize = 1_000;
/// Classes that a model finds possible beside the best one.
const RIVALS: usize = 100;

fn main() {
    let partition = Arc::new(partition());
    println!("{} classes", partition.len());
    predictions(&partition);
    library(&partition);
}

fn partition() -> Partition {
    let each = 4u64.pow(LEVEL);
    let class = |at: u64| {
        // Face and position along the curve, then the bit that marks the level (S2's own layout).
        let below = 2 * (30 - LEVEL) + 1;
        let cell = CellId::new(at << below | 1 << (below - 1)).expect("a cell");
        let centre = Some(cell.centre());
        Class { kind: ClassKind::Cells(vec![cell]), photos: 1, mean: centre, centre, scatter: None }
    };
    let cells = 0..6 * each;
    Partition::new(PartitionInfo::default(), cells.map(class).collect()).expect("disjoint cells")
}

/// Scores whose best class holds about half of the probability.
fn scores(best: usize, classes: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut scores = vec![-12.0; classes];
    (0..RIVALS).for_each(|_| scores[rng.random_range(0..classes)] = rng.random_range(0.0..4.0));
    scores[best] = 7.5;
    scores
}

fn predictions(partition: &Arc<Partition>) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let gazetteer = Arc::new(Gazetteer::new());
    let begun = Instant::now();
    let locator = Locator::new(Arc::clone(partition), 1.0, LocatorOptions::default(), gazetteer)
        .expect("all classes");
    println!("locator made in {:.2} s", begun.elapsed().as_secs_f64());
    let all: Vec<Vec<f32>> = (0..PREDICTIONS)
        .map(|_| scores(rng.random_range(0..partition.len()), partition.len(), &mut rng))
        .collect();
    let begun = Instant::now();
    for scores in &all {
        locator.predict("photo", scores).expect("a distribution");
    }
    let each = begun.elapsed().as_secs_f64() / PREDICTIONS as f64;
    println!("{:.2} ms for a prediction, one thread", 1000.0 * each);
}

/// Every photo within reach of the one before it, every second position known.
fn library(partition: &Arc<Partition>) {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut place = (48.0f64, 10.0f64);
    let mut records = Vec::new();
    for photo in 0..PHOTOS {
        if photo % 50 == 0 {
            place = (rng.random_range(-50.0..60.0), rng.random_range(-170.0..170.0));
        }
        place.0 += rng.random_range(-0.1..0.1);
        let minutes = photo as u32 * 20;
        let (day, minute) = (minutes / 1440, minutes % 1440);
        let (month, day) = (1 + day / 28 % 12, 1 + day % 28);
        let time = format!("2021-{month:02}-{day:02}T{:02}:{:02}:00", minute / 60, minute % 60);
        let position = LatLng::new(place.0, place.1).ok();
        records.push(PhotoRecord {
            photo: photo.to_string(),
            time: Some(time),
            position,
            ..PhotoRecord::default()
        });
    }
    let known: Vec<Option<LatLng>> =
        (0..PHOTOS).map(|row| records[row].position.filter(|_| row / 25 % 2 == 0)).collect();
    let probabilities = |row: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(row as u64);
        let best = partition.class_of(records[row].position?)?;
        let scores = scores(best.index(), partition.len(), &mut rng);
        let sum: f32 = scores.iter().map(|score| score.exp()).sum();
        Some(scores.iter().map(|score| score.exp() / sum).collect())
    };
    let output = ModelOutput { partition, probabilities: &probabilities, prior: None };
    let library = Library::new(&records, Some(output));
    let (options, gazetteer) = (LocatorOptions::default(), Arc::new(Gazetteer::new()));
    let begun = Instant::now();
    let calibration = library.calibrate(&known, &options, &NoMonitor);
    let calibration = calibration.expect("positions are known");
    let calibrated = begun.elapsed().as_secs_f64();
    let mut located = 0;
    library
        .locate(&known, &calibration, &options, &gazetteer, &NoMonitor, |_, prediction| {
            located += usize::from(!prediction.candidates.is_empty());
        })
        .expect("positions are known");
    let all = begun.elapsed().as_secs_f64();
    println!(
        "{located} of {PHOTOS} photos with a model: {calibrated:.0} s to calibrate, {all:.0} s in all"
    );
}
