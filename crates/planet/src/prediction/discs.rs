use planet_geo::{ClassId, LatLng, Partition, Scale};
use rayon::prelude::*;

use super::{
    angle::Angle,
    spread::{Radius, Spread},
};

/// Classes a leaf of the tree holds.
const LEAF: usize = 8;

/// Probabilities come as f32 and their sum is one only within this.
const ROUNDING: f64 = 1e-6;

/// Probability in a node that is not worth a look.
const NEGLIGIBLE: f64 = 1e-13;

/// Masses that differ by less are equal: which of two discs that hold the same classes wins must
/// not hang on the order in which their probabilities were added.
const EQUAL: f64 = 1e-9;

const SCALES: usize = Scale::ALL.len();

/// Finds the disc that holds the most probability, without trying all classes against all: a
/// ball tree over the classes' points, built once for a partition, whose nodes are given their
/// mass for each photo.
///
/// A class's probability is spread about its point as its photos are ([`Spread`]); a disc holds of
/// each class its probability times the class's share within the disc.
#[derive(Clone, Debug)]
pub(super) struct Discs {
    /// Points of classes, in the tree's order.
    points: Vec<ClassPoint>,
    /// The root is the first; children stand behind their parent.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    middle: [f64; 3],
    /// To the farthest point.
    reach: Angle,
    /// To the farthest place where photos of a class may lie.
    extent: Angle,
    first: u32,
    last: u32,
    /// The second child; the first child is the next node. 0 for a leaf.
    second: u32,
}

/// A class with its place in the tree.
#[derive(Clone, Copy, Debug)]
struct ClassPoint {
    class: ClassId,
    /// Unit vector of the point.
    vector: [f64; 3],
    spread: Spread,
    /// The largest share of the class that a disc of each scale's radius can hold.
    most: [f32; SCALES],
}

impl ClassPoint {
    fn of(partition: &Partition, class: ClassId) -> Option<Self> {
        let vector = partition.point(class)?.to_vector();
        let spread = Spread::of(partition, class);
        // A bound: rounding must not take from it.
        let most = Scale::ALL
            .map(|scale| spread.most_within(&Radius::of(scale)) as f32)
            .map(|share| (share * (1.0 + 1e-6)).min(1.0));
        Some(Self { class, vector, spread, most })
    }
}

/// A disc with the probability inside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Disc {
    /// The class whose point is the middle.
    pub class: ClassId,
    /// Probability inside, 0..=1.
    pub mass: f64,
}

impl Discs {
    /// A tree over the points of a partition's classes.
    pub(super) fn new(partition: &Partition) -> Self {
        let rows = 0..partition.len() as u32;
        let points = rows.into_par_iter().filter_map(|row| ClassPoint::of(partition, ClassId(row)));
        let mut points: Vec<ClassPoint> = points.collect();
        let mut nodes = Vec::new();
        if !points.is_empty() {
            let last = points.len();
            arrange(&mut points, 0, last, &mut nodes);
        }
        Self { points, nodes }
    }

    /// The disc of a scale's radius round a class's point that holds the most probability, if that
    /// is at least `share`. Of equal ones the more probable class's, then the first's.
    pub(super) fn densest(&self, probabilities: &[f32], scale: Scale, share: f64) -> Option<Disc> {
        let at = Scale::ALL.iter().position(|it| *it == scale)?;
        let masses = self.most(probabilities, at);
        let mut search = self.search(probabilities, &masses, at, share - ROUNDING);
        if !self.nodes.is_empty() {
            search.descend(0);
        }
        search.best.map(|best| Disc { mass: best.mass.min(1.0), ..best })
    }

    /// Probability within each scale's radius of a position.
    pub(super) fn within(&self, probabilities: &[f32], middle: LatLng) -> [f64; SCALES] {
        if self.nodes.is_empty() {
            return [0.0; SCALES];
        }
        let middle = middle.to_vector();
        std::array::from_fn(|at| {
            let masses = self.most(probabilities, at);
            self.search(probabilities, &masses, at, 0.0).mass(0, middle).min(1.0)
        })
    }

    fn search<'a>(
        &'a self,
        probabilities: &'a [f32],
        masses: &'a [f64],
        scale: usize,
        share: f64,
    ) -> Search<'a> {
        let radius = Radius::of(Scale::ALL[scale]);
        Search { discs: self, probabilities, masses, scale, radius, share, best: None }
    }

    /// The most that discs of a scale's radius can hold of the classes of each node.
    fn most(&self, probabilities: &[f32], scale: usize) -> Vec<f64> {
        let mut masses = vec![0.0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            masses[index] = if node.second == 0 {
                let points = &self.points[node.first as usize..node.last as usize];
                let most = |it: &ClassPoint| {
                    f64::from(probabilities[it.class.index()]) * f64::from(it.most[scale])
                };
                points.iter().map(most).sum()
            } else {
                masses[index + 1] + masses[node.second as usize]
            };
        }
        masses
    }
}

/// One search for one photo.
struct Search<'a> {
    discs: &'a Discs,
    probabilities: &'a [f32],
    /// By node, the most that a disc can hold of it.
    masses: &'a [f64],
    scale: usize,
    radius: Radius,
    share: f64,
    best: Option<Disc>,
}

impl Search<'_> {
    /// Looks for middles among a node's points, unless no disc round any of them can win: each
    /// lies within the disc round the node's middle that is larger by the node.
    fn descend(&mut self, index: usize) {
        let node = &self.discs.nodes[index];
        let bound = self.bound(0, node.middle, self.radius.angle.plus(node.reach));
        if self.is_beaten(bound) {
            return;
        }
        if node.second == 0 {
            (node.first as usize..node.last as usize).for_each(|at| self.consider(at));
            return;
        }
        // The heavier child first: a good disc found early spares the other.
        let (one, two) = (index + 1, node.second as usize);
        let (first, second) =
            if self.masses[one] >= self.masses[two] { (one, two) } else { (two, one) };
        self.descend(first);
        self.descend(second);
    }

    fn consider(&mut self, at: usize) {
        let ClassPoint { class, vector, .. } = self.discs.points[at];
        let own = self.probability(class);
        if own <= 0.0 {
            return;
        }
        // The bound of one disc costs less than the disc.
        let bound = self.bound(0, vector, self.radius.angle);
        if self.is_beaten(bound) {
            return;
        }
        let mass = self.mass(0, vector);
        let better = |best: Disc| {
            let other = self.probability(best.class);
            let rounded = |mass: f64| (mass / EQUAL).round();
            rounded(mass)
                .total_cmp(&rounded(best.mass))
                .then(own.total_cmp(&other))
                .then(best.class.cmp(&class))
                .is_gt()
        };
        if mass >= self.share && self.best.is_none_or(better) {
            self.best = Some(Disc { class, mass });
        }
    }

    /// Whether a disc that holds no more than this cannot win.
    fn is_beaten(&self, bound: f64) -> bool {
        bound < self.share || self.best.is_some_and(|best| bound < best.mass - EQUAL)
    }

    fn probability(&self, class: ClassId) -> f64 {
        f64::from(self.probabilities[class.index()])
    }

    /// No more than this of a node's classes lies within a disc of the radius that is searched
    /// for, wherever its middle is, if all of it lies within an angle of a direction.
    fn bound(&self, index: usize, middle: [f64; 3], angle: Angle) -> f64 {
        let node = &self.discs.nodes[index];
        let whole = self.masses[index];
        if whole <= NEGLIGIBLE || angle.radians >= std::f64::consts::PI {
            return whole;
        }
        let away = chord_squared(node.middle, middle);
        if away > angle.plus(node.extent).chord_squared() + SLACK {
            return 0.0;
        }
        if angle.minus(node.extent).is_some_and(|inner| away < inner.chord_squared() - SLACK) {
            return whole;
        }
        if node.second != 0 {
            return self.bound(index + 1, middle, angle)
                + self.bound(node.second as usize, middle, angle);
        }
        self.discs.points[node.first as usize..node.last as usize]
            .iter()
            .filter(|point| {
                let rim = angle.plus(point.spread.reach).chord_squared();
                chord_squared(point.vector, middle) <= rim + SLACK
            })
            .map(|it| self.probability(it.class) * f64::from(it.most[self.scale]))
            .sum()
    }

    /// Probability of a node's classes within the disc round a direction.
    fn mass(&self, index: usize, middle: [f64; 3]) -> f64 {
        let node = &self.discs.nodes[index];
        if self.masses[index] <= NEGLIGIBLE {
            return 0.0;
        }
        let (away, angle) = (chord_squared(node.middle, middle), self.radius.angle);
        if away > angle.plus(node.extent).chord_squared() + SLACK {
            return 0.0;
        }
        // Wholly inside: then the most that a disc can hold is all.
        if angle.minus(node.extent).is_some_and(|inner| away < inner.chord_squared() - SLACK) {
            return self.masses[index];
        }
        if node.second != 0 {
            return self.mass(index + 1, middle) + self.mass(node.second as usize, middle);
        }
        self.discs.points[node.first as usize..node.last as usize]
            .iter()
            .map(|it| {
                let away = chord_squared(it.vector, middle);
                self.probability(it.class) * it.spread.within(&self.radius, away)
            })
            .sum()
    }
}

/// What rounding may take from a squared chord that was made by adding angles; where it matters, a
/// node's children or points are asked instead.
const SLACK: f64 = 1e-14;

/// Divides points along their widest axis until leaves are small.
fn arrange(points: &mut [ClassPoint], first: usize, last: usize, nodes: &mut Vec<Node>) {
    let here = &mut points[first..last];
    let (middle, reach, extent) = ball(here);
    let index = nodes.len();
    nodes.push(Node { middle, reach, extent, first: first as u32, last: last as u32, second: 0 });
    if here.len() <= LEAF {
        return;
    }
    let axis = widest(here);
    let half = here.len() / 2;
    here.select_nth_unstable_by(half, |a, b| {
        a.vector[axis].total_cmp(&b.vector[axis]).then(a.class.cmp(&b.class))
    });
    arrange(points, first, first + half, nodes);
    nodes[index].second = nodes.len() as u32;
    arrange(points, first + half, last, nodes);
}

/// Middle of some points, and angles to the farthest point and the farthest photo.
fn ball(points: &[ClassPoint]) -> ([f64; 3], Angle, Angle) {
    let sum =
        points.iter().fold([0.0; 3], |sum, it| std::array::from_fn(|i| sum[i] + it.vector[i]));
    // Points that cancel out: any middle will do.
    let middle = LatLng::from_vector(sum).map_or(points[0].vector, LatLng::to_vector);
    let (mut reach, mut extent) = (0.0f64, 0.0f64);
    for point in points {
        let chord = chord_squared(point.vector, middle).sqrt();
        let angle = 2.0 * (chord / 2.0).min(1.0).asin();
        reach = reach.max(angle);
        extent = extent.max(angle + point.spread.reach.radians);
    }
    // What rounding took must not lose a point on the rim.
    (middle, Angle::new(reach + 1e-9), Angle::new(extent + 1e-9))
}

fn widest(points: &[ClassPoint]) -> usize {
    let spread = |axis: usize| {
        let values = points.iter().map(|it| it.vector[axis]);
        let (least, most) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        most - least
    };
    (0..3).max_by(|&a, &b| spread(a).total_cmp(&spread(b))).unwrap_or(0)
}

/// Square of the straight way between two unit vectors.
fn chord_squared(a: [f64; 3], b: [f64; 3]) -> f64 {
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use planet_geo::{CellId, Class, ClassKind, Level, PartitionInfo, Scatter};
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("in range")
    }

    fn point(position: LatLng, scatter: Option<[f64; 5]>) -> Class {
        let point = Some(position);
        let scatter = scatter.and_then(Scatter::new);
        Class { kind: ClassKind::PointOnly, photos: 1000, mean: point, centre: point, scatter }
    }

    fn cell(position: LatLng, level: u8, scatter: Option<[f64; 5]>) -> Class {
        let cell = CellId::containing(position, Level::new(level).expect("a level"));
        Class { kind: ClassKind::Cells(vec![cell]), ..point(position, scatter) }
    }

    fn partition(classes: Vec<Class>) -> Partition {
        Partition::new(PartitionInfo::default(), classes).expect("disjoint")
    }

    /// Tries all classes against all; of discs that hold the same, the more probable class's.
    fn by_trying_all(
        partition: &Partition,
        probabilities: &[f32],
        scale: Scale,
        share: f64,
    ) -> Option<(ClassId, f64)> {
        let points: Vec<ClassPoint> = (0..partition.len() as u32)
            .filter_map(|row| ClassPoint::of(partition, ClassId(row)))
            .collect();
        let radius = Radius::of(scale);
        let mass = |middle: &ClassPoint| -> f64 {
            let part = |it: &ClassPoint| {
                let away = chord_squared(it.vector, middle.vector);
                f64::from(probabilities[it.class.index()]) * it.spread.within(&radius, away)
            };
            points.iter().map(part).sum()
        };
        let own = |class: ClassId| probabilities[class.index()];
        let middles = points.iter().filter(|it| own(it.class) > 0.0);
        let discs = middles.map(|middle| (middle.class, mass(middle)));
        let best = discs.max_by(|(a, m), (b, n)| {
            let near = |mass: f64| (mass / EQUAL).round();
            near(*m).total_cmp(&near(*n)).then(own(*a).total_cmp(&own(*b))).then(b.cmp(a))
        });
        best.filter(|(_, most)| *most >= share)
    }

    proptest! {
        #[test]
        fn the_tree_finds_the_disc_that_trying_all_finds(
            places in prop::collection::vec(
                (-90.0..=90.0f64, -180.0..=180.0f64, 0.0..1.0f32, 0u8..4), 1..200),
            shares in prop::array::uniform5(0.0..=1.0f64),
            spread in 0.001..1.0f64,
            scale in prop::sample::select(Scale::ALL.to_vec()),
            share in 0.02..0.9f64,
        ) {
            let total: f32 = places.iter().map(|place| place.2).sum();
            prop_assume!(total > 0.0);
            let mut shares = shares;
            shares.sort_by(f64::total_cmp);
            let mut classes: Vec<Class> = Vec::new();
            let mut taken = std::collections::HashSet::new();
            for (lat, lng, _, kind) in &places {
                let here = at(lat * spread, lng * spread);
                let free = taken.insert(CellId::containing(here, Level::new(5).expect("a level")));
                classes.push(match kind {
                    0 if free => cell(here, 5, None),
                    1 if free => cell(here, 5, Some(shares)),
                    2 => point(here, Some(shares)),
                    _ => point(here, None),
                });
            }
            let partition = partition(classes);
            let probabilities: Vec<f32> = places.iter().map(|place| place.2 / total).collect();
            // Discs wide enough hold the same, whatever their middle.
            let found = Discs::new(&partition).densest(&probabilities, scale, share);
            let wanted = by_trying_all(&partition, &probabilities, scale, share);
            match (found, wanted) {
                (Some(disc), Some((class, mass))) => {
                    // Classes that lie wholly inside count with their bound, which is rounded up.
                    prop_assert!((disc.mass - mass).abs() < 2.0 * ROUNDING);
                    prop_assert!(disc.class == class || (disc.mass - mass).abs() > 1e-12);
                }
                (None, None) => {}
                // Within rounding of the share either answer is right.
                (Some(disc), None) => prop_assert!((disc.mass - share).abs() < 1e-5),
                (None, Some((_, mass))) => prop_assert!((mass - share).abs() < 1e-5),
            }
        }
    }

    #[test]
    fn the_probability_round_any_position_is_the_sum_of_the_shares_within() {
        let places = (0..60).map(|i| at(f64::from(i % 8), f64::from(i) * 0.5));
        let classes: Vec<Class> = places.map(|it| point(it, None)).collect();
        let points: Vec<LatLng> =
            (0..60).map(|i| at(f64::from(i % 8), f64::from(i) * 0.5)).collect();
        let probabilities: Vec<f32> = (1..=60).map(|i| i as f32 / 1830.0).collect();
        let discs = Discs::new(&partition(classes));
        for middle in [at(3.0, 10.0), at(-40.0, 170.0)] {
            let found = discs.within(&probabilities, middle);
            for (found, scale) in found.into_iter().zip(Scale::ALL) {
                let inside =
                    |(point, _): &(&LatLng, _)| point.distance_to(middle) <= scale.radius();
                let all = points.iter().zip(&probabilities).filter(inside);
                let wanted: f64 = all.map(|(_, p)| f64::from(*p)).sum();
                assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
            }
        }
    }

    #[test]
    fn two_halves_apart_are_certain_only_together() {
        let classes = [at(0.0, 0.0), at(0.0, 1.0), at(0.0, 90.0)].map(|it| point(it, None));
        let discs = Discs::new(&partition(classes.into()));
        let probabilities = [0.4, 0.35, 0.25];
        let densest = |scale| discs.densest(&probabilities, scale, 0.5);
        assert_eq!(densest(Scale::City), None);
        let disc = densest(Scale::Region).expect("the first two lie 111 km apart");
        assert_eq!(disc.class, ClassId(0));
        assert!((disc.mass - 0.75).abs() < 1e-6);
    }

    #[test]
    fn a_large_cell_is_not_at_its_point() {
        // A cell of level 3, over 1000 km across, of which a tenth of the photos is near its point.
        let counted = cell(at(45.0, 10.0), 3, Some([0.1, 0.1, 0.3, 0.8, 1.0]));
        let by_area = Class { scatter: None, ..counted.clone() };
        for (class, street) in [(counted, 0.1 * 1000.0 / 1001.0), (by_area, 0.0)] {
            let discs = Discs::new(&partition(vec![class, cell(at(-45.0, 10.0), 3, None)]));
            let mass = |scale| discs.densest(&[0.9, 0.1], scale, 1e-9).map_or(0.0, |it| it.mass);
            assert!((mass(Scale::Street) - 0.9 * street).abs() < 1e-4, "{}", mass(Scale::Street));
            assert!(mass(Scale::City) < 0.12, "{}", mass(Scale::City));
            assert!((mass(Scale::Continent) - 0.9).abs() < 1e-6);
        }
    }
}
