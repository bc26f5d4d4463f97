use std::{fmt, path::Path, sync::Arc, time::Instant};

use planet::{
    Engine, Locator, LocatorOptions, ModelPackage,
    occlusion::{OcclusionOptions, Search, Target, explain},
};
use planet_data::{DiskStore, Gazetteer, NoMonitor};
use planet_engine::OnnxEngine;
use serde::{Deserialize, Serialize};

use super::bench::pixels;
use crate::failure::Failure;

/// Photos that are explained together: as `planet explain` is used on a folder.
const TOGETHER: usize = 4;

/// How fast occlusion maps are beside the bare network. Both take turns, so that what else the
/// computer does weighs on both alike; the shares are medians over the turns.
#[derive(Debug, Serialize, Deserialize)]
pub struct MapSpeed {
    /// Passes of the network a second, decoding and hiding included, four photos together.
    passes_per_s: f64,
    /// That as a share of the photos a second of the bare network in batches.
    share: f64,
    /// The same share for one photo alone.
    alone: f64,
    /// The same share for one photo alone, coarse to fine.
    coarse_to_fine: f64,
}

impl fmt::Display for MapSpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passes_per_s, share, alone, coarse_to_fine } = self;
        write!(
            f,
            "maps: {passes_per_s:.1} passes/s, {share:.3} of the bare network; of one photo alone \
             {alone:.3}, coarse to fine {coarse_to_fine:.3}"
        )
    }
}

impl MapSpeed {
    /// Measures for some seconds, three turns at least.
    pub fn measure(
        model: &Path,
        engine: &mut OnnxEngine,
        photo: &Path,
        batch: usize,
        seconds: f64,
    ) -> Result<Self, Failure> {
        if !model.is_dir() {
            return Err(Failure::usage(
                "--explain needs a model package, which says how photos are prepared",
            ));
        }
        let package = ModelPackage::open(model).map_err(Failure::new)?;
        let description = package.description().clone();
        let many = pixels(batch, description.preprocess.size);
        let options = LocatorOptions { names: false, ..LocatorOptions::default() };
        let partition = package.shared_partition();
        let locator =
            Locator::new(partition, description.temperature, options, Arc::new(Gazetteer::new()))
                .map_err(Failure::new)?;
        let (Some(root), Some(name)) = (photo.parent(), photo.file_name()) else {
            return Err(Failure::usage(format!("{} is no photo", photo.display())));
        };
        let (store, id) = (DiskStore::new(root), name.to_string_lossy().into_owned());
        // Passes a second of so many photos at once.
        let maps = |engine: &mut OnnxEngine, photos: usize, search| -> Result<f64, Failure> {
            let photos = vec![(id.clone(), None); photos];
            let options =
                OcclusionOptions { target: Target::Best, search, batch, ..Default::default() };
            let (mut passes, mut problem) = (0, None);
            let began = Instant::now();
            explain(
                engine,
                &locator,
                &description.preprocess,
                &store,
                &photos,
                &options,
                &NoMonitor,
                |_, found| match found {
                    Ok(found) => passes += found.passes,
                    Err(error) => problem = Some(Failure::new(format!("{id}: {error}"))),
                },
            )
            .map_err(Failure::new)?;
            problem.map_or(Ok(passes as f64 / began.elapsed().as_secs_f64()), Err)
        };
        let bare = |engine: &mut OnnxEngine| -> Result<f64, Failure> {
            let (rounds, began) = (1 + 100 / batch, Instant::now());
            for _ in 0..rounds {
                engine.run(&many).map_err(Failure::new)?;
            }
            Ok((rounds * batch) as f64 / began.elapsed().as_secs_f64())
        };
        let mut turns: [Vec<f64>; 4] = Default::default();
        let began = Instant::now();
        while turns[0].len() < 3 || began.elapsed().as_secs_f64() < seconds {
            let before = bare(engine)?;
            let speeds = [
                maps(engine, TOGETHER, Search::Every)?,
                maps(engine, 1, Search::Every)?,
                maps(engine, 1, Search::CoarseToFine)?,
            ];
            let bare = (before + bare(engine)?) / 2.0;
            turns[0].push(speeds[0]);
            turns[1..].iter_mut().zip(speeds).for_each(|(turns, it)| turns.push(it / bare));
        }
        let [passes_per_s, share, alone, coarse_to_fine] = turns.map(median);
        Ok(Self { passes_per_s, share, alone, coarse_to_fine })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
