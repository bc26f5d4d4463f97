use std::io::{self, BufRead, Read, Seek, SeekFrom};

/// The field of a model that holds an entry of metadata.
const METADATA: u64 = 14;

/// An entry longer than this is not read.
const LONGEST: u64 = 1 << 20;

/// Keys and values that an ONNX file carries ([`super::OnnxInfo::metadata`]); the graph is skipped.
///
/// # Errors
/// The file cannot be read, or is no protocol buffer.
pub fn read_onnx_metadata(mut file: impl BufRead + Seek) -> io::Result<Vec<(String, String)>> {
    let mut entries = Vec::new();
    while !file.fill_buf()?.is_empty() {
        let tag = varint(&mut file)?;
        match tag & 7 {
            0 => drop(varint(&mut file)?),
            1 => skip(&mut file, 8)?,
            5 => skip(&mut file, 4)?,
            2 => {
                let length = varint(&mut file)?;
                if tag >> 3 != METADATA {
                    skip(&mut file, length)?;
                    continue;
                }
                if length > LONGEST {
                    return Err(broken("an entry of metadata over 1 MiB"));
                }
                let mut bytes = vec![0; length as usize];
                file.read_exact(&mut bytes)?;
                entries.push(entry(&bytes)?);
            }
            _ => return Err(broken("not an ONNX file")),
        }
    }
    Ok(entries)
}

/// Key and value of an entry.
fn entry(mut bytes: &[u8]) -> io::Result<(String, String)> {
    let (mut key, mut value) = (String::new(), String::new());
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let length = varint(&mut bytes)?;
        let text = usize::try_from(length).ok().and_then(|length| bytes.split_at_checked(length));
        let (text, rest) = text.ok_or_else(|| broken("an entry of metadata is truncated"))?;
        let text = String::from_utf8_lossy(text).into_owned();
        match tag {
            0x0A => key = text,
            0x12 => value = text,
            _ => return Err(broken("an entry of metadata is not a pair of texts")),
        }
        bytes = rest;
    }
    Ok((key, value))
}

fn varint(file: &mut impl Read) -> io::Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 0x7F) << shift;
        if byte[0] & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(broken("a number without an end"))
}

/// Seeks forward; an end beyond that of the file shows at the next read.
fn skip(file: &mut impl Seek, length: u64) -> io::Result<()> {
    let length = i64::try_from(length).map_err(|_| broken("a field without an end"))?;
    file.seek(SeekFrom::Current(length)).map(drop)
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{Architecture, OnnxInfo, Weights};

    #[test]
    fn what_is_written_into_a_model_is_read_from_it() {
        let network = Architecture::InceptionMini.usual(3).expect("a small network");
        let weights = Weights::initial(&network, 1);
        let metadata = [("a", "1"), ("planet_preprocess", "{\"size\":[32,32]}"), ("é", "")];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let info = OnnxInfo { metadata: metadata.clone(), ..OnnxInfo::default() };
        let mut file = Vec::new();
        network.write_onnx(&weights, &info, &mut file, io::sink()).expect("written");
        assert_eq!(read_onnx_metadata(Cursor::new(&file)).expect("read"), metadata);
        // Cut anywhere, it is an error or holds less.
        for end in (1..file.len()).rev().take(200) {
            let read = read_onnx_metadata(Cursor::new(&file[..end]));
            assert!(read.is_err() || read.is_ok_and(|read| read.len() < 3), "{end}");
        }
    }

    #[test]
    fn a_file_of_another_kind_is_an_error() {
        for bytes in [&b"\x7fELF\x02\x01\x01\0"[..], b"PK\x03\x04", &[0xFF; 40]] {
            assert!(read_onnx_metadata(Cursor::new(bytes)).is_err());
        }
    }
}
