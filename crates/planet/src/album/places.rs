use planet_geo::{
    CellId, Class, ClassId, ClassKind, Keep, LatLng, Level, Partition, PartitionInfo, PhotoLeaves,
    Point, Uniform,
};
use rayon::prelude::*;

use super::motion::WAYS;

/// Known positions within one cell of this level, about 1.2 km wide, are one place.
const PLACE_LEVEL: u8 = 13;
/// Reaches of the ways to move that are neither staying nor going anywhere, in km.
const REACHES: [f64; WAYS - 2] = [30.0, 200.0, 1000.0];
const EARTH_KM: f64 = planet_geo::EARTH_RADIUS_KM;

/// Everywhere that a photo may have been taken, as the hidden Markov model sees it: a model's
/// classes, and the places of photos whose position is known.
///
/// A move within a reach goes through *neighbourhoods*: discs of that reach whose centres cover
/// all places, so that every place is in a few of them, in each the more the nearer it is to the
/// centre. Who moves picks one of their own neighbourhoods, then a place in it by how much it is
/// visited. This is a transition matrix of low rank: a step costs a few operations a place
/// instead of a row of all places, and stays exact.
#[derive(Clone, Debug)]
pub struct Places {
    partition: Partition,
    /// Classes of the model; those behind are known places.
    classes: usize,
    /// Chance of each place to be in a photo of which nothing is known; sums to one.
    prior: Vec<f64>,
    /// Chance of each class in a photo that the model knows nothing of; sums to one.
    expected: Vec<f64>,
    /// For each known place the model's class that it lies in.
    inside: Vec<Option<ClassId>>,
    /// Place of each cell of known places, by cell id.
    known: Vec<(u64, u32)>,
    reaches: Vec<Neighbourhoods>,
}

/// Discs of one reach.
#[derive(Clone, Debug)]
struct Neighbourhoods {
    /// Where each place's memberships begin, and the end.
    starts: Vec<usize>,
    /// Neighbourhood and share of each membership; a place's shares sum to one.
    members: Vec<(u32, f64)>,
    /// Prior chance inside each neighbourhood.
    masses: Vec<f64>,
}

impl Places {
    /// The places of known positions alone.
    pub fn known(positions: &[LatLng]) -> Self {
        Self::of(None, positions)
    }

    /// A model's classes and the places of known positions. Both are supposed to hold half of the
    /// photos: a class by its training photos, a place by its known photos.
    pub fn with_classes(partition: &Partition, positions: &[LatLng]) -> Self {
        Self::of(Some(partition), positions)
    }

    fn of(partition: Option<&Partition>, positions: &[LatLng]) -> Self {
        let model = partition.map_or(&[][..], Partition::classes);
        let places = place_classes(positions);
        let info = partition.map_or_else(PartitionInfo::default, |it| it.info().clone());
        let classes = model.len();
        let all: Vec<Class> =
            model.iter().chain(places.iter().map(|(_, it)| it)).cloned().collect();
        let of_model = if places.is_empty() { 1.0 } else { 0.5 };
        let weight = |class: &Class| class.photos as f64 + 1.0;
        let share = |classes: &[Class], whole: f64| {
            let sum: f64 = classes.iter().map(weight).sum();
            classes.iter().map(|class| whole * weight(class) / sum).collect::<Vec<_>>()
        };
        let mut prior = share(&all[..classes], of_model);
        prior.extend(share(&all[classes..], if classes == 0 { 1.0 } else { 1.0 - of_model }));
        let point = |class: &Class| class.mean.or(class.centre);
        let inside = places
            .iter()
            .map(|(_, class)| partition.and_then(|it| it.class_of(point(class)?)))
            .collect();
        let mut known: Vec<(u64, u32)> = places
            .iter()
            .enumerate()
            .map(|(at, (cell, _))| (*cell, (classes + at) as u32))
            .collect();
        known.sort_unstable();
        // Classes that are no place ("other") lie nowhere: nobody moves there.
        let points: Vec<Option<[f64; 3]>> =
            all.iter().map(|class| Some(point(class)?.to_vector())).collect();
        let reaches =
            REACHES.iter().map(|km| Neighbourhoods::new(&points, &prior, km / EARTH_KM)).collect();
        let partition = Partition::new(info, all).expect("there is a position or a class");
        let of_classes: f64 = prior[..classes].iter().sum();
        let expected = prior[..classes].iter().map(|chance| chance / of_classes).collect();
        Self { partition, classes, prior, expected, inside, known, reaches }
    }

    /// The same where the model expects each class otherwise than by its training photos: by
    /// these chances, `[classes]`, summing to one.
    pub fn expecting(self, expected: &[f64]) -> Self {
        Self { expected: expected.to_vec(), ..self }
    }

    /// Classes and known places as one partition, for a [`crate::Locator`]: known places are
    /// classes that are only points, behind the model's.
    pub fn partition(&self) -> &Partition {
        &self.partition
    }

    /// Number of places.
    pub fn len(&self) -> usize {
        self.prior.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.prior.is_empty()
    }

    /// Number of the model's classes, which come first.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The chances before anything is seen; they sum to one.
    pub fn prior(&self) -> &[f64] {
        &self.prior
    }

    /// The place of a known position; `None` for one that was not among those known.
    pub fn of_position(&self, position: LatLng) -> Option<usize> {
        let cell = place_cell(position);
        let at = self.known.binary_search_by_key(&cell, |(cell, _)| *cell).ok()?;
        Some(self.known[at].1 as usize)
    }

    /// What a photo's class probabilities say of each place: probability over the expected one, to the power
    /// of `weight`; 1 where they say nothing.
    ///
    /// `probabilities` is `[classes]`, `into` `[places]`.
    pub fn evidence(&self, probabilities: &[f32], weight: f64, into: &mut [f64]) {
        for (place, value) in into.iter_mut().enumerate() {
            let class = match place.checked_sub(self.classes) {
                None => Some(place),
                Some(known) => self.inside[known].map(ClassId::index),
            };
            *value = match class {
                Some(class) if weight > 0.0 => {
                    let usual = self.expected[class].max(1e-12);
                    (f64::from(probabilities[class]).max(1e-12) / usual).powf(weight)
                }
                _ => 1.0,
            };
        }
    }

    /// Likelihood of a move by each way.
    pub(super) fn likelihoods(&self, from: usize, to: usize) -> [f64; WAYS] {
        std::array::from_fn(|way| match way {
            0 => f64::from(u8::from(from == to)),
            way if way == WAYS - 1 => self.prior[to],
            way => self.reaches[way - 1].likelihood(from, to) * self.prior[to],
        })
    }

    /// One step forward in time: `[places]` to `[places]`, by chances of each way.
    pub(super) fn forward(&self, chances: &[f64; WAYS], from: &[f64], to: &mut [f64]) {
        let all: f64 = from.iter().sum();
        let mut arriving = vec![chances[WAYS - 1] * all; self.len()];
        for (reach, chance) in self.reaches.iter().zip(&chances[1..]) {
            reach.forward(*chance, from, &mut arriving);
        }
        for (place, to) in to.iter_mut().enumerate() {
            *to = chances[0] * from[place] + arriving[place] * self.prior[place];
        }
    }

    /// One step backward: what is seen later, as seen from each place.
    pub(super) fn backward(&self, chances: &[f64; WAYS], from: &[f64], to: &mut [f64]) {
        let weighted: Vec<f64> =
            from.iter().zip(&self.prior).map(|(it, prior)| it * prior).collect();
        let all: f64 = weighted.iter().sum();
        for (to, from) in to.iter_mut().zip(from) {
            *to = chances[0] * from + chances[WAYS - 1] * all;
        }
        for (reach, chance) in self.reaches.iter().zip(&chances[1..]) {
            reach.backward(*chance, &weighted, to);
        }
    }
}

fn place_level() -> Level {
    Level::new(PLACE_LEVEL).expect("13 is a level")
}

fn place_cell(position: LatLng) -> u64 {
    CellId::containing(position, place_level()).id()
}

fn uniform(level: Level) -> Uniform {
    Uniform { level, keep: Keep::From(1), point: Point::Mean, source: String::new() }
}

/// Cells of known positions with the class of each: a point, the mean of its photos.
fn place_classes(positions: &[LatLng]) -> Vec<(u64, Class)> {
    let photos: PhotoLeaves = positions.iter().copied().collect();
    let Ok(places) = uniform(place_level()).build(&photos) else { return Vec::new() };
    let class = |class: &Class| {
        let cell = class.cells().first().expect("a uniform class is a cell").id();
        (cell, Class { kind: ClassKind::PointOnly, ..class.clone() })
    };
    places.classes().iter().map(class).collect()
}

impl Neighbourhoods {
    /// Centres are places, taken one by one where none is near yet; a place belongs to those
    /// within twice the reach, by a Gaussian of its distance.
    fn new(points: &[Option<[f64; 3]>], prior: &[f64], reach: f64) -> Self {
        let within = reach.cos();
        let mut centres: Vec<[f64; 3]> = Vec::new();
        for point in points.iter().flatten() {
            if !centres.iter().any(|centre| dot(*centre, *point) >= within) {
                centres.push(*point);
            }
        }
        let far = (2.0 * reach).min(std::f64::consts::PI).cos();
        let memberships: Vec<Vec<(u32, f64)>> = points
            .par_iter()
            .map(|point| {
                let Some(point) = point else { return Vec::new() };
                let share = |(number, centre): (usize, &[f64; 3])| {
                    let cosine = dot(*centre, *point);
                    let angle = cosine.clamp(-1.0, 1.0).acos() / reach;
                    (cosine >= far).then(|| (number as u32, (-0.5 * angle * angle).exp()))
                };
                let mut own: Vec<_> = centres.iter().enumerate().filter_map(share).collect();
                let sum: f64 = own.iter().map(|(_, share)| share).sum();
                own.iter_mut().for_each(|(_, share)| *share /= sum);
                own
            })
            .collect();
        let mut masses = vec![0.0; centres.len()];
        let (mut starts, mut members) = (vec![0], Vec::new());
        for (own, prior) in memberships.into_iter().zip(prior) {
            own.iter().for_each(|(number, share)| masses[*number as usize] += share * prior);
            members.extend(own);
            starts.push(members.len());
        }
        Self { starts, members, masses }
    }

    fn of(&self, place: usize) -> &[(u32, f64)] {
        &self.members[self.starts[place]..self.starts[place + 1]]
    }

    /// Chance to move between two places, over the prior of the second.
    fn likelihood(&self, from: usize, to: usize) -> f64 {
        let both = |(number, share): &(u32, f64)| {
            let other = self.of(from).iter().find(|(other, _)| other == number)?;
            Some(share * other.1 / self.masses[*number as usize])
        };
        self.of(to).iter().filter_map(both).sum()
    }

    fn forward(&self, chance: f64, from: &[f64], arriving: &mut [f64]) {
        let mut inside = vec![0.0; self.masses.len()];
        for (place, value) in from.iter().enumerate() {
            if *value > 0.0 {
                self.of(place)
                    .iter()
                    .for_each(|(number, share)| inside[*number as usize] += value * share);
            }
        }
        inside.iter_mut().zip(&self.masses).for_each(|(it, mass)| *it *= chance / mass);
        for (place, arriving) in arriving.iter_mut().enumerate() {
            let sum = self.of(place).iter().map(|(number, share)| share * inside[*number as usize]);
            *arriving += sum.sum::<f64>();
        }
    }

    fn backward(&self, chance: f64, weighted: &[f64], to: &mut [f64]) {
        let mut inside = vec![0.0; self.masses.len()];
        for (place, value) in weighted.iter().enumerate() {
            self.of(place)
                .iter()
                .for_each(|(number, share)| inside[*number as usize] += value * share);
        }
        inside.iter_mut().zip(&self.masses).for_each(|(it, mass)| *it *= chance / mass);
        for (place, to) in to.iter_mut().enumerate() {
            let sum = self.of(place).iter().map(|(number, share)| share * inside[*number as usize]);
            *to += sum.sum::<f64>();
        }
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("in range")
    }

    fn places() -> Places {
        let near = (0..30).map(|step| at(f64::from(step) * 0.07, f64::from(step % 7) * 0.4));
        Places::known(
            &near.chain([at(50.0, 10.0), at(50.0, 10.0), at(-50.0, 170.0)]).collect::<Vec<_>>(),
        )
    }

    /// The whole matrix, row by row.
    fn matrix(places: &Places, chances: &[f64; WAYS]) -> Vec<Vec<f64>> {
        let row = |from: usize| {
            let to = |to| {
                let likelihoods = places.likelihoods(from, to);
                chances.iter().zip(likelihoods).map(|(chance, it)| chance * it).sum()
            };
            (0..places.len()).map(to).collect()
        };
        (0..places.len()).map(row).collect()
    }

    #[test]
    fn steps_are_products_with_the_whole_matrix_whose_rows_sum_to_one() {
        let places = places();
        let chances = [0.3, 0.25, 0.2, 0.15, 0.1];
        let matrix = matrix(&places, &chances);
        for row in &matrix {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let from: Vec<f64> = (0..places.len()).map(|place| (place as f64).sin().powi(2)).collect();
        let (mut forward, mut backward) = (vec![0.0; from.len()], vec![0.0; from.len()]);
        places.forward(&chances, &from, &mut forward);
        places.backward(&chances, &from, &mut backward);
        for place in 0..places.len() {
            let wanted: f64 = (0..from.len()).map(|other| from[other] * matrix[other][place]).sum();
            assert!((forward[place] - wanted).abs() < 1e-12);
            let wanted: f64 = (0..from.len()).map(|other| from[other] * matrix[place][other]).sum();
            assert!((backward[place] - wanted).abs() < 1e-12);
        }
    }

    #[test]
    fn positions_of_one_cell_are_one_place_at_their_mean() {
        let places = places();
        let place = places.of_position(at(50.0, 10.0)).expect("it is known");
        let point = places.partition().point(ClassId(place as u32)).expect("a point");
        assert!(point.distance_to(at(50.0, 10.0)).m() < 1.0);
        assert_eq!(places.of_position(at(10.0, 100.0)), None);
        assert!((places.prior().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_known_place_hears_what_is_said_of_its_class_and_one_outside_hears_nothing() {
        let photos: PhotoLeaves =
            [at(45.4, 12.3), at(45.4, 12.3), at(0.0, 0.0)].into_iter().collect();
        let level = Level::new(6).expect("a level");
        let partition = uniform(level).build(&photos).expect("two cells");
        let places = Places::with_classes(&partition, &[at(45.41, 12.31), at(-70.0, 0.0)]);
        assert_eq!((places.classes(), places.len()), (2, 4));
        let venice = partition.class_of(at(45.4, 12.3)).expect("inside").index();
        let mut probabilities = [0.1f32; 2];
        probabilities[venice] = 0.9;
        let mut evidence = vec![0.0; 4];
        places.evidence(&probabilities, 1.0, &mut evidence);
        let known = places.of_position(at(45.41, 12.31)).expect("known");
        let outside = places.of_position(at(-70.0, 0.0)).expect("known");
        assert_eq!(evidence[known], evidence[venice]);
        // Three photos and two that are supposed: 3/5 and 2/5 are usual.
        assert!((evidence[venice] - 0.9 / 0.6).abs() < 1e-6, "{evidence:?}");
        assert_eq!(evidence[outside], 1.0);
        places.evidence(&probabilities, 0.0, &mut evidence);
        assert_eq!(evidence, [1.0; 4]);
    }
}
