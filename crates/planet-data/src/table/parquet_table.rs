use std::io::{self, Write};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};

/// A table of any columns in Parquet, in the making, compressed with zstd.
#[must_use = "the table is whole only when it is finished"]
pub struct ParquetTable<W: Write + Send>(ArrowWriter<W>);

impl<W: Write + Send> ParquetTable<W> {
    /// Begins a table of these columns.
    ///
    /// # Errors
    /// A type of column that Parquet lacks; the writer fails.
    pub fn new(writer: W, schema: SchemaRef) -> io::Result<Self> {
        let level = ZstdLevel::try_new(3).map_err(failed)?;
        let properties =
            WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
        Ok(Self(ArrowWriter::try_new(writer, schema, Some(properties)).map_err(failed)?))
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Other columns than the table's; the writer fails.
    pub fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        self.0.write(rows).map_err(failed)
    }

    /// What is written to.
    pub fn get_mut(&mut self) -> &mut W {
        self.0.inner_mut()
    }

    /// Writes the end and gives the writer back.
    ///
    /// # Errors
    /// The writer fails.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner().map_err(failed)
    }
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
