//! A loss over the tree of S2 cells: a wrong cell near the right one costs less than one far away.
//! Not part of the paper.

use std::ops::Range;

use planet_geo::{CellId, Class, Level, Partition};
use serde::{Deserialize, Serialize};

use crate::{
    InvalidSetting,
    course::{check_all, positive},
};

/// Adds to the loss of a photo's class the mean, over the S2 ancestors of its cell, of
/// −log(probability of all classes inside the ancestor), times `weight`.
///
/// Ancestors are the coarser cells that contain the class, up to the face of the cube. Those that
/// contain no other class are left out, as their term is the class's own. A class without ground,
/// or whose cells lie on two faces, has no ancestors and lies in none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hierarchy {
    /// Weight of the mean over the ancestors; the class's own loss has the weight 1.
    pub weight: f64,
}

impl Hierarchy {
    /// Checks that the numbers make sense.
    ///
    /// # Errors
    /// The weight is not greater than 0.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        check_all([(positive(self.weight), "hierarchy.weight must be greater than 0")])
    }
}

/// The ancestors of every class.
pub(crate) struct Ancestors {
    /// Classes with ground in the order of S2, in which those inside any cell come one after the
    /// other.
    order: Vec<u32>,
    /// For each class, where in `order` the classes inside each of its ancestors stand, from the
    /// smallest ancestor to the greatest: each range contains the one before.
    of: Vec<Vec<Range<usize>>>,
}

impl Ancestors {
    /// # Errors
    /// No class has an ancestor with another class inside.
    pub(crate) fn new(partition: &Partition) -> Result<Self, InvalidSetting> {
        let grounds: Vec<Option<CellId>> = partition.classes().iter().map(ground).collect();
        let mut sorted: Vec<(u64, u32)> = (0..)
            .zip(&grounds)
            .filter_map(|(class, ground)| Some(((*ground)?.id(), class)))
            .collect();
        sorted.sort_unstable();
        let inside = |ancestor: CellId| {
            let leaves = ancestor.leaf_range();
            let from = sorted.partition_point(|(id, _)| id < leaves.start());
            from..sorted.partition_point(|(id, _)| id <= leaves.end())
        };
        let ancestors = |ground: &Option<CellId>| {
            let Some(ground) = ground else { return Vec::new() };
            let levels = (0..ground.level().get()).rev().map(level);
            levels.map(|level| inside(ground.parent(level))).filter(|it| it.len() > 1).collect()
        };
        let of: Vec<Vec<_>> = grounds.iter().map(ancestors).collect();
        if of.iter().all(Vec::is_empty) {
            return Err(InvalidSetting(
                "hierarchy requires a partition with several cells on one face of the cube",
            ));
        }
        Ok(Self { order: sorted.into_iter().map(|(_, class)| class).collect(), of })
    }

    /// The mean over a class's ancestors of −log of the probability inside; 0 where it has none.
    /// Its derivative by each score, times `weight`, is added to `derivatives`; `probabilities` and
    /// `derivatives` are `[classes]`.
    pub(crate) fn add(
        &self,
        class: u32,
        probabilities: &[f64],
        weight: f64,
        derivatives: &mut [f64],
    ) -> f64 {
        let ranges = &self.of[class as usize];
        let Some(smallest) = ranges.first() else { return 0.0 };
        let share = 1.0 / ranges.len() as f64;
        let probability = |places: Range<usize>| -> f64 {
            self.order[places].iter().map(|class| probabilities[*class as usize]).sum()
        };
        // −log m has the derivative pⱼ by every score, less pⱼ / m by those inside.
        derivatives.iter_mut().zip(probabilities).for_each(|(it, p)| *it += weight * p);
        let (mut loss, mut sum, mut inner) = (0.0, 0.0, smallest.start..smallest.start);
        for range in ranges {
            // Summed from inside: a difference of greater sums would be rounding errors where
            // little is inside.
            sum += probability(range.start..inner.start) + probability(inner.end..range.end);
            // Where nothing is inside in 64 bits, the loss stays finite.
            let mass = f64::max(sum, f64::MIN_POSITIVE);
            loss -= share * mass.ln();
            for class in &self.order[range.clone()] {
                let class = *class as usize;
                derivatives[class] -= weight * share * (probabilities[class] / mass);
            }
            inner = range.clone();
        }
        loss
    }
}

/// The smallest cell that contains all of a class's cells.
fn ground(class: &Class) -> Option<CellId> {
    let (first, rest) = class.cells().split_first()?;
    let levels = (0..=first.level().get()).rev().map(level);
    let mut candidates = levels.map(|level| first.parent(level));
    candidates.find(|cell| rest.iter().all(|other| cell.contains(*other)))
}

fn level(number: u8) -> Level {
    Level::new(number).expect("a level above a cell's is one")
}
