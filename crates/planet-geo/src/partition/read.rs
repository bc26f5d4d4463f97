use std::io::{BufRead, Read};

use super::{
    foreign,
    lines::{Line, Lines},
    rows::{Rows, position},
};
use crate::{
    CellId, Class, ClassKind, GeoError, Level, Partition, PartitionError, PartitionInfo, Point,
    Scale, Scatter,
};

/// Columns of our own layout that must be there.
const REQUIRED: [&str; 4] = ["cell", "photos", "lat", "lng"];
/// Columns of the shares of a class's photos within the five scales' radii of its point; a file
/// has all of them or none.
pub(super) const SCATTER: [&str; Scale::ALL.len()] =
    ["within_1_km", "within_25_km", "within_200_km", "within_750_km", "within_2500_km"];

impl Partition {
    /// Reads a partition: our own CSV layout or one of four others, told apart by their header.
    /// `name` stands in errors.
    ///
    /// | layout | becomes |
    /// |---|---|
    /// | `cell,photos,lat,lng,centre_lat,centre_lng` under `# key=value` lines, optionally with `within_1_km` to `within_2500_km` | itself |
    /// | `class_label,hex_id,imgs_per_cell,latitude_mean,longitude_mean` | one cell a class, in the order of the labels |
    /// | `id,S2CellId`, where class 0 means none of these | one cell a class, in the order of the ids, class 0 `other` |
    /// | tab-separated `token lat lng` | one cell a class, in the order of the rows |
    /// | `LAT,LON` and nothing else | a gallery: classes that are only points, in the order of the rows |
    ///
    /// # Errors
    /// A reader that fails, a layout that is none of these, a row that is wrong (by its line),
    /// cells that overlap, a fingerprint that belongs to other rows.
    pub fn read(reader: impl BufRead, name: &str) -> Result<Self, PartitionError> {
        let mut lines = Lines::new(reader, name);
        let mut metadata = Vec::new();
        while let Some(line) = lines.next_line()? {
            if let Some(comment) = line.text.strip_prefix('#') {
                metadata.extend(key_value(comment, '=').map(|(k, v)| (line.number, k, v)));
                continue;
            }
            if foreign::is_preamble(&line.text) {
                continue;
            }
            let header: Vec<String> =
                line.cells(line.delimiter()).map(str::to_ascii_lowercase).collect();
            let columns: Vec<&str> = header.iter().map(String::as_str).collect();
            return if REQUIRED.iter().all(|column| columns.contains(column)) {
                read_own(lines, &columns, &metadata)
            } else {
                foreign::read(lines, line, &columns)
            };
        }
        Err(PartitionError::file(name, "has no rows; a partition starts with its column names"))
    }
}

fn key_value(text: &str, separator: char) -> Option<(String, String)> {
    let (key, value) = text.split_once(separator)?;
    Some((key.trim().to_owned(), value.trim().to_owned()))
}

fn read_own<R: Read + BufRead>(
    mut lines: Lines<'_, R>,
    columns: &[&str],
    metadata: &[(u64, String, String)],
) -> Result<Partition, PartitionError> {
    let (info, fingerprint) = read_info(lines.name(), metadata)?;
    let column = |name: &str| columns.iter().position(|column| *column == name);
    let places = ["cell", "photos", "lat", "lng", "centre_lat", "centre_lng"].map(column);
    let scatter = scatter_columns(lines.name(), SCATTER.map(column))?;
    let mut rows = Rows::default();
    while let Some(line) = lines.next_line()? {
        let cells: Vec<&str> = line.cells(',').collect();
        if cells.len() != columns.len() {
            let what =
                format!("the row has {} cells, but the header has {}", cells.len(), columns.len());
            return Err(PartitionError::row(lines.name(), line.number, what));
        }
        let at = |index: usize| places[index].map_or("", |place| cells[place]);
        let class = own_class([at(0), at(1), at(2), at(3), at(4), at(5)])
            .and_then(|class| check_levels(&info, class))
            .and_then(|class| with_scatter(class, scatter.map(|it| it.map(|place| cells[place]))))
            .map_err(|what| PartitionError::row(lines.name(), line.number, what))?;
        rows.push(line.number, class);
    }
    let partition = rows.into_partition(lines.name(), info)?;
    match fingerprint {
        Some(stored) if stored != partition.fingerprint() => {
            let what = format!(
                "fingerprint {stored} does not match the rows (their fingerprint is {}): the file was changed \
                 or truncated; get it again, or remove the fingerprint line if the change is intended",
                partition.fingerprint()
            );
            Err(PartitionError::file(lines.name(), what))
        }
        _ => Ok(partition),
    }
}

/// Where the columns of scatter stand; `None` where there is none of them.
fn scatter_columns(
    name: &str,
    places: [Option<usize>; SCATTER.len()],
) -> Result<Option<[usize; SCATTER.len()]>, PartitionError> {
    let missing = SCATTER.iter().zip(places).find(|(_, place)| place.is_none());
    match missing {
        None => Ok(Some(places.map(|place| place.expect("none is missing")))),
        Some(_) if places.iter().all(Option::is_none) => Ok(None),
        Some((column, _)) => {
            let what = format!(
                "has no column {column}; write either all of {} or none",
                SCATTER.join(", ")
            );
            Err(PartitionError::file(name, what))
        }
    }
}

/// The class with its photos' scatter; empty cells are unknown.
fn with_scatter(class: Class, cells: Option<[&str; SCATTER.len()]>) -> Result<Class, String> {
    let Some(cells) = cells.filter(|cells| cells.iter().any(|cell| !cell.is_empty())) else {
        return Ok(class);
    };
    let mut shares = [0.0; SCATTER.len()];
    for ((share, cell), column) in shares.iter_mut().zip(cells).zip(SCATTER) {
        *share =
            cell.parse().map_err(|_| format!("{column} is '{cell}', not a share within 0..=1"))?;
    }
    let scatter = Scatter::new(shares).ok_or_else(|| {
        format!(
            "within_1_km to within_2500_km are {}; shares must be within 0..=1 and not fall with the radius",
            cells.join(", ")
        )
    })?;
    Ok(Class { scatter: Some(scatter), ..class })
}

fn read_info(
    name: &str,
    metadata: &[(u64, String, String)],
) -> Result<(PartitionInfo, Option<String>), PartitionError> {
    let mut info = PartitionInfo::default();
    let mut fingerprint = None;
    for (line, key, value) in metadata {
        let bad = |what: String| PartitionError::row(name, *line, what);
        let number = || {
            let number = value.parse::<u64>();
            number.map_err(|_| bad(format!("{key} is '{value}', not a whole number")))
        };
        let level = || {
            let level = number()?;
            let level = u8::try_from(level)
                .map_err(|_| bad(format!("level {level} is not within 0..=30")))?;
            Level::new(level).map(Level::get).map_err(|error| bad(error.to_string()))
        };
        match key.as_str() {
            "format" if value != super::FORMAT => {
                let what = format!(
                    "format '{value}' is not supported; this version reads '{}'",
                    super::FORMAT
                );
                return Err(bad(what));
            }
            "scheme" => info.scheme.clone_from(value),
            "source" => info.source.clone_from(value),
            "split_above" => info.split_above = Some(number()?),
            "keep_from" => info.keep_from = Some(number()?),
            "keep_more_than" => info.keep_more_than = Some(number()?),
            "photos_outside" => info.photos_outside = Some(number()?),
            "min_level" => info.min_level = Some(level()?),
            "max_level" => info.max_level = Some(level()?),
            "point" => {
                info.point = [Point::Mean, Point::Centre]
                    .into_iter()
                    .find(|point| point.name() == value)
                    .ok_or_else(|| {
                        bad(format!("point is '{value}'; it must be 'mean' or 'centre'"))
                    })?;
            }
            "fingerprint" => fingerprint = Some(value.clone()),
            _ => {}
        }
    }
    Ok((info, fingerprint))
}

fn own_class([cell, photos, lat, lng, centre_lat, centre_lng]: [&str; 6]) -> Result<Class, String> {
    let photos = photos.parse().map_err(|_| format!("photos is '{photos}', not a whole number"))?;
    if cell == "other" {
        return Ok(Class {
            kind: ClassKind::Other,
            photos,
            mean: None,
            centre: None,
            scatter: None,
        });
    }
    let mean = position(lat, lng)?;
    let centre = position(centre_lat, centre_lng)?;
    if cell.is_empty() {
        let mean = mean.ok_or("a class without a cell needs a position in lat and lng")?;
        let centre = Some(centre.unwrap_or(mean));
        return Ok(Class {
            kind: ClassKind::PointOnly,
            photos,
            mean: Some(mean),
            centre,
            scatter: None,
        });
    }
    let cells: Result<Vec<CellId>, GeoError> = cell.split_whitespace().map(str::parse).collect();
    let cells = cells.map_err(|error| error.to_string())?;
    let first =
        cells.first().ok_or("the cell contains only spaces; write a token, or leave it empty")?;
    let centre = centre.unwrap_or_else(|| first.centre().rounded());
    let mean = Some(mean.unwrap_or(centre));
    let kind = ClassKind::Cells(cells);
    Ok(Class { kind, photos, mean, centre: Some(centre), scatter: None })
}

fn check_levels(info: &PartitionInfo, class: Class) -> Result<Class, String> {
    for cell in class.cells() {
        let level = cell.level().get();
        if info.min_level.is_some_and(|min| level < min)
            || info.max_level.is_some_and(|max| level > max)
        {
            let (min, max) = (info.min_level.unwrap_or(0), info.max_level.unwrap_or(30));
            return Err(format!(
                "cell {cell} is of level {level}, not within the file's {min}..={max}"
            ));
        }
    }
    Ok(class)
}

impl Line {
    /// A tab where there is one, else a comma.
    fn delimiter(&self) -> char {
        if self.text.contains('\t') { '\t' } else { ',' }
    }
}
