//! Partitions for maps elsewhere: GeoJSON and KML, both in the order longitude, latitude.

use std::io::{self, Write};

use crate::{Class, ClassId, ClassKind, Partition};

impl Partition {
    /// Writes a GeoJSON feature collection (RFC 7946): a feature a class, whose `id` is the class
    /// id, with its photos, level, token and point as properties. Large cells have their edges
    /// divided; those across the antimeridian are cut there. `other` has no geometry.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write_geojson(&self, mut writer: impl Write) -> io::Result<()> {
        write!(writer, "{{\"type\":\"FeatureCollection\",\"features\":[")?;
        for (row, class) in self.classes().iter().enumerate() {
            let separator = if row == 0 { "" } else { "," };
            write!(writer, "{separator}\n{{\"type\":\"Feature\",\"id\":{row},\"geometry\":")?;
            write_geometry(&mut writer, class)?;
            write!(writer, ",\"properties\":{{\"class\":{row},\"photos\":{}", class.photos)?;
            if !class.cells().is_empty() {
                write!(writer, ",\"cell\":\"{}\"", tokens(class))?;
            }
            if let [cell] = class.cells() {
                write!(writer, ",\"level\":{}", cell.level())?;
            }
            if let Some(point) = self.point(ClassId(row as u32)) {
                write!(writer, ",\"lat\":{},\"lng\":{}", point.lat(), point.lng())?;
            }
            write!(writer, "}}}}")?;
        }
        writeln!(writer, "\n]}}")
    }

    /// Writes KML 2.2: a placemark a class, shaded by its photos. As with GeoJSON, edges are
    /// divided and cells across the antimeridian cut.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write_kml(&self, mut writer: impl Write) -> io::Result<()> {
        writeln!(writer, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(writer, "<kml xmlns=\"http://www.opengis.net/kml/2.2\"><Document>")?;
        writeln!(writer, "<name>Partition of {} classes</name>", self.len())?;
        for (shade, colour) in KML_SHADES.iter().enumerate() {
            writeln!(
                writer,
                "<Style id=\"s{shade}\"><LineStyle><color>ff404040</color><width>0.5</width>\
                 </LineStyle><PolyStyle><color>a0{colour}</color></PolyStyle></Style>"
            )?;
        }
        let most = self.classes().iter().map(|class| class.photos).max().unwrap_or(0);
        for (row, class) in self.classes().iter().enumerate() {
            write_placemark(&mut writer, row, class, shade(class.photos, most))?;
        }
        writeln!(writer, "</Document></kml>")
    }
}

/// From few photos to many; blue, green, red, as KML has them.
const KML_SHADES: [&str; 5] = ["c9ecff", "7bc7fe", "3b8dfd", "1c1ae3", "260080"];

/// One of five steps on a logarithmic scale.
fn shade(photos: u64, most: u64) -> usize {
    let share = (photos as f64 + 1.0).ln() / (most as f64 + 1.0).ln().max(f64::MIN_POSITIVE);
    ((share * KML_SHADES.len() as f64) as usize).min(KML_SHADES.len() - 1)
}

fn tokens(class: &Class) -> String {
    let tokens: Vec<String> = class.cells().iter().map(|cell| cell.token()).collect();
    tokens.join(" ")
}

fn rings(class: &Class) -> Vec<Vec<[f64; 2]>> {
    class.cells().iter().flat_map(|cell| cell.outline().cut_at_antimeridian()).collect()
}

fn write_geometry(writer: &mut impl Write, class: &Class) -> io::Result<()> {
    match (&class.kind, class.mean) {
        (ClassKind::PointOnly, Some(point)) => {
            let (lng, lat) = (point.lng(), point.lat());
            return write!(writer, "{{\"type\":\"Point\",\"coordinates\":[{lng},{lat}]}}");
        }
        (ClassKind::Cells(_), _) => {}
        _ => return write!(writer, "null"),
    }
    let rings = rings(class);
    let many = rings.len() != 1;
    let (kind, open, end) = if many { ("MultiPolygon", "[", "]") } else { ("Polygon", "", "") };
    write!(writer, "{{\"type\":\"{kind}\",\"coordinates\":{open}")?;
    for (index, ring) in rings.iter().enumerate() {
        write!(writer, "{}[[", if index == 0 { "" } else { "," })?;
        for (index, [lng, lat]) in ring.iter().enumerate() {
            write!(writer, "{}[{lng:.7},{lat:.7}]", if index == 0 { "" } else { "," })?;
        }
        write!(writer, "]]")?;
    }
    write!(writer, "{end}}}")
}

fn write_placemark(
    writer: &mut impl Write,
    row: usize,
    class: &Class,
    shade: usize,
) -> io::Result<()> {
    if class.kind == ClassKind::Other {
        return Ok(());
    }
    let name = tokens(class);
    writeln!(
        writer,
        "<Placemark id=\"c{row}\"><name>{row}</name><description>{name} {} photos</description>\
         <styleUrl>#s{shade}</styleUrl><MultiGeometry>",
        class.photos
    )?;
    if let (ClassKind::PointOnly, Some(point)) = (&class.kind, class.mean) {
        let (lng, lat) = (point.lng(), point.lat());
        writeln!(writer, "<Point><coordinates>{lng},{lat}</coordinates></Point>")?;
    }
    for ring in rings(class) {
        write!(writer, "<Polygon><outerBoundaryIs><LinearRing><coordinates>")?;
        for [lng, lat] in ring {
            write!(writer, "{lng:.7},{lat:.7} ")?;
        }
        writeln!(writer, "</coordinates></LinearRing></outerBoundaryIs></Polygon>")?;
    }
    writeln!(writer, "</MultiGeometry></Placemark>")
}
