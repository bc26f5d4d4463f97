use std::{path::Path, sync::Arc};

use planet::{Candidate, Certain, LocateError, Place, Prediction, Within};
use planet_data::{Gazetteer, Monitor, Photo, PhotoStore};
use planet_geo::{Distance, LatLng, Scale};
use rayon::prelude::*;

use crate::{
    Cluster, Extractor, Index, IndexError, Neighbour, mean_shift, preference::Preferences,
};

/// Photos that are decoded and described at once before their answers are handed on.
const BLOCK: usize = 16;

/// How an answer follows from the neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerRule {
    /// The most similar photos, in order; their probabilities are in proportion to the inverse of
    /// their distances among all neighbours.
    Nearest,
    /// The clusters of the neighbours' positions by mean shift, the one with the most neighbours
    /// first; its probability is its share of the neighbours.
    MeanShift,
    /// The same clusters, their mean positions ordered by support vector machines, one for each
    /// cluster against the others. Where no cluster has two members, as [`AnswerRule::Nearest`].
    SupportVectors,
}

/// What to say of each photo.
#[derive(Clone, Debug)]
pub struct AnswerOptions {
    /// How an answer follows from the neighbours.
    pub rule: AnswerRule,
    /// Neighbours that answers are made of (paper: 120), at least 1.
    pub neighbours: usize,
    /// Bandwidth of mean shift.
    pub bandwidth: Distance,
    /// Candidates per photo.
    pub top: usize,
    /// Minimum probability for reporting a level, above 0 and at most 1.
    pub certain: f64,
    /// Area to which answers are limited.
    pub within: Option<Within>,
    /// Whether to name places.
    pub names: bool,
}

impl Default for AnswerOptions {
    /// Five clusters of 120 neighbours with names, 200 km wide, certain from one half on.
    fn default() -> Self {
        Self {
            rule: AnswerRule::MeanShift,
            neighbours: 120,
            bandwidth: Distance::from_km(200.0),
            top: 5,
            certain: 0.5,
            within: None,
            names: true,
        }
    }
}

/// Locates photos by the photos of an index that are like them. Shared by all threads.
///
/// ```no_run
/// use std::{path::Path, sync::Arc};
/// use planet_data::{Gazetteer, Limits, Photo};
/// use planet_im2gps::{AnswerOptions, Im2Gps};
///
/// let gazetteer = Arc::new(Gazetteer::new());
/// let im2gps = Im2Gps::open(Path::new("photos.index"), AnswerOptions::default(), gazetteer)?;
/// let photo = Photo::decode(&std::fs::read("photo.jpg")?, &Limits::default())?;
/// let (prediction, neighbours) = im2gps.locate("photo.jpg", &photo);
/// println!("{:?}, like {}", prediction.best(), im2gps.index().photo(neighbours[0].row));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Im2Gps {
    index: Index,
    extractor: Extractor,
    options: AnswerOptions,
    /// For every row, whether it may be an answer; `None` where all may.
    allowed: Option<Vec<bool>>,
    gazetteer: Arc<Gazetteer>,
}

impl Im2Gps {
    /// Opens an index.
    ///
    /// # Errors
    /// As [`Index::open`] and [`Im2Gps::new`].
    pub fn open(
        path: &Path,
        options: AnswerOptions,
        gazetteer: Arc<Gazetteer>,
    ) -> Result<Self, IndexError> {
        Self::new(Index::open(path)?, options, gazetteer)
    }

    /// Locates photos by an index.
    ///
    /// # Errors
    /// No photo of the index lies in the area asked for.
    pub fn new(
        index: Index,
        options: AnswerOptions,
        gazetteer: Arc<Gazetteer>,
    ) -> Result<Self, IndexError> {
        let allowed = options.within.as_ref().map(|within| {
            let rows = 0..index.len();
            rows.map(|row| within.holds(index.position(row), &gazetteer)).collect::<Vec<_>>()
        });
        if allowed.as_ref().is_some_and(|allowed| !allowed.contains(&true)) {
            return Err(IndexError::Within);
        }
        let extractor = index.extractor();
        Ok(Self { index, extractor, options, allowed, gazetteer })
    }

    /// The index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What is said of each photo.
    pub fn options(&self) -> &AnswerOptions {
        &self.options
    }

    /// Locates a photo; gives the neighbours that the answer was made of too, nearest first.
    pub fn locate(&self, id: &str, photo: &Photo) -> (Prediction, Vec<Neighbour>) {
        let row = self.extractor.row(photo);
        let (k, allowed) = (self.options.neighbours, self.allowed.as_deref());
        let neighbours = self.index.neighbours(&row, k, allowed);
        (self.answer(id, self.options.rule, &neighbours), neighbours)
    }

    /// Locates photos in their order, on all cores; `take` gets each photo's number, its
    /// prediction and its neighbours, none where the photo cannot be read.
    ///
    /// # Errors
    /// `take` fails, or the monitor says to stop.
    pub fn locate_all<E>(
        &self,
        store: &dyn PhotoStore,
        photos: &[String],
        monitor: &dyn Monitor,
        mut take: impl FnMut(usize, Prediction, &[Neighbour]) -> Result<(), E>,
    ) -> Result<(), LocateError<E>> {
        let mut number = 0;
        for block in photos.chunks(BLOCK) {
            if monitor.cancelled() {
                return Err(LocateError::Cancelled);
            }
            let of = |id: &String| match store.photo(id) {
                Ok(photo) => self.locate(id, &photo),
                Err(error) => (Prediction::failed(id, error), Vec::new()),
            };
            let found: Vec<_> = block.par_iter().map(of).collect();
            for (prediction, neighbours) in found {
                take(number, prediction, &neighbours).map_err(LocateError::Taken)?;
                number += 1;
            }
            monitor.advance(block.len() as u64);
        }
        Ok(())
    }

    /// What follows from a photo's neighbours, nearest first, by either rule.
    pub fn answer(&self, id: &str, rule: AnswerRule, neighbours: &[Neighbour]) -> Prediction {
        let positions: Vec<LatLng> =
            neighbours.iter().map(|it| self.index.position(it.row)).collect();
        let bandwidth = self.options.bandwidth;
        let preferred = match rule {
            AnswerRule::SupportVectors => {
                Preferences::of(&self.index, neighbours, &positions, bandwidth).candidates()
            }
            _ => None,
        };
        let (places, weights) = match (rule, preferred) {
            (AnswerRule::MeanShift, _) => {
                let share = 1.0 / positions.len() as f64;
                (clusters(&positions, bandwidth), vec![share; positions.len()])
            }
            (_, Some((candidates, weights))) => (candidates, weights),
            (_, None) => (nearest(neighbours, &positions), shares(neighbours)),
        };
        let certain = self.certain(&places, &positions, &weights);
        let candidate = |place: &Candidate| Candidate {
            place: self.options.names.then(|| Place::of(place.position, &self.gazetteer)),
            ..place.clone()
        };
        let candidates = places.iter().take(self.options.top).map(candidate).collect();
        Prediction { photo: id.to_owned(), candidates, certain, ..Prediction::default() }
    }

    /// The finest level of which a disc around one of the places holds enough of the weight.
    fn certain(
        &self,
        places: &[Candidate],
        positions: &[LatLng],
        weights: &[f64],
    ) -> Option<Certain> {
        let mass = |middle: LatLng, radius: Distance| -> f64 {
            let pairs = positions.iter().zip(weights);
            pairs.filter(|(it, _)| it.distance_to(middle) <= radius).map(|(_, weight)| weight).sum()
        };
        let densest = |level: Scale| {
            let masses = places.iter().map(|it| (it.position, mass(it.position, level.radius())));
            // The first of equal ones, which ranks higher.
            let better =
                |best: (LatLng, f64), it: (LatLng, f64)| if it.1 > best.1 { it } else { best };
            let (position, mass) = masses.reduce(better)?;
            // Shares are sums of fractions.
            (mass + 1e-9 >= self.options.certain).then_some((level, position, mass))
        };
        let (level, position, mass) = Scale::ALL.into_iter().find_map(densest)?;
        let name = match self.options.names {
            true => Place::of(position, &self.gazetteer).at_level(level),
            false => String::new(),
        };
        Some(Certain { level, name, position, probability: mass.min(1.0) as f32 })
    }
}

/// Each neighbour's weight: in proportion to the inverse of its distance; they sum to one.
/// Neighbours that are equal to the photo have all of it.
fn shares(neighbours: &[Neighbour]) -> Vec<f64> {
    let equal = neighbours.iter().any(|neighbour| neighbour.distance <= 0.0);
    let weight = |neighbour: &Neighbour| match neighbour.distance {
        distance if equal => f64::from(u8::from(distance <= 0.0)),
        distance => 1.0 / f64::from(distance),
    };
    let sum: f64 = neighbours.iter().map(weight).sum();
    neighbours.iter().map(|neighbour| weight(neighbour) / sum).collect()
}

fn nearest(neighbours: &[Neighbour], positions: &[LatLng]) -> Vec<Candidate> {
    let candidate = |(weight, &position): (f64, &LatLng)| Candidate {
        probability: Some(weight as f32),
        ..Candidate::at(position)
    };
    shares(neighbours).into_iter().zip(positions).map(candidate).collect()
}

/// Clusters as candidates; their radius reaches the farthest member.
fn clusters(positions: &[LatLng], bandwidth: Distance) -> Vec<Candidate> {
    let found = mean_shift(positions, bandwidth);
    let candidate = |cluster: Cluster| Candidate {
        probability: Some(cluster.members.len() as f32 / positions.len() as f32),
        radius: cluster.reach(cluster.centre, positions),
        ..Candidate::at(cluster.centre)
    };
    found.into_iter().map(candidate).collect()
}
