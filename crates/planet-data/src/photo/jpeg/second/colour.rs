//! From samples to red, green and blue: small planes are enlarged, colours changed.

use super::{
    super::frame::{Component, Frame},
    plane::Plane,
};

/// What the markers say of the colours.
#[derive(Default)]
pub(super) struct Colour {
    is_jfif: bool,
    /// Adobe's transform: 0 none, 1 YCbCr, 2 YCCK.
    adobe: Option<u8>,
}

impl Colour {
    /// Takes what a segment says.
    pub(super) fn take(&mut self, marker: u8, segment: &[u8]) {
        match marker {
            0xE0 if segment.starts_with(b"JFIF\0") => self.is_jfif = true,
            0xEE if segment.starts_with(b"Adobe") => self.adobe = segment.get(11).copied(),
            _ => {}
        }
    }

    /// `[height, width, 3]` bytes.
    pub(super) fn rgb(&self, frame: &Frame, planes: &[Plane]) -> Result<Vec<u8>, String> {
        let (width, height) = (frame.width, frame.height);
        let mut rgb = vec![0; 3 * width * height];
        let mut lines: Vec<_> = planes.iter().map(|_| vec![0_u8; width]).collect();
        let mut sums = Vec::new();
        let convert = self.conversion(frame);
        for (y, out) in rgb.chunks_exact_mut(3 * width).enumerate() {
            for ((plane, component), line) in planes.iter().zip(&frame.components).zip(&mut lines) {
                enlarge(frame, component, plane, y, &mut sums, line);
            }
            let (out, _) = out.as_chunks_mut::<3>();
            match &lines[..] {
                [grey] => out.iter_mut().zip(grey).for_each(|(out, &grey)| *out = [grey; 3]),
                [a, b, c] => {
                    for (((out, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
                        *out = convert([a, b, c, 0]);
                    }
                }
                [a, b, c, d] => {
                    let lines = a.iter().zip(b).zip(c).zip(d);
                    for (out, (((&a, &b), &c), &d)) in out.iter_mut().zip(lines) {
                        *out = convert([a, b, c, d]);
                    }
                }
                _ => return Err("components that do not form a colour space".to_owned()),
            }
        }
        Ok(rgb)
    }

    /// How colours are told, as libjpeg tells them: JFIF, then Adobe's word, then the names of
    /// the components.
    fn conversion(&self, frame: &Frame) -> fn([u8; 4]) -> [u8; 3] {
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        if ids.len() == 4 {
            return match self.adobe {
                Some(2) => |[y, cb, cr, k]| multiply(ycbcr([y, cb, cr]).map(|ink| 255 - ink), k),
                // Adobe's programs store inks inverted.
                Some(_) => |[c, m, y, k]| multiply([c, m, y], k),
                None => |[c, m, y, k]| multiply([255 - c, 255 - m, 255 - y], 255 - k),
            };
        }
        let is_rgb = match (self.is_jfif, self.adobe) {
            (true, _) => false,
            (false, Some(transform)) => transform == 0,
            (false, None) => ids == *b"RGB",
        };
        if is_rgb { |[r, g, b, _]| [r, g, b] } else { |[y, cb, cr, _]| ycbcr([y, cb, cr]) }
    }
}

/// Inks, as what they leave of the light, times what black leaves.
fn multiply(light: [u8; 3], black: u8) -> [u8; 3] {
    light.map(|light| ((u32::from(light) * u32::from(black) + 127) / 255) as u8)
}

/// ITU-R BT.601 at full range, in 65,536ths (JFIF 1.02).
fn ycbcr([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let byte = |value: i32| ((value + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [byte(y + 91_881 * cr), byte(y - 22_554 * cb - 46_802 * cr), byte(y + 116_130 * cb)]
}

/// One row of a component at the picture's width. Factors of two are interpolated, three parts
/// of the nearer sample to one of the other, with libjpeg's rounding; other factors repeat samples.
fn enlarge(
    frame: &Frame,
    component: &Component,
    plane: &Plane,
    y: usize,
    sums: &mut Vec<u16>,
    line: &mut [u8],
) {
    let [columns, rows] = frame.samples(component);
    let row = |y: usize| &plane.samples[y * plane.stride..][..columns];
    sums.clear();
    let (h, h_max, v, v_max) = (component.h, frame.h_max(), component.v, frame.v_max());
    if (h, v) == (h_max, v_max) {
        line.copy_from_slice(row(y));
        return;
    }
    let (tall, wide) = (2 * v == v_max, 2 * h == h_max);
    if tall {
        let other =
            if y.is_multiple_of(2) { (y / 2).saturating_sub(1) } else { (y / 2 + 1).min(rows - 1) };
        let pairs = row(y / 2).iter().zip(row(other));
        sums.extend(pairs.map(|(&near, &far)| 3 * u16::from(near) + u16::from(far)));
    } else {
        sums.extend(row(y * v / v_max).iter().map(|&sample| u16::from(sample)));
    }
    // Halves are rounded up at one place and down at the next, so that nothing becomes brighter.
    for (x, out) in line.iter_mut().enumerate() {
        *out = match (wide, tall) {
            (true, _) => {
                let near = x / 2;
                let far = match x % 2 {
                    0 => near.saturating_sub(1),
                    _ => (near + 1).min(columns - 1),
                };
                let sum = 3 * sums[near] + sums[far];
                match (tall, x % 2) {
                    (true, 0) => (sum + 8) >> 4,
                    (true, _) => (sum + 7) >> 4,
                    (false, 0) => (sum + 1) >> 2,
                    (false, _) => (sum + 2) >> 2,
                }
            }
            (false, true) => (sums[x * h / h_max] + if y.is_multiple_of(2) { 1 } else { 2 }) >> 2,
            (false, false) => sums[x * h / h_max],
        } as u8;
    }
}
