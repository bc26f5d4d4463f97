use std::{fs, io, path::Path, sync::Arc};

use planet_data::AtomicFile;
use planet_geo::LatLng;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::{
    WorldError,
    cue::Scene,
    cues::{CueKind, Cues},
    facts::Facts,
    likelihood::Likelihood,
    place::{Place, PlaceId, draw_places, pool_size},
    random::choose,
    scatter::scatter,
};

/// Version of the synthetic earth: another one has other places, facts or pictures for one seed.
pub const VERSION: u32 = 1;

/// What fixes a world: all of its places, their popularity and their facts follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldParameters {
    /// Version of the synthetic earth: another one has other places, facts or pictures for one seed.
    pub version: u32,
    /// Seed of places, popularity and drawn facts.
    pub world: u64,
    /// How many places there are.
    pub places: usize,
    /// Popularity falls with the place's rank to this power.
    pub zipf: f64,
    /// Seed of the drawn facts, where it is not `world`: the same places with other facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<u64>,
}

impl WorldParameters {
    /// The usual world of a seed: 2,000 places, the first of them with a twelfth of the photos.
    pub const fn new(world: u64) -> Self {
        Self { version: VERSION, world, places: 2000, zipf: 0.9, facts: None }
    }

    /// Reads `world.json` of a world folder.
    ///
    /// # Errors
    /// The file is missing, is not `world.json`, or a parameter is out of range.
    pub fn read(folder: &Path) -> Result<Self, WorldError> {
        let path = folder.join("world.json");
        let file = |source| WorldError::File { path: path.clone(), source };
        let text = fs::read_to_string(&path).map_err(file)?;
        let parameters = serde_json::from_str(&text).map_err(|error| file(error.into()))?;
        Ok(parameters)
    }

    /// Writes `world.json` into a world folder.
    ///
    /// # Errors
    /// Something else stands there under this name; the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), WorldError> {
        let path = folder.join("world.json");
        if path.symlink_metadata().is_ok() && Self::read(folder).is_err() {
            let why = "is no world.json of planet world draw: name another folder";
            let source = io::Error::new(io::ErrorKind::AlreadyExists, why);
            return Err(WorldError::File { path, source });
        }
        let text = serde_json::to_string_pretty(self).expect("numbers become JSON");
        AtomicFile::write_all_at(&path, format!("{text}\n").as_bytes())
            .map_err(|source| WorldError::File { path, source })
    }

    fn check(&self) -> Result<(), WorldError> {
        let bad = |name, value: String, range| Err(WorldError::Parameter { name, value, range });
        if self.version != VERSION {
            return bad("version", self.version.to_string(), "1..=1: draw the folder anew");
        }
        if self.places < 2 || self.places > pool_size() {
            return bad("places", self.places.to_string(), "2..=8151");
        }
        // A flatter law would make almost every place a home of authors.
        if !(0.6..=2.0).contains(&self.zipf) {
            return bad("zipf", self.zipf.to_string(), "0.6..=2");
        }
        Ok(())
    }
}

/// A synthetic earth: its places and, for each, the probability of everything that a photo shows.
/// A clone shares all of it.
#[derive(Clone)]
pub struct World {
    parameters: WorldParameters,
    places: Arc<[Place]>,
    likelihood: Arc<Likelihood>,
}

impl World {
    /// The world of these parameters; the same parameters always give the same world.
    ///
    /// # Errors
    /// A parameter is out of range.
    pub fn draw(parameters: WorldParameters) -> Result<Self, WorldError> {
        parameters.check()?;
        let places = draw_places(parameters.world, parameters.places, parameters.zipf);
        let facts = Facts::draw(parameters.facts.unwrap_or(parameters.world), &places);
        let likelihood = Likelihood::new(&facts, places.len());
        Ok(Self { parameters, places: places.into(), likelihood: Arc::new(likelihood) })
    }

    /// What fixes this world.
    pub fn parameters(&self) -> &WorldParameters {
        &self.parameters
    }

    /// All places, from the most popular one on.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// One place.
    pub fn place(&self, id: PlaceId) -> &Place {
        &self.places[id.index()]
    }

    /// The place of a photo, by popularity.
    pub fn draw_place(&self, rng: &mut (impl Rng + ?Sized)) -> PlaceId {
        let row = choose(self.places.iter().map(|place| place.popularity), rng);
        PlaceId(row as u16)
    }

    /// What a photo taken at a place shows.
    pub fn draw_cues(&self, place: PlaceId, rng: &mut (impl Rng + ?Sized)) -> Cues {
        self.likelihood.draw(place.index(), rng)
    }

    /// A photo that shows nothing of its place.
    pub fn draw_bare(&self, rng: &mut (impl Rng + ?Sized)) -> Cues {
        let bare: Vec<Scene> = Scene::ALL.iter().copied().filter(|s| s.is_bare()).collect();
        Cues::bare(bare[rng.random_range(0..bare.len())])
    }

    /// Where exactly a photo of a place is taken, independent of what it shows.
    pub fn draw_position(&self, place: PlaceId, rng: &mut (impl Rng + ?Sized)) -> LatLng {
        scatter(self.place(place).position, rng)
    }

    /// P(place | cues), exact: `[places]`, sums to one.
    pub fn posterior(&self, cues: &Cues) -> Vec<f64> {
        let mut weights: Vec<f64> = self.places.iter().map(|place| place.popularity).collect();
        self.likelihood.apply(cues, &mut weights);
        let total: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= total;
        }
        weights
    }

    /// P(place | all cues but one), exact: `[places]`, sums to one. Its difference from
    /// [`World::posterior`] is what the cue tells; a cue that is not in the picture tells nothing.
    pub fn posterior_without(&self, cues: &Cues, kind: CueKind) -> Vec<f64> {
        self.posterior(&cues.without(kind))
    }

    /// P(cues | place) but for a factor that all places share: `[places]`, the greatest is one.
    pub fn likelihood(&self, cues: &Cues) -> Vec<f64> {
        let mut weights = vec![1.0; self.places.len()];
        self.likelihood.apply(cues, &mut weights);
        let greatest = weights.iter().copied().fold(0.0, f64::max);
        for weight in &mut weights {
            *weight /= greatest;
        }
        weights
    }
}

/// −Σ p·log₂ p of a distribution, in bits.
pub fn entropy_bits(probabilities: &[f64]) -> f64 {
    let positive = probabilities.iter().filter(|&&p| p > 0.0);
    -positive.map(|p| p * p.log2()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Purpose, stream};

    fn world() -> World {
        World::draw(WorldParameters { places: 400, ..WorldParameters::new(0) }).expect("a world")
    }

    #[test]
    fn a_photo_without_cues_leaves_the_popularity() {
        let world = world();
        let posterior = world.posterior(&Cues::bare(Scene::Food));
        for (place, probability) in world.places().iter().zip(posterior) {
            assert!((place.popularity - probability).abs() < 1e-15);
        }
    }

    #[test]
    fn a_cue_left_out_of_the_posterior_comes_back_by_the_rule_of_bayes() {
        let world = world();
        let mut rng = stream(4, Purpose::Photo, 0);
        for _ in 0..200 {
            let truth = world.draw_place(&mut rng);
            let cues = world.draw_cues(truth, &mut rng);
            let whole = world.posterior(&cues);
            for &kind in CueKind::ALL {
                let left = world.posterior_without(&cues, kind);
                assert!((left.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                let Some(value) = cues.get(kind) else {
                    assert_eq!(left, whole, "{kind:?} is not in {cues}");
                    continue;
                };
                // The cue alone, as the evidence of a photo that shows nothing else.
                let probabilities = world.likelihood.value(kind, value);
                let weights: Vec<f64> =
                    left.iter().zip(probabilities).map(|(p, c)| p * c).collect();
                let total: f64 = weights.iter().sum();
                for (weight, wanted) in weights.iter().zip(&whole) {
                    assert!((weight / total - wanted).abs() < 1e-9, "{kind:?} of {cues}");
                }
            }
        }
    }

    #[test]
    fn the_posterior_sums_to_one_and_means_what_it_says() {
        let world = world();
        let mut rng = stream(9, Purpose::Photo, 0);
        // Of places given a probability of about p, a share p must be the true ones.
        let mut bins = [(0.0, 0.0, 0.0); 10];
        for _ in 0..200_000 {
            let truth = world.draw_place(&mut rng);
            let posterior = world.posterior(&world.draw_cues(truth, &mut rng));
            assert!((posterior.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            for (place, &probability) in posterior.iter().enumerate() {
                let bin = &mut bins[((probability * 10.0) as usize).min(9)];
                bin.0 += probability;
                bin.1 += f64::from(place == truth.index());
                bin.2 += probability * (1.0 - probability);
            }
        }
        for (expected, counted, variance) in bins {
            assert!((expected - counted).abs() < 4.5 * variance.sqrt() + 1.0, "{bins:?}");
        }
    }

    #[test]
    fn parameters_out_of_range_are_named() {
        let none = WorldParameters { places: 0, ..WorldParameters::new(0) };
        let error = World::draw(none).map(|_| ()).expect_err("no places");
        assert!(error.to_string().contains("places = 0"), "{error}");
        let later = WorldParameters { version: 2, ..WorldParameters::new(0) };
        assert!(World::draw(later).is_err());
    }

    #[test]
    fn other_facts_leave_the_places_and_what_is_real() {
        let draw = |facts| {
            let parameters = WorldParameters { places: 400, facts, ..WorldParameters::new(0) };
            World::draw(parameters).expect("a world")
        };
        let (usual, same, other) = (draw(None), draw(Some(0)), draw(Some(1)));
        assert_eq!(usual.places(), other.places());
        for &kind in CueKind::ALL {
            let of = |world: &World| -> Vec<Vec<f64>> {
                (0..kind.values())
                    .map(|value| world.likelihood.value(kind, value).to_vec())
                    .collect()
            };
            let is_real = matches!(
                kind,
                CueKind::DrivingSide
                    | CueKind::Script
                    | CueKind::Sun
                    | CueKind::Vegetation
                    | CueKind::Ground
                    | CueKind::Fauna
            );
            assert_eq!(of(&usual), of(&same), "{kind:?}");
            assert_eq!(of(&usual) == of(&other), is_real, "{kind:?}");
        }
    }

    #[test]
    fn parameters_survive_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let parameters = WorldParameters { zipf: 1.25, ..WorldParameters::new(7) };
        parameters.write(folder.path()).expect("written");
        assert_eq!(WorldParameters::read(folder.path()).expect("read"), parameters);
        let text = fs::read_to_string(folder.path().join("world.json")).expect("read");
        assert!(!text.contains("facts"), "worlds of earlier versions stay the same bytes: {text}");
        let other = WorldParameters { facts: Some(3), ..parameters };
        other.write(folder.path()).expect("written");
        assert_eq!(WorldParameters::read(folder.path()).expect("read"), other);
    }
}
