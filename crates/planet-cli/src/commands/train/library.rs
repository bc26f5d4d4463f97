//! `planet train --photos DIR`: trains on a user's own library, from its headers to a run.

use std::path::Path;

use planet::map::Region;
use planet_data::{Manifest, Split, SplitBy};
use planet_geo::{Adaptive, Keep, Level, PhotoLeaves, Point};
use planet_net::Architecture;
use planet_train::{ArchitectureName, RunFolder, TrainConfig};

use crate::{
    commands::{
        album::photos,
        partition::{build, files::Format},
    },
    failure::Failure,
};

/// Fewer photos with a position than this teach nothing.
const FEWEST: usize = 100;
/// Share of the days whose photos say when to stop.
const VALIDATION: f64 = 0.15;
/// Files of a run's folder.
const MANIFEST_FILE: &str = "photos.parquet";
const CELLS_FILE: &str = "cells.csv";
const OURS: [&str; 2] = [MANIFEST_FILE, CELLS_FILE];

/// Cells above this many photos are split, and those below the second number dropped.
///
/// The paper has t1 = 10,000 and t2 = 50 for 91 million photos, of which 10,000 is about the root;
/// ours is the root for libraries of any size, and t2 a seventh of it, so that a cell is neither
/// learned from a handful of photos nor a tenth of the library lost, and at most the paper's 50.
pub fn thresholds(photos: u64) -> (u64, u64) {
    let split_above = photos.isqrt().max(20);
    (split_above, (split_above / 7).clamp(5, 50))
}

/// Reads a folder's headers, divides its days, builds the classes, and changes the config so that
/// a run learns from them. Nothing is written but into the run's folder.
pub fn prepare(
    folder: &Path,
    output: &Path,
    config: &mut TrainConfig,
    choose: bool,
) -> Result<(), Failure> {
    let run = RunFolder::at(output);
    run.check_free(&OURS).map_err(super::failure)?;
    let text = folder.to_string_lossy();
    let Manifest { root, mut records } = photos::read(&text, None)?;
    let all = records.len();
    records.retain(|record| record.position.is_some());
    if records.len() < FEWEST {
        let what = format!("{} of {all} photos in {text} have a position", records.len());
        return Err(Failure::new(what).hint(format!("training requires at least {FEWEST}")));
    }
    // Neighbours of one day are metres apart: they must not stand on both sides.
    let split = Split { by: SplitBy::Day, validation: VALIDATION, test: 0.0, seed: config.seed };
    let mut groups = split.groups();
    records.iter().for_each(|record| groups.add(record));
    let parts = groups.divide();
    for record in &mut records {
        record.split = Some(parts.part(record).to_owned());
    }
    let learnt = records.iter().filter(|record| record.split.as_deref() == Some("train"));
    let leaves: PhotoLeaves = learnt.filter_map(|record| record.position).collect();
    let (split_above, keep_from) = thresholds(leaves.len() as u64);
    let rules = Adaptive {
        split_above,
        keep: Keep::From(keep_from),
        min_level: Level::new(0).expect("0 is a level"),
        max_level: Level::new(30).expect("30 is a level"),
        point: Point::Mean,
        source: format!("positions of {text}"),
    };
    let partition = rules.build(&leaves).map_err(build::refused)?;

    run.claim(&OURS).map_err(super::failure)?;
    let (manifest, cells) = (output.join(MANIFEST_FILE), output.join(CELLS_FILE));
    let (found, learnt) = (records.len(), leaves.len());
    Manifest { root, records }.save(&manifest).map_err(Failure::new)?;
    Format::of(&cells)?.write(&partition, &cells, Region::WORLD)?;
    anstream::eprintln!(
        "{found} of {all} photos have a position: {learnt} for training, {} of other days for \
         validation. Cells with more than {split_above} photos are split, cells with fewer than \
         {keep_from} are dropped: {} classes",
        found - learnt,
        partition.len()
    );
    let split = |name: &str| Some(format!("{}:{name}", manifest.display()));
    config.dataset = split("train");
    config.validation = split("validation").filter(|_| found > learnt);
    config.partition = Some(cells);
    if choose {
        // Of a few thousand photos a large network learns no more, in ten times the time.
        config.architecture = ArchitectureName(Architecture::InceptionMini);
        config.size = 96;
        config.batch = 32;
        config.epochs = 20;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_the_papers_for_its_photos_and_small_for_a_library() {
        assert_eq!(thresholds(100), (20, 5));
        assert_eq!(thresholds(5_000), (70, 10));
        let (split_above, keep_from) = thresholds(91_000_000);
        assert!((9_000..11_000).contains(&split_above) && keep_from == 50);
    }
}
