//! What is fixed at each place: real facts where there are any, drawn ones elsewhere, and from
//! them the probability of every cue's every value.

use std::collections::HashMap;

use rand::{Rng, RngExt, seq::SliceRandom};

use crate::{
    climate::{Climate, fauna},
    country::{driving_side, script},
    cue::{Cue, Emblem, Scene, Script, Sun, SunHeight, SunSide},
    cues::CueKind,
    place::Place,
    seed::{Purpose, stream},
};

/// Chance that a value is drawn without regard to the place, for each cue but the emblem.
const STRAY: f64 = 0.03;

/// How often a landmark is the place's own, a replica of a famous one elsewhere, a likeness of
/// that of the nearest greater place, or any.
const EMBLEM: Shares = Shares { own: 0.82, replica: 0.08, neighbour: 0.07, any: 0.03 };

struct Shares {
    own: f64,
    replica: f64,
    neighbour: f64,
    any: f64,
}

/// Replicas are of landmarks of that many most popular places.
const FAMOUS: usize = 60;

/// The earth's axis against its orbit, in degrees.
const OBLIQUITY: f64 = 23.44;

/// Facts of one world.
pub(crate) struct Facts<'w> {
    places: &'w [Place],
    /// For drawn cues: the value of each place.
    drawn: HashMap<CueKind, Vec<usize>>,
    /// The emblem's number of each place.
    emblems: Vec<usize>,
    /// The place whose landmark it has a replica of.
    replica_of: Vec<usize>,
    /// The nearest place that is more popular; the most popular one has itself.
    greater_neighbour: Vec<usize>,
    /// Whether a place lies at the sea.
    coastal: Vec<bool>,
}

/// How a drawn fact is spread: the number of regions that share it, and how sure it is in them.
const fn drawn_spread(kind: CueKind) -> Option<(usize, f64)> {
    Some(match kind {
        CueKind::Relief => (350, 0.75),
        CueKind::Kerb => (140, 0.85),
        CueKind::Lane => (45, 0.9),
        CueKind::Furniture => (280, 0.85),
        CueKind::Taxi => (180, 0.85),
        CueKind::Facade => (260, 0.75),
        CueKind::Window => (90, 0.8),
        CueKind::Sea => (70, 0.8),
        CueKind::Sand => (140, 0.8),
        CueKind::Parasol => (280, 0.85),
        CueKind::Roof => (120, 0.5),
        _ => return None,
    })
}

/// How sure a country's plate colour is.
const PLATE_SURE: f64 = 0.9;

impl<'w> Facts<'w> {
    pub(crate) fn draw(seed: u64, places: &'w [Place]) -> Self {
        let mut rng = stream(seed, Purpose::Facts, 0);
        let mut drawn = HashMap::new();
        for &kind in CueKind::ALL {
            if let Some((regions, _)) = drawn_spread(kind) {
                drawn.insert(kind, regional(places, regions, kind.values(), &mut rng));
            }
        }
        drawn.insert(CueKind::Plate, national(places, CueKind::Plate.values(), &mut rng));
        let replica_of =
            places.iter().enumerate().map(|(row, _)| other_famous(row, places, &mut rng));
        Self {
            places,
            drawn,
            replica_of: replica_of.collect(),
            emblems: emblems(places.len(), &mut rng),
            greater_neighbour: greater_neighbours(places),
            coastal: places.iter().map(|_| rng.random_bool(0.4)).collect(),
        }
    }

    /// P(scene | place), in the order of [`Scene::ALL`]. Photos without a cue are as frequent
    /// everywhere, so that they tell nothing.
    pub(crate) fn scenes(&self, row: usize) -> Vec<f64> {
        let (rural, coastal) = (self.places[row].rural, self.coastal[row]);
        let share = |scene| match scene {
            Scene::Landmark => {
                if rural {
                    0.10
                } else {
                    0.32
                }
            }
            Scene::Street => {
                if rural {
                    0.14
                } else {
                    0.20
                }
            }
            Scene::Building => 0.09,
            Scene::Landscape => match (rural, coastal) {
                (true, true) => 0.20,
                (true, false) => 0.28,
                (false, true) => 0.04,
                (false, false) => 0.09,
            },
            Scene::Beach => match (rural, coastal) {
                (_, false) => 0.005,
                (true, true) => 0.085,
                (false, true) => 0.055,
            },
            Scene::Wildlife => {
                if rural {
                    0.135
                } else {
                    0.045
                }
            }
            Scene::Portrait | Scene::Pet | Scene::Food | Scene::Indoor => 0.0625,
        };
        Scene::ALL.iter().map(|&scene| share(scene)).collect()
    }

    /// P(value | place) of every value of a cue, where the scene shows it.
    pub(crate) fn distribution(&self, kind: CueKind, row: usize) -> Vec<f64> {
        let place = &self.places[row];
        let climate = Climate::of(place.position);
        match kind {
            CueKind::Sun => sun(place.position.lat()),
            CueKind::Vegetation => weighted(kind, climate.vegetation()),
            CueKind::Ground => weighted(kind, climate.ground()),
            CueKind::Fauna => weighted(kind, fauna(place.position)),
            CueKind::DrivingSide => mostly(kind, driving_side(&place.country).index(), 0.98),
            CueKind::Script => signs(script(&place.country, place.position), &place.country),
            CueKind::Plate => mostly(kind, self.drawn[&kind][row], PLATE_SURE),
            CueKind::Emblem => self.emblem(row),
            CueKind::Roof => {
                let local = mostly(kind, self.drawn[&kind][row], 1.0);
                let usual = weighted(kind, climate.roofs());
                local.iter().zip(usual).map(|(local, usual)| 0.5 * local + 0.5 * usual).collect()
            }
            _ => {
                let (_, sure) = drawn_spread(kind).expect("every other cue is drawn by region");
                mostly(kind, self.drawn[&kind][row], sure)
            }
        }
    }

    fn emblem(&self, row: usize) -> Vec<f64> {
        let mut probabilities = vec![EMBLEM.any / Emblem::COUNT as f64; Emblem::COUNT];
        probabilities[self.emblems[row]] += EMBLEM.own;
        probabilities[self.emblems[self.replica_of[row]]] += EMBLEM.replica;
        probabilities[self.emblems[self.greater_neighbour[row]]] += EMBLEM.neighbour;
        probabilities
    }
}

/// `value` with the chance `sure`, else any value.
fn mostly(kind: CueKind, value: usize, sure: f64) -> Vec<f64> {
    let mut probabilities = vec![(1.0 - sure) / kind.values() as f64; kind.values()];
    probabilities[value] += sure;
    probabilities
}

fn weighted<C: Cue>(kind: CueKind, weights: &[(C, f64)]) -> Vec<f64> {
    let mut probabilities = vec![STRAY / kind.values() as f64; kind.values()];
    for (value, weight) in weights {
        probabilities[value.index()] += (1.0 - STRAY) * weight;
    }
    probabilities
}

fn signs(own: Script, country: &str) -> Vec<f64> {
    let weights: &[(Script, f64)] = match country {
        "JP" => &[(Script::Kana, 0.62), (Script::Han, 0.30), (Script::Latin, 0.08)],
        _ => &[(own, 0.9), (Script::Latin, 0.1)],
    };
    weighted(CueKind::Script, weights)
}

/// Where the noon sun stands over the year: its height is 90° less the latitude's difference
/// from the sun's declination, and it stands in the south where the latitude is the greater.
fn sun(lat: f64) -> Vec<f64> {
    const DAYS: usize = 3650;
    let mut probabilities = vec![STRAY / Sun::COUNT as f64; Sun::COUNT];
    for day in 0..DAYS {
        let year = std::f64::consts::TAU * (day as f64 + 0.5) / DAYS as f64;
        let declination = OBLIQUITY * year.sin();
        let side = if lat >= declination { SunSide::Right } else { SunSide::Left };
        let height = match 90.0 - (lat - declination).abs() {
            degrees if degrees < 25.0 => SunHeight::Low,
            degrees if degrees < 45.0 => SunHeight::Middle,
            degrees if degrees < 65.0 => SunHeight::High,
            _ => SunHeight::Overhead,
        };
        probabilities[Sun { side, height }.index()] += (1.0 - STRAY) / DAYS as f64;
    }
    probabilities
}

/// A value for each place, shared within regions: each place goes with the nearest of some
/// places chosen as middles.
fn regional(places: &[Place], regions: usize, values: usize, rng: &mut impl Rng) -> Vec<usize> {
    let middles: Vec<([f64; 3], usize)> = (0..regions)
        .map(|_| {
            let middle = &places[rng.random_range(0..places.len())];
            (middle.position.to_vector(), rng.random_range(0..values))
        })
        .collect();
    let value = |place: &Place| {
        let [x, y, z] = place.position.to_vector();
        let near = |[a, b, c]: [f64; 3]| a * x + b * y + c * z;
        let nearest = middles.iter().max_by(|a, b| near(a.0).total_cmp(&near(b.0)));
        nearest.expect("there are regions").1
    };
    places.iter().map(value).collect()
}

/// A value for each place, shared within a country.
fn national(places: &[Place], values: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut of_country: HashMap<&str, usize> = HashMap::new();
    let mut rows = Vec::with_capacity(places.len());
    for place in places {
        let value = of_country.entry(&place.country).or_insert_with(|| rng.random_range(0..values));
        rows.push(*value);
    }
    rows
}

/// Emblems without a repetition until all are used: popular places have one of their own.
fn emblems(places: usize, rng: &mut impl Rng) -> Vec<usize> {
    let mut rows = Vec::with_capacity(places + Emblem::COUNT);
    while rows.len() < places {
        let mut round: Vec<usize> = (0..Emblem::COUNT).collect();
        round.shuffle(rng);
        rows.extend(round);
    }
    rows.truncate(places);
    rows
}

fn other_famous(row: usize, places: &[Place], rng: &mut impl Rng) -> usize {
    let famous = places.len().min(FAMOUS);
    let chosen = rng.random_range(0..famous);
    if chosen == row { (chosen + 1) % famous } else { chosen }
}

fn greater_neighbours(places: &[Place]) -> Vec<usize> {
    let vectors: Vec<[f64; 3]> = places.iter().map(|place| place.position.to_vector()).collect();
    let near = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    (0..places.len())
        .map(|row| {
            let greater = (0..row).max_by(|&a, &b| {
                near(vectors[a], vectors[row]).total_cmp(&near(vectors[b], vectors[row]))
            });
            greater.unwrap_or(row)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::draw_places;

    #[test]
    fn every_distribution_is_one_and_leaves_no_value_out() {
        let places = draw_places(0, 300, 0.9);
        let facts = Facts::draw(0, &places);
        for row in 0..places.len() {
            let scenes: f64 = facts.scenes(row).iter().sum();
            assert!((scenes - 1.0).abs() < 1e-12, "{scenes}");
            for &kind in CueKind::ALL {
                let probabilities = facts.distribution(kind, row);
                assert_eq!(probabilities.len(), kind.values());
                assert!(probabilities.iter().all(|&chance| chance > 0.0));
                assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{kind:?}");
            }
        }
    }

    #[test]
    fn the_sun_stands_in_the_south_of_the_north_and_high_at_the_equator() {
        let share = |lat: f64, wanted: &dyn Fn(Sun) -> bool| -> f64 {
            let probabilities = sun(lat);
            (0..Sun::COUNT).filter(|&i| wanted(Sun::from_index(i))).map(|i| probabilities[i]).sum()
        };
        assert!(share(52.0, &|sun| sun.side == SunSide::Right) > 0.98);
        assert!(share(-34.0, &|sun| sun.side == SunSide::Left) > 0.98);
        assert!((share(0.0, &|sun| sun.side == SunSide::Left) - 0.5).abs() < 0.01);
        assert!(share(0.0, &|sun| sun.height == SunHeight::Overhead) > 0.95);
        assert!(share(65.0, &|sun| sun.height == SunHeight::Low) > 0.4);
    }

    #[test]
    fn neighbours_share_what_is_drawn_more_often_than_strangers() {
        let places = draw_places(0, 600, 0.9);
        let kerbs = &Facts::draw(0, &places).drawn[&CueKind::Kerb];
        let (mut near, mut far) = ((0, 0), (0, 0));
        for a in 0..places.len() {
            for b in 0..a {
                let km = places[a].position.distance_to(places[b].position).km();
                let pair = if km < 200.0 { &mut near } else { &mut far };
                pair.0 += usize::from(kerbs[a] == kerbs[b]);
                pair.1 += 1;
            }
        }
        assert!(near.0 * far.1 > 3 * far.0 * near.1, "{near:?} {far:?}");
    }
}
