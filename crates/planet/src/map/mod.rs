//! Maps of the world as SVG, and as PNG made from it: cells in colours, points, lines and a
//! legend, over the outlines of the land (Natural Earth, 1:50m).
//!
//! ```
//! use planet::map::{Colour, ColourScale, Region, WorldMap};
//! use planet_geo::{CellId, LatLng, Level};
//!
//! let venice = LatLng::new(45.4408, 12.3155)?;
//! let scale = ColourScale::linear(0.0, 1.0);
//! let mut map = WorldMap::new("35,-11,60,30".parse::<Region>()?).title("Where is it?");
//! map.cell(CellId::containing(venice, Level::new(7)?), scale.colour(0.8));
//! map.point(venice, 4.0, Colour::new(20, 90, 200));
//! map.legend("probability", &scale);
//! assert!(map.to_svg().starts_with("<svg"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod colour;
mod land;
pub(crate) mod lettering;
mod page;
mod partition;
mod probability;
mod region;
mod svg;

use std::collections::BTreeMap;

use planet_geo::{CellId, LatLng};
use resvg::{tiny_skia, usvg};
use thiserror::Error;

pub use colour::{Colour, ColourScale};
pub use land::land_rings;
pub(crate) use page::MOVING;
pub(crate) use partition::class_map;
pub use partition::partition_map;
pub use probability::{outline_region, probability_map};
pub use region::Region;

/// Why there is no map.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum MapError {
    /// Text that is no region.
    #[error("'{0}' is not a region; write SOUTH,WEST,NORTH,EAST in degrees")]
    RegionText(String),
    /// A box that holds nothing, or lies outside the earth.
    #[error(
        "{south},{west},{north},{east} is not a region: \
         south must be less than north, both within ±90, and west less than east"
    )]
    Region {
        /// Southern border in degrees.
        south: f64,
        /// Western border in degrees.
        west: f64,
        /// Northern border in degrees.
        north: f64,
        /// Eastern border in degrees.
        east: f64,
    },
    /// The picture cannot be made.
    #[error("cannot draw the map: {0}")]
    Picture(String),
}

/// A map in the making. What is added later lies above; points and lines lie above cells.
#[derive(Clone, Debug)]
pub struct WorldMap {
    region: Region,
    /// Width of the picture in pixels.
    width: u32,
    title: Option<String>,
    cells: BTreeMap<Colour, Vec<CellId>>,
    marks: Vec<Mark>,
    legends: Vec<Legend>,
}

#[derive(Clone, Debug)]
enum Mark {
    Point { at: LatLng, radius: f64, colour: Colour, number: Option<usize> },
    Line { from: LatLng, to: LatLng, width: f64, colour: Colour },
}

#[derive(Clone, Debug)]
enum Legend {
    Scale { name: String, scale: ColourScale },
    Key { name: String, colour: Colour },
}

impl WorldMap {
    /// An empty map of a region, 1600 pixels wide.
    pub fn new(region: Region) -> Self {
        let (cells, marks, legends) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { region, width: 1600, title: None, cells, marks, legends }
    }

    /// With a title above. Letters outside ASCII are drawn as `?`, but kept in the SVG's own
    /// title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// With another width, 200..=8000 pixels; the height follows.
    pub fn width(mut self, pixels: u32) -> Self {
        self.width = pixels.clamp(200, 8000);
        self
    }

    /// Fills a cell. Cells of one colour are drawn together.
    pub fn cell(&mut self, cell: CellId, colour: Colour) {
        self.cells.entry(colour).or_default().push(cell);
    }

    /// Marks a position with a disc of this radius in pixels.
    pub fn point(&mut self, at: LatLng, radius: f64, colour: Colour) {
        self.marks.push(Mark::Point { at, radius, colour, number: None });
    }

    /// The same, with a number by which a page finds it: `data-number` of its circle.
    pub(crate) fn numbered_point(
        &mut self,
        at: LatLng,
        radius: f64,
        colour: Colour,
        number: usize,
    ) {
        self.marks.push(Mark::Point { at, radius, colour, number: Some(number) });
    }

    /// Joins two positions by the shortest way, with a line of this width in pixels.
    pub fn line(&mut self, from: LatLng, to: LatLng, width: f64, colour: Colour) {
        self.marks.push(Mark::Line { from, to, width, colour });
    }

    /// Explains a scale of colours below the map.
    pub fn legend(&mut self, name: impl Into<String>, scale: &ColourScale) {
        self.legends.push(Legend::Scale { name: name.into(), scale: *scale });
    }

    /// Explains one colour below the map.
    pub fn key(&mut self, name: impl Into<String>, colour: Colour) {
        self.legends.push(Legend::Key { name: name.into(), colour });
    }

    /// The same without what is explained below it.
    pub fn without_legends(mut self) -> Self {
        self.legends.clear();
        self
    }

    /// The map as SVG, which needs no fonts.
    pub fn to_svg(&self) -> String {
        svg::draw(self)
    }

    /// The map as PNG.
    ///
    /// # Errors
    /// The picture does not fit into memory.
    pub fn to_png(&self) -> Result<Vec<u8>, MapError> {
        self.render()?.encode_png().map_err(|error| MapError::Picture(error.to_string()))
    }

    fn render(&self) -> Result<tiny_skia::Pixmap, MapError> {
        let failed = |error: &dyn std::fmt::Display| MapError::Picture(error.to_string());
        let tree = usvg::Tree::from_str(&self.to_svg(), &usvg::Options::default())
            .map_err(|error| failed(&error))?;
        let size = tree.size().to_int_size();
        let mut picture = tiny_skia::Pixmap::new(size.width(), size.height())
            .ok_or_else(|| failed(&"the image is too large"))?;
        resvg::render(&tree, tiny_skia::Transform::identity(), &mut picture.as_mut());
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lng: f64) -> LatLng {
        LatLng::new(lat, lng).expect("a position of this test")
    }

    /// Colour of the picture at a position of a world map without title.
    fn pixel(map: &WorldMap, position: LatLng) -> Colour {
        let png = map.to_png().expect("drawn");
        let picture = tiny_skia::Pixmap::decode_png(&png).expect("a PNG");
        let width = f64::from(picture.width());
        let x = (position.lng() + 180.0) / 360.0 * width;
        let y = (90.0 - position.lat()) / 360.0 * width;
        let pixel = picture.pixel(x as u32, y as u32).expect("inside");
        Colour::new(pixel.red(), pixel.green(), pixel.blue())
    }

    #[test]
    fn land_and_sea_lie_where_they_are() {
        let map = WorldMap::new(Region::WORLD).width(720);
        let sea = pixel(&map, at(0.0, -30.0));
        let land = pixel(&map, at(48.0, 2.5));
        assert_ne!(sea, land);
        for (lat, lng) in
            [(66.5, 178.0), (66.5, -173.0), (-88.0, 100.0), (-88.0, -20.0), (-25.0, 134.0)]
        {
            assert_eq!(pixel(&map, at(lat, lng)), land, "{lat},{lng} is land");
        }
        for (lat, lng) in [(42.0, 51.0), (85.0, 0.0), (-60.0, 179.0), (70.0, -179.9), (-50.0, 0.0)]
        {
            assert_eq!(pixel(&map, at(lat, lng)), sea, "{lat},{lng} is sea");
        }
    }

    #[test]
    fn cells_and_points_are_drawn_in_their_colours_also_across_the_antimeridian() {
        let red = Colour::new(255, 0, 0);
        let mut map = WorldMap::new(Region::WORLD).width(720);
        let plain = pixel(&map, at(10.0, 179.0));
        map.cell(CellId::faces()[3], red);
        assert_ne!(pixel(&map, at(10.0, 179.0)), plain);
        assert_eq!(pixel(&map, at(10.0, 179.0)), pixel(&map, at(10.0, -179.0)));
        map.point(at(0.0, -30.0), 5.0, red);
        assert_eq!(pixel(&map, at(0.0, -30.0)), red);
    }

    #[test]
    fn a_title_is_text_and_not_markup() {
        let svg = WorldMap::new(Region::WORLD).title("<b> & \"c\"").to_svg();
        assert!(svg.contains("<title>&lt;b&gt; &amp; &quot;c&quot;</title>"), "{}", &svg[..300]);
    }
}
