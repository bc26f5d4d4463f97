//! Whether a stated level is as often right as it says, for the best possible model: the exact
//! posterior of the synthetic earth over a partition's cells.

use std::sync::Arc;

use planet::{CellProbabilities, LevelCalibration, Locator, LocatorOptions};
use planet_data::{Gazetteer, NoMonitor};
use planet_geo::{Adaptive, Keep, LatLng, Partition, PhotoLeaves, Scale};
use planet_world::{Coverage, World, WorldParameters};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const PHOTOS: usize = 10_000;

/// Positions of photos and the exact probabilities of their cells.
fn photos(world: &World, coverage: &Coverage, seed: u64) -> Vec<(LatLng, CellProbabilities)> {
    let photo = |at: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed << 32 | at as u64);
        let place = world.draw_place(&mut rng);
        let cues = world.draw_cues(place, &mut rng);
        let cells = coverage.cells(&world.posterior(&cues));
        let probabilities = CellProbabilities::from_weights(&cells).expect("a distribution");
        (world.draw_position(place, &mut rng), probabilities)
    };
    (0..PHOTOS).into_par_iter().map(photo).collect()
}

/// Cells of the size of the demo's and finer ones, from photos of their own.
fn partition(world: &World, split_above: u64) -> Partition {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let position = |_| {
        let place = world.draw_place(&mut rng);
        world.draw_position(place, &mut rng)
    };
    let leaves: PhotoLeaves = (0..30_000).map(position).collect();
    let rules = Adaptive { split_above, keep: Keep::From(20), ..Adaptive::default() };
    rules.build(&leaves).expect("cells")
}

/// How often each level is stated, the mean stated probability and the share of correct ones.
fn stated(locator: &Locator, photos: &[(LatLng, CellProbabilities)]) -> [(f64, f64, f64); 5] {
    let one = |(position, probabilities): &(LatLng, CellProbabilities)| {
        let certain = locator.of("photo", probabilities).certain?;
        let is_right = certain.position.distance_to(*position) <= certain.level.radius();
        Some((certain.level, f64::from(certain.probability), f64::from(u8::from(is_right))))
    };
    let all: Vec<_> = photos.par_iter().filter_map(one).collect();
    Scale::ALL.map(|level| {
        let of_level = || all.iter().filter(move |(it, ..)| *it == level);
        let count = of_level().count() as f64;
        let mean =
            |value: fn(&(Scale, f64, f64)) -> f64| of_level().map(value).sum::<f64>() / count;
        (count, mean(|it| it.1), mean(|it| it.2))
    })
}

#[test]
fn a_stated_level_is_as_often_right_as_it_says_for_the_best_possible_model() {
    let world = World::draw(WorldParameters::new(0)).expect("a world");
    for split_above in [300, 60] {
        let partition = Arc::new(partition(&world, split_above));
        let coverage = Coverage::new(&world, &partition, &NoMonitor).expect("nobody ends it");
        let (validation, test) = (photos(&world, &coverage, 2), photos(&world, &coverage, 3));
        let logits: Vec<f32> = validation
            .iter()
            .flat_map(|(_, it)| it.values().iter().map(|p| p.max(1e-30).ln()))
            .collect();
        let positions: Vec<LatLng> = validation.iter().map(|(position, _)| *position).collect();
        let levels = LevelCalibration::fit(&partition, 1.0, &logits, &positions).expect("fits");
        let options = LocatorOptions { names: false, ..LocatorOptions::default() };
        let locator = |levels| {
            let gazetteer = Arc::new(Gazetteer::new());
            Locator::new(Arc::clone(&partition), 1.0, options.clone(), gazetteer)
                .expect("all classes")
                .with_levels(levels)
        };
        let rows = stated(&locator(levels), &test);
        for (scale, (count, said, right)) in Scale::ALL.into_iter().zip(rows) {
            // What chance alone moves the share by, twice.
            let chance = 2.0 * (right * (1.0 - right) / count).sqrt();
            assert!(
                count < 100.0 || (said - right).abs() <= 0.03 + chance,
                "{}: stated {said:.3}, right {right:.3}, {count} times",
                scale.name()
            );
        }
        assert!(rows.iter().filter(|(count, ..)| *count >= 100.0).count() >= 4, "{rows:?}");
    }
}
