use rayon::prelude::*;

/// Eigenvalues and eigenvectors of a symmetric matrix, greatest value first.
pub(super) struct Eigen {
    pub(super) values: Vec<f64>,
    /// Row i is the vector of value i, of length 1.
    pub(super) vectors: Vec<f64>,
}

/// Steps after which a value counts as found anyway; two or three are usual.
const MOST_STEPS: usize = 60;

/// Of a symmetric matrix, `[n, n]`: Householder's reduction to three diagonals, then the QL
/// iteration with implicit shifts (Golub and Van Loan, Matrix Computations, chapter 8).
pub(super) fn eigen(mut matrix: Vec<f64>, n: usize) -> Eigen {
    assert_eq!(matrix.len(), n * n, "a square matrix");
    let (mut diagonal, mut beside, mut vectors) = tridiagonal(&mut matrix, n);
    ql(&mut diagonal, &mut beside, &mut vectors, n);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| diagonal[*b].total_cmp(&diagonal[*a]));
    let sorted = order.iter().flat_map(|at| vectors[at * n..][..n].iter().copied()).collect();
    Eigen { values: order.iter().map(|at| diagonal[*at]).collect(), vectors: sorted }
}

/// The diagonal, the one beside it, and, row by row, the transposed orthogonal matrix.
fn tridiagonal(a: &mut [f64], n: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut reflections: Vec<Vec<f64>> = Vec::with_capacity(n);
    for k in 0..n.saturating_sub(2) {
        let first = k + 1;
        let mut v: Vec<f64> = (first..n).map(|row| a[row * n + k]).collect();
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > 0.0 {
            v[0] += norm.copysign(v[0]);
            let half = v.iter().map(|x| x * x).sum::<f64>() / 2.0;
            let scale = half.sqrt().recip();
            v.iter_mut().for_each(|x| *x *= scale);
            reflect(a, n, first, &v);
        }
        reflections.push(if norm > 0.0 { v } else { Vec::new() });
    }
    let diagonal = (0..n).map(|at| a[at * n + at]).collect();
    let beside = (0..n).map(|at| if at == 0 { 0.0 } else { a[at * n + at - 1] }).collect();
    // The product of the reflections, from the last one to the first; it is symmetric to the left.
    let mut q = vec![0.0; n * n];
    (0..n).for_each(|at| q[at * n + at] = 1.0);
    for (k, v) in reflections.iter().enumerate().rev().filter(|(_, v)| !v.is_empty()) {
        // Rows of the transposed matrix are its columns, so that each row is worked on alone.
        q.par_chunks_exact_mut(n).for_each(|row| {
            let part = &mut row[k + 1..];
            let dot: f64 = part.iter().zip(v).map(|(x, v)| x * v).sum();
            part.iter_mut().zip(v).for_each(|(x, v)| *x -= dot * v);
        });
    }
    (diagonal, beside, q)
}

/// `A − v wᵀ − w vᵀ` on the part of a symmetric matrix from `first` on, and on the column before it:
/// the reflection `I − v vᵀ` from both sides.
fn reflect(a: &mut [f64], n: usize, first: usize, v: &[f64]) {
    let rows = &a[first * n..];
    let p: Vec<f64> = rows
        .par_chunks_exact(n)
        .map(|row| row[first..].iter().zip(v).map(|(x, v)| x * v).sum())
        .collect();
    let half = p.iter().zip(v).map(|(p, v)| p * v).sum::<f64>() / 2.0;
    let w: Vec<f64> = p.iter().zip(v).map(|(p, v)| p - half * v).collect();
    let before = first - 1;
    let dot: f64 = (first..n).zip(v).map(|(row, v)| a[row * n + before] * v).sum();
    a[first * n..].par_chunks_exact_mut(n).enumerate().for_each(|(at, row)| {
        row[before] -= dot * v[at];
        let (vi, wi) = (v[at], w[at]);
        row[first..].iter_mut().zip(v.iter().zip(&w)).for_each(|(x, (v, w))| *x -= vi * w + wi * v);
    });
}

/// The diagonal becomes the eigenvalues; rows of `vectors` are turned along.
fn ql(d: &mut [f64], e: &mut [f64], vectors: &mut [f64], n: usize) {
    e.rotate_left(1.min(n));
    for low in 0..n {
        for _ in 0..MOST_STEPS {
            let small = |at: usize| {
                let size = d[at].abs() + d[at + 1].abs();
                e[at].abs() <= f64::EPSILON * size
            };
            let high = (low..n - 1).find(|at| small(*at)).unwrap_or(n - 1);
            if high == low {
                break;
            }
            step(d, e, vectors, n, low, high);
        }
    }
}

/// One implicit QL step on rows `low..=high`.
fn step(d: &mut [f64], e: &mut [f64], vectors: &mut [f64], n: usize, low: usize, high: usize) {
    let mut g = (d[low + 1] - d[low]) / (2.0 * e[low]);
    let r = g.hypot(1.0);
    g = d[high] - d[low] + e[low] / (g + r.copysign(g));
    let (mut sine, mut cosine, mut p) = (1.0, 1.0, 0.0);
    for at in (low..high).rev() {
        let (f, b) = (sine * e[at], cosine * e[at]);
        let r = f.hypot(g);
        e[at + 1] = r;
        if r == 0.0 {
            d[at + 1] -= p;
            e[high] = 0.0;
            return;
        }
        (sine, cosine) = (f / r, g / r);
        g = d[at + 1] - p;
        let r = (d[at] - g) * sine + 2.0 * cosine * b;
        p = sine * r;
        d[at + 1] = g + p;
        g = cosine * r - b;
        let (above, below) = vectors.split_at_mut((at + 1) * n);
        let pairs = above[at * n..].iter_mut().zip(&mut below[..n]);
        for (x, y) in pairs {
            let f = *y;
            *y = sine * *x + cosine * f;
            *x = cosine * *x - sine * f;
        }
    }
    d[low] -= p;
    e[low] = g;
    e[high] = 0.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_orthonormal_and_solve_the_equation() {
        for n in [1, 2, 3, 7, 40] {
            let random = |i: usize, j: usize| ((i * 31 + j * 17) as f64 * 0.7).sin();
            let matrix: Vec<f64> = (0..n * n)
                .map(|at| (at / n, at % n))
                .map(|(i, j)| random(i.min(j), i.max(j)) + if i == j { 1.0 } else { 0.0 })
                .collect();
            let Eigen { values, vectors } = eigen(matrix.clone(), n);
            assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
            for (at, value) in values.iter().enumerate() {
                let vector = &vectors[at * n..][..n];
                for row in 0..n {
                    let product: f64 =
                        matrix[row * n..][..n].iter().zip(vector).map(|(a, b)| a * b).sum();
                    assert!((product - value * vector[row]).abs() < 1e-9, "{n}: {at}");
                }
                for other in 0..=at {
                    let other_vector = &vectors[other * n..][..n];
                    let dot: f64 = vector.iter().zip(other_vector).map(|(a, b)| a * b).sum();
                    let wanted = if other == at { 1.0 } else { 0.0 };
                    assert!((dot - wanted).abs() < 1e-10, "{n}: {at} {other}: {dot}");
                }
            }
        }
    }

    #[test]
    fn equal_values_and_zeros_are_no_trouble() {
        let identity: Vec<f64> = (0..25).map(|at| f64::from(u8::from(at % 6 == 0))).collect();
        assert_eq!(eigen(identity, 5).values, [1.0; 5]);
        assert_eq!(eigen(vec![0.0; 16], 4).values, [0.0; 4]);
    }
}
