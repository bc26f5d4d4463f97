//! TIFF and BigTIFF (TIFF 6.0 and its supplements): strips and tiles, in planes or not, become
//! RGB piece by piece. What is not supported is refused by its name.

mod colour;
mod compression;
mod directory;
mod layout;
mod samples;

use std::io::Cursor;

pub(super) use self::directory::{Directory, Entry, TiffFile};
use self::{colour::Colour, layout::Layout};
use super::{Photo, PhotoError, PhotoFormat};

/// Decodes the first page of a TIFF, before the orientation.
pub(super) fn decode(bytes: &[u8]) -> Result<Photo, PhotoError> {
    let broken = |reason: String| PhotoError::Decode { format: PhotoFormat::Tiff, reason };
    let picture = Picture::open(bytes).map_err(broken)?;
    let pixels = picture.rgb(bytes).map_err(broken)?;
    Photo::from_rgb(picture.layout.width as u32, picture.layout.height as u32, pixels)
}

/// Bytes that decoding takes at its greatest, beside the file itself.
pub(super) fn memory(bytes: &[u8]) -> u64 {
    // Files that cannot be surveyed are not decoded either.
    let Ok(picture) = Picture::open(bytes) else { return 0 };
    let layout = &picture.layout;
    let rgb = 3 * layout.width as u64 * layout.height as u64;
    // A piece as it comes out of the compression, as samples, and as RGB; JPEGs twice more.
    let piece = (layout.piece[0] as u64).saturating_mul(layout.piece[1] as u64);
    let piece = piece.saturating_mul(layout.bytes_per_pixel() + layout.samples as u64 + 4 * 3);
    let stored = layout.places.iter().map(|&(_, length)| length.min(bytes.len() as u64)).max();
    let rest = stored.unwrap_or(0) + 64 * layout.places.len() as u64 + (1 << 20);
    rgb.saturating_add(piece).saturating_add(rest)
}

struct Picture {
    layout: Layout,
    colour: Colour,
}

impl Picture {
    fn open(bytes: &[u8]) -> Result<Self, String> {
        let read = || -> std::io::Result<_> {
            let (mut file, first) = TiffFile::open(Cursor::new(bytes))?;
            let directory = file.directory(first, |_| ())?;
            Ok((file, directory))
        };
        let (mut file, directory) = read().map_err(|error| error.to_string())?;
        let mut tags = layout::Tags { file: &mut file, directory: &directory };
        let layout = Layout::read(&mut tags)?;
        let colour = Colour::read(&mut tags, &layout)?;
        Ok(Self { layout, colour })
    }

    fn rgb(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let layout = &self.layout;
        let mut rgb = vec![0; 3 * layout.width * layout.height];
        let [across, down] = layout.pieces();
        for at in 0..across * down {
            let (x, y) = (at % across * layout.piece[0], at / across * layout.piece[1]);
            let piece = self.piece(bytes, at, y)?;
            let (width, rows) = (layout.piece[0], piece.len() / (3 * layout.piece[0]));
            let used = width.min(layout.width - x);
            for row in 0..rows.min(layout.height - y) {
                let to = 3 * ((y + row) * layout.width + x);
                let from = 3 * row * width;
                rgb[to..to + 3 * used].copy_from_slice(&piece[from..from + 3 * used]);
            }
        }
        Ok(rgb)
    }

    /// One strip or tile, that begins at row `y`, as RGB.
    fn piece(&self, bytes: &[u8], at: usize, y: usize) -> Result<Vec<u8>, String> {
        let layout = &self.layout;
        let rows = layout.rows_of_piece(y);
        let pieces = layout.pieces()[0] * layout.pieces()[1];
        let named = |error: String| format!("piece {} of {pieces}: {error}", at + 1);
        if layout.compression == compression::JPEG {
            return compression::jpeg(layout, bytes, at, rows, &self.colour).map_err(named);
        }
        if !layout.is_planar {
            let content =
                compression::expand(layout, bytes, at, layout.row_bytes(rows)).map_err(named)?;
            if let Some([h, v]) = self.colour.subsampling(layout) {
                return self
                    .colour
                    .subsampled(&content, layout.piece[0], rows, h, v)
                    .map_err(named);
            }
            let samples = samples::unpack(layout, content, layout.samples, rows);
            return Ok(self.colour.rgb(&samples, layout.samples));
        }
        let mut together = vec![0; layout.piece[0] * rows * layout.samples];
        for plane in 0..layout.samples {
            let content =
                compression::expand(layout, bytes, plane * pieces + at, layout.row_bytes(rows))
                    .map_err(named)?;
            let samples = samples::unpack(layout, content, 1, rows);
            let places = together.iter_mut().skip(plane).step_by(layout.samples);
            places.zip(samples).for_each(|(place, sample)| *place = sample);
        }
        Ok(self.colour.rgb(&together, layout.samples))
    }
}
