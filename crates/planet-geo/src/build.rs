use rayon::prelude::*;
use thiserror::Error;

use crate::{
    CellId, Class, ClassKind, LatLng, Level, Partition, PartitionInfo, PhotoLeaves, Point, Scatter,
    leaves::within,
};

/// Which cells are kept, by their photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// This many photos or more: the paper's rule drops cells with fewer than t2 (section 3).
    From(u64),
    /// More photos than this: the ISN authors drop cells with this many or fewer.
    MoreThan(u64),
}

impl Keep {
    /// Whether a cell with so many photos is kept. One without any never is.
    pub const fn keeps(self, photos: u64) -> bool {
        photos > 0
            && match self {
                Self::From(least) => photos >= least,
                Self::MoreThan(most) => photos > most,
            }
    }
}

/// How the adaptive partition is made (paper, section 3).
#[derive(Clone, Debug, PartialEq)]
pub struct Adaptive {
    /// Cells holding more photos than this are split (paper: t1 = 10,000).
    pub split_above: u64,
    /// Which cells are kept (paper: from t2 = 50).
    pub keep: Keep,
    /// Cells coarser than this are always split; [`Level::FACE`] for the paper's rule.
    pub min_level: Level,
    /// Cells of this level are never split, however many photos share one coordinate.
    pub max_level: Level,
    /// Which position is a class's answer.
    pub point: Point,
    /// Where the photos come from, in words.
    pub source: String,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self {
            split_above: 10_000,
            keep: Keep::From(50),
            min_level: Level::FACE,
            max_level: Level::LEAF,
            point: Point::default(),
            source: String::new(),
        }
    }
}

/// How the uniform partition is made: all cells of one level that hold photos.
#[derive(Clone, Debug, PartialEq)]
pub struct Uniform {
    /// The level (the paper's small model: 4).
    pub level: Level,
    /// Which cells are kept; [`Keep::From`]`(1)` keeps all that hold a photo.
    pub keep: Keep,
    /// Which position is a class's answer.
    pub point: Point,
    /// Where the photos come from, in words.
    pub source: String,
}

/// Why photos, or the cells of another one, make no partition.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// There are no photos.
    #[error("no photo has a position")]
    NoPhotos,
    /// Cells would be dropped for having too few photos although none is split that has fewer.
    #[error(
        "cells are split above {split_above} photos but kept only from {keep_from}: \
         every cell would be dropped; choose a smaller minimum number of photos"
    )]
    KeepsLess {
        /// t1.
        split_above: u64,
        /// t2.
        keep_from: u64,
    },
    /// The least level is finer than the greatest.
    #[error("the minimum level {min} is finer than the maximum level {max}")]
    Levels {
        /// The least level.
        min: Level,
        /// The greatest level.
        max: Level,
    },
    /// No cell holds enough photos.
    #[error(
        "none of {photos} photos is in a cell with enough photos; choose a smaller minimum number of photos"
    )]
    NothingKept {
        /// Photos there were.
        photos: usize,
    },
    /// Classes cannot be merged into so many.
    #[error("there are {there} classes, which cannot be merged into {asked}")]
    Classes {
        /// Classes that were asked for.
        asked: usize,
        /// Classes of the partition.
        there: usize,
    },
    /// A class that is no cells cannot be merged.
    #[error("class {row} has no cells")]
    NoCells {
        /// Its row, from 0.
        row: usize,
    },
}

impl Adaptive {
    /// Divides the earth: from the six face cells, splits while a cell holds more photos than
    /// [`Adaptive::split_above`], then drops the sparse ones. Classes stand in S2 order.
    ///
    /// # Errors
    /// No photos, thresholds that contradict each other, or nothing that is kept.
    pub fn build(&self, photos: &PhotoLeaves) -> Result<Partition, BuildError> {
        self.check()?;
        let mut cells = Vec::new();
        for face in CellId::faces() {
            self.split(face, photos.within(face), &mut cells);
        }
        let info = PartitionInfo {
            scheme: "adaptive".to_owned(),
            split_above: Some(self.split_above),
            min_level: Some(self.min_level.get()),
            max_level: Some(self.max_level.get()),
            ..info(self.keep, self.point, &self.source)
        };
        partition(info, cells, self.keep, photos)
    }

    /// Whether the rules go together, asked before the photos are read.
    ///
    /// # Errors
    /// Thresholds or levels that contradict each other.
    pub fn check(&self) -> Result<(), BuildError> {
        let least = match self.keep {
            Keep::From(least) => least,
            Keep::MoreThan(most) => most.saturating_add(1),
        };
        if least > self.split_above {
            return Err(BuildError::KeepsLess { split_above: self.split_above, keep_from: least });
        }
        if self.min_level > self.max_level {
            return Err(BuildError::Levels { min: self.min_level, max: self.max_level });
        }
        Ok(())
    }

    /// Pushes the undivided cells inside `cell`, in S2 order; `ids` are the photos inside it.
    fn split<'a>(&self, cell: CellId, ids: &'a [u64], cells: &mut Vec<(CellId, &'a [u64])>) {
        if ids.is_empty() {
            return;
        }
        let too_many = ids.len() as u64 > self.split_above;
        let level = cell.level();
        let divides = level < self.min_level || (too_many && level < self.max_level);
        match cell.children() {
            Some(children) if divides => {
                for child in children {
                    self.split(child, within(ids, child), cells);
                }
            }
            _ => cells.push((cell, ids)),
        }
    }
}

impl Uniform {
    /// The cells of one level that hold enough photos, in S2 order.
    ///
    /// # Errors
    /// No photos, or nothing that is kept.
    pub fn build(&self, photos: &PhotoLeaves) -> Result<Partition, BuildError> {
        let mut cells = Vec::new();
        let mut rest = photos.ids();
        while let Some(&first) = rest.first() {
            let leaf = CellId::new(first).expect("leaf ids are cells");
            let cell = leaf.parent(self.level);
            let (inside, after) = rest.split_at(within(rest, cell).len());
            cells.push((cell, inside));
            rest = after;
        }
        let info = PartitionInfo {
            scheme: "uniform".to_owned(),
            min_level: Some(self.level.get()),
            max_level: Some(self.level.get()),
            ..info(self.keep, self.point, &self.source)
        };
        partition(info, cells, self.keep, photos)
    }
}

fn info(keep: Keep, point: Point, source: &str) -> PartitionInfo {
    let (keep_from, keep_more_than) = match keep {
        Keep::From(least) => (Some(least), None),
        Keep::MoreThan(most) => (None, Some(most)),
    };
    let source = source.to_owned();
    PartitionInfo { keep_from, keep_more_than, point, source, ..PartitionInfo::default() }
}

fn partition(
    mut info: PartitionInfo,
    mut cells: Vec<(CellId, &[u64])>,
    keep: Keep,
    photos: &PhotoLeaves,
) -> Result<Partition, BuildError> {
    if photos.is_empty() {
        return Err(BuildError::NoPhotos);
    }
    cells.retain(|(_, ids)| keep.keeps(ids.len() as u64));
    if cells.is_empty() {
        return Err(BuildError::NothingKept { photos: photos.len() });
    }
    let kept: usize = cells.iter().map(|(_, ids)| ids.len()).sum();
    info.photos_outside = Some((photos.len() - kept) as u64);
    let point = info.point;
    let classes = cells.par_iter().map(|&(cell, ids)| class(cell, ids, point)).collect();
    Ok(Partition::new(info, classes).expect("cells of one quad-tree are disjoint"))
}

fn class(cell: CellId, ids: &[u64], point: Point) -> Class {
    let vectors =
        || ids.iter().map(|&id| CellId::new(id).expect("leaf ids are cells").centre_vector());
    let mut sum = [0.0; 3];
    for [x, y, z] in vectors() {
        sum = [sum[0] + x, sum[1] + y, sum[2] + z];
    }
    let centre = cell.centre().rounded();
    // Photos of one cell lie on one side of the earth, so that their sum is never zero.
    let mean = LatLng::from_vector(sum).map_or(centre, LatLng::rounded);
    let about = match point {
        Point::Mean => mean,
        Point::Centre => centre,
    };
    Class {
        kind: ClassKind::Cells(vec![cell]),
        photos: ids.len() as u64,
        mean: Some(mean),
        centre: Some(centre),
        scatter: Scatter::of_vectors(about, vectors()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("a position of this test")
    }

    fn adaptive(split_above: u64, keep: Keep) -> Adaptive {
        Adaptive { split_above, keep, ..Adaptive::default() }
    }

    #[test]
    fn thousands_of_photos_on_one_coordinate_end_at_the_greatest_level() {
        let photos: PhotoLeaves = std::iter::repeat_n(at(48.8584, 2.2945), 5000).collect();
        let partition = adaptive(100, Keep::From(50)).build(&photos).expect("one cell");
        assert_eq!(partition.len(), 1);
        assert_eq!(partition.classes()[0].cells()[0].level(), Level::LEAF);
        assert_eq!(partition.classes()[0].photos, 5000);
        let coarse = Adaptive {
            max_level: Level::new(12).expect("a level"),
            ..adaptive(100, Keep::From(50))
        };
        let partition = coarse.build(&photos).expect("one cell");
        assert_eq!(partition.classes()[0].cells()[0].level().get(), 12);
    }

    #[test]
    fn a_cell_is_split_above_t1_and_not_at_t1() {
        let spread = (0..10).map(|i| at(0.5 + f64::from(i) / 1000.0, 20.0));
        let photos: PhotoLeaves = spread.collect();
        let whole = adaptive(10, Keep::From(1)).build(&photos).expect("one face");
        assert_eq!(whole.classes()[0].cells()[0].level(), Level::FACE);
        let parts = adaptive(9, Keep::From(1)).build(&photos).expect("finer cells");
        assert!(parts.len() > 1);
    }

    #[test]
    fn the_two_rules_for_sparse_cells_differ_by_the_cell_of_exactly_that_many() {
        let photos: PhotoLeaves =
            [at(0.5, 20.0), at(0.5, 20.0), at(0.5, 100.0)].into_iter().collect();
        assert_eq!(adaptive(5, Keep::From(2)).build(&photos).expect("kept").len(), 1);
        let more = adaptive(5, Keep::MoreThan(2)).build(&photos);
        assert_eq!(more.expect_err("dropped"), BuildError::NothingKept { photos: 3 });
        let kept = adaptive(5, Keep::From(2)).build(&photos).expect("kept");
        assert_eq!(kept.info().photos_outside, Some(1));
    }

    #[test]
    fn rules_that_contradict_each_other_are_refused() {
        let photos: PhotoLeaves = [at(1.0, 2.0)].into_iter().collect();
        let error = adaptive(50, Keep::From(100)).build(&photos).expect_err("t2 > t1");
        assert_eq!(error, BuildError::KeepsLess { split_above: 50, keep_from: 100 });
        let error = adaptive(50, Keep::From(1)).build(&PhotoLeaves::default());
        assert_eq!(error.expect_err("nothing"), BuildError::NoPhotos);
        let levels = Adaptive {
            min_level: Level::LEAF,
            max_level: Level::FACE,
            ..adaptive(50, Keep::From(1))
        };
        assert!(matches!(levels.build(&photos), Err(BuildError::Levels { .. })));
    }

    #[test]
    fn the_mean_lies_among_the_photos_even_across_the_antimeridian() {
        let photos: PhotoLeaves = [at(10.0, 179.9), at(10.0, -179.9)].into_iter().collect();
        let partition = adaptive(5, Keep::From(1)).build(&photos).expect("one face");
        let mean = partition.classes()[0].mean.expect("a mean");
        assert!(mean.distance_to(at(10.0, 180.0)).km() < 0.02, "{mean}");
    }
}
