use crate::Partition;

/// How the cells of one partition lie to those of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Cells that the other has too.
    pub same: u64,
    /// Cells that lie inside a larger cell of the other.
    pub finer: u64,
    /// Cells inside which the other has smaller ones.
    pub coarser: u64,
    /// Cells on ground that the other leaves out.
    pub alone: u64,
}

impl Overlap {
    /// How the cells of `of` lie to those of `to`.
    pub fn of(of: &Partition, to: &Partition) -> Self {
        let mut cells: Vec<_> = to.classes().iter().flat_map(|class| class.cells()).collect();
        cells.sort_unstable();
        let mut overlap = Self::default();
        for cell in of.classes().iter().flat_map(|class| class.cells()) {
            let leaves = cell.leaf_range();
            // Disjoint cells end in the order in which they stand.
            let first = cells.partition_point(|other| other.leaf_range().end() < leaves.start());
            match cells.get(first) {
                Some(other) if *other == cell => overlap.same += 1,
                Some(other) if other.contains(*cell) => overlap.finer += 1,
                Some(other) if cell.contains(**other) => overlap.coarser += 1,
                _ => overlap.alone += 1,
            }
        }
        overlap
    }

    /// All cells that were compared.
    pub fn cells(&self) -> u64 {
        self.same + self.finer + self.coarser + self.alone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CellId, Class, ClassKind, PartitionInfo};

    fn partition(tokens: &[&str]) -> Partition {
        let class = |token: &&str| {
            let cell: CellId = token.parse().expect("a token of this test");
            let centre = Some(cell.centre());
            Class {
                kind: ClassKind::Cells(vec![cell]),
                photos: 0,
                mean: centre,
                centre,
                scatter: None,
            }
        };
        Partition::new(PartitionInfo::default(), tokens.iter().map(class).collect())
            .expect("disjoint")
    }

    #[test]
    fn cells_are_the_same_or_finer_or_coarser_or_alone() {
        let (a, b) = (partition(&["b", "1", "34", "5"]), partition(&["1", "3", "54", "7"]));
        assert_eq!(Overlap::of(&a, &b), Overlap { same: 1, finer: 1, coarser: 1, alone: 1 });
        assert_eq!(Overlap::of(&b, &a), Overlap { same: 1, finer: 1, coarser: 1, alone: 1 });
    }
}
