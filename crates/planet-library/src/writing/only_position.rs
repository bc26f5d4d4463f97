//! Whether only the position of a JPEG changed, told from its bytes.

use std::collections::BTreeMap;

use super::image_data::jpeg_segments;

/// Tags that belong to every EXIF block, and may be new in a block that was begun for a position.
const OF_EVERY_BLOCK: [u16; 8] = [0x011a, 0x011b, 0x0128, 0x0213, 0x9000, 0x9101, 0xa000, 0xa001];
const EXIF_DIRECTORY: u16 = 0x8769;
const GPS_DIRECTORY: u16 = 0x8825;
const INTEROPERABILITY_DIRECTORY: u16 = 0xa005;
const THUMBNAIL: u16 = 0x0201;
const THUMBNAIL_BYTES: u16 = 0x0202;
/// Values that are places in the block, or hold such places: strips, tiles, further directories
/// and maker notes.
const PLACES: [u16; 5] = [0x0111, 0x0144, 0x014a, 0x0190, 0x927c];

/// Whether two JPEGs differ in nothing but the position in their EXIF: every other segment, the
/// scans, and every other value of EXIF are the same bytes, in the same order.
///
/// `false` also where that cannot be told from the bytes, as of photos with maker notes, which may
/// hold places in the file; then another reader of tags has to compare them.
pub(super) fn only_position_differs(before: &[u8], after: &[u8]) -> bool {
    let (Some(before), Some(after)) = (Parts::of(before), Parts::of(after)) else { return false };
    let kept = |(at, value)| after.values.get(at) == Some(value);
    let is_new = |at: &&(Directory, u16)| !before.values.contains_key(at);
    before.others == after.others
        && before.big_endian.is_none_or(|order| after.big_endian == Some(order))
        && before.values.iter().all(kept)
        && after.values.keys().filter(is_new).all(|(_, tag)| OF_EVERY_BLOCK.contains(tag))
}

/// A JPEG, as far as it is compared.
#[derive(Default)]
struct Parts<'a> {
    /// Everything but EXIF.
    others: Vec<&'a [u8]>,
    /// Byte order of EXIF.
    big_endian: Option<bool>,
    /// Type and bytes of each value of EXIF that is no position.
    values: BTreeMap<(Directory, u16), (u16, &'a [u8])>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Directory {
    Main,
    Thumbnail,
    Exif,
    Interoperability,
}

impl<'a> Parts<'a> {
    fn of(jpeg: &'a [u8]) -> Option<Self> {
        let mut parts = Self::default();
        for segment in jpeg_segments(jpeg)? {
            match segment {
                [0xff, 0xe1, _, _, b'E', b'x', b'i', b'f', 0, _, block @ ..] => {
                    if parts.big_endian.is_some() {
                        return None;
                    }
                    parts.read(block)?;
                }
                other => parts.others.push(other),
            }
        }
        Some(parts)
    }

    fn read(&mut self, block: &'a [u8]) -> Option<()> {
        let big_endian = match block.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        self.big_endian = Some(big_endian);
        let tiff = Tiff { block, big_endian };
        let next = self.directory(tiff, Directory::Main, tiff.long(4)?)?;
        match next {
            0 => Some(()),
            at => (self.directory(tiff, Directory::Thumbnail, at)? == 0).then_some(()),
        }
    }

    /// Reads a directory and those that it names; gives the place of the one behind it, or 0.
    fn directory(&mut self, tiff: Tiff<'a>, directory: Directory, at: usize) -> Option<usize> {
        let entries = tiff.short(at)? as usize;
        let (mut thumbnail, mut thumbnail_bytes) = (None, None);
        for entry in (0..entries).map(|i| at + 2 + 12 * i) {
            let (tag, kind) = (tiff.short(entry)?, tiff.short(entry + 2)?);
            match (directory, tag) {
                (_, tag) if PLACES.contains(&tag) => return None,
                (Directory::Main, GPS_DIRECTORY) => {}
                (Directory::Main, EXIF_DIRECTORY) => {
                    self.directory(tiff, Directory::Exif, tiff.long(entry + 8)?)?;
                }
                (Directory::Exif, INTEROPERABILITY_DIRECTORY) => {
                    self.directory(tiff, Directory::Interoperability, tiff.long(entry + 8)?)?;
                }
                (Directory::Thumbnail, THUMBNAIL) => thumbnail = Some(tiff.long(entry + 8)?),
                (Directory::Thumbnail, THUMBNAIL_BYTES) => {
                    thumbnail_bytes = Some(tiff.long(entry + 8)?);
                }
                _ => self.keep((directory, tag), (kind, tiff.value(entry, kind)?))?,
            }
        }
        if let (Some(from), Some(bytes)) = (thumbnail, thumbnail_bytes) {
            let value = tiff.block.get(from..from.checked_add(bytes)?)?;
            self.keep((directory, THUMBNAIL), (0, value))?;
        } else if thumbnail.is_some() || thumbnail_bytes.is_some() {
            return None;
        }
        tiff.long(at + 2 + 12 * entries)
    }

    /// `None` where the value was there already.
    fn keep(&mut self, at: (Directory, u16), value: (u16, &'a [u8])) -> Option<()> {
        self.values.insert(at, value).is_none().then_some(())
    }
}

/// The structure that EXIF has (TIFF 6.0).
#[derive(Clone, Copy)]
struct Tiff<'a> {
    block: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn short(self, at: usize) -> Option<u16> {
        let bytes = *self.block.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn long(self, at: usize) -> Option<usize> {
        let bytes = *self.block.get(at..)?.first_chunk()?;
        let number =
            if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        usize::try_from(number).ok()
    }

    /// The bytes of an entry's value.
    fn value(self, entry: usize, kind: u16) -> Option<&'a [u8]> {
        let each = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 => 4,
            5 | 10 | 12 => 8,
            _ => return None,
        };
        let bytes = self.long(entry + 4)?.checked_mul(each)?;
        let at = if bytes <= 4 { entry + 8 } else { self.long(entry + 8)? };
        self.block.get(at..at.checked_add(bytes)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG with these values in its main directory, a GPS directory on request, and a segment.
    fn jpeg(values: &[(u16, &[u8])], position: Option<u8>, comment: &[u8]) -> Vec<u8> {
        let entries = values.len() + usize::from(position.is_some());
        let mut entry_bytes = Vec::new();
        let mut behind = Vec::new();
        let data = 8 + 2 + 12 * entries + 4;
        let mut add = |tag: u16, kind: u16, value: &[u8]| {
            entry_bytes.extend(tag.to_be_bytes());
            entry_bytes.extend(kind.to_be_bytes());
            entry_bytes.extend((value.len() as u32).to_be_bytes());
            match value.len() {
                0..=4 => entry_bytes.extend([value, &[0; 4]].concat()[..4].to_vec()),
                _ => {
                    entry_bytes.extend(((data + behind.len()) as u32).to_be_bytes());
                    behind.extend(value);
                }
            }
        };
        for (tag, value) in values {
            add(*tag, 2, value);
        }
        if let Some(position) = position {
            add(GPS_DIRECTORY, 2, &[0, 0, 0, position]);
        }
        let tiff = [
            &b"MM\0*\0\0\0\x08"[..],
            &(entries as u16).to_be_bytes(),
            &entry_bytes,
            &[0; 4],
            &behind,
        ]
        .concat();
        let segment = |marker: u8, content: &[u8]| {
            let length = (content.len() as u16 + 2).to_be_bytes();
            [&[0xff, marker][..], &length, content].concat()
        };
        let exif = segment(0xe1, &[b"Exif\0\0", &tiff[..]].concat());
        let scan = [0xff, 0xda, 0, 2, 1, 2, 3, 0xff, 0xd9];
        [&[0xff, 0xd8][..], &exif, &segment(0xfe, comment), &scan].concat()
    }

    #[test]
    fn a_new_position_is_no_other_tag_and_everything_else_is() {
        let make: (u16, &[u8]) = (0x010f, b"a camera's maker\0");
        let model: (u16, &[u8]) = (0x0110, b"X1\0");
        let before = jpeg(&[make, model], None, b"holiday");
        let same = |after: &[u8]| only_position_differs(&before, after);
        assert!(same(&before));
        assert!(same(&jpeg(&[make, model], Some(1), b"holiday")), "a position");
        assert!(same(&jpeg(&[make, model, (0x0213, &[0, 1])], Some(1), b"holiday")), "mandatory");
        assert!(!same(&jpeg(&[make], Some(1), b"holiday")), "a tag is lost");
        assert!(!same(&jpeg(&[make, (0x0110, b"X2\0")], Some(1), b"holiday")), "another value");
        assert!(!same(&jpeg(&[make, model, (0x0131, b"me\0")], Some(1), b"holiday")), "a new tag");
        assert!(!same(&jpeg(&[make, model], Some(1), b"Holiday")), "another comment");
        let mut scan = before.clone();
        let at = scan.len() - 3;
        scan[at] ^= 1;
        assert!(!same(&scan), "other pixels");
    }

    #[test]
    fn what_cannot_be_told_from_the_bytes_is_left_to_another_reader() {
        let with_notes = jpeg(&[(0x927c, b"maker notes")], None, b"");
        assert!(!only_position_differs(&with_notes, &with_notes));
        let twice = jpeg(&[(0x010f, b"a\0"), (0x010f, b"a\0")], None, b"");
        assert!(!only_position_differs(&twice, &twice));
        let whole = jpeg(&[(0x010f, b"a camera's maker\0")], Some(1), b"");
        for end in 0..whole.len() - 6 {
            assert!(!only_position_differs(&whole[..end], &whole[..end]), "cut off at {end}");
        }
        assert!(!only_position_differs(b"GIF89a", b"GIF89a"));
    }
}
