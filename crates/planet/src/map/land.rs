use std::sync::LazyLock;

/// Made by scripts/make-land from world-atlas (Natural Earth 1:50m, public domain).
static LAND: &[u8] = include_bytes!("land.bin");

const STEPS_A_DEGREE: f64 = 100.0;

/// A closed ring on a flat map, `[lng, lat]` in degrees, with its borders.
pub(super) struct Ring {
    pub points: Vec<[f64; 2]>,
    /// South, west, north, east in degrees.
    pub bounds: [f64; 4],
}

/// The outlines of the land, holes included. The longitudes of a ring are continuous: one that
/// crosses the antimeridian goes beyond ±180, the one round the south pole runs along the border.
pub(super) static RINGS: LazyLock<Vec<Ring>> = LazyLock::new(|| {
    let mut bytes = LAND.iter().copied();
    let mut rings = Vec::new();
    while let Some(count) = varint(&mut bytes) {
        let [mut x, mut y] = [0, 0];
        let mut steps = || varint(&mut bytes).expect("land.bin is whole");
        let points = (0..count).map(|_| {
            x += steps();
            y += steps();
            [x as f64 / STEPS_A_DEGREE, y as f64 / STEPS_A_DEGREE]
        });
        rings.push(ring(points.collect()));
    }
    rings
});

/// The outlines of the land (Natural Earth, 1:50m), holes included, as closed rings of
/// `[lng, lat]` in degrees, whose longitudes are continuous and may go beyond ±180. Even-odd
/// filling of all of them together gives the land.
pub fn land_rings() -> impl Iterator<Item = &'static [[f64; 2]]> {
    RINGS.iter().map(|ring| &ring.points[..])
}

fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<i64> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = bytes.next()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
        shift += 7;
    }
}

fn ring(mut points: Vec<[f64; 2]>) -> Ring {
    let turned = |degrees: f64| degrees - 360.0 * (degrees / 360.0).round();
    for index in 1..points.len() {
        points[index][0] = points[index - 1][0] + turned(points[index][0] - points[index - 1][0]);
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let home = last[0] + turned(first[0] - last[0]);
    if (home - first[0]).abs() > 180.0 {
        points.extend([[home, first[1]], [home, -90.0], [first[0], -90.0]]);
    }
    let start = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
    let bounds = points.iter().fold(start, |[south, west, north, east], &[x, y]| {
        [south.min(y), west.min(x), north.max(y), east.max(x)]
    });
    Ring { points, bounds }
}
