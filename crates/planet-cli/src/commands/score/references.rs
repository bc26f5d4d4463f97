//! What a score is compared with, as far as it needs more than predictions.

use std::collections::BTreeMap;

use planet::report::References;
use planet_data::Manifest;
use planet_geo::Partition;
use planet_world::{Ceiling, GivenPhotos, World, WorldParameters};

use crate::{failure::Failure, progress::Progress};

/// Adds the best possible accuracy on exactly these photos of a synthetic earth, whose categories are in the
/// column `by`.
pub fn push_ideals(
    references: &mut References,
    manifest: &Manifest,
    partition: &Partition,
    by: &str,
) -> Result<(), Failure> {
    let parameters = WorldParameters::read(&manifest.root).map_err(Failure::new)?;
    let world = World::draw(parameters).map_err(Failure::new)?;
    let given = GivenPhotos::of(manifest).map_err(Failure::new)?;
    let progress = Progress::new("photos");
    let ceiling = Ceiling::of(&world, partition, &given, &progress).map_err(Failure::new);
    progress.finish();
    let ceiling = ceiling?;
    let ideal = |k: usize| ceiling.scales.each_ref().map(|scale| scale.ideal[k].mean);
    references.push("ideal classifier", ideal(0));
    references.push("upper bound", ceiling.scales.each_ref().map(|scale| scale.bound.mean));
    references.push("ideal classifier, best of 5", ideal(planet_world::ANSWERS - 1));
    references.log_loss = Some(ceiling.log_loss);
    let mut categories: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let scored = given.photos.iter().filter(|photo| photo.scored);
    for (photo, loss) in scored.zip(&ceiling.log_losses) {
        if let (Some(name), Some(loss)) = (manifest.records[photo.row].value(by), loss) {
            categories.entry(name).or_default().push(*loss);
        }
    }
    let mean = |losses: Vec<f64>| losses.iter().sum::<f64>() / losses.len() as f64;
    references.category_log_losses =
        categories.into_iter().map(|(name, losses)| (name, mean(losses))).collect();
    references.cells.push(("right cell first, ideal classifier, %".to_owned(), ceiling.cell.mean));
    Ok(())
}
