//! The second JPEG decoder (ITU-T T.81): any sampling, any order of scans, Huffman and arithmetic
//! coding, sequential and progressive. Slower than zune-jpeg, but it goes on behind damage and
//! tells how much of the picture is there.

mod arithmetic;
mod colour;
mod huffman;
mod plane;
mod scan;
mod tables;

use self::{
    arithmetic::ArithmeticCoder, colour::Colour, huffman::HuffmanCoder, plane::Planes, scan::Loss,
    tables::Tables,
};
use super::{
    frame::Frame,
    markers::{Part, Walk},
};

/// The next byte of entropy-coded data, behind which a zero stands where it is 0xFF; `None` at a
/// marker or the end.
fn unstuffed(data: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = match **data {
        [0xFF, 0, ref rest @ ..] => (0xFF, rest),
        [byte, ref rest @ ..] if byte != 0xFF => (byte, rest),
        _ => return None,
    };
    *data = rest;
    Some(byte)
}

/// What could be had of a file.
pub(super) struct Decoded {
    /// `[height, width, 3]`, red, green, blue; grey where data is missing.
    pub(super) pixels: Vec<u8>,
    /// Share of the picture that holds data, 0..=1.
    pub(super) share: f32,
    /// What was wrong, if anything was.
    pub(super) reason: Option<String>,
}

/// Decodes as far as the file goes.
///
/// # Errors
/// A coding that is not supported, or no scan that could be begun.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let mut walk = Walk::new(bytes);
    let (mut tables, mut colour) = (Tables::default(), Colour::default());
    let mut picture: Option<Picture> = None;
    let mut failure = None;
    while let Some(part) = walk.part() {
        let step = match part {
            Part::Segment(marker, segment) => {
                colour.take(marker, segment);
                tables.take(marker, segment)
            }
            Part::Scan(header, intervals) => {
                let frame = walk.frame.as_ref().ok_or("no frame before the pixels")?;
                if picture.is_none() {
                    frame.check()?;
                    picture = Some(Picture::new(frame));
                }
                let Some(picture) = picture.as_mut() else { continue };
                picture.scan(&header, &intervals, walk.restart_interval(), &tables)
            }
        };
        if let Err(reason) = step {
            failure = Some(reason);
            break;
        }
    }
    let picture = match (picture, failure.clone()) {
        (Some(picture), _) => picture,
        (None, reason) => return Err(reason.unwrap_or_else(|| "no scan of pixels".to_owned())),
    };
    let share = picture.share();
    if share == 0.0 && failure.is_some() {
        return Err(failure.unwrap_or_default());
    }
    let reason = failure.or(walk.damage).or(picture.reason.clone());
    Ok(Decoded { pixels: picture.into_rgb(&colour)?, share, reason })
}

/// A picture while its scans come in.
struct Picture {
    frame: Frame,
    planes: Planes,
    /// Share of each component's blocks of which the first pass is missing.
    missing: Vec<f32>,
    reason: Option<String>,
}

impl Picture {
    fn new(frame: &Frame) -> Self {
        let missing = vec![1.0; frame.components.len()];
        Self { frame: frame.clone(), planes: Planes::new(frame), missing, reason: None }
    }

    fn scan(
        &mut self,
        header: &super::markers::ScanHeader,
        intervals: &[super::markers::Interval<'_>],
        restart_interval: Option<usize>,
        tables: &Tables,
    ) -> Result<(), String> {
        let components = header.components();
        let again = components.iter().any(|&component| self.missing[component] < 1.0);
        if again && !self.frame.is_progressive() {
            return Err("a component comes twice".to_owned());
        }
        for &component in &components {
            self.planes.set_table(component, tables.quantisation(&self.frame, component)?);
        }
        let scan = scan::Scan { frame: &self.frame, header, intervals, restart_interval };
        let loss = if self.frame.is_arithmetic() {
            scan.decode(&mut ArithmeticCoder::new(header, tables), &mut self.planes)
        } else {
            scan.decode(&mut HuffmanCoder::new(header, tables)?, &mut self.planes)
        };
        let Loss { share, reason } = loss;
        self.reason = self.reason.take().or(reason);
        // A lost refinement only blurs; what the first pass brings is the picture.
        if header.first == 0 && header.high == 0 {
            for component in components {
                self.missing[component] = share;
            }
        }
        Ok(())
    }

    fn share(&self) -> f32 {
        1.0 - self.missing.iter().copied().fold(0.0, f32::max)
    }

    fn into_rgb(self, colour: &Colour) -> Result<Vec<u8>, String> {
        let planes = self.planes.finished();
        colour.rgb(&self.frame, &planes)
    }
}
