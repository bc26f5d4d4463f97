use std::{
    io::{self, Write},
    path::Path,
};

use planet_geo::Partition;
use planet_train::{RunFolder, TrainConfig};

use super::{Start, ranks, train_once};
use crate::failure::Failure;

/// Trains one model a seed, in `OUTPUT/seed-S`, and reports each score's mean ± standard
/// deviation. Runs that are whole already are taken as they are, begun ones go on.
pub fn run(
    seeds: &[u64],
    output: &Path,
    config: &TrainConfig,
    partition: &Partition,
) -> Result<(), Failure> {
    let group = ranks::group()?;
    let mut columns: Vec<(String, Vec<f64>)> = Vec::new();
    for &seed in seeds {
        let folder = RunFolder::at(output.join(format!("seed-{seed}")));
        let config = TrainConfig { seed, ..config.clone() };
        let start = if folder.config().exists() { Start::Resume } else { Start::New };
        if start == Start::Resume {
            // A run of other settings is no result of these.
            folder.check_made_with(&config).map_err(super::failure)?;
        }
        let Some(best) = train_once(&group, folder, config, partition.clone(), start)? else {
            continue;
        };
        for (name, value) in best.columns() {
            let Some(value) = value else { continue };
            match columns.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => columns.push((name, vec![value])),
            }
        }
    }
    group.leave().map_err(ranks::failure)?;
    if !group.is_first() {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{:<28} {:>12} {:>12}  ({} seeds)", "", "mean", "deviation", seeds.len())?;
    for (name, values) in columns {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
        writeln!(out, "{name:<28} {mean:>12.4} {deviation:>12.4}")?;
    }
    Ok(())
}
