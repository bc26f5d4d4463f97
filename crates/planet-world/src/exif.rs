//! The EXIF block of a synthetic photo, as a camera would write it (EXIF 2.32, big-endian TIFF).

use planet_geo::LatLng;

use crate::camera::Camera;

/// What a photo's EXIF block says.
pub(crate) struct ExifFacts<'f> {
    pub(crate) camera: Camera,
    /// 1 for a picture stored upright, 6 for one to be turned right by a quarter.
    pub(crate) orientation: u16,
    /// Local time, `2021-07-03T14:05:09`; `None` for a photo whose time is missing.
    pub(crate) time: Option<&'f str>,
    /// `None` for a photo whose position was withheld.
    pub(crate) position: Option<LatLng>,
}

/// One field: tag, type, count and its bytes.
struct Field {
    tag: u16,
    kind: u16,
    count: u32,
    bytes: Vec<u8>,
}

const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

const HEADER: usize = 8;

/// The block, from `Exif\0\0` on, ready for an APP1 segment.
pub(crate) fn block(facts: &ExifFacts<'_>) -> Vec<u8> {
    let written = |time: &str| text(0x9003, &time.replace('-', ":").replace('T', " "));
    let exif: Vec<Field> = facts.time.map(written).into_iter().collect();
    let gps = facts.position.map(gps_fields);

    // The size of the main directory does not depend on what its pointers say.
    let main = |exif_at: usize, gps_at: usize| {
        let mut fields = vec![
            text(0x010f, facts.camera.make),
            text(0x0110, facts.camera.model),
            Field {
                tag: 0x0112,
                kind: SHORT,
                count: 1,
                bytes: facts.orientation.to_be_bytes().into(),
            },
            pointer(0x8769, exif_at),
        ];
        fields.extend(gps.as_ref().map(|_| pointer(0x8825, gps_at)));
        fields
    };
    let exif_at = HEADER + directory(&main(0, 0), HEADER).len();
    let exif_bytes = directory(&exif, exif_at);
    let gps_at = exif_at + exif_bytes.len();

    let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08".to_vec();
    block.extend(directory(&main(exif_at, gps_at), HEADER));
    block.extend(exif_bytes);
    if let Some(gps) = &gps {
        block.extend(directory(gps, gps_at));
    }
    block
}

fn gps_fields(position: LatLng) -> [Field; 5] {
    let (lat, lng) = (position.lat(), position.lng());
    [
        Field { tag: 0x0000, kind: 1, count: 4, bytes: vec![2, 3, 0, 0] },
        text(0x0001, if lat < 0.0 { "S" } else { "N" }),
        degrees(0x0002, lat),
        text(0x0003, if lng < 0.0 { "W" } else { "E" }),
        degrees(0x0004, lng),
    ]
}

fn text(tag: u16, text: &str) -> Field {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    Field { tag, kind: ASCII, count: bytes.len() as u32, bytes }
}

fn pointer(tag: u16, to: usize) -> Field {
    Field { tag, kind: LONG, count: 1, bytes: (to as u32).to_be_bytes().into() }
}

/// Degrees, minutes and seconds; seconds to a ten-thousandth, some 3 mm.
fn degrees(tag: u16, angle: f64) -> Field {
    const PER_SECOND: u64 = 10_000;
    let total = (angle.abs() * 3600.0 * PER_SECOND as f64).round() as u64;
    let (minutes, seconds) = (total / (60 * PER_SECOND), total % (60 * PER_SECOND));
    let ratios = [(minutes / 60, 1), (minutes % 60, 1), (seconds, PER_SECOND)];
    let numbers = ratios.into_iter().flat_map(|(top, bottom)| [top as u32, bottom as u32]);
    Field { tag, kind: RATIONAL, count: 3, bytes: numbers.flat_map(u32::to_be_bytes).collect() }
}

/// A directory that stands at some offset, with what does not fit into its entries behind it.
fn directory(fields: &[Field], at: usize) -> Vec<u8> {
    let mut entries = (fields.len() as u16).to_be_bytes().to_vec();
    let mut behind = Vec::new();
    let behind_at = at + 2 + 12 * fields.len() + 4;
    for field in fields {
        entries.extend(field.tag.to_be_bytes());
        entries.extend(field.kind.to_be_bytes());
        entries.extend(field.count.to_be_bytes());
        if field.bytes.len() <= 4 {
            let mut value = field.bytes.clone();
            value.resize(4, 0);
            entries.extend(value);
        } else {
            entries.extend(((behind_at + behind.len()) as u32).to_be_bytes());
            behind.extend(&field.bytes);
            // Offsets are even.
            behind.resize(behind.len().next_multiple_of(2), 0);
        }
    }
    entries.extend([0; 4]);
    entries.extend(behind);
    entries
}
