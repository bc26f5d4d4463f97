use std::io::{BufRead, Read};

use super::{
    lines::{Line, Lines},
    rows::{Rows, position},
};
use crate::{CellId, Class, ClassKind, LatLng, Partition, PartitionError, PartitionInfo, Point};

/// A layout that others write, with the places of its columns.
#[derive(Clone, Copy)]
enum Layout {
    /// `class_label,hex_id,imgs_per_cell,latitude_mean,longitude_mean`.
    ClassLabel { label: usize, cell: usize, photos: Option<usize>, mean: Option<[usize; 2]> },
    /// `id,S2CellId`.
    IdCell { id: usize, cell: usize },
    /// `token lat lng`, separated by tabs.
    TokenPoint,
    /// `LAT,LON` and nothing else: a gallery of positions.
    Positions { lat: usize, lng: usize },
}

/// Lines that stand above the header in the `class_label` layout.
pub(super) fn is_preamble(text: &str) -> bool {
    ["num_images:", "min_concept_probability:"].iter().any(|key| text.trim_start().starts_with(key))
}

/// `first` is the first line that is no metadata: the header, or a row where there is none.
pub(super) fn read<R: Read + BufRead>(
    mut lines: Lines<'_, R>,
    first: Line,
    columns: &[&str],
) -> Result<Partition, PartitionError> {
    let layout = layout_of(columns).ok_or_else(|| {
        let what = "is not a partition: the columns must be cell,photos,lat,lng, or class_label,hex_id, \
                    or id,S2CellId, or LAT,LON, or token, lat and lng separated by tabs";
        PartitionError::file(lines.name(), what)
    })?;
    let has_header = columns[0].parse::<CellId>().is_err();
    let mut first = (!has_header).then_some(first);
    let mut rows: Vec<(u64, u64, Class)> = Vec::new();
    while let Some(line) = first.take().map_or_else(|| lines.next_line(), |line| Ok(Some(line)))? {
        let bad = |what: String| PartitionError::row(lines.name(), line.number, what);
        let delimiter = if matches!(layout, Layout::TokenPoint) { '\t' } else { ',' };
        let cells: Vec<&str> = line.cells(delimiter).collect();
        if cells.len() != columns.len() {
            let what = format!(
                "the row has {} cells, but the first line has {}",
                cells.len(),
                columns.len()
            );
            return Err(bad(what));
        }
        let (label, class) = layout.class(&cells, rows.len() as u64).map_err(bad)?;
        rows.push((label, line.number, class));
    }
    in_label_order(lines.name(), layout, rows)
}

fn layout_of(columns: &[&str]) -> Option<Layout> {
    let find = |name: &str| columns.iter().position(|column| *column == name);
    if let (Some(label), Some(cell)) = (find("class_label"), find("hex_id")) {
        let mean = find("latitude_mean").zip(find("longitude_mean")).map(|(lat, lng)| [lat, lng]);
        return Some(Layout::ClassLabel { label, cell, photos: find("imgs_per_cell"), mean });
    }
    if let (Some(id), Some(cell)) = (find("id"), find("s2cellid")) {
        return Some(Layout::IdCell { id, cell });
    }
    let lat = find("lat").or_else(|| find("latitude"));
    let lng = ["lng", "lon", "longitude"].into_iter().find_map(find);
    if let (Some(lat), Some(lng), 2) = (lat, lng, columns.len()) {
        return Some(Layout::Positions { lat, lng });
    }
    let token =
        columns.len() == 3 && (columns[0] == "token" || columns[0].parse::<CellId>().is_ok());
    token.then_some(Layout::TokenPoint)
}

impl Layout {
    /// The class of a row, and its label: where it belongs among the classes.
    fn class(self, cells: &[&str], row: u64) -> Result<(u64, Class), String> {
        match self {
            Self::ClassLabel { label, cell, photos, mean } => {
                let photos = photos.map_or(Ok(0), |place| whole(cells[place]))?;
                let mean = match mean {
                    Some([lat, lng]) => position(cells[lat], cells[lng])?,
                    None => None,
                };
                Ok((whole(cells[label])?, cell_class(cells[cell], photos, mean)?))
            }
            Self::IdCell { id, cell } => {
                let id = whole(cells[id])?;
                Ok((id, if id == 0 { other() } else { cell_class(cells[cell], 0, None)? }))
            }
            Self::TokenPoint => Ok((row, cell_class(cells[0], 0, position(cells[1], cells[2])?)?)),
            Self::Positions { lat, lng } => {
                let at = position(cells[lat], cells[lng])?.ok_or("the position is empty")?;
                Ok((
                    row,
                    Class {
                        kind: ClassKind::PointOnly,
                        photos: 0,
                        mean: Some(at),
                        centre: Some(at),
                        scatter: None,
                    },
                ))
            }
        }
    }

    fn info(self) -> PartitionInfo {
        let (scheme, point) = match self {
            Self::ClassLabel { mean: Some(_), .. } => ("class_label,hex_id", Point::Mean),
            Self::ClassLabel { mean: None, .. } => ("class_label,hex_id", Point::Centre),
            Self::IdCell { .. } => ("id,S2CellId", Point::Centre),
            Self::TokenPoint => ("token lat lng", Point::Mean),
            Self::Positions { .. } => ("gallery", Point::Mean),
        };
        PartitionInfo { scheme: scheme.to_owned(), point, ..PartitionInfo::default() }
    }
}

/// Puts the classes in the order of their labels, which number them from 0 without a gap; class
/// 0 of the `id,S2CellId` layout may be unwritten.
fn in_label_order(
    name: &str,
    layout: Layout,
    mut rows: Vec<(u64, u64, Class)>,
) -> Result<Partition, PartitionError> {
    rows.sort_by_key(|(label, ..)| *label);
    if matches!(layout, Layout::IdCell { .. }) && rows.first().is_some_and(|(id, ..)| *id == 1) {
        rows.insert(0, (0, 0, other()));
    }
    let mut sorted = Rows::default();
    for (expected, (label, line, class)) in rows.into_iter().enumerate() {
        if label != expected as u64 {
            let what = format!(
                "found class {label} instead of class {expected}: \
                 classes must be numbered from 0, each once"
            );
            return Err(PartitionError::row(name, line, what));
        }
        sorted.push(line, class);
    }
    sorted.into_partition(name, layout.info())
}

fn whole(text: &str) -> Result<u64, String> {
    // Counts that went through a table of floats read 12.0.
    let digits = text.strip_suffix(".0").unwrap_or(text);
    digits.parse().map_err(|_| format!("'{text}' is not a whole number"))
}

fn cell_class(token: &str, photos: u64, mean: Option<LatLng>) -> Result<Class, String> {
    let cell: CellId = token.parse().map_err(|error: crate::GeoError| error.to_string())?;
    let centre = cell.centre().rounded();
    let mean = Some(mean.unwrap_or(centre));
    let kind = ClassKind::Cells(vec![cell]);
    Ok(Class { kind, photos, mean, centre: Some(centre), scatter: None })
}

fn other() -> Class {
    Class { kind: ClassKind::Other, photos: 0, mean: None, centre: None, scatter: None }
}
