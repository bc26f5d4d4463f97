use std::{cmp::Ordering, ops::Range};

use rayon::prelude::*;

use super::{Descriptor, Index, product::products};

/// A photo that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its place in [`Index::photos`].
    pub photo: usize,
    /// Euclidean distance of its vector from the query's; of several vectors, the mean over the
    /// query's of the least.
    pub distance: f32,
}

impl Hit {
    /// Nearest first; of equal ones, in the order of the index.
    fn order(&self, other: &Self) -> Ordering {
        self.distance.total_cmp(&other.distance).then(self.photo.cmp(&other.photo))
    }
}

/// Vectors of the index that are compared together with one query, so that they stay in a core's cache.
const BLOCK_OF_ONE: usize = 240;
/// The same with many queries: preparing these for each block must not count beside comparing them.
const BLOCK_OF_MANY: usize = 3840;
/// Vectors of queries that are many.
const MANY: usize = 64;

impl Index {
    /// The nearest `top` photos of each query, nearest first, compared with every photo of the
    /// index or, where it is divided into lists, with those of the lists that a search reads. Photos
    /// without vectors are never found.
    ///
    /// # Panics
    /// When a query has other dimensions than the index.
    pub fn search(&self, queries: &[Descriptor], top: usize) -> Vec<Vec<Hit>> {
        let probes = self.lists().map_or(0, |lists| lists.info().probes);
        self.search_probing(queries, top, probes)
    }

    /// [`Index::search`] in this number of the lists nearest to each query, at least one; in all of
    /// them, or without lists, the search is exact.
    ///
    /// # Panics
    /// As [`Index::search`].
    pub fn search_probing(
        &self,
        queries: &[Descriptor],
        top: usize,
        probes: usize,
    ) -> Vec<Vec<Hit>> {
        let dimensions = self.info().dimensions;
        assert!(queries.iter().all(|it| it.dimensions() == dimensions), "vectors of one length");
        match self.lists() {
            Some(lists) if probes < lists.info().count => {
                self.search_lists(lists, queries, top, probes)
            }
            _ => self.search_all(queries, top),
        }
    }

    fn search_all(&self, queries: &[Descriptor], top: usize) -> Vec<Vec<Hit>> {
        let search = Search::new(self, queries.iter().collect(), top);
        let blocks = search.parts(0..self.photos().len());
        let threads = rayon::current_num_threads().max(1);
        let shares = blocks.par_chunks(blocks.len().div_ceil(4 * threads).max(1));
        let parts: Vec<Vec<Nearest>> = shares.map(|blocks| search.blocks(blocks)).collect();
        let mut nearest = search.none();
        for part in parts {
            nearest.iter_mut().zip(part).for_each(|(all, part)| all.take(part));
        }
        nearest.into_iter().map(Nearest::sorted).collect()
    }
}

/// One search at work.
pub(super) struct Search<'a> {
    index: &'a Index,
    /// Vectors of all queries, `[count, dimensions]`.
    queries: Vec<f32>,
    /// Where each query's vectors begin, and the end of the last one's.
    ends: Vec<usize>,
    /// Squared length of each vector of the queries.
    squares: Vec<f32>,
    top: usize,
}

impl<'a> Search<'a> {
    /// Of queries that have the index's dimensions.
    pub(super) fn new(index: &'a Index, queries: Vec<&Descriptor>, top: usize) -> Self {
        let dimensions = index.info().dimensions;
        let mut ends = vec![0];
        queries.iter().for_each(|query| ends.push(ends[ends.len() - 1] + query.len()));
        let values = queries.iter().flat_map(|query| query.values());
        let queries: Vec<f32> = values.copied().collect();
        let vectors = queries.chunks_exact(dimensions);
        let squares = vectors.map(|it| it.iter().map(|x| x * x).sum()).collect();
        Self { index, queries, ends, squares, top }
    }

    fn none(&self) -> Vec<Nearest> {
        vec![Nearest::none(self.top); self.ends.len() - 1]
    }

    /// These photos in blocks, of which each is compared at once; a photo of many vectors may be a
    /// block of its own.
    fn parts(&self, photos: Range<usize>) -> Vec<Range<usize>> {
        let most = if self.squares.len() < MANY { BLOCK_OF_ONE } else { BLOCK_OF_MANY };
        let starts = self.index.starts();
        let (mut blocks, mut first) = (Vec::new(), photos.start);
        while first < photos.end {
            let fits = |end: &usize| starts[*end] - starts[first] <= most;
            let end = (first + 2..=photos.end).take_while(fits).last().unwrap_or(first + 1);
            blocks.push(first..end);
            first = end;
        }
        blocks
    }

    /// The nearest of these photos for each query.
    pub(super) fn photos(&self, photos: Range<usize>) -> Vec<Nearest> {
        self.blocks(&self.parts(photos))
    }

    fn blocks(&self, blocks: &[Range<usize>]) -> Vec<Nearest> {
        let (dimensions, starts) = (self.index.info().dimensions, self.index.starts());
        let mut nearest = self.none();
        let (mut rows, mut found) = (Vec::new(), Vec::new());
        for photos in blocks {
            let vectors = starts[photos.start]..starts[photos.end];
            if vectors.is_empty() {
                continue;
            }
            rows.resize(vectors.len() * dimensions, 0.0);
            found.resize(vectors.len() * self.squares.len(), 0.0);
            self.index.read(vectors.start, &mut rows);
            products(&rows, &self.queries, dimensions, &mut found);
            let squares = &self.index.squares()[vectors.clone()];
            for (found, own) in found.chunks_exact_mut(vectors.len()).zip(&self.squares) {
                let distances = found.iter_mut().zip(squares);
                distances.for_each(|(it, square)| *it = own + square - 2.0 * *it);
            }
            let starts = &starts[photos.start..=photos.end];
            let is_single = starts.windows(2).all(|ends| ends[1] - ends[0] == 1);
            for (ends, nearest) in self.ends.windows(2).zip(&mut nearest) {
                let own = &found[ends[0] * vectors.len()..ends[1] * vectors.len()];
                if is_single && ends[1] - ends[0] == 1 {
                    nearest.compare(photos.start, own);
                } else {
                    nearest.compare_several(photos.start, starts, own);
                }
            }
        }
        nearest
    }
}

/// The nearest photos so far.
#[derive(Clone)]
pub(super) struct Nearest {
    /// In no order while there is room, then up to twice as many as are wanted.
    hits: Vec<Hit>,
    top: usize,
    /// Square of the distance beyond which nothing is kept.
    farthest: f32,
}

impl Nearest {
    pub(super) fn none(top: usize) -> Self {
        Self { hits: Vec::new(), top, farthest: f32::INFINITY }
    }

    /// Photos from `first` on, of one vector each, by squared distances from a query of one.
    fn compare(&mut self, first: usize, distances: &[f32]) {
        for (at, distance) in distances.iter().enumerate() {
            // Compared squared, so that a root is taken of those alone that are kept.
            if *distance <= self.farthest {
                self.offer(Hit { photo: first + at, distance: distance.max(0.0).sqrt() });
            }
        }
    }

    /// Photos from `first` on, whose vectors begin at `starts` and end at the last of them, by squared
    /// distances of all these vectors from each vector of a query.
    fn compare_several(&mut self, first: usize, starts: &[usize], distances: &[f32]) {
        let vectors = starts[starts.len() - 1] - starts[0];
        for (at, ends) in starts.windows(2).enumerate() {
            let own = ends[0] - starts[0]..ends[1] - starts[0];
            let of_query = distances.chunks_exact(vectors).map(|distances| {
                let least = distances[own.clone()].iter().copied().fold(f32::INFINITY, f32::min);
                least.max(0.0).sqrt()
            });
            let count = of_query.len();
            if count > 0 && !own.is_empty() {
                let distance = of_query.sum::<f32>() / count as f32;
                self.offer(Hit { photo: first + at, distance });
            }
        }
    }

    /// Takes over what another part of the search found.
    pub(super) fn take(&mut self, part: Self) {
        part.hits.into_iter().for_each(|hit| self.offer(hit));
    }

    fn offer(&mut self, hit: Hit) {
        if self.top == 0 {
            return;
        }
        self.hits.push(hit);
        if self.hits.len() >= 2 * self.top + 16 {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        if self.hits.len() > self.top {
            self.hits.select_nth_unstable_by(self.top - 1, Hit::order);
            self.hits.truncate(self.top);
            // A little more, for what rounding does to the square of a root.
            self.farthest = self.hits[self.top - 1].distance.powi(2) * 1.000_01;
        }
    }

    pub(super) fn sorted(mut self) -> Vec<Hit> {
        self.shorten();
        self.hits.sort_unstable_by(Hit::order);
        self.hits
    }
}
