use gemm::Parallelism;

/// A matrix in borrowed memory, its rows and columns at fixed steps.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a> Matrix<'a> {
    /// Row after row, each beginning `row_step` after the one before.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize, row_step: usize) -> Self {
        assert_fits(values.len(), rows, columns, row_step);
        Self { values, rows, columns, row_step, column_step: 1 }
    }

    /// Rows become columns; nothing moves.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }
}

/// Where a product goes: row after row, `row_step` apart.
pub(crate) struct Target<'a> {
    values: &'a mut [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
}

impl<'a> Target<'a> {
    pub(crate) fn new(values: &'a mut [f32], rows: usize, columns: usize, row_step: usize) -> Self {
        assert_fits(values.len(), rows, columns, row_step);
        Self { values, rows, columns, row_step }
    }

    /// The product of two matrices, put or added (`add`) here. On this thread, or on all of
    /// the pool (`wide`); the result is the same.
    #[allow(unsafe_code, reason = "gemm takes pointers; sizes and steps are checked beside it")]
    pub(crate) fn product(self, a: Matrix<'_>, b: Matrix<'_>, add: bool, wide: bool) {
        assert_eq!((self.rows, self.columns, a.columns), (a.rows, b.columns, b.rows), "shapes fit");
        if self.rows == 0 || self.columns == 0 {
            return;
        }
        let step = |step: usize| isize::try_from(step).expect("a slice is shorter than isize::MAX");
        let parallelism = if wide { Parallelism::Rayon(0) } else { Parallelism::None };
        // SAFETY: every place that rows, columns and steps lead to lies within its slice, as
        // `assert_fits` found when the matrices were made; the target is borrowed alone.
        unsafe {
            gemm::gemm(
                self.rows,
                self.columns,
                a.columns,
                self.values.as_mut_ptr(),
                1,
                step(self.row_step),
                add,
                a.values.as_ptr(),
                step(a.column_step),
                step(a.row_step),
                b.values.as_ptr(),
                step(b.column_step),
                step(b.row_step),
                1.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

fn assert_fits(length: usize, rows: usize, columns: usize, row_step: usize) {
    let last = if rows == 0 || columns == 0 { 0 } else { (rows - 1) * row_step + columns };
    assert!(columns <= row_step || rows < 2, "rows do not overlap");
    assert!(last <= length, "a matrix lies within its memory");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_take_steps_transposes_and_sums() {
        let a = [1.0, 2.0, 9.0, 3.0, 4.0, 9.0];
        let b = [5.0, 6.0, 7.0, 8.0];
        let mut c = [1.0; 5];
        let left = Matrix::new(&a, 2, 2, 3);
        let right = Matrix::new(&b, 2, 2, 2);
        Target::new(&mut c, 2, 2, 3).product(left, right, false, false);
        assert_eq!(c, [19.0, 22.0, 1.0, 43.0, 50.0]);
        Target::new(&mut c, 2, 2, 3).product(left.transposed(), right, true, true);
        assert_eq!(c, [19.0 + 26.0, 22.0 + 30.0, 1.0, 43.0 + 38.0, 50.0 + 44.0]);
    }
}
