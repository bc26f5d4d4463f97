use gemm::Parallelism;

/// Scalar products of all vectors of two lists: the whole work of an exact search. `a` and `b` are
/// `[n, dimensions]` and `[m, dimensions]`; the products, `[m, n]`, are written over `to`. It works on
/// this thread alone.
///
/// # Panics
/// When the lengths do not fit one another.
#[allow(unsafe_code, reason = "gemm takes pointers; lengths are checked beside it")]
pub(super) fn products(a: &[f32], b: &[f32], dimensions: usize, to: &mut [f32]) {
    let whole =
        dimensions > 0 && a.len().is_multiple_of(dimensions) && b.len().is_multiple_of(dimensions);
    assert!(whole, "whole vectors");
    let (rows, columns) = (a.len() / dimensions, b.len() / dimensions);
    assert_eq!(to.len(), rows * columns, "a place for each product");
    let step = |step: usize| isize::try_from(step).expect("a slice is shorter than isize::MAX");
    // SAFETY: rows, columns and steps lead to all places of the three slices and to no others, as the
    // lengths checked above say; `to` is borrowed alone.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            dimensions,
            to.as_mut_ptr(),
            step(rows),
            1,
            false,
            a.as_ptr(),
            1,
            step(dimensions),
            b.as_ptr(),
            step(dimensions),
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_plain_sums_for_any_numbers_of_rows_and_columns() {
        for (rows, columns, dimensions) in
            [(0, 1, 2), (1, 0, 2), (1, 1, 1), (5, 3, 7), (6, 16, 256), (13, 33, 700)]
        {
            let value = |at: usize| ((at * 29) as f32 * 0.37).sin();
            let a: Vec<f32> = (0..rows * dimensions).map(value).collect();
            let b: Vec<f32> = (0..columns * dimensions).map(|at| value(at + 5)).collect();
            let mut found = vec![f32::NAN; rows * columns];
            products(&a, &b, dimensions, &mut found);
            let pairs =
                b.chunks(dimensions).flat_map(|b| a.chunks(dimensions).map(move |a| (a, b)));
            for ((a, b), found) in pairs.zip(found) {
                let wanted: f64 = a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
                let off = (f64::from(found) - wanted).abs();
                assert!(off < 1e-3, "{rows} {columns} {dimensions}: {found} {wanted}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "a place for each product")]
    fn a_place_too_short_is_refused() {
        products(&[1.0; 4], &[1.0; 6], 2, &mut [0.0; 5]);
    }
}
