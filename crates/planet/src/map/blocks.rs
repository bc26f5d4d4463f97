use std::fmt::Write;

use super::{MapError, WorldMap};

impl WorldMap {
    /// The map in block characters and 24-bit colours, two pixels a character, for a terminal
    /// of this many columns.
    ///
    /// # Errors
    /// The picture does not fit into memory.
    pub fn to_blocks(&self, columns: u32) -> Result<String, MapError> {
        let picture = self.clone().width(columns * 4).render()?;
        let scale = picture.width() / columns.max(1);
        let scale = scale.max(1);
        let colour = |column: u32, row: u32| {
            // A little mark must not fall between the samples: the pixel farthest from white.
            let pixels = (0..scale * scale).filter_map(|at| {
                picture.pixel(column * scale + at % scale, row * scale + at / scale)
            });
            let strength = |pixel: &resvg::tiny_skia::PremultipliedColorU8| {
                765 - u32::from(pixel.red()) - u32::from(pixel.green()) - u32::from(pixel.blue())
            };
            pixels.max_by_key(strength).map_or([255; 3], |it| [it.red(), it.green(), it.blue()])
        };
        let mut text = String::new();
        for row in (0..picture.height() / scale).step_by(2) {
            for column in 0..picture.width() / scale {
                let ([r, g, b], [x, y, z]) = (colour(column, row), colour(column, row + 1));
                let written = write!(text, "\x1b[38;2;{r};{g};{b};48;2;{x};{y};{z}m▀");
                written.expect("text grows");
            }
            text.push_str("\x1b[0m\n");
        }
        Ok(text)
    }
}
