use std::io::{self, BufRead, Read, Seek};

use super::{Headers, LONGEST_BLOCK, source::Source};
use crate::photo::tiff::{Directory, Entry, TiffFile};

/// Largest value that is taken over for the EXIF reader, in bytes.
const LONGEST_VALUE: u64 = 64 << 10;

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const XMP: u16 = 700;
const EXIF: u16 = 0x8769;
const GPS: u16 = 0x8825;

/// Reads size, XMP, and the tags of the first directory with EXIF and GPS, which become a block
/// of their own: the EXIF reader wants the whole file in memory and knows no BigTIFF.
pub(super) fn read(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
) -> io::Result<()> {
    source.with_reader(|reader| read_file(reader, headers))?
}

fn read_file(reader: impl Read + Seek, headers: &mut Headers) -> io::Result<()> {
    let (mut file, first) = TiffFile::open(reader)?;
    let mut outside = Vec::new();
    let main = file.directory(first, |tag| outside.push(tag))?;
    let mut side = |tag| -> io::Result<u32> {
        let Some(entry) = main.get(&tag).filter(|entry| entry.count == 1) else { return Ok(0) };
        let number = file.numbers(entry)?.first().copied().unwrap_or(0);
        Ok(u32::try_from(number).unwrap_or(0))
    };
    (headers.width, headers.height) = (side(WIDTH)?, side(HEIGHT)?);
    if let Some(entry) = main.get(&XMP) {
        match (entry.kind, entry.bytes()) {
            (1 | 7, Some(bytes)) if bytes <= LONGEST_BLOCK => headers.xmp.push(file.value(entry)?),
            (1 | 7, _) => headers.skipped.push("an XMP packet of more than 4 MiB".to_owned()),
            _ => headers.skipped.push("XMP tag of an unexpected type".to_owned()),
        }
    }
    let mut block = Block::new(file.is_little());
    let mut pointers = Vec::new();
    for tag in [EXIF, GPS] {
        let Some(entry) = main.get(&tag) else { continue };
        let at = file.numbers(entry)?.first().copied().unwrap_or(0);
        match file.directory(at, |tag| outside.push(tag)) {
            Ok(directory) => {
                pointers.push((tag, block.length()));
                block.directory(&mut file, &directory, &[])?;
            }
            Err(error) => headers.skipped.push(format!("directory {tag:#06x}: {error}")),
        }
    }
    let begin = block.length();
    block.directory(&mut file, &main, &pointers)?;
    for tag in outside {
        headers.skipped.push(format!("the value of tag {tag:#06x} lies beyond the file"));
    }
    headers.exif = Some(block.finished(begin));
    Ok(())
}

/// A classic TIFF with the tags that are wanted, in the file's own byte order.
struct Block {
    bytes: Vec<u8>,
    is_little: bool,
}

impl Block {
    fn new(is_little: bool) -> Self {
        let mut block = Self { bytes: Vec::new(), is_little };
        block.bytes.extend(if is_little { b"II" } else { b"MM" });
        block.put(42, 2);
        block.put(0, 4);
        block
    }

    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn put(&mut self, number: u64, size: usize) {
        let number = number as u32;
        match self.is_little {
            true => self.bytes.extend(&number.to_le_bytes()[..size]),
            false => self.bytes.extend(&number.to_be_bytes()[4 - size..]),
        }
    }

    /// Appends a directory, and behind it the values that do not fit into it.
    fn directory<R: Read + Seek>(
        &mut self,
        file: &mut TiffFile<R>,
        directory: &Directory,
        pointers: &[(u16, u64)],
    ) -> io::Result<()> {
        let mut values = Vec::new();
        for (&tag, entry) in directory {
            let is_full = self.length() + entry.bytes().unwrap_or(0) > LONGEST_BLOCK;
            if is_full || matches!(tag, EXIF | GPS) {
                continue;
            }
            if let Some(value) = taken(file, tag, entry)? {
                values.push((tag, value));
            }
        }
        for &(tag, at) in pointers {
            values.push((tag, Value { kind: 4, count: 1, bytes: self.number(at) }));
        }
        values.sort_by_key(|(tag, _)| *tag);
        let mut behind = self.length() + 2 + 12 * values.len() as u64 + 4;
        let mut rest = Vec::new();
        self.put(values.len() as u64, 2);
        for (tag, value) in values {
            self.put(tag.into(), 2);
            self.put(value.kind.into(), 2);
            self.put(value.count, 4);
            let mut bytes = value.bytes;
            if bytes.len() <= 4 {
                bytes.resize(4, 0);
                self.bytes.extend(bytes);
            } else {
                self.put(behind, 4);
                bytes.resize(bytes.len().next_multiple_of(2), 0);
                behind += bytes.len() as u64;
                rest.extend(bytes);
            }
        }
        self.put(0, 4);
        self.bytes.extend(rest);
        Ok(())
    }

    fn number(&self, number: u64) -> Vec<u8> {
        match self.is_little {
            true => (number as u32).to_le_bytes().to_vec(),
            false => (number as u32).to_be_bytes().to_vec(),
        }
    }

    /// The block, with the place of its first directory.
    fn finished(mut self, first: u64) -> Vec<u8> {
        let first = self.number(first);
        self.bytes[4..8].copy_from_slice(&first);
        self.bytes
    }
}

/// A value as classic TIFF stores it.
struct Value {
    kind: u16,
    count: u64,
    bytes: Vec<u8>,
}

/// A tag's value, if the EXIF reader has a use for it. Numbers of eight bytes become four.
fn taken<R: Read + Seek>(
    file: &mut TiffFile<R>,
    tag: u16,
    entry: &Entry,
) -> io::Result<Option<Value>> {
    let of_pixels = matches!(tag, 273 | 279 | 320 | 324 | 325 | 330 | 347 | XMP | 34377 | 34675);
    if of_pixels || entry.bytes().is_none_or(|bytes| bytes > LONGEST_VALUE) {
        return Ok(None);
    }
    if !matches!(entry.kind, 16..=18) {
        let bytes = file.value(entry)?;
        return Ok(Some(Value { kind: entry.kind, count: entry.count, bytes }));
    }
    let numbers = file.numbers(entry)?;
    let narrow = |number: u64| {
        let number = u32::try_from(number).ok()?;
        Some(if file.is_little() { number.to_le_bytes() } else { number.to_be_bytes() })
    };
    let bytes: Option<Vec<[u8; 4]>> = numbers.into_iter().map(narrow).collect();
    let value = |bytes: Vec<[u8; 4]>| Value { kind: 4, count: entry.count, bytes: bytes.concat() };
    Ok(bytes.filter(|bytes| bytes.len() as u64 == entry.count).map(value))
}
