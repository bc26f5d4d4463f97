use planet_geo::{ClassId, Distance, EARTH_RADIUS_KM, LatLng};

/// Classes a leaf of the tree holds.
const LEAF: usize = 8;

/// Probabilities come as f32 and their sum is one only within this.
const ROUNDING: f64 = 1e-6;

/// Finds the disc that holds the most probability, exactly and without trying all classes
/// against all: a ball tree over the classes' points, built once for a partition, whose nodes
/// are given their mass for each photo.
#[derive(Clone, Debug)]
pub(super) struct Discs {
    /// Unit vectors of the points, in the tree's order.
    vectors: Vec<[f64; 3]>,
    /// Their classes.
    classes: Vec<ClassId>,
    /// The root is the first; children stand behind their parent.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    middle: [f64; 3],
    /// To the farthest point.
    reach: Angle,
    first: u32,
    last: u32,
    /// The second child; the first child is the next node. 0 for a leaf.
    second: u32,
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
    /// A tree over the points of classes.
    pub(super) fn new(points: impl Iterator<Item = (ClassId, LatLng)>) -> Self {
        let mut points: Vec<(ClassId, [f64; 3])> =
            points.map(|(class, point)| (class, point.to_vector())).collect();
        let mut nodes = Vec::new();
        if !points.is_empty() {
            let last = points.len();
            arrange(&mut points, 0, last, &mut nodes);
        }
        let (classes, vectors) = points.into_iter().unzip();
        Self { vectors, classes, nodes }
    }

    /// The disc of this radius round a class's point that holds the most probability, if that
    /// is at least `share`. Of equal ones the more probable class's, then the first's.
    pub(super) fn densest(
        &self,
        probabilities: &[f32],
        radius: Distance,
        share: f64,
    ) -> Option<Disc> {
        let masses = self.masses(probabilities);
        let mut search = Search {
            discs: self,
            probabilities,
            masses: &masses,
            radius: Angle::new(radius.km() / EARTH_RADIUS_KM),
            share: share - ROUNDING,
            best: None,
        };
        if !self.nodes.is_empty() {
            search.descend(0);
        }
        search.best
    }

    /// Probability within each of some radii of a position.
    pub(super) fn within<const N: usize>(
        &self,
        probabilities: &[f32],
        middle: LatLng,
        radii: [Distance; N],
    ) -> [f64; N] {
        if self.nodes.is_empty() {
            return [0.0; N];
        }
        let masses = self.masses(probabilities);
        let (middle, discs) = (middle.to_vector(), self);
        radii.map(|radius| {
            let radius = Angle::new(radius.km() / EARTH_RADIUS_KM);
            let (masses, share, best) = (&masses[..], 0.0, None);
            let search = Search { discs, probabilities, masses, radius, share, best };
            search.mass(0, middle, radius).min(1.0)
        })
    }

    /// Probability inside each node.
    fn masses(&self, probabilities: &[f32]) -> Vec<f64> {
        let mut masses = vec![0.0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            masses[index] = if node.second == 0 {
                let classes = &self.classes[node.first as usize..node.last as usize];
                classes.iter().map(|class| f64::from(probabilities[class.index()])).sum()
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
    masses: &'a [f64],
    radius: Angle,
    share: f64,
    best: Option<Disc>,
}

impl Search<'_> {
    /// Looks for middles among a node's points, unless no disc round any of them can win: each
    /// lies within the disc round the node's middle that is larger by the node.
    fn descend(&mut self, index: usize) {
        let node = &self.discs.nodes[index];
        let bound = self.mass(0, node.middle, self.radius.plus(node.reach));
        if bound < self.share || self.best.is_some_and(|best| bound < best.mass) {
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
        let class = self.discs.classes[at];
        let own = self.probabilities[class.index()];
        if own <= 0.0 {
            return;
        }
        let mass = self.mass(0, self.discs.vectors[at], self.radius);
        let better = |best: Disc| {
            let other = self.probabilities[best.class.index()];
            mass.total_cmp(&best.mass)
                .then(own.total_cmp(&other))
                .then(best.class.cmp(&class))
                .is_gt()
        };
        if mass >= self.share && self.best.is_none_or(better) {
            self.best = Some(Disc { class, mass: mass.min(1.0) });
        }
    }

    /// Probability within an angle of a direction, inside a node.
    fn mass(&self, index: usize, middle: [f64; 3], angle: Angle) -> f64 {
        if angle.radians >= std::f64::consts::PI {
            return self.masses[index];
        }
        let node = &self.discs.nodes[index];
        let away = chord_squared(node.middle, middle);
        if self.masses[index] <= 0.0 || away > angle.plus(node.reach).chord_squared() + SLACK {
            return 0.0;
        }
        if angle.minus(node.reach).is_some_and(|inner| away < inner.chord_squared() - SLACK) {
            return self.masses[index];
        }
        if node.second != 0 {
            return self.mass(index + 1, middle, angle)
                + self.mass(node.second as usize, middle, angle);
        }
        let rim = angle.chord_squared();
        (node.first as usize..node.last as usize)
            .filter(|&at| chord_squared(self.discs.vectors[at], middle) <= rim)
            .map(|at| f64::from(self.probabilities[self.discs.classes[at].index()]))
            .sum()
    }
}

/// What rounding may take from a squared chord that was made by adding angles; where it matters, a
/// node's children or points are asked instead.
const SLACK: f64 = 1e-14;

/// An angle from nothing to half a turn with its sine and cosine: searches add and subtract angles
/// all the time, and no function of them is called for it.
#[derive(Clone, Copy, Debug)]
struct Angle {
    radians: f64,
    sin: f64,
    /// One minus the cosine, which is precise for small angles where the cosine is not.
    versine: f64,
}

impl Angle {
    /// Half a turn is the most.
    fn new(radians: f64) -> Self {
        let radians = radians.min(std::f64::consts::PI);
        Self { radians, sin: radians.sin(), versine: 2.0 * (radians / 2.0).sin().powi(2) }
    }

    /// Half a turn is the most.
    fn plus(self, other: Self) -> Self {
        let radians = self.radians + other.radians;
        if radians >= std::f64::consts::PI {
            return Self { radians: std::f64::consts::PI, sin: 0.0, versine: 2.0 };
        }
        let (a, b) = (self, other);
        Self {
            radians,
            sin: a.sin * (1.0 - b.versine) + b.sin * (1.0 - a.versine),
            versine: a.versine + b.versine - a.versine * b.versine + a.sin * b.sin,
        }
    }

    /// Nothing where the other one is larger.
    fn minus(self, other: Self) -> Option<Self> {
        let radians = self.radians - other.radians;
        let (a, b) = (self, other);
        (radians >= 0.0).then_some(Self {
            radians,
            sin: a.sin * (1.0 - b.versine) - b.sin * (1.0 - a.versine),
            versine: a.versine + b.versine - a.versine * b.versine - a.sin * b.sin,
        })
    }

    /// The square of the straight way between two points on the unit sphere so far apart.
    fn chord_squared(self) -> f64 {
        2.0 * self.versine
    }
}

/// Divides points along their widest axis until leaves are small.
fn arrange(points: &mut [(ClassId, [f64; 3])], first: usize, last: usize, nodes: &mut Vec<Node>) {
    let here = &mut points[first..last];
    let (middle, reach) = ball(here);
    let index = nodes.len();
    nodes.push(Node { middle, reach, first: first as u32, last: last as u32, second: 0 });
    if here.len() <= LEAF {
        return;
    }
    let axis = widest(here);
    let half = here.len() / 2;
    here.select_nth_unstable_by(half, |a, b| a.1[axis].total_cmp(&b.1[axis]).then(a.0.cmp(&b.0)));
    arrange(points, first, first + half, nodes);
    nodes[index].second = nodes.len() as u32;
    arrange(points, first + half, last, nodes);
}

fn ball(points: &[(ClassId, [f64; 3])]) -> ([f64; 3], Angle) {
    let sum = points.iter().fold([0.0; 3], |sum, (_, v)| std::array::from_fn(|i| sum[i] + v[i]));
    // Points that cancel out: any middle will do.
    let middle = LatLng::from_vector(sum).map_or(points[0].1, LatLng::to_vector);
    let farthest = points.iter().map(|(_, v)| chord_squared(*v, middle)).fold(0.0, f64::max);
    let angle = 2.0 * (farthest.sqrt() / 2.0).min(1.0).asin();
    // What rounding took must not lose a point on the rim.
    (middle, Angle::new(angle + 1e-9))
}

fn widest(points: &[(ClassId, [f64; 3])]) -> usize {
    let spread = |axis: usize| {
        let values = points.iter().map(|(_, v)| v[axis]);
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
    use proptest::prelude::*;

    use super::*;

    /// Tries all classes against all.
    fn by_trying_all(
        points: &[LatLng],
        probabilities: &[f32],
        radius: Distance,
        share: f64,
    ) -> Option<f64> {
        let mass = |middle: LatLng| -> f64 {
            let inside = |at: &usize| middle.distance_to(points[*at]) <= radius;
            (0..points.len()).filter(inside).map(|at| f64::from(probabilities[at])).sum()
        };
        let middles = (0..points.len()).filter(|&at| probabilities[at] > 0.0);
        let most = middles.map(|at| mass(points[at])).fold(0.0, f64::max);
        (most >= share).then_some(most)
    }

    proptest! {
        #[test]
        fn the_tree_finds_the_disc_that_trying_all_finds(
            places in prop::collection::vec((-90.0..=90.0f64, -180.0..=180.0f64, 0.0..1.0f32), 1..200),
            spread in 0.001..1.0f64,
            radius in prop::sample::select(vec![1.0, 25.0, 200.0, 750.0, 2500.0, 20100.0]),
            share in 0.05..0.9f64,
        ) {
            let total: f32 = places.iter().map(|place| place.2).sum();
            prop_assume!(total > 0.0);
            let points: Vec<LatLng> = places
                .iter()
                .map(|p| LatLng::new(p.0 * spread, p.1 * spread).expect("in range"))
                .collect();
            let probabilities: Vec<f32> = places.iter().map(|place| place.2 / total).collect();
            let rows = points.iter().enumerate().map(|(row, p)| (ClassId(row as u32), *p));
            let radius = Distance::from_km(radius);
            let found = Discs::new(rows).densest(&probabilities, radius, share);
            let wanted = by_trying_all(&points, &probabilities, radius, share);
            match (found, wanted) {
                (Some(disc), Some(mass)) => prop_assert!((disc.mass - mass).abs() < 1e-5),
                (None, None) => {}
                // Within rounding of the share either answer is right.
                (Some(disc), None) => prop_assert!((disc.mass - share).abs() < 1e-5),
                (None, Some(mass)) => prop_assert!((mass - share).abs() < 1e-5),
            }
        }
    }

    #[test]
    fn the_probability_round_any_position_is_the_sum_of_the_points_within() {
        let at = |lat, lng| LatLng::new(lat, lng).expect("in range");
        let points: Vec<LatLng> =
            (0..60).map(|i| at(f64::from(i % 8), f64::from(i) * 0.5)).collect();
        let probabilities: Vec<f32> = (1..=60).map(|i| i as f32 / 1830.0).collect();
        let discs = Discs::new((0..).map(ClassId).zip(points.iter().copied()));
        let radii = [1.0, 200.0, 750.0, 2500.0].map(Distance::from_km);
        for middle in [at(3.0, 10.0), at(-40.0, 170.0)] {
            let found = discs.within(&probabilities, middle, radii);
            for (found, radius) in found.into_iter().zip(radii) {
                let inside = |(point, _): &(&LatLng, _)| point.distance_to(middle) <= radius;
                let all = points.iter().zip(&probabilities).filter(inside);
                let wanted: f64 = all.map(|(_, p)| f64::from(*p)).sum();
                assert!((found - wanted).abs() < 1e-6, "{found} {wanted}");
            }
        }
        assert_eq!(Discs::new(std::iter::empty()).within(&[], at(0.0, 0.0), radii), [0.0; 4]);
    }

    #[test]
    fn two_halves_apart_are_certain_only_together() {
        let at = |lng| LatLng::new(0.0, lng).expect("in range");
        let points = [at(0.0), at(1.0), at(90.0)];
        let discs = Discs::new((0..).map(ClassId).zip(points));
        let probabilities = [0.4, 0.35, 0.25];
        let densest = |km, share| discs.densest(&probabilities, Distance::from_km(km), share);
        assert_eq!(densest(25.0, 0.5), None);
        let disc = densest(200.0, 0.5).expect("the first two lie 111 km apart");
        assert_eq!(disc.class, ClassId(0));
        assert!((disc.mass - 0.75).abs() < 1e-6);
    }
}
