use csv::ByteRecord;

use crate::{
    DataError,
    table::{Columns, TextTable, not_utf8},
};

/// A manifest's rows in CSV or TSV.
pub(super) struct TextRows {
    table: TextTable,
    row: ByteRecord,
}

impl TextRows {
    pub(super) fn new(table: TextTable) -> Self {
        Self { table, row: ByteRecord::new() }
    }

    pub(super) fn columns(&self) -> &Columns {
        self.table.columns()
    }

    /// The line `# root=`.
    pub(super) fn root(&self) -> Option<String> {
        let found = self.table.metadata().iter().find(|(key, _)| key == "root");
        found.map(|(_, root)| root.clone())
    }

    /// Hands over the next row's cells and returns its line; `None` at the end.
    pub(super) fn next(
        &mut self,
        put: &mut impl FnMut(usize, &str),
    ) -> Result<Option<u64>, DataError> {
        let Some(line) = self.table.read(&mut self.row)? else { return Ok(None) };
        for (column, cell) in self.row.iter().enumerate() {
            let cell = std::str::from_utf8(cell).map_err(|_| not_utf8(self.table.name(), line))?;
            put(column, cell);
        }
        Ok(Some(line))
    }
}
