use std::{cmp::Ordering, ops::Range};

use rayon::prelude::*;

use super::{Descriptor, Index, product::Panels};

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

/// Vectors of the index that are worked on together: they stay in a core's cache.
const BLOCK: usize = 240;

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
        let blocks = self.blocks(0..self.photos().len());
        let threads = rayon::current_num_threads().max(1);
        let shares = blocks.par_chunks(blocks.len().div_ceil(4 * threads).max(1));
        let parts: Vec<Vec<Nearest>> = shares.map(|blocks| search.blocks(blocks)).collect();
        let mut nearest = search.none();
        for part in parts {
            nearest.iter_mut().zip(part).for_each(|(all, part)| all.take(part));
        }
        nearest.into_iter().map(Nearest::sorted).collect()
    }

    /// These photos in blocks of so many vectors; a photo of many vectors may be one alone.
    pub(super) fn blocks(&self, photos: Range<usize>) -> Vec<Range<usize>> {
        let starts = self.starts();
        let (mut blocks, mut first) = (Vec::new(), photos.start);
        while first < photos.end {
            let fits = |end: &usize| starts[*end] - starts[first] <= BLOCK;
            let end = (first + 2..=photos.end).take_while(fits).last().unwrap_or(first + 1);
            blocks.push(first..end);
            first = end;
        }
        blocks
    }
}

/// One search at work.
pub(super) struct Search<'a> {
    index: &'a Index,
    panels: Panels,
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
        let values: Vec<&[f32]> =
            queries.iter().flat_map(|query| query.values().chunks_exact(dimensions)).collect();
        let squares = values.iter().map(|vector| vector.iter().map(|x| x * x).sum()).collect();
        Self { index, panels: Panels::new(values.into_iter(), dimensions), ends, squares, top }
    }

    fn none(&self) -> Vec<Nearest> {
        vec![Nearest::none(self.top); self.ends.len() - 1]
    }

    /// The nearest of these photos for each query.
    pub(super) fn blocks(&self, blocks: &[Range<usize>]) -> Vec<Nearest> {
        let dimensions = self.index.info().dimensions;
        let mut nearest = self.none();
        let (mut rows, mut products) = (Vec::new(), Vec::new());
        for photos in blocks {
            let starts = self.index.starts();
            let vectors = starts[photos.start]..starts[photos.end];
            rows.resize(vectors.len() * dimensions, 0.0);
            products.resize(vectors.len() * self.panels.width(), 0.0);
            self.index.read(vectors.start, &mut rows);
            self.panels.products(&rows, &mut products);
            let is_single = self.panels.len() + 1 == self.ends.len();
            for photo in photos.clone() {
                let own = starts[photo] - vectors.start..starts[photo + 1] - vectors.start;
                match own.len() {
                    0 => {}
                    1 if is_single => {
                        self.one(photo, own.start, vectors.start, &products, &mut nearest)
                    }
                    _ => self.several(photo, own, vectors.start, &products, &mut nearest),
                }
            }
        }
        nearest
    }

    /// A photo of one vector, for queries of one each.
    fn one(
        &self,
        photo: usize,
        row: usize,
        first: usize,
        products: &[f32],
        nearest: &mut [Nearest],
    ) {
        let square = self.index.squares()[first + row];
        let products = &products[row * self.panels.width()..];
        for ((product, own), nearest) in products.iter().zip(&self.squares).zip(nearest) {
            let distance = own + square - 2.0 * product;
            // Compared squared, so that a root is taken of those alone that are kept.
            if distance <= nearest.farthest {
                nearest.offer(Hit { photo, distance: distance.max(0.0).sqrt() });
            }
        }
    }

    /// A photo of several vectors, or queries of several.
    fn several(
        &self,
        photo: usize,
        rows: Range<usize>,
        first: usize,
        products: &[f32],
        nearest: &mut [Nearest],
    ) {
        let (squares, width) = (self.index.squares(), self.panels.width());
        let least = |query: usize| {
            let distance = |row: usize| {
                self.squares[query] + squares[first + row] - 2.0 * products[row * width + query]
            };
            rows.clone().map(distance).fold(f32::INFINITY, f32::min).max(0.0).sqrt()
        };
        for (ends, nearest) in self.ends.windows(2).zip(nearest) {
            let count = ends[1] - ends[0];
            if count > 0 {
                let distance = (ends[0]..ends[1]).map(least).sum::<f32>() / count as f32;
                nearest.offer(Hit { photo, distance });
            }
        }
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
