use tiny_skia::{Color, IntSize, Pixmap, PixmapPaint, Transform};

use crate::{
    WorldError,
    paint::{Picture, PictureSize},
};

/// Pixels between the pictures of a sheet.
const GAP: u32 = 6;

/// Pictures side by side in a square cell each, as a PNG file.
///
/// # Errors
/// There is no picture, or the sheet cannot be encoded.
pub fn contact_sheet(
    pictures: &[Picture],
    columns: u32,
    size: PictureSize,
) -> Result<Vec<u8>, WorldError> {
    let failed = |why: &str| WorldError::Encode { photo: "contact sheet".into(), why: why.into() };
    let cell = size.get() + GAP;
    let rows = (pictures.len() as u32).div_ceil(columns.max(1));
    let mut sheet = Pixmap::new(columns * cell + GAP, rows * cell + GAP)
        .filter(|_| !pictures.is_empty())
        .ok_or_else(|| failed("there is no picture"))?;
    sheet.fill(Color::from_rgba8(28, 28, 32, 255));
    for (index, picture) in (0..).zip(pictures) {
        let (column, row) = (index % columns, index / columns);
        let left = GAP + column * cell + (size.get() - picture.width.min(size.get())) / 2;
        let top = GAP + row * cell + (size.get() - picture.height.min(size.get())) / 2;
        let rgba = picture.rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
        let area = IntSize::from_wh(picture.width, picture.height);
        let pixmap = area
            .and_then(|area| Pixmap::from_vec(rgba, area))
            .ok_or_else(|| failed("a picture's pixels do not fit its size"))?;
        let (paint, place) = (PixmapPaint::default(), Transform::identity());
        sheet.draw_pixmap(left as i32, top as i32, pixmap.as_ref(), &paint, place, None);
    }
    sheet.encode_png().map_err(|error| failed(&error.to_string()))
}
