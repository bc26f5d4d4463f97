use planet_data::{Photo, thumbnail};
use resvg::{
    tiny_skia::{Color, Pixmap, PremultipliedColorU8, Transform},
    usvg,
};

use crate::map::{
    MapError,
    lettering::{self, put},
};

/// Pixels between the photos of a sheet.
const GAP: u32 = 6;
/// Height of letters, and of the line that a caption stands in.
const LETTERS: f64 = 7.0;
const LINE: u32 = 14;

/// Photos side by side, `columns` in a row, each fitted into a square of `side` pixels with its
/// caption below, as PNG. A photo that could not be read is a grey square; of a caption that is
/// too long the end is shown.
///
/// # Errors
/// The sheet does not fit into memory.
pub fn contact_sheet(
    photos: &[(Option<Photo>, String)],
    columns: u32,
    side: u32,
) -> Result<Vec<u8>, MapError> {
    let failed = |error: &dyn std::fmt::Display| MapError::Picture(error.to_string());
    let columns = columns.clamp(1, photos.len().max(1) as u32);
    let rows = (photos.len() as u32).div_ceil(columns).max(1);
    let [width, height] = [columns * (side + GAP) + GAP, rows * (side + LINE + GAP) + GAP];
    let mut sheet = Pixmap::new(width, height).ok_or_else(|| failed(&"it is too large"))?;
    sheet.fill(Color::WHITE);
    let mut captions = String::new();
    put(
        &mut captions,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">\n"
        ),
    );
    for (place, (photo, caption)) in (0..).zip(photos) {
        let left = GAP + place % columns * (side + GAP);
        let top = GAP + place / columns * (side + LINE + GAP);
        let photo = match photo {
            Some(photo) => thumbnail(photo, side),
            None => grey(side / 2),
        };
        let corner = [left + (side - photo.width()) / 2, top + (side - photo.height()) / 2];
        paint(&mut sheet, &photo, corner);
        let text = fitting(caption, f64::from(side));
        let line = f64::from(top + side) + (f64::from(LINE) - LETTERS) / 2.0;
        lettering::write(&mut captions, &text, [f64::from(left), line], LETTERS);
    }
    captions.push_str("</svg>\n");
    let tree = usvg::Tree::from_str(&captions, &usvg::Options::default());
    resvg::render(
        &tree.map_err(|error| failed(&error))?,
        Transform::identity(),
        &mut sheet.as_mut(),
    );
    sheet.encode_png().map_err(|error| failed(&error))
}

fn grey(side: u32) -> Photo {
    let side = side.max(1);
    let pixels = vec![150; 3 * (side * side) as usize];
    Photo::from_rgb(side, side, pixels).expect("three bytes for every pixel")
}

fn paint(sheet: &mut Pixmap, photo: &Photo, [left, top]: [u32; 2]) {
    let width = sheet.width();
    let (pixels, _) = photo.pixels().as_chunks::<3>();
    for (at, [red, green, blue]) in (0..).zip(pixels) {
        let (column, row) = (left + at % photo.width(), top + at / photo.width());
        if let Some(pixel) = PremultipliedColorU8::from_rgba(*red, *green, *blue, 255) {
            sheet.pixels_mut()[(row * width + column) as usize] = pixel;
        }
    }
}

/// A caption, or as much of its end as fits.
fn fitting(caption: &str, width: f64) -> String {
    let fits = |text: &str| lettering::width(text, LETTERS) <= width;
    if fits(caption) {
        return caption.to_owned();
    }
    let ends = caption.char_indices().map(|(at, _)| format!("..{}", &caption[at..]));
    ends.into_iter().find(|end| fits(end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_caption_the_end_stays() {
        assert_eq!(fitting("a.jpg", 160.0), "a.jpg");
        let cut = fitting("author-2-00001/album/0000021.jpg", 80.0);
        assert!(cut.starts_with("..") && cut.ends_with("21.jpg"), "{cut}");
        assert!(lettering::width(&cut, LETTERS) <= 80.0);
    }
}
