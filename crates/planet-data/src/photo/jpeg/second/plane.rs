//! Coefficients and samples of the components.

use super::super::frame::Frame;

/// Samples of one component, padded to whole MCUs.
pub(super) struct Plane {
    pub(super) samples: Vec<u8>,
    pub(super) stride: usize,
}

/// All components while scans come in. A sequential file's blocks are complete when they come and
/// become samples at once; a progressive file's coefficients are kept until the end.
pub(super) struct Planes {
    components: Vec<Blocks>,
}

struct Blocks {
    /// Blocks in a row.
    columns: usize,
    table: [u16; 64],
    content: Content,
}

enum Content {
    Samples(Vec<u8>),
    Coefficients(Vec<[i16; 64]>),
}

impl Planes {
    /// Nothing decoded yet: middle grey.
    pub(super) fn new(frame: &Frame) -> Self {
        let [columns, rows] = frame.mcus();
        let blocks = |component: &super::super::frame::Component| {
            let (columns, rows) = (columns * component.h, rows * component.v);
            let content = if frame.is_progressive() {
                Content::Coefficients(vec![[0; 64]; columns * rows])
            } else {
                Content::Samples(vec![128; 64 * columns * rows])
            };
            Blocks { columns, table: [0; 64], content }
        };
        Self { components: frame.components.iter().map(blocks).collect() }
    }

    /// Sets the table by which a component's coefficients are multiplied.
    pub(super) fn set_table(&mut self, component: usize, table: [u16; 64]) {
        self.components[component].table = table;
    }

    /// Lets a block be decoded or refined.
    pub(super) fn update(
        &mut self,
        component: usize,
        [x, y]: [usize; 2],
        decode: impl FnOnce(&mut [i16; 64]) -> Option<()>,
    ) -> Option<()> {
        let blocks = &mut self.components[component];
        match &mut blocks.content {
            Content::Coefficients(all) => decode(all.get_mut(y * blocks.columns + x)?),
            Content::Samples(samples) => {
                let mut block = [0; 64];
                decode(&mut block)?;
                let pixels = inverse(&block, &blocks.table);
                put(samples, 8 * blocks.columns, [x, y], &pixels);
                Some(())
            }
        }
    }

    /// The samples of all components.
    pub(super) fn finished(self) -> Vec<Plane> {
        let finish = |blocks: Blocks| {
            let stride = 8 * blocks.columns;
            let samples = match blocks.content {
                Content::Samples(samples) => samples,
                Content::Coefficients(all) => {
                    let mut samples = vec![0; 64 * all.len()];
                    for (at, block) in all.iter().enumerate() {
                        let pixels = inverse(block, &blocks.table);
                        put(
                            &mut samples,
                            stride,
                            [at % blocks.columns, at / blocks.columns],
                            &pixels,
                        );
                    }
                    samples
                }
            };
            Plane { samples, stride }
        };
        self.components.into_iter().map(finish).collect()
    }
}

fn put(samples: &mut [u8], stride: usize, [x, y]: [usize; 2], pixels: &[u8; 64]) {
    for (row, pixels) in pixels.as_chunks::<8>().0.iter().enumerate() {
        let at = (8 * y + row) * stride + 8 * x;
        samples[at..at + 8].copy_from_slice(pixels);
    }
}

/// Bits behind the point of the factors below.
const FACTOR_BITS: u32 = 13;

/// Bits that values between the two passes have behind the point.
const PASS_BITS: u32 = 2;

/// A factor of the transform as a whole number.
const fn factor(value: f64) -> i64 {
    (value * (1 << FACTOR_BITS) as f64 + 0.5) as i64
}

/// The inverse cosine transform (T.81, A.3.3), first along the columns, then along the rows, in
/// whole numbers: the factorisation of Loeffler, Ligtenberg and Moschytz (1989) with the precision
/// and the rounding of libjpeg's accurate transform, so that pixels are equal to libjpeg's.
fn inverse(block: &[i16; 64], table: &[u16; 64]) -> [u8; 64] {
    let mut values: [i64; 64] =
        std::array::from_fn(|at| i64::from(block[at]) * i64::from(table[at]));
    for column in 0..8 {
        let line = std::array::from_fn(|row| values[8 * row + column]);
        for (row, value) in transformed(line, FACTOR_BITS - PASS_BITS).into_iter().enumerate() {
            values[8 * row + column] = value;
        }
    }
    let mut pixels = [0; 64];
    for (line, pixels) in values.as_chunks::<8>().0.iter().zip(pixels.as_chunks_mut::<8>().0) {
        // Three bits more: both passes together are eight times too large.
        let line = transformed(*line, FACTOR_BITS + PASS_BITS + 3);
        // Undoes the level shift.
        *pixels = line.map(|value| (value + 128).clamp(0, 255) as u8);
    }
    pixels
}

/// The transform of eight values, with so many bits taken off and rounded.
fn transformed(values: [i64; 8], bits: u32) -> [i64; 8] {
    let [a0, a1, a2, a3, a4, a5, a6, a7] = values;
    let turned = (a2 + a6) * factor(0.541196100);
    let (low, high) = (turned + a2 * factor(0.765366865), turned - a6 * factor(1.847759065));
    let (sum, difference) = ((a0 + a4) << FACTOR_BITS, (a0 - a4) << FACTOR_BITS);
    let even = [sum + low, difference + high, difference - high, sum - low];

    let shared = (a7 + a3 + a5 + a1) * factor(1.175875602);
    let outer = -(a7 + a1) * factor(0.899976223);
    let inner = -(a5 + a3) * factor(2.562915447);
    let three = shared - (a7 + a3) * factor(1.961570560);
    let one = shared - (a5 + a1) * factor(0.390180644);
    let odd = [
        a1 * factor(1.501321110) + outer + one,
        a3 * factor(3.072711026) + inner + three,
        a5 * factor(2.053119869) + inner + one,
        a7 * factor(0.298631336) + outer + three,
    ];
    let round = |value: i64| (value + (1 << (bits - 1))) >> bits;
    std::array::from_fn(|at| match at {
        0..4 => round(even[at] + odd[at]),
        _ => round(even[7 - at] - odd[7 - at]),
    })
}
