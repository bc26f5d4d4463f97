/// Length of the difference.
pub fn euclidean(a: &[f32], b: &[f32]) -> f32 {
    lanes(a, b, |a, b| (a - b) * (a - b)).sqrt()
}

/// Sum of absolute differences.
pub fn manhattan(a: &[f32], b: &[f32]) -> f32 {
    lanes(a, b, |a, b| (a - b).abs())
}

/// χ² distance of two histograms: half the sum of `(a − b)² / (a + b)`; bins that are empty in
/// both add nothing. 0..=1 for histograms that sum to one.
pub fn chi_squared(a: &[f32], b: &[f32]) -> f32 {
    // Added to the divisor, it keeps 0 / 0 out and changes no other term.
    const TINY: f32 = 1e-30;
    0.5 * lanes(a, b, |a, b| (a - b) * (a - b) / (a + b + TINY))
}

/// One minus the cosine of two vectors of length 1: half the square of the difference's length.
/// 0..=1 for vectors without numbers below zero.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    0.5 * lanes(a, b, |a, b| (a - b) * (a - b))
}

/// The same for vectors that are stored as pairs of a place, above 0, and a number, in the order
/// of the places; zeros stand behind the last pair.
pub fn sparse_cosine(a: &[f32], b: &[f32]) -> f32 {
    let (mut a, mut b) = (pairs(a).peekable(), pairs(b).peekable());
    let mut sum = 0.0;
    loop {
        let difference = match (a.peek().copied(), b.peek().copied()) {
            (None, None) => return 0.5 * sum,
            (Some([first, value]), Some([second, other])) if first == second => {
                a.next();
                b.next();
                value - other
            }
            (Some([first, value]), second) if second.is_none_or(|[second, _]| first < second) => {
                a.next();
                value
            }
            (_, second) => {
                b.next();
                second.map_or(0.0, |[_, value]| value)
            }
        };
        sum += difference * difference;
    }
}

/// The pairs of a sparse vector.
fn pairs(values: &[f32]) -> impl Iterator<Item = [f32; 2]> {
    values.as_chunks().0.iter().copied().take_while(|[place, _]| *place > 0.0)
}

/// A sum over pairs, in sixteen partial sums that the compiler keeps in vectors.
fn lanes(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    const LANES: usize = 16;
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for at in 0..LANES {
            sums[at] += term(a[at], b[at]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_formulas() {
        let a: Vec<f32> = (0..20).map(|at| at as f32).collect();
        let b = vec![0.0; 20];
        assert_eq!(manhattan(&a, &b), 190.0);
        assert!((euclidean(&a, &b) - 2470f32.sqrt()).abs() < 1e-4);
        assert_eq!(chi_squared(&a, &b), 95.0);
        assert_eq!(chi_squared(&b, &b), 0.0);
        assert_eq!(chi_squared(&[1.0, 0.0], &[0.0, 1.0]), 1.0);
    }
}
