//! Photos located by the known photos that look like them.

use planet::retrieval::{Extractor, RetrievalError, Role, Whitening};
use planet_data::{Monitor, PhotoRecord, PhotoStore};
use planet_geo::LatLng;

use crate::similarity::{Known, Ranked};

/// Principal components that are compared, and the photos that are needed for each.
const COMPONENTS: usize = 128;
const PHOTOS_PER_COMPONENT: usize = 2;
/// How far components are scaled to equal variance: half way. On *trips* this finds more places
/// than the whole way, whose last components are noise.
const WHITENING: f64 = 0.5;
/// Most similar known photos that say where a photo may be.
const VOTERS: usize = 32;

/// What the photos of a library look like: a vector of features for each.
#[derive(Clone, Debug)]
pub struct LookAlikes {
    dimensions: usize,
    /// Place in `values` of each record's vector; `None` for a photo without one.
    places: Vec<Option<usize>>,
    /// `[vectors, dimensions]`, each of length 1.
    values: Vec<f32>,
}

impl LookAlikes {
    /// From a vector for each record, `[dimensions]`; `None` for photos without one.
    ///
    /// # Panics
    /// The vectors differ in length.
    pub fn new(vectors: impl IntoIterator<Item = Option<Vec<f32>>>) -> Self {
        let mut all = Self { dimensions: 0, places: Vec::new(), values: Vec::new() };
        for vector in vectors {
            let place = vector.map(|vector| {
                all.dimensions = vector.len();
                let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
                let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
                all.values.extend(vector.into_iter().map(|x| x * scale));
                all.values.len() / all.dimensions - 1
            });
            all.places.push(place);
        }
        let vectors = all.places.iter().flatten().count();
        assert_eq!(all.values.len(), vectors * all.dimensions, "vectors of one length");
        all
    }

    /// Computes the vectors of a library's photos, and whitens them by their own principal
    /// components. `on_failure` hears of photos that cannot be decoded.
    ///
    /// # Errors
    /// The recipe has several vectors for a photo or needs a whitening that was not learned, the
    /// engine fails, or the monitor ended it.
    pub fn compute(
        extractor: &mut Extractor,
        store: &dyn PhotoStore,
        records: &[PhotoRecord],
        monitor: &dyn Monitor,
        mut on_failure: impl FnMut(&str, &str),
    ) -> Result<Self, RetrievalError> {
        let photos: Vec<String> = records.iter().map(|it| it.photo.clone()).collect();
        let mut vectors = vec![None; photos.len()];
        extractor.describe(store, &photos, Role::Reference, monitor, |row, descriptor| {
            match descriptor {
                Ok(descriptor) if descriptor.len() == 1 => {
                    vectors[row] = Some(descriptor.values().to_vec());
                }
                Ok(_) => {
                    let what = "photos of a library are compared by one vector each".to_owned();
                    return Err(RetrievalError::Recipe(what));
                }
                Err(error) => on_failure(&photos[row], &error.to_string()),
            }
            Ok(())
        })?;
        Ok(Self::new(vectors).whitened())
    }

    /// With components of more equal variances, as many as the photos allow; as they are where there
    /// are too few photos for one.
    fn whitened(self) -> Self {
        let photos = self.places.iter().flatten().count();
        let components = (photos / PHOTOS_PER_COMPONENT).min(COMPONENTS).min(self.dimensions);
        if components < 2 {
            return self;
        }
        match Whitening::learn_in_part(&self.values, self.dimensions, components, WHITENING) {
            Ok(whitening) => {
                let row = |row| self.vector(row).map(|vector| whitening.apply(vector));
                Self::new((0..self.places.len()).map(row))
            }
            // The photos differ in fewer directions, such as when most are equal.
            Err(_) => self,
        }
    }

    /// The known photo of these that looks most alike; `None` without a vector or a known photo.
    pub(crate) fn nearest(&self, row: usize, known: &[Option<LatLng>]) -> Option<LatLng> {
        let own = self.vector(row)?;
        let similarity = |(other, position): (usize, &Option<LatLng>)| {
            let vector = self.vector(other).filter(|_| other != row)?;
            Some((cosine(own, vector), (*position)?))
        };
        let all = known.iter().enumerate().filter_map(similarity);
        all.max_by(|a, b| a.0.total_cmp(&b.0)).map(|it| it.1)
    }

    pub(crate) fn vector(&self, row: usize) -> Option<&[f32]> {
        let place = self.places.get(row).copied().flatten()?;
        Some(&self.values[place * self.dimensions..][..self.dimensions])
    }

    /// The most similar of some known photos, the best first, as (number, cosine).
    pub(crate) fn most_similar(
        &self,
        row: usize,
        known: &[Known],
        wanted: impl Fn(&Known) -> bool,
    ) -> Ranked {
        let Some(own) = self.vector(row) else { return Vec::new() };
        let similarity = |(number, it): (usize, &Known)| {
            let other = self.vector(it.row).filter(|_| it.row != row && wanted(it))?;
            Some((number, cosine(own, other)))
        };
        let mut all: Ranked = known.iter().enumerate().filter_map(similarity).collect();
        let by_similarity =
            |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if all.len() > VOTERS {
            all.select_nth_unstable_by(VOTERS, by_similarity);
            all.truncate(VOTERS);
        }
        all.sort_by(by_similarity);
        all
    }
}

/// Of two vectors of length 1.
pub(crate) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
