use rayon::prelude::*;

/// Places within this share of a reach have the same part in its discs. Moves of 30 km start from
/// every place by itself.
const CLUSTER: f64 = 0.1;
/// Reaches below this many radians (about 60 km) are not clustered.
const FINE: f64 = 0.01;

/// Discs of one reach, and which places lie in them.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    places: Vec<ReachPlace>,
    /// Where each cluster's memberships begin, and the end.
    starts: Vec<usize>,
    /// Disc and share of each membership; a cluster's shares sum to one.
    discs: Vec<u32>,
    shares: Vec<f64>,
    /// How often the known and the unknown places of each disc are visited.
    masses: Vec<Masses>,
}

/// A class or known place as a reach sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReachPlace {
    /// Its cluster; `None` for a class that is no place.
    pub at: Option<usize>,
    /// Whether it is a known place.
    pub known: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Masses {
    known: f64,
    unknown: f64,
}

impl Masses {
    /// Factors by which what arrives in a disc goes to its known and its unknown places, if this
    /// share goes to unknown ones wherever there are both.
    fn factors(self, unseen: f64) -> [f64; 2] {
        match (self.known > 0.0, self.unknown > 0.0) {
            (true, true) => [(1.0 - unseen) / self.known, unseen / self.unknown],
            (true, false) => [1.0 / self.known, 0.0],
            (false, true) => [0.0, 1.0 / self.unknown],
            (false, false) => [0.0, 0.0],
        }
    }
}

impl Reach {
    /// Centres of discs are places, taken one by one where none is near yet; a place belongs to
    /// those within twice the reach, by a Gaussian of its distance. `reach` is in radians. The
    /// first places are classes; without a class, every known place has an unknown one beside it.
    pub(super) fn new(
        points: &[Option<[f64; 3]>],
        visits: &[f64],
        classes: usize,
        reach: f64,
    ) -> Self {
        let (clusters, of_point) = clusters(points, reach);
        let mut centres: Vec<[f64; 3]> = Vec::new();
        for point in &clusters {
            if !is_near(&centres, *point, reach.cos()) {
                centres.push(*point);
            }
        }
        let far = (2.0 * reach).min(std::f64::consts::PI).cos();
        let memberships: Vec<Vec<(u32, f64)>> =
            clusters.par_iter().map(|point| memberships(&centres, *point, reach, far)).collect();
        let (mut starts, mut discs, mut shares) = (vec![0], Vec::new(), Vec::new());
        for (disc, share) in memberships.into_iter().flat_map(|own| {
            let count = own.len();
            starts.push(starts.last().expect("the first is there") + count);
            own
        }) {
            discs.push(disc);
            shares.push(share);
        }
        let places: Vec<ReachPlace> = of_point
            .into_iter()
            .enumerate()
            .map(|(place, at)| ReachPlace { at, known: place >= classes })
            .collect();
        let masses = vec![Masses::default(); centres.len()];
        let mut reach = Self { places, starts, discs, shares, masses };
        for (place, &visits) in visits[..points.len()].iter().enumerate() {
            let Some(cluster) = reach.places[place].at else { continue };
            for at in reach.starts[cluster]..reach.starts[cluster + 1] {
                let mass = &mut reach.masses[reach.discs[at] as usize];
                let visited = reach.shares[at] * visits;
                if place >= classes {
                    mass.known += visited;
                }
                if place < classes || classes == 0 {
                    mass.unknown += visited;
                }
            }
        }
        reach
    }

    /// Classes and known places in the order of states.
    pub(super) fn places(&self) -> &[ReachPlace] {
        &self.places
    }

    /// Whether a class is no place, so that no disc holds it.
    pub(super) fn is_nowhere(&self, point: usize) -> bool {
        self.places[point].at.is_none()
    }

    /// Probability of the classes that are no place.
    pub(super) fn nowhere(&self, at_points: &[f64]) -> f64 {
        let placeless = self.places.iter().zip(at_points).filter(|(place, _)| place.at.is_none());
        placeless.map(|(_, value)| value).sum()
    }

    fn of(&self, cluster: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.starts[cluster]..self.starts[cluster + 1];
        let discs = self.discs[range.clone()].iter().map(|disc| *disc as usize);
        discs.zip(self.shares[range].iter().copied())
    }

    fn clusters(&self) -> usize {
        self.starts.len() - 1
    }

    /// Probability to move between two places, over how often the second is visited.
    pub(super) fn likelihood(&self, from: usize, to: usize, unknown: bool, unseen: f64) -> f64 {
        let (Some(from), Some(to)) = (self.places[from].at, self.places[to].at) else {
            return 0.0;
        };
        let both = |(disc, share): (usize, f64)| {
            let (_, other) = self.of(from).find(|(other, _)| *other == disc)?;
            Some(share * other * self.masses[disc].factors(unseen)[usize::from(unknown)])
        };
        self.of(to).filter_map(both).sum()
    }

    /// What arrives at the known and at the unknown places of each cluster, over how often they
    /// are visited, from probabilities at the points.
    pub(super) fn forward(
        &self,
        probability: f64,
        unseen: f64,
        at_points: &[f64],
    ) -> (Vec<f64>, Vec<f64>) {
        let mut leaving = vec![0.0; self.clusters()];
        for (place, value) in self.places.iter().zip(at_points) {
            if let Some(at) = place.at {
                leaving[at] += value;
            }
        }
        let mut inside = vec![0.0; self.masses.len()];
        for (cluster, value) in leaving.iter().enumerate().filter(|(_, value)| **value > 0.0) {
            self.of(cluster).for_each(|(disc, share)| inside[disc] += value * share);
        }
        let arriving: Vec<[f64; 2]> = inside
            .iter()
            .zip(&self.masses)
            .map(|(inside, masses)| masses.factors(unseen).map(|it| it * inside * probability))
            .collect();
        let sum = |cluster: usize| {
            self.of(cluster).fold((0.0, 0.0), |(known, unknown), (disc, share)| {
                let [to_known, to_unknown] = arriving[disc];
                (known + share * to_known, unknown + share * to_unknown)
            })
        };
        (0..self.clusters()).map(sum).unzip()
    }

    /// What is seen later from each cluster, by what is seen from the known and unknown places.
    pub(super) fn backward(
        &self,
        probability: f64,
        unseen: f64,
        visits: &[f64],
        known: &[f64],
        unknown: &[f64],
    ) -> Vec<f64> {
        let has_model = self.places.first().is_some_and(|place| !place.known);
        let mut seen = vec![[0.0; 2]; self.clusters()];
        for (point, place) in self.places.iter().enumerate() {
            let Some(at) = place.at else { continue };
            if place.known {
                seen[at][0] += visits[point] * known[point];
            }
            if !(place.known && has_model) {
                seen[at][1] += visits[point] * unknown[point];
            }
        }
        let mut inside = vec![[0.0; 2]; self.masses.len()];
        for (cluster, [known, unknown]) in seen.into_iter().enumerate() {
            for (disc, share) in self.of(cluster) {
                inside[disc][0] += share * known;
                inside[disc][1] += share * unknown;
            }
        }
        let from_discs: Vec<f64> = inside
            .iter()
            .zip(&self.masses)
            .map(|([known, unknown], masses)| {
                let [to_known, to_unknown] = masses.factors(unseen);
                probability * (to_known * known + to_unknown * unknown)
            })
            .collect();
        let sum = |cluster: usize| {
            self.of(cluster).map(|(disc, share)| share * from_discs[disc]).sum::<f64>()
        };
        (0..self.clusters()).map(sum).collect()
    }
}

/// Points that stand for those near them, and the cluster of each point.
fn clusters(points: &[Option<[f64; 3]>], reach: f64) -> (Vec<[f64; 3]>, Vec<Option<usize>>) {
    let within = (CLUSTER * reach).cos();
    let mut clusters: Vec<[f64; 3]> = Vec::new();
    let mut cluster = |point: &[f64; 3]| {
        let near = match reach < FINE {
            true => None,
            false => clusters.iter().position(|it| dot(*it, *point) >= within),
        };
        near.unwrap_or_else(|| {
            clusters.push(*point);
            clusters.len() - 1
        })
    };
    let of_point = points.iter().map(|point| point.as_ref().map(&mut cluster)).collect();
    (clusters, of_point)
}

fn is_near(centres: &[[f64; 3]], point: [f64; 3], within: f64) -> bool {
    centres.iter().any(|centre| dot(*centre, point) >= within)
}

/// The discs of a point with its share in each.
fn memberships(centres: &[[f64; 3]], point: [f64; 3], reach: f64, far: f64) -> Vec<(u32, f64)> {
    let share = |(number, centre): (usize, &[f64; 3])| {
        let cosine = dot(*centre, point);
        if cosine < far {
            return None;
        }
        let angle = cosine.clamp(-1.0, 1.0).acos() / reach;
        Some((number as u32, (-0.5 * angle * angle).exp()))
    };
    let mut own: Vec<_> = centres.iter().enumerate().filter_map(share).collect();
    let sum: f64 = own.iter().map(|(_, share)| share).sum();
    own.iter_mut().for_each(|(_, share)| *share /= sum);
    own
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
