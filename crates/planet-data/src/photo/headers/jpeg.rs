use std::io::{self, BufRead, Seek};

use super::{Headers, source::Source};

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

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

/// The first EXIF block counts; some writers leave a second, older one behind it.
fn application(mut segment: Vec<u8>, headers: &mut Headers) {
    if segment.starts_with(EXIF) {
        if headers.exif.is_none() {
            segment.drain(..EXIF.len());
            headers.exif = Some(segment);
        }
    } else if segment.starts_with(XMP) {
        segment.drain(..XMP.len());
        headers.xmp.push(segment);
    }
}

fn no_frame() -> io::Error {
    io::Error::other("no frame before the pixels")
}
