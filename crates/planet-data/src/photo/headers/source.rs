use std::io::{self, BufRead, Seek, SeekFrom};

use super::super::{PhotoError, PhotoFormat};

/// A file read from its beginning, skipping what is not wanted.
pub(super) struct Source<R> {
    reader: R,
    position: u64,
    length: u64,
    magic: [u8; PhotoFormat::MAGIC],
    magic_length: usize,
}

impl<R: BufRead + Seek> Source<R> {
    pub(super) fn new(mut reader: R) -> Result<Self, PhotoError> {
        let mut magic = [0; PhotoFormat::MAGIC];
        let mut begin = || -> io::Result<(u64, usize)> {
            let length = reader.seek(SeekFrom::End(0))?;
            reader.seek(SeekFrom::Start(0))?;
            let mut filled = 0;
            while filled < magic.len() {
                match reader.read(&mut magic[filled..])? {
                    0 => break,
                    read => filled += read,
                }
            }
            reader.seek_relative(-(filled as i64))?;
            Ok((length, filled))
        };
        let (length, magic_length) = begin()?;
        Ok(Self { reader, position: 0, length, magic, magic_length })
    }

    /// The first bytes of the file.
    pub(super) fn magic(&self) -> &[u8] {
        &self.magic[..self.magic_length]
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Bytes from here to the end.
    pub(super) fn left(&self) -> u64 {
        self.length.saturating_sub(self.position)
    }

    /// The next bytes. The count is checked against the file's length before memory is taken.
    pub(super) fn bytes(&mut self, count: u64) -> io::Result<Vec<u8>> {
        if count > self.left() {
            return Err(cut_off());
        }
        let mut bytes = vec![0; count as usize];
        self.reader.read_exact(&mut bytes)?;
        self.position += count;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes).map_err(|_| cut_off())?;
        self.position += N as u64;
        Ok(bytes)
    }

    pub(super) fn u8(&mut self) -> io::Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u16(&mut self) -> io::Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Lends the whole file, from its beginning, to a reader of its own.
    pub(super) fn with_reader<T>(&mut self, read: impl FnOnce(&mut R) -> T) -> io::Result<T> {
        self.reader.seek(SeekFrom::Start(0))?;
        Ok(read(&mut self.reader))
    }

    pub(super) fn skip(&mut self, count: u64) -> io::Result<()> {
        if count > self.left() {
            return Err(cut_off());
        }
        let step = i64::try_from(count).map_err(|_| cut_off())?;
        self.reader.seek_relative(step)?;
        self.position += count;
        Ok(())
    }
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file is truncated")
}
