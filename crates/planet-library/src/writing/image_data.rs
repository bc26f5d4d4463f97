//! What of a photo's file must never change: its compressed image data.

/// BLAKE3 over a file's image data, hexadecimal: of a JPEG everything but application segments and
/// comments, of a PNG everything but text, time and EXIF, of a WebP the chunks of pixels and
/// animation, of HEIC and AVIF every item but EXIF and XMP, with its properties. `None` for other
/// formats, and for files that are cut off.
pub(super) fn image_data_hash(bytes: &[u8]) -> Option<String> {
    let mut hasher = blake3::Hasher::new();
    match bytes {
        [0xff, 0xd8, ..] => jpeg(bytes, &mut hasher)?,
        [0x89, b'P', b'N', b'G', ..] => png(bytes, &mut hasher)?,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            webp(bytes, &mut hasher)?;
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif(bytes, &mut hasher)?,
        _ => return None,
    }
    Some(hasher.finalize().to_hex().to_string())
}

fn jpeg(bytes: &[u8], hasher: &mut blake3::Hasher) -> Option<()> {
    for segment in jpeg_segments(bytes)? {
        if !matches!(segment[1], 0xe0..=0xef | 0xfe) {
            hasher.update(segment);
        }
    }
    Some(())
}

/// The segments of a JPEG, each from its marker on, without filling; the last one begins with the
/// first scan and reaches to the end: scans, tables between them, and what stands behind the
/// picture. `None` where it is none, or is cut off before that.
pub(super) fn jpeg_segments(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut at = bytes.starts_with(&[0xff, 0xd8]).then_some(2)?;
    let mut segments = Vec::new();
    loop {
        let [0xff, marker, high, low] = *bytes.get(at..at + 4)? else { return None };
        if marker == 0xff {
            // Filling before a marker.
            at += 1;
            continue;
        }
        if marker == 0xda {
            segments.push(&bytes[at..]);
            return Some(segments);
        }
        let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
        segments.push(bytes.get(at..end)?);
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

fn webp(bytes: &[u8], hasher: &mut blake3::Hasher) -> Option<()> {
    let mut at = 12;
    while at < bytes.len() {
        let header = bytes.get(at..at + 8)?;
        let length = u32::from_le_bytes(*header[4..].first_chunk()?) as usize;
        let end = at.checked_add(8)?.checked_add(length)?;
        let chunk = bytes.get(at..end)?;
        // The extended header counts as metadata: its flags say which other chunks there are.
        if !matches!(&header[..4], b"VP8X" | b"EXIF" | b"XMP ") {
            hasher.update(chunk);
        }
        // Chunks begin at even places.
        at = end + length % 2;
    }
    Some(())
}

/// ISO/IEC 14496-12 and 23008-12: items and where they are, from the `meta` box.
fn heif(bytes: &[u8], hasher: &mut blake3::Hasher) -> Option<()> {
    let mut meta = None;
    for (kind, content) in Boxes(bytes) {
        match &kind {
            b"meta" => meta = content.get(4..),
            // A sequence of pictures has its pixels elsewhere.
            b"moov" => return None,
            _ => {}
        }
    }
    let meta = meta?;
    let idat = find(meta, b"idat").unwrap_or_default();
    let kinds = item_kinds(find(meta, b"iinf")?)?;
    let mut items = item_places(find(meta, b"iloc")?)?;
    items.sort_by_key(|item| item.number);
    for item in items {
        let (_, kind) = kinds.iter().find(|(number, _)| *number == item.number)?;
        if matches!(kind, b"Exif" | b"mime") {
            continue;
        }
        hasher.update(&item.number.to_le_bytes());
        hasher.update(kind);
        for (offset, length) in item.extents {
            let from = match item.in_idat {
                true => idat,
                false => bytes,
            };
            let length = if length == 0 { from.len().checked_sub(offset)? } else { length };
            hasher.update(from.get(offset..offset.checked_add(length)?)?);
        }
    }
    // Which item is shown, and the properties of all: size, rotation, colour, decoder settings.
    hasher.update(find(meta, b"pitm")?);
    hasher.update(find(find(meta, b"iprp")?, b"ipco")?);
    Some(())
}

/// The boxes of a slice, as (kind, content).
struct Boxes<'a>(&'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = ([u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let (content, behind) = match u32::from_be_bytes(*length) {
            // To the end.
            0 => (rest, &rest[rest.len()..]),
            1 => {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
                rest.split_at_checked(length.checked_sub(16)?)?
            }
            length => rest.split_at_checked((length as usize).checked_sub(8)?)?,
        };
        self.0 = behind;
        Some((*kind, content))
    }
}

fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    Boxes(bytes).find(|(found, _)| found == kind).map(|(_, content)| content)
}

/// Numbers of a box, one after the other.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    /// The next number, of so many bytes; of none it is 0.
    fn next(&mut self, bytes: usize) -> Option<u64> {
        let (number, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(number.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}

/// The number and kind of each item, from the content of `iinf`.
fn item_kinds(iinf: &[u8]) -> Option<Vec<(u64, [u8; 4])>> {
    let count_bytes = if *iinf.first()? == 0 { 2 } else { 4 };
    let entries = Boxes(iinf.get(4 + count_bytes..)?).filter(|(kind, _)| kind == b"infe");
    let entry = |content: &[u8]| {
        // Earlier versions are of files without kinds.
        let number_bytes = match content.first()? {
            2 => 2,
            3 => 4,
            _ => return None,
        };
        let mut numbers = Numbers(content.get(4..)?);
        let number = numbers.next(number_bytes)?;
        numbers.next(2)?;
        Some((number, *numbers.0.first_chunk()?))
    };
    entries.map(|(_, content)| entry(content)).collect()
}

/// Where an item's bytes are.
struct ItemPlace {
    number: u64,
    /// In the box `idat` instead of the file.
    in_idat: bool,
    /// Offset and length of each piece.
    extents: Vec<(usize, usize)>,
}

/// The places of all items, from the content of `iloc`.
fn item_places(iloc: &[u8]) -> Option<Vec<ItemPlace>> {
    let version = *iloc.first()?;
    let mut numbers = Numbers(iloc.get(4..)?);
    let sizes = numbers.next(2)? as usize;
    let [offset, length, base, index] = [12, 8, 4, 0].map(|shift| sizes >> shift & 15);
    let index = if version == 0 { 0 } else { index };
    let items = numbers.next(if version < 2 { 2 } else { 4 })?;
    let mut places = Vec::new();
    for _ in 0..items {
        let number = numbers.next(if version < 2 { 2 } else { 4 })?;
        let construction = if version == 0 { 0 } else { numbers.next(2)? & 15 };
        if construction > 1 || numbers.next(2)? != 0 {
            // Made from other items, or in another file.
            return None;
        }
        let base = numbers.next(base)?;
        let count = numbers.next(2)?;
        let mut extents = Vec::new();
        for _ in 0..count {
            numbers.next(index)?;
            let offset = usize::try_from(base.checked_add(numbers.next(offset)?)?).ok()?;
            extents.push((offset, usize::try_from(numbers.next(length)?).ok()?));
        }
        places.push(ItemPlace { number, in_idat: construction == 1, extents });
    }
    Some(places)
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

    #[test]
    fn of_webp_the_pixels_count_and_not_the_metadata() {
        let chunk = |kind: &[u8], data: &[u8]| {
            let padding = &[0][..data.len() % 2];
            [kind, &(data.len() as u32).to_le_bytes(), data, padding].concat()
        };
        let webp = |flags: u8, pixels: &[u8], metadata: &[u8]| {
            let chunks =
                [chunk(b"VP8X", &[flags; 10]), chunk(b"VP8 ", pixels), metadata.to_vec()].concat();
            [&b"RIFF"[..], &(4 + chunks.len() as u32).to_le_bytes(), b"WEBP", &chunks].concat()
        };
        let hash = |bytes: &[u8]| image_data_hash(bytes).expect("a WebP");
        let with_exif = webp(8, b"abc", &chunk(b"EXIF", b"position"));
        assert_eq!(hash(&webp(0, b"abc", b"")), hash(&with_exif));
        assert_ne!(hash(&webp(0, b"abc", b"")), hash(&webp(0, b"abd", b"")));
        assert_eq!(image_data_hash(&with_exif[..with_exif.len() - 1]), None, "cut off");
    }

    #[test]
    fn of_heic_every_item_counts_but_exif_and_xmp_wherever_it_lies() {
        let boxed = |kind: &[u8], content: &[u8]| {
            [&(8 + content.len() as u32).to_be_bytes()[..], kind, content].concat()
        };
        let item = |number: u8, kind: &[u8]| {
            boxed(b"infe", &[&[2, 0, 0, 0, 0, number, 0, 0][..], kind, b"\0"].concat())
        };
        // Item 1 is the picture; item 2, if there is one, its EXIF, which lies before it.
        let heic = |pixels: &[u8], exif: Option<&[u8]>, size: u8| {
            let items = 1 + u8::from(exif.is_some());
            let entries = [Some(item(1, b"hvc1")), exif.map(|_| item(2, b"Exif"))];
            let entries: Vec<u8> = entries.into_iter().flatten().flatten().collect();
            let iinf = boxed(b"iinf", &[&[0, 0, 0, 0, 0, items][..], &entries].concat());
            let pitm = boxed(b"pitm", &[0, 0, 0, 0, 0, 1]);
            let iprp = boxed(b"iprp", &boxed(b"ipco", &boxed(b"ispe", &[size; 12])));
            let file = |before: u32| {
                let place = |number: u8, offset: u32, length: usize| {
                    let [offset, length] = [offset, length as u32].map(u32::to_be_bytes);
                    [&[0, number, 0, 0, 0, 1][..], &offset, &length].concat()
                };
                let exif = exif.unwrap_or_default();
                let mut places = place(1, before + exif.len() as u32, pixels.len());
                if items == 2 {
                    places.extend(place(2, before, exif.len()));
                }
                let iloc = [&[0, 0, 0, 0, 0x44, 0, 0, items][..], &places].concat();
                let meta = [&[0; 4][..], &iinf, &pitm, &iprp, &boxed(b"iloc", &iloc)].concat();
                let head = [boxed(b"ftyp", b"heic"), boxed(b"meta", &meta)].concat();
                let mdat = boxed(b"mdat", &[exif, pixels].concat());
                (head.len() as u32 + 8, [head, mdat].concat())
            };
            file(file(0).0).1
        };
        let hash = |bytes: &[u8]| image_data_hash(bytes).expect("a HEIC");
        let bare = heic(b"pixels", None, 1);
        assert_eq!(hash(&bare), hash(&heic(b"pixels", Some(b"Exif and GPS"), 1)));
        assert_ne!(hash(&bare), hash(&heic(b"pixelz", None, 1)));
        assert_ne!(hash(&bare), hash(&heic(b"pixels", None, 2)), "its size");
        assert_eq!(image_data_hash(&bare[..bare.len() - 1]), None, "cut off");
    }
}
