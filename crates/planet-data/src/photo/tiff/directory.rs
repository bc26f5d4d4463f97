//! TIFF's directories of tags, classic and BigTIFF, read where they stand: a file's pixels are
//! not touched, whatever its size.

use std::{
    collections::BTreeMap,
    io::{self, Read, Seek, SeekFrom},
};

/// Most tags that a directory may hold.
const MOST_TAGS: u64 = 4096;

/// A TIFF file of which directories are read.
pub(in crate::photo) struct TiffFile<R> {
    reader: R,
    length: u64,
    is_little: bool,
    is_big: bool,
}

/// One directory: its tags with where their values lie.
pub(in crate::photo) type Directory = BTreeMap<u16, Entry>;

/// One tag's value.
#[derive(Clone, Copy, Debug)]
pub(in crate::photo) struct Entry {
    /// TIFF's number of the type.
    pub(in crate::photo) kind: u16,
    pub(in crate::photo) count: u64,
    /// Where in the file the value lies.
    at: u64,
}

impl Entry {
    /// Size of the value in bytes; `None` where the type is not known.
    pub(in crate::photo) fn bytes(&self) -> Option<u64> {
        let size = match self.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => return None,
        };
        self.count.checked_mul(size)
    }
}

impl<R: Read + Seek> TiffFile<R> {
    /// Reads the head; also the place of the first directory.
    pub(in crate::photo) fn open(mut reader: R) -> io::Result<(Self, u64)> {
        let length = reader.seek(SeekFrom::End(0))?;
        let mut file = Self { reader, length, is_little: false, is_big: false };
        let head = file.bytes(0, 8)?;
        file.is_little = head.starts_with(b"II");
        file.is_big = file.number(&head[2..4]) == 43;
        let first = match file.is_big {
            true => file.bytes(8, 8)?,
            false => head[4..8].to_vec(),
        };
        let first = file.number(&first);
        Ok((file, first))
    }

    /// Whether numbers begin with their lowest byte.
    pub(in crate::photo) fn is_little(&self) -> bool {
        self.is_little
    }

    /// Reads the directory at a place. A tag whose value lies beyond the file is given to
    /// `outside` and left out.
    pub(in crate::photo) fn directory(
        &mut self,
        at: u64,
        mut outside: impl FnMut(u16),
    ) -> io::Result<Directory> {
        let (count_size, entry_size, inline) = if self.is_big { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.bytes(at, count_size)?;
        let count = self.number(&count);
        if count > MOST_TAGS {
            return Err(io::Error::other(format!("a directory of {count} tags")));
        }
        let begin = at + count_size;
        let all = self.bytes(begin, count * entry_size)?;
        let mut directory = Directory::new();
        for (number, entry) in (0..).zip(all.chunks_exact(entry_size as usize)) {
            let (tag, kind) = (self.number(&entry[..2]) as u16, self.number(&entry[2..4]) as u16);
            let (count, value) = entry[4..].split_at((inline) as usize);
            let mut found = Entry { kind, count: self.number(count), at: 0 };
            let Some(bytes) = found.bytes() else { continue };
            found.at = match bytes <= inline {
                true => begin + number * entry_size + 4 + inline,
                false => self.number(value),
            };
            if found.at.checked_add(bytes).is_none_or(|end| end > self.length) {
                outside(tag);
            } else {
                directory.entry(tag).or_insert(found);
            }
        }
        Ok(directory)
    }

    /// The bytes of a value as they stand.
    pub(in crate::photo) fn value(&mut self, entry: &Entry) -> io::Result<Vec<u8>> {
        self.bytes(entry.at, entry.bytes().unwrap_or(0))
    }

    /// The whole numbers of a value; none where it is of another type, or negative.
    pub(in crate::photo) fn numbers(&mut self, entry: &Entry) -> io::Result<Vec<u64>> {
        let size = match entry.kind {
            1 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 13 => 4,
            16..=18 => 8,
            _ => return Ok(Vec::new()),
        };
        let is_signed = matches!(entry.kind, 6 | 8 | 9 | 17);
        let value = self.value(entry)?;
        let number = |bytes| {
            let number = self.number(bytes);
            (!is_signed || number >> (8 * size - 1) == 0).then_some(number)
        };
        Ok(value.chunks_exact(size).map(number).collect::<Option<_>>().unwrap_or_default())
    }

    /// The fractions of a value; none where it is of another type.
    pub(in crate::photo) fn fractions(&mut self, entry: &Entry) -> io::Result<Vec<f64>> {
        if entry.kind != 5 {
            return Ok(self.numbers(entry)?.into_iter().map(|number| number as f64).collect());
        }
        let value = self.value(entry)?;
        let of = |pair: &[u8; 8]| self.number(&pair[..4]) as f64 / self.number(&pair[4..]) as f64;
        Ok(value.as_chunks::<8>().0.iter().map(of).collect())
    }

    /// The number that some bytes, at most eight, are.
    pub(in crate::photo) fn number(&self, bytes: &[u8]) -> u64 {
        let join = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
        match self.is_little {
            true => bytes.iter().rev().fold(0, join),
            false => bytes.iter().fold(0, join),
        }
    }

    /// Bytes at a place. The count is checked against the file's length before memory is taken.
    pub(in crate::photo) fn bytes(&mut self, at: u64, count: u64) -> io::Result<Vec<u8>> {
        if at.checked_add(count).is_none_or(|end| end > self.length) {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is truncated"));
        }
        self.reader.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; count as usize];
        self.reader.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
