/// EXIF's eight orientations: how the stored pixels are turned and mirrored (Exif 3.0, tag
/// 0x0112).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Orientation(u8);

impl Orientation {
    /// Values other than 2..=8 mean upright, as every viewer takes them.
    pub(crate) fn from_exif(value: u32) -> Self {
        Self(match value {
            2..=8 => value as u8 - 1,
            _ => 0,
        })
    }

    /// Whether width and height change places.
    pub(crate) fn transposes(self) -> bool {
        self.0 >= 4
    }

    /// Width and height of the upright photo.
    pub(crate) fn upright(self, width: u32, height: u32) -> (u32, u32) {
        if self.transposes() { (height, width) } else { (width, height) }
    }

    /// Turns `[height, width, 3]` bytes upright.
    pub(crate) fn apply(self, pixels: Vec<u8>, width: usize, height: usize) -> Vec<u8> {
        let mirrored_x = matches!(self.0, 1 | 2 | 6 | 7);
        let mirrored_y = matches!(self.0, 2 | 3 | 5 | 6);
        match self.0 {
            0 => pixels,
            1..=3 => mirror(&pixels, width, height, mirrored_x, mirrored_y),
            // 5: transposed; 6: turned clockwise; 7: transversed; 8: turned anticlockwise.
            4 => transpose(&pixels, width, height, false, false),
            5 => transpose(&pixels, width, height, true, false),
            6 => transpose(&pixels, width, height, true, true),
            _ => transpose(&pixels, width, height, false, true),
        }
    }
}

/// Mirrors left to right (`x`), top to bottom (`y`), or both.
fn mirror(pixels: &[u8], width: usize, height: usize, x: bool, y: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(pixels.len());
    for row in 0..height {
        let row = if y { height - 1 - row } else { row };
        let row = &pixels[row * width * 3..(row + 1) * width * 3];
        if x {
            out.extend(row.as_chunks::<3>().0.iter().rev().flatten());
        } else {
            out.extend_from_slice(row);
        }
    }
    out
}

/// Changes rows and columns; `bottom_first` and `right_first` say where in the stored pixels
/// the upright photo's rows begin and its columns begin. Works in blocks, since whole columns
/// would miss the cache at every pixel.
fn transpose(
    pixels: &[u8],
    width: usize,
    height: usize,
    bottom_first: bool,
    right_first: bool,
) -> Vec<u8> {
    const BLOCK: usize = 32;
    let (source, _) = pixels.as_chunks::<3>();
    let mut out = vec![0; pixels.len()];
    let (upright, _) = out.as_chunks_mut::<3>();
    for y0 in (0..width).step_by(BLOCK) {
        for x0 in (0..height).step_by(BLOCK) {
            for y in y0..(y0 + BLOCK).min(width) {
                let column = if right_first { width - 1 - y } else { y };
                for x in x0..(x0 + BLOCK).min(height) {
                    let row = if bottom_first { height - 1 - x } else { x };
                    upright[y * height + x] = source[row * width + column];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A photo of 3 × 2 pixels, stored as EXIF says for each orientation of
    /// `a b c / d e f` (the table of the Exif standard, worked out by hand).
    #[test]
    fn all_eight_orientations_give_the_same_upright_photo() {
        let stored = [
            (1, "abcdef", 3),
            (2, "cbafed", 3),
            (3, "fedcba", 3),
            (4, "defabc", 3),
            (5, "adbecf", 2),
            (6, "cfbead", 2),
            (7, "fcebda", 2),
            (8, "daebfc", 2),
        ];
        for (exif, letters, width) in stored {
            let pixels = letters.bytes().flat_map(|b| [b; 3]).collect();
            let orientation = Orientation::from_exif(exif);
            let upright = orientation.apply(pixels, width, 6 / width);
            let seen: String = upright.chunks(3).map(|p| p[0] as char).collect();
            assert_eq!(seen, "abcdef", "orientation {exif}");
            assert_eq!(orientation.upright(width as u32, 6 / width as u32), (3, 2));
        }
    }

    #[test]
    fn orientations_that_do_not_exist_leave_the_photo_as_it_is() {
        for exif in [0, 9, 77, u32::MAX] {
            assert_eq!(Orientation::from_exif(exif), Orientation::from_exif(1));
        }
    }
}
