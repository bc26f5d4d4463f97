use rayon::prelude::*;

/// Places within this share of a reach have the same part in its discs. Moves of 30 km start from
/// every place by itself.
const CLUSTER: f64 = 0.1;
/// Reaches below this many radians (about 60 km) are not clustered.
const FINE: f64 = 0.01;

/// Of so many clusters, one must get something for all to be looked at.
const DENSE: usize = 16;

/// Discs of one reach, and which places lie in them.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    places: Vec<ReachPlace>,
    /// The points of each cluster.
    points: Vec<Vec<u32>>,
    /// Points that lie nowhere.
    nowhere: Vec<usize>,
    /// The discs of each cluster; a cluster's shares sum to one.
    of_cluster: Memberships,
    /// The clusters of each disc, with the same shares.
    of_disc: Memberships,
    /// How often the known and the unknown places of each disc are visited.
    masses: Vec<Masses>,
    /// The most that arrives at a disc, over how often it is visited, for each unit of probability
    /// that leaves a cluster.
    peaks: Vec<f64>,
}

/// Rows of pairs of an index and a share.
#[derive(Clone, Debug)]
struct Memberships {
    /// Where each row begins, and the end.
    starts: Vec<usize>,
    pairs: Vec<(u32, f64)>,
}

impl Memberships {
    fn new(rows: Vec<Vec<(u32, f64)>>) -> Self {
        let starts = std::iter::once(0).chain(rows.iter().scan(0, |sum, row| {
            *sum += row.len();
            Some(*sum)
        }));
        Self { starts: starts.collect(), pairs: rows.concat() }
    }

    /// The same pairs, with row and index exchanged.
    fn transposed(&self, rows: usize) -> Self {
        let mut all = vec![Vec::new(); rows];
        for row in 0..self.len() {
            self.of(row).for_each(|(index, share)| all[index].push((row as u32, share)));
        }
        Self::new(all)
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn of(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let row = &self.pairs[self.starts[row]..self.starts[row + 1]];
        row.iter().map(|(index, share)| (*index as usize, *share))
    }
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

    /// At least every factor, whatever the share.
    fn peak(self) -> f64 {
        self.factors(0.0).into_iter().chain(self.factors(1.0)).fold(0.0, f64::max)
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
        let of_cluster = Memberships::new(memberships);
        let of_disc = of_cluster.transposed(centres.len());
        let places: Vec<ReachPlace> = of_point
            .into_iter()
            .enumerate()
            .map(|(place, at)| ReachPlace { at, known: place >= classes })
            .collect();
        let mut masses = vec![Masses::default(); centres.len()];
        for (point, place) in places.iter().enumerate() {
            let Some(cluster) = place.at else { continue };
            for (disc, share) in of_cluster.of(cluster) {
                let visited = share * visits[point];
                if place.known {
                    masses[disc].known += visited;
                }
                if !place.known || classes == 0 {
                    masses[disc].unknown += visited;
                }
            }
        }
        let peak = |cluster| {
            let peaks = of_cluster.of(cluster).map(|(disc, share)| share * masses[disc].peak());
            peaks.fold(0.0, f64::max)
        };
        let peaks: Vec<f64> = (0..of_cluster.len()).map(peak).collect();
        let mut points = vec![Vec::new(); peaks.len()];
        let mut nowhere = Vec::new();
        for (point, place) in places.iter().enumerate() {
            match place.at {
                Some(cluster) => points[cluster].push(point as u32),
                None => nowhere.push(point),
            }
        }
        Self { places, points, nowhere, of_cluster, of_disc, masses, peaks }
    }

    /// Whether a class is no place, so that no disc holds it.
    pub(super) fn is_nowhere(&self, point: usize) -> bool {
        self.places[point].at.is_none()
    }

    /// The classes that are no place.
    pub(super) fn nowhere(&self) -> &[usize] {
        &self.nowhere
    }

    /// At least what arrives anywhere, over how often that is visited, for each unit of
    /// probability that leaves a point.
    pub(super) fn peak(&self, point: usize) -> f64 {
        self.places[point].at.map_or(0.0, |cluster| self.peaks[cluster])
    }

    /// Probability to move between two places, over how often the second is visited.
    pub(super) fn likelihood(&self, from: usize, to: usize, unknown: bool, unseen: f64) -> f64 {
        let (Some(from), Some(to)) = (self.places[from].at, self.places[to].at) else {
            return 0.0;
        };
        let both = |(disc, share): (usize, f64)| {
            let (_, other) = self.of_cluster.of(from).find(|(other, _)| *other == disc)?;
            Some(share * other * self.masses[disc].factors(unseen)[usize::from(unknown)])
        };
        self.of_cluster.of(to).filter_map(both).sum()
    }

    /// Gives every point where something arrives from the points of departure, and what
    /// arrives there at known and at unknown places, over how often they are visited. Where a
    /// disc gets less than `least`, that counts as nothing.
    pub(super) fn forward(
        &self,
        probability: f64,
        unseen: f64,
        leaving: &[(usize, f64)],
        least: f64,
        mut arrive: impl FnMut(usize, f64),
        mut arrive_unknown: impl FnMut(usize, f64),
    ) {
        let mut inside = vec![0.0; self.masses.len()];
        for (point, value) in leaving {
            let Some(cluster) = self.places[*point].at else { continue };
            self.of_cluster.of(cluster).for_each(|(disc, share)| inside[disc] += value * share);
        }
        let mut arriving = Arrivals::new(self.peaks.len());
        for (disc, inside) in inside.into_iter().enumerate().filter(|(_, inside)| *inside > 0.0) {
            let to = self.masses[disc].factors(unseen).map(|it| it * inside * probability);
            if to[0].max(to[1]) > least {
                self.of_disc.of(disc).for_each(|(cluster, share)| arriving.add(cluster, share, to));
            }
        }
        for (cluster, [known, unknown]) in arriving.iter() {
            for point in self.points[cluster].iter().map(|point| *point as usize) {
                arrive(point, if self.places[point].known { known } else { unknown });
                arrive_unknown(point, unknown);
            }
        }
    }

    /// Gives every point from which something is seen later how much, by what is seen from the
    /// known and unknown places of the points that count.
    pub(super) fn backward(
        &self,
        probability: f64,
        unseen: f64,
        visits: &[f64],
        counting: &[usize],
        (known, unknown): (&[f64], &[f64]),
        mut see: impl FnMut(usize, f64),
    ) {
        let has_model = self.places.first().is_some_and(|place| !place.known);
        let mut inside = vec![[0.0; 2]; self.masses.len()];
        for &point in counting {
            let place = self.places[point];
            let Some(cluster) = place.at else { continue };
            let of_known = if place.known { visits[point] * known[point] } else { 0.0 };
            let is_unknown = !(place.known && has_model);
            let of_unknown = if is_unknown { visits[point] * unknown[point] } else { 0.0 };
            for (disc, share) in self.of_cluster.of(cluster) {
                inside[disc][0] += share * of_known;
                inside[disc][1] += share * of_unknown;
            }
        }
        let mut seen = Arrivals::new(self.peaks.len());
        for (disc, [known, unknown]) in inside.into_iter().enumerate() {
            if known + unknown > 0.0 {
                let [to_known, to_unknown] = self.masses[disc].factors(unseen);
                let from = probability * (to_known * known + to_unknown * unknown);
                self.of_disc.of(disc).for_each(|(it, share)| seen.add(it, share, [from, 0.0]));
            }
        }
        for (cluster, [seen, _]) in seen.iter() {
            self.points[cluster].iter().for_each(|point| see(*point as usize, seen));
        }
    }
}

/// What comes to clusters, and to which anything does.
struct Arrivals {
    of_cluster: Vec<[f64; 2]>,
    clusters: Vec<usize>,
}

impl Arrivals {
    fn new(clusters: usize) -> Self {
        Self { of_cluster: vec![[0.0; 2]; clusters], clusters: Vec::new() }
    }

    fn add(&mut self, cluster: usize, share: f64, values: [f64; 2]) {
        let sum = &mut self.of_cluster[cluster];
        if *sum == [0.0; 2] {
            self.clusters.push(cluster);
        }
        sum[0] += share * values[0];
        sum[1] += share * values[1];
    }

    /// In the order of the clusters.
    fn iter(&self) -> impl Iterator<Item = (usize, [f64; 2])> + '_ {
        let clusters = match self.clusters.len() * DENSE < self.of_cluster.len() {
            true => {
                // A cluster may stand here twice where the first share was nothing.
                let mut clusters = self.clusters.clone();
                clusters.sort_unstable();
                clusters.dedup();
                clusters
            }
            // To look at every cluster takes less time than to sort.
            false => (0..self.of_cluster.len()).collect(),
        };
        let with_values = clusters.into_iter().map(|cluster| (cluster, self.of_cluster[cluster]));
        with_values.filter(|(_, values)| *values != [0.0; 2])
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
