use std::io::{self, BufRead, Seek};

use super::{Headers, LONGEST_BLOCK, source::Source};

/// More chunks than this are no photo.
const MOST_CHUNKS: usize = 10_000;

/// Walks the RIFF chunks: size from `VP8X`, `VP8 ` or `VP8L`; `EXIF` and `XMP ` stand behind
/// the pixels.
pub(super) fn read(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
) -> io::Result<()> {
    source.skip(12)?;
    for _ in 0..MOST_CHUNKS {
        if source.left() < 8 {
            break;
        }
        if let Err(cut) = chunk(source, headers) {
            if headers.width == 0 {
                return Err(cut);
            }
            headers.skipped.push(format!("WebP chunks: {cut}"));
            break;
        }
    }
    Ok(())
}

fn chunk(source: &mut Source<impl BufRead + Seek>, headers: &mut Headers) -> io::Result<()> {
    let kind: [u8; 4] = source.array()?;
    let length = u64::from(u32::from_le_bytes(source.array()?));
    let mut read = 0;
    match &kind {
        b"VP8X" | b"VP8 " | b"VP8L" if headers.width == 0 => {
            let head: [u8; 10] = source.array()?;
            read = 10;
            (headers.width, headers.height) = size(&kind, head);
        }
        b"EXIF" | b"XMP " if length > LONGEST_BLOCK => {
            headers.skipped.push(format!("a metadata block of {length} bytes is not read"));
        }
        b"EXIF" => {
            let block = source.bytes(length)?;
            read = length;
            // Some writers keep JPEG's prefix.
            let block = block.strip_prefix(b"Exif\0\0").map(<[u8]>::to_vec).unwrap_or(block);
            headers.exif = Some(block);
        }
        b"XMP " => {
            headers.xmp.push(source.bytes(length)?);
            read = length;
        }
        _ => {}
    }
    // Chunks are padded to even lengths; the last one's padding may be missing.
    source.skip((length + (length & 1)).saturating_sub(read).min(source.left()))
}

/// Width and height from the first ten bytes of the chunk (WebP container specification).
fn size(kind: &[u8; 4], head: [u8; 10]) -> (u32, u32) {
    let u24 = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]);
    let u14 = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]) & 0x3FFF);
    match kind {
        b"VP8X" => (u24(4) + 1, u24(7) + 1),
        b"VP8 " => (u14(6), u14(8)),
        _ => {
            let bits = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
            ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        }
    }
}
