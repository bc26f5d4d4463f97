//! Samples of one byte, out of what a strip or tile holds.

use super::layout::{Kind, Layout};

/// Undoes the predictor and makes every sample a byte: whole numbers are scaled to 0..=255,
/// those of palettes stay, floats are taken as 0..=1. `[rows, width, together]`.
pub(super) fn unpack(
    layout: &Layout,
    mut content: Vec<u8>,
    together: usize,
    rows: usize,
) -> Vec<u8> {
    let width = layout.piece[0] * together;
    let row_bytes = content.len() / rows.max(1);
    match layout.bits {
        8 => {
            if layout.predictor == 2 {
                for row in content.chunks_exact_mut(row_bytes) {
                    for at in together..row.len() {
                        row[at] = row[at].wrapping_add(row[at - together]);
                    }
                }
            }
            content
        }
        16 => {
            let read = |pair: &[u8; 2]| match layout.is_little {
                true => u16::from_le_bytes(*pair),
                false => u16::from_be_bytes(*pair),
            };
            let mut samples = Vec::with_capacity(width * rows);
            for row in content.chunks_exact(row_bytes) {
                let mut values: Vec<u16> = row.as_chunks::<2>().0.iter().map(read).collect();
                if layout.predictor == 2 {
                    for at in together..values.len() {
                        values[at] = values[at].wrapping_add(values[at - together]);
                    }
                }
                samples.extend(values.iter().map(|&value| ((u32::from(value) + 128) / 257) as u8));
            }
            samples
        }
        32 => {
            let mut samples = Vec::with_capacity(width * rows);
            for row in content.chunks_exact_mut(row_bytes) {
                samples.extend(words(layout, row, together));
            }
            samples
        }
        bits => {
            let mut samples = Vec::with_capacity(width * rows);
            let most = (1 << bits) - 1;
            // 255 is divisible by the greatest value of one, two and four bits.
            let scale = if layout.photometric == 3 { 1 } else { 255 / most };
            for row in content.chunks_exact(row_bytes) {
                let value = |at: usize| {
                    let bit = at * bits;
                    (row[bit / 8] >> (8 - bits - bit % 8)) & most
                };
                samples.extend((0..width).map(|at| value(at) * scale));
            }
            samples
        }
    }
}

/// A row of samples of 32 bits.
fn words(layout: &Layout, row: &mut [u8], together: usize) -> Vec<u8> {
    if layout.predictor == 3 {
        return float_differences(row, together).into_iter().map(of_float).collect();
    }
    let read = |word: &[u8; 4]| match layout.is_little {
        true => u32::from_le_bytes(*word),
        false => u32::from_be_bytes(*word),
    };
    let mut values: Vec<u32> = row.as_chunks::<4>().0.iter().map(read).collect();
    if layout.predictor == 2 {
        for at in together..values.len() {
            values[at] = values[at].wrapping_add(values[at - together]);
        }
    }
    match layout.kind {
        Kind::Float => values.into_iter().map(|value| of_float(f32::from_bits(value))).collect(),
        Kind::Whole => values.into_iter().map(|value| (value >> 24) as u8).collect(),
    }
}

/// Undoes the floating-point predictor (Adobe's TIFF Technical Note 3): the row's bytes are
/// differences, and lie by significance, the sign and exponent of all samples first.
fn float_differences(row: &mut [u8], together: usize) -> Vec<f32> {
    for at in together..row.len() {
        row[at] = row[at].wrapping_add(row[at - together]);
    }
    let count = row.len() / 4;
    let float = |at: usize| {
        f32::from_be_bytes([row[at], row[count + at], row[2 * count + at], row[3 * count + at]])
    };
    (0..count).map(float).collect()
}

fn of_float(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}
