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
/// Above the photo.
const HEAD: f64 = 42.0;
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
        let below = opaque(&photo).ok_or_else(|| failed(&"the photo has no pixels"))?;
        let above = self.overlay(&photo, COVER).ok_or_else(|| failed(&"the map has no pixels"))?;
        let left = self.left(&photo) as i32;
        for layer in [below, above] {
            let (paint, place) = (PixmapPaint::default(), Transform::identity());
            picture.draw_pixmap(left, HEAD as i32, layer.as_ref(), &paint, place, None);
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
            ("jpeg", 1.0, thumbnail_jpeg(&photo, photo.width().max(photo.height()))),
            ("png", COVER, overlay),
        ];
        let place = format!(
            "x=\"{}\" y=\"{HEAD}\" width=\"{}\" height=\"{}\"",
            self.left(&photo),
            photo.width(),
            photo.height()
        );
        let images = images.map(|(kind, opacity, bytes)| {
            let data = data_uri(kind, &bytes);
            format!("<image {place} opacity=\"{opacity}\" href=\"{data}\"/>\n")
        });
        Ok(self.document(&photo, Some(images.concat())))
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
        let rows = self.regions(REGIONS).len() as f64;
        let foot = 46.0 + rows * (LETTERS + 8.0);
        [f64::from(photo.width().max(NARROWEST)), HEAD + f64::from(photo.height()) + foot]
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
        for (line, text) in self.lines().iter().enumerate() {
            let fits = fitted(text, width - 16.0);
            lettering::write(&mut svg, &fits, [8.0, 8.0 + 17.0 * line as f64], LETTERS);
        }
        let regions = self.regions(REGIONS);
        let (left, scale) =
            (f64::from(self.left(photo)), f64::from(photo.width()) / f64::from(self.size[1]));
        for (number, region) in regions.iter().enumerate() {
            frame(&mut svg, number + 1, region, [left, HEAD], scale);
        }
        let foot = HEAD + f64::from(photo.height());
        self.legend(&mut svg, foot + 8.0);
        for (number, region) in regions.iter().enumerate() {
            let text = format!("{} {}", number + 1, region.sentence());
            let top = foot + 44.0 + number as f64 * (LETTERS + 8.0);
            lettering::write(&mut svg, &fitted(&text, width - 16.0), [8.0, top], LETTERS);
        }
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

    fn lines(&self) -> [String; 2] {
        let answer = self.answer(&self.whole).map_or_else(String::new, |(place, share)| {
            format!("answer: {} ({})", super::regions::name(place), percent(f64::from(share)))
        });
        [self.heading(), answer]
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

/// As much of a text as fits into a width.
fn fitted(text: &str, width: f64) -> String {
    let mut text = text.to_owned();
    while lettering::width(&text, LETTERS) > width && text.pop().is_some() {}
    text
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
