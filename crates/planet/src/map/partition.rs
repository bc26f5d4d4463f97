use planet_geo::{ClassKind, Partition};

use super::{ColourScale, Region, WorldMap, colour::parted};

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
        map.legend("photos a cell", &scale);
    }
    map
}
