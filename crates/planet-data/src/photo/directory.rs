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

/// Directories that are written anew at most: those of EXIF and GPS, and what damage adds.
const MOST: usize = 8;

/// A block of EXIF, in its byte order.
struct Block<'a> {
    bytes: &'a [u8],
    little_endian: bool,
}

/// A directory with known types only.
struct Directory {
    bytes: Vec<u8>,
    has_changed: bool,
    /// Where in these bytes the offset of another directory stands, and that offset.
    pointers: Vec<(usize, u32)>,
}

/// Gives pointers (directories of type IFD, signed numbers, four bytes) and text (Exif 3.0's UTF-8)
/// types that are known, in the first directory and those that it points to. Directories with
/// other types are written anew behind the block: what a damaged one shares with values or with
/// other directories stays as it is. A block that is none stays too, and so do directories that
/// do not lie within it.
pub(super) fn with_known_types(bytes: &mut Vec<u8>) {
    let little_endian = match bytes[..] {
        [b'I', b'I', 42, 0, ..] => true,
        [b'M', b'M', 0, 42, ..] => false,
        _ => return,
    };
    let block = Block { bytes, little_endian };
    let Some(mut first) = block.u32(4).and_then(|at| block.directory(at as usize)) else { return };
    let mut others: Vec<(u32, Directory)> = Vec::new();
    for (_, at) in &first.pointers {
        if others.len() < MOST
            && others.iter().all(|other| other.0 != *at)
            && let Some(other) = block.directory(*at as usize)
        {
            others.push((*at, other));
        }
    }
    others.retain(|(_, other)| other.has_changed);
    if !first.has_changed && others.is_empty() {
        return;
    }
    let mut end = bytes.len();
    for (at, other) in &others {
        let Ok(moved) = u32::try_from(end) else { return };
        for (place, _) in first.pointers.iter().filter(|pointer| pointer.1 == *at) {
            first.bytes[*place..*place + 4].copy_from_slice(&u32_bytes(moved, little_endian));
        }
        end += other.bytes.len();
    }
    let Ok(first_at) = u32::try_from(end) else { return };
    others.iter().for_each(|(_, other)| bytes.extend(&other.bytes));
    bytes.extend(first.bytes);
    bytes[4..8].copy_from_slice(&u32_bytes(first_at, little_endian));
}

impl Block<'_> {
    /// The directory at an offset; `None` where it does not lie within the block.
    fn directory(&self, at: usize) -> Option<Directory> {
        let entries = usize::from(self.u16(at)?);
        let bytes = self.bytes.get(at..at + 2 + 12 * entries + 4)?.to_vec();
        let mut directory = Directory { bytes, has_changed: false, pointers: Vec::new() };
        for place in (0..entries).map(|entry| 2 + 12 * entry) {
            let entry = at + place;
            let (tag, kind) = (self.u16(entry)?, self.u16(entry + 2)?);
            let (count, value) = (self.u32(entry + 4)?, self.u32(entry + 8)?);
            let is_pointer = POINTERS.contains(&tag);
            let known = match (kind, count) {
                (DIRECTORY | SIGNED_LONG, _) if is_pointer => (LONG, count),
                (BYTE | SIGNED_BYTE | UNDEFINED, 4) if is_pointer => (LONG, 1),
                (SIGNED_SHORT, 1) if is_pointer => (SHORT, 1),
                (UTF8, _) => (ASCII, count),
                same => same,
            };
            if known != (kind, count) {
                directory.has_changed = true;
                directory.bytes[place + 2..place + 4]
                    .copy_from_slice(&u16_bytes(known.0, self.little_endian));
                directory.bytes[place + 4..place + 8]
                    .copy_from_slice(&u32_bytes(known.1, self.little_endian));
            }
            if is_pointer && known.0 == LONG {
                directory.pointers.push((place + 8, value));
            }
        }
        Some(directory)
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

fn u16_bytes(value: u16, little_endian: bool) -> [u8; 2] {
    if little_endian { value.to_le_bytes() } else { value.to_be_bytes() }
}

fn u32_bytes(value: u32, little_endian: bool) -> [u8; 4] {
    if little_endian { value.to_le_bytes() } else { value.to_be_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of so many bytes with big-endian directories, each at its offset.
    fn block(length: usize, directories: &[(usize, &[[u16; 6]])]) -> Vec<u8> {
        let mut bytes = vec![0; length];
        bytes[..8].copy_from_slice(b"MM\0\x2A\0\0\0\x08");
        for (at, entries) in directories {
            bytes[*at..at + 2].copy_from_slice(&(entries.len() as u16).to_be_bytes());
            for (entry, place) in entries.iter().zip((at + 2..).step_by(12)) {
                let entry = entry.iter().flat_map(|word| word.to_be_bytes());
                bytes.splice(place..place + 12, entry);
            }
        }
        bytes
    }

    fn known(mut bytes: Vec<u8>) -> Vec<u8> {
        with_known_types(&mut bytes);
        bytes
    }

    #[test]
    fn directories_of_known_types_stay() {
        let whole =
            block(60, &[(8, &[[0x8825, LONG, 0, 1, 0, 40]]), (40, &[[1, ASCII, 0, 2, 0, 0]])]);
        assert_eq!(known(whole.clone()), whole);
        // Nor is a directory touched that ends outside the block.
        let cut = block(30, &[(8, &[[0x8825, SIGNED_LONG, 0, 1, 0, 40]])]);
        assert_eq!(known(cut[..22].to_vec()), cut[..22]);
    }

    #[test]
    fn directories_of_other_types_are_written_anew() {
        let text = |kind| [0x9003, kind, 0, 4, 0x4163, 0x6D65];
        let before = block(60, &[(8, &[[0x8769, SIGNED_LONG, 0, 1, 0, 40]]), (40, &[text(UTF8)])]);
        let after = known(before.clone());
        // The old directories, the new one of EXIF, and the new first one.
        let mut expected = block(
            60 + 18 + 18,
            &[(40, &[text(UTF8)]), (60, &[text(ASCII)]), (78, &[[0x8769, LONG, 0, 1, 0, 60]])],
        );
        expected[..26].copy_from_slice(&before[..26]);
        expected[7] = 78;
        assert_eq!(after, expected);
    }

    /// A directory of EXIF whose damaged count makes it run into a value of GPS.
    #[test]
    fn values_that_look_like_entries_stay() {
        let pointers = [[0x8769, LONG, 0, 1, 0, 40], [0x8825, LONG, 0, 1, 0, 72]];
        let latitude = [0, UTF8, 0, 1, 0, 30];
        let before = block(100, &[(8, &pointers), (40, &[[1, ASCII, 0, 1, 0, 0], latitude])]);
        assert_eq!(known(before.clone())[8..100], before[8..]);
    }
}
