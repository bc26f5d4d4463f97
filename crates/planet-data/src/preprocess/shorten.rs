use super::Window;
use crate::Photo;

/// Bytes that the resizer's rows between its two passes may take.
const MIDDLE_ROWS: usize = 64 << 20;

/// Columns that are always left alone.
const ALWAYS_FINE: usize = 1 << 13;

/// Rows that are left alone: beyond them the resizer's weights take megabytes.
const MOST_ROWS: usize = 1 << 16;

/// The seen part of a photo of extreme shape, averaged down along its longest side, and the window
/// in it. The resizer keeps a row as wide as the photo for every row of the input, and weights for
/// every pixel of a side: for a photo of 5,000,000 x 1 pixels a gigabyte. `None` for all others.
pub(super) fn shortened(
    photo: &Photo,
    window: Window,
    [height, width]: [usize; 2],
) -> Option<(Photo, Window)> {
    let most =
        [(MIDDLE_ROWS / (3 * height)).max(2 * width).max(ALWAYS_FINE), MOST_ROWS.max(2 * height)];
    let columns = Cells::of(window.left, window.width, photo.width(), most[0]);
    let rows = Cells::of(window.top, window.height, photo.height(), most[1]);
    if columns.is_plain() && rows.is_plain() {
        return None;
    }
    let mut pixels = Vec::with_capacity(3 * columns.count * rows.count);
    for row in 0..rows.count {
        for column in 0..columns.count {
            pixels.extend(mean(photo, columns.range(column), rows.range(row)));
        }
    }
    let (left, width) = columns.placed(window.left, window.width);
    let (top, height) = rows.placed(window.top, window.height);
    let photo = Photo::from_rgb(columns.count as u32, rows.count as u32, pixels).ok()?;
    Some((photo, Window { left, top, width, height }))
}

/// One side of the seen part, cut into cells that become pixels.
struct Cells {
    first: usize,
    pixels: usize,
    count: usize,
}

impl Cells {
    fn of(begin: f64, length: f64, side: u32, most: usize) -> Self {
        let first = begin.floor().max(0.0) as usize;
        let end = ((begin + length).ceil() as usize).min(side as usize);
        let pixels = end.saturating_sub(first).max(1);
        Self { first, pixels, count: pixels.min(most) }
    }

    fn is_plain(&self) -> bool {
        self.count == self.pixels
    }

    fn range(&self, at: usize) -> std::ops::Range<usize> {
        let bound = |at: usize| self.first + at * self.pixels / self.count;
        bound(at)..bound(at + 1)
    }

    /// Begin and length of the window among the cells.
    fn placed(&self, begin: f64, length: f64) -> (f64, f64) {
        let scale = self.count as f64 / self.pixels as f64;
        ((begin - self.first as f64) * scale, length * scale)
    }
}

fn mean(photo: &Photo, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> [u8; 3] {
    let mut sums = [0_u64; 3];
    let count = (columns.len() * rows.len()) as u64;
    for row in rows {
        let at = row * photo.width() as usize;
        let (pixels, _) =
            photo.pixels()[3 * (at + columns.start)..3 * (at + columns.end)].as_chunks();
        for pixel in pixels {
            let pixel: &[u8; 3] = pixel;
            sums.iter_mut().zip(pixel).for_each(|(sum, &level)| *sum += u64::from(level));
        }
    }
    sums.map(|sum| ((sum + count / 2) / count) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Preprocess;

    fn whole(photo: &Photo) -> Window {
        let (width, height) = (f64::from(photo.width()), f64::from(photo.height()));
        Window { left: 0.0, top: 0.0, width, height }
    }

    #[test]
    fn a_photo_of_ordinary_shape_is_left_alone() {
        let photo = Photo::from_rgb(8000, 2, vec![9; 48_000]).expect("a photo");
        assert!(shortened(&photo, whole(&photo), [299, 299]).is_none());
    }

    #[test]
    fn a_long_row_keeps_its_slope_and_its_window() {
        let side = 1_000_000_u32;
        let level = |at: u32| [(u64::from(at) * 255 / u64::from(side)) as u8; 3];
        let photo = Photo::from_rgb(side, 1, (0..side).flat_map(level).collect()).expect("a photo");
        let (short, window) = shortened(&photo, whole(&photo), [64, 64]).expect("too long");
        assert_eq!(short.height(), 1);
        assert!(short.width() < side / 2);
        assert_eq!((window.left, window.width), (0.0, f64::from(short.width())));
        let values = Preprocess::inception(64).apply(&photo);
        for (at, value) in values[..64].iter().enumerate() {
            let expected = (at as f32 + 0.5) / 64.0 * 2.0 - 1.0;
            assert!((value - expected).abs() < 0.03, "{at}: {value} and {expected}");
        }
        let turned = Photo::from_rgb(1, side, photo.pixels().to_vec()).expect("a photo");
        let values = Preprocess::inception(64).apply(&turned);
        assert!((values[64 * 63] - 1.0).abs() < 0.03 && (values[0] + 1.0).abs() < 0.03);
    }
}
