//! The manifest in Parquet: numbers as numbers, everything else as text.

use std::{fmt::Display, fs::File, sync::Arc};

use arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, StringArray,
    builder::{Float64Builder, StringBuilder, UInt64Builder},
    cast::AsArray,
    types::{
        Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
        UInt32Type, UInt64Type,
    },
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReader},
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties},
};

use super::{
    Column,
    column::{Cell, CellKind},
};
use crate::{
    DataError, PhotoRecord,
    table::{Columns, OutputFile, not_whole, open_parquet},
};

/// Rows that are read, and gathered before they are written, at a time.
const BATCH: usize = 1 << 14;

const ROOT: &str = "root";

/// A manifest's rows in Parquet.
pub(super) struct ParquetRows {
    name: String,
    names: Vec<String>,
    root: Option<String>,
    batches: ParquetRecordBatchReader,
    batch: Option<RecordBatch>,
    row: usize,
    line: u64,
    /// Set where nothing behind an error can be read.
    broken: bool,
}

impl ParquetRows {
    pub(super) fn open(file: File, name: &str) -> Result<Self, DataError> {
        let builder = open_parquet(file, name)?;
        for field in builder.schema().fields() {
            check_type(name, field)?;
        }
        let names = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        let pairs = builder.metadata().file_metadata().key_value_metadata();
        let root = pairs.into_iter().flatten().find(|pair| pair.key == ROOT);
        let root = root.and_then(|pair| pair.value.clone());
        let batches =
            builder.with_batch_size(BATCH).build().map_err(|error| not_whole(name, &error))?;
        Ok(Self {
            name: name.to_owned(),
            names,
            root,
            batches,
            batch: None,
            row: 0,
            line: 0,
            broken: false,
        })
    }

    pub(super) fn columns(&self) -> Columns {
        Columns::new(self.names.clone())
    }

    pub(super) fn root(&self) -> Option<String> {
        self.root.clone()
    }

    /// Hands over the next row's cells and returns its number, from 1; `None` at the end.
    pub(super) fn next(
        &mut self,
        put: &mut impl FnMut(usize, &str),
    ) -> Result<Option<u64>, DataError> {
        while self.batch.as_ref().is_none_or(|batch| self.row == batch.num_rows()) {
            if self.broken {
                return Ok(None);
            }
            let Some(batch) = self.batches.next() else { return Ok(None) };
            self.broken = batch.is_err();
            self.batch = Some(batch.map_err(|error| not_whole(&self.name, &error))?);
            self.row = 0;
        }
        let batch = self.batch.as_ref().expect("the loop above ends with a batch");
        for (column, array) in batch.columns().iter().enumerate() {
            if array.is_valid(self.row) {
                put_cell(array, self.row, column, put);
            }
        }
        self.row += 1;
        self.line += 1;
        Ok(Some(self.line))
    }
}

fn check_type(file: &str, field: &Field) -> Result<(), DataError> {
    use DataType::{
        Boolean, Float32, Float64, Int8, Int16, Int32, Int64, LargeUtf8, UInt8, UInt16, UInt32,
        UInt64, Utf8,
    };
    match field.data_type() {
        Boolean | Float32 | Float64 | Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32
        | UInt64 | Utf8 | LargeUtf8 => Ok(()),
        other => {
            let name = field.name();
            let what = format!("column '{name}' is {other}; write it as numbers or text");
            Err(DataError::table(file, what))
        }
    }
}

fn put_cell(array: &ArrayRef, row: usize, column: usize, put: &mut impl FnMut(usize, &str)) {
    fn number<T: ArrowPrimitiveType>(array: &ArrayRef, row: usize) -> String
    where
        T::Native: Display,
    {
        let array: &PrimitiveArray<T> = array.as_primitive();
        array.value(row).to_string()
    }
    let text = match array.data_type() {
        DataType::Utf8 => return put(column, array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => return put(column, array.as_string::<i64>().value(row)),
        DataType::Float64 => number::<Float64Type>(array, row),
        DataType::Float32 => number::<Float32Type>(array, row),
        DataType::Int8 => number::<Int8Type>(array, row),
        DataType::Int16 => number::<Int16Type>(array, row),
        DataType::Int32 => number::<Int32Type>(array, row),
        DataType::Int64 => number::<Int64Type>(array, row),
        DataType::UInt8 => number::<UInt8Type>(array, row),
        DataType::UInt16 => number::<UInt16Type>(array, row),
        DataType::UInt32 => number::<UInt32Type>(array, row),
        DataType::UInt64 => number::<UInt64Type>(array, row),
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        other => unreachable!("the schema's types were checked, and {other} is none of them"),
    };
    put(column, &text);
}

/// Gathers records and writes them in batches.
pub(super) struct ParquetSink {
    schema: SchemaRef,
    other: Vec<String>,
    gathered: Vec<PhotoRecord>,
    writer: ArrowWriter<OutputFile>,
}

impl ParquetSink {
    pub(super) fn new(
        file: OutputFile,
        root: Option<&str>,
        other: &[String],
    ) -> Result<Self, ParquetError> {
        let known = Column::ALL.iter().map(|column| {
            let kind = match column.kind() {
                CellKind::Text => DataType::Utf8,
                CellKind::Integer => DataType::UInt64,
                CellKind::Number => DataType::Float64,
            };
            Field::new(column.name(), kind, *column != Column::Photo)
        });
        let unknown = other.iter().map(|name| Field::new(name, DataType::Utf8, true));
        let schema = Arc::new(Schema::new(known.chain(unknown).collect::<Vec<_>>()));
        let root = root.map(|root| vec![KeyValue::new(ROOT.to_owned(), root.to_owned())]);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
            .set_key_value_metadata(root)
            .build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))?;
        Ok(Self { schema, other: other.to_vec(), gathered: Vec::with_capacity(BATCH), writer })
    }

    pub(super) fn write(&mut self, record: &PhotoRecord) -> Result<(), ParquetError> {
        self.gathered.push(record.clone());
        if self.gathered.len() == BATCH { self.write_gathered() } else { Ok(()) }
    }

    fn write_gathered(&mut self) -> Result<(), ParquetError> {
        let records = std::mem::take(&mut self.gathered);
        let known = Column::ALL.iter().map(|&column| array(column, &records));
        let unknown = self.other.iter().map(|name| -> ArrayRef {
            let cells = records.iter().map(|record| record.other.get(name));
            Arc::new(cells.collect::<StringArray>())
        });
        let batch = RecordBatch::try_new(self.schema.clone(), known.chain(unknown).collect())?;
        self.writer.write(&batch)
    }

    pub(super) fn finish(mut self) -> Result<OutputFile, ParquetError> {
        self.write_gathered()?;
        self.writer.into_inner()
    }
}

fn array(column: Column, records: &[PhotoRecord]) -> ArrayRef {
    let (mut text, mut integers, mut numbers) =
        (StringBuilder::new(), UInt64Builder::new(), Float64Builder::new());
    let kind = column.kind();
    for record in records {
        match (column.take(record), kind) {
            (Some(Cell::Text(value)), _) => text.append_value(value),
            (Some(Cell::Integer(value)), _) => integers.append_value(value),
            (Some(Cell::Number(value)), _) => numbers.append_value(value),
            (None, CellKind::Text) => text.append_null(),
            (None, CellKind::Integer) => integers.append_null(),
            (None, CellKind::Number) => numbers.append_null(),
        }
    }
    match kind {
        CellKind::Text => Arc::new(text.finish()),
        CellKind::Integer => Arc::new(integers.finish()),
        CellKind::Number => Arc::new(numbers.finish()),
    }
}
