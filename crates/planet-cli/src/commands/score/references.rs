//! What shares within the five scales are to be held against.

use planet::{evaluation::Leakage, report::Reference};
use planet_data::{Manifest, table::TableSource};
use planet_geo::{CeilingCounter, Distance, LatLng, Partition, Scale};
use planet_world::{Ceiling, GivenPhotos, World, WorldParameters};

use crate::{failure::Failure, progress::Progress};

/// Positions that a ceiling is counted for at a time.
const BATCH: usize = 1 << 16;

/// Rows that stand below a score.
#[derive(Debug, Default)]
pub struct References {
    /// Shares within the scales.
    pub scales: Vec<Reference>,
    /// Shares of correct cells.
    pub cells: Vec<(String, f64)>,
}

impl References {
    pub fn push(&mut self, name: &str, within: [f64; 5]) {
        self.scales.push(Reference { name: name.to_owned(), within });
    }

    /// What the partition allows.
    pub fn own_cells(&mut self, partition: &Partition, positions: impl Iterator<Item = LatLng>) {
        let mut counter = CeilingCounter::new(partition);
        let mut batch = Vec::with_capacity(BATCH);
        for position in positions {
            batch.push(position);
            if batch.len() == BATCH {
                counter.extend(&batch);
                batch.clear();
            }
        }
        counter.extend(&batch);
        let ceiling = counter.finish();
        self.push("always the right cell", ceiling.own_shares());
        self.push("ceiling: any cell's point", ceiling.any_shares());
    }

    /// The best possible accuracy on exactly these photos of a synthetic earth.
    pub fn ideals(&mut self, manifest: &Manifest, partition: &Partition) -> Result<(), Failure> {
        let parameters = WorldParameters::read(&manifest.root).map_err(Failure::new)?;
        let world = World::draw(parameters).map_err(Failure::new)?;
        let given = GivenPhotos::of(manifest).map_err(Failure::new)?;
        let progress = Progress::new("photos");
        let ceiling = Ceiling::of(&world, partition, &given, &progress).map_err(Failure::new);
        progress.finish();
        let ceiling = ceiling?;
        let ideal = |k: usize| ceiling.scales.each_ref().map(|scale| scale.ideal[k].mean);
        self.push("ideal classifier", ideal(0));
        self.push("upper bound", ceiling.scales.each_ref().map(|scale| scale.bound.mean));
        self.push("ideal classifier, best of 5", ideal(planet_world::ANSWERS - 1));
        self.cells.push(("right cell first, ideal classifier, %".to_owned(), ceiling.cell.mean));
        Ok(())
    }

    /// A baseline that always answers with the cell of most training photos.
    pub fn most_frequent(
        &mut self,
        partition: &Partition,
        counts: impl Fn(usize) -> u64,
        positions: impl Iterator<Item = LatLng>,
    ) {
        let classes = 0..partition.len() as u32;
        let most = classes
            .filter_map(|class| {
                let class = planet_geo::ClassId(class);
                Some((counts(class.index()), std::cmp::Reverse(class), partition.point(class)?))
            })
            .max_by_key(|(count, class, _)| (*count, *class));
        let Some((_, _, point)) = most else { return };
        let (mut photos, mut within) = (0u64, [0u64; 5]);
        for position in positions {
            photos += 1;
            let distance: Distance = point.distance_to(position);
            for (count, scale) in within.iter_mut().zip(Scale::ALL) {
                *count += u64::from(distance <= scale.radius());
            }
        }
        let share = |count: u64| count as f64 / photos.max(1) as f64;
        self.push("always the most frequent cell", within.map(share));
    }
}

/// Whether a manifest is that of a synthetic earth: `world.json` lies beside it.
pub fn is_synthetic(source: &TableSource) -> bool {
    source.path.parent().is_some_and(|folder| folder.join("world.json").is_file())
}

/// What test photos share with training photos, and what guessing by these alone would reach.
pub fn leakage(
    train: &Manifest,
    test: &Manifest,
    partition: Option<&Partition>,
    references: &mut References,
) -> Result<Leakage, Failure> {
    let progress = Progress::new("photos");
    let leakage = Leakage::of(&train.records, &test.records, &progress).map_err(Failure::new);
    progress.finish();
    let leakage = leakage?;
    if let Some(partition) = partition {
        let mut counts = vec![0; partition.len()];
        for position in train.records.iter().filter_map(|record| record.position) {
            if let Some(class) = partition.class_of(position) {
                counts[class.index()] += 1;
            }
        }
        let positions = test.records.iter().filter_map(|record| record.position);
        references.most_frequent(partition, |class| counts[class], positions);
    }
    references.push("nearest training photo", leakage.nearest());
    Ok(leakage)
}
