use std::{fmt::Display, fs::File};

use parquet::{
    arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    file::metadata::ColumnChunkMetaData,
};

use crate::DataError;

/// Opens Parquet whose columns come as plain types, whatever Arrow schema its writer stored.
///
/// Where the parts of every column lie is checked here: the library takes the file's word for it,
/// and panics where that is nonsense.
pub(crate) fn open_parquet(
    file: File,
    name: &str,
) -> Result<ParquetRecordBatchReaderBuilder<File>, DataError> {
    let length = file.metadata().map_err(|error| not_whole(name, &error))?.len();
    let plain = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, plain)
        .map_err(|error| not_whole(name, &error))?;
    let groups = builder.metadata().row_groups();
    if groups.iter().any(|group| group.num_rows() < 0) {
        return Err(not_whole(name, &"a negative number of rows"));
    }
    match groups.iter().flat_map(|group| group.columns()).all(|it| lies_within(it, length)) {
        true => Ok(builder),
        false => Err(not_whole(name, &"a column lies outside the file")),
    }
}

/// Whether a part of a column lies within a file of this length.
fn lies_within(column: &ColumnChunkMetaData, length: u64) -> bool {
    let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let parts = [start, column.data_page_offset(), column.compressed_size()].map(u64::try_from);
    let [Ok(start), Ok(data), Ok(size)] = parts else { return false };
    data <= length && start.checked_add(size).is_some_and(|end| end <= length)
}

/// The library's error for a file that it cannot read.
pub(crate) fn not_whole(name: &str, error: &dyn Display) -> DataError {
    let what = format!("is not a complete Parquet file ({error}); get or write it again");
    DataError::table(name, what)
}
