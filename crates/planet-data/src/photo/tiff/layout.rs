//! How a TIFF's pixels lie in the file.

use std::io::{Read, Seek};

use super::{
    compression,
    directory::{Directory, TiffFile},
};

/// Most values that a tag of the layout may have: a gigapixel has as many tiles of 32 x 32.
const MOST_VALUES: u64 = 1 << 20;

/// Kinds of numbers that samples are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Float,
}

/// Where the pixels are and how they are stored.
pub(super) struct Layout {
    pub(super) is_little: bool,
    pub(super) width: usize,
    pub(super) height: usize,
    /// Width and height of a strip or tile.
    pub(super) piece: [usize; 2],
    is_tiled: bool,
    /// Offset and length of every piece; where planar, plane after plane.
    pub(super) places: Vec<(u64, u64)>,
    pub(super) compression: u64,
    /// Tables that every JPEG piece shares.
    pub(super) jpeg_tables: Vec<u8>,
    /// Samples of a pixel.
    pub(super) samples: usize,
    pub(super) bits: usize,
    pub(super) kind: Kind,
    /// 1 none, 2 differences, 3 differences of floats.
    pub(super) predictor: u64,
    /// Every component in a plane of its own.
    pub(super) is_planar: bool,
    /// Bits of a byte begin with the lowest.
    pub(super) is_reversed: bool,
    /// Width and height that colours are shared by, in YCbCr.
    pub(super) subsampling: [usize; 2],
    pub(super) photometric: u64,
}

/// A directory that is asked for values.
pub(super) struct Tags<'a, R> {
    pub(super) file: &'a mut TiffFile<R>,
    pub(super) directory: &'a Directory,
}

impl<R: Read + Seek> Tags<'_, R> {
    /// The numbers of a tag; empty where it is absent.
    pub(super) fn numbers(&mut self, tag: u16) -> Result<Vec<u64>, String> {
        let Some(entry) = self.directory.get(&tag) else { return Ok(Vec::new()) };
        if entry.count > MOST_VALUES {
            return Err(format!("{} values of tag {tag} are too many", entry.count));
        }
        self.file.numbers(entry).map_err(|error| format!("tag {tag}: {error}"))
    }

    pub(super) fn fractions(&mut self, tag: u16) -> Result<Vec<f64>, String> {
        let Some(entry) = self.directory.get(&tag) else { return Ok(Vec::new()) };
        self.file.fractions(entry).map_err(|error| format!("tag {tag}: {error}"))
    }

    /// The first number of a tag.
    pub(super) fn number(&mut self, tag: u16) -> Result<Option<u64>, String> {
        Ok(self.numbers(tag)?.first().copied())
    }

    fn side(&mut self, tag: u16) -> Result<Option<usize>, String> {
        match self.number(tag)? {
            Some(0) => Err(format!("tag {tag} is zero")),
            Some(side) if side > u64::from(u32::MAX) => Err(format!("tag {tag} is {side}")),
            side => Ok(side.map(|side| side as usize)),
        }
    }

    fn bytes(&mut self, tag: u16) -> Result<Vec<u8>, String> {
        let Some(entry) = self.directory.get(&tag) else { return Ok(Vec::new()) };
        self.file.value(entry).map_err(|error| format!("tag {tag}: {error}"))
    }

    /// The one value that all samples share.
    fn shared(&mut self, tag: u16, usual: u64, what: &str) -> Result<u64, String> {
        let numbers = self.numbers(tag)?;
        let first = numbers.first().copied().unwrap_or(usual);
        match numbers.iter().all(|&number| number == first) {
            true => Ok(first),
            false => Err(format!("samples of different {what} ({numbers:?}) are not supported")),
        }
    }
}

impl Layout {
    pub(super) fn read<R: Read + Seek>(tags: &mut Tags<'_, R>) -> Result<Self, String> {
        let width = tags.side(256)?.ok_or("no width")?;
        let height = tags.side(257)?.ok_or("no height")?;
        let is_tiled = tags.directory.contains_key(&322);
        let piece = if is_tiled {
            [tags.side(322)?.ok_or("no tile width")?, tags.side(323)?.ok_or("no tile height")?]
        } else {
            [width, tags.side(278)?.unwrap_or(height).min(height)]
        };
        let bits = tags.shared(258, 1, "numbers of bits")?;
        let format = tags.shared(339, 1, "kinds")?;
        let kind = match (format, bits) {
            (1 | 4, 1 | 2 | 4 | 8 | 16 | 32) => Kind::Whole,
            (3, 32) => Kind::Float,
            (1 | 4, _) => return Err(format!("samples of {bits} bits are not supported")),
            (2, _) => return Err("signed samples are not supported".to_owned()),
            (3, _) => return Err(format!("floats of {bits} bits are not supported")),
            _ => return Err(format!("samples of format {format} are not supported")),
        };
        let samples = tags.number(277)?.unwrap_or(1);
        if !(1..=64).contains(&samples) {
            return Err(format!("{samples} samples per pixel are not supported"));
        }
        let mut layout = Self {
            is_little: tags.file.is_little(),
            width,
            height,
            piece,
            is_tiled,
            places: Vec::new(),
            compression: tags.number(259)?.unwrap_or(1),
            jpeg_tables: tags.bytes(347)?,
            samples: samples as usize,
            bits: bits as usize,
            kind,
            predictor: tags.number(317)?.unwrap_or(1),
            is_planar: tags.number(284)? == Some(2) && samples > 1,
            is_reversed: tags.number(266)? == Some(2),
            subsampling: [1, 1],
            photometric: tags.number(262)?.ok_or("no photometric interpretation")?,
        };
        if layout.photometric == 6 {
            layout.subsampling = match tags.numbers(530)?[..] {
                [] => [2, 2],
                [h @ (1 | 2 | 4), v @ (1 | 2 | 4)] => [h as usize, v as usize],
                _ => return Err("an invalid YCbCr subsampling".to_owned()),
            };
        }
        compression::check(&layout)?;
        layout.check_predictor()?;
        layout.places = layout.find_pieces(tags)?;
        Ok(layout)
    }

    fn check_predictor(&self) -> Result<(), String> {
        match (self.predictor, self.kind) {
            (1, _) => Ok(()),
            (2, Kind::Whole) if self.bits >= 8 && self.photometric != 6 => Ok(()),
            (3, Kind::Float) => Ok(()),
            (predictor, _) => {
                let bits = self.bits;
                Err(format!("predictor {predictor} of samples of {bits} bits is not supported"))
            }
        }
    }

    fn find_pieces<R: Read + Seek>(
        &self,
        tags: &mut Tags<'_, R>,
    ) -> Result<Vec<(u64, u64)>, String> {
        let (offsets, lengths) = match self.is_tiled {
            true => (tags.numbers(324)?, tags.numbers(325)?),
            false => (tags.numbers(273)?, tags.numbers(279)?),
        };
        let [across, down] = self.pieces();
        let planes = if self.is_planar { self.samples } else { 1 };
        let needed = across.checked_mul(down).and_then(|pieces| pieces.checked_mul(planes));
        if needed.is_none_or(|needed| offsets.len() < needed) {
            return Err("offsets of strips or tiles are missing".to_owned());
        }
        if lengths.len() >= offsets.len() {
            return Ok(offsets.into_iter().zip(lengths).collect());
        }
        if self.compression != compression::NONE {
            return Err("lengths of strips or tiles are missing".to_owned());
        }
        let length = self.row_bytes(self.piece[1]) as u64;
        Ok(offsets.into_iter().map(|offset| (offset, length)).collect())
    }

    /// Columns and rows of strips or tiles.
    pub(super) fn pieces(&self) -> [usize; 2] {
        [self.width.div_ceil(self.piece[0]), self.height.div_ceil(self.piece[1])]
    }

    /// Rows that the piece which begins at row `y` stores: tiles are whole, the last strip ends
    /// with the picture.
    pub(super) fn rows_of_piece(&self, y: usize) -> usize {
        if self.is_tiled { self.piece[1] } else { self.piece[1].min(self.height - y) }
    }

    /// Samples side by side in a row of a pixel: all, or one in planes.
    pub(super) fn samples_together(&self) -> usize {
        if self.is_planar { 1 } else { self.samples }
    }

    /// Bytes of so many rows of a piece, uncompressed.
    pub(super) fn row_bytes(&self, rows: usize) -> usize {
        let [h, v] = self.subsampling;
        if (h, v) != (1, 1) && !self.is_planar && self.compression != compression::JPEG {
            // Blocks of h x v brightnesses with two colours.
            let blocks = self.piece[0].div_ceil(h).saturating_mul(rows.div_ceil(v));
            return blocks.saturating_mul((h * v + 2) * self.bits / 8);
        }
        let bits = self.piece[0] as u64 * self.samples_together() as u64 * self.bits as u64;
        (bits.div_ceil(8)).saturating_mul(rows as u64) as usize
    }

    /// Upper bound of the bytes of a pixel, over all planes.
    pub(super) fn bytes_per_pixel(&self) -> u64 {
        (self.samples as u64 * self.bits as u64).div_ceil(8)
    }
}
