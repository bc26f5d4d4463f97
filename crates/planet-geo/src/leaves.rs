use rayon::prelude::*;

use crate::{CellId, LatLng};

/// Photos as the leaf cells that hold them, 8 bytes a photo, sorted along the Hilbert curve.
///
/// A leaf is under 1 cm wide, so that means of positions come from these ids as well. What is
/// built from them depends neither on the photos' order nor on the number of threads.
#[derive(Clone, Debug, Default)]
pub struct PhotoLeaves {
    ids: Vec<u64>,
}

/// Photos in the making: leaf ids in the order of arrival.
#[derive(Clone, Debug, Default)]
pub struct PhotoLeavesBuilder {
    ids: Vec<u64>,
}

impl PhotoLeavesBuilder {
    /// No photos yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds photos; the conversion runs on all threads.
    pub fn extend(&mut self, positions: &[LatLng]) {
        self.ids
            .par_extend(positions.par_iter().with_min_len(1 << 12).map(|&p| CellId::leaf(p).id()));
    }

    /// Sorts them, in place and on all threads.
    pub fn finish(mut self) -> PhotoLeaves {
        self.ids.par_sort_unstable();
        PhotoLeaves { ids: self.ids }
    }
}

impl PhotoLeaves {
    /// Number of photos.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no photo.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// All leaf ids, sorted.
    pub fn ids(&self) -> &[u64] {
        &self.ids
    }

    /// The photos inside a cell.
    pub fn within(&self, cell: CellId) -> &[u64] {
        within(&self.ids, cell)
    }
}

impl FromIterator<LatLng> for PhotoLeaves {
    fn from_iter<T: IntoIterator<Item = LatLng>>(positions: T) -> Self {
        let ids = positions.into_iter().map(|position| CellId::leaf(position).id()).collect();
        PhotoLeavesBuilder { ids }.finish()
    }
}

/// The part of sorted leaf ids that lies inside a cell.
pub(crate) fn within(ids: &[u64], cell: CellId) -> &[u64] {
    let leaves = cell.leaf_range();
    let from = ids.partition_point(|id| id < leaves.start());
    let count = ids[from..].partition_point(|id| id <= leaves.end());
    &ids[from..from + count]
}
