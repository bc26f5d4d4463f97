//! Products of vectors, all of one list with all of another: the whole work of an exact search.

/// Columns of a panel: vectors of the one list that are worked on together.
const PANEL: usize = 16;
/// Rows of the other list that are worked on together.
const ROWS: usize = 6;
/// Values of each vector that are worked on at once, so that a panel stays in the nearest cache.
const DEPTH: usize = 256;

/// Vectors laid out for [`Panels::products`]: panels of [`PANEL`] vectors, value by value.
pub(super) struct Panels {
    dimensions: usize,
    count: usize,
    /// `[panels, dimensions, PANEL]`
    values: Vec<f32>,
}

impl Panels {
    /// Of vectors `[count, dimensions]`.
    pub(super) fn new<'a>(
        vectors: impl ExactSizeIterator<Item = &'a [f32]>,
        dimensions: usize,
    ) -> Self {
        let count = vectors.len();
        let panels = count.div_ceil(PANEL);
        let mut values = vec![0.0; panels * dimensions * PANEL];
        for (at, vector) in vectors.enumerate() {
            let panel = &mut values[at / PANEL * dimensions * PANEL..][..dimensions * PANEL];
            let places = panel.iter_mut().skip(at % PANEL).step_by(PANEL);
            places.zip(vector).for_each(|(place, value)| *place = *value);
        }
        Self { dimensions, count, values }
    }

    /// Vectors.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Columns of the products: the vectors, rounded up to whole panels.
    pub(super) fn width(&self) -> usize {
        self.count.next_multiple_of(PANEL)
    }

    /// `rows` is `[n, dimensions]`; the products `[n, width]` are written over `products`.
    pub(super) fn products(&self, rows: &[f32], products: &mut [f32]) {
        products.fill(0.0);
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
        {
            #[allow(
                unsafe_code,
                reason = "the processor was asked for the instructions just now"
            )]
            // SAFETY: see the reason.
            return unsafe { self.products_fma(rows, products) };
        }
        self.work(rows, products, |a, b, c| a * b + c);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma")]
    fn products_fma(&self, rows: &[f32], products: &mut [f32]) {
        // A closure, since the plain function would be called without these instructions.
        self.work(rows, products, |a, b, c| a.mul_add(b, c));
    }

    #[inline(always)]
    fn work(&self, rows: &[f32], products: &mut [f32], add: impl Fn(f32, f32, f32) -> f32 + Copy) {
        let (dimensions, width) = (self.dimensions, self.width());
        let count = rows.len() / dimensions;
        for from in (0..dimensions).step_by(DEPTH) {
            let depth = DEPTH.min(dimensions - from);
            for (at, panel) in self.values.chunks_exact(dimensions * PANEL).enumerate() {
                let panel = &panel[from * PANEL..][..depth * PANEL];
                let mut row = 0;
                while row + ROWS <= count {
                    let lines: [&[f32]; ROWS] = std::array::from_fn(|line| {
                        &rows[(row + line) * dimensions + from..][..depth]
                    });
                    let sums = tile(lines, panel, add);
                    put(&sums, &mut products[row * width..], width, at);
                    row += ROWS;
                }
                while row < count {
                    let line = &rows[row * dimensions + from..][..depth];
                    let sums = tile([line], panel, add);
                    put(&sums, &mut products[row * width..], width, at);
                    row += 1;
                }
            }
        }
    }
}

/// Products of some rows with one panel, all held in registers: plain loops of constant length are
/// what the compiler unrolls. With iterators in their place this is ten times as slow.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "see above")]
fn tile<const N: usize>(
    lines: [&[f32]; N],
    panel: &[f32],
    add: impl Fn(f32, f32, f32) -> f32,
) -> [[f32; PANEL]; N] {
    let mut sums = [[0.0f32; PANEL]; N];
    let columns = panel.as_chunks::<PANEL>().0;
    // The same length for all, so that no bound is checked in the loop.
    let lines = lines.map(|line| &line[..columns.len()]);
    for at in 0..columns.len() {
        let column = columns[at];
        for row in 0..N {
            let value = lines[row][at];
            for place in 0..PANEL {
                sums[row][place] = add(value, column[place], sums[row][place]);
            }
        }
    }
    sums
}

#[inline(always)]
fn put(sums: &[[f32; PANEL]], products: &mut [f32], width: usize, panel: usize) {
    for (line, sums) in sums.iter().enumerate() {
        let to = &mut products[line * width + panel * PANEL..][..PANEL];
        to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_plain_sums_for_any_numbers_of_rows_and_columns() {
        for (rows, columns, dimensions) in [(1, 1, 1), (5, 3, 7), (6, 16, 256), (13, 33, 700)] {
            let value = |at: usize| ((at * 29) as f32 * 0.37).sin();
            let a: Vec<f32> = (0..rows * dimensions).map(value).collect();
            let b: Vec<f32> = (0..columns * dimensions).map(|at| value(at + 5)).collect();
            let panels = Panels::new(b.chunks(dimensions), dimensions);
            assert_eq!(panels.len(), columns);
            let mut products = vec![f32::NAN; rows * panels.width()];
            panels.products(&a, &mut products);
            for row in 0..rows {
                for column in 0..columns {
                    let pairs = a[row * dimensions..][..dimensions]
                        .iter()
                        .zip(&b[column * dimensions..][..dimensions]);
                    let wanted: f64 = pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
                    let found = f64::from(products[row * panels.width() + column]);
                    assert!((found - wanted).abs() < 1e-3, "{rows} {columns}: {found} {wanted}");
                }
            }
        }
    }
}
