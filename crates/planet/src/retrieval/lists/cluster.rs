use std::{num::NonZero, path::Path};

use planet_data::Monitor;
use rayon::prelude::*;

use super::{
    BLOCK, Centres, Lists,
    centres::{ROUNDS, learn},
    least,
};
use crate::retrieval::{Index, IndexWriter, RetrievalError, index::ListsInfo};

/// How an index is divided into lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterOptions {
    /// Number of lists; the root of the number of vectors where there is none.
    pub lists: Option<NonZero<usize>>,
    /// Share of the ten nearest photos, above 0 and at most 1, that a search finds: it reads as many lists as
    /// that takes.
    pub recall: f64,
    /// Seed of the groups that are begun with.
    pub seed: u64,
}

impl Default for ClusterOptions {
    /// The root of the number of vectors, 95 %.
    fn default() -> Self {
        Self { lists: None, recall: 0.95, seed: 0 }
    }
}

/// Vectors for each list that centres are learned from, at most.
const LEARNED: usize = 64;
/// Photos whose nearest photos say how many lists a search reads.
const QUERIES: usize = 500;
/// The nearest photos that count.
const TOP: usize = 10;

/// Writes an index with the same vectors in lists. Searches in it read the lists that are nearest to
/// their query, so many that `recall` of the ten nearest photos are found; that is measured on 500
/// photos of the index, each left out of its own answer.
///
/// # Errors
/// An index of several vectors for a photo, more lists than vectors, a recall that is not above 0 and at
/// most 1, a file that cannot be written, or the monitor ends it.
pub fn cluster(
    index: &Index,
    options: &ClusterOptions,
    path: &Path,
    monitor: &dyn Monitor,
) -> Result<ListsInfo, RetrievalError> {
    let vectors = index.info().vectors;
    let count = options.lists.map_or_else(|| vectors.isqrt().max(1), NonZero::get);
    check(index, options, count)?;
    let blocks = vectors.div_ceil(BLOCK) as u64;
    monitor.expect(ROUNDS + blocks);
    let dimensions = index.info().dimensions;
    let sample = sample(index, count);
    let centres = learn(&sample, dimensions, count, options.seed, monitor)?;
    drop(sample);
    let laid_out = Centres::new(&centres, dimensions);
    let list_of = assign(index, &laid_out, monitor)?;
    let (probes, recall) = probes(index, &laid_out, &list_of, options.recall);

    // Photos list by list, in the order of the index within each; photos without vectors come last.
    let with_vectors = (0..index.photos().len()).filter(|at| index.photos()[*at].vectors > 0);
    let mut order: Vec<(usize, usize)> = list_of.iter().copied().zip(with_vectors).collect();
    order.sort_unstable();
    let starts = (0..=count).map(|list| order.partition_point(|(it, _)| *it < list)).collect();
    let info = ListsInfo::new(count, probes, recall);
    let mut writer = IndexWriter::copy_of(index, path)?;
    for (_, photo) in order {
        let descriptor = index.descriptor(photo).expect("it has a vector");
        writer.add(index.photos()[photo].clone(), &descriptor)?;
    }
    for photo in index.photos().iter().filter(|photo| photo.vectors == 0) {
        writer.add_failed(photo.clone(), photo.error.as_deref().unwrap_or_default());
    }
    let info = writer.set_lists(&Lists::new(info, centres, starts));
    writer.finish()?;
    Ok(info)
}

fn check(index: &Index, options: &ClusterOptions, count: usize) -> Result<(), RetrievalError> {
    let wrong = |what: String| Err(RetrievalError::Recipe(what));
    if !(options.recall > 0.0 && options.recall <= 1.0) {
        return wrong("the recall must be above 0 and at most 1".to_owned());
    }
    if index.photos().iter().any(|photo| photo.vectors > 1) {
        return wrong(
            "an index of several vectors for a photo cannot be divided into lists: create it with --views \
             whole, mirrored or sixteen averaged"
                .to_owned(),
        );
    }
    let vectors = index.info().vectors;
    if count > vectors {
        return wrong(format!("{count} lists need as many photos; the index has {vectors}"));
    }
    Ok(())
}

/// Vectors that centres are learned from, evenly over the index.
fn sample(index: &Index, count: usize) -> Vec<f32> {
    let (vectors, dimensions) = (index.info().vectors, index.info().dimensions);
    let every = (vectors / count / LEARNED).max(1);
    let mut sample = vec![0.0; vectors.div_ceil(every) * dimensions];
    let vectors = sample.par_chunks_exact_mut(dimensions).enumerate();
    vectors.for_each(|(at, vector)| index.read(at * every, vector));
    sample
}

/// The list of each vector.
fn assign(
    index: &Index,
    centres: &Centres,
    monitor: &dyn Monitor,
) -> Result<Vec<usize>, RetrievalError> {
    let (vectors, dimensions) = (index.info().vectors, index.info().dimensions);
    let mut list_of = vec![0; vectors];
    list_of.par_chunks_mut(BLOCK).enumerate().try_for_each(|(block, lists)| {
        if monitor.cancelled() {
            return Err(RetrievalError::Cancelled);
        }
        let mut rows = vec![0.0; lists.len() * dimensions];
        index.read(block * BLOCK, &mut rows);
        centres.compare(&rows, dimensions, |at, distances| lists[at] = least(distances));
        monitor.advance(1);
        Ok(())
    })?;
    Ok(list_of)
}

/// How many lists a search must read for this recall, and the recall that it then has.
///
/// A photo is found where its list is among those that are read: the rank of its list, by the distance
/// of the centre from the query, is all that counts.
fn probes(index: &Index, centres: &Centres, list_of: &[usize], recall: f64) -> (usize, f64) {
    let (starts, photos) = (index.starts(), index.photos().len());
    let with_vectors: Vec<usize> =
        (0..photos).filter(|at| index.photos()[*at].vectors > 0).collect();
    let every = with_vectors.len().div_ceil(QUERIES).max(1);
    let asked: Vec<usize> = with_vectors.into_iter().step_by(every).collect();
    let queries: Vec<_> = asked.iter().filter_map(|photo| index.descriptor(*photo)).collect();
    let found = index.search_probing(&queries, TOP + 1, usize::MAX);
    let mut ranks = Vec::new();
    for ((photo, query), hits) in asked.iter().zip(&queries).zip(&found) {
        centres.compare(query.values(), query.dimensions(), |_, distances| {
            for hit in hits.iter().filter(|hit| hit.photo != *photo).take(TOP) {
                let own = distances[list_of[starts[hit.photo]]];
                ranks.push(distances.iter().filter(|other| **other < own).count());
            }
        });
    }
    ranks.sort_unstable();
    // Of one photo alone nothing can be measured.
    let Some(last) = ranks.len().checked_sub(1) else { return (1, 1.0) };
    let wanted = ((recall * ranks.len() as f64).ceil() as usize).clamp(1, last + 1);
    let probes = ranks[wanted - 1] + 1;
    let within = ranks.partition_point(|rank| *rank < probes);
    (probes, within as f64 / ranks.len() as f64)
}
