use std::io::{self, BufRead, Seek};

use exif::{Context, Exif, In, Reader, Tag, Value};

use super::{Headers, source::Source};

/// Largest TIFF whose tags are read: they may stand anywhere in the file, so all of it is.
const LONGEST_FILE: u64 = 256 << 20;

/// A TIFF is its own EXIF block.
pub(super) fn read(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
) -> io::Result<()> {
    if source.left() > LONGEST_FILE {
        let reason =
            format!("{} bytes; tags of more than {LONGEST_FILE} are not read", source.left());
        return Err(io::Error::other(reason));
    }
    let bytes = source.bytes(source.left())?;
    let exif = Reader::new()
        .continue_on_error(true)
        .read_raw(bytes)
        .or_else(|error| error.distill_partial_result(|_| ()))
        .map_err(io::Error::other)?;
    headers.width = number(&exif, Tag::ImageWidth);
    headers.height = number(&exif, Tag::ImageLength);
    if let Some(field) = exif.get_field(Tag(Context::Tiff, 700), In::PRIMARY) {
        match &field.value {
            Value::Byte(packet) | Value::Undefined(packet, _) => headers.xmp.push(packet.clone()),
            _ => headers.skipped.push("XMP tag of an odd type".to_owned()),
        }
    }
    headers.exif = Some(exif.buf().to_vec());
    Ok(())
}

fn number(exif: &Exif, tag: Tag) -> u32 {
    exif.get_field(tag, In::PRIMARY).and_then(|field| field.value.get_uint(0)).unwrap_or(0)
}
