use std::io::{self, Write};

use clap::Args;
use planet_data::{DataError, GeotagCount, GeotagOptions, read_geotags, table::TableSource};
use planet_geo::{LatLng, PhotoLeaves, PhotoLeavesBuilder};

use crate::{failure::Failure, progress::Progress};

/// Where positions come from; shared by the commands that read them.
#[derive(Args, Debug)]
pub struct GeotagArguments {
    /// Tables of positions: CSV, TSV or Parquet, also with .gz or .zst; FILE:SPLIT selects the rows
    /// of one split; - is standard input
    #[arg(required = true, value_name = "GEOTAGS")]
    geotags: Vec<String>,
    /// Column of the latitude, by name or number; by default recognised by common names
    #[arg(long, value_name = "COLUMN")]
    lat_column: Option<String>,
    /// Column of the longitude, by name or number; by default recognised by common names
    #[arg(long, value_name = "COLUMN")]
    lng_column: Option<String>,
    /// Stop at the first row without a valid position, instead of counting it
    #[arg(long)]
    strict: bool,
}

impl GeotagArguments {
    /// Hands all positions to `take`, with a progress bar, and says what was skipped.
    pub fn read(&self, take: impl FnMut(&[LatLng])) -> Result<GeotagCount, Failure> {
        let sources: Vec<TableSource> =
            self.geotags.iter().map(|text| TableSource::parse(text)).collect();
        let options = GeotagOptions {
            lat_column: self.lat_column.clone(),
            lng_column: self.lng_column.clone(),
            strict: self.strict,
        };
        let progress = Progress::new("photos");
        let result = read_geotags(&sources, &options, &progress, take);
        progress.finish();
        let count = result.map_err(|error| match error {
            DataError::Row { .. } if self.strict => {
                Failure::new(error).hint("without --strict such rows are counted and skipped")
            }
            error => Failure::new(error),
        })?;
        report_skipped(&count)?;
        Ok(count)
    }

    /// All positions as sorted leaf cells.
    pub fn leaves(&self) -> Result<PhotoLeaves, Failure> {
        let mut builder = PhotoLeavesBuilder::new();
        self.read(|positions| builder.extend(positions))?;
        Ok(builder.finish())
    }

    /// The tables' names without their folders, for a partition's metadata.
    pub fn source(&self) -> String {
        let name = |text: &String| text.rsplit(['/', '\\']).next().unwrap_or(text).to_owned();
        self.geotags.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

fn report_skipped(count: &GeotagCount) -> io::Result<()> {
    let mut err = io::stderr().lock();
    for (reason, rows, first) in count.skipped.reasons() {
        let rows_of = if rows == 1 { "row" } else { "rows" };
        writeln!(err, "skipped {rows} {rows_of} {}; the first: {first}", reason.name())?;
    }
    Ok(())
}
