use planet_geo::{Distance, LatLng};

use super::{
    Descriptor, Index, RetrievalError,
    extract::Finish,
    recipe::{Pooling, Recipe, Views},
};
use crate::{Accuracy, FeatureModel, Locator, Place, Prediction};

/// How positions are chosen among a photo's neighbours (Vo et al. 2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RefineOptions {
    /// Nearest photos that count.
    pub neighbours: usize,
    /// Best cells within which positions are chosen.
    pub cells: usize,
    /// A neighbour's weight is its distance, between vectors of length 1, to this power, inverted.
    /// The published code raises the squared distance to the 10th.
    pub power: i32,
    /// Standard deviation of the kernel on the sphere; [`Refiner::choose_spread`] chooses it.
    pub spread: Distance,
    /// The answer is the most similar neighbour within this distance of the densest place.
    pub snap: Distance,
}

impl RefineOptions {
    /// Within the model's cells: 10 km.
    pub fn in_cells() -> Self {
        Self {
            neighbours: 100,
            cells: 5,
            power: 20,
            spread: Distance::from_km(10.0),
            snap: Distance::from_km(100.0),
        }
    }

    /// Over a whole index without cells, as published: 4 degrees, 445 km.
    pub fn over_the_earth() -> Self {
        Self { spread: Distance::from_km(445.0), ..Self::in_cells() }
    }
}

/// A photo of known position that is similar to another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Where it was taken.
    pub position: LatLng,
    /// Distance of its vector.
    pub distance: f32,
}

/// Distances below this count as it: a copy of the photo would outweigh everything by any power.
const LEAST: f64 = 1e-3;

/// The place where the weighted neighbours are densest, and its density as a share of all weight:
/// the position of the most similar neighbour near it. `None` where there are no neighbours.
///
/// Distances run over the sphere, so that nothing changes at 180° and at the poles.
pub fn densest(neighbours: &[Neighbour], options: &RefineOptions) -> Option<(LatLng, f64)> {
    let weights = weights(neighbours, options.power);
    densest_of(neighbours, &weights, options)
}

fn densest_of(
    neighbours: &[Neighbour],
    weights: &[f64],
    options: &RefineOptions,
) -> Option<(LatLng, f64)> {
    let total: f64 = weights.iter().sum();
    let density = |at: &Neighbour| {
        let near = |(other, weight): (&Neighbour, &f64)| {
            let ratio = at.position.distance_to(other.position).km() / options.spread.km();
            weight * (-0.5 * ratio * ratio).exp()
        };
        neighbours.iter().zip(weights).map(near).sum::<f64>()
    };
    let densities = neighbours.iter().map(|it| (it, density(it)));
    // Of equal densities, the most similar neighbour.
    let (middle, density) = densities
        .max_by(|(a, x), (b, y)| x.total_cmp(y).then(b.distance.total_cmp(&a.distance)))?;
    let near = neighbours
        .iter()
        .filter(|it| it.position.distance_to(middle.position) <= options.snap)
        .min_by(|a, b| a.distance.total_cmp(&b.distance))?;
    Some((near.position, density / total))
}

/// Weights of neighbours, the greatest 1.
fn weights(neighbours: &[Neighbour], power: i32) -> Vec<f64> {
    let distance = |it: &Neighbour| f64::from(it.distance).max(LEAST);
    let least = neighbours.iter().map(distance).fold(f64::INFINITY, f64::min);
    neighbours.iter().map(|it| (least / distance(it)).powi(power)).collect()
}

/// Spreads that are tried within cells, in km: the published range is 1 to 25 (Vo et al. 2017).
const SPREADS_KM: [f64; 6] = [1.0, 2.5, 5.0, 10.0, 17.5, 25.0];

/// How accurate answers are under one spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpreadScore {
    /// The spread.
    pub spread: Distance,
    /// Share of photos whose answer lies within each of the five scales.
    pub within: [f64; 5],
}

/// Chooses positions within a prediction's best cells by the nearest photos of an index.
pub struct Refiner {
    index: Index,
    finish: Finish,
    options: RefineOptions,
}

impl Refiner {
    /// An index of the embeddings of whole photos under the same model.
    ///
    /// # Errors
    /// The index is of another model, or its vectors cannot be had from the embedding alone.
    pub fn new(
        index: Index,
        model: &FeatureModel,
        options: RefineOptions,
    ) -> Result<Self, RetrievalError> {
        index.check_model(model)?;
        let Recipe { pooling, views, scales, .. } = &index.info().recipe;
        if (*pooling, *views, &scales[..]) != (Pooling::Embedding, Views::Whole, &[1.0]) {
            return Err(RetrievalError::Recipe(
                "refinement uses the embedding that locating computes anyway: create the index with \
                 --pooling embedding, --views whole and one scale"
                    .to_owned(),
            ));
        }
        if index.photos().iter().all(|photo| photo.position.is_none()) {
            return Err(RetrievalError::Recipe("no photo of the index has a position".to_owned()));
        }
        let finish =
            Finish { recipe: index.info().recipe.clone(), whitening: index.whitening().cloned() };
        Ok(Self { index, finish, options })
    }

    /// The nearest photos of known position to a photo with this embedding. A photo of the index
    /// that has the name `except` is left out: it is the photo itself.
    pub fn neighbours(&self, embedding: &[f32], except: &str) -> Vec<Neighbour> {
        let descriptor: Descriptor = self.finish.of_embedding(embedding);
        let hits = self.index.search(&[descriptor], self.options.neighbours + 1);
        let photos = self.index.photos();
        let others = hits.iter().flatten().filter(|hit| photos[hit.photo].photo != except);
        let neighbour = |hit: &super::Hit| {
            let position = photos[hit.photo].position?;
            Some(Neighbour { position, distance: hit.distance })
        };
        others.take(self.options.neighbours).filter_map(neighbour).collect()
    }

    /// Moves the positions of a prediction's best cells to where the neighbours in each are densest,
    /// and puts the cell first whose probability times density is greatest. Cells without
    /// neighbours keep their point, behind the others. The prediction needs its embedding.
    pub fn refine(&self, prediction: &mut Prediction, locator: &Locator) {
        let Some(embedding) = &prediction.embedding else { return };
        let neighbours = self.neighbours(embedding, &prediction.photo);
        self.refine_by(&neighbours, prediction, locator);
    }

    /// Tries several spreads on photos of known position and keeps the best for all that is refined
    /// later: that under which most answers lie within the five scales, counted together; of equal ones
    /// the narrowest. Gives the accuracy under each. Photos without embedding, candidates or position
    /// do not count.
    ///
    /// The photos should be validation photos: neither those of the index nor those that are tested.
    pub fn choose_spread(
        &mut self,
        predictions: &[Prediction],
        locator: &Locator,
    ) -> Vec<SpreadScore> {
        let found = |prediction: &Prediction| {
            let embedding = prediction.embedding.as_ref()?;
            prediction.distance()?;
            Some(self.neighbours(embedding, &prediction.photo))
        };
        let photos = predictions.iter().filter_map(|it| Some((it, found(it)?)));
        let photos: Vec<(&Prediction, Vec<Neighbour>)> = photos.collect();
        let mut scores = Vec::new();
        let (mut best, mut most) = (self.options.spread, 0);
        for spread in SPREADS_KM.map(Distance::from_km) {
            self.options.spread = spread;
            let mut accuracy = Accuracy::default();
            for (prediction, neighbours) in &photos {
                let mut refined = (*prediction).clone();
                self.refine_by(neighbours, &mut refined, locator);
                accuracy.add(refined.distance());
            }
            let all: u64 = accuracy.counts(1).iter().sum();
            if all > most {
                (best, most) = (spread, all);
            }
            scores.push(SpreadScore { spread, within: accuracy.shares(1) });
        }
        self.options.spread = best;
        scores
    }

    /// What positions are chosen by.
    pub fn options(&self) -> &RefineOptions {
        &self.options
    }

    fn refine_by(&self, neighbours: &[Neighbour], prediction: &mut Prediction, locator: &Locator) {
        let partition = locator.partition();
        let weights = weights(neighbours, self.options.power);
        let total: f64 = weights.iter().sum();
        let cells = self.options.cells.min(prediction.candidates.len());
        let mut scores = vec![0.0; cells];
        for (candidate, score) in prediction.candidates[..cells].iter_mut().zip(&mut scores) {
            let Some(class) = candidate.class else { continue };
            let inside = neighbours.iter().zip(&weights);
            let inside = inside.filter(|(it, _)| partition.class_of(it.position) == Some(class));
            let (own, own_weights): (Vec<Neighbour>, Vec<f64>) =
                inside.map(|(it, weight)| (*it, *weight)).unzip();
            if let Some((position, share)) = densest_of(&own, &own_weights, &self.options) {
                candidate.position = position;
                let named = candidate.place.as_ref();
                candidate.place = named.map(|_| Place::of(position, locator.gazetteer()));
                let share = share * own_weights.iter().sum::<f64>() / total;
                *score = share * f64::from(candidate.probability.unwrap_or(1.0));
            }
        }
        let mut order: Vec<usize> = (0..cells).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let best: Vec<_> = order.iter().map(|at| prediction.candidates[*at].clone()).collect();
        prediction.candidates[..cells].clone_from_slice(&best);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64, distance: f32) -> Neighbour {
        Neighbour { position: LatLng::new(lat, lng).expect("a place"), distance }
    }

    fn found(neighbours: &[Neighbour], options: &RefineOptions) -> [f64; 2] {
        let (position, _) = densest(neighbours, options).expect("neighbours");
        [position.lat(), position.lng()]
    }

    #[test]
    fn many_fairly_similar_photos_at_one_place_beat_one_that_is_a_little_more_similar() {
        let mut neighbours = vec![at(48.0, 2.0, 0.50)];
        neighbours.extend([at(41.0, 12.0, 0.51), at(41.0, 12.01, 0.52), at(41.01, 12.0, 0.53)]);
        assert_eq!(found(&neighbours, &RefineOptions::in_cells()), [41.0, 12.0]);
        // A photo that is much more similar outweighs them all.
        neighbours[0].distance = 0.4;
        assert_eq!(found(&neighbours, &RefineOptions::in_cells()), [48.0, 2.0]);
    }

    #[test]
    fn there_is_no_seam_at_180_degrees_and_none_at_the_pole() {
        for lat in [0.0, 89.99] {
            let neighbours =
                [at(lat, 179.99, 0.5), at(lat, -179.99, 0.5), at(lat - 60.0, 10.0, 0.499)];
            let [found, _] = found(&neighbours, &RefineOptions::in_cells());
            assert_eq!(found, lat);
        }
    }

    #[test]
    fn a_copy_of_the_photo_decides_alone_and_no_neighbours_are_no_answer() {
        let neighbours = [at(1.0, 1.0, 0.0), at(2.0, 2.0, 0.1), at(2.0, 2.0, 0.1)];
        assert_eq!(found(&neighbours, &RefineOptions::in_cells()), [1.0, 1.0]);
        assert_eq!(densest(&[], &RefineOptions::over_the_earth()), None);
    }

    #[test]
    fn a_wide_kernel_over_the_earth_is_snapped_to_the_most_similar_photo_near_it() {
        // Three cities of one country, each too far from the others for a narrow kernel.
        let neighbours =
            [at(45.0, 9.0, 0.52), at(45.1, 9.1, 0.50), at(44.0, 10.0, 0.53), at(0.0, 0.0, 0.49)];
        assert_eq!(found(&neighbours, &RefineOptions::over_the_earth()), [45.1, 9.1]);
    }
}
