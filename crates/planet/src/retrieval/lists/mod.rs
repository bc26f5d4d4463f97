//! Approximate search: an index whose vectors stand in lists of similar ones, of which a search reads
//! the few that are nearest to its query (an inverted file, as in Jégou et al. 2011). The vectors stay
//! exact and memory-mapped; what is approximate is which of them are compared.

mod centres;
mod cluster;
mod search;

use std::ops::Range;

pub use cluster::{ClusterOptions, cluster};

use super::{index::ListsInfo, product::products};

/// The lists of an index.
#[derive(Debug)]
pub struct Lists {
    info: ListsInfo,
    /// Mean of each list's vectors, `[lists, dimensions]`.
    centres: Vec<f32>,
    /// The first photo of each list, and the end of the last one's. Photos behind it have no vectors.
    starts: Vec<usize>,
}

impl Lists {
    pub(super) fn new(info: ListsInfo, centres: Vec<f32>, starts: Vec<usize>) -> Self {
        Self { info, centres, starts }
    }

    /// Their number, and how many a search reads.
    pub fn info(&self) -> &ListsInfo {
        &self.info
    }

    /// The photos of one list.
    fn photos(&self, list: usize) -> Range<usize> {
        self.starts[list]..self.starts[list + 1]
    }

    /// From the file: the centres, f32, and then the starts, u64. `None` where they do not fit an index
    /// with so many photos of each number of vectors.
    pub(super) fn from_bytes(
        info: ListsInfo,
        bytes: &[u8],
        dimensions: usize,
        vectors: impl ExactSizeIterator<Item = usize>,
    ) -> Option<Self> {
        let places = info.count.checked_add(1)?.checked_mul(8)?;
        let values = info.count.checked_mul(dimensions)?.checked_mul(4)?;
        if !info.is_sound() || values.checked_add(places)? != bytes.len() {
            return None;
        }
        let (centres, starts) = bytes.split_at(values);
        let centres: Vec<f32> =
            centres.as_chunks::<4>().0.iter().map(|it| f32::from_le_bytes(*it)).collect();
        let starts: Option<Vec<usize>> = starts
            .as_chunks::<8>()
            .0
            .iter()
            .map(|it| usize::try_from(u64::from_le_bytes(*it)).ok())
            .collect();
        let starts = starts?;
        let end = starts[info.count];
        let is_whole = starts[0] == 0 && starts.is_sorted() && end <= vectors.len();
        // One vector for each photo of a list, and none for the others.
        let fits = vectors.enumerate().all(|(at, count)| count == usize::from(at < end));
        (is_whole && fits && centres.iter().all(|it| it.is_finite())).then_some(Self {
            info,
            centres,
            starts,
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let centres = self.centres.iter().flat_map(|it| it.to_le_bytes());
        centres.chain(self.starts.iter().flat_map(|it| (*it as u64).to_le_bytes())).collect()
    }
}

/// Vectors that are compared with all centres at once.
const BLOCK: usize = 240;

/// The centres, to be compared with many vectors.
struct Centres<'a> {
    /// `[count, dimensions]`
    values: &'a [f32],
    /// Squared length of each.
    squares: Vec<f32>,
}

impl<'a> Centres<'a> {
    /// Of vectors `[count, dimensions]`.
    fn new(values: &'a [f32], dimensions: usize) -> Self {
        let vectors = values.chunks_exact(dimensions);
        let squares = vectors.map(|it| it.iter().map(|x| x * x).sum()).collect();
        Self { values, squares }
    }

    /// Calls `on_vector` with each vector's place and its squared distances from all centres, less the
    /// vector's own squared length.
    fn compare(
        &self,
        vectors: &[f32],
        dimensions: usize,
        mut on_vector: impl FnMut(usize, &[f32]),
    ) {
        let count = self.squares.len();
        let mut distances = Vec::new();
        for (block, rows) in vectors.chunks(BLOCK * dimensions).enumerate() {
            distances.resize(rows.len() / dimensions * count, 0.0);
            products(self.values, rows, dimensions, &mut distances);
            for (at, distances) in distances.chunks_exact_mut(count).enumerate() {
                distances.iter_mut().zip(&self.squares).for_each(|(it, own)| *it = own - 2.0 * *it);
                on_vector(block * BLOCK + at, distances);
            }
        }
    }
}

/// The place of the least value, the first of equal ones.
fn least(values: &[f32]) -> usize {
    let places = values.iter().enumerate();
    places.min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at)
}
