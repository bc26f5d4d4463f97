use std::io::{self, BufRead, Read, Seek};

use super::{EXIF_PREAMBLE, Headers, LONGEST_BLOCK, XMP_PREAMBLE, source::Source};

/// More chunks than this are no photo; 64 MiB of pixels in the smallest usual chunks are 8192.
const MOST_CHUNKS: usize = 100_000;

/// Profiles that are kept; what is packed may be large.
const MOST_PROFILES: usize = 16;

/// Reads the size, then looks among the chunks for `eXIf`, for XMP, and for the raw profiles that
/// ImageMagick and older programs write; all may stand behind the pixels. A file cut off behind its
/// size still tells its size.
pub(super) fn read(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
) -> io::Result<()> {
    source.skip(16)?;
    headers.width = source.u32()?;
    headers.height = source.u32()?;
    source.skip(5 + 4)?;
    let mut profiles = Vec::new();
    for _ in 0..MOST_CHUNKS {
        match chunk(source, headers, &mut profiles) {
            Ok(true) => {}
            Ok(false) => break,
            Err(cut) => {
                headers.skipped.push(format!("PNG chunks: {cut}"));
                break;
            }
        }
    }
    // The chunk that the standard knows goes first, wherever it stands.
    for profile in profiles {
        profile.take(headers);
    }
    Ok(())
}

/// One chunk; `false` at the end of the file.
fn chunk(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
    profiles: &mut Vec<Profile>,
) -> io::Result<bool> {
    if source.left() == 0 {
        return Ok(false);
    }
    let length = u64::from(source.u32()?);
    let kind: [u8; 4] = source.array()?;
    match &kind {
        b"IEND" => return Ok(false),
        b"eXIf" | b"iTXt" | b"tEXt" | b"zTXt" if length > LONGEST_BLOCK => {
            headers.skipped.push(format!("a metadata block of {length} bytes is not read"));
            source.skip(length)?;
        }
        b"eXIf" => {
            let block = source.bytes(length)?;
            let bare = block.strip_prefix(EXIF_PREAMBLE).map(<[u8]>::to_vec);
            headers.exif = Some(bare.unwrap_or(block));
        }
        b"iTXt" | b"tEXt" | b"zTXt" => {
            let chunk = source.bytes(length)?;
            let Some((keyword, rest)) = split_at_nul(&chunk) else {
                source.skip(4)?;
                return Ok(true);
            };
            let wanted = keyword == XMP_KEYWORD || keyword.starts_with(PROFILE_KEYWORD);
            if wanted && profiles.len() == MOST_PROFILES {
                headers.skipped.push(unreadable(keyword));
            } else if wanted {
                match text(&kind, rest).and_then(|text| Profile::of(keyword, text)) {
                    Some(profile) => profiles.push(profile),
                    None => headers.skipped.push(unreadable(keyword)),
                }
            }
        }
        _ => source.skip(length)?,
    }
    source.skip(4)?;
    Ok(true)
}

const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp";
const PROFILE_KEYWORD: &[u8] = b"Raw profile type ";

/// Metadata in a chunk of text.
enum Profile {
    Exif(Vec<u8>),
    Xmp(Vec<u8>),
    /// IPTC, colours, 8BIM: nothing of them is read.
    Other,
}

impl Profile {
    /// XMP as it is, or a raw profile: a newline, a name, the length in decimal, then hexadecimal
    /// digits in lines (ImageMagick's coders/png.c). `None` where it is damaged.
    fn of(keyword: &[u8], text: Vec<u8>) -> Option<Self> {
        let Some(name) = keyword.strip_prefix(PROFILE_KEYWORD) else {
            return Some(Self::Xmp(text));
        };
        if !matches!(name, b"exif" | b"EXIF" | b"APP1" | b"app1" | b"xmp" | b"XMP") {
            return Some(Self::Other);
        }
        let mut lines = text.trim_ascii_start().splitn(3, |&byte| byte == b'\n');
        let (_, length, digits) = (lines.next()?, lines.next()?, lines.next()?);
        let length: usize = std::str::from_utf8(length).ok()?.trim().parse().ok()?;
        let bytes = hexadecimal(digits).filter(|bytes| bytes.len() == length)?;
        Some(match bytes.strip_prefix(XMP_PREAMBLE) {
            Some(packet) => Self::Xmp(packet.to_vec()),
            None if name.eq_ignore_ascii_case(b"xmp") => Self::Xmp(bytes),
            None => Self::Exif(bytes.strip_prefix(EXIF_PREAMBLE).unwrap_or(&bytes).to_vec()),
        })
    }

    fn take(self, headers: &mut Headers) {
        match self {
            Self::Exif(block) if headers.exif.is_none() => headers.exif = Some(block),
            Self::Exif(block) => headers.more_exif.push(block),
            Self::Xmp(packet) => headers.xmp.push(packet),
            Self::Other => {}
        }
    }
}

/// The text of a chunk, behind its keyword.
fn text(kind: &[u8; 4], rest: &[u8]) -> Option<Vec<u8>> {
    match kind {
        b"tEXt" => Some(rest.to_vec()),
        // Method, text.
        b"zTXt" => inflated(rest.get(1..)?),
        // Compressed?, method, language, NUL, translated keyword, NUL, text.
        _ => {
            let (&compressed, rest) = rest.split_first()?;
            let text = rest.get(1..)?.splitn(3, |&byte| byte == 0).nth(2)?;
            if compressed == 0 { Some(text.to_vec()) } else { inflated(text) }
        }
    }
}

fn inflated(packed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    // Two digits a byte, and the ends of their lines.
    let mut decoder = flate2::read::ZlibDecoder::new(packed).take(3 * LONGEST_BLOCK);
    decoder.read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// Pairs of hexadecimal digits; white space between them means nothing.
fn hexadecimal(digits: &[u8]) -> Option<Vec<u8>> {
    let digits = digits.iter().filter(|byte| !byte.is_ascii_whitespace());
    let values = digits.map(|&byte| char::from(byte).to_digit(16).map(|value| value as u8));
    let values: Vec<u8> = values.collect::<Option<_>>()?;
    let (pairs, rest) = values.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn split_at_nul(chunk: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = chunk.iter().position(|&byte| byte == 0)?;
    Some((&chunk[..at], &chunk[at + 1..]))
}

fn unreadable(keyword: &[u8]) -> String {
    format!("the chunk `{}` cannot be read", String::from_utf8_lossy(keyword))
}
