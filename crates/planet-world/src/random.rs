use rand::{Rng, RngExt};

/// A standard normal number (Box and Muller).
pub(crate) fn normal(rng: &mut (impl Rng + ?Sized)) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// A number of a row with the row's weights; the last one with a weight where rounding leaves
/// nothing.
pub(crate) fn choose(
    weights: impl Iterator<Item = f64> + Clone,
    rng: &mut (impl Rng + ?Sized),
) -> usize {
    let total: f64 = weights.clone().sum();
    let mut left = rng.random::<f64>() * total;
    let mut last = 0;
    for (index, weight) in weights.enumerate() {
        if weight > 0.0 {
            last = index;
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Purpose, stream};

    #[test]
    fn a_normal_number_has_mean_zero_and_variance_one() {
        let mut rng = stream(1, Purpose::Photo, 0);
        let numbers: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let mean = numbers.iter().sum::<f64>() / 2e4;
        let variance = numbers.iter().map(|x| x * x).sum::<f64>() / 2e4;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn a_number_without_weight_is_never_chosen() {
        let mut rng = stream(1, Purpose::Photo, 1);
        let weights = [0.0, 3.0, 0.0, 1.0, 0.0];
        let mut seen = [0; 5];
        for _ in 0..4000 {
            seen[choose(weights.iter().copied(), &mut rng)] += 1;
        }
        assert_eq!([seen[0], seen[2], seen[4]], [0; 3]);
        assert!((2800..3200).contains(&seen[1]), "{seen:?}");
    }
}
