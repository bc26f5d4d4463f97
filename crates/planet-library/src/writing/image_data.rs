//! What of a photo's file must never change: its compressed image data.

/// BLAKE3 over a file's image data, hexadecimal: of a JPEG everything but application segments and
/// comments, of a PNG everything but text, time and EXIF. `None` for other formats, and for files
/// that are cut off.
pub(super) fn image_data_hash(bytes: &[u8]) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    match bytes {
        [0xff, 0xd8, ..] => jpeg(bytes, &mut hasher)?,
        [0x89, b'P', b'N', b'G', ..] => png(bytes, &mut hasher)?,
        _ => return None,
    }
    Some(hasher.finalize().to_hex().to_string())
}

fn jpeg(bytes: &[u8], hasher: &mut blake3::Hasher) -> Option<()> {
    let mut at = 2;
    loop {
        let [0xff, marker, high, low] = *bytes.get(at..at + 4)? else { return None };
        if marker == 0xff {
            // Filling before a marker.
            at += 1;
            continue;
        }
        if marker == 0xda {
            // Scans, tables between them, and what stands behind the picture.
            hasher.update(&bytes[at..]);
            return Some(());
        }
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        let segment = bytes.get(at..end)?;
        if !matches!(marker, 0xe0..=0xef | 0xfe) {
            hasher.update(segment);
        }
        at = end;
    }
}

fn png(bytes: &[u8], hasher: &mut blake3::Hasher) -> Option<()> {
    let mut at = 8;
    while at < bytes.len() {
        let header = bytes.get(at..at + 8)?;
        let length = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let chunk = bytes.get(at..at.checked_add(length)?.checked_add(12)?)?;
        if !matches!(&header[4..], b"eXIf" | b"iTXt" | b"tEXt" | b"zTXt" | b"tIME") {
            hasher.update(chunk);
        }
        at += chunk.len();
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_no_image_data_and_every_other_byte_is() {
        let jpeg = |metadata: &[u8], scan: &[u8]| {
            let length = (metadata.len() as u16 + 2).to_be_bytes();
            let tables = [0xff, 0xdb, 0, 4, 1, 2];
            [&[0xff, 0xd8, 0xff, 0xe1], &length[..], metadata, &tables, &[0xff, 0xda, 0, 2], scan]
                .concat()
        };
        let hash = |bytes: &[u8]| image_data_hash(bytes).expect("a JPEG");
        assert_eq!(hash(&jpeg(b"Exif", b"abc")), hash(&jpeg(b"Exif and more", b"abc")));
        assert_ne!(hash(&jpeg(b"Exif", b"abc")), hash(&jpeg(b"Exif", b"abd")));
        let whole = jpeg(b"Exif", b"abc");
        assert_eq!(image_data_hash(&whole[..9]), None, "cut off");
        assert_eq!(image_data_hash(b"GIF89a"), None);
        let chunk = |kind: &[u8], data: &[u8]| {
            [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat()
        };
        let png = |text: &[u8], data: &[u8]| {
            [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"tEXt", text), &chunk(b"IDAT", data)].concat()
        };
        assert_eq!(hash(&png(b"a", b"x")), hash(&png(b"bc", b"x")));
        assert_ne!(hash(&png(b"a", b"x")), hash(&png(b"a", b"y")));
    }
}
