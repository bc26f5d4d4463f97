use planet_geo::{Distance, EARTH_RADIUS_KM, LatLng};

/// A cluster of positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// The mode: the mean of the positions within the bandwidth of it.
    pub centre: LatLng,
    /// Which of the positions are nearer to it than to any other mode, in order.
    pub members: Vec<usize>,
}

impl Cluster {
    /// The mean of its members' positions, on the sphere; the mode where they have no mean.
    pub fn mean(&self, positions: &[LatLng]) -> LatLng {
        let mut sum = [0.0; 3];
        for at in &self.members {
            let vector = positions[*at].to_vector();
            sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += value);
        }
        let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
        let mean = (length > 1e-9).then(|| LatLng::from_vector(sum.map(|value| value / length)));
        mean.flatten().unwrap_or(self.centre)
    }

    /// Distance of the farthest member from a place.
    pub fn reach(&self, from: LatLng, positions: &[LatLng]) -> Distance {
        let away = self.members.iter().map(|at| positions[*at].distance_to(from));
        away.max_by(Distance::total_cmp).unwrap_or(Distance::ZERO)
    }
}

/// A position stands still when a step is less than this share of the bandwidth.
const STILL: f64 = 1e-3;
/// Most steps of a position.
const STEPS: usize = 300;

/// Clusters of positions by mean shift with a flat kernel, on the sphere: every position moves to
/// the mean of the positions within the bandwidth until it stands still; modes within the
/// bandwidth of one with more positions around it are dropped. Clusters with more members come
/// first.
///
/// The mean of positions is that of their unit vectors. For spreads that are small beside the
/// earth this is the mean shift of scikit-learn (`MeanShift(bandwidth)`) on the tangent plane.
pub fn mean_shift(positions: &[LatLng], bandwidth: Distance) -> Vec<Cluster> {
    let points: Vec<[f64; 3]> = positions.iter().map(|position| position.to_vector()).collect();
    let sphere = Sphere::new(&points, bandwidth);
    let mut modes: Vec<([f64; 3], usize)> =
        points.iter().map(|point| sphere.climb(*point)).collect();
    // The sort keeps the order of equal ones: the result depends on the positions alone.
    modes.sort_by_key(|(_, around)| std::cmp::Reverse(*around));
    let mut centres: Vec<[f64; 3]> = Vec::new();
    for (mode, _) in modes {
        if !centres.iter().any(|centre| sphere.is_near(*centre, mode)) {
            centres.push(mode);
        }
    }
    let mut members = vec![Vec::new(); centres.len()];
    for (at, point) in points.iter().enumerate() {
        let squares = centres.iter().map(|centre| squared_chord(*centre, *point)).enumerate();
        if let Some((nearest, _)) = squares.min_by(|a, b| a.1.total_cmp(&b.1)) {
            members[nearest].push(at);
        }
    }
    let clusters = centres.into_iter().zip(members).filter(|(_, members)| !members.is_empty());
    let cluster =
        |(centre, members)| Some(Cluster { centre: LatLng::from_vector(centre)?, members });
    let mut clusters: Vec<Cluster> = clusters.filter_map(cluster).collect();
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.members.len()));
    clusters
}

/// Positions as unit vectors, and the bandwidth as the square of a chord.
struct Sphere<'a> {
    points: &'a [[f64; 3]],
    near: f64,
}

impl<'a> Sphere<'a> {
    fn new(points: &'a [[f64; 3]], bandwidth: Distance) -> Self {
        // No two places are farther apart than half the way round.
        let half = (bandwidth.km() / EARTH_RADIUS_KM / 2.0).min(std::f64::consts::FRAC_PI_2);
        Self { points, near: (2.0 * half.sin()).powi(2) }
    }

    fn is_near(&self, a: [f64; 3], b: [f64; 3]) -> bool {
        squared_chord(a, b) <= self.near
    }

    /// The mode that a point climbs to, and how many points lie around it.
    fn climb(&self, mut at: [f64; 3]) -> ([f64; 3], usize) {
        let mut around = 0;
        for _ in 0..STEPS {
            let mut sum = [0.0; 3];
            around = 0;
            for point in self.points.iter().filter(|point| self.is_near(at, **point)) {
                sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += value);
                around += 1;
            }
            let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
            // Points all round the earth have no mean direction.
            if length < 1e-9 {
                break;
            }
            let mean = sum.map(|value| value / length);
            let step = squared_chord(at, mean);
            at = mean;
            if step <= STILL * STILL * self.near {
                break;
            }
        }
        (at, around)
    }
}

fn squared_chord(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("in range")
    }

    #[test]
    fn clusters_reach_across_the_antimeridian_and_round_the_pole() {
        let positions = [at(10.0, 179.9), at(10.0, -179.9), at(89.9, 0.0), at(89.9, 180.0)];
        let clusters = mean_shift(&positions, Distance::from_km(200.0));
        assert_eq!(clusters.len(), 2);
        assert_eq!(clusters[0].members, [0, 1]);
        assert_eq!(clusters[1].members, [2, 3]);
        assert!(clusters[0].centre.distance_to(at(10.0, 180.0)).km() < 0.1);
        assert!(clusters[1].centre.distance_to(at(90.0, 0.0)).km() < 0.1);
    }

    #[test]
    fn the_mean_of_a_cluster_is_that_of_its_members() {
        let positions = [at(0.0, 179.0), at(0.0, -179.0), at(3.0, 180.0)];
        let cluster = Cluster { centre: at(0.0, 0.0), members: vec![0, 1, 2] };
        let mean = cluster.mean(&positions);
        assert!(mean.distance_to(at(1.0, 180.0)).km() < 0.1, "{mean:?}");
        assert_eq!(
            cluster.reach(at(0.0, 180.0), &positions),
            positions[2].distance_to(at(0.0, 180.0))
        );
        let opposite = Cluster { centre: at(5.0, 5.0), members: vec![0, 1] };
        assert_eq!(opposite.mean(&[at(0.0, 0.0), at(0.0, 180.0)]), at(5.0, 5.0));
    }

    #[test]
    fn one_position_none_and_all_of_the_earth_have_their_clusters() {
        let one = mean_shift(&[at(1.0, 2.0)], Distance::from_km(1.0));
        assert_eq!(one.len(), 1);
        assert_eq!(mean_shift(&[], Distance::from_km(1.0)), []);
        let opposite = [at(0.0, 0.0), at(0.0, 180.0)];
        let all = mean_shift(&opposite, Distance::from_km(50_000.0));
        assert_eq!(all.iter().map(|cluster| cluster.members.len()).sum::<usize>(), 2);
        // A bandwidth of nothing leaves every place for itself.
        assert_eq!(mean_shift(&opposite, Distance::ZERO).len(), 2);
    }
}
