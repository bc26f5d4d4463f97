use std::path::Path;

use super::{parquet::ParquetRows, text::TextRows};
use crate::{
    DataError,
    table::{self, Columns, Table},
};

/// The rows of a table of any format, cell by cell, as text.
pub(crate) struct Rows {
    columns: Columns,
    root: Option<String>,
    cells: Cells,
}

enum Cells {
    Text(Box<TextRows>),
    Parquet(Box<ParquetRows>),
}

impl Rows {
    pub(crate) fn open(path: &Path, name: &str) -> Result<Self, DataError> {
        Ok(match table::open(path)? {
            Table::Text(table) => {
                let rows = TextRows::new(*table);
                let (columns, root) = (rows.columns().clone(), rows.root());
                Self { columns, root, cells: Cells::Text(Box::new(rows)) }
            }
            Table::Parquet(file) => {
                let rows = ParquetRows::open(file, name)?;
                let (columns, root) = (rows.columns(), rows.root());
                Self { columns, root, cells: Cells::Parquet(Box::new(rows)) }
            }
        })
    }

    /// The columns, in the file's order.
    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// `root` as the file's metadata states it.
    pub(crate) fn root(&self) -> Option<&str> {
        self.root.as_deref()
    }

    /// Hands over the next row's cells (column, text), and returns its line or number, from 1;
    /// `None` at the end. Null cells are not handed over.
    pub(crate) fn next(
        &mut self,
        put: &mut impl FnMut(usize, &str),
    ) -> Result<Option<u64>, DataError> {
        match &mut self.cells {
            Cells::Text(rows) => rows.next(put),
            Cells::Parquet(rows) => rows.next(put),
        }
    }
}
