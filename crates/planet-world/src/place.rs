use planet_geo::LatLng;
use rand::{Rng, RngExt};

use crate::{
    random::normal,
    seed::{Purpose, stream},
};

/// The pool: cities first, then rural spots. Made by `data/make_places.py`.
const POOL: &str = include_str!("../data/places.csv");

/// GeoNames' rural spots have at most this many people, its cities (but those of the smallest
/// countries) more.
const RURAL_POPULATION: u32 = 5000;

/// One place in this many is a rural spot.
const RURAL_ONE_IN: usize = 4;

/// Spread of popularity against population: photos do not follow people alone.
const FAME: f64 = 1.1;

/// Row of a place in its world, from the most popular one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(pub u16);

impl PlaceId {
    /// As an index into a row of probabilities.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A real city or settlement at which photos are taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its name in GeoNames.
    pub name: String,
    /// ISO 3166-1 alpha-2 code of its country.
    pub country: String,
    /// Its middle.
    pub position: LatLng,
    /// People who live there.
    pub population: u32,
    /// A spot in the country and not a city.
    pub rural: bool,
    /// Share of all photos that are taken there; the shares of a world sum to one.
    pub popularity: f64,
}

/// How many places the pool holds.
pub(crate) fn pool_size() -> usize {
    POOL.lines().count() - HEADER_LINES
}

const HEADER_LINES: usize = 2;

/// The places of a world, from the most popular one on; popularity falls as `rank^-zipf`.
pub(crate) fn draw_places(seed: u64, count: usize, zipf: f64) -> Vec<Place> {
    let mut rng = stream(seed, Purpose::Places, 0);
    let (cities, rural): (Vec<_>, Vec<_>) = pool().into_iter().partition(|place| !place.rural);
    let rural_count =
        (count / RURAL_ONE_IN).min(rural.len()).max(count.saturating_sub(cities.len()));
    let mut chosen = choose(cities, count - rural_count, &mut rng);
    chosen.extend(choose(rural, rural_count, &mut rng));
    chosen.sort_by(|a, b| b.0.total_cmp(&a.0));

    let share = |rank: usize| (rank as f64 + 1.0).powf(-zipf);
    let total: f64 = (0..count).map(share).sum();
    let named = chosen.into_iter().enumerate();
    named.map(|(rank, (_, place))| Place { popularity: share(rank) / total, ..place }).collect()
}

/// The `count` most famous of some places, with their fame.
fn choose(places: Vec<Place>, count: usize, rng: &mut impl Rng) -> Vec<(f64, Place)> {
    let fame = |place: Place| {
        // A spot in the country is known for something else than its people.
        let people = if place.rural { 1e5 * rng.random::<f64>() } else { place.population.into() };
        (f64::ln(people + 1.0) + FAME * normal(rng), place)
    };
    let mut ranked: Vec<_> = places.into_iter().map(fame).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.truncate(count);
    ranked
}

fn pool() -> Vec<Place> {
    POOL.lines().skip(HEADER_LINES).map(parse).collect()
}

fn parse(line: &str) -> Place {
    const INVARIANT: &str = "places.csv is part of this crate and a test reads all of it";
    let mut fields = line.split(',');
    let mut next = || fields.next().expect(INVARIANT);
    let (name, country) = (next().to_owned(), next().to_owned());
    let (lat, lng) = (next().parse().expect(INVARIANT), next().parse().expect(INVARIANT));
    let population = next().parse().expect(INVARIANT);
    Place {
        name,
        country,
        position: LatLng::new(lat, lng).expect(INVARIANT),
        population,
        rural: population <= RURAL_POPULATION,
        popularity: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_pool_can_be_chosen() {
        let places = draw_places(0, pool_size(), 1.0);
        assert_eq!(places.len(), pool_size());
        assert!(places.iter().any(|place| place.name == "Nairobi" && !place.rural));
    }

    #[test]
    fn popularity_follows_zipfs_law_and_sums_to_one() {
        let places = draw_places(3, 200, 0.9);
        let sum: f64 = places.iter().map(|place| place.popularity).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        let ratio = places[0].popularity / places[99].popularity;
        assert!((ratio - 100_f64.powf(0.9)).abs() < 1e-9);
        assert_eq!(places.iter().filter(|place| place.rural).count(), 50);
    }
}
