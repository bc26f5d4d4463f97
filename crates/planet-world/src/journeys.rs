//! How an author moves from photo to photo: an exact hidden Markov model over (home, place).

use std::ops::Range;

use planet_geo::{CellId, Level};
use rand::{Rng, RngExt};

use crate::{
    place::{Place, PlaceId},
    random::{choose, normal},
    world::World,
};

/// Homes are the most popular places that together have at least this share of all photos. It
/// must exceed [`AT_HOME`], so that no home has more photos at home than it is popular.
const HOMES_SHARE: f64 = 0.5;

/// What one has done between a photo and the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Stayed at home.
    StayHome,
    /// Gone on a trip, to a place chosen by popularity and distance from home.
    Depart,
    /// Stayed at a place of the trip.
    Stay,
    /// Moved to a place of the same region, chosen by popularity.
    Move,
    /// Gone home.
    Return,
}

impl Step {
    pub(crate) const ALL: [Self; 5] =
        [Self::StayHome, Self::Depart, Self::Stay, Self::Move, Self::Return];

    /// Chance of the step, at home or on a trip.
    pub(crate) const fn probability(self) -> f64 {
        match self {
            Self::StayHome => 0.80,
            Self::Depart => 0.20,
            Self::Stay => 0.72,
            Self::Move => 0.20,
            Self::Return => 0.08,
        }
    }

    /// Mean and standard deviation of the natural logarithm of the minutes that it takes.
    const fn log_minutes(self) -> (f64, f64) {
        match self {
            Self::StayHome => (6.2, 1.8), // about 8 hours
            Self::Depart => (8.2, 0.9),   // 2.5 days
            Self::Stay => (3.2, 1.3),     // 25 minutes
            Self::Move => (5.6, 0.8),     // 4.5 hours
            Self::Return => (7.9, 0.8),   // 2 days
        }
    }

    /// Density of the step's duration over the logarithm of minutes.
    pub(crate) fn density(self, minutes: f64) -> f64 {
        let (mean, deviation) = self.log_minutes();
        let z = (minutes.max(SECOND).ln() - mean) / deviation;
        (-0.5 * z * z).exp() / (deviation * std::f64::consts::TAU.sqrt())
    }

    fn draw_minutes(self, rng: &mut impl Rng) -> f64 {
        let (mean, deviation) = self.log_minutes();
        (mean + deviation * normal(rng)).exp().max(SECOND)
    }
}

/// Times are written to the second: no step is shorter, in minutes.
const SECOND: f64 = 1.0 / 60.0;

/// Share of photos at home: departures and returns are equally frequent.
const AT_HOME: f64 =
    Step::Return.probability() / (Step::Return.probability() + Step::Depart.probability());

/// Share of the photos of a trip that are taken at its first place.
const UNMOVED: f64 =
    Step::Return.probability() / (Step::Return.probability() + Step::Move.probability());

/// All probabilities of movement in a world, in which every photo of every album has the same
/// distribution over places as a single photo.
///
/// Trips are a doubly constrained gravity model: their probabilities fall with the distance, and are
/// balanced so that all homes' trips together go where the popularity wants them.
pub struct Journeys {
    pub(crate) world: World,
    /// Rows of the homes' places, and the shares of authors who live there.
    pub(crate) homes: Vec<(PlaceId, f64)>,
    /// Places in an order in which those of a region stand together.
    pub(crate) order: Vec<PlaceId>,
    /// The regions, as ranges of `order`.
    pub(crate) regions: Vec<Range<usize>>,
    /// P(arriving at a place | moving within its region), in `order`.
    pub(crate) arrivals: Vec<f64>,
    /// P(first place of a trip | home): `[home, order]`.
    pub(crate) trips: Vec<f64>,
    /// Position of each home's place in `order`.
    pub(crate) home_positions: Vec<usize>,
}

/// Where the author is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whereabouts {
    AtHome,
    /// On a trip, at a position of `order`.
    At(usize),
}

impl Journeys {
    /// The movements of a world's authors.
    pub fn new(world: &World) -> Self {
        let places = world.places();
        let (order, regions) = regions(places);
        let homes = homes(places);
        // What is left for trips once the photos at home are taken off the popularity.
        let mut at_home = vec![0.0; places.len()];
        for &(home, share) in &homes {
            at_home[home.index()] = AT_HOME * share;
        }
        let away: Vec<f64> = order
            .iter()
            .map(|&id| (world.place(id).popularity - at_home[id.index()]) / (1.0 - AT_HOME))
            .collect();
        let mut arrivals = away.clone();
        for region in &regions {
            let total: f64 = away[region.clone()].iter().sum();
            arrivals[region.clone()].iter_mut().for_each(|share| *share /= total);
        }
        let trips = balanced_trips(places, &homes, &order, &away);
        let position = |home: PlaceId| order.iter().position(|id| *id == home);
        let home_positions = homes
            .iter()
            .map(|home| position(home.0).expect("every place stands in the order"))
            .collect();
        Self { world: world.clone(), homes, order, regions, arrivals, trips, home_positions }
    }

    /// P(first place of a trip | home), in `order`.
    pub(crate) fn trips_from(&self, home: usize) -> &[f64] {
        &self.trips[home * self.order.len()..][..self.order.len()]
    }

    /// P(place | on a trip from a home) at any photo of an album, in `order`.
    pub(crate) fn away_from(&self, home: usize) -> Vec<f64> {
        let trips = self.trips_from(home);
        let mut away: Vec<f64> = trips.iter().map(|share| UNMOVED * share).collect();
        for region in &self.regions {
            let total: f64 = trips[region.clone()].iter().sum();
            for position in region.clone() {
                away[position] += (1.0 - UNMOVED) * total * self.arrivals[position];
            }
        }
        away
    }

    /// P(at home) at any photo of an album.
    pub(crate) const fn at_home() -> f64 {
        AT_HOME
    }

    pub(crate) fn draw_home(&self, rng: &mut impl Rng) -> usize {
        choose(self.homes.iter().map(|home| home.1), rng)
    }

    /// Draws a journey of so many photos: for each, its place, whether one has stayed since the
    /// photo before it, and the minutes since then.
    pub(crate) fn draw(&self, home: usize, photos: usize, rng: &mut impl Rng) -> Vec<Stop> {
        let mut at = if rng.random_bool(AT_HOME) {
            Whereabouts::AtHome
        } else {
            Whereabouts::At(choose(self.away_from(home).into_iter(), rng))
        };
        let mut stops = vec![Stop { place: self.place(home, at), stayed: false, minutes: 0.0 }];
        while stops.len() < photos {
            let step = draw_step(at, rng);
            at = match step {
                Step::StayHome | Step::Stay => at,
                Step::Return => Whereabouts::AtHome,
                Step::Depart => Whereabouts::At(choose(self.trips_from(home).iter().copied(), rng)),
                Step::Move => self.draw_move(at, rng),
            };
            let stayed = matches!(step, Step::StayHome | Step::Stay);
            let minutes = step.draw_minutes(rng);
            stops.push(Stop { place: self.place(home, at), stayed, minutes });
        }
        stops
    }

    fn draw_move(&self, at: Whereabouts, rng: &mut impl Rng) -> Whereabouts {
        let Whereabouts::At(position) = at else { return at };
        let region = self.regions.iter().find(|region| region.contains(&position));
        let region = region.expect("every place lies in a region").clone();
        let weights = self.arrivals[region.clone()].iter().copied();
        Whereabouts::At(region.start + choose(weights, rng))
    }

    fn place(&self, home: usize, at: Whereabouts) -> PlaceId {
        match at {
            Whereabouts::AtHome => self.homes[home].0,
            Whereabouts::At(position) => self.order[position],
        }
    }
}

/// One photo of a journey.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stop {
    pub(crate) place: PlaceId,
    /// Whether the photo before was taken at the very same spot.
    pub(crate) stayed: bool,
    /// Minutes since the photo before.
    pub(crate) minutes: f64,
}

fn draw_step(at: Whereabouts, rng: &mut impl Rng) -> Step {
    let steps: &[Step] = match at {
        Whereabouts::AtHome => &[Step::StayHome, Step::Depart],
        Whereabouts::At(_) => &[Step::Stay, Step::Move, Step::Return],
    };
    steps[choose(steps.iter().map(|step| step.probability()), rng)]
}

/// Places by region, a cell of level 4 (some 500 km wide).
fn regions(places: &[Place]) -> (Vec<PlaceId>, Vec<Range<usize>>) {
    let level = Level::new(4).expect("4 is a level");
    let cell = |id: &PlaceId| CellId::containing(places[id.index()].position, level);
    let mut order: Vec<PlaceId> = (0..places.len() as u16).map(PlaceId).collect();
    order.sort_by_key(|id| (cell(id), *id));
    let mut regions = Vec::new();
    let mut start = 0;
    for group in order.chunk_by(|a, b| cell(a) == cell(b)) {
        regions.push(start..start + group.len());
        start += group.len();
    }
    (order, regions)
}

fn homes(places: &[Place]) -> Vec<(PlaceId, f64)> {
    let mut total = 0.0;
    let mut homes: Vec<(PlaceId, f64)> = Vec::new();
    for (row, place) in places.iter().enumerate() {
        if total >= HOMES_SHARE {
            break;
        }
        total += place.popularity;
        homes.push((PlaceId(row as u16), place.popularity));
    }
    homes.iter_mut().for_each(|home| home.1 /= total);
    homes
}

/// How fast the wish to go somewhere falls with the distance.
const TRIP_KM: f64 = 1500.0;
/// The wish to go anywhere, against that to go next door.
const FAR_WISH: f64 = 0.03;
/// The wish to go on a trip to where one lives.
const HOME_WISH: f64 = 0.02;

/// `[home, order]`: rows sum to one, and columns, weighted by the homes' shares, to `away`
/// (iterative proportional fitting).
fn balanced_trips(
    places: &[Place],
    homes: &[(PlaceId, f64)],
    order: &[PlaceId],
    away: &[f64],
) -> Vec<f64> {
    const ENOUGH: f64 = 1e-10;
    const AT_MOST: usize = 2000;
    let mut trips: Vec<f64> = Vec::with_capacity(homes.len() * order.len());
    for (home, _) in homes {
        let from = places[home.index()].position;
        trips.extend(order.iter().zip(away).map(|(to, share)| {
            let km = from.distance_to(places[to.index()].position).km();
            let wish = if to == home { HOME_WISH } else { (-km / TRIP_KM).exp() + FAR_WISH };
            wish * share
        }));
    }
    let mut sums = vec![0.0; order.len()];
    for _ in 0..AT_MOST {
        sums.fill(0.0);
        for (row, (_, share)) in trips.chunks_exact_mut(order.len()).zip(homes) {
            let total: f64 = row.iter().sum();
            for (trip, sum) in row.iter_mut().zip(&mut sums) {
                *trip /= total;
                *sum += share * *trip;
            }
        }
        let off = sums.iter().zip(away).map(|(sum, away)| (sum / away - 1.0).abs());
        if off.fold(0.0, f64::max) < ENOUGH {
            break;
        }
        for row in trips.chunks_exact_mut(order.len()) {
            for ((trip, sum), away) in row.iter_mut().zip(&sums).zip(away) {
                *trip *= away / sum;
            }
        }
    }
    trips
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        WorldParameters,
        seed::{Purpose, stream},
    };

    fn world() -> World {
        World::draw(WorldParameters { places: 150, ..WorldParameters::new(0) }).expect("a world")
    }

    #[test]
    fn every_photo_of_an_album_is_distributed_as_a_single_photo() {
        let world = world();
        let journeys = Journeys::new(&world);
        let mut shares = vec![0.0; world.places().len()];
        for (home, &(place, share)) in journeys.homes.iter().enumerate() {
            shares[place.index()] += AT_HOME * share;
            for (&id, away) in journeys.order.iter().zip(journeys.away_from(home)) {
                shares[id.index()] += (1.0 - AT_HOME) * share * away;
            }
        }
        for (place, share) in world.places().iter().zip(shares) {
            assert!((place.popularity - share).abs() < 1e-9, "{} {share}", place.name);
        }
    }

    #[test]
    fn drawn_journeys_visit_places_as_often_as_they_are_popular() {
        let world = world();
        let journeys = Journeys::new(&world);
        let (mut first, mut last) = (vec![0.0; 150], vec![0.0; 150]);
        let mut rng = stream(2, Purpose::Album, 0);
        const JOURNEYS: usize = 4000;
        for _ in 0..JOURNEYS {
            let stops = journeys.draw(journeys.draw_home(&mut rng), 12, &mut rng);
            first[stops[0].place.index()] += 1.0 / JOURNEYS as f64;
            last[stops[11].place.index()] += 1.0 / JOURNEYS as f64;
        }
        for row in 0..20 {
            let share = world.places()[row].popularity;
            let allowed = 4.0 * (share / JOURNEYS as f64).sqrt();
            assert!((first[row] - share).abs() < allowed, "{row}: {} {share}", first[row]);
            assert!((last[row] - share).abs() < allowed, "{row}: {} {share}", last[row]);
        }
    }

    #[test]
    fn durations_follow_their_density() {
        let mut rng = stream(2, Purpose::Album, 1);
        for step in Step::ALL {
            let under = |limit: f64, rng: &mut _| {
                (0..4000).filter(|_| step.draw_minutes(rng) < limit).count() as f64 / 4000.0
            };
            // Integrate the density over the logarithm up to the hour.
            let integral: f64 = (0..4000)
                .map(|i| -12.0 + (60_f64.ln() + 12.0) * (f64::from(i) + 0.5) / 4000.0)
                .map(|log| {
                    let (mean, deviation) = step.log_minutes();
                    let z = (log - mean) / deviation;
                    (-0.5 * z * z).exp() / (deviation * std::f64::consts::TAU.sqrt())
                })
                .sum::<f64>()
                * (60_f64.ln() + 12.0)
                / 4000.0;
            assert!((under(60.0, &mut rng) - integral).abs() < 0.035, "{step:?}");
        }
    }
}
