//! What lies in a strip or tile, without its compression.

use std::{borrow::Cow, io::Read};

use weezl::{BitOrder, LzwStatus, decode::Decoder};

use super::{super::jpeg, colour::Colour, layout::Layout};

pub(super) const NONE: u64 = 1;
pub(super) const JPEG: u64 = 7;
const LZW: u64 = 5;
const DEFLATE: [u64; 2] = [8, 32946];
const PACK_BITS: u64 = 32773;
const ZSTD: u64 = 50000;

/// Names what is not supported.
pub(super) fn check(layout: &Layout) -> Result<(), String> {
    let name = match layout.compression {
        NONE | LZW | PACK_BITS | ZSTD => return Ok(()),
        number if DEFLATE.contains(&number) => return Ok(()),
        JPEG => {
            return match (layout.is_planar, layout.bits, layout.photometric, layout.samples) {
                (true, ..) => Err("JPEG compression in planes is not supported".to_owned()),
                (_, 8, 0 | 1, 1) | (_, 8, 2 | 6, 3) => Ok(()),
                _ => Err("JPEG compression of these colours is not supported".to_owned()),
            };
        }
        2..=4 => "fax (CCITT)",
        6 => "old-style JPEG",
        34712 => "JPEG 2000",
        34887 => "LERC",
        34925 => "LZMA",
        50001 => "WebP",
        50002 | 52546 => "JPEG XL",
        _ => "this",
    };
    let number = layout.compression;
    Err(format!("{name} compression ({number}) is not supported; save it with LZW or Deflate"))
}

/// The bytes of a piece as they stand in the file.
fn stored<'a>(layout: &Layout, bytes: &'a [u8], piece: usize) -> Result<&'a [u8], String> {
    let (offset, length) = layout.places[piece];
    let offset = usize::try_from(offset).map_err(|_| "lies beyond the file")?;
    let rest = bytes.get(offset..).ok_or("lies beyond the file")?;
    Ok(&rest[..rest.len().min(usize::try_from(length).unwrap_or(usize::MAX))])
}

/// A piece of so many bytes without its compression.
pub(super) fn expand(
    layout: &Layout,
    bytes: &[u8],
    piece: usize,
    length: usize,
) -> Result<Vec<u8>, String> {
    let stored = stored(layout, bytes, piece)?;
    let stored: Cow<'_, [u8]> = if layout.is_reversed {
        stored.iter().map(|byte| byte.reverse_bits()).collect::<Vec<_>>().into()
    } else {
        stored.into()
    };
    let content = match layout.compression {
        NONE => stored[..stored.len().min(length)].to_vec(),
        LZW => lzw(&stored, length)?,
        PACK_BITS => pack_bits(&stored, length),
        ZSTD => read(zstd::Decoder::new(&stored[..]).map_err(|e| e.to_string())?, length)?,
        _ => read(flate2::read::ZlibDecoder::new(&stored[..]), length)?,
    };
    if content.len() < length {
        return Err(format!("{} bytes instead of {length}: the file is cut off", content.len()));
    }
    Ok(content)
}

/// At most so many bytes. What went wrong behind them does not matter.
fn read(reader: impl Read, length: usize) -> Result<Vec<u8>, String> {
    let mut content = Vec::with_capacity(length);
    let end = reader.take(length as u64).read_to_end(&mut content);
    match end {
        Err(error) if content.len() < length => Err(error.to_string()),
        _ => Ok(content),
    }
}

fn lzw(stored: &[u8], length: usize) -> Result<Vec<u8>, String> {
    if matches!(stored, [0, second, ..] if second & 1 == 1) {
        return Err("old-style LZW compression is not supported; save the photo again".to_owned());
    }
    let mut decoder = Decoder::with_tiff_size_switch(BitOrder::Msb, 8);
    let mut content = vec![0; length];
    let (mut from, mut filled) = (0, 0);
    while filled < length {
        let step = decoder.decode_bytes(&stored[from..], &mut content[filled..]);
        from += step.consumed_in;
        filled += step.consumed_out;
        match step.status {
            Ok(LzwStatus::Ok) => {}
            Ok(_) => break,
            Err(error) => return Err(error.to_string()),
        }
    }
    content.truncate(filled);
    Ok(content)
}

fn pack_bits(mut stored: &[u8], length: usize) -> Vec<u8> {
    let mut content = Vec::with_capacity(length);
    while let Some((&count, rest)) = stored.split_first() {
        let copied = match count {
            128 => 0,
            0..128 => {
                let copied = (usize::from(count) + 1).min(rest.len());
                content.extend(&rest[..copied]);
                copied
            }
            _ => {
                let Some(&byte) = rest.first() else { break };
                content.resize(content.len() + 257 - usize::from(count), byte);
                1
            }
        };
        stored = &rest[copied..];
        if content.len() >= length {
            break;
        }
    }
    content.truncate(length);
    content
}

/// A piece that is a JPEG, as RGB. Its tables may stand in a tag for all pieces; what its colours
/// are the TIFF says, so Adobe's marker is put in to tell the decoder.
pub(super) fn jpeg(
    layout: &Layout,
    bytes: &[u8],
    piece: usize,
    rows: usize,
    colour: &Colour,
) -> Result<Vec<u8>, String> {
    let stored = stored(layout, bytes, piece)?;
    let content = stored.strip_prefix(&[0xFF, 0xD8]).ok_or("no JPEG")?;
    let mut stream = vec![0xFF, 0xD8];
    let transform = u8::from(layout.photometric == 6);
    stream.extend(b"\xFF\xEE\x00\x0EAdobe\x00\x64\0\0\0\0");
    stream.push(transform);
    let tables = layout.jpeg_tables.strip_prefix(&[0xFF, 0xD8]).unwrap_or_default();
    stream.extend(tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables));
    stream.extend(content);
    let [width, height] = [layout.piece[0], rows];
    let photo = jpeg::decode_piece(&stream, [width, height])?;
    let mut rgb = Vec::with_capacity(3 * width * height);
    for row in photo.pixels().chunks_exact(3 * photo.width() as usize).take(height) {
        rgb.extend_from_slice(&row[..3 * width]);
    }
    if colour.is_inverted() {
        rgb.iter_mut().for_each(|byte| *byte = 255 - *byte);
    }
    Ok(rgb)
}
