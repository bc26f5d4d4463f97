use std::io::{self, BufRead, Cursor, Seek};

use exif::Reader;

use super::{Headers, LONGEST_BLOCK, source::Source};

/// Most top-level boxes that are looked at.
const MOST_BOXES: usize = 1000;

/// Reads HEIF and AVIF: the primary item's size (`ispe`, cut by `clap`, turned by `irot`) and the
/// EXIF item. The container turns its pixels; the orientation in EXIF must not be applied again.
pub(super) fn read(
    source: &mut Source<impl BufRead + Seek>,
    headers: &mut Headers,
) -> io::Result<()> {
    for _ in 0..MOST_BOXES {
        let (kind, length) = box_head(source)?;
        if &kind != b"meta" {
            source.skip(length)?;
            continue;
        }
        if length > LONGEST_BLOCK {
            return Err(io::Error::other("the meta box is larger than 4 MiB"));
        }
        let meta = source.bytes(length)?;
        (headers.width, headers.height) =
            primary_size(&meta).ok_or_else(|| io::Error::other("no size of the primary item"))?;
        break;
    }
    headers.exif = exif_item(source)?;
    Ok(())
}

/// The EXIF item, found by the EXIF reader in the whole file. Phones keep it before or right
/// behind the pixels.
fn exif_item(source: &mut Source<impl BufRead + Seek>) -> io::Result<Option<Vec<u8>>> {
    let found = source.with_reader(|reader| {
        Reader::new()
            .continue_on_error(true)
            .read_from_container(reader)
            .or_else(|error| error.distill_partial_result(|_| ()))
    })?;
    match found {
        Ok(exif) => Ok(Some(exif.buf().to_vec())),
        Err(exif::Error::Io(error)) => Err(error),
        Err(_) => Ok(None),
    }
}

/// Kind and length of the content of the box that begins here.
fn box_head(source: &mut Source<impl BufRead + Seek>) -> io::Result<([u8; 4], u64)> {
    let length = u64::from(source.u32()?);
    let kind = source.array()?;
    let content = match length {
        0 => Some(source.left()),
        1 => u64::from_be_bytes(source.array()?).checked_sub(16),
        _ => length.checked_sub(8),
    };
    Ok((kind, content.ok_or_else(|| io::Error::other("a box shorter than its head"))?))
}

/// The boxes within a slice, as (kind, content).
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let (content, behind) = match length {
            // To the end of what holds it.
            0 => (rest, &rest[rest.len()..]),
            1 => {
                let (length, rest) = rest.split_first_chunk::<8>()?;
                let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
                rest.split_at_checked(length.checked_sub(16)?)?
            }
            _ => rest.split_at_checked(length.checked_sub(8)?)?,
        };
        bytes = behind;
        Some(([head[4], head[5], head[6], head[7]], content))
    })
}

fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find(|(found, _)| found == kind).map(|(_, content)| content)
}

/// Size of the primary item from the meta box's content.
fn primary_size(meta: &[u8]) -> Option<(u32, u32)> {
    let meta = meta.get(4..)?;
    let pitm = find(meta, b"pitm")?;
    let primary = match pitm.first()? {
        0 => u32::from(u16::from_be_bytes(*pitm.get(4..)?.first_chunk()?)),
        _ => u32::from_be_bytes(*pitm.get(4..)?.first_chunk()?),
    };
    let iprp = find(meta, b"iprp")?;
    let properties: Vec<_> = boxes(find(iprp, b"ipco")?).collect();
    let mut size = None;
    // In their order, since each applies to what the one before it leaves.
    // There may be several boxes of associations, each with other items.
    let mut of_items = boxes(iprp).filter(|(kind, _)| kind == b"ipma");
    for index in of_items.find_map(|(_, ipma)| associations(ipma, primary))? {
        // Number 0 stands for no property.
        let Some(property) = index.checked_sub(1).and_then(|at| properties.get(at)) else {
            continue;
        };
        match (&property.0, property.1) {
            (b"ispe", content) => size = Some((word(content, 1)?, word(content, 2)?)),
            (b"clap", content) => size = size.map(|size| clean_aperture(content, size)),
            (b"irot", content) if content.first()? & 1 == 1 => {
                size = size.map(|(width, height)| (height, width));
            }
            _ => {}
        }
    }
    size
}

/// What a clean aperture leaves of a picture: width and height are fractions, rounded; one that
/// makes no sense or is larger than the picture leaves it as it is.
fn clean_aperture(content: &[u8], (width, height): (u32, u32)) -> (u32, u32) {
    let side = |at: usize, whole: u32| {
        let fraction = word(content, at).zip(word(content, at + 1));
        let side = fraction
            .filter(|&(_, denominator)| denominator > 0)
            .map(|(numerator, denominator)| f64::from(numerator) / f64::from(denominator));
        side.map(|side| side.round() as u32).filter(|side| (1..=whole).contains(side))
    };
    match (side(0, width), side(2, height)) {
        (Some(cut_width), Some(cut_height)) => (cut_width, cut_height),
        _ => (width, height),
    }
}

/// One of the four-byte numbers that a box consists of.
fn word(content: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*content.get(4 * at..)?.first_chunk()?))
}

/// Numbers (from 1) of the properties of an item, from the `ipma` box.
fn associations(ipma: &[u8], item: u32) -> Option<Vec<usize>> {
    let mut bytes = Cursor::new(ipma);
    let mut take = |count: usize| -> Option<u32> {
        let at = bytes.position() as usize;
        let value = ipma.get(at..at.checked_add(count)?)?;
        bytes.set_position((at + count) as u64);
        Some(value.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
    };
    let version_and_flags = take(4)?;
    let (id_size, index_size) = (
        if version_and_flags >> 24 == 0 { 2 } else { 4 },
        if version_and_flags & 1 == 0 { 1 } else { 2 },
    );
    let entries = take(4)?;
    for _ in 0..entries {
        let id = take(id_size)?;
        let count = take(1)?;
        // The top bit says whether the property is essential.
        let mask = if index_size == 1 { 0x7F } else { 0x7FFF };
        let indices =
            (0..count).map(|_| Some((take(index_size)? & mask) as usize)).collect::<Option<_>>()?;
        if id == item {
            return Some(indices);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = (8 + content.len()) as u32;
        [&length.to_be_bytes(), &kind[..], content].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// The content of a meta box whose primary item, number 7, has properties in this order: those
    /// that `order` numbers from 1, of 4000 x 3000 pixels, cut to a clean aperture, turned.
    fn meta(aperture: [u32; 8], order: &[u8]) -> Vec<u8> {
        let properties = [
            boxed(b"ispe", &words(&[0, 4000, 3000])),
            boxed(b"clap", &words(&aperture)),
            boxed(b"irot", &[1]),
        ]
        .concat();
        let entry = [&[0, 7, order.len() as u8], order].concat();
        let associations = [&words(&[0, 1])[..], &entry].concat();
        let iprp = [boxed(b"ipco", &properties), boxed(b"ipma", &associations)].concat();
        [&[0; 4][..], &boxed(b"pitm", &[0, 0, 0, 0, 0, 7]), &boxed(b"iprp", &iprp)].concat()
    }

    #[test]
    fn a_clean_aperture_cuts_the_picture_before_it_is_turned() {
        let cut = [3997, 2, 1500, 1, 0, 1, 0, 1];
        assert_eq!(primary_size(&meta(cut, &[1])), Some((4000, 3000)));
        assert_eq!(primary_size(&meta(cut, &[1, 2])), Some((1999, 1500)));
        assert_eq!(primary_size(&meta(cut, &[1, 2, 3])), Some((1500, 1999)));
        assert_eq!(primary_size(&meta(cut, &[1, 3, 2])), Some((1999, 1500)));
        // Number 0 is no property, and essential ones have the top bit set.
        assert_eq!(primary_size(&meta(cut, &[0x81, 0, 0x82])), Some((1999, 1500)));
    }

    #[test]
    fn a_clean_aperture_that_makes_no_sense_leaves_the_picture_as_it_is() {
        for cut in [
            [4001, 1, 3000, 1, 0, 1, 0, 1],
            [2000, 0, 1500, 1, 0, 1, 0, 1],
            [2000, 1, 0, 1, 0, 1, 0, 1],
        ] {
            assert_eq!(primary_size(&meta(cut, &[1, 2])), Some((4000, 3000)), "{cut:?}");
        }
    }
}
