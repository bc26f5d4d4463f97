use std::io::{self, BufRead, Read, Seek};

use super::{Headers, LONGEST_BLOCK, source::Source};

/// More chunks than this are no photo; 64 MiB of pixels in the smallest usual chunks are 8192.
const MOST_CHUNKS: usize = 100_000;

/// Reads the size, then looks among the chunks for `eXIf` and for XMP, which may stand behind
/// the pixels. A file cut off behind its size still tells its size.
pub(super) fn read(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
) -> io::Result<()> {
    source.skip(16)?;
    headers.width = source.u32()?;
    headers.height = source.u32()?;
    source.skip(5 + 4)?;
    for _ in 0..MOST_CHUNKS {
        match chunk(source, headers) {
            Ok(true) => {}
            Ok(false) => break,
            Err(cut) => {
                headers.skipped.push(format!("PNG chunks: {cut}"));
                break;
            }
        }
    }
    Ok(())
}

/// One chunk; `false` at the end of the file.
fn chunk(source: &mut Source<impl BufRead + Seek>, headers: &mut Headers) -> io::Result<bool> {
    if source.left() == 0 {
        return Ok(false);
    }
    let length = u64::from(source.u32()?);
    let kind: [u8; 4] = source.array()?;
    match &kind {
        b"IEND" => return Ok(false),
        b"eXIf" | b"iTXt" if length > LONGEST_BLOCK => {
            headers.skipped.push(format!("a metadata block of {length} bytes is not read"));
            source.skip(length)?;
        }
        b"eXIf" => headers.exif = Some(source.bytes(length)?),
        b"iTXt" => {
            let text = source.bytes(length)?;
            headers.xmp.extend(xmp(&text));
        }
        _ => source.skip(length)?,
    }
    source.skip(4)?;
    Ok(true)
}

/// `XML:com.adobe.xmp`, NUL, compressed?, method, language, NUL, translated keyword, NUL, text.
fn xmp(text: &[u8]) -> Option<Vec<u8>> {
    let rest = text.strip_prefix(b"XML:com.adobe.xmp\0")?;
    let (&compressed, rest) = rest.split_first()?;
    let mut rest = rest.get(1..)?.splitn(3, |&byte| byte == 0);
    let packet = rest.nth(2)?;
    if compressed == 0 {
        return Some(packet.to_vec());
    }
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(packet).take(LONGEST_BLOCK).read_to_end(&mut plain).ok()?;
    Some(plain)
}
