use planet_geo::{ClassId, ClassKind, EARTH_RADIUS_KM, Partition};

use super::{Colour, ColourScale, Region, WorldMap, colour::parted};

/// A single class on its map.
const CLASS: Colour = Colour::new(214, 65, 70);
/// Half the side of the map of a class, at least, in degrees: a country's surroundings.
const SURROUNDINGS: f64 = 8.0;

/// A partition's cells shaded by their photos on a logarithmic scale; classes without a cell are
/// points.
pub fn partition_map(partition: &Partition, region: Region) -> WorldMap {
    let counts =
        || partition.classes().iter().map(|class| class.photos).filter(|&photos| photos > 0);
    let (least, most) = (counts().min().unwrap_or(1), counts().max().unwrap_or(1));
    let scale = ColourScale::logarithmic(least as f64, most as f64);
    let photos: u64 = counts().sum();
    let [classes, photos] =
        [partition.len() as u64, photos].map(|count| parted(&count.to_string()));
    let title = format!("{classes} classes, {photos} photos");
    let mut map = WorldMap::new(region).title(title);
    for class in partition.classes() {
        let colour = scale.colour(class.photos as f64);
        for &cell in class.cells() {
            map.cell(cell, colour);
        }
        if let (ClassKind::PointOnly, Some(point)) = (&class.kind, class.mean) {
            map.point(point, 2.0, colour);
        }
    }
    if most > least {
        map.legend("photos per cell", &scale);
    }
    map
}

/// Where on the globe one class lies: its cells, or its point.
pub(crate) fn class_map(partition: &Partition, class: ClassId) -> WorldMap {
    let cells = partition.class(class).cells();
    let Some(point) = partition.point(class) else { return WorldMap::new(Region::WORLD) };
    let radius = (partition.radius(class).km() / EARTH_RADIUS_KM).to_degrees();
    let half = (2.0 * radius).max(SURROUNDINGS);
    let (south, north) = ((point.lat() - half).max(-90.0), (point.lat() + half).min(90.0));
    let wide = (half / point.lat().to_radians().cos().max(0.1)).min(179.0);
    let around = Region::new(south, point.lng() - wide, north, point.lng() + wide);
    let mut map = WorldMap::new(around.unwrap_or(Region::WORLD));
    cells.iter().for_each(|cell| map.cell(*cell, CLASS));
    // A city's cell is smaller than a pixel.
    map.point(point, 4.0, CLASS);
    map
}
