//! A file's metadata before its pixels: size, EXIF block, XMP packets. One walker a
//! container; pixel data is skipped, so that a photo on a disk costs a few kilobytes of reading.

mod heif;
mod jpeg;
mod png;
mod source;
mod tiff;
mod webp;

use std::io::{BufRead, Seek};

use self::source::Source;
use super::{PhotoError, PhotoFormat};

/// What stands before an EXIF block in JPEG, and what some writers of other formats keep.
const EXIF_PREAMBLE: &[u8] = b"Exif\0\0";
/// What stands before an XMP packet in JPEG.
const XMP_PREAMBLE: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Greatest EXIF block or XMP packet that is read, in bytes. JPEG cannot hold more than 64 KiB
/// of either.
const LONGEST_BLOCK: u64 = 4 << 20;

/// The headers of one photo.
#[derive(Debug)]
pub(crate) struct Headers {
    pub(crate) format: PhotoFormat,
    /// Width as stored, before the orientation.
    pub(crate) width: u32,
    /// Height as stored, before the orientation.
    pub(crate) height: u32,
    /// The TIFF structure of the EXIF block.
    pub(crate) exif: Option<Vec<u8>>,
    /// Further EXIF blocks, in file order; the first one goes first.
    pub(crate) more_exif: Vec<Vec<u8>>,
    /// XMP packets in file order.
    pub(crate) xmp: Vec<Vec<u8>>,
    /// Where a JPEG's first scan begins.
    pub(crate) scan: u64,
    /// Blocks that were there and could not be read, for the notes.
    pub(crate) skipped: Vec<String>,
}

impl Headers {
    /// Reads the headers of a file.
    ///
    /// # Errors
    /// The file is empty, of an unknown format, cannot be read, or ends before its size is told.
    pub(crate) fn read(reader: impl BufRead + Seek) -> Result<Self, PhotoError> {
        let mut source = Source::new(reader)?;
        let Some(format) = PhotoFormat::of(source.magic()) else {
            return Err(match source.magic() {
                [] => PhotoError::Empty,
                _ => PhotoError::UnknownFormat,
            });
        };
        let mut headers = Self {
            format,
            width: 0,
            height: 0,
            exif: None,
            more_exif: Vec::new(),
            xmp: Vec::new(),
            scan: 0,
            skipped: Vec::new(),
        };
        match format {
            PhotoFormat::Jpeg => jpeg::read(&mut source, &mut headers),
            PhotoFormat::Png => png::read(&mut source, &mut headers),
            PhotoFormat::WebP => webp::read(&mut source, &mut headers),
            PhotoFormat::Tiff => tiff::read(&mut source, &mut headers),
            PhotoFormat::Gif => read_gif(&mut source, &mut headers),
            PhotoFormat::Heic | PhotoFormat::Avif => heif::read(&mut source, &mut headers),
        }
        .map_err(|broken| PhotoError::Header { format, reason: broken.to_string() })?;
        if headers.width == 0 || headers.height == 0 {
            let reason = format!("{} x {} pixels", headers.width, headers.height);
            return Err(PhotoError::Header { format, reason });
        }
        Ok(headers)
    }
}

/// GIF states its size right after the magic; it has no EXIF.
fn read_gif(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
) -> std::io::Result<()> {
    source.skip(6)?;
    let size = source.bytes(4)?;
    headers.width = u32::from(u16::from_le_bytes([size[0], size[1]]));
    headers.height = u32::from(u16::from_le_bytes([size[2], size[3]]));
    Ok(())
}
