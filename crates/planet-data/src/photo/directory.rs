//! Types of EXIF entries that the parser does not know, written as types that it does.

use std::ops::Range;

/// Pointers to the directories of EXIF and of GPS.
const POINTERS: [u16; 2] = [0x8769, 0x8825];

/// Types of entries (TIFF 6.0, section 2; TIFF supplement 1; Exif 3.0, 4.6.2).
const BYTE: u16 = 1;
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const SIGNED_BYTE: u16 = 6;
const UNDEFINED: u16 = 7;
const SIGNED_SHORT: u16 = 8;
const SIGNED_LONG: u16 = 9;
const SIGNED_RATIONAL: u16 = 10;
const FLOAT: u16 = 11;
const DOUBLE: u16 = 12;
const DIRECTORY: u16 = 13;
const UTF8: u16 = 129;

/// A block of EXIF, in its byte order.
struct Block<'a> {
    bytes: &'a [u8],
    little_endian: bool,
}

/// One directory: where its bytes and the values that it refers to lie, what is to be rewritten in
/// it, and the directories that it points to.
#[derive(Default)]
struct Directory {
    occupied: Vec<Range<usize>>,
    rewritten: Vec<Rewritten>,
    pointed: Vec<u32>,
}

/// Type and count of the entry whose type stands at this offset.
struct Rewritten {
    at: usize,
    kind: u16,
    count: u32,
}

/// Rewrites in place the types of pointers (directories of type IFD, signed numbers, four bytes)
/// and of text (Exif 3.0's UTF-8) in the first directory and those that it points to. A block that
/// is none stays as it is, and so does what a damaged block uses twice: bytes of an entry that are
/// part of a value, or of another directory, too.
pub(super) fn with_known_types(bytes: &mut [u8]) {
    let little_endian = match bytes {
        [b'I', b'I', 42, 0, ..] => true,
        [b'M', b'M', 0, 42, ..] => false,
        _ => return,
    };
    let block = Block { bytes, little_endian };
    let Some(first) = block.u32(4) else { return };
    let mut directories = vec![block.directory(first as usize)];
    for at in directories[0].pointed.clone() {
        directories.push(block.directory(at as usize));
    }
    let occupied: Vec<_> = directories.iter().flat_map(|it| it.occupied.clone()).collect();
    for Rewritten { at, kind, count } in directories.into_iter().flat_map(|it| it.rewritten) {
        let uses = occupied.iter().filter(|used| used.start < at + 6 && at < used.end).count();
        if uses == 1 {
            let (kind, count) = match little_endian {
                true => (kind.to_le_bytes(), count.to_le_bytes()),
                false => (kind.to_be_bytes(), count.to_be_bytes()),
            };
            bytes[at..at + 2].copy_from_slice(&kind);
            bytes[at + 2..at + 6].copy_from_slice(&count);
        }
    }
}

impl Block<'_> {
    fn directory(&self, at: usize) -> Directory {
        let mut directory = Directory::default();
        let entries = usize::from(self.u16(at).unwrap_or(0));
        directory.occupied.push(at..at + 2 + 12 * entries);
        for entry in (0..entries).map(|place| at + 2 + 12 * place) {
            let (Some(tag), Some(kind), Some(count), Some(value)) =
                (self.u16(entry), self.u16(entry + 2), self.u32(entry + 4), self.u32(entry + 8))
            else {
                break;
            };
            let is_pointer = POINTERS.contains(&tag);
            let known = match (kind, count) {
                (DIRECTORY | SIGNED_LONG, _) if is_pointer => (LONG, count),
                (BYTE | SIGNED_BYTE | UNDEFINED, 4) if is_pointer => (LONG, 1),
                (SIGNED_SHORT, 1) if is_pointer => (SHORT, 1),
                (UTF8, _) => (ASCII, count),
                same => same,
            };
            if known != (kind, count) {
                directory.rewritten.push(Rewritten {
                    at: entry + 2,
                    kind: known.0,
                    count: known.1,
                });
            }
            if is_pointer && known.0 == LONG {
                directory.pointed.push(value);
            }
            let length = size(kind).saturating_mul(count as usize);
            if length > 4 {
                let value = value as usize;
                directory.occupied.push(value..value.saturating_add(length));
            }
        }
        directory
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
}

/// Bytes of one value of a type; none of a type that is unknown.
fn size(kind: u16) -> usize {
    match kind {
        BYTE | ASCII | SIGNED_BYTE | UNDEFINED | UTF8 => 1,
        SHORT | SIGNED_SHORT => 2,
        LONG | SIGNED_LONG | FLOAT | DIRECTORY => 4,
        RATIONAL | SIGNED_RATIONAL | DOUBLE => 8,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of big-endian directories, each at its offset.
    fn block(length: usize, directories: &[(usize, &[[u16; 6]])]) -> Vec<u8> {
        let mut bytes = vec![0; length];
        bytes[..8].copy_from_slice(b"MM\0\x2A\0\0\0\x08");
        for (at, entries) in directories {
            let words = entries.iter().flatten().flat_map(|word| word.to_be_bytes());
            bytes.splice(at + 2..at + 2 + 12 * entries.len(), words);
            bytes[*at..at + 2].copy_from_slice(&(entries.len() as u16).to_be_bytes());
        }
        bytes
    }

    const GPS: [u16; 6] = [0x8825, SIGNED_LONG, 0, 1, 0, 40];

    #[test]
    fn types_of_pointers_and_text_are_rewritten() {
        let text = [0x010F, UTF8, 0, 4, 0x4163, 0x6D65];
        let mut bytes = block(80, &[(8, &[GPS, text])]);
        with_known_types(&mut bytes);
        let known = [[0x8825, LONG, 0, 1, 0, 40], [0x010F, ASCII, 0, 4, 0x4163, 0x6D65]];
        assert_eq!(bytes, block(80, &[(8, &known)]));
    }

    /// A directory of EXIF whose damaged count makes it run into ratios of GPS, which look like
    /// an entry of UTF-8: the ratios stay.
    #[test]
    fn values_that_look_like_entries_stay() {
        let exif = [0x8769, LONG, 0, 1, 0, 50];
        let gps = [2, RATIONAL, 0, 3, 0, 76];
        // Two entries of EXIF lie at 52 and 64, and the third at 76.
        let none = [0x9003, ASCII, 0, 1, 0, 0];
        let latitude = [0, UTF8, 0, 1, 0, 30];
        let known = [0x8825, LONG, 0, 1, 0, 100];
        let before =
            block(114, &[(8, &[exif, known]), (50, &[none, none, latitude]), (100, &[gps])]);
        let mut after = before.clone();
        with_known_types(&mut after);
        assert_eq!(after, before);
    }
}
