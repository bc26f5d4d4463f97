use std::f64::consts::PI;

use planet_geo::{ClassId, EARTH_RADIUS_KM, Partition, Scale};

use super::angle::Angle;

const SCALES: usize = Scale::ALL.len();
/// The five scales' radii and what lies beyond them.
const RINGS: usize = SCALES + 1;

/// Where the photos of a class lie about its point, as far as discs are concerned: the share of
/// them in each ring between two scales' radii, spread evenly over the ring's area.
///
/// The share of the class within a disc is the sum over its rings of the ring's share times the
/// part of the ring's area that the disc covers:
///
/// `S(D, R) = Σ wₖ · (L(bₖ, R, D) − L(aₖ, R, D)) / π(bₖ² − aₖ²)`
///
/// with `wₖ` the share between the radii `aₖ` and `bₖ`, `R` the disc's radius, `D` the way between
/// the class's point and the disc's middle, and `L` the area that two flat discs have in common.
/// All lengths are chords, 2·sin(angle / 2): the area of a disc about a point is then exact, and
/// so is the share of a class in a disc about its own point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    /// From the point to the farthest place where photos may lie.
    pub reach: Angle,
    /// Outer radii of the rings as chords, growing.
    rims: [f64; RINGS],
    /// Share of a unit of area in each ring; 0 for rings that do not exist.
    densities: [f64; RINGS],
    /// Rings that exist; none for a class that lies wholly at its point.
    rings: usize,
}

/// A disc's radius, in all forms that are needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Radius {
    pub angle: Angle,
    chord: f64,
}

impl Radius {
    pub(super) fn of(scale: Scale) -> Self {
        let angle = Angle::new(scale.radius().km() / EARTH_RADIUS_KM);
        Self { angle, chord: angle.chord_squared().sqrt() }
    }
}

impl Spread {
    /// Of a class that has a point.
    pub(super) fn of(partition: &Partition, class: ClassId) -> Self {
        let reach = Self::reach_km(partition, class);
        Self::new(partition.shares_within(class), Angle::new(reach / EARTH_RADIUS_KM))
    }

    /// From the point of a class to the farthest place where its photos may lie, in km.
    pub(super) fn reach_km(partition: &Partition, class: ClassId) -> f64 {
        if !partition.class(class).cells().is_empty() {
            return partition.radius(class).km();
        }
        // Only a point: as far as its photos scatter.
        let shares = partition.shares_within(class);
        match shares.iter().position(|share| *share >= 1.0) {
            Some(_) if partition.class(class).scatter.is_none() => 0.0,
            Some(at) => Scale::ALL[at].radius().km(),
            None => PI * EARTH_RADIUS_KM,
        }
    }

    /// From the shares within the scales' radii; all of them lie within the reach.
    fn new(shares: [f64; SCALES], reach: Angle) -> Self {
        let (mut rims, mut densities, mut rings) = ([0.0; RINGS], [0.0; RINGS], 0);
        let (mut inner, mut within) = (0.0, 0.0);
        let end = reach.chord_squared().sqrt();
        let scales = Scale::ALL.iter().zip(shares);
        let rows = scales.map(|(scale, share)| (Radius::of(*scale).chord, share));
        for (rim, share) in rows.chain([(f64::INFINITY, 1.0)]) {
            if inner >= end {
                break;
            }
            let (outer, share) = if rim < end { (rim, share) } else { (end, 1.0) };
            rims[rings] = outer;
            densities[rings] = (share - within).max(0.0) / (PI * (outer * outer - inner * inner));
            (inner, within, rings) = (outer, share, rings + 1);
        }
        Self { reach, rims, densities, rings }
    }

    /// The class's share within a disc whose middle is this far from its point, as a squared chord.
    pub(super) fn within(&self, disc: &Radius, away_squared: f64) -> f64 {
        let inner = disc.angle.minus(self.reach);
        if inner.is_some_and(|inner| away_squared <= inner.chord_squared()) {
            return 1.0;
        }
        if self.rings == 0 || away_squared >= disc.angle.plus(self.reach).chord_squared() {
            return 0.0;
        }
        let away = away_squared.sqrt();
        let (mut share, mut before) = (0.0, 0.0);
        for (rim, density) in self.rims[..self.rings].iter().zip(&self.densities) {
            let covered = overlap(*rim, disc.chord, away);
            share += density * (covered - before);
            before = covered;
        }
        share.clamp(0.0, 1.0)
    }

    /// No disc of this radius holds a larger share of the class, wherever its middle is: the
    /// densest rings, as many as fit into its area.
    pub(super) fn most_within(&self, disc: &Radius) -> f64 {
        if self.rings == 0 {
            return 1.0;
        }
        let mut rings = [(0.0, 0.0); RINGS];
        let mut inner = 0.0;
        for (ring, at) in rings.iter_mut().zip(0..self.rings) {
            let area = PI * (self.rims[at] * self.rims[at] - inner * inner);
            (*ring, inner) = ((self.densities[at], area), self.rims[at]);
        }
        rings.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut room, mut share) = (PI * disc.chord * disc.chord, 0.0);
        for (density, area) in rings {
            share += density * area.min(room);
            room = (room - area).max(0.0);
        }
        share.min(1.0)
    }
}

/// Area that two flat discs have in common whose middles lie this far apart.
fn overlap(a: f64, b: f64, away: f64) -> f64 {
    if away >= a + b {
        return 0.0;
    }
    if away <= (a - b).abs() {
        return PI * a.min(b).powi(2);
    }
    // Half the angle under which each middle sees the lens's two corners.
    let angle = |own: f64, other: f64| {
        ((away * away + own * own - other * other) / (2.0 * away * own)).clamp(-1.0, 1.0).acos()
    };
    let (of_a, of_b) = (angle(a, b), angle(b, a));
    let sector = |radius: f64, angle: f64| radius * radius * (angle - angle.sin() * angle.cos());
    sector(a, of_a) + sector(b, of_b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn km(km: f64) -> Angle {
        Angle::new(km / EARTH_RADIUS_KM)
    }

    #[test]
    fn about_its_own_point_a_class_has_the_shares_that_were_counted() {
        let shares = [0.1, 0.4, 0.7, 0.95, 1.0];
        let spread = Spread::new(shares, km(900.0));
        for (scale, share) in Scale::ALL.into_iter().zip(shares) {
            let found = spread.within(&Radius::of(scale), 0.0);
            assert!((found - share).abs() < 1e-9, "{}: {found}", scale.name());
        }
    }

    #[test]
    fn half_of_a_class_lies_within_a_large_disc_whose_rim_goes_through_its_point() {
        let spread = Spread::new([0.3, 0.6, 1.0, 1.0, 1.0], km(40.0));
        let continent = Radius::of(Scale::Continent);
        let on_the_rim = spread.within(&continent, continent.angle.chord_squared());
        assert!((on_the_rim - 0.5).abs() < 0.01, "{on_the_rim}");
        let inside = continent.angle.minus(km(41.0)).expect("the disc is larger");
        assert_eq!(spread.within(&continent, inside.chord_squared()), 1.0);
        let outside = continent.angle.plus(km(41.0));
        assert_eq!(spread.within(&continent, outside.chord_squared()), 0.0);
    }

    #[test]
    fn the_share_in_a_disc_off_the_point_is_that_of_places_drawn_from_the_rings() {
        use rand::{RngExt, SeedableRng};
        let shares = [0.2, 0.5, 0.8, 1.0, 1.0];
        let spread = Spread::new(shares, km(600.0));
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let rims = [0.0, 1.0, 25.0, 200.0, 600.0];
        let places: Vec<[f64; 2]> = (0..200_000)
            .map(|_| {
                let at: f64 = rng.random_range(0.0..1.0);
                let ring = shares.iter().position(|share| at < *share).expect("the last is 1");
                let (inner, outer): (f64, f64) = (rims[ring], rims[ring + 1]);
                let far = rng.random_range(inner * inner..outer * outer).sqrt();
                let turn: f64 = rng.random_range(0.0..std::f64::consts::TAU);
                [far * turn.cos(), far * turn.sin()]
            })
            .collect();
        for (scale, away) in [(Scale::City, 20.0), (Scale::Region, 150.0), (Scale::Country, 500.0)]
        {
            let near = |place: &&[f64; 2]| (place[0] - away).hypot(place[1]) <= scale.radius().km();
            let wanted = places.iter().filter(near).count() as f64 / places.len() as f64;
            let found = spread.within(&Radius::of(scale), km(away).chord_squared());
            assert!((found - wanted).abs() < 0.01, "{}: {found}, drawn {wanted}", scale.name());
            assert!(found <= spread.most_within(&Radius::of(scale)));
        }
    }
}
