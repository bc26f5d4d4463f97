//! Geotags: positions alone, read from tables as a stream; none are kept in memory.

mod parquet;
mod skipped;
mod text;

use std::sync::mpsc::{SyncSender, sync_channel};

use planet_geo::{GeoError, LatLng};

pub use skipped::{SkipReason, Skipped};

use crate::{
    DataError, Monitor,
    table::{self, Columns, Table, TableSource},
};

/// Positions are handed over in batches of about this many.
const BATCH: usize = 1 << 16;

pub(crate) const LAT_NAMES: &[&str] =
    &["lat", "latitude", "gps_lat", "gps_latitude", "gpslatitude", "gt_lat", "decimallatitude"];
pub(crate) const LNG_NAMES: &[&str] = &[
    "lng",
    "lon",
    "long",
    "longitude",
    "gps_lng",
    "gps_lon",
    "gps_longitude",
    "gpslongitude",
    "gt_lng",
    "gt_lon",
    "gt_long",
    "decimallongitude",
];

/// How geotags are read.
#[derive(Clone, Debug, Default)]
pub struct GeotagOptions {
    /// Name of the latitude's column, or its number counted from 1; found by its usual names
    /// (`lat`, `latitude`, `LAT`, …) where unsaid.
    pub lat_column: Option<String>,
    /// Name of the longitude's column, or its number; as above.
    pub lng_column: Option<String>,
    /// A row without a valid position is an error instead of a counted skip.
    pub strict: bool,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GeotagCount {
    /// Rows with a valid position.
    pub positions: u64,
    /// Rows without one, by reason.
    pub skipped: Skipped,
}

/// Reads the positions of some tables and hands them to `take`, batch by batch, in order.
/// Reading and taking run side by side; memory does not grow with the tables.
///
/// A column that is said by number may stand in a table without a header: where both cells of
/// the first row are numbers, the first row is data.
///
/// # Errors
/// A file that cannot be read or is cut off; a column that is missing; most latitudes beyond
/// ±90, which means swapped columns; with [`GeotagOptions::strict`] the first row without a
/// valid position; [`DataError::Cancelled`].
pub fn read_geotags(
    sources: &[TableSource],
    options: &GeotagOptions,
    monitor: &dyn Monitor,
    mut take: impl FnMut(&[LatLng]),
) -> Result<GeotagCount, DataError> {
    let (sender, receiver) = sync_channel::<Vec<LatLng>>(4);
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            let mut count = GeotagCount::default();
            for source in sources {
                read_source(source, options, monitor, &sender, &mut count)?;
            }
            Ok(count)
        });
        for batch in receiver {
            take(&batch);
        }
        reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn read_source(
    source: &TableSource,
    options: &GeotagOptions,
    monitor: &dyn Monitor,
    sender: &SyncSender<Vec<LatLng>>,
    total: &mut GeotagCount,
) -> Result<(), DataError> {
    let name = source.path.display().to_string();
    let mut rows = Rows {
        name,
        strict: options.strict,
        monitor,
        sender,
        batch: Vec::with_capacity(BATCH),
        count: GeotagCount::default(),
    };
    match table::open(&source.path)? {
        Table::Text(mut table) => text::read(&mut table, source, options, &mut rows)?,
        Table::Parquet(file) => parquet::read(file, source, options, &mut rows)?,
    }
    rows.hand_over()?;
    rows.check_columns_are_not_swapped()?;
    total.positions += rows.count.positions;
    total.skipped.add(rows.count.skipped);
    Ok(())
}

/// One cell of a coordinate's column.
#[derive(Clone, Copy)]
enum Cell {
    Empty,
    Number(f64),
    Text,
}

/// Where the rows of one table go.
struct Rows<'a> {
    name: String,
    strict: bool,
    monitor: &'a dyn Monitor,
    sender: &'a SyncSender<Vec<LatLng>>,
    batch: Vec<LatLng>,
    count: GeotagCount,
}

impl Rows<'_> {
    #[inline]
    fn push(&mut self, line: u64, lat: Cell, lng: Cell) -> Result<(), DataError> {
        let (reason, what) = match (lat, lng) {
            (Cell::Number(lat), Cell::Number(lng)) => match LatLng::new(lat, lng) {
                Ok(position) => {
                    self.batch.push(position);
                    return if self.batch.len() < BATCH { Ok(()) } else { self.hand_over() };
                }
                Err(_) if lat.is_nan() || lng.is_nan() => {
                    (SkipReason::NotANumber, "the position is not a number (NaN)".to_owned())
                }
                Err(error @ GeoError::Latitude(_)) => (SkipReason::Latitude, error.to_string()),
                Err(error) => (SkipReason::Longitude, error.to_string()),
            },
            (Cell::Text, _) => (SkipReason::NotANumber, "the latitude is not a number".to_owned()),
            (_, Cell::Text) => (SkipReason::NotANumber, "the longitude is not a number".to_owned()),
            (Cell::Empty, _) | (_, Cell::Empty) => {
                (SkipReason::NoPosition, "the row has no position".to_owned())
            }
        };
        self.skip(line, reason, what)
    }

    fn skip(&mut self, line: u64, reason: SkipReason, what: String) -> Result<(), DataError> {
        let error = DataError::row(&self.name, line, what);
        if self.strict {
            return Err(error);
        }
        self.count.skipped.note(reason, || error.to_string());
        Ok(())
    }

    /// Sends the batch on its way.
    fn hand_over(&mut self) -> Result<(), DataError> {
        if self.monitor.cancelled() {
            return Err(DataError::Cancelled);
        }
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
        self.count.positions += batch.len() as u64;
        self.monitor.advance(batch.len() as u64);
        // The taker is gone only when it panicked, which the join reports.
        self.sender.send(batch).map_err(|_| DataError::Cancelled)
    }

    fn check_columns_are_not_swapped(&self) -> Result<(), DataError> {
        let beyond = self.count.skipped.of(SkipReason::Latitude);
        let rows = self.count.positions + self.count.skipped.total();
        if beyond * 2 <= rows {
            return Ok(());
        }
        let what = format!(
            "{beyond} of {rows} latitudes are beyond ±90: latitude and longitude seem to be swapped; \
             name the columns with --lat-column and --lng-column"
        );
        Err(DataError::table(&self.name, what))
    }
}

/// Indexes of the columns that matter.
struct Needed {
    lat: usize,
    lng: usize,
    split: Option<usize>,
    /// Both columns are said by number, so that the table may lack a header.
    by_number: bool,
}

impl Needed {
    fn find(
        columns: &Columns,
        source: &TableSource,
        options: &GeotagOptions,
    ) -> Result<Self, DataError> {
        let file = source.path.display().to_string();
        let find = |said: &Option<String>, names, what, flag| match said {
            Some(said) => said_column(columns, &file, said),
            None => columns.find(&file, names)?.map(|index| (index, false)).ok_or_else(|| {
                let listed = columns.listed();
                let what = format!("no column for the {what} among {listed}; name it with {flag}");
                DataError::table(&file, what)
            }),
        };
        let lat = find(&options.lat_column, LAT_NAMES, "latitude", "--lat-column")?;
        let lng = find(&options.lng_column, LNG_NAMES, "longitude", "--lng-column")?;
        if lat.0 == lng.0 {
            return Err(DataError::table(file, "latitude and longitude are the same column"));
        }
        let split = match &source.split {
            None => None,
            Some(_) => Some(columns.find(&file, &["split"])?.ok_or_else(|| {
                DataError::table(&file, "has no column 'split'; name the file without a split")
            })?),
        };
        Ok(Self { lat: lat.0, lng: lng.0, split, by_number: lat.1 && lng.1 })
    }
}

/// A column said by its name, or by its number counted from 1.
fn said_column(columns: &Columns, file: &str, said: &str) -> Result<(usize, bool), DataError> {
    let by_name = match columns.named(said) {
        Some(index) => Some(index),
        None => columns.find(file, &[said])?,
    };
    if let Some(index) = by_name {
        return Ok((index, false));
    }
    match said.parse::<usize>() {
        Ok(number) if (1..=columns.names().len()).contains(&number) => Ok((number - 1, true)),
        _ => {
            let what = format!("no column '{said}' among {}", columns.listed());
            Err(DataError::table(file, what))
        }
    }
}
