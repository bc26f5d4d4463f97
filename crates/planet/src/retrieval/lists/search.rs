use rayon::prelude::*;

use super::{Centres, Lists};
use crate::retrieval::{
    Descriptor, Hit, Index,
    search::{Nearest, Search},
};

impl Lists {
    /// The lists that each query reads: the nearest of each of its vectors.
    fn nearest(&self, queries: &[Descriptor], probes: usize) -> Vec<Vec<usize>> {
        let Some(dimensions) = queries.first().map(Descriptor::dimensions) else {
            return Vec::new();
        };
        let centres = Centres::new(&self.centres, dimensions);
        let of_query = |query: &Descriptor| {
            let mut lists = Vec::new();
            centres.compare(query.values(), dimensions, |_, distances| {
                let mut order: Vec<usize> = (0..distances.len()).collect();
                let by_distance =
                    |a: &usize, b: &usize| distances[*a].total_cmp(&distances[*b]).then(a.cmp(b));
                if probes < order.len() {
                    order.select_nth_unstable_by(probes - 1, by_distance);
                }
                lists.extend_from_slice(&order[..probes.min(order.len())]);
            });
            lists.sort_unstable();
            lists.dedup();
            lists
        };
        queries.par_iter().map(of_query).collect()
    }
}

impl Index {
    /// The nearest photos of each query among those of the `probes` lists that are nearest to it.
    pub(in crate::retrieval) fn search_lists(
        &self,
        lists: &Lists,
        queries: &[Descriptor],
        top: usize,
        probes: usize,
    ) -> Vec<Vec<Hit>> {
        // Each list is read once, for all queries that read it.
        let mut askers = vec![Vec::new(); lists.info.count];
        for (query, lists) in lists.nearest(queries, probes.max(1)).iter().enumerate() {
            lists.iter().for_each(|list| askers[*list].push(query));
        }
        let asked = askers.par_iter().enumerate().filter(|(_, askers)| !askers.is_empty());
        let parts: Vec<(&Vec<usize>, Vec<Nearest>)> = asked
            .map(|(list, askers)| {
                let queries = askers.iter().map(|query| &queries[*query]);
                let search = Search::new(self, queries.collect(), top);
                (askers, search.photos(lists.photos(list)))
            })
            .collect();
        let mut nearest = vec![Nearest::none(top); queries.len()];
        for (askers, part) in parts {
            for (query, part) in askers.iter().zip(part) {
                nearest[*query].take(part);
            }
        }
        nearest.into_iter().map(Nearest::sorted).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZero, path::Path};

    use planet_data::NoMonitor;

    use super::*;
    use crate::retrieval::{
        ClusterOptions, IndexWriter, IndexedPhoto, Recipe, RetrievalError, cluster,
        index::tests::model,
    };

    /// 300 photos around thirty points, one of them torn.
    fn write(path: &Path, folder: &Path) -> Index {
        let model = model(folder, "weights");
        let mut writer =
            IndexWriter::create(path, &model, &Recipe::default(), "", None).expect("created");
        for at in 0..300_usize {
            let (group, member) = (at % 30, at / 30);
            let near = |axis: usize| ((group * 7 + axis * 3) as f32).sin();
            let off = |axis: usize| 0.02 * ((member * 11 + axis * 5 + group) as f32).cos();
            let values = (0..3).map(|axis| near(axis) + off(axis)).collect();
            let photo =
                IndexedPhoto { photo: at.to_string(), position: None, vectors: 0, error: None };
            if at == 7 {
                writer.add_failed(photo, "torn");
            } else {
                writer.add(photo, &Descriptor::new(3, values)).expect("written");
            }
        }
        writer.finish().expect("finished");
        Index::open(path).expect("opened")
    }

    fn names(index: &Index, hits: &[Hit]) -> Vec<String> {
        hits.iter().map(|hit| index.photos()[hit.photo].photo.clone()).collect()
    }

    #[test]
    fn lists_find_what_an_exact_search_finds_as_often_as_they_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let exact = write(&folder.path().join("exact"), folder.path());
        for recall in [0.5, 0.95, 1.0] {
            let path = folder.path().join("lists");
            let options = ClusterOptions { lists: NonZero::new(25), recall, seed: 1 };
            let info = cluster(&exact, &options, &path, &NoMonitor).expect("divided");
            assert!(info.recall >= recall && info.probes <= 25, "{info:?}");
            let index = Index::open(&path).expect("opened");
            let found = index.lists().expect("it has lists").info();
            assert_eq!((found.count, found.probes), (info.count, info.probes));
            assert!((found.recall - info.recall).abs() < 1e-9);
            assert_eq!(index.photos().len(), 300);
            assert_eq!(index.photos()[299].error.as_deref(), Some("torn"));
            let with_vectors = (0..300).filter(|photo| *photo != 7);
            let queries: Vec<Descriptor> =
                with_vectors.filter_map(|photo| exact.descriptor(photo)).collect();
            let (mut found, mut all) = (0, 0);
            let approximate = index.search(&queries, 11);
            for (wanted, hits) in exact.search(&queries, 11).iter().zip(&approximate) {
                let hits = names(&index, hits);
                // The first is the photo itself.
                let wanted = names(&exact, &wanted[1..]);
                found += wanted.iter().filter(|it| hits.contains(it)).count();
                all += wanted.len();
            }
            let share = found as f64 / all as f64;
            assert!((share - info.recall).abs() < 1e-9, "{share} is not {}", info.recall);
            // All lists together are an exact search.
            let whole = index.search_probing(&queries, 11, 25);
            for (wanted, hits) in exact.search(&queries, 11).iter().zip(&whole) {
                let distances =
                    |hits: &[Hit]| hits.iter().map(|it| it.distance).collect::<Vec<_>>();
                assert_eq!(distances(wanted), distances(hits));
            }
        }
    }

    #[test]
    fn a_division_that_makes_no_sense_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let exact = write(&folder.path().join("exact"), folder.path());
        let path = folder.path().join("lists");
        let refused = |options: ClusterOptions| {
            let error = cluster(&exact, &options, &path, &NoMonitor).expect_err("refused");
            assert!(matches!(error, RetrievalError::Recipe(_)), "{error}");
            assert!(!path.exists());
        };
        refused(ClusterOptions { lists: NonZero::new(300), ..ClusterOptions::default() });
        refused(ClusterOptions { recall: 0.0, ..ClusterOptions::default() });
        refused(ClusterOptions { recall: f64::NAN, ..ClusterOptions::default() });
    }

    #[test]
    fn an_index_with_damaged_lists_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let exact = write(&folder.path().join("exact"), folder.path());
        let path = folder.path().join("lists");
        cluster(&exact, &ClusterOptions::default(), &path, &NoMonitor).expect("divided");
        let whole = std::fs::read(&path).expect("read");
        for at in (64..whole.len()).step_by(17) {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            std::fs::write(&path, changed).expect("written");
            Index::open(&path).expect_err("refused");
        }
    }
}
