use csv::ByteRecord;

use super::{Cell, GeotagOptions, Needed, Rows, SkipReason};
use crate::{
    DataError,
    table::{TableSource, TextTable, decimal},
};

pub(super) fn read(
    table: &mut TextTable,
    source: &TableSource,
    options: &GeotagOptions,
    rows: &mut Rows<'_>,
) -> Result<(), DataError> {
    let needed = Needed::find(table.columns(), source, options)?;
    let width = table.columns().names().len();
    if needed.by_number
        && let Some(first) = table.take_first_row()
        && let (Cell::Number(_), Cell::Number(_)) =
            (cell(&first, needed.lat), cell(&first, needed.lng))
    {
        take(&first, 1, width, &needed, source, rows)?;
    }
    let mut row = ByteRecord::new();
    while let Some(line) = table.read(&mut row)? {
        take(&row, line, width, &needed, source, rows)?;
    }
    Ok(())
}

fn take(
    row: &ByteRecord,
    line: u64,
    width: usize,
    needed: &Needed,
    source: &TableSource,
    rows: &mut Rows<'_>,
) -> Result<(), DataError> {
    if row.len() != width {
        let what = format!("the row has {} cells, the first row {width}", row.len());
        return rows.skip(line, SkipReason::Columns, what);
    }
    if let (Some(column), Some(split)) = (needed.split, &source.split)
        && &row[column] != split.as_bytes()
    {
        return Ok(());
    }
    rows.push(line, cell(row, needed.lat), cell(row, needed.lng))
}

fn cell(row: &ByteRecord, column: usize) -> Cell {
    row.get(column).map_or(Cell::Empty, number)
}

/// A cell's number. Spaces around it are no fault.
pub(super) fn number(text: &[u8]) -> Cell {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Cell::Empty;
    }
    let number = std::str::from_utf8(text).ok().and_then(decimal);
    number.map_or(Cell::Text, Cell::Number)
}
