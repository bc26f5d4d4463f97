use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use crate::{BuildError, CellId, Class, ClassKind, LatLng, Partition, PartitionInfo};

/// How the cells of a partition become fewer, larger classes, at random.
///
/// The class with the fewest photos is merged with the class whose point is nearest, until so many
/// are left. Each number of photos is multiplied by a random factor from ½ to 2 for this, so that
/// different seeds merge different cells: several such partitions together tell apart cells that each
/// of them merges (combinatorial partitioning; Seo et al. 2018 weigh more than the number of photos).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Classes that are left.
    pub classes: usize,
    /// Seed of the random factors.
    pub seed: u64,
}

impl Merge {
    /// The merged classes, in the order of their first cells in S2. The mean of a class is that of
    /// its photos, its centre that of its first cell; how photos scatter is not known of it.
    ///
    /// # Errors
    /// More classes than there are, or none; a class without cells.
    pub fn build(&self, partition: &Partition) -> Result<Partition, BuildError> {
        let there = partition.len();
        if !(1..=there).contains(&self.classes) {
            return Err(BuildError::Classes { asked: self.classes, there });
        }
        let mut regions = Regions::default();
        for (row, class) in partition.classes().iter().enumerate() {
            regions.add(Region::of(class).ok_or(BuildError::NoCells { row })?, self.seed);
        }
        while regions.by_number.len() > self.classes {
            regions.merge_smallest(self.seed);
        }
        let regions = regions.by_number.into_values();
        let mut classes: Vec<Class> = regions.map(Region::into_class).collect();
        classes.sort_unstable_by_key(|class| class.cells()[0]);
        let info = PartitionInfo {
            scheme: "merged".to_owned(),
            source: format!("{} (cells merged with seed {})", partition.info().source, self.seed),
            ..partition.info().clone()
        };
        Ok(Partition::new(info, classes).expect("cells of one partition are disjoint"))
    }
}

/// The classes that are left, by the number under which they came.
#[derive(Default)]
struct Regions {
    by_number: BTreeMap<u64, Region>,
    /// Weight and number, least first; those that were merged into others are here still.
    smallest: BinaryHeap<Reverse<(u64, u64)>>,
    /// Number of the next one.
    next: u64,
}

impl Regions {
    fn add(&mut self, region: Region, seed: u64) {
        let weight = region.photos.max(1) as f64 * factor(seed, self.next);
        // A thousand for a photo, as the factors matter where there are few.
        self.smallest.push(Reverse(((1000.0 * weight) as u64, self.next)));
        self.by_number.insert(self.next, region);
        self.next += 1;
    }

    /// Merges the smallest of at least two with its nearest.
    fn merge_smallest(&mut self, seed: u64) {
        let smallest = loop {
            let Reverse((_, number)) = self.smallest.pop().expect("every region is there");
            if let Some(region) = self.by_number.remove(&number) {
                break region;
            }
        };
        let cosine = |region: &Region| -> f64 {
            region.point.iter().zip(smallest.point).map(|(a, b)| a * b).sum()
        };
        let others = self.by_number.iter();
        let nearest = others.max_by(|(_, a), (_, b)| cosine(a).total_cmp(&cosine(b)));
        let nearest = *nearest.expect("there is another").0;
        let nearest = self.by_number.remove(&nearest).expect("it was found");
        self.add(smallest.with(nearest), seed);
    }
}

/// A class, or several that have become one.
struct Region {
    cells: Vec<CellId>,
    photos: u64,
    /// Unit vector of the mean of the photos.
    point: [f64; 3],
}

impl Region {
    /// `None` for a class without cells.
    fn of(class: &Class) -> Option<Self> {
        let point = class.mean?.to_vector();
        let cells = class.cells().to_vec();
        (!cells.is_empty()).then_some(Self { cells, photos: class.photos, point })
    }

    fn with(mut self, other: Self) -> Self {
        let [mine, its] = [&self, &other].map(|it| it.photos.max(1) as f64);
        let sum: [f64; 3] = std::array::from_fn(|at| mine * self.point[at] + its * other.point[at]);
        let length = sum.iter().map(|it| it * it).sum::<f64>().sqrt();
        // Where the two are opposite each other, no point is their mean.
        let point = if length > 1e-9 { sum.map(|it| it / length) } else { self.point };
        self.cells.extend(other.cells);
        Self { point, photos: self.photos + other.photos, ..self }
    }

    fn into_class(mut self) -> Class {
        self.cells.sort_unstable();
        Class {
            photos: self.photos,
            mean: LatLng::from_vector(self.point),
            centre: Some(self.cells[0].centre()),
            scatter: None,
            kind: ClassKind::Cells(self.cells),
        }
    }
}

/// From ½ to 2, the same for the same seed and number.
fn factor(seed: u64, number: u64) -> f64 {
    let hash = blake3::hash([seed, number].map(u64::to_le_bytes).as_flattened());
    let bytes = hash.as_bytes().first_chunk().expect("a hash has 32 bytes");
    let uniform = u64::from_le_bytes(*bytes) as f64 / u64::MAX as f64;
    (2.0 * uniform - 1.0).exp2()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{Level, Point};

    /// Cells of level 6 about points on two continents, with so many photos each.
    fn partition(photos: &[u64]) -> Partition {
        let class = |(row, photos): (usize, &u64)| {
            let (lat, lng) = (45.0 + row as f64, if row % 2 == 0 { 5.0 } else { -100.0 });
            let point = LatLng::new(lat, lng).expect("a position");
            let cell = CellId::containing(point, Level::new(6).expect("a level"));
            let (mean, centre) = (Some(point), Some(cell.centre()));
            let kind = ClassKind::Cells(vec![cell]);
            Class { kind, photos: *photos, mean, centre, scatter: None }
        };
        let classes = photos.iter().enumerate().map(class).collect();
        Partition::new(PartitionInfo::default(), classes).expect("disjoint")
    }

    #[test]
    fn small_classes_are_merged_with_near_ones_and_nothing_is_lost() {
        let base = partition(&[1000, 10, 900, 500, 20, 400, 3, 0]);
        for seed in 0..8 {
            let merged = Merge { classes: 4, seed }.build(&base).expect("merged");
            assert_eq!(merged.len(), 4);
            let photos = |of: &Partition| of.classes().iter().map(|it| it.photos).sum::<u64>();
            assert_eq!(photos(&merged), photos(&base));
            let mut cells: Vec<_> = merged.classes().iter().flat_map(Class::cells).collect();
            cells.sort_unstable();
            let mut wanted: Vec<_> = base.classes().iter().flat_map(Class::cells).collect();
            wanted.sort_unstable();
            assert_eq!(cells, wanted);
            for class in merged.classes() {
                // No class lies on two continents.
                let east = class.cells().iter().map(|cell| cell.centre().lng() > 0.0);
                assert_eq!(east.collect::<HashSet<_>>().len(), 1);
                assert!(class.cells().is_sorted() && class.photos >= 400);
            }
        }
    }

    #[test]
    fn seeds_merge_other_cells_and_the_same_seed_the_same_ones() {
        let photos: Vec<u64> = (0..40).map(|row| 50 + row % 7).collect();
        let base = partition(&photos);
        let of = |seed| Merge { classes: 12, seed }.build(&base).expect("merged").fingerprint();
        assert_eq!(of(1), of(1));
        let different: HashSet<String> = (0..5).map(|seed| of(seed).to_string()).collect();
        assert!(different.len() > 1);
    }

    #[test]
    fn means_are_those_of_the_photos() {
        let merged =
            Merge { classes: 2, seed: 0 }.build(&partition(&[300, 900, 100])).expect("two");
        let mean = merged.classes().iter().find(|it| it.photos == 400).expect("a class").mean;
        let [a, b] = [45.0, 47.0].map(|lat| LatLng::new(lat, 5.0).expect("a position"));
        let [a, b] = [a, b].map(LatLng::to_vector);
        let wanted = LatLng::from_vector(std::array::from_fn(|at| 3.0 * a[at] + b[at]));
        assert!(mean.expect("a mean").distance_to(wanted.expect("a position")).m() < 1.0);
        assert_eq!(merged.info().point, Point::Mean);
    }

    #[test]
    fn numbers_that_make_no_sense_and_classes_without_cells_are_refused() {
        let base = partition(&[1, 2, 3]);
        for classes in [0, 4] {
            let error = Merge { classes, seed: 0 }.build(&base).expect_err("refused");
            assert_eq!(error, BuildError::Classes { asked: classes, there: 3 });
        }
        assert_eq!(Merge { classes: 3, seed: 0 }.build(&base).expect("all").len(), 3);
        let other = Class { kind: ClassKind::Other, mean: None, ..base.classes()[0].clone() };
        let classes = [base.classes(), &[other]].concat();
        let base = Partition::new(PartitionInfo::default(), classes).expect("disjoint");
        let error = Merge { classes: 2, seed: 0 }.build(&base).expect_err("refused");
        assert_eq!(error, BuildError::NoCells { row: 3 });
    }
}
