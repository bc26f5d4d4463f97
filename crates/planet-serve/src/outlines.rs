//! Outlines for the page's map, in a binary form that a browser reads without parsing.
//!
//! Little endian: `PLO1`, the number of items (u32), and for each item its point (latitude and
//! longitude, f32; NaN where it has none), the number of rings (u16), and for each ring the number
//! of points (u16) and the points (latitude and longitude, f32). Rings are closed implicitly, and
//! their longitudes continuous: one that crosses the antimeridian goes beyond ±180.

use planet::map::land_rings;
use planet_geo::{ClassKind, LatLng, Partition};

/// Points that a ring can state.
const MOST_POINTS: usize = u16::MAX as usize;

/// The cells of a partition in the order of its classes.
pub(crate) fn of_partition(partition: &Partition) -> Vec<u8> {
    let mut bytes = start(partition.len());
    for class in partition.classes() {
        let outlines: Vec<Vec<[f64; 2]>> = match &class.kind {
            ClassKind::Cells(cells) => {
                cells.iter().map(|cell| cell.outline().ring().to_vec()).collect()
            }
            _ => Vec::new(),
        };
        item(class.mean.or(class.centre), outlines.iter().map(Vec::as_slice), &mut bytes);
    }
    bytes
}

/// The land as one item, whose rings are filled by the even-odd rule: lakes are rings too.
pub(crate) fn of_land() -> Vec<u8> {
    let mut bytes = start(1);
    item(None, land_rings(), &mut bytes);
    bytes
}

fn start(items: usize) -> Vec<u8> {
    let mut bytes = b"PLO1".to_vec();
    bytes.extend((items as u32).to_le_bytes());
    bytes
}

fn item<'a>(
    point: Option<LatLng>,
    rings: impl Iterator<Item = &'a [[f64; 2]]>,
    bytes: &mut Vec<u8>,
) {
    let [lat, lng] = point.map_or([f32::NAN; 2], |it| [it.lat() as f32, it.lng() as f32]);
    bytes.extend(lat.to_le_bytes());
    bytes.extend(lng.to_le_bytes());
    let rings: Vec<_> = rings.filter(|ring| ring.len() <= MOST_POINTS).collect();
    bytes.extend((rings.len() as u16).to_le_bytes());
    for ring in rings {
        bytes.extend((ring.len() as u16).to_le_bytes());
        for [lng, lat] in ring {
            bytes.extend((*lat as f32).to_le_bytes());
            bytes.extend((*lng as f32).to_le_bytes());
        }
    }
}
