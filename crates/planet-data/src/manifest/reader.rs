use std::path::{Path, PathBuf};

use super::{Column, column::Draft, rows::Rows};
use crate::{
    DataError, PhotoRecord,
    table::{Columns, TableSource},
};

/// A manifest, read row by row: memory does not grow with the file.
pub struct ManifestReader {
    name: String,
    root: PathBuf,
    split: Option<String>,
    header: Header,
    rows: Rows,
}

/// What each column of a file means.
#[derive(Debug)]
pub(super) struct Header {
    meanings: Vec<Meaning>,
}

#[derive(Debug)]
enum Meaning {
    Known(Column),
    Other(String),
}

impl ManifestReader {
    /// Opens a manifest. `root` says where its photos are; else the file does (`root` in
    /// Parquet's metadata, `# root=` in text, taken from the manifest's folder where it is
    /// relative); else they are in the manifest's folder.
    ///
    /// # Errors
    /// A file that is no table, or has no column `photo`.
    pub fn open(source: &TableSource, root: Option<&Path>) -> Result<Self, DataError> {
        let name = source.to_string();
        let rows = Rows::open(&source.path, &name)?;
        let header = Header::new(&name, rows.columns())?;
        if source.split.is_some() && !header.has(Column::Split) {
            let what = "has no column split; add it with planet dataset split";
            return Err(DataError::table(name, what));
        }
        let root = root.map_or_else(|| default_root(source, rows.root()), Path::to_owned);
        Ok(Self { name, root, split: source.split.clone(), header, rows })
    }

    /// The folder that photo ids are relative to.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Names of the columns that PlaNet does not know, in the file's order.
    pub fn other_columns(&self) -> Vec<String> {
        let other = |meaning: &Meaning| match meaning {
            Meaning::Other(name) => Some(name.clone()),
            Meaning::Known(_) => None,
        };
        self.header.meanings.iter().filter_map(other).collect()
    }

    fn next_row(&mut self) -> Result<Option<PhotoRecord>, DataError> {
        loop {
            let mut draft = Draft::default();
            let mut wrong = None;
            let mut put = |column: usize, text: &str| {
                if let Err(what) = self.header.put(&mut draft, column, text) {
                    wrong.get_or_insert(what);
                }
            };
            let line = self.rows.next(&mut put)?;
            let Some(line) = line else { return Ok(None) };
            let record = match wrong {
                Some(what) => Err(what),
                None => draft.finish(),
            };
            let record = record.map_err(|what| DataError::row(&self.name, line, what))?;
            if self.split.is_none() || record.split == self.split {
                return Ok(Some(record));
            }
        }
    }
}

impl Iterator for ManifestReader {
    type Item = Result<PhotoRecord, DataError>;

    /// The next photo. After an error about one row the next call goes on behind it.
    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

impl Header {
    fn new(file: &str, columns: &Columns) -> Result<Self, DataError> {
        let names = columns.names().iter();
        let mut meanings: Vec<_> = names.map(|name| Meaning::Other(name.clone())).collect();
        for column in Column::ALL {
            if let Some(found) = columns.find(file, &column.names())? {
                meanings[found] = Meaning::Known(column);
            }
        }
        let header = Self { meanings };
        if header.has(Column::Lat) != header.has(Column::Lng) {
            let listed = columns.listed();
            let what =
                format!("has only one coordinate among {listed}; name the columns lat and lng");
            return Err(DataError::table(file, what));
        }
        if header.has(Column::Photo) {
            return Ok(header);
        }
        let what = format!(
            "has no column photo, only {}; use planet dataset import for other layouts",
            columns.listed()
        );
        Err(DataError::table(file, what))
    }

    fn has(&self, column: Column) -> bool {
        let is = |meaning: &Meaning| matches!(meaning, Meaning::Known(known) if *known == column);
        self.meanings.iter().any(is)
    }

    /// Cells beyond the header's columns have no meaning.
    fn put(&self, draft: &mut Draft, column: usize, text: &str) -> Result<(), String> {
        match self.meanings.get(column) {
            Some(Meaning::Known(column)) => draft.put(*column, text),
            Some(Meaning::Other(name)) => {
                draft.keep(name, text);
                Ok(())
            }
            None if text.is_empty() => Ok(()),
            None => Err(format!(
                "the row has more cells than the {} columns; quote cells that hold the separator, \
                 and write numbers with a point",
                self.meanings.len()
            )),
        }
    }
}

fn default_root(source: &TableSource, stated: Option<&str>) -> PathBuf {
    let folder = match source.path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !source.is_standard_input() => folder,
        _ => Path::new("."),
    };
    stated.map_or_else(|| folder.to_owned(), |stated| folder.join(stated))
}
