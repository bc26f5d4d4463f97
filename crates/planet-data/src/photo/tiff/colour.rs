//! From a TIFF's samples to red, green and blue.

use std::io::{Read, Seek};

use super::layout::{Kind, Layout, Tags};

/// What the samples of a pixel are.
enum Base {
    Grey { is_inverted: bool },
    Rgb,
    Palette(Vec<[u8; 3]>),
    Inks,
    YCbCr(YCbCr),
}

/// What the tags say of colours and transparency.
pub(super) struct Colour {
    base: Base,
    /// The sample that is the alpha, and whether colours are multiplied by it already.
    alpha: Option<(usize, bool)>,
}

impl Colour {
    pub(super) fn read<R: Read + Seek>(
        tags: &mut Tags<'_, R>,
        layout: &Layout,
    ) -> Result<Self, String> {
        let (base, needed) = match layout.photometric {
            0 | 1 => (Base::Grey { is_inverted: layout.photometric == 0 }, 1),
            2 => (Base::Rgb, 3),
            3 => (Base::Palette(palette(tags, layout)?), 1),
            5 => match tags.number(332)?.unwrap_or(1) {
                1 => (Base::Inks, 4),
                inks => return Err(format!("ink set {inks} is not supported")),
            },
            6 => (Base::YCbCr(YCbCr::read(tags, layout)?), 3),
            other => return Err(format!("{} is not supported", name(other))),
        };
        if layout.samples < needed {
            let samples = layout.samples;
            return Err(format!("{samples} samples per pixel are too few for its colours"));
        }
        if layout.kind == Kind::Float && !matches!(base, Base::Grey { .. } | Base::Rgb) {
            return Err("floats of these colours are not supported".to_owned());
        }
        let extra = tags.numbers(338)?;
        let of = |(at, &kind): (usize, &u64)| match kind {
            1 => Some((needed + at, true)),
            2 => Some((needed + at, false)),
            _ => None,
        };
        let alpha = extra.iter().enumerate().find_map(of).filter(|(at, _)| *at < layout.samples);
        Ok(Self { base, alpha })
    }

    /// Whether black is the greatest value.
    pub(super) fn is_inverted(&self) -> bool {
        matches!(self.base, Base::Grey { is_inverted: true })
    }

    /// How many columns and rows share a colour, where they lie in blocks.
    pub(super) fn subsampling(&self, layout: &Layout) -> Option<[usize; 2]> {
        (!layout.is_planar && layout.subsampling != [1, 1]).then_some(layout.subsampling)
    }

    /// Pixels of so many samples as RGB, transparent parts over white.
    pub(super) fn rgb(&self, samples: &[u8], together: usize) -> Vec<u8> {
        let mut rgb = Vec::with_capacity(samples.len() / together * 3);
        for pixel in samples.chunks_exact(together) {
            let colour = match &self.base {
                Base::Grey { is_inverted } => {
                    [if *is_inverted { 255 - pixel[0] } else { pixel[0] }; 3]
                }
                Base::Rgb => [pixel[0], pixel[1], pixel[2]],
                Base::Palette(colours) => {
                    colours.get(usize::from(pixel[0])).copied().unwrap_or_default()
                }
                Base::Inks => [0, 1, 2].map(|at| light(pixel[at], pixel[3])),
                Base::YCbCr(ycbcr) => ycbcr.rgb([pixel[0], pixel[1], pixel[2]]),
            };
            rgb.extend(match self.alpha {
                Some((at, is_multiplied)) => colour.map(|c| on_white(c, pixel[at], is_multiplied)),
                None => colour,
            });
        }
        rgb
    }

    /// Blocks of `h` x `v` brightnesses that share two colours (TIFF 6.0, section 21).
    pub(super) fn subsampled(
        &self,
        content: &[u8],
        width: usize,
        rows: usize,
        h: usize,
        v: usize,
    ) -> Result<Vec<u8>, String> {
        let Base::YCbCr(ycbcr) = &self.base else {
            return Err("colours that are not shared".to_owned());
        };
        let mut rgb = vec![0; 3 * width * rows];
        let across = width.div_ceil(h);
        for (at, block) in content.chunks_exact(h * v + 2).enumerate() {
            let (left, top) = (at % across * h, at / across * v);
            for (within, &brightness) in block[..h * v].iter().enumerate() {
                let (x, y) = (left + within % h, top + within / h);
                if x < width && y < rows {
                    let colour = ycbcr.rgb([brightness, block[h * v], block[h * v + 1]]);
                    rgb[3 * (y * width + x)..][..3].copy_from_slice(&colour);
                }
            }
        }
        Ok(rgb)
    }
}

fn name(photometric: u64) -> String {
    match photometric {
        4 => "a transparency mask".to_owned(),
        8..=10 => "the colour space L*a*b*".to_owned(),
        32803 => "raw sensor data (colour filter array)".to_owned(),
        32844 | 32845 => "the colour space LogLuv".to_owned(),
        34892 => "raw sensor data (linear)".to_owned(),
        other => format!("photometric interpretation {other}"),
    }
}

/// The colours of a palette; some programs write bytes where 16 bits are meant.
fn palette<R: Read + Seek>(
    tags: &mut Tags<'_, R>,
    layout: &Layout,
) -> Result<Vec<[u8; 3]>, String> {
    if layout.bits > 8 {
        return Err(format!("palettes of {} bits are not supported", layout.bits));
    }
    let (map, size) = (tags.numbers(320)?, 1 << layout.bits);
    if map.len() < 3 * size {
        return Err("the palette is missing or too short".to_owned());
    }
    let shift = if map.iter().any(|&value| value > 255) { 8 } else { 0 };
    Ok((0..size).map(|at| [0, 1, 2].map(|plane| (map[plane * size + at] >> shift) as u8)).collect())
}

/// What an ink and black leave of the light.
fn light(ink: u8, black: u8) -> u8 {
    ((u32::from(255 - ink) * u32::from(255 - black) + 127) / 255) as u8
}

fn on_white(colour: u8, alpha: u8, is_multiplied: bool) -> u8 {
    let (colour, alpha) = (u32::from(colour), u32::from(alpha));
    match is_multiplied {
        true => (colour + 255 - alpha).min(255) as u8,
        false => ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8,
    }
}

/// YCbCr with the coefficients and the range that the file states (TIFF 6.0, section 21).
struct YCbCr {
    /// Shares of red, green and blue in the brightness.
    luma: [f64; 3],
    /// Black and white of the brightness, then nothing and full of both colours.
    range: [f64; 6],
}

impl YCbCr {
    fn read<R: Read + Seek>(tags: &mut Tags<'_, R>, layout: &Layout) -> Result<Self, String> {
        if layout.bits != 8 {
            return Err(format!("YCbCr of {} bits is not supported", layout.bits));
        }
        if layout.is_planar && layout.subsampling != [1, 1] {
            return Err("subsampled YCbCr in planes is not supported".to_owned());
        }
        let usual = |values: Vec<f64>, usual: &[f64]| match values.len() == usual.len() {
            true => values,
            false => usual.to_vec(),
        };
        let luma = usual(tags.fractions(529)?, &[0.299, 0.587, 0.114]);
        let range = usual(tags.fractions(532)?, &[0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        let is_sound = luma.iter().all(|share| *share > 0.0 && *share < 1.0)
            && range.chunks_exact(2).all(|pair| pair[1] > pair[0]);
        match (luma[..].try_into(), range[..].try_into()) {
            (Ok(luma), Ok(range)) if is_sound => Ok(Self { luma, range }),
            _ => Err("invalid YCbCr coefficients".to_owned()),
        }
    }

    fn rgb(&self, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let [red, green, blue] = self.luma;
        let full = |value: u8, at: usize, full: f64| {
            (f64::from(value) - self.range[at]) * full / (self.range[at + 1] - self.range[at])
        };
        let (y, cb, cr) = (full(y, 0, 255.0), full(cb, 2, 127.0), full(cr, 4, 127.0));
        let (r, b) = (y + cr * (2.0 - 2.0 * red), y + cb * (2.0 - 2.0 * blue));
        let g = (y - blue * b - red * r) / green;
        [r, g, b].map(|value| value.round().clamp(0.0, 255.0) as u8)
    }
}
