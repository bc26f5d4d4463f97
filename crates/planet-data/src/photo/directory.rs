//! Types of EXIF entries that the parser does not know, written as types that it does.

/// Pointers to the directories of EXIF and of GPS.
const POINTERS: [u16; 2] = [0x8769, 0x8825];

/// Types of entries (TIFF 6.0, section 2; TIFF supplement 1; Exif 3.0, 4.6.2).
const BYTE: u16 = 1;
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const SIGNED_BYTE: u16 = 6;
const UNDEFINED: u16 = 7;
const SIGNED_SHORT: u16 = 8;
const SIGNED_LONG: u16 = 9;
const DIRECTORY: u16 = 13;
const UTF8: u16 = 129;

/// A block of EXIF, in its byte order.
struct Block<'a> {
    bytes: &'a mut [u8],
    little_endian: bool,
}

/// Rewrites in place the types of pointers (directories of type IFD, signed numbers, four bytes)
/// and of text (Exif 3.0's UTF-8) in the first directory and those that it points to. A block that
/// is none stays as it is.
pub(super) fn with_known_types(bytes: &mut [u8]) {
    let little_endian = match bytes {
        [b'I', b'I', 42, 0, ..] => true,
        [b'M', b'M', 0, 42, ..] => false,
        _ => return,
    };
    let mut block = Block { bytes, little_endian };
    let Some(first) = block.u32(4) else { return };
    for directory in block.mend(first as usize) {
        block.mend(directory as usize);
    }
}

impl Block<'_> {
    /// Mends one directory and returns those that it points to.
    fn mend(&mut self, at: usize) -> Vec<u32> {
        let mut pointed = Vec::new();
        let count = self.u16(at).unwrap_or(0);
        for entry in (0..usize::from(count)).map(|place| at + 2 + 12 * place) {
            let (Some(tag), Some(kind), Some(length), Some(value)) =
                (self.u16(entry), self.u16(entry + 2), self.u32(entry + 4), self.u32(entry + 8))
            else {
                break;
            };
            let is_pointer = POINTERS.contains(&tag);
            let (kind, length) = match (kind, length) {
                (DIRECTORY | SIGNED_LONG, _) if is_pointer => (LONG, length),
                (BYTE | SIGNED_BYTE | UNDEFINED, 4) if is_pointer => (LONG, 1),
                (SIGNED_SHORT, 1) if is_pointer => (SHORT, 1),
                (UTF8, _) => (ASCII, length),
                same => same,
            };
            self.put(entry + 2, kind, length);
            if is_pointer && kind == LONG {
                pointed.push(value);
            }
        }
        pointed
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// Writes an entry's type and count.
    fn put(&mut self, at: usize, kind: u16, count: u32) {
        let (kind, count) = match self.little_endian {
            true => (kind.to_le_bytes(), count.to_le_bytes()),
            false => (kind.to_be_bytes(), count.to_be_bytes()),
        };
        // An entry that was read lies within the block.
        self.bytes[at..at + 2].copy_from_slice(&kind);
        self.bytes[at + 2..at + 6].copy_from_slice(&count);
    }
}
