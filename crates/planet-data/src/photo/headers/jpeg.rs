use std::io::{self, BufRead, Seek};

use super::{EXIF_PREAMBLE, Headers, LONGEST_BLOCK, XMP_PREAMBLE, source::Source};

/// More EXIF blocks than this, each with its own header, are no photo's.
const MOST_BLOCKS: usize = 16;

/// Walks the markers up to the first scan. Rubbish between segments is stepped over, as the
/// decoders do.
pub(super) fn read(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
) -> io::Result<()> {
    source.skip(2)?;
    loop {
        match next_marker(source)? {
            // Markers without a segment: restart, start of image, temporary.
            0xD0..=0xD8 | 0x01 => {}
            0xD9 => return if headers.width == 0 { Err(no_frame()) } else { Ok(()) },
            marker => {
                let length = u64::from(source.u16()?);
                let Some(length) = length.checked_sub(2) else {
                    return Err(io::Error::other("a segment shorter than its own length"));
                };
                match marker {
                    0xDA if headers.width == 0 => return Err(no_frame()),
                    0xDA => {
                        headers.scan = source.position() + length;
                        return Ok(());
                    }
                    // Every start of frame; C4, C8 and CC are tables.
                    0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                        frame(&source.bytes(length)?, headers)?;
                    }
                    0xE1 => application(source.bytes(length)?, headers),
                    _ => source.skip(length)?,
                }
            }
        }
    }
}

fn next_marker(source: &mut Source<impl BufRead + Seek>) -> io::Result<u8> {
    while source.u8()? != 0xFF {}
    loop {
        match source.u8()? {
            0xFF => {}
            // A stuffed byte is no marker.
            0x00 => while source.u8()? != 0xFF {},
            marker => return Ok(marker),
        }
    }
}

fn frame(segment: &[u8], headers: &mut Headers) -> io::Result<()> {
    let &[_precision, h1, h0, w1, w0, ..] = segment else {
        return Err(io::Error::other("the frame's segment is too short"));
    };
    headers.height = u32::from(u16::from_be_bytes([h1, h0]));
    headers.width = u32::from(u16::from_be_bytes([w1, w0]));
    Ok(())
}

/// The first EXIF block goes first. Some writers leave a second one behind it, or go on with a
/// block that is longer than a segment in the next one.
fn application(mut segment: Vec<u8>, headers: &mut Headers) {
    if segment.starts_with(EXIF_PREAMBLE) {
        segment.drain(..EXIF_PREAMBLE.len());
        let begins = segment.starts_with(b"II*\0") || segment.starts_with(b"MM\0*");
        let has_room = headers.more_exif.len() < MOST_BLOCKS;
        match headers.more_exif.last_mut().or(headers.exif.as_mut()) {
            None => headers.exif = Some(segment),
            Some(_) if begins && has_room => headers.more_exif.push(segment),
            Some(block) if !begins && block.len() as u64 <= LONGEST_BLOCK => block.extend(segment),
            Some(_) => headers.skipped.push("more EXIF than the limit".to_owned()),
        }
    } else if segment.starts_with(XMP_PREAMBLE) {
        segment.drain(..XMP_PREAMBLE.len());
        headers.xmp.push(segment);
    }
}

fn no_frame() -> io::Error {
    io::Error::other("no frame before the pixels")
}
