use std::fs::File;

use arrow_array::{
    Array, ArrayRef, Float32Array, Float64Array, Int32Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray,
};
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;

use super::{BATCH, Cell, GeotagOptions, Needed, Rows, text};
use crate::{
    DataError,
    table::{Columns, TableSource, not_whole, open_parquet},
};

pub(super) fn read(
    file: File,
    source: &TableSource,
    options: &GeotagOptions,
    rows: &mut Rows<'_>,
) -> Result<(), DataError> {
    let name = rows.name.clone();
    let builder = open_parquet(file, &name)?;
    let fields = builder.schema().fields();
    let columns = Columns::new(fields.iter().map(|field| field.name().clone()).collect());
    let needed = Needed::find(&columns, source, options)?;
    for column in [Some(needed.lat), Some(needed.lng), needed.split].into_iter().flatten() {
        check_type(&name, fields[column].name(), fields[column].data_type())?;
    }
    let wanted = [Some(needed.lat), Some(needed.lng), needed.split];
    let roots: Vec<usize> = wanted.into_iter().flatten().collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots.iter().copied());
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(|error| not_whole(&name, &error))?;
    let mut line = 1;
    for batch in reader {
        let batch = batch.map_err(|error| not_whole(&name, &error))?;
        take(&batch, &roots, source, &mut line, rows)?;
    }
    Ok(())
}

fn check_type(file: &str, column: &str, data_type: &DataType) -> Result<(), DataError> {
    use DataType::{Float32, Float64, Int32, Int64, LargeUtf8, Utf8};
    match data_type {
        Float32 | Float64 | Int32 | Int64 | Utf8 | LargeUtf8 => Ok(()),
        other => {
            let what = format!("column '{column}' is {other}; write it as numbers or text");
            Err(DataError::table(file, what))
        }
    }
}

/// `roots` are the columns' places in the file: latitude, longitude, and the split if asked.
fn take(
    batch: &RecordBatch,
    roots: &[usize],
    source: &TableSource,
    line: &mut u64,
    rows: &mut Rows<'_>,
) -> Result<(), DataError> {
    // A batch keeps the file's order of columns.
    let column = |root: usize| {
        let before = roots.iter().filter(|&&other| other < root).count();
        Column::of(batch.column(before))
    };
    let (lat, lng) = (column(roots[0]), column(roots[1]));
    let split = source.split.as_deref().zip(roots.get(2).map(|&root| column(root)));
    for row in 0..batch.num_rows() {
        if split.as_ref().is_none_or(|(wanted, column)| column.text(row) == Some(*wanted)) {
            rows.push(*line, lat.cell(row), lng.cell(row))?;
        }
        *line += 1;
    }
    Ok(())
}

/// A column of any of the types that may hold a coordinate.
enum Column<'a> {
    F64(&'a Float64Array),
    F32(&'a Float32Array),
    I64(&'a Int64Array),
    I32(&'a Int32Array),
    Utf8(&'a StringArray),
    LargeUtf8(&'a LargeStringArray),
}

impl<'a> Column<'a> {
    fn of(array: &'a ArrayRef) -> Self {
        let any = array.as_any();
        let float = any.downcast_ref().map(Self::F64).or(any.downcast_ref().map(Self::F32));
        let integer = any.downcast_ref().map(Self::I64).or(any.downcast_ref().map(Self::I32));
        let text = any.downcast_ref().map(Self::Utf8).or(any.downcast_ref().map(Self::LargeUtf8));
        float.or(integer).or(text).expect("the schema's types were checked")
    }

    #[inline]
    fn cell(&self, row: usize) -> Cell {
        match self {
            Self::F64(array) if array.is_valid(row) => Cell::Number(array.value(row)),
            Self::F32(array) if array.is_valid(row) => Cell::Number(f64::from(array.value(row))),
            Self::I64(array) if array.is_valid(row) => Cell::Number(array.value(row) as f64),
            Self::I32(array) if array.is_valid(row) => Cell::Number(f64::from(array.value(row))),
            Self::Utf8(_) | Self::LargeUtf8(_) => {
                self.text(row).map_or(Cell::Empty, |cell| text::number(cell.as_bytes()))
            }
            _ => Cell::Empty,
        }
    }

    fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Utf8(array) if array.is_valid(row) => Some(array.value(row)),
            Self::LargeUtf8(array) if array.is_valid(row) => Some(array.value(row)),
            _ => None,
        }
    }
}
