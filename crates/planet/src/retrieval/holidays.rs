//! Scores of rankings by the protocol of INRIA Holidays (Jégou et al. 2008).
//!
//! A photo's file name is a number; photos whose numbers agree but for the last two digits show
//! one scene, and the one whose number is divisible by 100 is the query. The query is left out of
//! its own ranking.

use std::collections::{BTreeMap, HashMap};

use planet_data::{Photo, PhotoError, PhotoStore};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{RetrievalError, views};
use crate::evaluation::Interval;

/// Test sets that are imagined for an interval.
const RESAMPLES: usize = 2000;

/// Photos in a scene: a query and those that it should find, as places in the list of photos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The query.
    pub query: usize,
    /// The other photos of the scene.
    pub others: Vec<usize>,
}

/// Mean average precision over the queries.
#[derive(Clone, Debug, PartialEq)]
pub struct MeanPrecision {
    /// The mean, 0 to 1.
    pub mean: f64,
    /// Its 95 % interval over queries (percentile bootstrap).
    pub interval: Option<Interval>,
    /// Average precision of each query.
    pub of_queries: Vec<f64>,
}

/// The scenes of photos that are named as Holidays' are: `100000.jpg`, `100001.jpg`, …
///
/// # Errors
/// A name that is no number, two photos of one number, a scene without its query, or a query that
/// has nothing to find; no photos.
pub fn scenes(photos: &[String]) -> Result<Vec<Scene>, RetrievalError> {
    let mut numbers: BTreeMap<u64, usize> = BTreeMap::new();
    for (place, photo) in photos.iter().enumerate() {
        let wrong = |what: &str| {
            RetrievalError::DataSet(format!(
                "{photo}: {what}; photos are named by numbers as in Holidays: 100000.jpg is a query, \
                 100001.jpg and following are the photos that it should find"
            ))
        };
        let name = photo.rsplit(['/', '\\']).next().unwrap_or(photo);
        let stem = name.split('.').next().unwrap_or(name);
        let number = stem.parse().map_err(|_| wrong("the file's name is not a number"))?;
        if numbers.insert(number, place).is_some() {
            return Err(wrong("another photo has the same number"));
        }
    }
    if numbers.is_empty() {
        return Err(RetrievalError::DataSet(
            "the data set has no photos and no queries".to_owned(),
        ));
    }
    let mut scenes: BTreeMap<u64, Vec<(u64, usize)>> = BTreeMap::new();
    for (number, place) in numbers {
        scenes.entry(number / 100).or_default().push((number, place));
    }
    let scene = |(scene, members): (u64, Vec<(u64, usize)>)| {
        let query = 100 * scene;
        let (first, others) = members.split_first().expect("a scene has photos");
        let wrong = |what: &str| Err(RetrievalError::DataSet(format!("scene {scene}: {what}")));
        if first.0 != query {
            return wrong(&format!("its query {query} is missing"));
        }
        if others.is_empty() {
            return wrong(&format!("its query {query} has no photo to find"));
        }
        Ok(Scene { query: first.1, others: others.iter().map(|(_, place)| *place).collect() })
    };
    scenes.into_iter().map(scene).collect()
}

/// Average precision by trapezoids, as Holidays' own program computes it: hit k (from 0) at rank r
/// (from 0, the query left out) adds `(p0 + p1) / 2n`, where `p0` is 1 at rank 0 and else `k / r`,
/// and `p1` is `(k + 1) / (r + 1)`. `ranks` are those of the hits, ascending; `relevant` is n, the
/// number of photos to find, of which some may have no rank.
///
/// ```
/// use planet::retrieval::holidays::average_precision;
///
/// assert_eq!(average_precision(&[1], 1), 0.25);
/// assert!((average_precision(&[0, 2], 2) - 0.79167).abs() < 1e-5);
/// assert!((average_precision(&[1, 3, 7], 3) - 0.33234).abs() < 1e-5);
/// ```
pub fn average_precision(ranks: &[usize], relevant: usize) -> f64 {
    let area = |(hit, rank): (usize, &usize)| {
        let (hit, rank) = (hit as f64, *rank as f64);
        let before = if rank == 0.0 { 1.0 } else { hit / rank };
        (before + (hit + 1.0) / (rank + 1.0)) / (2.0 * relevant as f64)
    };
    ranks.iter().enumerate().map(area).sum()
}

/// Scores one ranking for each scene, in the scenes' order: places of photos, nearest first. The
/// query is left out of it; photos that are not ranked count as never found.
///
/// # Panics
/// When there are not as many rankings as scenes.
pub fn mean_precision(scenes: &[Scene], rankings: &[Vec<usize>], seed: u64) -> MeanPrecision {
    assert_eq!(scenes.len(), rankings.len(), "a ranking for each query");
    let of_query = |(scene, ranking): (&Scene, &Vec<usize>)| {
        let others = ranking.iter().filter(|photo| **photo != scene.query).enumerate();
        let hits = others.filter(|(_, photo)| scene.others.contains(photo));
        let ranks: Vec<usize> = hits.map(|(rank, _)| rank).collect();
        average_precision(&ranks, scene.others.len())
    };
    let of_queries: Vec<f64> = scenes.iter().zip(rankings).map(of_query).collect();
    let count = of_queries.len().max(1);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut means: Vec<f64> = (0..if of_queries.len() > 1 { RESAMPLES } else { 0 })
        .map(|_| {
            let drawn = (0..count).map(|_| of_queries[random.random_range(0..count)]);
            drawn.sum::<f64>() / count as f64
        })
        .collect();
    means.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| means[(share * (means.len() - 1) as f64).round() as usize];
    let interval = (!means.is_empty()).then(|| Interval { low: at(0.025), high: at(0.975) });
    MeanPrecision { mean: of_queries.iter().sum::<f64>() / count as f64, interval, of_queries }
}

/// Photos of another store, turned upright by quarters.
pub struct Upright<S> {
    store: S,
    /// Quarter turns clockwise by photo.
    turns: HashMap<String, u8>,
}

impl<S> Upright<S> {
    /// Turns photos by so many degrees clockwise; those that are not named stay.
    ///
    /// # Errors
    /// Degrees that are no multiple of 90.
    pub fn new(store: S, degrees: &HashMap<String, i32>) -> Result<Self, RetrievalError> {
        let turn = |(photo, degrees): (&String, &i32)| {
            if degrees % 90 != 0 {
                let what = format!("{photo}: {degrees} degrees are no multiple of 90");
                return Err(RetrievalError::DataSet(what));
            }
            Ok((photo.clone(), (degrees.rem_euclid(360) / 90) as u8))
        };
        Ok(Self { store, turns: degrees.iter().map(turn).collect::<Result<_, _>>()? })
    }
}

impl<S: PhotoStore> PhotoStore for Upright<S> {
    fn photo(&self, id: &str) -> Result<Photo, PhotoError> {
        let photo = self.store.photo(id)?;
        Ok(match self.turns.get(id) {
            Some(turns) if *turns > 0 => views::quarters(&photo, *turns),
            _ => photo,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn average_precision_is_that_of_the_official_program() {
        assert_eq!(average_precision(&[0], 1), 1.0);
        assert_eq!(average_precision(&[1], 1), 0.25);
        assert!((average_precision(&[0, 2], 2) - 0.791_666_67).abs() < 1e-8);
        assert!((average_precision(&[1, 3, 7], 3) - 0.332_341_27).abs() < 1e-8);
        assert_eq!(average_precision(&[], 3), 0.0);
        // One of two was never found.
        assert_eq!(average_precision(&[0], 2), 0.5);
    }

    #[test]
    fn scenes_come_from_numbers_whatever_the_order_and_folder() {
        let photos = names(&["b/100101.jpg", "100000.jpg", "a/100100.jpeg", "100002.jpg"]);
        let scenes = scenes(&photos).expect("scenes");
        assert_eq!(scenes[0], Scene { query: 1, others: vec![3] });
        assert_eq!(scenes[1], Scene { query: 2, others: vec![0] });
    }

    #[test]
    fn a_missing_query_and_names_without_sense_are_errors_that_name_them() {
        for (photos, words) in [
            (&["100001.jpg", "100002.jpg"][..], "100000 is missing"),
            (&["100000.jpg"], "100000 has no photo"),
            (&["100000.jpg", "tower.jpg"], "tower.jpg"),
            (&["100000.jpg", "b/100000.jpg"], "same number"),
            (&[], "no queries"),
        ] {
            let error = scenes(&names(photos)).expect_err(words).to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn the_query_leaves_its_ranking_and_failed_photos_stay_in_the_denominator() {
        let scenes = [Scene { query: 0, others: vec![1, 2] }, Scene { query: 3, others: vec![4] }];
        // The second query could not be decoded, and photo 2 neither.
        let score = mean_precision(&scenes, &[vec![0, 1, 3, 4], vec![]], 1);
        assert_eq!(score.of_queries, [0.5, 0.0]);
        assert_eq!(score.mean, 0.25);
        let interval = score.interval.expect("two queries");
        assert!(interval.low <= score.mean && score.mean <= interval.high);
    }

    #[test]
    fn photos_are_turned_upright_and_odd_angles_refused() {
        struct Wide;
        impl PhotoStore for Wide {
            fn photo(&self, _: &str) -> Result<Photo, PhotoError> {
                Photo::from_rgb(2, 1, vec![0; 6])
            }
        }
        let degrees = |degrees| HashMap::from([("a".to_owned(), degrees)]);
        let store = Upright::new(Wide, &degrees(-90)).expect("a quarter");
        assert_eq!(store.photo("a").expect("a photo").height(), 2);
        assert_eq!(store.photo("b").expect("a photo").height(), 1);
        assert!(Upright::new(Wide, &degrees(45)).is_err());
    }
}
