//! The paper's match of people against the model (section 3, "Comparison to human performance"):
//! who sees which photo, and who guessed what.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Mutex, MutexGuard},
};

use planet_data::Manifest;
use planet_geo::LatLng;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{error::ApiError, server::ServeError};

/// Rounds and players that a match may have.
pub(crate) const MOST_ROUNDS: usize = 50;
pub(crate) const MOST_PLAYERS: usize = 20;
/// Matches that are kept; the oldest are forgotten.
const KEPT: usize = 256;
/// Photos that a dataset must have.
const FEWEST: usize = 5;

/// All matches over one dataset.
pub(crate) struct Games {
    dataset: String,
    pub root: PathBuf,
    /// Photos of known position.
    pub known: Vec<(String, LatLng)>,
    matches: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    by_id: HashMap<String, Game>,
    /// In the order of their beginning.
    order: Vec<String>,
}

/// One match.
#[derive(Clone, Debug)]
pub(crate) struct Game {
    pub rounds: usize,
    pub players: Vec<String>,
    /// Whether all players see the same photos.
    pub shared: bool,
    /// Index among the known photos, `[round][player]`.
    photos: Vec<Vec<usize>>,
    /// By round and player.
    pub guesses: BTreeMap<(usize, usize), LatLng>,
    /// The model's answers by photo.
    pub answers: HashMap<usize, Option<LatLng>>,
}

impl Game {
    /// The photo of a player in a round.
    pub(crate) fn photo(&self, round: usize, player: usize) -> usize {
        self.photos[round][player]
    }

    pub(crate) fn player(&self, name: &str) -> Result<usize, ApiError> {
        let found = self.players.iter().position(|player| player == name);
        found.ok_or_else(|| ApiError::not_found(format!("'{name}' does not play in this match")))
    }

    /// The players who have guessed in a round.
    pub(crate) fn guessed(&self, round: usize) -> Vec<usize> {
        (0..self.players.len()).filter(|it| self.guesses.contains_key(&(round, *it))).collect()
    }

    /// Whether what a player saw in a round may be told: they have guessed, and with one photo for
    /// all, everybody has.
    pub(crate) fn is_open(&self, round: usize, player: usize) -> bool {
        match self.shared {
            true => self.guessed(round).len() == self.players.len(),
            false => self.guesses.contains_key(&(round, player)),
        }
    }

    /// The first round that is not over; all of them where none is left.
    pub(crate) fn round(&self) -> usize {
        (0..self.rounds)
            .find(|round| self.guessed(*round).len() < self.players.len())
            .unwrap_or(self.rounds)
    }
}

impl Games {
    /// # Errors
    /// Too few photos of known position.
    pub(crate) fn new(manifest: Manifest) -> Result<Self, ServeError> {
        let name = manifest.root.file_name().map(|it| it.to_string_lossy().into_owned());
        let position =
            |it: planet_data::PhotoRecord| Some((it.photo.clone(), it.known_position()?));
        let known: Vec<_> = manifest.records.into_iter().filter_map(position).collect();
        if known.len() < FEWEST {
            return Err(ServeError::TooFewPhotos(known.len()));
        }
        let dataset = name.unwrap_or_default();
        Ok(Self { dataset, root: manifest.root, known, matches: Mutex::default() })
    }

    pub(crate) fn dataset(&self) -> String {
        self.dataset.clone()
    }

    pub(crate) fn photos(&self) -> usize {
        self.known.len()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.matches.lock().unwrap_or_else(|held| held.into_inner())
    }

    /// Begins a match and returns its id.
    ///
    /// # Errors
    /// Rounds or players out of range, a name that is empty or twice, too few photos.
    pub(crate) fn start(
        &self,
        rounds: usize,
        players: Vec<String>,
        shared: bool,
        seed: Option<u64>,
    ) -> Result<String, ApiError> {
        let names_differ = players.iter().enumerate().all(|(at, it)| !players[..at].contains(it));
        let good_name = |it: &String| !it.trim().is_empty() && it.len() <= 100 && it != "PlaNet";
        if !(1..=MOST_ROUNDS).contains(&rounds) {
            return Err(ApiError::bad_request(format!("rounds must be 1 to {MOST_ROUNDS}")));
        }
        if !(1..=MOST_PLAYERS).contains(&players.len()) {
            return Err(ApiError::bad_request(format!("players must be 1 to {MOST_PLAYERS}")));
        }
        if !names_differ || !players.iter().all(good_name) {
            return Err(ApiError::bad_request(
                "players need names that differ, are not empty, and are not PlaNet",
            ));
        }
        let wanted = if shared { rounds } else { rounds * players.len() };
        if wanted > self.known.len() {
            let what = format!("{wanted} photos are needed, and there are {}", self.known.len());
            return Err(ApiError::bad_request(what).hint("choose fewer rounds or players"));
        }
        let mut of_system = [0; 32];
        getrandom::fill(&mut of_system).map_err(ApiError::internal)?;
        let mut of_system = ChaCha8Rng::from_seed(of_system);
        let id = format!("{:016x}", of_system.random::<u64>());
        let mut rng = seed.map_or(of_system, ChaCha8Rng::seed_from_u64);
        let mut rows: Vec<usize> = (0..self.known.len()).collect();
        for at in 0..wanted {
            let other = rng.random_range(at..rows.len());
            rows.swap(at, other);
        }
        let row = |round: usize, player: usize| match shared {
            true => rows[round],
            false => rows[round * players.len() + player],
        };
        let of_round = |round| (0..players.len()).map(|player| row(round, player)).collect();
        let photos = (0..rounds).map(of_round).collect();
        let (guesses, answers) = (BTreeMap::new(), HashMap::new());
        let game = Game { rounds, players, shared, photos, guesses, answers };
        let mut kept = self.kept();
        if kept.order.len() == KEPT {
            let oldest = kept.order.remove(0);
            kept.by_id.remove(&oldest);
        }
        kept.order.push(id.clone());
        kept.by_id.insert(id.clone(), game);
        Ok(id)
    }

    /// A match as it stands.
    ///
    /// # Errors
    /// There is no such match.
    pub(crate) fn get(&self, id: &str) -> Result<Game, ApiError> {
        self.with(id, |game| game.clone())
    }

    /// Does something with a match.
    ///
    /// # Errors
    /// There is no such match.
    pub(crate) fn with<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Game) -> T,
    ) -> Result<T, ApiError> {
        let mut kept = self.kept();
        let game = kept.by_id.get_mut(id);
        game.map(change).ok_or_else(|| ApiError::not_found("there is no such match"))
    }
}
