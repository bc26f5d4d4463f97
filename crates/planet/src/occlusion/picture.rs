use planet_data::{Photo, thumbnail_jpeg};
use planet_geo::Scale;
use resvg::{
    tiny_skia::{Pixmap, PixmapPaint, PremultipliedColorU8, Transform},
    usvg,
};

use super::{
    Measure, Occlusion,
    explain::resized,
    map::raster_size,
    regions::{Region, percent},
};
use crate::{
    map::{
        ColourScale, MapError,
        lettering::{self, put},
    },
    plot::{data_uri, escaped},
};

/// Least width of a picture, so that its legend fits.
const NARROWEST: u32 = 480;
/// Longer side of the photo in a picture.
const LONGEST: u32 = 640;
/// Height of letters.
const LETTERS: f64 = 10.0;
/// From one line to the next.
const LINE: f64 = LETTERS + 8.0;
/// Beside lines of text.
const MARGIN: f64 = 8.0;
/// Share of the map's colour over the photo.
const COVER: f64 = 0.6;
/// Regions that are framed.
pub(super) const REGIONS: usize = 3;

impl Occlusion {
    /// The photo with its map over it, a legend in percent and the three most important regions,
    /// as PNG.
    ///
    /// # Errors
    /// The picture does not fit into memory.
    pub fn to_png(&self) -> Result<Vec<u8>, MapError> {
        let failed = |error: &dyn std::fmt::Display| MapError::Picture(error.to_string());
        let photo = self.shown_photo();
        let [width, height] = self.picture_size(&photo);
        let mut picture =
            Pixmap::new(width as u32, height as u32).ok_or_else(|| failed(&"it is too large"))?;
        picture.fill(resvg::tiny_skia::Color::WHITE);
        let below = opaque(&grey(&photo)).ok_or_else(|| failed(&"the photo has no pixels"))?;
        let above = self.overlay(&photo, COVER).ok_or_else(|| failed(&"the map has no pixels"))?;
        let left = self.left(&photo) as i32;
        for layer in [below, above] {
            let (paint, place) = (PixmapPaint::default(), Transform::identity());
            picture.draw_pixmap(
                left,
                self.head(&photo) as i32,
                layer.as_ref(),
                &paint,
                place,
                None,
            );
        }
        let tree = usvg::Tree::from_str(&self.document(&photo, None), &usvg::Options::default())
            .map_err(|error| failed(&error))?;
        resvg::render(&tree, Transform::identity(), &mut picture.as_mut());
        picture.encode_png().map_err(|error| failed(&error))
    }

    /// The same as SVG, with the photo and the map inside.
    ///
    /// # Errors
    /// The picture does not fit into memory.
    pub fn to_svg(&self) -> Result<String, MapError> {
        let photo = self.shown_photo();
        let overlay = self.overlay_png(1.0)?;
        let images = [
            ("jpeg", 1.0, thumbnail_jpeg(&grey(&photo), photo.width().max(photo.height()))),
            ("png", COVER, overlay),
        ];
        let place = format!(
            "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            self.left(&photo),
            self.head(&photo),
            photo.width(),
            photo.height()
        );
        let images = images.map(|(kind, opacity, bytes)| {
            let data = data_uri(kind, &bytes);
            format!("<image {place} opacity=\"{opacity}\" href=\"{data}\"/>\n")
        });
        Ok(self.document(&photo, Some(images.concat())))
    }

    /// The photo with its map over it, without a word, as JPEG at most `longest` pixels long.
    pub fn to_thumbnail(&self, longest: u32) -> Vec<u8> {
        let size = raster_size([self.preview.height(), self.preview.width()], longest.max(1));
        let small = grey(&resized(&self.preview, size));
        let (colours, map) = (self.colours(), self.map(Measure::Probability).raster(size));
        let (photo, _) = small.pixels().as_chunks::<3>();
        let mixed = photo.iter().zip(map).flat_map(|(pixel, value)| {
            let over = colours.colour(value).rgb();
            std::array::from_fn::<u8, 3, _>(|part| {
                let (below, above) = (f64::from(pixel[part]), f64::from(over[part]));
                (below + COVER * (above - below)).round() as u8
            })
        });
        let mixed = Photo::from_rgb(small.width(), small.height(), mixed.collect());
        thumbnail_jpeg(&mixed.expect("three bytes for every pixel"), longest.max(1))
    }

    /// The colours of the map alone as PNG in the size of the shown photo, everywhere with this
    /// share of cover.
    pub(super) fn overlay_png(&self, cover: f64) -> Result<Vec<u8>, MapError> {
        let failed = |error: &dyn std::fmt::Display| MapError::Picture(error.to_string());
        let overlay = self.overlay(&self.shown_photo(), cover);
        let overlay = overlay.ok_or_else(|| failed(&"the map has no pixels"))?;
        overlay.encode_png().map_err(|error| failed(&error))
    }

    /// The photo as a picture shows it: small ones are enlarged.
    pub(super) fn shown_photo(&self) -> Photo {
        let [height, width] = raster_size(self.size, LONGEST).map(|side| side as f64);
        let factor = (f64::from(LONGEST) / height.max(width)).floor().max(1.0);
        resized(&self.preview, [height, width].map(|side| (side * factor) as usize))
    }

    /// The scale of the colours: light where the target's probability falls lowest.
    pub(super) fn colours(&self) -> ColourScale {
        let [least, greatest] = self.map(Measure::Probability).range();
        ColourScale::linear(least, greatest.max(least + 1e-6))
    }

    fn overlay(&self, photo: &Photo, cover: f64) -> Option<Pixmap> {
        let size = [photo.height() as usize, photo.width() as usize];
        let raster = self.map(Measure::Probability).raster(size);
        let (colours, alpha) = (self.colours(), (cover * 255.0).round() as u8);
        let mut pixmap = Pixmap::new(photo.width(), photo.height())?;
        for (pixel, value) in pixmap.pixels_mut().iter_mut().zip(raster) {
            let [red, green, blue] = colours
                .colour(value)
                .rgb()
                .map(|part| (u16::from(part) * u16::from(alpha) / 255) as u8);
            *pixel = PremultipliedColorU8::from_rgba(red, green, blue, alpha)?;
        }
        Some(pixmap)
    }

    fn picture_size(&self, photo: &Photo) -> [f64; 2] {
        let foot = 40.0 + LINE * self.foot(photo).len() as f64 + MARGIN;
        [self.width(photo), self.head(photo) + f64::from(photo.height()) + foot]
    }

    fn width(&self, photo: &Photo) -> f64 {
        f64::from(photo.width().max(NARROWEST))
    }

    /// Height of what stands above the photo.
    fn head(&self, photo: &Photo) -> f64 {
        LINE * self.lines(photo).len() as f64 + MARGIN
    }

    /// The lines above the photo: what the map is of, and the answer.
    fn lines(&self, photo: &Photo) -> Vec<String> {
        let answer = self.answer(&self.whole).map(|(place, share)| {
            format!("answer: {} ({})", super::regions::name(place), percent(f64::from(share)))
        });
        let texts = [Some(self.heading()), answer].into_iter().flatten();
        texts.flat_map(|text| wrapped(&text, self.width(photo) - 2.0 * MARGIN)).collect()
    }

    /// The lines below the legend: the regions.
    fn foot(&self, photo: &Photo) -> Vec<String> {
        let regions = self.regions(REGIONS);
        let texts = regions.iter().enumerate();
        let texts = texts.map(|(at, region)| format!("{} {}", at + 1, region.sentence()));
        texts.flat_map(|text| wrapped(&text, self.width(photo) - 2.0 * MARGIN)).collect()
    }

    fn left(&self, photo: &Photo) -> u32 {
        (NARROWEST.max(photo.width()) - photo.width()) / 2
    }

    /// Everything of the picture but its pixels, which are put in where they are given.
    fn document(&self, photo: &Photo, images: Option<String>) -> String {
        let [width, height] = self.picture_size(photo);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\"><title>{}</title>\n",
            escaped(&self.heading())
        );
        if let Some(images) = images {
            put(
                &mut svg,
                format_args!("<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"),
            );
            svg.push_str(&images);
        }
        let write = |svg: &mut String, texts: &[String], top: f64| {
            for (line, text) in texts.iter().enumerate() {
                let top = top + LINE * line as f64;
                lettering::write(svg, text, [MARGIN, top], LETTERS);
            }
        };
        write(&mut svg, &self.lines(photo), MARGIN);
        let head = self.head(photo);
        let (left, scale) =
            (f64::from(self.left(photo)), f64::from(photo.width()) / f64::from(self.size[1]));
        for (number, region) in self.regions(REGIONS).iter().enumerate() {
            frame(&mut svg, number + 1, region, [left, head], scale);
        }
        let foot = head + f64::from(photo.height());
        self.legend(&mut svg, foot + 8.0);
        write(&mut svg, &self.foot(photo), foot + 44.0);
        svg.push_str("</svg>\n");
        svg
    }

    /// What the map is of, in a line.
    pub(super) fn heading(&self) -> String {
        let at = self.scale.map_or_else(
            || "in its cell".to_owned(),
            |scale| format!("within {} km", scale.radius().km()),
        );
        format!("{} {at}: {}", self.target.name, percent(self.probability()))
    }

    fn legend(&self, svg: &mut String, top: f64) {
        const LENGTH: f64 = 200.0;
        const PIECES: u32 = 48;
        let [least, greatest] = self.map(Measure::Probability).range();
        let (colours, begin) = (self.colours(), 200.0);
        lettering::write(svg, "probability if hidden", [8.0, top], LETTERS * 0.9);
        for piece in 0..PIECES {
            let share = f64::from(piece) / f64::from(PIECES - 1);
            let colour = colours.colour(least + share * (greatest - least));
            let (x, wide) = (
                begin + LENGTH * f64::from(piece) / f64::from(PIECES),
                LENGTH / f64::from(PIECES) + 0.3,
            );
            put(
                svg,
                format_args!(
                    "<rect x=\"{x:.2}\" y=\"{top}\" width=\"{wide:.2}\" height=\"10\" fill=\"{colour}\"/>\n"
                ),
            );
        }
        for share in [0.0, 0.5, 1.0] {
            let text = percent(least + share * (greatest - least));
            let x = begin + share * LENGTH - lettering::width(&text, LETTERS * 0.8) / 2.0;
            lettering::write(svg, &text, [x, top + 14.0], LETTERS * 0.8);
        }
    }
}

/// A frame with its number, white on black so that it shows on every photo.
fn frame(svg: &mut String, number: usize, region: &Region, [left, top]: [f64; 2], scale: f64) {
    let hidden = region.hidden;
    let [x, y] = [left + f64::from(hidden.left) * scale, top + f64::from(hidden.top) * scale];
    let (width, height) = (f64::from(hidden.width) * scale, f64::from(hidden.height) * scale);
    for (colour, thick) in [("#000", 3.5), ("#fff", 1.5)] {
        put(
            svg,
            format_args!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
                 fill=\"none\" stroke=\"{colour}\" stroke-width=\"{thick}\"/>\n"
            ),
        );
    }
    put(
        svg,
        format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"14\" height=\"16\" fill=\"#fff\"/>\n",
            x + 2.0,
            y + 2.0
        ),
    );
    lettering::write(svg, &number.to_string(), [x + 5.5, y + 5.0], LETTERS);
}

/// A text in lines that fit into a width; a word that is longer than a line is cut in pieces.
fn wrapped(text: &str, width: f64) -> Vec<String> {
    let fits = |line: &str| lettering::width(line, LETTERS) <= width;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one from the beginning");
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if fits(&longer) {
            *line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(String::new());
        }
        for letter in word.chars() {
            let line = lines.last_mut().expect("there is one from the beginning");
            let longer = format!("{line}{letter}");
            if fits(&longer) || line.is_empty() {
                *line = longer;
            } else {
                lines.push(letter.to_string());
            }
        }
    }
    lines
}

/// A photo without its colours, so that all colours over it are the map's.
fn grey(photo: &Photo) -> Photo {
    let (pixels, _) = photo.pixels().as_chunks::<3>();
    let grey = |rgb: &[u8; 3]| {
        // Luma of ITU-R BT.601, in thousandths.
        let [red, green, blue] = rgb.map(u32::from);
        [((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8; 3]
    };
    let pixels = pixels.iter().flat_map(grey).collect();
    let grey = Photo::from_rgb(photo.width(), photo.height(), pixels);
    grey.expect("three bytes for every pixel")
}

/// A photo as a layer.
fn opaque(photo: &Photo) -> Option<Pixmap> {
    let mut pixmap = Pixmap::new(photo.width(), photo.height())?;
    for (pixel, rgb) in pixmap.pixels_mut().iter_mut().zip(photo.pixels().chunks_exact(3)) {
        *pixel = PremultipliedColorU8::from_rgba(rgb[0], rgb[1], rgb[2], 255)?;
    }
    Some(pixmap)
}

/// What a scale is called in a heading of a page.
pub(super) fn scale_name(scale: Option<Scale>) -> &'static str {
    scale.map_or("cell", Scale::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_photo_keeps_its_lightness_and_loses_its_colours() {
        let colours = vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
        let photo = Photo::from_rgb(4, 1, colours).expect("four pixels");
        let wanted = [76, 150, 29, 255].map(|value| [value; 3]).concat();
        assert_eq!(grey(&photo).pixels(), wanted);
    }

    #[test]
    fn a_text_longer_than_the_picture_is_wide_goes_on_in_the_next_line() {
        let long = "Dnipropetrovsk, Dnipropetrovska Oblast, Ukraine within 25 km: 64 %";
        let width = f64::from(NARROWEST) - 2.0 * MARGIN;
        let lines = wrapped(long, width);
        assert!(
            lines.len() > 1 && lines.iter().all(|line| lettering::width(line, LETTERS) <= width)
        );
        assert_eq!(lines.join(" "), long, "not a letter is lost");
        assert_eq!(wrapped("Vienna: 64 %", width), ["Vienna: 64 %"]);
        let word = "x".repeat(200);
        let lines = wrapped(&word, width);
        assert!(lines.iter().all(|line| lettering::width(line, LETTERS) <= width));
        assert_eq!(lines.concat(), word);
    }
}
