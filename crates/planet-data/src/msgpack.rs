//! Shards of MessagePack maps, as MP-16's download script writes them: one map a photo, with `id`, `image`
//! (the file's bytes) and short values. Only what lies beside the images is read.

use std::{
    fs::File,
    io::{self, BufReader, ErrorKind, Read},
    path::Path,
};

/// Longest name of a field, and longest short value, in bytes.
const LONGEST_TEXT: u64 = 1 << 16;

/// Deepest nesting of a value that is passed over.
const DEEPEST: u32 = 16;

/// The field with the photo's id, and that with its file.
const ID: &str = "id";
const IMAGE: &str = "image";

/// One photo of a shard.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct PackedPhoto {
    pub(crate) id: String,
    /// Where the file's bytes begin in the shard, and how many there are.
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    /// The other fields that are text or a number, by name.
    pub(crate) facts: Vec<(String, String)>,
}

/// The photos of a shard, in its order. After an error there are no more.
pub(crate) struct PackedPhotos {
    file: BufReader<File>,
    at: u64,
    length: u64,
    ended: bool,
}

impl PackedPhotos {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { file: BufReader::new(file), at: 0, length, ended: false })
    }

    /// The next map; maps that are nil are passed over.
    fn photo(&mut self) -> io::Result<Option<PackedPhoto>> {
        let fields = loop {
            if self.at == self.length {
                return Ok(None);
            }
            match self.byte()? {
                0xc0 => {}
                marker @ 0x80..=0x8f => break u64::from(marker & 0x0f),
                0xde => break self.number(2)?,
                0xdf => break self.number(4)?,
                _ => return Err(bad("is no shard of MessagePack maps")),
            }
        };
        let mut photo = PackedPhoto::default();
        let (mut has_id, mut has_image) = (false, false);
        for _ in 0..fields {
            let Some(name) = self.value(DEEPEST)? else {
                return Err(bad("a field of a photo has no name"));
            };
            if name == IMAGE {
                photo.bytes = self.binary()?;
                photo.offset = self.at;
                self.skip(photo.bytes)?;
                has_image = true;
            } else if let Some(value) = self.value(DEEPEST)? {
                if name == ID {
                    photo.id = value;
                    has_id = true;
                } else {
                    photo.facts.push((name, value));
                }
            }
        }
        if !has_id || !has_image {
            return Err(bad("a map has no `id` and `image`; is this a shard of photos?"));
        }
        Ok(Some(photo))
    }

    /// A value as text; `None` for nil, lists, maps and extensions, which are passed over.
    fn value(&mut self, deepest: u32) -> io::Result<Option<String>> {
        let marker = self.byte()?;
        let length = match marker {
            0x00..=0x7f => return Ok(Some(marker.to_string())),
            0xe0..=0xff => return Ok(Some((marker as i8).to_string())),
            0xc0 => return Ok(None),
            0xc2 => return Ok(Some("false".to_owned())),
            0xc3 => return Ok(Some("true".to_owned())),
            0xca => return Ok(Some(f32::from_bits(self.number(4)? as u32).to_string())),
            0xcb => return Ok(Some(f64::from_bits(self.number(8)?).to_string())),
            0xcc..=0xcf => return Ok(Some(self.number(1 << (marker - 0xcc))?.to_string())),
            0xd0..=0xd3 => {
                let bytes = 1 << (marker - 0xd0);
                let unused = 64 - 8 * bytes as u32;
                let number = (self.number(bytes)? << unused) as i64 >> unused;
                return Ok(Some(number.to_string()));
            }
            0x80..=0x8f => return self.pass(2 * u64::from(marker & 0x0f), deepest),
            0x90..=0x9f => return self.pass(u64::from(marker & 0x0f), deepest),
            0xdc | 0xdd => {
                let items = self.number(2 << (marker - 0xdc))?;
                return self.pass(items, deepest);
            }
            0xde | 0xdf => {
                let items = 2 * self.number(2 << (marker - 0xde))?;
                return self.pass(items, deepest);
            }
            0xc7..=0xc9 => {
                let bytes = 1 + self.number(1 << (marker - 0xc7))?;
                return self.skip(bytes).map(|()| None);
            }
            0xd4..=0xd8 => return self.skip(1 + (1 << (marker - 0xd4))).map(|()| None),
            _ => self.text_length(marker)?,
        };
        if length > LONGEST_TEXT {
            return self.skip(length).map(|()| None);
        }
        self.reach(length)?;
        let mut text = vec![0; length as usize];
        self.file.read_exact(&mut text)?;
        self.at += length;
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }

    /// The length of the bytes that follow.
    fn binary(&mut self) -> io::Result<u64> {
        let marker = self.byte()?;
        self.text_length(marker)
    }

    /// The length that a text's or bytes' marker begins: old writers used text for bytes.
    fn text_length(&mut self, marker: u8) -> io::Result<u64> {
        match marker {
            0xa0..=0xbf => Ok(u64::from(marker & 0x1f)),
            0xc4..=0xc6 => self.number(1 << (marker - 0xc4)),
            0xd9..=0xdb => self.number(1 << (marker - 0xd9)),
            _ => Err(bad("a photo's value is neither text nor bytes")),
        }
    }

    /// Passes over so many values.
    fn pass(&mut self, values: u64, deepest: u32) -> io::Result<Option<String>> {
        let Some(deepest) = deepest.checked_sub(1) else {
            return Err(bad("a value is nested too deeply"));
        };
        for _ in 0..values {
            self.value(deepest)?;
        }
        Ok(None)
    }

    fn byte(&mut self) -> io::Result<u8> {
        Ok(self.number(1)? as u8)
    }

    /// A big-endian number of 1 to 8 bytes.
    fn number(&mut self, bytes: usize) -> io::Result<u64> {
        self.reach(bytes as u64)?;
        let mut number = [0; 8];
        self.file.read_exact(&mut number[8 - bytes..])?;
        self.at += bytes as u64;
        Ok(u64::from_be_bytes(number))
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        self.reach(bytes)?;
        // A file's length fits into an i64.
        self.file.seek_relative(bytes as i64)?;
        self.at += bytes;
        Ok(())
    }

    /// So many bytes must still be there.
    fn reach(&self, bytes: u64) -> io::Result<()> {
        match self.length - self.at >= bytes {
            true => Ok(()),
            false => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Iterator for PackedPhotos {
    type Item = io::Result<PackedPhoto>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let photo = self.photo().transpose();
        self.ended = !matches!(photo, Some(Ok(_)));
        photo
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(bytes: &[u8]) -> (tempfile::TempDir, PackedPhotos) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("shard_0.msg");
        std::fs::write(&path, bytes).expect("written");
        let photos = PackedPhotos::open(&path).expect("opened");
        (folder, photos)
    }

    /// Every kind of value, as the specification of MessagePack writes it.
    #[test]
    fn values_of_every_kind_are_read_or_passed_over() {
        let mut bytes = vec![0xc0, 0xde, 0, 16];
        for (name, value) in [
            ("a", &b"\x07"[..]),
            ("b", b"\xfe"),
            ("c", b"\xc3"),
            ("d", b"\xcb\xc0\x45\x00\x00\x00\x00\x00\x00"),
            ("e", b"\xca\x3f\x80\x00\x00"),
            ("f", b"\xcd\x01\x00"),
            ("g", b"\xd1\xff\x00"),
            ("h", b"\xd3\xff\xff\xff\xff\xff\xff\xff\xfe"),
            ("i", b"\x93\x01\xa1x\x81\xa1y\xc0"),
            ("j", b"\xdc\x00\x01\xc2"),
            ("k", b"\xd4\x01\x02"),
            ("l", b"\xc7\x02\x01\x02\x03"),
            ("m", b"\xd9\x02hi"),
            ("n", b"\xc0"),
            ("id", b"\xa5a.jpg"),
            ("image", b"\xc4\x03JPG"),
        ] {
            bytes.push(0xa0 | name.len() as u8);
            bytes.extend(name.bytes());
            bytes.extend(value);
        }
        let (_folder, photos) = shard(&bytes);
        let photos: Vec<_> = photos.map(|photo| photo.expect("whole")).collect();
        let facts = [
            ("a", "7"),
            ("b", "-2"),
            ("c", "true"),
            ("d", "-42"),
            ("e", "1"),
            ("f", "256"),
            ("g", "-256"),
            ("h", "-2"),
            ("m", "hi"),
        ];
        let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let (offset, id) = (bytes.len() as u64 - 3, "a.jpg".to_owned());
        assert_eq!(photos, [PackedPhoto { id, offset, bytes: 3, facts }]);
    }

    #[test]
    fn shards_that_are_cut_or_no_shards_end_with_an_error() {
        let whole = b"\x82\xa2id\xa5a.jpg\xa5image\xa3JPG";
        for cut in 1..whole.len() {
            let (_folder, mut photos) = shard(&whole[..cut]);
            let error = photos.next().expect("something").expect_err("cut");
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{cut}");
            assert!(photos.next().is_none());
        }
        let deep = [&b"\x81\xa1a"[..], &[0x91; 100], b"\x01"].concat();
        for (wrong, what) in [
            (&b"{}"[..], "no shard of MessagePack maps"),
            (b"\x81\xa2id\xa1a", "no `id` and `image`"),
            (b"\x82\xa2id\xa1a\xa5image\x07", "neither text nor bytes"),
            (b"\x81\xc0\x01", "has no name"),
            (&deep, "nested too deeply"),
        ] {
            let (_folder, mut photos) = shard(wrong);
            let error = photos.next().expect("something").expect_err("wrong").to_string();
            assert!(error.contains(what), "{error}");
        }
    }
}
